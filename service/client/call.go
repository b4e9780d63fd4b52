// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package client

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	mathrand "math/rand/v2"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

const (
	// maxAnswer bounds an answer, in bytes.
	maxAnswer = 16 << 20
	// maxPause bounds the pause before the next attempt, whatever the service asks for.
	maxPause = 30 * time.Second
)

// Option changes one call.
type Option func(*call)

// IdempotencyKey makes a POST act once, however often it is sent with this key. A
// POST without this option gets a random key.
func IdempotencyKey(key string) Option { return func(c *call) { c.key = key } }

// IfMatch makes the call fail with [service.CodeStale] where the object has
// another entity tag. "" does not check.
func IfMatch(etag string) Option { return func(c *call) { c.ifMatch = etag } }

// Once sends the call a single time: an unreachable service is told at once.
func Once() Option { return func(c *call) { c.once = true } }

// AwaitGateways has the service answer when every live gateway serves the change. What does
// not serve it within some seconds is named in the answer.
func AwaitGateways() Option {
	return func(c *call) { c.query, c.slow = values("wait", "gateways"), true }
}

// call is one call of the API, before it is sent.
type call struct {
	method string
	path   string
	query  url.Values
	body   any
	// kept reports whether an object is as the call makes it; it has the whole body where nil.
	kept func(found []byte) bool
	// reads says that the call changes nothing, though it may be a POST.
	reads bool
	once  bool
	// wait is how long the service is asked to hold the call open.
	wait time.Duration
	// slow says that the service may take longer than is usual.
	slow    bool
	key     string
	ifMatch string
}

// persistence says after which failures a call is tried again.
type persistence int

const (
	// untilAnswered: sending it twice acts once.
	untilAnswered persistence = iota
	// whileUnsent: only failures after which nothing can have happened.
	whileUnsent
	// never: once is enough.
	never
)

func (c call) persistence() persistence {
	if c.once {
		return never
	}
	// It would fail as stale after it has acted once, and hide that it did: see [Client.replace].
	if c.guarded() {
		return whileUnsent
	}
	return untilAnswered
}

// attempt travels in the context of a request to the retry policy.
type attempt struct {
	persistence persistence
	requestID   string
	trace       Trace
	number      int
	start       time.Time
}

type attemptKey struct{}

func (c *Client) retrying(transport http.RoundTripper, timeout time.Duration) *retryablehttp.Client {
	return &retryablehttp.Client{
		HTTPClient: &http.Client{
			Transport: transport,
			Timeout:   timeout,
			// A redirected POST would lose its body, and a token must not follow a
			// redirect anywhere.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		RetryMax:     c.retries,
		CheckRetry:   checkRetry,
		Backoff:      func(_, _ time.Duration, n int, resp *http.Response) time.Duration { return c.pause(n, resp) },
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
		RequestLogHook: func(_ retryablehttp.Logger, r *http.Request, n int) {
			if a, ok := r.Context().Value(attemptKey{}).(*attempt); ok {
				a.number, a.start = n+1, time.Now()
			}
		},
		ResponseLogHook: func(_ retryablehttp.Logger, resp *http.Response) {
			r := resp.Request
			if a, ok := r.Context().Value(attemptKey{}).(*attempt); ok {
				c.log(r.Context(), "called the service", map[string]any{
					"method": r.Method, "path": r.URL.Path, "status": resp.StatusCode,
					"attempt": a.number, "request_id": a.requestID, "trace_id": a.trace.ID(), "duration_ms": time.Since(a.start).Milliseconds(),
				})
			}
		},
	}
}

func checkRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	p := whileUnsent
	if a, ok := ctx.Value(attemptKey{}).(*attempt); ok {
		p = a.persistence
	}
	if p == never {
		return false, nil
	}
	if err != nil {
		if permanent(err) {
			return false, nil
		}
		return p == untilAnswered || unsent(err), nil
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return true, nil
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		return p == untilAnswered, nil
	}
	return false, nil
}

