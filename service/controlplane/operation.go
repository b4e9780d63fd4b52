// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"go.opentelemetry.io/otel/trace"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/tracing"
)

// base is the path of everything that belongs to a workspace.
const base = "/api/v1/workspaces/{workspace}"

// operation describes one call: "POST /publications", its stable id, and a sentence.
type operation struct {
	method, path, id, tag, summary string
	// description says more where the summary is not enough.
	description string
	// produces are the media types of an answer that is a text, and not JSON of a Go type.
	produces []string
}

// register makes a call of the API. What is the same for all of them is said here:
// the parameters that every call has, who may call, and how errors look.
func register[In, Out any](a *api, op operation, do func(context.Context, lifecycle.Caller, *In) (*Out, error)) {
	o := huma.Operation{
		Method: op.method, Path: op.path, OperationID: op.id, Tags: []string{op.tag},
		Summary: op.summary, Description: op.description,
		Security:         []map[string][]string{{bearerScheme: {}}, {headerScheme: {}}},
		Responses:        map[string]*huma.Response{"default": {Ref: "#/components/responses/Problem"}},
		SkipValidateBody: true, // checkBody has done it
		MaxBodyBytes:     2 * MaxBodyBytes,
		BodyReadTimeout:  -1, // the server has one
	}
	if strings.Contains(op.path, "{workspace}") {
		o.Parameters = append(o.Parameters, &huma.Param{Ref: "#/components/parameters/workspace"})
	}
	if op.method == http.MethodPost {
		o.Parameters = append(o.Parameters, &huma.Param{Ref: "#/components/parameters/idempotencyKey"})
		if strings.HasPrefix(op.id, "create-") || strings.HasPrefix(op.id, "issue-") {
			o.DefaultStatus = http.StatusCreated
		}
	}
	if len(op.produces) > 0 {
		content := map[string]*huma.MediaType{}
		for _, mediaType := range op.produces {
			content[mediaType] = &huma.MediaType{Schema: textSchema(mediaType)}
		}
		o.Responses["200"] = &huma.Response{Description: "OK", Content: content}
	}
	huma.Register(a.huma, o, func(ctx context.Context, in *In) (*Out, error) {
		ctx, span := tracing.Child(ctx, op.id, trace.SpanKindInternal)
		out, err := do(ctx, callOf(ctx).caller, in)
		endOperation(span, err)
		if err != nil {
			return nil, problemOf(ctx, err)
		}
		return out, nil
	})
}

// textSchema is the schema of a text in the format: of JSON, the object that it holds.
func textSchema(mediaType string) *huma.Schema {
	if mediaType == jsonType {
		return &huma.Schema{Type: huma.TypeObject}
	}
	return &huma.Schema{Type: huma.TypeString}
}

// workspacesPath is the path of the workspaces themselves.
const workspacesPath = "/api/v1/workspaces"

// none is the input of a call without parameters, and the output of one without a body.
type none struct{}

// Inputs that many calls share. They are embedded, and huma sees exported types alone.
type (
	// RefInput names one thing.
	RefInput struct {
		Ref string `path:"ref" doc:"Id or name; for connections, APIs, instances and workspaces also the number; folders have an id and a number alone."`
	}
	// IDInput names one thing that has no name.
	IDInput struct {
		ID string `path:"id" doc:"Id."`
	}
	// MatchInput guards a change.
	MatchInput struct {
		IfMatch string `header:"If-Match" doc:"The ETag that was read: where the thing has changed since, the answer is 412 STALE and nothing happens. Absent: no check."`
	}
	// PageInput bounds a list.
	PageInput struct {
		After string `query:"after" doc:"The \"next\" of the page before; absent for the first page."`
		Limit int    `query:"limit" minimum:"1" maximum:"500" default:"100" doc:"How many items a page has at the most."`
	}
	// WaitInput asks for a long poll.
	WaitInput struct {
		Wait string `query:"wait" doc:"Wait until nothing is open any more, but at the most this long: a duration such as 30s, up to 60s."`
	}
	// GatewaysInput asks to wait for the gateways.
	GatewaysInput struct {
		Wait string `query:"wait" enum:"gateways" doc:"With \"gateways\" the answer comes when every live gateway of the instance serves the change, and after 10 s at the latest; lagging_gateways names those that do not yet. They follow by themselves."`
	}
	// BodyInput is a request body.
	BodyInput[T any] struct {
		Body T
	}
)

