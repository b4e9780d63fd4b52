// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/backend"
	"github.com/dataservice/terraform-provider-dataservice/service/tracing"
)

// Limits of bodies.
const (
	// DefaultMaxBodyBytes bounds the body of a call to a registered API, where the options
	// say nothing.
	DefaultMaxBodyBytes = 10 << 20
	// MaxParameterBody bounds a body whose parameters are declared, which is held in
	// memory while the call runs.
	MaxParameterBody = 1 << 20
	// wholeBody is the largest body that is read whole before it is sent, so that a slow
	// caller keeps no connection to the backend, and so that it can be sent again.
	wholeBody = 32 << 10
	// lingerFor is how long the rest of a body is read that nobody wants.
	lingerFor = 500 * time.Millisecond
	// oldCallerBody bounds an answer of unknown length to a caller of HTTP/1.0, to whom
	// only the end of the connection tells the end of the body: it is held in memory, so
	// that it can be given a length.
	oldCallerBody = 1 << 20
)

// proxied is what a call of a registered API needs while it runs; it is reused.
type proxied struct {
	request backend.Request
	target  []byte
	// payload is a body that is sent whole.
	payload []byte
	// whole says that the body was read already, for its signature, and all of it is the
	// payload. The call must then be over by the deadline.
	whole    bool
	deadline time.Time
	stream   bodyStream
	// status and bytes are those of an answer that was begun.
	status, bytes int
}

// forget lets go of what belongs to a call.
func (x *proxied) forget() {
	x.stream = bodyStream{}
	if cap(x.payload) > maxPooledBody {
		x.payload = nil
	}
}

// forward has the backend answer a call. begun says that its answer was passed on, or
// the beginning of it; a failure then means that it broke off.
func (a *answerer) forward(rt *route, w http.ResponseWriter, r *http.Request, c *call, id string) (begun bool, f *failure) {
	if rt.broken != nil {
		return false, brokenRoute(rt)
	}
	x := &c.proxied
	x.status, x.bytes = 0, 0
	deadline := time.Now().Add(rt.timeout)
	if x.whole {
		deadline = x.deadline
	}
	control := http.NewResponseController(w)
	if f := a.prepare(rt, r, c, control, deadline); f != nil {
		return false, f
	}
	ctx, span := backendSpan(r.Context(), rt)
	answered := 0
	defer func() { endBackendSpan(span, answered, f) }()
	a.address(rt, r, c, id, span)
	defer func() {
		if x.stream.remains() {
			// Reading was interrupted. What is on its way is thrown away, so that the caller
			// gets to the answer.
			_ = control.SetReadDeadline(time.Now().Add(lingerFor))
		}
	}()
	began := time.Time{}
	if a.watches(c) {
		began = time.Now()
	}
	answer, err := rt.proxy.client.Do(ctx, deadline, &rt.proxy.base, &x.request)
	if !began.IsZero() {
		c.upstream, c.asked = time.Since(began), true
	}
	if err != nil {
		return false, backendFailure(rt, &x.stream, err)
	}
	defer answer.Close()
	answered = answer.Status
	return a.passOn(rt, w, r, c, id, answer, control, deadline)
}

func brokenRoute(rt *route) *failure {
	return &failure{code: errBrokenRoute, cause: rt.broken, message: "This API is published but cannot be called just now. Report this to the API's owner with the requestId."}
}