// pause returns how long to wait after attempt n (from 0): what the service asks for and
// a random time on top of it, else a doubling time of which half is random. So many
// clients do not come back at once, and the less so the longer they have to wait.
func (c *Client) pause(n int, resp *http.Response) time.Duration {
	d := min(time.Duration(float64(c.backoff)*math.Pow(2, float64(min(n, 16)))), maxPause)
	if resp != nil {
		if asked, ok := retryAfter(resp.Header.Get("Retry-After")); ok && asked > 0 {
			return min(asked, maxPause) + jitter(d)
		}
	}
	return d/2 + jitter(d/2)
}

func jitter(most time.Duration) time.Duration {
	if most <= 0 {
		return 0
	}
	return mathrand.N(most)
}

func retryAfter(header string) (time.Duration, bool) {
	if seconds, err := strconv.Atoi(header); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, 3600)) * time.Second, true
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(time.Until(at), 0), true
	}
	return 0, false
}

// do sends the call until it is answered, and decodes the answer into out unless
// that is nil. It returns the answer's entity tag.
func (c *Client) do(ctx context.Context, call call, out any, options ...Option) (etag string, err error) {
	for _, option := range options {
		option(&call)
	}
	if call.method == http.MethodPost && !call.reads && call.key == "" {
		call.key = rand.Text()
	}
	if call.guarded() && !call.once {
		return c.replace(ctx, call, out)
	}
	return c.persist(ctx, call, out)
}

// persist sends the call as often as its persistence allows.
func (c *Client) persist(ctx context.Context, call call, out any) (etag string, err error) {
	cutShort := 0
	// busy is what was waited for.
	var busy error
	for n := 0; ; n++ {
		etag, retryIn, err := c.send(ctx, call, out, n)
		var cut *cutShortError
		switch {
		case errors.As(err, &cut):
			if cutShort++; cutShort > c.retries || call.persistence() != untilAnswered {
				return "", cut
			}
		// Another publishing operation is under way. That is over soon, and the caller
		// has nothing better to do than to wait: its context says for how long.
		case service.ErrorCode(err) == service.CodeBusy && !call.once:
			busy = err
		case busy != nil && err != nil && ctx.Err() != nil:
			return "", busy
		default:
			return etag, err
		}
		select {
		case <-ctx.Done():
			return "", err
		case <-time.After(retryIn):
		}
	}
}

// cutShortError is that of an answer which began and did not come to its end.
type cutShortError struct{ error }

// Unwrap returns the error that tells of it.
func (e *cutShortError) Unwrap() error { return e.error }

