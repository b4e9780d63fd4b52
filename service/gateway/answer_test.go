// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/datasource"
)

// planFunc stands for a plan that fails in a way that no real database does on demand.
type planFunc func(ctx context.Context, dst []byte, call datasource.Call) ([]byte, error)

func (f planFunc) Run(ctx context.Context, dst []byte, call datasource.Call) ([]byte, error) {
	return f(ctx, dst, call)
}

// rowsPlan answers always the same.
func rowsPlan(rows string) planFunc {
	return func(_ context.Context, dst []byte, _ datasource.Call) ([]byte, error) {
		return append(dst, rows...), nil
	}
}

// handle serves one route with the plan.
func handle(p plan, log io.Writer) http.Handler {
	rt := sampleRoute(false)
	rt.plan, rt.timeout, rt.apiName = p, time.Second, "sample"
	tbl := emptyTable.replace(nil, []*route{rt})
	logger := slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	a := answerer{logger: logger, maxRows: DefaultMaxRows}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.serve(tbl, w, r) })
}

type envelope struct {
	Data      json.RawMessage `json:"data"`
	ErrCode   int             `json:"errCode"`
	ErrMsg    string          `json:"errMsg"`
	RequestID string          `json:"requestId"`
}

func answered(t *testing.T, h http.Handler, r *http.Request) (*httptest.ResponseRecorder, envelope) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var e envelope
	d := json.NewDecoder(bytes.NewReader(w.Body.Bytes()))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		t.Fatalf("the answer %q is no envelope: %v", w.Body, err)
	}
	if id := w.Header().Get("X-Request-Id"); id != e.RequestID || id == "" {
		t.Errorf("the header has the request id %q, the envelope %q", id, e.RequestID)
	}
	return w, e
}

func TestASuccessfulCallIsOneEnvelope(t *testing.T) {
	w, e := answered(t, handle(rowsPlan(`[{"id":1}]`), io.Discard), httptest.NewRequest(http.MethodGet, "/items?id=1", nil))
	if w.Code != http.StatusOK || string(e.Data) != `[{"id":1}]` || e.ErrCode != 0 || e.ErrMsg != "success" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
}

func TestALargeAnswerTellsItsLength(t *testing.T) {
	rows := `["` + strings.Repeat("x", 300<<10) + `"]`
	w, _ := answered(t, handle(rowsPlan(rows), io.Discard), httptest.NewRequest(http.MethodGet, "/items?id=1", nil))
	if got := w.Header().Get("Content-Length"); got != strconv.Itoa(w.Body.Len()) {
		t.Errorf("Content-Length is %q, the body has %d bytes", got, w.Body.Len())
	}
}

