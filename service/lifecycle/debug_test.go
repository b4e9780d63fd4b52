// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// upTo answers the numbers up to one that the caller passes.
func (h *house) upTo(name string) service.APIInput {
	in := h.definition(name, 1)
	in.Script = &service.Script{SQL: "SELECT n FROM numbers WHERE n <= ${max} ORDER BY n"}
	in.RequestParameters = map[string]service.RequestParameter{"max": {Type: service.TypeLong, Required: true}}
	return in
}

// expectations are of a debug that answers the rows 1 to 3.
var expectations = []struct {
	name    string
	max     string
	expect  service.DebugExpectation
	pointer string
	say     string
}{
	{"nothing", "3", service.DebugExpectation{}, "", ""},
	{"the status", "3", service.DebugExpectation{Status: 200}, "", ""},
	{"another status", "3", service.DebugExpectation{Status: 404}, "/debug/expect/status", "answered the status 200; 404 is expected"},
	{"as many rows", "3", service.DebugExpectation{MinRows: 3}, "", ""},
	{"more rows", "3", service.DebugExpectation{MinRows: 4}, "/debug/expect/min_rows", "too few rows: 3, and at least 4 are expected"},
	{"ten of many rows", "100", service.DebugExpectation{MinRows: 10}, "", ""},
	{"a value", "3", service.DebugExpectation{JSON: map[string]string{"/data/2/n": "3", "/errCode": "0"}}, "", ""},
	{"a whole row", "3", service.DebugExpectation{JSON: map[string]string{"/data/0": `{ "n": 1 }`}}, "", ""},
	{"another value", "3", service.DebugExpectation{JSON: map[string]string{"/data/0/n": "2"}}, "/debug/expect/json/~1data~10~1n", `has 1 at "/data/0/n"; 2 is expected`},
	{"a value of another type", "3", service.DebugExpectation{JSON: map[string]string{"/data/0/n": `"1"`}}, "/debug/expect/json/~1data~10~1n", `"1" is expected`},
	{"a value where there is nothing", "3", service.DebugExpectation{JSON: map[string]string{"/data/3/n": "4"}}, "/debug/expect/json/~1data~13~1n", `nothing at "/data/3/n"`},
}

func TestADebugThatDoesNotAnswerWhatIsExpectedStoresNothing(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		dev := h.member(t, "dev", service.RoleDeveloper, false)
		kept := must(h.CreateAPI(h.ctx, dev, h.upTo("kept")))(t)
		for i, test := range expectations {
			t.Run(test.name, func(t *testing.T) {
				in := h.upTo("new_" + string(rune('a'+i)))
				in.Debug = &service.DebugInput{Parameters: map[string]string{"max": test.max}, Expect: &test.expect}
				created, err := h.CreateAPI(h.ctx, dev, in)
				change := in
				change.Name, change.Path, change.Description = kept.Name, kept.Path, "with "+test.name
				updated, updateErr := h.UpdateAPI(h.ctx, dev, kept.ID, "", change)
				if test.pointer == "" {
					if err != nil || created.DebugStatus != service.DebugSuccess {
						t.Errorf("created with the debug status %q, %v", created.DebugStatus, err)
					}
					if updateErr != nil || updated.DebugStatus != service.DebugSuccess {
						t.Errorf("updated with the debug status %q, %v", updated.DebugStatus, updateErr)
					}
					return
				}
				for _, err := range []error{err, updateErr} {
					if got := pointers(err); got != test.pointer {
						t.Errorf("%v points at %q, want %q", err, got, test.pointer)
					}
					var e *service.Error
					if !errors.As(err, &e) || e.Code != service.CodeDebugFailed || !strings.Contains(e.Fields[0].Message, test.say) {
						t.Errorf("%+v does not say %q", e, test.say)
					}
				}
				if _, err := h.API(h.ctx, dev, in.Name); service.ErrorCode(err) != service.CodeNotFound {
					t.Errorf("the API that was not to be created: %v", err)
				}
				if now := must(h.API(h.ctx, dev, kept.ID))(t); now.Description == change.Description {
					t.Error("the update was stored")
				}
			})
		}
	})
}

func TestAFailureThatADebugExpectsProvesTheAPI(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	dev := h.member(t, "dev", service.RoleDeveloper, false)
	in := h.definition("failing", 1)
	in.Script = &service.Script{SQL: "SELECT abs(-9223372036854775808 + n - 1) AS n FROM numbers WHERE n = ${id}"}
	in.RequestParameters = map[string]service.RequestParameter{"id": {Type: service.TypeLong, Required: true, Example: ptr("1")}}
	_, err := h.CreateAPI(h.ctx, dev, in)
	wantCode(t, err, service.CodeDebugFailed, "answered 502", "integer overflow")
	in.Debug = &service.DebugInput{Expect: &service.DebugExpectation{Status: 502, JSON: map[string]string{"/errCode": "50201", "/data": "null"}}}
	if api := must(h.CreateAPI(h.ctx, dev, in))(t); api.DebugStatus != service.DebugSuccess {
		t.Errorf("the debug status is %q", api.DebugStatus)
	}
	in.Name, in.Path, in.Debug.Expect = "failing_otherwise", "/otherwise", &service.DebugExpectation{Status: 504}
	_, err = h.CreateAPI(h.ctx, dev, in)
	wantCode(t, err, service.CodeDebugFailed)
	if got := pointers(err); got != "/debug/expect/status" {
		t.Errorf("%v points at %q", err, got)
	}
}

func ptr[T any](v T) *T { return &v }