// send sends the call with the retries of the transport. retryIn is how long to
// wait before sending it again, where the answer asks for that.
func (c *Client) send(ctx context.Context, call call, out any, n int) (etag string, retryIn time.Duration, err error) {
	a := &attempt{persistence: call.persistence(), requestID: strings.ToLower(rand.Text()), trace: traceOf(ctx)}
	fault := func(cause error) error {
		return c.transportError(ctx, call, a.requestID, cause)
	}
	var body any
	if call.body != nil {
		data, err := json.Marshal(call.body)
		if err != nil {
			return "", 0, fault(err)
		}
		body = data
	}
	target := c.endpoint + call.path
	if len(call.query) > 0 {
		target += "?" + call.query.Encode()
	}
	req, err := retryablehttp.NewRequestWithContext(context.WithValue(ctx, attemptKey{}, a), call.method, target, body)
	if err != nil {
		return "", 0, fault(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.userAgent)
	req.Header.Set("X-Request-Id", a.requestID)
	req.Header.Set(headerTraceparent, a.trace.Parent)
	if a.trace.State != "" {
		req.Header.Set(headerTracestate, a.trace.State)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if call.key != "" {
		req.Header.Set("Idempotency-Key", call.key)
	}
	if call.ifMatch != "" {
		req.Header.Set("If-Match", call.ifMatch)
	}
	sender := c.calls
	if call.wait > 0 || call.slow {
		sender = c.polls
	}
	if call.wait == 0 {
		done, err := c.turn(ctx)
		if err != nil {
			return "", 0, fault(err)
		}
		defer done()
	}
	resp, err := sender.Do(req)
	if err != nil {
		if resp != nil {
			_ = resp.Body.Close()
		}
		return "", 0, fault(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return "", c.pause(n, nil), &cutShortError{fault(err)}
	}
	if id := resp.Header.Get("X-Request-Id"); id != "" {
		a.requestID = id
	}
	if err := c.decode(call, a.requestID, resp, data, out); err != nil {
		return "", c.pause(n, resp), err
	}
	return resp.Header.Get("ETag"), 0, nil
}

// turn waits until the call may be under way. done lets the next one begin.
func (c *Client) turn(ctx context.Context) (done func(), err error) {
	if c.turns == nil {
		return func() {}, nil
	}
	select {
	case c.turns <- struct{}{}:
		return func() { <-c.turns }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// decode reads an answer: the object that was asked for, or a problem document.
func (c *Client) decode(call call, requestID string, resp *http.Response, data []byte, out any) error {
	garbage := func(why string) error {
		return &Error{
			Method: call.method, Path: call.path, Status: resp.StatusCode, RequestID: requestID,
			message: fmt.Sprintf("%s answered %s %s with something that is not from dataservice: HTTP %d, %s%s. Check the endpoint, and what stands between here and the service.",
				c.endpoint, call.method, call.path, resp.StatusCode, why, beginning(data)),
		}
	}
	if isGateway(data) {
		return &Error{
			Method: call.method, Path: call.path, Status: resp.StatusCode, RequestID: requestID,
			message: fmt.Sprintf("%s is the gateway, where published APIs are called. Let the endpoint be the control plane, which the service names with \"ready\" when it starts: http://127.0.0.1:8080 where nothing else is said.", c.endpoint),
		}
	}
	if len(data) > maxAnswer {
		return garbage(fmt.Sprintf("more than %d MiB", maxAnswer>>20))
	}
	if location := resp.Header.Get("Location"); resp.StatusCode/100 == 3 {
		return garbage(fmt.Sprintf("a redirect to %q", location))
	}
	media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if resp.StatusCode/100 != 2 {
		var p service.Problem
		if media != "application/problem+json" || json.Unmarshal(data, &p) != nil || p.Code == "" {
			return garbage(mediaPhrase(media))
		}
		if p.RequestID == "" {
			p.RequestID = requestID
		}
		return &Error{Method: call.method, Path: call.path, Status: resp.StatusCode, RequestID: p.RequestID, Problem: &p, message: p.Detail}
	}
	if out == nil {
		return nil
	}
	if media != "application/json" {
		return garbage(mediaPhrase(media))
	}
	if err := json.Unmarshal(data, out); err != nil {
		if !json.Valid(data) {
			return &cutShortError{garbage("JSON that is cut short")}
		}
		return garbage("JSON that does not fit")
	}
	if !answers(call, data, out) {
		return garbage("JSON that does not hold what was asked for")
	}
	return nil
}

// answers reports whether an answer names the thing that was asked for. What stands
// between here and the service may answer {}, null or another thing, and none of
// that may reach anybody's state.
func answers(call call, data []byte, out any) bool {
	name := "id"
	switch out.(type) {
	case *service.Identity:
		name = "member"
	case *service.PublishedAPI:
		name = "api_id"
	case *service.Credentials:
		name = "app_id"
	case *service.DebugResult:
		name = "status"
	case *service.Validation:
		name = "warnings"
	case *service.Comparison:
		name = "from"
	case *service.EnvironmentRights:
		name = "environment_id"
	case *service.TrailReport:
		name = "events"
	case *OpenAPI:
		name = "openapi"
	default:
		if strings.HasPrefix(reflect.TypeOf(out).Elem().Name(), "List[") {
			name = "items"
		}
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(data, &fields) != nil {
		return false
	}
	switch value := string(fields[name]); value {
	case "", "null", `""`, "{}":
		return false
	default:
		asked := call.path[strings.LastIndex(call.path, "/")+1:]
		return name != "id" || call.method == http.MethodPost || !service.IsID(asked) || value == strconv.Quote(asked)
	}
}

func mediaPhrase(media string) string {
	if media == "" {
		return "no content type"
	}
	return media
}

// beginning quotes the first characters of a text for an error message.
func beginning(data []byte) string {
	const most = 120
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(data[:min(len(data), 4*most)]), "?")), " ")
	if text == "" {
		return ""
	}
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return fmt.Sprintf(", beginning with %q", text)
}

func (c *Client) path(elements ...string) string {
	return "/api/v1/workspaces/" + url.PathEscape(c.workspace) + escape(elements...)
}

func escape(elements ...string) string {
	var b strings.Builder
	for _, e := range elements {
		b.WriteString("/")
		b.WriteString(url.PathEscape(e))
	}
	return b.String()
}

// values makes a query of pairs; empty values are left out.
func values(pairs ...string) url.Values {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return q
}

// waiting adds a long poll to a call.
func (c call) waiting(wait time.Duration) call {
	c.wait = min(max(wait, 0), MaxWait)
	if c.wait > 0 {
		c.query = values("wait", c.wait.String())
	}
	return c
}

func get(path string) call    { return call{method: http.MethodGet, path: path} }
func remove(path string) call { return call{method: http.MethodDelete, path: path} }

func post(path string, body any) call { return call{method: http.MethodPost, path: path, body: body} }

func put(path string, body any) call { return call{method: http.MethodPut, path: path, body: body} }

// fetch sends the call and returns the answer as a T.
func fetch[T any](ctx context.Context, c *Client, call call, options ...Option) (T, error) {
	var out T
	_, err := c.do(ctx, call, &out, options...)
	if err != nil {
		var none T
		return none, err
	}
	return out, nil
}

// rowVersion reads the row version out of an entity tag; 0 where it has none.
func rowVersion(etag string) int64 {
	n, err := strconv.ParseInt(strings.Trim(strings.TrimPrefix(etag, "W/"), `"`), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// Page asks for one page of a list: the records after the one named by After, at
// most Limit (100 where 0, 500 at the most).
type Page struct {
	After string
	Limit int
}

func (p Page) query(pairs ...string) url.Values {
	q := values(append(pairs, "after", p.After)...)
	if p.Limit > 0 {
		q.Set("limit", strconv.Itoa(p.Limit))
	}
	return q
}

// MaxPage is how many items the service answers at once at the most.
const MaxPage = 500

// All collects every page of a list.
func All[T any](ctx context.Context, list func(context.Context, Page) (service.List[T], error)) ([]T, error) {
	var all []T
	for item, err := range Each(ctx, MaxPage, list) {
		if err != nil {
			return nil, err
		}
		all = append(all, item)
	}
	return all, nil
}

// Each goes through a list, asking for the next page of that size when the one before is
// used up. An error comes with no item, and is the last that comes.
func Each[T any](ctx context.Context, size int, list func(context.Context, Page) (service.List[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		page := Page{Limit: size}
		for {
			got, err := list(ctx, page)
			if err == nil && got.Next != "" && got.Next == page.After {
				err = errors.New("the service answered the same page of a list twice")
			}
			if err != nil {
				yield(none, err)
				return
			}
			for _, item := range got.Items {
				if !yield(item, nil) {
					return
				}
			}
			if got.Next == "" {
				return
			}
			page.After = got.Next
		}
	}
}

// isGateway reports whether an answer is an error of the gateway, which has ports of its
// own that are easily taken for those of the control plane.
func isGateway(data []byte) bool {
	var answer struct {
		ErrCode   int    `json:"errCode"`
		ErrMsg    string `json:"errMsg"`
		RequestID string `json:"requestId"`
	}
	return json.Unmarshal(data, &answer) == nil && answer.ErrCode != 0 && answer.ErrMsg != "" && answer.RequestID != ""
}
