// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"bytes"
	"errors"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// earlyBody is how much of a body is read before the call takes its turn: nearly every body
// is smaller, and who sends slowly keeps nobody from a turn. With the bounds of connections
// and of calls it bounds the memory that bodies take.
const earlyBody = 64 << 10

// takeTurn has a call wait until it may be answered, and sheds it where that takes too long.
func (a *api) takeTurn(ctx huma.Context, next func(huma.Context)) {
	callOf(ctx.Context()).operation = ctx.Operation().OperationID
	r, _ := humachi.Unwrap(ctx)
	if err := readEarly(r); err != nil {
		// net/http has given up on the whole request: nothing could be looked up for it.
		writeProblemTo(ctx, bodyFault(err))
		return
	}
	leave, err := a.turn(r)
	if err != nil {
		writeProblemTo(ctx, err)
		return
	}
	defer leave()
	next(ctx)
}

// turn waits until it is the call's turn. Calls that ask to wait have turns of their own:
// they are many, and do little.
func (a *api) turn(r *http.Request) (leave func(), err error) {
	turns, what := a.Calls, "calls"
	if r.URL.Query().Has("wait") {
		turns, what = a.Polls, "calls that wait for something"
	}
	leave, ok := turns.Enter(r.Context())
	if !ok {
		return nil, service.Errorf(service.CodeOverloaded, "The service is busy: it answers %d %s at once, and this one had no turn in time. Nothing was done; try again in a moment.", turns.Most(), what)
	}
	return leave, nil
}

// readEarly reads the body, or the beginning of it, and puts it back, with the error that it
// broke off with.
func readEarly(r *http.Request) error {
	if r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	var head bytes.Buffer
	_, err := io.CopyN(&head, r.Body, earlyBody)
	if errors.Is(err, io.EOF) {
		r.Body = body{&head, r.Body}
		return nil
	}
	rest := io.Reader(r.Body)
	if err != nil {
		rest = broken{err}
	}
	r.Body = body{io.MultiReader(&head, rest), r.Body}
	return err
}

// body is a body some of which was read already.
type body struct {
	io.Reader
	io.Closer
}

// broken is the rest of a body that does not come.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }
