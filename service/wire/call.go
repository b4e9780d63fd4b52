// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package wire

import (
	"context"
	"net/http"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// Call is the call that is being answered, as the control plane sees it.
type Call interface {
	// RequestID is the id that the control plane answers in X-Request-Id.
	RequestID() string
	// Enter waits until the body, or the beginning of a large one, is there and it is the
	// call's turn. leave is called when the call is over. The error is a [service.Error] with
	// CodeOverloaded: the call is not to be answered.
	Enter(r *http.Request) (leave func(), err error)
	// Admit notes who calls, for the access log, and returns how long the member has to wait
	// before it may call again; 0 admits the call.
	Admit(c lifecycle.Caller) (wait time.Duration)
	// Note tells the access log which operation it is, and with which error it ends; nil
	// for none.
	Note(operation string, err error)
	// NoteItem tells the access log that an item of a call that is answered all the same, of
	// a batch for example, ends with an error.
	NoteItem(err error)
	// OnPanic says how a panic of the call is answered: as the vendor answers a fault of its own.
	OnPanic(answer http.HandlerFunc)
}

// AnswerPanics is a middleware that has a face answer a panic in its own shape. The
// control plane logs the panic, and cuts off an answer that has begun.
func AnswerPanics(answer http.HandlerFunc) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			CallOf(r.Context()).OnPanic(answer)
			next.ServeHTTP(w, r)
		})
	}
}

// TakeTurns is a middleware that has the calls of a face wait for their turn. refuse answers
// one that does not get it.
func TakeTurns(refuse func(w http.ResponseWriter, r *http.Request, err error)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			call := CallOf(r.Context())
			leave, err := call.Enter(r)
			if err != nil {
				call.Note("", err)
				refuse(w, r, err)
				return
			}
			defer leave()
			next.ServeHTTP(w, r)
		})
	}
}

type callKey struct{}

// WithCall returns a context that [CallOf] finds the call in.
func WithCall(ctx context.Context, c Call) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}

// CallOf returns the call that the context belongs to; outside the control plane, one
// that admits everything and notes nothing.
func CallOf(ctx context.Context) Call {
	if c, ok := ctx.Value(callKey{}).(Call); ok {
		return c
	}
	return lone{service.NewID(time.Now())}
}

// lone is a call without a control plane.
type lone struct{ id string }

func (l lone) RequestID() string                  { return l.id }
func (lone) Enter(*http.Request) (func(), error)  { return func() {}, nil }
func (lone) Admit(lifecycle.Caller) time.Duration { return 0 }
func (lone) Note(string, error)                   {}
func (lone) NoteItem(error)                       {}
func (lone) OnPanic(http.HandlerFunc)             {}
