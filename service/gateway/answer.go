// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service/accesslog"
	"github.com/dataservice/terraform-provider-dataservice/service/datasource"
	"github.com/dataservice/terraform-provider-dataservice/service/tracing"
	"github.com/dataservice/terraform-provider-dataservice/service/wire/signature"
)

// answerer answers calls. The gateway has one, and so has the runner, whose test
// calls take exactly this path.
type answerer struct {
	logger *slog.Logger
	// maxRows bounds what an unpaged call is given.
	maxRows int
	// maxBody bounds the body of a call to a registered API.
	maxBody int64
	// truncate cuts at maxRows instead of refusing, for test calls.
	truncate bool

	// What stands around a call; test calls have none of it.

	// maxCalls bounds the calls in flight; 0 does not.
	maxCalls atomic.Int64
	proxies  proxies
	callers  *callers
	cache    *cache
	// meter is nil where nothing is counted.
	meter *meter
	// tracer and access are nil where nothing is traced, and where there is no access log.
	tracer *tracing.Tracer
	access *accesslog.Log
	// now is time.Now where nil.
	now func() time.Time
	// wall is the time of day that secrets and authorizations end by, and registry is every
	// app; a test call asks for neither.
	wall     func() time.Time
	registry *atomic.Pointer[registry]
}

// call is what one call needs while it runs; it is reused.
type call struct {
	arguments arguments
	body      []byte
	// key tells the call apart from others of its API, where it may be cached.
	key []byte
	// age is for how many seconds the answer has been in the cache, -1 where it is new.
	age int
	// app is who calls, where that was proven.
	app *app
	// canonical is what a signature is checked with.
	canonical signature.Canonical
	// proxied is what a call of a registered API needs besides.
	proxied proxied
	observed
}

var calls = sync.Pool{New: func() any { return &call{body: make([]byte, 0, 1024)} }}

// maxPooledBody is the largest buffer that is kept: a rare large answer must not
// hold its memory for ever.
const maxPooledBody = 256 << 10

// contentLengthFrom is the size above which net/http would send chunks where it is
// not told the length.
const contentLengthFrom = 2048

// statusClientGone is logged, and never sent, where a caller has left.
const statusClientGone = 499

// Header values that every answer shares.
var (
	jsonContentType = []string{"application/json; charset=utf-8"}
	noStore         = []string{"no-store"}
	noSniff         = []string{"nosniff"}
)

// outcome is what became of a call.
type outcome struct {
	status int
	bytes  int
	// age is as in call.
	age int
	*failure
	// aborted says that an answer broke off that had been begun: its connection must be
	// cut, so that nobody takes it for whole.
	aborted bool
}

// serve answers one call from the table.
func (a *answerer) serve(t *table, w http.ResponseWriter, r *http.Request) outcome {
	start := a.time()
	id := requestID(r.Header)
	c := calls.Get().(*call) //nolint:forcetypeassert // The pool has nothing else.
	c.age, c.app, c.proxied.whole = -1, nil, false
	r = a.join(r, c, id)
	rt, f := a.enter(t, w, r, c, start)
	defer a.leave()
	passed := false
	switch {
	case f != nil:
	case rt.proxy != nil:
		passed, f = a.forward(rt, w, r, c, id)
	default:
		f = a.run(rt, r, c, start)
	}
	if f != nil && errors.As(f.cause, new(*panicked)) {
		// What panicked may have left this memory with somebody: it is not used again.
		c = &call{age: -1, app: c.app, observed: c.observed}
	}
	out := outcome{status: http.StatusOK, age: c.age, failure: f}
	switch {
	case passed:
		out.status, out.bytes, out.aborted = c.proxied.status, c.proxied.bytes, f != nil
		if out.aborted && f.code == nil {
			out.status = statusClientGone
		}
	case f == nil:
		c.body = append(c.body, `,"errCode":0,"errMsg":"success","requestId":"`...)
		c.body = append(c.body, id...)
		c.body = append(c.body, `"}`...)
	case f.code == nil:
		out.status = statusClientGone
	default:
		out.status = f.code.Status
		c.body = appendFailure(c.body[:0], f, id)
	}
	if out.status != statusClientGone && !passed {
		out.bytes = len(c.body)
		endConnection(w.Header(), r, &c.proxied.stream)
		write(w, out, id, c.body)
	}
	took := a.time().Sub(start)
	if a.meter != nil {
		a.meter.count(rt, out, took)
	}
	a.log(r, rt, c.app, out, id, took)
	a.observe(r, rt, c, out, id, start, took)
	if cap(c.body) <= maxPooledBody {
		clear(c.arguments.values)
		c.app, c.observed = nil, observed{}
		c.canonical.Forget(maxPooledBody)
		c.proxied.forget()
		calls.Put(c)
	}
	return out
}

