// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

func TestStringsAreJSON(t *testing.T) {
	for _, s := range []string{
		"", "plain", `quote " and \ backslash`, "tab\tnew\nline\rreturn", "\x00\x01\x1f\x7f", "é, 日本, 🙂", "<b>&amp;</b>",
		"\u2028", "bad \xff\xc3 utf-8 \xe2\x82", "' OR 1=1 --", strings.Repeat("x", 5000),
	} {
		checkString(t, s)
	}
}

func FuzzStringsAreJSON(f *testing.F) {
	f.Add("a\"\\\n\x00é\xff")
	f.Fuzz(checkString)
}

func checkString(t *testing.T, s string) {
	t.Helper()
	out := appendString(nil, []byte(s))
	var back string
	if err := json.Unmarshal(out, &back); err != nil {
		t.Fatalf("%q became %s: %v", s, out, err)
	}
	if want := strings.ToValidUTF8(s, "\ufffd"); utf8.ValidString(s) && back != want {
		t.Errorf("%q became %s", s, out)
	}
	// encoding/json says how each bad byte is replaced.
	encoded, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var want string
	if err := json.Unmarshal(encoded, &want); err != nil {
		t.Fatal(err)
	}
	if back != want {
		t.Errorf("%q became %q, want %q", s, back, want)
	}
}

func TestTextConvertsToItsDeclaredType(t *testing.T) {
	const no = "(no)"
	for _, c := range []struct {
		text string
		typ  service.ParameterType
		want string
	}{
		{"0", service.TypeInt, "0"},
		{"-0", service.TypeInt, "0"},
		{"007", service.TypeInt, "7"},
		{"2147483647", service.TypeInt, "2147483647"},
		{"2147483648", service.TypeInt, no},
		{"-2147483648", service.TypeInt, "-2147483648"},
		{"-2147483649", service.TypeInt, no},
		{"9223372036854775807", service.TypeLong, "9223372036854775807"},
		{"9223372036854775808", service.TypeLong, no},
		{"-9223372036854775808", service.TypeLong, "-9223372036854775808"},
		{"-9223372036854775809", service.TypeLong, no},
		{"99999999999999999999999999", service.TypeLong, no},
		{"0000000000000000000000000000012", service.TypeLong, "12"},
		{"12.000", service.TypeLong, "12"},
		{"12.", service.TypeLong, "12"},
		{"12.5", service.TypeLong, no},
		{".0", service.TypeLong, no},
		{"1e3", service.TypeLong, no},
		{"+1", service.TypeLong, no},
		{"", service.TypeLong, no},
		{"-", service.TypeLong, no},
		{"abc", service.TypeLong, no},
		{" 1", service.TypeLong, no},
		{"123456789012345678901234567890.123456789", service.TypeDouble, "123456789012345678901234567890.123456789"},
		{"1e-07", service.TypeDouble, "1e-07"},
		{"-1.5E+300", service.TypeFloat, "-1.5E+300"},
		{"0.10", service.TypeDouble, "0.10"},
		{"NaN", service.TypeDouble, no},
		{"Infinity", service.TypeDouble, no},
		{"-Infinity", service.TypeDouble, no},
		{"01", service.TypeDouble, no},
		{"1.", service.TypeDouble, no},
		{".5", service.TypeDouble, no},
		{"1e", service.TypeDouble, no},
		{"", service.TypeDouble, no},
		{"1 ", service.TypeDouble, no},
		{"t", service.TypeBoolean, "true"},
		{"false", service.TypeBoolean, "false"},
		{"1", service.TypeBoolean, "true"},
		{"2", service.TypeBoolean, no},
		{"TRUE", service.TypeBoolean, no},
		{"a\"b", service.TypeString, `"a\"b"`},
	} {
		got := no
		if out, ok := appendText(nil, []byte(c.text), c.typ); ok {
			got = string(out)
			if !json.Valid(out) {
				t.Errorf("%q as %s is no JSON: %s", c.text, c.typ, got)
			}
		}
		if got != c.want {
			t.Errorf("%q as %s: got %s, want %s", c.text, c.typ, got, c.want)
		}
	}
}

func FuzzNumbersAreJSON(f *testing.F) {
	f.Add("12.50")
	f.Add("-0.1e+5")
	f.Fuzz(func(t *testing.T, text string) {
		for _, typ := range []service.ParameterType{service.TypeInt, service.TypeLong, service.TypeDouble, service.TypeBoolean} {
			if out, ok := appendText(nil, []byte(text), typ); ok && !json.Valid(out) {
				t.Errorf("%q as %s became %s", text, typ, out)
			}
		}
		for _, element := range []service.ParameterType{service.TypeString, service.TypeLong} {
			if out, ok := appendJSONList(nil, []byte(text), element); ok && !json.Valid(out) {
				t.Errorf("%q as a list of %s became %s", text, element, out)
			}
			if out, ok := appendArray(nil, []byte(text), encoderOf(element, 25)); ok && !json.Valid(out) {
				t.Errorf("%q as an array of %s became %s", text, element, out)
			}
		}
		if out := appendTimestamp(nil, []byte(strings.ToValidUTF8(text, "")), false); !json.Valid(out) && !strings.ContainsAny(text, "\"\\\x00\n\r\t") {
			t.Skip("only the server writes timestamps")
		}
	})
}

func TestFloatsAreShortestJSON(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0", 1: "1", 0.1: "0.1", 1e6: "1000000", 1e20: "100000000000000000000", 1e21: "1e+21", 1e-7: "1e-07", -2.5: "-2.5",
		math.MaxFloat64: "1.7976931348623157e+308", 123456789.125: "123456789.125",
	} {
		if out, ok := appendFloat(nil, f); !ok || string(out) != want {
			t.Errorf("%g: got %s, want %s", f, out, want)
		}
	}
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if out, ok := appendFloat(nil, f); ok {
			t.Errorf("%g became %s", f, out)
		}
	}
}

func TestArraysOfPostgreSQL(t *testing.T) {
	const no = "(no)"
	for _, c := range []struct {
		text    string
		element service.ParameterType
		want    string
	}{
		{"{}", service.TypeString, "[]"},
		{"{a}", service.TypeString, `["a"]`},
		{`{a,"b c",NULL,"NULL","",null}`, service.TypeString, `["a","b c",null,"NULL","","null"]`},
		{`{"a\"b","c\\d","e,f","{g}"}`, service.TypeString, `["a\"b","c\\d","e,f","{g}"]`},
		{"{1,-2,NULL}", service.TypeLong, "[1,-2,null]"},
		{"[0:1]={1,2}", service.TypeLong, "[1,2]"},
		{"{{1,2},{3,4}}", service.TypeLong, no},
		{"{t,f}", service.TypeBoolean, "[true,false]"},
		{"{1.50,NaN}", service.TypeDouble, no},
		{"{a,}", service.TypeString, no},
		{"{,}", service.TypeString, no},
		{`{"a}`, service.TypeString, no},
		{`{"a\`, service.TypeString, no},
		{`{"a"b}`, service.TypeString, no},
		{"", service.TypeString, no},
		{"{", service.TypeString, no},
		{"[1", service.TypeString, no},
	} {
		got := no
		if out, ok := appendArray(nil, []byte(c.text), encoderOf(c.element, 25)); ok {
			got = string(out)
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", c.text, got, c.want)
		}
	}
}
