// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestADebugIsHeldAgainstTheDefinition(t *testing.T) {
	for _, tt := range []struct {
		name  string
		api   func() APISpec
		debug DebugInput
		want  []string
	}{
		{"nothing", wizardAPI, DebugInput{}, nil},
		{"a value", wizardAPI, DebugInput{Parameters: map[string]string{"id": "1"}}, nil},
		{"a page of what is paged", wizardAPI, DebugInput{Parameters: map[string]string{"pageNum": "2"}}, nil},
		{"a page of what is not", validAPI, DebugInput{Parameters: map[string]string{"pageNum": "2"}}, []string{"/debug/parameters/pageNum"}},
		{"a value of another type", wizardAPI, DebugInput{Parameters: map[string]string{"id": "x"}}, []string{"/debug/parameters/id"}},
		{"a parameter that is not declared", wizardAPI, DebugInput{Parameters: map[string]string{"no": "x"}}, []string{"/debug/parameters/no"}},
		{"a constant", registeredAPI, DebugInput{Parameters: map[string]string{"cc": "yy"}}, []string{"/debug/parameters/cc"}},
		{"a body", registeredAPI, DebugInput{Body: "{}"}, nil},
		{"a body where there is none", wizardAPI, DebugInput{Body: "{}"}, []string{"/debug/body"}},
		{"a status that is none", wizardAPI, DebugInput{Expect: &DebugExpectation{Status: 99}}, []string{"/debug/expect/status"}},
		{"more rows than a debug has", wizardAPI, DebugInput{Expect: &DebugExpectation{MinRows: 11}}, []string{"/debug/expect/min_rows"}},
		{"rows of a backend", registeredAPI, DebugInput{Expect: &DebugExpectation{MinRows: 1}}, []string{"/debug/expect/min_rows"}},
		{"a text without quotation marks", wizardAPI, DebugInput{Expect: &DebugExpectation{JSON: map[string]string{"/data": "x"}}}, []string{"/debug/expect/json/~1data"}},
		{"no pointer", wizardAPI, DebugInput{Expect: &DebugExpectation{JSON: map[string]string{"data": "1"}}}, []string{"/debug/expect/json/data"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := APIInput{APISpec: tt.api().WithDefaults(), Debug: &tt.debug}
			if diff := cmp.Diff(tt.want, pointers(in.Validate())); diff != "" {
				t.Errorf("blamed fields (-want +got):\n%s", diff)
			}
		})
	}
	in := APIInput{APISpec: APISpec{}, Debug: &DebugInput{Body: "x"}}
	if got := pointers(in.Validate()); len(got) < 2 || got[0] != "/name" || got[len(got)-1] != "/debug/body" {
		t.Errorf("faults of the API and of its debug are not told at once: %v", got)
	}
}