// prepare decodes the call and begins the request with target and body.
func (a *answerer) prepare(rt *route, r *http.Request, c *call, control *http.ResponseController, deadline time.Time) *failure {
	p, x := rt.proxy, &c.proxied
	if f := c.arguments.decodeQuery(rt, r.URL.RawQuery); f != nil {
		return f
	}
	if f := c.arguments.decodeHeaders(rt, r.Header); f != nil {
		return f
	}
	if !rt.method.HasBody() && hasBody(r) {
		return bodyNotAllowed(rt)
	}
	arrives := len(x.payload) > 0
	if !x.whole {
		x.payload = x.payload[:0]
		if arrives = rt.method.HasBody() && sendsBody(r); arrives {
			// A caller who sends slowly is part of the time that the call takes. A writer
			// without deadlines has all of the body in memory.
			_ = control.SetReadDeadline(deadline)
		}
	}
	streamed := false
	var f *failure
	switch {
	case p.reads:
		f = a.readParameters(rt, r, c, arrives)
	case arrives:
		streamed, f = a.readBody(rt, r, x)
	}
	if f != nil {
		return f
	}
	if f := c.arguments.complete(rt); f != nil {
		return f
	}
	if x.target, f = p.appendTarget(x.target[:0], rt, c.arguments.values); f != nil {
		return f
	}
	x.request.Begin(p.method, &p.base, x.target)
	for _, i := range p.sentHeaders {
		if value := c.arguments.values[i]; value != nil {
			parameter := &rt.parameters[i]
			text, ok := value.(string)
			if !ok {
				text = string(appendText(nil, parameter.kind, value))
			}
			if !service.FitsHeader(text) {
				return failf(errInvalidParameter, parameter.name, "The value of parameter %q has control characters or characters beyond ASCII, which a header cannot have.", parameter.name)
			}
			x.request.Add(parameter.name, text)
		}
	}
	switch {
	case p.reads:
		x.payload = p.appendBody(x.payload[:0], rt, c.arguments.values)
		x.request.Add("Content-Type", mediaType(p.requestType))
		x.request.SetBody(x.payload)
	case streamed:
		// The answer may begin before the body has come to its end.
		_ = control.EnableFullDuplex() // HTTP/2 always is
		// The call ends first: a read that times out would look like a caller who left.
		_ = control.SetReadDeadline(deadline.Add(time.Second))
		x.request.SetStream(&x.stream, r.ContentLength, func() { x.stream.interrupt(control) })
	case arrives && len(x.payload) > 0:
		x.request.SetBody(x.payload)
	}
	if !p.reads && (streamed || len(x.payload) > 0) {
		// The first one is that which was checked, and there cannot be another.
		x.request.Add("Content-Type", r.Header.Get("Content-Type"))
		for _, name := range []string{"Content-Encoding", "Content-Language"} {
			for _, value := range r.Header[name] {
				x.request.Add(name, value)
			}
		}
	}
	return nil
}

// sendsBody reports whether a body may be on its way.
func sendsBody(r *http.Request) bool {
	return r.Body != nil && r.Body != http.NoBody && r.ContentLength != 0
}

// readSigned reads the whole body before its signature is checked. As ever, it is part of
// the time that the call takes.
func (a *answerer) readSigned(rt *route, w http.ResponseWriter, r *http.Request, x *proxied) *failure {
	x.payload, x.whole, x.deadline = x.payload[:0], true, time.Now().Add(rt.timeout)
	if !sendsBody(r) {
		return nil
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(x.deadline)
	f := a.readWhole(rt, r, x)
	if f != nil && x.stream.remains() {
		_ = control.SetReadDeadline(time.Now().Add(lingerFor))
	}
	return f
}

// readWhole reads the body into the payload.
func (a *answerer) readWhole(rt *route, r *http.Request, x *proxied) *failure {
	most := a.maxBody
	if rt.proxy.reads {
		most = min(most, MaxParameterBody)
	}
	if r.ContentLength > most {
		return tooLarge(most)
	}
	x.stream = bodyStream{body: r.Body, left: most}
	var err error
	if x.payload, err = readAll(x.payload, &x.stream); err != nil {
		return bodyFailure(rt, &x.stream, err)
	}
	return nil
}

// readParameters reads the body for its declared parameters.
func (a *answerer) readParameters(rt *route, r *http.Request, c *call, arrives bool) *failure {
	p, x := rt.proxy, &c.proxied
	if arrives && !x.whole {
		if f := a.readWhole(rt, r, x); f != nil {
			return f
		}
	}
	if len(x.payload) == 0 {
		return nil
	}
	if f := checkMediaType(p.requestType, r.Header.Get("Content-Type"), true); f != nil {
		return f
	}
	if r.Header.Get("Content-Encoding") != "" {
		return failf(errMediaType, "", "The body has the Content-Encoding %s, and this API takes it without one.", echo(r.Header.Get("Content-Encoding")))
	}
	if p.requestType == service.ContentForm {
		return c.arguments.decodeForm(rt, x.payload)
	}
	return c.arguments.decodeJSON(rt, x.payload)
}

// readBody takes a body that is passed on as it is. A small one is read whole; streamed
// says that the rest of it is to be sent as it comes.
func (a *answerer) readBody(rt *route, r *http.Request, x *proxied) (streamed bool, f *failure) {
	if x.whole {
		return false, checkMediaType(rt.proxy.requestType, r.Header.Get("Content-Type"), false)
	}
	if r.ContentLength > a.maxBody {
		return false, tooLarge(a.maxBody)
	}
	x.stream = bodyStream{body: r.Body, left: a.maxBody}
	if r.ContentLength > wholeBody {
		return true, checkMediaType(rt.proxy.requestType, r.Header.Get("Content-Type"), false)
	}
	var err error
	if r.ContentLength > 0 {
		x.payload, err = readAll(x.payload, &x.stream)
	} else {
		// What comes first may be all.
		x.payload = append(x.payload[:0], make([]byte, 4<<10)...)
		var n int
		n, err = x.stream.Read(x.payload)
		x.payload = x.payload[:n]
		streamed = err == nil
		if errors.Is(err, io.EOF) {
			err = nil
		}
		x.stream.first = x.payload
	}
	switch {
	case err != nil:
		return false, bodyFailure(rt, &x.stream, err)
	case len(x.payload) == 0 && !streamed:
		return false, nil
	}
	return streamed, checkMediaType(rt.proxy.requestType, r.Header.Get("Content-Type"), false)
}

// readAll appends all of the stream.
func readAll(dst []byte, from io.Reader) ([]byte, error) {
	for {
		if len(dst) == cap(dst) {
			dst = append(dst, 0)[:len(dst)]
		}
		n, err := from.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if errors.Is(err, io.EOF) {
			return dst, nil
		}
		if err != nil {
			return dst, err
		}
	}
}

// bodyStream is the body of a call, bounded.
type bodyStream struct {
	// first was read already.
	first []byte
	body  io.Reader
	// left is how many bytes more there may be.
	left  int64
	large bool
	// ended says that all of it was read, and interrupted that somebody had no patience to
	// wait for that. The gateway asks while it may still be sent.
	ended, interrupted atomic.Bool
}

// remains reports whether the caller's connection has some of the body left, which would
// be taken for another request; or is taken by net/http for one whose caller has gone.
func (s *bodyStream) remains() bool {
	return s.body != nil && (!s.ended.Load() || s.interrupted.Load())
}

// interrupt makes a Read that waits return. Where there will be none, the connection is
// left alone.
func (s *bodyStream) interrupt(control *http.ResponseController) {
	if !s.ended.Load() {
		s.interrupted.Store(true)
		_ = control.SetReadDeadline(time.Unix(1, 0))
	}
}

var errLargeBody = errors.New("the body is larger than it may be")

func (s *bodyStream) Read(p []byte) (int, error) {
	if len(s.first) > 0 {
		n := copy(p, s.first)
		s.first = s.first[n:]
		return n, nil
	}
	n, err := s.body.Read(p)
	if errors.Is(err, io.EOF) {
		s.ended.Store(true)
	}
	if s.left -= int64(n); s.left < 0 {
		s.large = true
		return 0, errLargeBody
	}
	return n, err
}

func tooLarge(most int64) *failure {
	return failf(errBodyTooLarge, "", "The body is larger than %d bytes, which is the most: send a smaller one.", most)
}

// bodyFailure is for a body that could not be read.
func bodyFailure(rt *route, s *bodyStream, err error) *failure {
	switch {
	case s.large:
		return failf(errBodyTooLarge, "", "The body is larger than this API takes: send a smaller one.")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &failure{code: errTimeout, cause: err, message: timeoutMessage(rt)}
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, new(net.Error)):
		return &failure{cause: err}
	}
	f := failf(errMalformedBody, "", "The body cannot be read to its end: send it with a right Content-Length, or in right chunks.")
	f.cause = err
	return f
}

