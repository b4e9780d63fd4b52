// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"errors"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/console"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
	"github.com/dataservice/terraform-provider-dataservice/service/wire/apig"
	"github.com/dataservice/terraform-provider-dataservice/service/wire/auth"
	"github.com/dataservice/terraform-provider-dataservice/service/wire/dataarts"
	"github.com/dataservice/terraform-provider-dataservice/service/wire/dataworks"
	"github.com/dataservice/terraform-provider-dataservice/service/wire/keystone"
)

// registerFaces makes the calls of cloud vendors' clients, and the pages of the console. Each
// face authenticates, answers and refuses in a way of its own.
func (a *api) registerFaces(r chi.Router) {
	r.Use(a.asFace)
	verifier := auth.New(a.Service)
	keystone.Register(r, a.Service, verifier)
	apig.Register(r, a.Service, verifier)
	dataworks.Register(r, a.Service, verifier, console.Welcome(noSuchRoute))
	dataarts.Register(r, a.Service, verifier)
	console.Register(r, console.Options{Service: a.Service, Gateway: a.Gateway, Traffic: a.Traffic, Secure: a.Secure, OIDC: a.OIDC, PublicURL: a.PublicURL})
}

// asFace lets a face see the call as [wire.Call].
func (a *api) asFace(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(wire.WithCall(r.Context(), faceCall{callOf(r.Context()), a})))
	})
}

// faceCall is a call of a face.
type faceCall struct {
	call *call
	api  *api
}

// RequestID returns the id that is answered in X-Request-Id.
func (f faceCall) RequestID() string { return f.call.requestID }

// Enter waits for the call's turn.
func (f faceCall) Enter(r *http.Request) (leave func(), err error) {
	_ = readEarly(r) // the face meets the error again, and answers it in its own shape
	return f.api.turn(r)
}

// Admit counts the call against its member's rate.
func (f faceCall) Admit(c lifecycle.Caller) time.Duration {
	f.call.caller = c
	return f.api.limits.wait(c.Member.ID)
}

// Note keeps operation and error for the access log.
func (f faceCall) Note(operation string, err error) {
	f.call.operation = operation
	if err == nil {
		return
	}
	f.call.code, f.call.cause = reasonOf(err)
}

// NoteItem counts the item, and keeps the error where it is a fault of ours.
func (f faceCall) NoteItem(err error) {
	f.call.refusedItems++
	if code, cause := reasonOf(err); statuses[code] >= http.StatusInternalServerError {
		f.call.cause = cause
	}
}

// OnPanic keeps how a panic is answered.
func (f faceCall) OnPanic(answer http.HandlerFunc) { f.call.onPanic = answer }

// reasonOf returns the domain's code of an error of a face, and what the log tells of it.
func reasonOf(err error) (service.Code, error) {
	var failure *auth.Failure
	if !errors.As(err, &failure) {
		return service.ErrorCode(err), err
	}
	switch failure.Reason {
	case auth.Unavailable:
		return service.CodeUnavailable, failure.Cause
	case auth.RateLimited:
		return service.CodeRateLimited, err
	case auth.TooLarge:
		return service.CodeTooLarge, err
	case auth.Malformed:
		return service.CodeMalformed, err
	default:
		return service.CodeUnauthenticated, err
	}
}