func TestWhichTestCallIsMade(t *testing.T) {
	get := func() APISpec {
		a := registeredAPI()
		a.Method = MethodGet
		return a
	}
	example := func() APISpec {
		a := wizardAPI()
		a.RequestParameters["id"] = RequestParameter{Type: TypeLong, Required: true, Example: text("7")}
		return a
	}
	for _, tt := range []struct {
		name  string
		api   func() APISpec
		debug *DebugInput
		want  map[string]string // nil where none is made
	}{
		{"no value for what is required", wizardAPI, nil, nil},
		{"a value that is given", wizardAPI, &DebugInput{Parameters: map[string]string{"id": "1"}}, map[string]string{"id": "1"}},
		{"the example", example, nil, map[string]string{"id": "7"}},
		{"a given value goes before the example", example, &DebugInput{Parameters: map[string]string{"id": "1"}}, map[string]string{"id": "1"}},
		{"a POST that nobody asked for", registeredAPI, nil, nil},
		{"a POST that was asked for", registeredAPI, &DebugInput{Parameters: map[string]string{"uid": "u"}}, map[string]string{"uid": "u"}},
		{"a GET without the value of its path", get, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			call, why := tt.api().DebugCall(tt.debug)
			if (why != "") != (tt.want == nil) {
				t.Fatalf("it says %q", why)
			}
			if why != "" {
				return
			}
			if diff := cmp.Diff(tt.want, call.Parameters); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnAnswerIsHeldAgainstWhatIsExpected(t *testing.T) {
	rows := DebugResult{Status: 200, Rows: 1, Body: json.RawMessage(`{"data":[{"id":9007199254740993,"name":"Zoë","tags":["a",null],"at/x":{"b":1,"a":2}}],"errCode":0}`)}
	refused := DebugResult{Status: 404, Body: json.RawMessage(`{"errCode":40401}`)}
	failure := errors.New("the call failed")
	expect := func(at, want string) *DebugExpectation {
		return &DebugExpectation{JSON: map[string]string{at: want}}
	}
	for _, tt := range []struct {
		name    string
		result  DebugResult
		failure error
		expect  *DebugExpectation
		want    string // "", "failure", or the field that is blamed
	}{
		{"a success", rows, nil, nil, ""},
		{"a failure", refused, failure, nil, "failure"},
		{"a failure although rows are expected", refused, failure, &DebugExpectation{MinRows: 1}, "failure"},
		{"no answer at all", DebugResult{}, failure, &DebugExpectation{Status: 404}, "failure"},
		{"a failure that is expected", refused, failure, &DebugExpectation{Status: 404}, ""},
		{"another status than expected", rows, nil, &DebugExpectation{Status: 404}, "/debug/expect/status"},
		{"another failure than expected", refused, failure, &DebugExpectation{Status: 500}, "/debug/expect/status"},
		{"as many rows as expected", rows, nil, &DebugExpectation{MinRows: 1}, ""},
		{"fewer rows than expected", rows, nil, &DebugExpectation{MinRows: 2}, "/debug/expect/min_rows"},
		{"a text", rows, nil, expect("/data/0/name", `"Zo\u00eb"`), ""},
		{"a large number", rows, nil, expect("/data/0/id", `9007199254740993`), ""},
		{"a large number that differs in its last digit", rows, nil, expect("/data/0/id", `9007199254740992`), "/debug/expect/json/~1data~10~1id"},
		{"an object in another order", rows, nil, expect("/data/0/at~1x", ` {"a": 2, "b": 1}`), ""},
		{"an element", rows, nil, expect("/data/0/tags/1", `null`), ""},
		{
			"several at once", rows, nil, &DebugExpectation{MinRows: 2, JSON: map[string]string{"/errCode": "1", "/data/1": "1"}},
			"/debug/expect/min_rows /debug/expect/json/~1data~11 /debug/expect/json/~1errCode",
		},
		{"nothing there", rows, nil, expect("/data/1/name", `"x"`), "/debug/expect/json/~1data~11~1name"},
		{"nothing in a text", rows, nil, expect("/data/0/name/x", `"x"`), "/debug/expect/json/~1data~10~1name~1x"},
		{"the whole answer", refused, failure, &DebugExpectation{Status: 404, JSON: map[string]string{"": `{"errCode":40401}`}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := DebugInput{Expect: tt.expect}.Judge(tt.result, tt.failure)
			got := ""
			switch {
			case errors.Is(err, failure):
				got = "failure"
			case err != nil:
				got = strings.Join(pointers(err), " ")
			}
			if got != tt.want {
				t.Errorf("got %q (%v), want %q", got, err, tt.want)
			}
		})
	}
}

func TestAnUnexpectedFailureSaysWhatToDoNext(t *testing.T) {
	failure := &Error{Code: CodeDebugFailed, Message: "The backend cannot be reached.", Fields: []FieldError{
		{Pointer: "/registration/host", Message: "The backend cannot be reached. Check host."},
	}}
	err := DebugInput{Expect: &DebugExpectation{Status: 200}}.Judge(DebugResult{Status: 502}, failure)
	var e *Error
	if !errors.As(err, &e) || len(e.Fields) != 1 || e.Fields[0].Message != "The test call answered the status 502; 200 is expected. The backend cannot be reached. Check host." {
		t.Errorf("the judgement is %v", err)
	}
}
