// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// authenticate finds out who calls, and refuses a workspace that is not theirs as if
// it did not exist.
func (a *api) authenticate(ctx huma.Context, next func(huma.Context)) {
	call := callOf(ctx.Context())
	call.operation = ctx.Operation().OperationID
	secret, err := secretOf(ctx)
	if err != nil {
		writeProblemTo(ctx, err)
		return
	}
	member, workspace, err := a.Service.Authenticate(ctx.Context(), secret)
	if err != nil {
		writeProblemTo(ctx, err)
		return
	}
	call.caller = lifecycle.Caller{Member: member, Workspace: workspace, RequestID: call.requestID, RemoteAddress: ctx.RemoteAddr()}
	call.caller.Terraform = strings.HasPrefix(ctx.Header("User-Agent"), service.TerraformAgent)
	if ref := ctx.Param("workspace"); ref != "" && !workspace.Named(ref) {
		writeProblemTo(ctx, service.NotFound("workspace", ref))
		return
	}
	if ctx.Method() == http.MethodPost {
		if call.caller.IdempotencyKey, err = idempotencyKeyOf(ctx); err != nil {
			writeProblemTo(ctx, err)
			return
		}
	}
	next(ctx)
}

func secretOf(ctx huma.Context) (string, error) {
	if header := ctx.Header("Authorization"); header != "" {
		scheme, secret, _ := strings.Cut(header, " ")
		if secret = strings.TrimSpace(secret); strings.EqualFold(scheme, "Bearer") && secret != "" {
			return secret, nil
		}
	}
	if secret := ctx.Header("X-Auth-Token"); secret != "" {
		return secret, nil
	}
	return "", service.Errorf(service.CodeUnauthenticated,
		`This call needs a token: send "Authorization: Bearer TOKEN" or "X-Auth-Token: TOKEN".`)
}

// maxIdempotencyKey is in characters.
const maxIdempotencyKey = 128

var idempotencyKeyPattern = regexp.MustCompile(`^[\x21-\x7e]{1,128}$`)

func idempotencyKeyOf(ctx huma.Context) (string, error) {
	key := ctx.Header("Idempotency-Key")
	if key != "" && !idempotencyKeyPattern.MatchString(key) {
		return "", service.Errorf(service.CodeInvalid,
			"The Idempotency-Key is not valid: use 1 to %d printable ASCII characters without spaces.", maxIdempotencyKey)
	}
	return key, nil
}
