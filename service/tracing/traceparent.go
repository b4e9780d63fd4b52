// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package tracing

import (
	"encoding/hex"

	"go.opentelemetry.io/otel/trace"
)

// The header traceparent, version 00: "00-" and the trace's id, "-" and that of the span,
// "-" and two digits of flags (source: W3C Trace Context, 3.2).
const (
	traceIDAt         = 3
	spanIDAt          = 36
	flagsAt           = 53
	traceparentLength = 55
)

// parse reads the header. More than one, or what is not as it has to be, is none.
func parse(values []string) (l Link) {
	if len(values) != 1 {
		return Link{}
	}
	text := values[0]
	// Later versions may have more behind another dash; ff is none.
	if len(text) < traceparentLength || len(text) > traceparentLength && (text[:2] == "00" || text[traceparentLength] != '-') ||
		text[2] != '-' || text[spanIDAt-1] != '-' || text[flagsAt-1] != '-' || text[:2] == "ff" {
		return Link{}
	}
	var version, flags [1]byte
	if !decode(version[:], text[:2]) || !decode(l.TraceID[:], text[traceIDAt:spanIDAt-1]) || !decode(l.SpanID[:], text[spanIDAt:flagsAt-1]) ||
		!decode(flags[:], text[flagsAt:traceparentLength]) || !l.TraceID.IsValid() || !l.SpanID.IsValid() {
		return Link{}
	}
	l.Continued, l.callerSampled = true, flags[0]&byte(trace.FlagsSampled) != 0
	return l
}

// decode reads hexadecimal digits in lower case, as the header has them.
func decode(dst []byte, text string) bool {
	for i := range dst {
		high, low := digit(text[2*i]), digit(text[2*i+1])
		if high > 15 || low > 15 {
			return false
		}
		dst[i] = high<<4 | low
	}
	return true
}

// digit is more than 15 where c is no digit.
func digit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 0xff
}

func format(traceID trace.TraceID, spanID trace.SpanID, sampled bool) string {
	var text [traceparentLength]byte
	copy(text[:], "00-")
	hex.Encode(text[traceIDAt:], traceID[:])
	text[spanIDAt-1] = '-'
	hex.Encode(text[spanIDAt:], spanID[:])
	copy(text[flagsAt-1:], "-00")
	if sampled {
		text[traceparentLength-1] = '1'
	}
	return string(text[:])
}
