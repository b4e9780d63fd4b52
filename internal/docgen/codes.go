// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// errorCode is a code with what its comment in the domain says of it.
type errorCode struct {
	code            service.Code
	status, meaning string
}

// errorCodes reads the comments of the constants in service/error.go, in their order:
// "CodeX: MEANING HTTP STATUS."
func errorCodes() (codes []errorCode, err error) {
	path := filepath.Join("service", "error.go")
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	ast.Inspect(file, func(n ast.Node) bool {
		constant, ok := n.(*ast.ValueSpec)
		if !ok || len(constant.Values) != 1 || constant.Doc == nil {
			return true
		}
		literal, ok := constant.Values[0].(*ast.BasicLit)
		if !ok {
			return true
		}
		value, unquoted := strconv.Unquote(literal.Value)
		if unquoted != nil {
			return true
		}
		_, comment, _ := strings.Cut(strings.Join(strings.Fields(constant.Doc.Text()), " "), ": ")
		at := max(strings.LastIndex(comment, " HTTP "), 0)
		meaning, status := comment[:at], strings.TrimPrefix(comment[at:], " HTTP ")
		codes = append(codes, errorCode{service.Code(value), strings.TrimSuffix(status, "."), meaning})
		return true
	})
	if len(codes) != len(service.Codes) {
		return nil, fmt.Errorf("%s explains %d of %d codes", path, len(codes), len(service.Codes))
	}
	return codes, nil
}

// remedy is what the guide to troubleshooting says of a code beside its meaning.
type remedy struct{ seenIn, whatToDo string }

// Where an error is seen, beside the native API, which answers every code.
const (
	everywhere  = "every command of Terraform, and of [the command line](cli.md)"
	apiAlone    = "the native API alone: the provider sends nothing of the kind"
	planOrApply = "plan, apply"
	applyAlone  = "apply"
	destroys    = "destroy, or an apply that replaces"
)

// remedies tell what to do about every code.
var remedies = map[service.Code]remedy{
	service.CodeInvalid:              {planOrApply, "Read the sentence at the attribute that the error names; it says what to write instead. On the API, `errors` has a JSON pointer for each field."},
	service.CodeMalformed:            {apiAlone, "Send one JSON object in UTF-8. A shell that ate the quotes of the body is the usual reason: put it in single quotes, or in a file (`curl -d @body.json`)."},
	service.CodeUnauthenticated:      {everywhere, "Check `DATASERVICE_TOKEN`, and that it is a token of this service. `dataservice token list` tells which have expired or were revoked; `dataservice token create` makes one."},
	service.CodeForbidden:            {"apply, destroy", "The sentence names what is missing: a role or the reviewer right. Run it with the token of somebody who has it, or ask an admin. [The lifecycle](lifecycle.md) has the table of who may do what."},
	service.CodeNotFound:             {"plan, apply, import", "Check how it is written, and `workspace`. A private API of somebody else is not there for you. What is gone from the service and still in the state is no error: the plan makes it anew."},
	service.CodeMethodNotAllowed:     {apiAlone, "Use a method that the header `Allow` names; `/openapi.json` lists them."},
	service.CodeAlreadyExists:        {applyAlone, "Import it, with the command in the error, or choose another name or path. Where two configurations say the same, one of them must go."},
	service.CodeIllegalAction:        {"apply, destroy", "See the `status` in the state, and in [the lifecycle](lifecycle.md) what may be done from there. While an end is announced, cancel it first or wait for it."},
	service.CodeReviewPending:        {applyAlone, "Wait for the decision. Or have the application taken back, by its applicant, who is named, or by a reviewer: with the action `dataservice_review_cancel`, `dataservice reviews cancel`, or `POST reviews/{id}/cancel`."},
	service.CodeReviewRejected:       {applyAlone, "Read the comment, and change the definition or the `remark`: the very same is not applied for twice."},
	service.CodeReviewDecided:        {"apply of a `dataservice_review`", "Nothing is to be decided any more; the sentence names who did. To come to another result, have it published anew."},
	service.CodeConnectionFrozen:     {"apply of a `dataservice_connection` or `dataservice_api`", "Wait for the decision that is named, or have the application taken back. The password may be changed meanwhile."},
	service.CodeInUse:                {destroys, "Take away first what the sentence names. Within one configuration, write references (`dataservice_connection.x.id`) rather than ids: Terraform then keeps the order."},
	service.CodeNotDebugged:          {"apply of a `dataservice_publication`", "Give the API values to be test-called with, in `debug.parameters` or as `example` or `default` of its parameters, and apply it again; or run the action `dataservice_api_debug` or `dataservice apis debug`."},
	service.CodeBreakingChange:       {planOrApply, "Keep what callers rely on, or publish the new shape as another API at another path. An admin can allow such changes in the environment: `breaking_changes = \"warn\"`."},
	service.CodeBusy:                 {"apply, destroy; after the provider has tried again for a while", "Apply again: somebody else was publishing on the same instance, and nothing is half done."},
	service.CodeConflict:             {"apply, destroy", "Apply again: two changed the same thing at once, and the other one was first."},
	service.CodeStale:                {applyAlone, "Plan again, and read what has changed since: nothing was overwritten."},
	service.CodeTooLarge:             {"plan, apply; the native API", "A request has 1 MiB at the most: shorten the SQL or the samples, or cut a batch into several."},
	service.CodeUnsupportedMediaType: {apiAlone, "Send `Content-Type: application/json`."},
	service.CodeIdempotencyMismatch:  {apiAlone, "Use a new `Idempotency-Key` for each request, and the same one only to repeat a request unchanged."},
	service.CodeDebugFailed:          {"apply of a `dataservice_api`, the action `dataservice_api_debug`", "Nothing was stored. The sentence has what the database or the backend said: correct the SQL, the backend or `debug.expect`."},
	service.CodeConnectionFailed:     {planOrApply, "Check host, port, database, user, password and `ssl_mode` from the machine that the service runs on, and the ranges of `--allow-connection-cidr`. A role that may do more than read is refused with this code too; the sentence says which right is too much."},
	service.CodeRateLimited:          {"any command; after the provider has waited and tried again", "Run with a smaller `-parallelism`, or one pipeline after the other: the limit is that of a member. Scripts wait for the seconds in `Retry-After`."},
	service.CodeOverloaded:           {"any command; after the provider has waited and tried again", "Try again: nothing was done. Where it stays, more is asked of the control plane than it can answer: run fewer pipelines at once, start more replicas, or see [Limits](limits.md)."},
	service.CodeUnavailable:          {"any command; after the provider has tried again", "Try again. Where it stays, `/readyz` of the service tells what it cannot reach; with PostgreSQL that is its store."},
	service.CodeInternal:             {"any command", "Report it with the request id: the service's log has the cause beside it."},
}

// troubleTable tells of each code what it means, where it is seen and what to do.
func troubleTable() (string, error) {
	explained, err := errorCodes()
	if err != nil {
		return "", err
	}
	var rows [][]string
	for _, e := range explained {
		r, known := remedies[e.code]
		if !known {
			return "", fmt.Errorf("there is no advice for the code %s: write it in internal/docgen/codes.go", e.code)
		}
		rows = append(rows, []string{code(e.code), e.status, e.meaning, r.seenIn, r.whatToDo})
	}
	return table([]string{"code", "HTTP status", "what happened", "seen in", "what to do"}, rows), nil
}
