// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// guarded reports whether the call replaces an object only where it has the entity tag
// that the caller knows.
func (c call) guarded() bool { return c.method == http.MethodPut && c.ifMatch != "" }

// replace sends a guarded call. Where its answer is lost, it may have acted or not, and
// the object tells: with the old entity tag it was not replaced, and the call is sent
// again; with another one, and all that was sent, it was, and what is read is the answer.
// Where it is neither, the loss is what the caller is told.
func (c *Client) replace(ctx context.Context, call call, out any) (etag string, err error) {
	var loss error
	for n := 0; ; n++ {
		etag, err = c.persist(ctx, call, out)
		switch {
		case lost(err):
			loss = err
		case loss == nil || service.ErrorCode(err) != service.CodeStale:
			return etag, err
		}
		if n >= c.retries || ctx.Err() != nil {
			return "", loss
		}
		found, there, err := c.look(ctx, call)
		switch {
		case err != nil:
			return "", loss
		case there == call.ifMatch:
		case call.holds(found):
			return there, json.Unmarshal(found, out)
		default:
			return "", loss
		}
		select {
		case <-ctx.Done():
			return "", loss
		case <-time.After(c.pause(n, nil)):
		}
	}
}

// look reads the object that a call is to replace, with its entity tag.
func (c *Client) look(ctx context.Context, replacing call) (found json.RawMessage, etag string, err error) {
	etag, err = c.persist(ctx, get(replacing.path), &found)
	return found, etag, err
}

// holds reports whether the object is as the call makes it.
func (c call) holds(found []byte) bool {
	if c.kept != nil {
		return c.kept(found)
	}
	return has(found, c.body)
}

// has reports whether an object has just these fields, of those that their type has.
func has(found []byte, fields any) bool {
	got := reflect.New(reflect.TypeOf(fields))
	if json.Unmarshal(found, got.Interface()) != nil {
		return false
	}
	there, err := json.Marshal(got.Interface())
	if err != nil {
		return false
	}
	want, err := json.Marshal(fields)
	return err == nil && bytes.Equal(there, want)
}

// lost reports whether err leaves open if the service has acted: the request may have
// reached it, and no answer of its own came back.
func lost(err error) bool {
	var (
		cut *cutShortError
		e   *Error
	)
	if errors.As(err, &cut) {
		return true
	}
	if !errors.As(err, &e) {
		return false
	}
	switch e.Status {
	case 0:
		return e.cause != nil && !unsent(e.cause) && !permanent(e.cause)
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		return true
	}
	return false
}