func TestARequestIDIsTakenOverWhereItIsSane(t *testing.T) {
	made := regexp.MustCompile(`^[0-9a-f]{32}$`)
	for _, test := range []struct {
		sent  []string
		taken bool
	}{
		{[]string{"abc-123_4.5:6/7+8=@~"}, true},
		{[]string{strings.Repeat("x", 128)}, true},
		{nil, false},
		{[]string{""}, false},
		{[]string{strings.Repeat("x", 129)}, false},
		{[]string{`a"b`}, false},
		{[]string{"a b"}, false},
		{[]string{"é"}, false},
		{[]string{"a", "b"}, false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/items?id=1", nil)
		if test.sent != nil {
			r.Header["X-Request-Id"] = test.sent
		}
		_, e := answered(t, handle(rowsPlan("[]"), io.Discard), r)
		if test.taken && e.RequestID != test.sent[0] || !test.taken && !made.MatchString(e.RequestID) {
			t.Errorf("sent %q, answered %q", test.sent, e.RequestID)
		}
	}
}

func TestABodyIsRefused(t *testing.T) {
	h := handle(rowsPlan("[]"), io.Discard)
	for _, test := range []struct {
		name   string
		body   io.Reader
		status int
	}{
		{"none", nil, http.StatusOK},
		{"an empty one", strings.NewReader(""), http.StatusOK},
		{"an empty one of unknown length", io.MultiReader(), http.StatusOK},
		{"one of known length", strings.NewReader("x"), http.StatusBadRequest},
		{"one of unknown length", io.MultiReader(strings.NewReader("x")), http.StatusBadRequest},
	} {
		w, e := answered(t, h, httptest.NewRequest(http.MethodGet, "/items?id=1", test.body))
		if w.Code != test.status || w.Code != http.StatusOK && e.ErrCode != errBodyNotAllowed.Code {
			t.Errorf("%s: %d %s", test.name, w.Code, w.Body)
		}
	}
}

func TestWhatAPlanReturnsIsAnsweredWithoutItsText(t *testing.T) {
	secret := errors.New(`relation "payroll" does not exist`)
	for _, test := range []struct {
		name string
		err  error
		code *ErrorCode
		say  string
	}{
		{"a timeout", &datasource.Error{Kind: datasource.Timeout, Err: secret}, errTimeout, "its timeout of 1000 ms"},
		{"no database", &datasource.Error{Kind: datasource.Unavailable, Err: secret}, errUnavailable, "does not answer just now"},
		{"a value", &datasource.Error{Kind: datasource.BadValue, Parameter: "id", Err: secret}, errValueRefused, `the value of parameter "id"`},
		{"some value", &datasource.Error{Kind: datasource.BadValue, Err: secret}, errValueRefused, "one of the values"},
		{"too many rows", &datasource.Error{Kind: datasource.TooManyRows, Err: secret}, errTooManyRows, "at most 10000 rows"},
		{"a statement", &datasource.Error{Kind: datasource.Failed, Err: secret}, errStatementFailed, "refused the statement"},
		{"a column", &datasource.Error{Kind: datasource.NotAnswerable, Err: secret}, errNotAnswerable, "not of the type"},
		{"anything else", secret, errInternal, "failed to answer"},
	} {
		t.Run(test.name, func(t *testing.T) {
			// A plan that fails may have written already; nothing of it is answered.
			p := planFunc(func(_ context.Context, dst []byte, _ datasource.Call) ([]byte, error) {
				return append(dst, `[{"id":1},`...), test.err
			})
			w, e := answered(t, handle(p, io.Discard), httptest.NewRequest(http.MethodGet, "/items?id=1", nil))
			if w.Code != test.code.Status || e.ErrCode != test.code.Code || string(e.Data) != "null" {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if !strings.Contains(e.ErrMsg, test.say) || strings.Contains(w.Body.String(), "payroll") {
				t.Errorf("the message is %q", e.ErrMsg)
			}
			if got := w.Header().Get("Retry-After") != ""; got != (test.code == errUnavailable) {
				t.Errorf("Retry-After is %q", w.Header().Get("Retry-After"))
			}
		})
	}
}

func TestAPanicEndsItsOwnCallAlone(t *testing.T) {
	var log bytes.Buffer
	h := handle(planFunc(func(_ context.Context, dst []byte, call datasource.Call) ([]byte, error) {
		if call.Values[0] == int64(13) {
			panic("unlucky")
		}
		return append(dst, "[]"...), nil
	}), &log)
	for id, status := range map[string]int{"12": 200, "13": 500, "14": 200} {
		w, _ := answered(t, h, httptest.NewRequest(http.MethodGet, "/items?id="+id, nil))
		if w.Code != status || strings.Contains(w.Body.String(), "unlucky") {
			t.Errorf("id %s: %d %s", id, w.Code, w.Body)
		}
	}
	if !strings.Contains(log.String(), "unlucky") || !strings.Contains(log.String(), "answer_test.go") {
		t.Errorf("the log does not tell of the panic and where it was: %s", &log)
	}
}

func TestABrokenRouteAnswers503(t *testing.T) {
	rt := testRoute("p", "RELEASE", http.MethodGet, "/broken")
	rt.broken = errors.New("there is no connection 4711")
	a := answerer{logger: slog.New(slog.DiscardHandler)}
	tbl := emptyTable.replace(nil, []*route{rt})
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.serve(tbl, w, r) })
	w, e := answered(t, h, httptest.NewRequest(http.MethodGet, "/broken", nil))
	if w.Code != http.StatusServiceUnavailable || e.ErrCode != errBrokenRoute.Code || strings.Contains(w.Body.String(), "4711") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestTheTimeoutOfTheAPIReachesThePlan(t *testing.T) {
	start := time.Now()
	p := planFunc(func(ctx context.Context, dst []byte, _ datasource.Call) ([]byte, error) {
		deadline, ok := ctx.Deadline()
		if left := deadline.Sub(start); !ok || left < time.Second || left > 2*time.Second {
			t.Errorf("the deadline is in %s", left)
		}
		return append(dst, "[]"...), nil
	})
	answered(t, handle(p, io.Discard), httptest.NewRequest(http.MethodGet, "/items?id=1", nil))
}

func TestACallerWhoLeavesCancelsThePlanAndIsAnsweredNothing(t *testing.T) {
	var log bytes.Buffer
	ctx, leave := context.WithCancel(t.Context())
	h := handle(planFunc(func(ctx context.Context, dst []byte, _ datasource.Call) ([]byte, error) {
		leave()
		<-ctx.Done()
		return dst, &datasource.Error{Kind: datasource.Failed, Err: ctx.Err()}
	}), &log)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/items?id=1", nil).WithContext(ctx))
	if w.Body.Len() != 0 {
		t.Errorf("answered %s", w.Body)
	}
	if !strings.Contains(log.String(), `"status":499`) || !strings.Contains(log.String(), `"level":"DEBUG"`) {
		t.Errorf("logged %s", &log)
	}
}

func TestTheAccessLogHasNoValues(t *testing.T) {
	for _, test := range []struct{ name, target, level string }{
		{"a success is for debugging", "/items?id=1&name=canary", "DEBUG"},
		{"so is a mistake of the caller's", "/items?id=canary", "DEBUG"},
		{"and one in the path's parameters", "/items?canary=1", "DEBUG"},
		{"a failure behind us is told", "/items?id=2&name=canary", "INFO"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			h := handle(planFunc(func(_ context.Context, dst []byte, call datasource.Call) ([]byte, error) {
				if call.Values[0] == int64(2) {
					return dst, &datasource.Error{Kind: datasource.Failed, Err: errors.New("cannot read canary")}
				}
				return append(dst, "[]"...), nil
			}), &log)
			_, e := answered(t, h, httptest.NewRequest(http.MethodGet, test.target, nil))
			var line struct {
				Level, Path, API, Environment string
				RequestID                     string `json:"request_id"`
				Status                        int
			}
			if err := json.Unmarshal(log.Bytes(), &line); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(log.String(), "canary") || line.Level != test.level {
				t.Errorf("logged %s", &log)
			}
			if line.RequestID != e.RequestID || line.Path != "/items" || line.API != "sample" || line.Environment != "RELEASE" || line.Status == 0 {
				t.Errorf("logged %s", &log)
			}
		})
	}
}

