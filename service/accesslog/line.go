// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package accesslog

import (
	"net/netip"
	"strconv"
	"time"
	"unicode/utf8"
)

// The faces of the service.
const (
	Gateway      = "gateway"
	ControlPlane = "control_plane"
)

// Line is what is told of a call. What is empty is left out. It has no value that came in
// a query string, a header but X-Request-Id and the trace's id, or a body.
type Line struct {
	Time      time.Time
	Face      string
	RequestID string
	// TraceID is 32 hexadecimal digits, or nothing.
	TraceID      string
	Method, Path string
	// Route is the pattern of a path of the control plane.
	Route, Operation      string
	APIID, API            string
	Environment, Instance string
	Version               string
	Status, ErrCode       int
	Code                  string
	Duration, Upstream    time.Duration
	Bytes                 int
	Cache                 string
	AppID, App            string
	MemberID, Member      string
	Credential            string
	Client                netip.Addr
	RefusedItems          int
	Aborted               bool
	hasUpstream           bool
}

// SetUpstream notes how long the database or the backend took.
func (l *Line) SetUpstream(took time.Duration) { l.Upstream, l.hasUpstream = took, true }

// Field describes a field of a line.
type Field struct {
	Name, Type, Meaning string
	// Faces says which lines have it.
	Faces string
}

// Fields returns what lines may have, in their order.
func Fields() []Field {
	const both, gateway, control = "both", "gateway", "control plane"
	return []Field{
		{"time", "text", "When the call came, RFC 3339 in UTC with milliseconds.", both},
		{"face", "text", "`gateway` for calls of published APIs, `control_plane` for all others.", both},
		{"request_id", "text", "The call's id: what X-Request-Id and the answer say.", both},
		{"trace_id", "text", "The trace that the call belongs to, whether it is recorded or not. Absent where nothing is traced and the caller sent no trace.", both},
		{"method", "text", "The method.", both},
		{"path", "text", "The path, at most 256 bytes of it, never the query string.", both},
		{"route", "text", "The pattern that the path matched, such as `/api/v1/workspaces/{workspace}/apis/{ref}`.", control},
		{"operation", "text", "The operation, as the OpenAPI document or the vendor names it.", control},
		{"api_id", "text", "The API that was called.", gateway},
		{"api", "text", "Its name.", gateway},
		{"environment", "text", "The name of the environment.", gateway},
		{"instance", "text", "The id of the instance.", gateway},
		{"version", "text", "The version of the API that answered.", gateway},
		{"status", "number", "The HTTP status; 499 where the caller left before there was one.", both},
		{"err_code", "number", "The errCode of an answer that is an error of the gateway.", gateway},
		{"code", "text", "The name of the error, of the gateway or of the control plane.", both},
		{"aborted", "true", "The answer broke off after it had begun.", gateway},
		{"duration_ms", "number", "How long the call took, in milliseconds.", both},
		{"upstream_ms", "number", "How long the database took, or the backend until the header of its answer was there. Absent where neither was asked.", gateway},
		{"bytes", "number", "The length of the answer's body.", both},
		{"cache", "text", "`hit` or `miss`, of an API that has a cache.", gateway},
		{"app_id", "text", "The app that called, once that was proven.", gateway},
		{"app", "text", "Its name.", gateway},
		{"member_id", "text", "The member that called, once that was proven.", control},
		{"member", "text", "Its name.", control},
		{"credential", "text", "What the member proved it with: `token:` or `access_key:` and the id, never the secret.", control},
		{"refused_items", "number", "How many items of a batch were refused.", control},
		{"client", "text", "The address of the caller: what a trusted proxy says of it, or the other end of the connection.", both},
	}
}

// append appends the line as JSON, with its end.
func (l *Line) append(b []byte) []byte {
	b = append(b, `{"time":"`...)
	b = l.Time.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
	b = append(b, `","face":"`...)
	b = append(b, l.Face...)
	b = append(b, '"')
	b = text(b, `,"request_id":`, l.RequestID)
	b = text(b, `,"trace_id":`, l.TraceID)
	b = text(b, `,"method":`, bounded(l.Method))
	b = text(b, `,"path":`, bounded(l.Path))
	b = text(b, `,"route":`, l.Route)
	b = text(b, `,"operation":`, l.Operation)
	b = text(b, `,"api_id":`, l.APIID)
	b = text(b, `,"api":`, l.API)
	b = text(b, `,"environment":`, l.Environment)
	b = text(b, `,"instance":`, l.Instance)
	b = text(b, `,"version":`, l.Version)
	b = strconv.AppendInt(append(b, `,"status":`...), int64(l.Status), 10)
	if l.ErrCode != 0 {
		b = strconv.AppendInt(append(b, `,"err_code":`...), int64(l.ErrCode), 10)
	}
	b = text(b, `,"code":`, l.Code)
	if l.Aborted {
		b = append(b, `,"aborted":true`...)
	}
	b = milliseconds(append(b, `,"duration_ms":`...), l.Duration)
	if l.hasUpstream {
		b = milliseconds(append(b, `,"upstream_ms":`...), l.Upstream)
	}
	b = strconv.AppendInt(append(b, `,"bytes":`...), int64(l.Bytes), 10)
	b = text(b, `,"cache":`, l.Cache)
	b = text(b, `,"app_id":`, l.AppID)
	b = text(b, `,"app":`, l.App)
	b = text(b, `,"member_id":`, l.MemberID)
	b = text(b, `,"member":`, l.Member)
	b = text(b, `,"credential":`, l.Credential)
	if l.RefusedItems > 0 {
		b = strconv.AppendInt(append(b, `,"refused_items":`...), int64(l.RefusedItems), 10)
	}
	if l.Client.IsValid() {
		b = append(b, `,"client":"`...)
		b = l.Client.AppendTo(b)
		b = append(b, '"')
	}
	return append(b, '}', '\n')
}

// text appends a field, unless it is empty.
func text(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return quote(append(b, name...), value)
}

// milliseconds appends a time with three digits behind the point.
func milliseconds(b []byte, d time.Duration) []byte {
	us := max(d.Microseconds(), 0)
	b = strconv.AppendInt(b, us/1000, 10)
	return append(b, '.', byte('0'+us/100%10), byte('0'+us/10%10), byte('0'+us%10))
}

const hexDigits = "0123456789abcdef"

// quote appends a text as a JSON string. What is no UTF-8 becomes the replacement
// character, and control characters cannot begin a line of their own.
func quote(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' && c != 0x7f {
				i++
				continue
			}
			b = append(b, s[start:i]...)
			if c == '"' || c == '\\' {
				b = append(b, '\\', c)
			} else {
				b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			b = append(b, s[start:i]...)
			b = append(b, "\uFFFD"...)
			i++
			start = i
			continue
		}
		i += size
	}
	return append(append(b, s[start:]...), '"')
}

// bounded cuts what a caller sent to a length that a line can bear.
func bounded(s string) string {
	const most = 256
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > most-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