// run decodes the call and writes its rows to the body. A failure without a code
// means that the caller has gone.
func (a *answerer) run(rt *route, r *http.Request, c *call, start time.Time) (f *failure) {
	if rt.broken != nil {
		return brokenRoute(rt)
	}
	if hasBody(r) {
		return bodyNotAllowed(rt)
	}
	if f := c.arguments.decode(rt, r.URL.RawQuery); f != nil {
		return f
	}
	// Nothing above can panic on what a caller sends; a plan runs drivers and the
	// owners' SQL, and must not take the process with it.
	defer func() {
		if p := recover(); p != nil {
			f = &failure{code: errInternal, cause: &panicked{p, debug.Stack()}, message: "The gateway failed to answer. Report this to the service's operators with the requestId."}
		}
	}()
	ctx, cancel := context.WithTimeout(r.Context(), rt.timeout)
	defer cancel()
	args := datasource.Call{
		Values: c.arguments.values, PageNum: c.arguments.pageNum, PageSize: c.arguments.pageSize,
		MaxRows: a.maxRows, Truncate: a.truncate,
	}
	if a.truncate {
		args.PageSize = min(args.PageSize, a.maxRows)
	}
	body, err := a.data(ctx, rt, r, c, args, start)
	if err != nil {
		if r.Context().Err() != nil {
			return &failure{cause: err}
		}
		return runFailure(ctx, rt, a.maxRows, err)
	}
	c.body = body
	return nil
}

// bodyNotAllowed refuses the body of a call whose API takes none.
func bodyNotAllowed(rt *route) *failure {
	if rt.proxy != nil {
		return failf(errBodyNotAllowed, "", "The request has a body, and calls with %s have none here: send no body.", rt.method)
	}
	return failf(errBodyNotAllowed, "", "The request has a body, and this API takes its parameters from the query string: send them there, and no body.")
}

// enter finds the route of a call and makes sure that it may be made now. leave must follow.
func (a *answerer) enter(t *table, w http.ResponseWriter, r *http.Request, c *call, start time.Time) (*route, *failure) {
	if a.meter != nil {
		if n, most := a.meter.inFlight.Add(1), a.maxCalls.Load(); most > 0 && n > most {
			return nil, crowded()
		}
	}
	rt, f := t.find(r)
	switch {
	case f != nil:
	case rt.ending.over(a.wall) && rt.ending.offline:
		f = noAPI(rt.environmentName)
	default:
		f = a.admit(rt, w, r, c, start)
	}
	return rt, f
}

// admit refuses a call that may not be made: over this protocol, by this caller, of what is
// suspended, or as often. Who does not prove who calls learns nothing of the API, and takes
// nothing from its limits.
func (a *answerer) admit(rt *route, w http.ResponseWriter, r *http.Request, c *call, start time.Time) *failure {
	if rt.protocol != "" && a.proxies.protocol(r) != rt.protocol {
		return wrongProtocol(rt.protocol)
	}
	end := rt.ending
	if rt.guard != nil {
		g, f := a.pass(rt, w, r, c)
		if f != nil {
			return f
		}
		end = end.sooner(g.ending)
	}
	// What ends at a time ends then, whether anybody has noted it yet or not.
	ended := rt.ending.over(a.wall)
	if !ended {
		end.announce(w.Header())
	}
	if rt.suspended || ended {
		return failf(errSuspended, "", "This API is suspended in %s: wait until it is restored, or ask its owner.", rt.environmentName)
	}
	return a.limit(rt, r, c, int64(start.Sub(epoch)))
}

func (a *answerer) time() time.Time {
	if a.now != nil {
		return a.now()
	}
	return time.Now()
}

func (a *answerer) leave() {
	if a.meter != nil {
		a.meter.inFlight.Add(-1)
	}
}

// data appends the data of the answer to the beginning of the body, from the cache
// where there is one.
func (a *answerer) data(ctx context.Context, rt *route, r *http.Request, c *call, args datasource.Call, start time.Time) (body []byte, err error) {
	body = append(c.body[:0], `{"data":`...)
	if rt.cacheTTL == 0 {
		return a.query(ctx, rt, c, body, args)
	}
	var cacheable bool
	if c.key, cacheable = appendKey(c.key[:0], rt, args); !cacheable {
		return a.query(ctx, rt, c, body, args)
	}
	body, c.age, err = a.cache.run(r, rt, c.key, body, int64(start.Sub(epoch)), func(ctx context.Context, dst []byte) ([]byte, error) {
		return a.query(ctx, rt, c, dst, args)
	})
	return body, err
}

// query asks the database, and notes how long that took where anybody wants to know.
func (a *answerer) query(ctx context.Context, rt *route, c *call, dst []byte, args datasource.Call) ([]byte, error) {
	if !a.watches(c) {
		return rt.plan.Run(ctx, dst, args)
	}
	began := a.time()
	dst, err := rt.plan.Run(ctx, dst, args)
	c.upstream, c.asked = a.time().Sub(began), true
	return dst, err
}