// BenchmarkServe measures the handler with a plan that costs nothing: what is left
// is the gateway's own work and allocations per call, with everything that stands
// around it.
func BenchmarkServe(b *testing.B) {
	for _, test := range []struct {
		name string
		set  func(*route)
	}{
		{"plain", func(*route) {}},
		{"limited", func(rt *route) {
			l := newRate(&service.RateLimit{Requests: service.MaxRateRequests})
			l.interval, l.full = 1, 1<<40 // never in the way
			rt.callerRate = l
			rt.account.bucket.set(l, 0)
			rt.environment.set(l, 0)
		}},
		{"cached", func(rt *route) { rt.cacheTTL = time.Hour }},
	} {
		b.Run(test.name, func(b *testing.B) {
			a := guarded()
			a.logger = slog.New(slog.DiscardHandler)
			a.maxCalls.Store(1000)
			rt := guardedRoute(a, rowsPlan(`[{"id":12345,"name":"item 012345"}]`))
			test.set(rt)
			tbl := emptyTable.replace(nil, []*route{rt})
			r := httptest.NewRequest(http.MethodGet, "/items?id=12345&name=x", nil)
			w := &discardWriter{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				a.serve(tbl, w, r)
			}
		})
	}
}

// discardWriter is a response writer that costs nothing.
type discardWriter struct{ header http.Header }

func (w *discardWriter) Header() http.Header         { return w.header }
func (w *discardWriter) WriteHeader(int)             {}
func (w *discardWriter) Write(p []byte) (int, error) { return len(p), nil }