func (p PageInput) page() lifecycle.Page { return lifecycle.Page{After: p.After, Limit: p.Limit} }

// etag returns the guard of a change; "*" asks that the thing exists, which every
// change asks anyway.
func (m MatchInput) etag() string {
	if m.IfMatch == "*" {
		return ""
	}
	return m.IfMatch
}

func (w WaitInput) duration() (time.Duration, error) {
	if w.Wait == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(w.Wait)
	if err != nil || d < 0 || d > MaxWait {
		return 0, service.Errorf(service.CodeInvalid, "wait=%q is not a time to wait: use a duration from 0s to %s, such as 30s.", w.Wait, MaxWait)
	}
	return d, nil
}

// waitForGateways is the wait for them.
const waitForGateways = "gateways"

// Outputs that many calls share.
type (
	// object answers one thing.
	object[T any] struct {
		Body T
	}
	// tagged answers one thing that If-Match can guard.
	tagged[T any] struct {
		ETag string `header:"ETag" doc:"Names this state of the thing, for If-Match."`
		Body T
	}
	// created answers a new thing.
	created[T any] struct {
		Location string `header:"Location" doc:"Where the thing is."`
		Body     T
	}
	// createdTagged answers a new thing that If-Match can guard.
	createdTagged[T any] struct {
		Location string `header:"Location" doc:"Where the thing is."`
		ETag     string `header:"ETag" doc:"Names this state of the thing, for If-Match."`
		Body     T
	}
)

func answer[T any](v T, err error) (*object[T], error) {
	if err != nil {
		return nil, err
	}
	return &object[T]{Body: v}, nil
}

func answerTagged[T interface{ ETag() string }](v T, err error) (*tagged[T], error) {
	if err != nil {
		return nil, err
	}
	return &tagged[T]{ETag: v.ETag(), Body: v}, nil
}

func answerCreated[T any](c lifecycle.Caller, plural, id string, v T, err error) (*created[T], error) {
	if err != nil {
		return nil, err
	}
	return &created[T]{Location: location(c, plural, id), Body: v}, nil
}

func answerCreatedTagged[T interface{ ETag() string }](c lifecycle.Caller, plural, id string, v T, err error) (*createdTagged[T], error) {
	if err != nil {
		return nil, err
	}
	return &createdTagged[T]{Location: location(c, plural, id), ETag: v.ETag(), Body: v}, nil
}

func answerNothing(err error) (*none, error) {
	if err != nil {
		return nil, err
	}
	return nil, nil //nolint:nilnil // huma answers 204 for it.
}

func location(c lifecycle.Caller, plural, id string) string {
	return strings.Replace(base, "{workspace}", c.Workspace.Name, 1) + "/" + plural + "/" + id
}

// poll reads a thing with a wait, which ends early when the process begins to stop:
// the client then has the thing as it is and may ask the next process.
func poll[T any](ctx context.Context, a *api, w WaitInput, read func(context.Context, time.Duration) (T, error)) (T, error) {
	wait, err := w.duration()
	if err != nil {
		var nothing T
		return nothing, err
	}
	if wait == 0 {
		return read(ctx, 0)
	}
	waiting, stop := a.untilDraining(ctx)
	defer stop()
	v, err := read(waiting, wait)
	if err != nil && waiting.Err() != nil && ctx.Err() == nil {
		return read(ctx, 0)
	}
	return v, err
}

// untilDraining returns a context that ends when the process begins to stop.
func (a *api) untilDraining(ctx context.Context) (waiting context.Context, stop context.CancelFunc) {
	waiting, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-a.Draining:
			cancel()
		case <-waiting.Done():
		}
	}()
	return waiting, cancel
}

// served answers a publication, once the gateways serve it where the request asks for that.
func (a *api) served(ctx context.Context, in GatewaysInput, p service.Publication, err error) (*object[service.Publication], error) {
	if err == nil && in.Wait != "" {
		waiting, stop := a.untilDraining(ctx)
		defer stop()
		p = a.Service.AwaitGateways(waiting, p)
	}
	return answer(p, err)
}