// address adds the headers that every request to a backend has.
func (a *answerer) address(rt *route, r *http.Request, c *call, id string, span tracing.Span) {
	x := &c.proxied
	for _, name := range rt.proxy.passedOn {
		passHeader(r, x, name)
	}
	a.addTrace(rt, r, x, &c.observed, span)
	x.request.Add("X-Request-Id", id)
	// What the caller says of itself is not believed, but what a trusted proxy says of it.
	if from := a.proxies.client(r); from.IsValid() {
		x.request.Add(forwardedForHeader, from.String())
	}
	if r.Host != "" {
		x.request.Add("X-Forwarded-Host", r.Host)
	}
	proto := "http"
	if a.proxies.protocol(r) == service.ProtocolHTTPS {
		proto = "https"
	}
	x.request.Add(forwardedProtoHeader, proto)
}

// withheld are headers of a backend that would speak for the gateway's own host.
var withheld = map[string]bool{
	"Set-Cookie": true, "Set-Cookie2": true, "Alt-Svc": true, "Strict-Transport-Security": true, "Clear-Site-Data": true,
	"X-Request-Id": true,
}

// passOn answers with the backend's answer. begun says that the caller may have got a
// part of it.
func (a *answerer) passOn(rt *route, w http.ResponseWriter, r *http.Request, c *call, id string, answer *backend.Response, control *http.ResponseController, deadline time.Time) (begun bool, f *failure) {
	x := &c.proxied
	// The first piece comes before the status is sent: where there is none, a status of
	// ours can tell.
	piece, err := answer.Next()
	length := answer.Length
	if err == nil && length < 0 && !answer.Done() && r.ProtoMajor == 1 && r.ProtoMinor == 0 {
		if c.body, err = gather(c.body[:0], answer, piece); err == nil {
			piece, length = c.body, int64(len(c.body))
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return false, backendFailure(rt, &x.stream, err)
	}
	copyHeader(w.Header(), answer, length, id)
	endConnection(w.Header(), r, &x.stream)
	x.status = answer.Status
	w.WriteHeader(answer.Status)
	if !answer.Done() {
		// A caller who reads slowly is part of the time as well.
		_ = control.SetWriteDeadline(deadline.Add(time.Second))
	}
	for err == nil {
		n, failed := w.Write(piece) //nolint:gosec // Passing on what a backend answers is what a proxy does.
		x.bytes += n
		if failed != nil {
			return true, &failure{cause: failed}
		}
		if answer.Done() {
			break
		}
		if length < 0 && !answer.Ready() {
			// An error means that the caller has gone, which the next writing tells as well.
			_ = control.Flush()
		}
		piece, err = answer.Next()
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return true, backendFailure(rt, &x.stream, err)
	}
	return true, nil
}

// errOldCaller is why an answer cannot be passed on.
var errOldCaller = fmt.Errorf("the caller speaks HTTP/1.0, and the answer has no length and more than %d bytes", oldCallerBody)

// gather appends the whole body, which begins with the piece.
func gather(dst []byte, answer *backend.Response, piece []byte) ([]byte, error) {
	for {
		if dst = append(dst, piece...); len(dst) > oldCallerBody {
			return dst, &backend.Error{Kind: backend.Broken, Err: errOldCaller}
		}
		var err error
		if piece, err = answer.Next(); errors.Is(err, io.EOF) {
			return dst, nil
		} else if err != nil {
			return dst, err
		}
	}
}

// copyHeader sets the headers that the caller gets.
func copyHeader(h http.Header, answer *backend.Response, length int64, id string) {
	// Without one, none is guessed.
	h["Content-Type"] = nil
	// What the gateway announces comes before what the backend does.
	ends := h[sunsetHeader] != nil
	values := make([]string, len(answer.Fields)+2)
	for i, field := range answer.Fields {
		if withheld[field.Name] || ends && (field.Name == deprecationHeader || field.Name == sunsetHeader) {
			continue
		}
		if old := h[field.Name]; len(old) > 0 {
			h[field.Name] = append(old, field.Value)
			continue
		}
		values[i] = field.Value
		h[field.Name] = values[i : i+1 : i+1]
	}
	n := len(answer.Fields)
	values[n] = id
	h["X-Request-Id"] = values[n : n+1 : n+1]
	if length >= 0 && answer.Status != http.StatusNoContent && answer.Status != http.StatusNotModified {
		values[n+1] = strconv.FormatInt(length, 10)
		h["Content-Length"] = values[n+1:]
	}
}

// closing is the header of an answer that is the last one on its connection.
var closing = []string{"close"}

// endConnection makes the answer the last one on its connection where some of the
// request is still to come: net/http, which answers while it reads, does not see to it.
// In HTTP/2 the stream ends by itself.
func endConnection(h http.Header, r *http.Request, s *bodyStream) {
	if r.ProtoMajor == 1 && s.remains() {
		h["Connection"] = closing
	}
}

// backendFailure is the one place that turns what a backend did into an answer.
func backendFailure(rt *route, s *bodyStream, err error) *failure {
	f := &failure{cause: err}
	var e *backend.Error
	if !errors.As(err, &e) {
		f.code, f.message = errInternal, "The gateway failed to answer. Report this to the service's operators with the requestId."
		return f
	}
	switch e.Kind {
	case backend.Gone:
		// There is nobody to tell.
	case backend.Body:
		return bodyFailure(rt, s, e.Err)
	case backend.Timeout:
		f.code, f.message = errTimeout, timeoutMessage(rt)
	case backend.Busy:
		f.code, f.message, f.retryAfter = errBackendBusy, "The backend of this API has no connection free. Try again shortly.", 1
	case backend.Open:
		f.retryAfter = int(math.Ceil(e.RetryAfter.Seconds()))
		f.code, f.message = errCircuitOpen, fmt.Sprintf("The backend of this API failed too often just now and is left alone for a while. Try again in %d s.", f.retryAfter)
	case backend.Refused:
		f.code, f.message = errRefusedAddress, "The backend of this API has an address that the gateway does not connect to. Report this to the API's owner with the requestId."
	case backend.Broken:
		f.code, f.message = errAnswerBroken, "The backend of this API gave an answer that is broken. Report this to the API's owner with the requestId."
	case backend.Unreachable:
		f.code, f.message = errUnreachable, "The backend of this API cannot be reached, or gives no answer. Try again later, or report this to the API's owner with the requestId."
	default:
		f.code, f.message = errInternal, "The gateway failed to answer. Report this to the service's operators with the requestId."
	}
	return f
}
