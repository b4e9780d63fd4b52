// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// sampleRoute has a parameter of each kind that decodes differently.
func sampleRoute(paged bool) *route {
	rt := &route{
		method: service.MethodGet, path: "/items", environmentID: "e", environmentName: "RELEASE", paged: paged,
		parameters: []parameter{
			{name: "id", kind: service.TypeLong, required: true},
			{name: "name", kind: service.TypeString},
			{name: "limit", kind: service.TypeInt, value: int64(7)},
			{name: "ids", kind: service.TypeLongList},
			{name: "price", kind: service.TypeDouble},
			{name: "active", kind: service.TypeBoolean},
		},
		index: map[string]int{},
	}
	for i, p := range rt.parameters {
		rt.index[p.name] = i
	}
	return rt
}

func TestAQueryStringBecomesTypedValues(t *testing.T) {
	for _, test := range []struct {
		name, query string
		want        []any
	}{
		{"what is absent has its default or is NULL", "id=1", []any{int64(1), nil, int64(7), nil, nil, nil}},
		{
			"all types", "id=-9223372036854775808&name=x&limit=3&ids=1,2&price=1e3&active=true",
			[]any{int64(-9223372036854775808), "x", int64(3), []int64{1, 2}, 1000.0, true},
		},
		{"percent signs and pluses", "id=%31&n%61me=a%26b+c%3D", []any{int64(1), "a&b c=", int64(7), nil, nil, nil}},
		{"UTF-8 as it is and encoded", "id=1&name=é%C3%A9", []any{int64(1), "éé", int64(7), nil, nil, nil}},
		{"an empty text is a text", "name=&id=1", []any{int64(1), "", int64(7), nil, nil, nil}},
		{"a name without a value is an empty text", "name&id=1", []any{int64(1), "", int64(7), nil, nil, nil}},
		{"only the first = separates", "id=1&name=a=b", []any{int64(1), "a=b", int64(7), nil, nil, nil}},
		{"stray ampersands mean nothing", "&&id=1&", []any{int64(1), nil, int64(7), nil, nil, nil}},
		{"a semicolon is a letter like others", "id=1&name=a;limit=4", []any{int64(1), "a;limit=4", int64(7), nil, nil, nil}},
		{"a JSON array", "id=1&ids=" + url.QueryEscape("[3, 4]"), []any{int64(1), nil, int64(7), []int64{3, 4}, nil, nil}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var a arguments
			if f := a.decode(sampleRoute(false), test.query); f != nil {
				t.Fatal(f.message)
			}
			if diff := cmp.Diff(test.want, a.values); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestABadParameterIsNamedInASentence(t *testing.T) {
	for _, test := range []struct {
		name, query string
		paged       bool
		code        *ErrorCode
		parameter   string
		message     string
	}{
		{"unknown", "id=1&colour=x", false, errUnknownParameter, "colour", `This API has no parameter "colour": remove it, or check its spelling.`},
		{"unknown by case", "ID=1", false, errUnknownParameter, "ID", `This API has no parameter "ID": remove it, or check its spelling.`},
		{"unknown, with controls and quotes", "%22%0a%1b=1", false, errUnknownParameter, "\"\n\x1b", `This API has no parameter "\"\n\x1b": remove it, or check its spelling.`},
		{"repeated", "id=1&id=2", false, errRepeatedParameter, "id", `The parameter "id" is there more than once: send it once. A list is one value with commas or a JSON array.`},
		{"repeated under another encoding", "id=1&%69d=1", false, errRepeatedParameter, "id", `The parameter "id" is there more than once: send it once. A list is one value with commas or a JSON array.`},
		{"missing", "name=x", false, errMissingParameter, "id", `The parameter "id" is required and missing: add it to the query string as LONG.`},
		{"all missing", "", false, errMissingParameter, "id", `The parameter "id" is required and missing: add it to the query string as LONG.`},
		{"mistyped", "id=1x", false, errInvalidParameter, "id", `The value of parameter "id" must be a whole number of 64 bits.`},
		{"empty where a number is due", "id=", false, errInvalidParameter, "id", `The value of parameter "id" must be a whole number of 64 bits.`},
		{"beyond 32 bits", "id=1&limit=2147483648", false, errInvalidParameter, "limit", `The value of parameter "limit" must be a whole number from -2147483648 to 2147483647.`},
		{"an element of a list", "id=1&ids=1,x", false, errInvalidParameter, "ids", `The value of parameter "ids" at position 2 must be a whole number of 64 bits.`},
		{"a NUL", "id=1&name=a%00b", false, errInvalidParameter, "name", `The value of parameter "name" must not contain the character U+0000.`},
		{"over-long", "id=1&name=" + strings.Repeat("x", MaxValueLength+1), false, errLongParameter, "name", `The value of parameter "name" has 32769 bytes; 32768 is the most.`},
		{"an over-long query", strings.Repeat("&", MaxQueryLength+1), false, errLongQuery, "", "The query string has 65537 bytes; 65536 is the most."},
		{"a broken percent sign in a value", "id=1%2", false, errMalformedQuery, "id", `The value of parameter "id" is not percent-encoded UTF-8.`},
		{"a broken percent sign in a name", "i%d=1", false, errMalformedQuery, "", `The parameter name "i%d" is not percent-encoded UTF-8.`},
		{"no UTF-8", "id=1&name=%ff", false, errMalformedQuery, "name", `The value of parameter "name" is not percent-encoded UTF-8.`},
		{"paging where there are no pages", "id=1&pageNum=1", false, errUnknownParameter, "pageNum", `This API is not paged and has no parameter "pageNum": remove it.`},
		{"page 0", "id=1&pageNum=0", true, errInvalidPage, "pageNum", `The value of parameter "pageNum" must be a whole number from 1 to 2147483647.`},
		{"a page too large", "id=1&pageSize=1001", true, errInvalidPage, "pageSize", `The value of parameter "pageSize" must be a whole number from 1 to 1000.`},
		{"a page that is no number", "id=1&pageSize=ten", true, errInvalidPage, "pageSize", `The value of parameter "pageSize" must be a whole number from 1 to 1000.`},
		{"a page twice", "id=1&pageNum=1&pageNum=1", true, errRepeatedParameter, "pageNum", `The parameter "pageNum" is there more than once: send it once. A list is one value with commas or a JSON array.`},
	} {
		t.Run(test.name, func(t *testing.T) {
			var a arguments
			f := a.decode(sampleRoute(test.paged), test.query)
			if f == nil {
				t.Fatalf("decoded as %v", a.values)
			}
			if f.code != test.code || f.parameter != test.parameter || f.message != test.message {
				t.Errorf("\n got %s, parameter %q: %s\nwant %s, parameter %q: %s",
					f.code.Name, f.parameter, f.message, test.code.Name, test.parameter, test.message)
			}
		})
	}
}

func TestPagesBeginAtOneWithTenRows(t *testing.T) {
	for query, want := range map[string][2]int{
		"id=1":                               {1, 10},
		"id=1&pageNum=3":                     {3, 10},
		"pageSize=1000&id=1":                 {1, 1000},
		"id=1&pageNum=2147483647&pageSize=1": {2147483647, 1},
	} {
		var a arguments
		if f := a.decode(sampleRoute(true), query); f != nil {
			t.Fatal(f.message)
		}
		if got := [2]int{a.pageNum, a.pageSize}; got != want {
			t.Errorf("%s: page and size are %v, want %v", query, got, want)
		}
	}
}

func TestNothingOfOneCallIsLeftForTheNext(t *testing.T) {
	var a arguments
	rt := sampleRoute(true)
	for _, query := range []string{"id=1&name=x&limit=9&pageNum=5&pageSize=5", "id=2"} {
		if f := a.decode(rt, query); f != nil {
			t.Fatal(f.message)
		}
	}
	if diff := cmp.Diff([]any{int64(2), nil, int64(7), nil, nil, nil}, a.values); diff != "" || a.pageNum != 1 || a.pageSize != 10 {
		t.Errorf("page %d, size %d, values:\n%s", a.pageNum, a.pageSize, diff)
	}
}

func TestWhatACallerSentIsRepeatedOnlyInPart(t *testing.T) {
	long := strings.Repeat("é", 5000)
	if f := unknownParameter(long); len(f.message) > 200 || !utf8.ValidString(f.message) || strings.Contains(f.message, `\x`) {
		t.Errorf("the message is %s", f.message)
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{"", "id=1", "id=%31&name=a+b", "ids=[1,2]", "ids=1,2&id=1&pageNum=2", "id=1&id=2", "%", "=", "&", "a=b;c=d", "name=%ff", "\xff=\x00"} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, query string, paged bool) {
		var a arguments
		rt := sampleRoute(paged)
		fail := a.decode(rt, query)
		if fail != nil {
			if fail.code == nil || fail.message == "" || len(fail.message) > 1000 || !utf8.ValidString(fail.message) {
				t.Errorf("%q fails with %+v", query, fail)
			}
			return
		}
		if _, ok := a.values[0].(int64); !ok || len(a.values) != len(rt.parameters) {
			t.Errorf("%q: values %v", query, a.values)
		}
		if paged != (a.pageNum >= 1 && a.pageSize >= 1) {
			t.Errorf("%q: page %d of %d", query, a.pageNum, a.pageSize)
		}
		// The standard library must agree with what was read, where it reads it at all.
		std, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		if got, ok := a.values[1].(string); ok != std.Has("name") || got != std.Get("name") {
			t.Errorf("%q: name is %q, net/url says %q", query, got, std.Get("name"))
		}
	})
}
