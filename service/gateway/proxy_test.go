// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/backend"
)

// registeredRoute compiles a definition without calling anything.
func registeredRoute(t testing.TB, path string, contentType service.ContentType, parameters map[string]service.RequestParameter) *route {
	t.Helper()
	client := backend.New(backend.Options{})
	t.Cleanup(client.Close)
	d := service.Definition{
		Path: "/a", Method: service.MethodPost, RequestContentType: contentType, RequestParameters: parameters,
		Registration: &service.Registration{Host: "http://example.com", Path: path},
	}.WithDefaults()
	rt := &route{}
	if err := rt.register(client, d); err != nil {
		t.Fatal(err)
	}
	return rt
}

func TestValuesInAPathStayWithinTheirSegment(t *testing.T) {
	texts := map[string]service.RequestParameter{"a": {Type: service.TypeString}, "b": {Type: service.TypeString}}
	for _, test := range []struct{ path, a, b, want string }{
		{"/x/[a]/y", "1", "", "/x/1/y?b="},
		{"/[a]/[b]/[a]", "1", "2", "/1/2/1"},
		{"/[a][b]", "1", "2", "/12"},
		{"/[uid]/[a]", "1", "2", "/%5Buid%5D/1?b=2"},
		{"/[a]", "a/b", "2", "/a%2Fb?b=2"},
		{"/[a]", "a?b#c", "2", "/a%3Fb%23c?b=2"},
		{"/[a]", "%2e%2e", "2", "/%252e%252e?b=2"},
		{"/[a]", "a;b=c", "2", "/a%3Bb%3Dc?b=2"},
		{"/[a]", "a b\r\nc", "2", "/a%20b%0D%0Ac?b=2"},
		{"/[a]", "[b]", "2", "/%5Bb%5D?b=2"},
		{"/[a]", "...", "&=+", "/...?b=%26%3D%2B"},
		{"/v[a]", ".1", "2", "/v.1?b=2"},
		{"/[a]", "", "2", ""},
		{"/[a]", ".", "2", ""},
		{"/[a]", "..", "2", ""},
		{"/[a]", "../b", "2", ""},
		{"/[a]", "b/..", "2", ""},
		{"/[a]", `b\..\c`, "2", ""},
		{"/[a]", "/./", "2", ""},
		{"/.[a]/x", ".", "2", ""},
		{"/[a][b]/x", ".", ".", ""},
		{"/%2e[a]", "%2e", "2", "/%2e%252e?b=2"},
	} {
		rt := registeredRoute(t, test.path, "", texts)
		got, f := rt.proxy.appendTarget(nil, rt, []any{test.a, test.b})
		if f != nil {
			got = nil
		}
		if string(got) != test.want {
			t.Errorf("%s with %q and %q: %q, want %q", test.path, test.a, test.b, got, test.want)
		}
	}
}

// FuzzTarget makes sure that no value adds anything to the path but a segment of its
// own, and nothing to the query string but its value.
func FuzzTarget(f *testing.F) {
	for _, seed := range []string{"1", "a/b", "..", "%2e%2e", "a?b#c", "é", "\x00", "a b", "a,b", `..\x`, "[a]", ""} {
		f.Add(seed, seed)
	}
	rt := registeredRoute(f, "/base/[a]/v.[a][b]/end", "", map[string]service.RequestParameter{
		"a": {Type: service.TypeString}, "b": {Type: service.TypeString}, "q": {Type: service.TypeStringList},
	})
	f.Fuzz(func(t *testing.T, a, b string) {
		if !utf8.ValidString(a) || !utf8.ValidString(b) || strings.IndexByte(a+b, 0) >= 0 {
			return // the decoders have refused it
		}
		target, failure := rt.proxy.appendTarget(nil, rt, []any{a, b, []string{a, b}})
		if failure != nil {
			return
		}
		u, err := url.ParseRequestURI(string(target))
		if err != nil {
			t.Fatalf("%q is no target: %v", target, err)
		}
		segments := strings.Split(u.EscapedPath(), "/")
		if len(segments) != 5 || segments[1] != "base" || segments[4] != "end" || u.Fragment != "" {
			t.Fatalf("%q and %q make %q", a, b, target)
		}
		if one, err := url.PathUnescape(segments[2]); err != nil || one != a || one == "." || one == ".." {
			t.Fatalf("%q became the segment %q", a, segments[2])
		}
		if two, err := url.PathUnescape(segments[3]); err != nil || two != "v."+a+b {
			t.Fatalf("%q and %q became the segment %q", a, b, segments[3])
		}
		query, err := url.ParseQuery(u.RawQuery)
		if err != nil || len(query) != 1 || len(query["q"]) != 1 {
			t.Fatalf("the query string is %q: %v", u.RawQuery, err)
		}
		list, err := service.TypeStringList.Parse(query["q"][0])
		if diff := cmp.Diff([]string{a, b}, list); err != nil || diff != "" {
			t.Fatalf("the list reads %v, %v", list, err)
		}
		for i := range target {
			if target[i] <= ' ' || target[i] > '~' {
				t.Fatalf("the target %q cannot be sent", target)
			}
		}
	})
}

var bodyParameters = map[string]service.RequestParameter{
	"s": {Type: service.TypeString, Position: service.PositionBody}, "i": {Type: service.TypeInt, Position: service.PositionBody},
	"l": {Type: service.TypeLong, Position: service.PositionBody}, "f": {Type: service.TypeFloat, Position: service.PositionBody},
	"d": {Type: service.TypeDouble, Position: service.PositionBody}, "b": {Type: service.TypeBoolean, Position: service.PositionBody},
	"sl": {Type: service.TypeStringList, Position: service.PositionBody}, "dl": {Type: service.TypeDoubleList, Position: service.PositionBody},
	"bl": {Type: service.TypeBooleanList, Position: service.PositionBody}, "ll": {Type: service.TypeLongList, Position: service.PositionBody},
}

// decodeTwice decodes a body, writes it as the backend gets it, and decodes that: what
// was read the first time is what a backend reads.
func decodeTwice(t *testing.T, rt *route, body []byte) {
	decode := (*arguments).decodeJSON
	if rt.proxy.requestType == service.ContentForm {
		decode = (*arguments).decodeForm
	}
	var first, second arguments
	if f := first.decodeQuery(rt, ""); f != nil {
		t.Fatal(f.message)
	}
	if f := decode(&first, rt, body); f != nil {
		if f.code == nil || f.code.Status != 400 || f.message == "" || len(f.message) > 1000 {
			t.Fatalf("refused with %+v", f)
		}
		return
	}
	sent := rt.proxy.appendBody(nil, rt, first.values)
	if f := second.decodeQuery(rt, ""); f != nil {
		t.Fatal(f.message)
	}
	if f := decode(&second, rt, sent); f != nil {
		if f.code == errLongParameter {
			return // escapes may be longer than what they stand for
		}
		t.Fatalf("%q was sent as %q, which is refused: %s", body, sent, f.message)
	}
	if again := rt.proxy.appendBody(nil, rt, second.values); !bytes.Equal(again, sent) {
		t.Fatalf("%q was sent as %q, which reads as %q", body, sent, again)
	}
	if rt.proxy.requestType != service.ContentForm && !json.Valid(sent) {
		t.Fatalf("%q was sent as %q", body, sent)
	}
}

// FuzzJSONBody and FuzzFormBody feed whatever to the decoders of bodies.
func FuzzJSONBody(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"s":"a\u0041\"\\\n\u2028é","i":-1,"l":9223372036854775807,"f":0.1,"d":1e300,"b":true}`, `{"sl":["a,b",""],"dl":[1,2.5],"bl":[false],"ll":[]}`,
		`{"i":1,"i":2}`, `{"x":1}`, `[]`, `{"s":null}`, `{"s":"\ud800"}`, `{"sl":["[","]"]}`, `{"i":1} x`, ` { "i" : 1 } `,
	} {
		f.Add([]byte(seed))
	}
	rt := registeredRoute(f, "/", service.ContentJSON, bodyParameters)
	f.Fuzz(func(t *testing.T, body []byte) { decodeTwice(t, rt, body) })
}

// FuzzFormBody is FuzzJSONBody for forms.
func FuzzFormBody(f *testing.F) {
	for _, seed := range []string{
		"", "s=a+b%26&i=-1&l=9223372036854775807&f=0.1&d=1e300&b=true", `sl=%5B%22a,b%22,%22%22%5D&dl=1,2.5&bl=false&ll=`, "i=1&i=2", "x=1", "s=%", "&&s=1&", "s", "sl=a,b", "sl=%5B%22%22%5D",
	} {
		f.Add([]byte(seed))
	}
	rt := registeredRoute(f, "/", service.ContentForm, bodyParameters)
	f.Fuzz(func(t *testing.T, body []byte) { decodeTwice(t, rt, body) })
}
