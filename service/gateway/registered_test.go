// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/backend"
	"github.com/dataservice/terraform-provider-dataservice/service/dialguard"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// received is a request as a backend got it.
type received struct {
	Line   string
	Header http.Header
	Body   string
}

// mirror is a backend that answers and keeps what it is sent.
type mirror struct {
	*httptest.Server
	last   atomic.Pointer[received]
	answer atomic.Pointer[http.HandlerFunc]
}

func newMirror(t testing.TB) *mirror {
	t.Helper()
	m := &mirror{}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		m.last.Store(&received{r.Method + " " + r.RequestURI, r.Header, string(body)})
		if answer := m.answer.Load(); answer != nil {
			(*answer)(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"ok":true}`)
	}))
	t.Cleanup(m.Close)
	return m
}

func (m *mirror) answers(f http.HandlerFunc) { m.answer.Store(&f) }

// put publishes the definition, without a debug where it has none to make.
func (h *house) put(t testing.TB, name string, d service.Definition, debug *service.DebugInput) service.API {
	t.Helper()
	a, err := h.CreateAPI(context.Background(), h.caller, service.APIInput{APISpec: service.APISpec{Name: name, Definition: d}, Debug: debug})
	if err != nil {
		t.Fatal(err)
	}
	h.publish(t, a, "")
	return a
}

// raw calls the gateway and returns the answer as it is.
func (h *house) raw(t testing.TB, method, target, contentType string, body io.Reader, header ...string) (answer, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, h.server.URL+target, body)
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	client := *h.server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{Status: resp.StatusCode, Header: resp.Header}, string(text)
}

// errorOf reads the envelope of a failure.
func errorOf(t testing.TB, body string) answer {
	t.Helper()
	var a answer
	if err := json.Unmarshal([]byte(body), &a); err != nil {
		t.Fatalf("%q is no envelope: %v", body, err)
	}
	return a
}

func parameters(position service.Position) map[string]service.RequestParameter {
	p := map[string]service.RequestParameter{}
	for _, typ := range service.ParameterTypes {
		p[strings.ToLower(string(typ))] = service.RequestParameter{Type: typ, Position: position}
	}
	return p
}

// TestEachTypeArrivesInEachPosition is the table of positions and types.
func TestEachTypeArrivesInEachPosition(t *testing.T) {
	values := []struct{ name, sent, text, json string }{
		{"string", `a b&c/"é`, `a b&c/"é`, `"a b&c/\"é"`},
		{"int", "-007", "-7", "-7"},
		{"long", "9223372036854775807", "9223372036854775807", "9223372036854775807"},
		{"float", "0.1", "0.1", "0.1"},
		{"double", "1e300", "1e+300", "1e+300"},
		{"boolean", "true", "true", "true"},
		{"string_list", `["a,b","c"]`, `["a,b","c"]`, `["a,b","c"]`},
		{"int_list", "1,2,3", "1,2,3", "[1,2,3]"},
		{"long_list", "[1,-2]", "1,-2", "[1,-2]"},
		{"float_list", "0.5,1", "0.5,1", "[0.5,1]"},
		{"double_list", "1e-9", "1e-09", "[1e-09]"},
		{"boolean_list", "true,false", "true,false", "[true,false]"},
	}
	h, m := newHouse(t, options{}), newMirror(t)
	query := registered(m.URL, "/q", service.MethodGet)
	query.Path, query.RequestParameters = "/query", parameters(service.PositionQuery)
	h.put(t, "by_query", query, nil)
	header := registered(m.URL, "/h", service.MethodGet)
	header.Path, header.RequestParameters = "/header", parameters(service.PositionHeader)
	h.put(t, "by_header", header, nil)
	object := registered(m.URL, "/j", service.MethodPost)
	object.Path, object.RequestParameters = "/json", parameters(service.PositionBody)
	h.put(t, "by_json", object, &service.DebugInput{})
	form := registered(m.URL, "/f", service.MethodPut)
	form.Path, form.RequestParameters, form.RequestContentType = "/form", parameters(service.PositionBody), service.ContentForm
	h.put(t, "by_form", form, &service.DebugInput{})

	for _, v := range values {
		t.Run(v.name, func(t *testing.T) {
			path := registered(m.URL, "/p/["+v.name+"]/end", service.MethodGet)
			path.Path = "/path_" + v.name
			path.RequestParameters = map[string]service.RequestParameter{v.name: parameters(service.PositionPath)[v.name]}
			p := path.RequestParameters[v.name]
			p.Example = &v.sent
			path.RequestParameters[v.name] = p
			h.put(t, "by_path_"+v.name, path, nil)

			sent, arrives := encoded(v.sent), encoded(v.text)
			for _, call := range []struct{ name, method, target, contentType, body, line, want string }{
				{"query", "GET", "/query?" + v.name + "=" + sent, "", "", "GET /q?" + v.name + "=" + arrives, ""},
				{"path", "GET", "/path_" + v.name + "?" + v.name + "=" + sent, "", "", "GET /p/" + arrives + "/end", ""},
				{"json", "POST", "/json", "application/json", `{"` + v.name + `":` + v.json + `}`, "POST /j", `{"` + v.name + `":` + v.json + `}`},
				{"form", "PUT", "/form", "application/x-www-form-urlencoded", v.name + "=" + sent, "PUT /f", v.name + "=" + arrives},
			} {
				resp, body := h.raw(t, call.method, call.target, call.contentType, strings.NewReader(call.body))
				got := m.last.Load()
				if resp.Status != http.StatusOK || body != `{"ok":true}` || got.Line != call.line || got.Body != call.want {
					t.Errorf("%s: %d %s: the backend got %q with %q, want %q with %q", call.name, resp.Status, body, got.Line, got.Body, call.line, call.want)
				}
			}
			plain := strings.ReplaceAll(v.sent, "é", "e")
			resp, body := h.raw(t, "GET", "/header", "", nil, v.name, plain)
			if got := m.last.Load().Header.Get(v.name); resp.Status != http.StatusOK || got != strings.ReplaceAll(v.text, "é", "e") {
				t.Errorf("header: %d %s: the backend got %q", resp.Status, body, got)
			}
		})
	}
}

// encoded is the percent-encoding of all but unreserved characters.
func encoded(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func TestConstantsAndDefaultsAreSent(t *testing.T) {
	h, m := newHouse(t, options{}), newMirror(t)
	d := registered(m.URL, "/v/[version]/[uid]", service.MethodPost)
	d.RequestParameters = map[string]service.RequestParameter{
		"version": {Type: service.TypeString, Position: service.PositionPath, Default: text("v 1")},
		"cc":      {Type: service.TypeString, Operator: service.OperatorConst, Default: text("xx")},
		"X-Const": {Type: service.TypeInt, Position: service.PositionHeader, Operator: service.OperatorConst, Default: text("7")},
		"size":    {Type: service.TypeInt, Position: service.PositionBody, Default: text("10")},
		"secret":  {Type: service.TypeBoolean, Position: service.PositionBody, Operator: service.OperatorConst, Default: text("true")},
		"name":    {Type: service.TypeString, Position: service.PositionBody},
	}
	h.put(t, "constants", d, &service.DebugInput{})
	_, _ = h.raw(t, "POST", "/registered", "application/json", strings.NewReader(`{"name":"n"}`), "X-Const", "8")
	got := m.last.Load()
	if got.Line != "POST /v/v%201/%5Buid%5D?cc=xx" || got.Body != `{"name":"n","secret":true,"size":10}` || got.Header.Get("X-Const") != "7" || len(got.Header["X-Const"]) != 1 {
		t.Errorf("the backend got %+v", got)
	}
	for body, say := range map[string]string{`{"secret":false}`: `"secret"`} {
		resp, text := h.raw(t, "POST", "/registered", "application/json", strings.NewReader(body))
		if e := errorOf(t, text); resp.Status != http.StatusBadRequest || e.ErrCode != 40001 || !strings.Contains(e.ErrMsg, say) {
			t.Errorf("%s: %d %s", body, resp.Status, text)
		}
	}
	if resp, text := h.raw(t, "POST", "/registered?cc=yy", "", nil); resp.Status != http.StatusBadRequest || errorOf(t, text).ErrCode != 40001 {
		t.Errorf("a constant in the query string: %d %s", resp.Status, text)
	}
}

func TestMistakesOfCallersHaveASentenceEach(t *testing.T) {
	h, m := newHouse(t, options{maxBody: 1 << 20}), newMirror(t)
	object := registered(m.URL, "/[p]", service.MethodPost)
	object.Path = "/json"
	object.RequestParameters = map[string]service.RequestParameter{
		"p":  {Type: service.TypeString, Position: service.PositionPath, Default: text("p")},
		"n":  {Type: service.TypeInt, Position: service.PositionBody, Required: true, Example: text("1")},
		"s":  {Type: service.TypeString, Position: service.PositionBody},
		"l":  {Type: service.TypeLongList, Position: service.PositionBody},
		"X1": {Type: service.TypeInt, Position: service.PositionHeader},
	}
	h.put(t, "object", object, &service.DebugInput{})
	form := object
	form.Path, form.RequestContentType = "/form", service.ContentForm
	h.put(t, "form_api", form, &service.DebugInput{})
	through := registered(m.URL, "/", service.MethodPost)
	through.Path, through.RequestContentType = "/xml", service.ContentXML
	h.put(t, "through", through, &service.DebugInput{Body: "<a/>"})
	get := registered(m.URL, "/", service.MethodGet)
	get.Path = "/get"
	h.put(t, "get_api", get, nil)
	m.last.Store(nil)

	const jsonType, formType = "application/json", "application/x-www-form-urlencoded"
	big := strings.Repeat("x", 1<<20+1)
	for _, test := range []struct {
		name, method, target, contentType, body string
		header                                  []string
		code                                    int
		say                                     string
	}{
		{"an unknown query parameter", "POST", "/json?x=1", jsonType, `{"n":1}`, nil, 40001, `"x"`},
		{"a body parameter in the query string", "POST", "/json?n=1", jsonType, `{"n":1}`, nil, 40001, `"n"`},
		{"an unknown member", "POST", "/json", jsonType, `{"n":1,"x":2}`, nil, 40001, `"x" in the body`},
		{"a repeated member", "POST", "/json", jsonType, `{"n":1,"n":1}`, nil, 40002, `"n"`},
		{"a missing member", "POST", "/json", jsonType, `{}`, nil, 40003, "add it to the body as INT"},
		{"no body", "POST", "/json", "", ``, nil, 40003, "add it to the body as INT"},
		{"a text for a number", "POST", "/json", jsonType, `{"n":"1"}`, nil, 40004, "without quotation marks"},
		{"a fraction", "POST", "/json", jsonType, `{"n":1.5}`, nil, 40004, "a whole number"},
		{"a large number", "POST", "/json", jsonType, `{"n":2147483648}`, nil, 40004, "a whole number"},
		{"null", "POST", "/json", jsonType, `{"n":null}`, nil, 40004, "a whole number"},
		{"a number for a text", "POST", "/json", jsonType, `{"n":1,"s":1}`, nil, 40004, "in quotation marks"},
		{"a NUL in a text", "POST", "/json", jsonType, `{"n":1,"s":"\u0000"}`, nil, 40004, "U+0000"},
		{"a number for a list", "POST", "/json", jsonType, `{"n":1,"l":1}`, nil, 40004, "a JSON array"},
		{"a text in a list", "POST", "/json", jsonType, `{"n":1,"l":[1,"2"]}`, nil, 40004, "at position 2"},
		{"an object in a list", "POST", "/json", jsonType, `{"n":1,"l":[{}]}`, nil, 40004, "at position 1"},
		{"a long list", "POST", "/json", jsonType, `{"n":1,"l":[` + strings.Repeat("1,", 1000) + `1]}`, nil, 40004, "1001 elements"},
		{"a long value", "POST", "/json", jsonType, `{"n":1,"s":"` + strings.Repeat("x", 40000) + `"}`, nil, 40005, "32768"},
		{"an array", "POST", "/json", jsonType, `[1]`, nil, 40010, "one JSON object"},
		{"half an object", "POST", "/json", jsonType, `{"n":1`, nil, 40010, "one JSON object"},
		{"two objects", "POST", "/json", jsonType, `{"n":1}{}`, nil, 40010, "behind it"},
		{"no UTF-8", "POST", "/json", jsonType, "{\"n\":1,\"s\":\"\xff\"}", nil, 40010, "UTF-8"},
		{"a trailing comma", "POST", "/json", jsonType, `{"n":1,}`, nil, 40010, "one JSON object"},
		{"a form for JSON", "POST", "/json", formType, `n=1`, nil, 41501, "takes application/json"},
		{"no type", "POST", "/json", "", `{"n":1}`, nil, 41501, "no Content-Type"},
		{"another charset", "POST", "/json", jsonType + "; charset=utf-16", `{"n":1}`, nil, 41501, "UTF-8"},
		{"a compressed body", "POST", "/json", jsonType, `{"n":1}`, []string{"Content-Encoding", "gzip"}, 41501, "Content-Encoding"},
		{"a large body of parameters", "POST", "/json", jsonType, big, nil, 41301, "1048576 bytes"},
		{"a header of another type", "POST", "/json", jsonType, `{"n":1}`, []string{"X1", "x"}, 40004, `"X1"`},
		{"a header twice", "POST", "/json", jsonType, `{"n":1}`, []string{"x1", "1", "X1", "1"}, 40002, `"X1"`},
		{"a header beyond ASCII", "POST", "/json", jsonType, `{"n":1}`, []string{"X1", "é"}, 40004, "ASCII"},
		{"an empty value in a path", "POST", "/json?p=", jsonType, `{"n":1}`, nil, 40004, `"p"`},
		{"a dot in a path", "POST", "/json?p=.", jsonType, `{"n":1}`, nil, 40004, `"p"`},
		{"dots in a path", "POST", "/json?p=..", jsonType, `{"n":1}`, nil, 40004, `"p"`},
		{"dots behind a slash", "POST", "/json?p=a/../b", jsonType, `{"n":1}`, nil, 40004, `"p"`},
		{"dots behind a backslash", "POST", `/json?p=..%5Cb`, jsonType, `{"n":1}`, nil, 40004, `"p"`},
		{"an unknown field", "POST", "/form", formType, `n=1&x=2`, nil, 40001, `"x" in the body`},
		{"a repeated field", "POST", "/form", formType, `n=1&n=2`, nil, 40002, `"n"`},
		{"a missing field", "POST", "/form", formType, `s=1`, nil, 40003, "add it to the body"},
		{"a mistyped field", "POST", "/form", formType, `n=x`, nil, 40004, "a whole number"},
		{"a field with a bare percent sign", "POST", "/form", formType, `n=1&s=%`, nil, 40010, "percent-encoded"},
		{"JSON for XML", "POST", "/xml", jsonType, `{}`, nil, 41501, "takes application/xml"},
		{"a large body", "POST", "/xml", "text/xml", big, nil, 41301, "1048576 bytes"},
		{"a body with GET", "GET", "/get", jsonType, `{}`, nil, 40008, "no body"},
	} {
		t.Run(test.name, func(t *testing.T) {
			resp, body := h.raw(t, test.method, test.target, test.contentType, strings.NewReader(test.body), test.header...)
			e := errorOf(t, body)
			if e.ErrCode != test.code || resp.Status != test.code/100 || !strings.Contains(e.ErrMsg, test.say) {
				t.Errorf("%d %s", resp.Status, body)
			}
			if m.last.Load() != nil {
				t.Errorf("the backend got %+v", m.last.Load())
			}
		})
	}
}

func TestHeadersThatCrossTheGateway(t *testing.T) {
	h, m := newHouse(t, options{}), newMirror(t)
	d := registered(m.URL, "/", service.MethodPost)
	d.RequestParameters = map[string]service.RequestParameter{
		"X-Tenant": {Type: service.TypeString, Position: service.PositionHeader},
		"x-hop":    {Type: service.TypeString, Position: service.PositionHeader},
	}
	h.put(t, "headers", d, &service.DebugInput{})
	m.answers(func(w http.ResponseWriter, _ *http.Request) {
		for name, value := range map[string]string{
			"Set-Cookie": "a=b", "X-Secret": "1", "Keep-Alive": "timeout=1", "Proxy-Authenticate": "Basic", "Upgrade": "h2c", "Trailer": "X",
			"Strict-Transport-Security": "max-age=1", "Alt-Svc": "h2=x", "X-Request-Id": "theirs",
			"Etag": `"1"`, "Cache-Control": "max-age=60", "Content-Type": "application/json", "X-Own": "kept", "Location": "http://169.254.169.254/",
		} {
			w.Header().Set(name, value)
		}
		w.Header().Add("Vary", "Accept")
		w.Header().Add("Vary", "Origin")
		w.Header().Set("Connection", "X-Secret")
		w.WriteHeader(http.StatusFound)
		_, _ = io.WriteString(w, `{"to":"elsewhere"}`)
	})
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "POST /registered HTTP/1.1\r\nHost: api.example.com\r\nConnection: x-hop, If-None-Match\r\n"+
		"X-Hop: 1\r\nIf-None-Match: \"1\"\r\nX-Tenant: acme\r\nAuthorization: Bearer t\r\nCookie: c=d\r\nX-Stage: RELEASE\r\nX-Auth-Token: t\r\n"+
		"X-Unknown: 1\r\nX-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Real-Ip: 6.6.6.6\r\nTE: trailers\r\nUpgrade: h2c\r\n"+
		"Accept: application/json\r\nAccept-Language: nb\r\nAccept-Encoding: br\r\nUser-Agent: test\r\nTraceparent: 00-1-2-01\r\nTracestate: a=b\r\nRange: bytes=0-1\r\n"+
		"X-Request-Id: id-1\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()

	got := m.last.Load().Header
	if diff := cmp.Diff(http.Header{
		"X-Tenant": {"acme"}, "Accept": {"application/json"}, "Accept-Language": {"nb"}, "User-Agent": {"test"}, "Traceparent": {"00-1-2-01"}, "Tracestate": {"a=b"},
		"Range": {"bytes=0-1"}, "X-Request-Id": {"id-1"}, "Content-Type": {"application/json"}, "Content-Length": {"2"},
		"X-Forwarded-For": {"127.0.0.1"}, "X-Forwarded-Host": {"api.example.com"}, "X-Forwarded-Proto": {"http"},
	}, got); diff != "" {
		t.Errorf("to the backend: %s", diff)
	}
	resp.Header.Del("Date")
	if diff := cmp.Diff(http.Header{
		"Etag": {`"1"`}, "Cache-Control": {"max-age=60"}, "Content-Type": {"application/json"}, "X-Own": {"kept"}, "Location": {"http://169.254.169.254/"},
		"Vary": {"Accept", "Origin"}, "X-Request-Id": {"id-1"}, "Content-Length": {"18"},
	}, resp.Header); diff != "" {
		t.Errorf("to the caller: %s", diff)
	}
	if resp.StatusCode != http.StatusFound || string(body) != `{"to":"elsewhere"}` {
		t.Errorf("a redirect is not passed on as it is: %d %s", resp.StatusCode, body)
	}
}

func TestAnswersOfBackendsArePassedOnAsTheyAre(t *testing.T) {
	h, m := newHouse(t, options{}), newMirror(t)
	d := registered(m.URL, "/", service.MethodGet)
	d.ResponseContentType = service.ContentXML
	h.put(t, "answers", d, nil)
	for _, test := range []struct {
		status           int
		contentType, say string
	}{
		{200, "application/xml", `<?xml version="1.0"?><a>1</a>`},
		{200, "application/json", `{"a":12345678901234567890}`},
		{201, "", "<html>not guessed</html>"},
		{404, "application/xml", "<gone/>"},
		{500, "text/plain", "theirs"},
		{503, "text/plain", "busy"},
		{204, "", ""},
		{200, "text/plain", strings.Repeat("long ", 1<<20)},
	} {
		m.answers(func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = nil
			if test.contentType != "" {
				w.Header().Set("Content-Type", test.contentType)
			}
			w.WriteHeader(test.status)
			_, _ = io.WriteString(w, test.say)
		})
		resp, body := h.raw(t, "GET", "/registered", "", nil)
		if resp.Status != test.status || body != test.say || resp.Header.Get("Content-Type") != test.contentType || resp.Header.Get("X-Request-Id") == "" {
			t.Errorf("%d %s %.100s, %v", resp.Status, resp.Header.Get("Content-Type"), body, resp.Header)
		}
	}
	// An error of the gateway's own is the envelope, also where the API answers XML.
	if resp, body := h.raw(t, "GET", "/registered?x=1", "", nil); errorOf(t, body).ErrCode != 40001 || resp.Header.Get("Content-Type") != "application/json; charset=utf-8" {
		t.Errorf("%s", body)
	}
}

// TestBackendsThatFailGiveTheDocumentedAnswer: one that is slow, one that breaks off
// half-way, one that is down, and the circuit that opens and closes again.
func TestBackendsThatFailGiveTheDocumentedAnswer(t *testing.T) {
	h := newHouse(t, options{backends: &backend.Options{BreakerDelay: 50 * time.Millisecond}})
	var down atomic.Bool
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, buffered, _ := http.NewResponseController(w).Hijack()
		defer conn.Close()
		say := func(text string) { _, _ = buffered.WriteString(text); _ = buffered.Flush() }
		switch {
		case r.URL.Path == "/slow":
			<-stop
		case r.URL.Path == "/half":
			say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
		case r.URL.Path == "/chunks":
			say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
		case r.URL.Path == "/nothing":
			say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
		case r.URL.Path == "/garbage":
			say("hello\r\n\r\n")
		case r.URL.Path == "/stalls":
			say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
			<-stop
		case down.Load():
		default:
			say("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine")
		}
	})}
	go func() { _ = server.Serve(l) }()
	defer server.Close()
	defer close(stop)
	url := "http://" + l.Addr().String()
	for _, path := range []string{"slow", "half", "chunks", "nothing", "garbage", "stalls", "fine"} {
		d := registered(url, "/fine", service.MethodGet)
		d.Path, d.TimeoutMS = "/"+path, service.DefaultTimeoutMS
		if path == "slow" || path == "stalls" {
			d.TimeoutMS = 300
		}
		a := h.api(t, "api_"+path, d)
		// It is debugged while the backend is well, and then leads to where it is not.
		d.Registration = &service.Registration{Host: url, Path: "/" + path}
		expect := &service.DebugInput{Expect: &service.DebugExpectation{Status: map[string]int{
			"slow": 504, "half": 502, "chunks": 502, "nothing": 502, "garbage": 502, "stalls": 504, "fine": 200,
		}[path]}}
		a, err := h.UpdateAPI(t.Context(), h.caller, a.ID, "", service.APIInput{APISpec: service.APISpec{Name: a.Name, Definition: d}, Debug: expect})
		if err != nil {
			t.Fatal(path, err)
		}
		h.publish(t, a, "")
	}
	for path, code := range map[string]int{"slow": 50401, "nothing": 50205, "garbage": 50205} {
		start := time.Now()
		resp, body := h.raw(t, "GET", "/"+path, "", nil)
		if e := errorOf(t, body); resp.Status != code/100 || e.ErrCode != code || strings.Contains(body, "127.0.0.1") {
			t.Errorf("%s: %d %s", path, resp.Status, body)
		}
		if took := time.Since(start); path == "slow" && (took < 250*time.Millisecond || took > 20*time.Second) {
			t.Errorf("the timeout took %s", took)
		}
	}
	for _, path := range []string{"half", "chunks", "stalls"} {
		resp, err := h.server.Client().Get(h.server.URL + "/" + path)
		if err != nil {
			continue // it was cut before the head went out
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err == nil {
			t.Errorf("%s: a truncated answer looks whole: %d %q", path, resp.StatusCode, body)
		}
	}
	down.Store(true)
	codes := map[int]int{}
	var opened *answer
	for range 40 {
		resp, body := h.raw(t, "GET", "/fine", "", nil)
		code := errorOf(t, body).ErrCode
		codes[code]++
		if code == 50304 {
			opened = &resp
		}
	}
	if codes[50204] == 0 || opened == nil || len(codes) != 2 {
		t.Fatalf("with the backend down there were %v", codes)
	}
	if opened.Status != http.StatusServiceUnavailable || opened.Header.Get("Retry-After") != "1" {
		t.Errorf("the open circuit answers %d, Retry-After %q", opened.Status, opened.Header.Get("Retry-After"))
	}
	down.Store(false)
	eventually(t, "the circuit closes", func() bool {
		resp, body := h.raw(t, "GET", "/fine", "", nil)
		return resp.Status == http.StatusOK && body == "fine"
	})
}

func TestBodiesStreamThroughTheGateway(t *testing.T) {
	const size = 24 << 20
	h, m := newHouse(t, options{maxBody: size}), newMirror(t)
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		buffer := make([]byte, 4096)
		for {
			n, err := r.Body.Read(buffer)
			_, _ = w.Write(buffer[:n])
			_ = http.NewResponseController(w).Flush()
			if err != nil {
				return
			}
		}
	}))
	defer echo.Close()
	d := registered(m.URL, "/", service.MethodPost)
	a := h.put(t, "stream_api", d, &service.DebugInput{})
	d.Registration = &service.Registration{Host: echo.URL, Path: "/"}
	a, err := h.UpdateAPI(t.Context(), h.caller, a.ID, "", service.APIInput{APISpec: service.APISpec{Name: a.Name, Definition: d}, Debug: &service.DebugInput{Body: "{}"}})
	if err != nil {
		t.Fatal(err)
	}
	h.publish(t, a, "")
	for _, body := range []io.Reader{bytes.NewReader(make([]byte, size)), io.LimitReader(zeros{}, size), bytes.NewReader(make([]byte, 1000)), io.LimitReader(zeros{}, 1000)} {
		r, _ := http.NewRequest(http.MethodPost, h.server.URL+"/registered", body)
		r.Header.Set("Content-Type", "application/json")
		resp, err := h.server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || n != size && n != 1000 {
			t.Errorf("%d: %d bytes came back, %v", resp.StatusCode, n, err)
		}
	}
	// Each piece comes back before the next is sent.
	ours, theirs := io.Pipe()
	r, _ := http.NewRequest(http.MethodPost, h.server.URL+"/registered", ours)
	r.Header.Set("Content-Type", "application/json")
	go func() { _, _ = io.WriteString(theirs, "ping") }()
	resp, err := h.server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	piece := make([]byte, 4)
	for range 3 {
		if _, err := io.ReadFull(resp.Body, piece); err != nil || string(piece) != "ping" {
			t.Fatalf("%q, %v", piece, err)
		}
		go func() { _, _ = io.WriteString(theirs, "ping") }()
	}
	if _, err := io.ReadFull(resp.Body, piece); err != nil {
		t.Fatal(err)
	}
	_ = theirs.Close()
	if rest, err := io.ReadAll(resp.Body); err != nil || len(rest) != 0 {
		t.Errorf("%q, %v", rest, err)
	}
	// One byte more than there may be, with no length to tell it beforehand.
	r, _ = http.NewRequest(http.MethodPost, h.server.URL+"/registered", io.LimitReader(zeros{}, size+1))
	r.Header.Set("Content-Type", "application/json")
	resp, err = h.server.Client().Do(r)
	if err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if err == nil && resp.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("a body without a length that is too large: %d", resp.StatusCode)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestAnOldCallerGetsALengthOrNothing(t *testing.T) {
	h, m := newHouse(t, options{}), newMirror(t)
	h.put(t, "old_caller", registered(m.URL, "/", service.MethodGet), nil)
	for _, size := range []int{10000, 2 << 20} {
		m.answers(func(w http.ResponseWriter, _ *http.Request) {
			_ = http.NewResponseController(w).Flush()
			_, _ = w.Write(bytes.Repeat([]byte("x"), size))
		})
		conn, err := net.Dial("tcp", strings.TrimPrefix(h.server.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, "GET /registered HTTP/1.0\r\n\r\n")
		all, _ := io.ReadAll(conn)
		_ = conn.Close()
		resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(all)), nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if size == 10000 && resp.ContentLength != 10000 || size != 10000 && resp.StatusCode != http.StatusBadGateway {
			t.Errorf("%d bytes: %d, length %d", size, resp.StatusCode, resp.ContentLength)
		}
	}
}

func TestACallerWhoLeavesEndsTheCallAtTheBackend(t *testing.T) {
	h, m := newHouse(t, options{}), newMirror(t)
	h.put(t, "leaving", registered(m.URL, "/", service.MethodGet), nil)
	begun, ended := make(chan struct{}), make(chan struct{})
	m.answers(func(_ http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
		close(ended)
	})
	ctx, leave := context.WithCancel(t.Context())
	go func() { _, _ = h.try(ctx, "GET", "/registered") }()
	<-begun
	leave()
	<-ended
	eventually(t, "the gateway is done with it", func() bool { return h.inFlight.Load() == 0 })
}

func TestAddressesThatTheOperatorHasNotOpened(t *testing.T) {
	m := newMirror(t)
	open := newHouse(t, options{})
	closed := newHouse(t, options{backends: &backend.Options{Policy: dialguard.Backends(nil)}})
	d := registered(m.URL, "/", service.MethodGet)

	// At plan time it is an error on the host.
	err := closed.runner.Validate(t.Context(), d, service.Connection{})
	var e *service.Error
	if !errors.As(err, &e) || e.Code != service.CodeInvalid || len(e.Fields) != 1 || e.Fields[0].Pointer != "/registration/host" || !strings.Contains(e.Fields[0].Message, "--allow-backend-cidr") {
		t.Fatalf("validating: %v", err)
	}
	if err := open.runner.Validate(t.Context(), d, service.Connection{}); err != nil {
		t.Fatal(err)
	}
	// A call says nothing of the address.
	policy := dialguard.Backends([]netip.Prefix{netip.MustParsePrefix("::1/128")})
	rebound := newHouse(t, options{backends: &backend.Options{Policy: policy}})
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(m.URL, "http://"))
	d.Registration.Host = "http://localhost:" + port
	if _, err := rebound.runner.Debug(t.Context(), d, service.Connection{}, service.DebugInput{}); err == nil {
		t.Error("a debug reached it")
	}
	if m.last.Load() != nil {
		t.Error("the backend got a request")
	}
}

func TestTwoHeadersThatDifferInCaseAreOne(t *testing.T) {
	h, m := newHouse(t, options{}), newMirror(t)
	d := registered(m.URL, "/", service.MethodGet)
	d.RequestParameters = map[string]service.RequestParameter{
		"X-One": {Type: service.TypeString, Position: service.PositionHeader}, "x-one": {Type: service.TypeString, Position: service.PositionHeader},
	}
	var e *service.Error
	if err := h.runner.Validate(t.Context(), d, service.Connection{}); !errors.As(err, &e) || e.Fields[0].Pointer != "/request_parameters/x-one" {
		t.Errorf("%v", err)
	}
}

func TestADebugOfABackend(t *testing.T) {
	h, m := newHouse(t, options{}), newMirror(t)
	d := registered(m.URL, "/[a]", service.MethodPost)
	d.RequestParameters = map[string]service.RequestParameter{
		"a": {Type: service.TypeString, Position: service.PositionPath}, "b": {Type: service.TypeLongList, Position: service.PositionBody},
		"c": {Type: service.TypeString, Position: service.PositionBody}, "X-D": {Type: service.TypeInt, Position: service.PositionHeader},
	}
	in := service.DebugInput{Parameters: map[string]string{"a": "p/q", "b": "1,2", "c": "text", "X-D": "4"}}
	result, err := h.runner.Debug(t.Context(), d, service.Connection{}, in)
	got := m.last.Load()
	if err != nil || result.Status != 200 || string(result.Body) != `{"ok":true}` || result.Text != "" || result.Rows != 0 || result.DurationMS <= 0 {
		t.Errorf("%+v, %v", result, err)
	}
	if got.Line != "POST /p%2Fq" || got.Body != `{"b":[1,2],"c":"text"}` || got.Header.Get("X-D") != "4" {
		t.Errorf("the backend got %+v", got)
	}
	through := registered(m.URL, "/", service.MethodPut)
	through.RequestContentType = service.ContentXML
	m.answers(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "<b>"+strings.Repeat("é", 64<<10))
	})
	result, err = h.runner.Debug(t.Context(), through, service.Connection{}, service.DebugInput{Body: "<a/>"})
	if got := m.last.Load(); err != nil || got.Body != "<a/>" || got.Header.Get("Content-Type") != "application/xml" {
		t.Errorf("the backend got %+v, %v", got, err)
	}
	if result.Body != nil || !strings.HasPrefix(result.Text, "<b>é") || len(result.Text) > 64<<10+len("…") || !strings.HasSuffix(result.Text, "é…") {
		t.Errorf("the text has %d bytes", len(result.Text))
	}
	m.answers(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = io.WriteString(w, `{"why":"not today"}`)
	})
	result, err = h.runner.Debug(t.Context(), through, service.Connection{}, service.DebugInput{Body: "<a/>"})
	if service.ErrorCode(err) != service.CodeDebugFailed || !strings.Contains(err.Error(), "not today") || result.Status != 422 || string(result.Body) != `{"why":"not today"}` {
		t.Errorf("%+v, %v", result, err)
	}
	if err := (service.DebugInput{Expect: &service.DebugExpectation{Status: 422}}).Judge(result, err); err != nil {
		t.Errorf("an expected status: %v", err)
	}
	m.answers(func(w http.ResponseWriter, _ *http.Request) {
		conn, buffered, _ := http.NewResponseController(w).Hijack()
		_, _ = buffered.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
		_ = buffered.Flush()
		_ = conn.Close()
	})
	result, err = h.runner.Debug(t.Context(), through, service.Connection{}, service.DebugInput{Body: "<a/>"})
	if service.ErrorCode(err) != service.CodeDebugFailed || !strings.Contains(err.Error(), "broke off") || result.Status != 502 || result.Text != "half" {
		t.Errorf("%+v, %v", result, err)
	}
	m.Close()
	result, err = h.runner.Debug(t.Context(), through, service.Connection{}, service.DebugInput{Body: "<a/>"})
	if service.ErrorCode(err) != service.CodeDebugFailed || !strings.Contains(err.Error(), "connection refused") || result.Status != 502 {
		t.Errorf("%+v, %v", result, err)
	}
	var unreachable *service.Error
	if !errors.As(err, &unreachable) || len(unreachable.Fields) != 1 || unreachable.Fields[0].Pointer != "/registration/host" || strings.Contains(err.Error(), "owner") {
		t.Errorf("a backend that is down: %v", err)
	}
	_, err = h.runner.Debug(t.Context(), d, service.Connection{}, service.DebugInput{Parameters: map[string]string{"a": "x", "b": "y"}})
	var e *service.Error
	if !errors.As(err, &e) || len(e.Fields) != 1 || e.Fields[0].Pointer != "/debug/parameters/b" {
		t.Errorf("a mistyped body parameter: %v", err)
	}
}

func TestARegisteredAPIComesAndGoesLikeAnyOther(t *testing.T) {
	h, m := newHouse(t, options{}), newMirror(t)
	a := h.put(t, "comes_goes", registered(m.URL, "/one", service.MethodGet), nil)
	if resp, _ := h.raw(t, "GET", "/registered", "", nil); resp.Status != http.StatusOK || m.last.Load().Line != "GET /one" {
		t.Errorf("%d, %+v", resp.Status, m.last.Load())
	}
	a, err := h.UpdateAPI(t.Context(), h.caller, a.ID, "", service.APIInput{APISpec: service.APISpec{Name: a.Name, Definition: registered(m.URL, "/two", service.MethodGet)}})
	if err != nil {
		t.Fatal(err)
	}
	p := h.publish(t, a, "")
	if _, _ = h.raw(t, "GET", "/registered", "", nil); m.last.Load().Line != "GET /two" {
		t.Errorf("%+v", m.last.Load())
	}
	if err := h.gateway.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := h.gateway.Changed(t.Context(), lifecycle.Change{Kind: lifecycle.ChangeConnection, ID: "another"}); err != nil {
		t.Fatal(err)
	}
	if resp, _ := h.raw(t, "GET", "/registered", "", nil); resp.Status != http.StatusOK {
		t.Errorf("after loading anew: %d", resp.Status)
	}
	if _, err := h.Suspend(t.Context(), h.caller, p.ID, service.ActionInput{}); err != nil {
		t.Fatal(err)
	}
	if resp, _ := h.raw(t, "GET", "/registered", "", nil); resp.Status != http.StatusForbidden {
		t.Errorf("suspended: %d", resp.Status)
	}
}