// hasBody reports whether the request carries any content.
func hasBody(r *http.Request) bool {
	if r.ContentLength >= 0 || r.Body == nil {
		return r.ContentLength > 0
	}
	var one [1]byte
	n, _ := r.Body.Read(one[:])
	return n > 0
}

func write(w http.ResponseWriter, out outcome, id string, body []byte) {
	h := w.Header()
	h["Content-Type"] = jsonContentType
	h["Cache-Control"] = noStore
	h["X-Content-Type-Options"] = noSniff
	h["X-Request-Id"] = []string{id}
	if len(body) > contentLengthFrom {
		h["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	if out.age >= 0 {
		h["Age"] = []string{strconv.Itoa(out.age)}
	}
	if out.failure != nil {
		if out.allow != nil {
			h["Allow"] = out.allow
		}
		if out.challenge != nil {
			h["WWW-Authenticate"] = out.challenge
		}
		if out.retryAfter > 0 {
			h["Retry-After"] = []string{strconv.Itoa(out.retryAfter)}
		}
		w.WriteHeader(out.status)
	}
	// An error means that the caller has gone: there is nobody left to tell.
	_, _ = w.Write(body)
}

// appendFailure appends the envelope of a failed call.
func appendFailure(dst []byte, f *failure, id string) []byte {
	message, err := json.Marshal(f.message)
	if err != nil {
		message = []byte(`""`)
	}
	dst = append(dst, `{"data":null,"errCode":`...)
	dst = strconv.AppendInt(dst, int64(f.code.Code), 10)
	dst = append(dst, `,"errMsg":`...)
	dst = append(dst, message...)
	dst = append(dst, `,"requestId":"`...)
	dst = append(dst, id...)
	return append(dst, `"}`...)
}

// log writes the access log: faults of ours and of what lies behind us always, the
// rest at debug level. The query string is left out, since values may be personal.
func (a *answerer) log(r *http.Request, rt *route, who *app, out outcome, id string, took time.Duration) {
	level := slog.LevelDebug
	if out.status >= http.StatusInternalServerError || out.aborted && out.code != nil {
		level = slog.LevelInfo
	}
	ctx := r.Context()
	if !a.logger.Enabled(ctx, level) {
		return
	}
	attrs := make([]slog.Attr, 0, 13)
	attrs = append(attrs,
		slog.String("request_id", id),
		slog.String("method", bounded(r.Method)),
		slog.String("path", bounded(r.URL.Path)),
		slog.String("remote", r.RemoteAddr),
		slog.Int("status", out.status),
		slog.Int("bytes", out.bytes),
		slog.Duration("duration", took),
	)
	if rt != nil {
		attrs = append(attrs, slog.String("api", rt.apiName), slog.String("environment", rt.environmentName))
	}
	if who != nil {
		attrs = append(attrs, slog.String("app", who.name))
	}
	if f := out.failure; f != nil {
		if f.code != nil {
			attrs = append(attrs, slog.Int("err_code", f.code.Code), slog.String("err", f.code.Name))
		}
		if level == slog.LevelInfo {
			attrs = appendCause(attrs, f)
		}
		if p := new(panicked); errors.As(f.cause, &p) {
			attrs = append(attrs, slog.String("stack", string(p.stack)))
		}
	}
	a.logger.LogAttrs(ctx, level, "call", attrs...)
}

// appendCause tells operators what they can act on. Where a statement failed that is
// the database's code alone: its message may quote the values of the call, and a
// debug shows it to the API's owner.
func appendCause(attrs []slog.Attr, f *failure) []slog.Attr {
	switch f.code {
	case errUnavailable, errInternal, errBrokenRoute,
		errUnreachable, errAnswerBroken, errRefusedAddress, errBackendBusy, errCircuitOpen:
		return append(attrs, slog.String("cause", f.cause.Error()))
	}
	var postgres interface{ SQLState() string }
	if errors.As(f.cause, &postgres) {
		return append(attrs, slog.String("sqlstate", postgres.SQLState()))
	}
	var sqlite interface{ ResultCode() int32 }
	if errors.As(f.cause, &sqlite) {
		return append(attrs, slog.Int("sqlite_code", int(sqlite.ResultCode())))
	}
	var mysql interface{ MySQLNumber() int }
	if errors.As(f.cause, &mysql) {
		return append(attrs, slog.Int("mysql_code", mysql.MySQLNumber()))
	}
	return attrs
}

// bounded cuts what a caller sent to a length that a log line can bear.
func bounded(text string) string {
	const most = 256
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}

// panicked is a panic that one call ended with.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }
