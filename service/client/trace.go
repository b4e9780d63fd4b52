// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package client

import (
	"context"
	"encoding/hex"
	"math/rand/v2"
	"regexp"
)

// The headers of W3C Trace Context.
const (
	headerTraceparent = "Traceparent"
	headerTracestate  = "Tracestate"
)

// Trace is the place in a trace that calls belong to.
type Trace struct {
	// Parent and State are the headers traceparent and tracestate.
	Parent, State string
}

var traceparentPattern = regexp.MustCompile(`^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$`)

const noTrace = "00000000000000000000000000000000"

// ParseTrace reads the headers as somebody else has them, such as a pipeline in its
// environment. What is not as it has to be is no trace, and ok is false.
func ParseTrace(parent, state string) (t Trace, ok bool) {
	if found := traceparentPattern.FindStringSubmatch(parent); found == nil || found[1] == noTrace {
		return Trace{}, false
	}
	for _, r := range state {
		if r < ' ' || r > '~' {
			state = "" // it is of use only to those who wrote it
		}
	}
	return Trace{Parent: parent, State: state}, true
}

// NewTrace begins a trace. It says that its calls are recorded, which the service does
// where it was told to send traces somewhere.
func NewTrace() Trace {
	var ids [24]byte
	for i := range ids {
		ids[i] = byte(rand.Uint32())
	}
	ids[0] |= 1 // ids of zeros are none
	ids[16] |= 1
	return Trace{Parent: "00-" + hex.EncodeToString(ids[:16]) + "-" + hex.EncodeToString(ids[16:]) + "-01"}
}

// ID is the id of the trace.
func (t Trace) ID() string {
	if len(t.Parent) < 35 {
		return ""
	}
	return t.Parent[3:35]
}

type traceKey struct{}

// WithTrace returns a context whose calls belong to the trace. Without, each call has a
// trace of its own.
func WithTrace(ctx context.Context, t Trace) context.Context {
	return context.WithValue(ctx, traceKey{}, t)
}

func traceOf(ctx context.Context) Trace {
	if t, ok := ctx.Value(traceKey{}).(Trace); ok {
		return t
	}
	return NewTrace()
}
