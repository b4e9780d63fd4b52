// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

func testRoute(publication, environment string, method service.Method, path string) *route {
	return &route{publicationID: publication, environmentID: environment + "-id", environmentName: environment, method: method, path: path}
}

// found describes what a table answers to a call.
func found(tbl *table, stage, method, target string) string {
	r := httptest.NewRequest(method, target, nil)
	if stage != "" {
		r.Header.Set("x-stage", stage)
	}
	rt, f := tbl.find(r)
	if f != nil {
		return f.code.Name
	}
	return rt.publicationID
}

func TestACallFindsItsRouteByStageMethodAndPath(t *testing.T) {
	tbl := emptyTable.replace(nil, []*route{
		testRoute("get", "RELEASE", service.MethodGet, "/a/b"),
		testRoute("post", "RELEASE", service.MethodPost, "/a/b"),
		testRoute("only", "RELEASE", service.MethodPost, "/only"),
		testRoute("dev", "DEV", service.MethodGet, "/a/b"),
		testRoute("healthz", "RELEASE", service.MethodGet, "/healthz"),
	})
	for _, test := range []struct{ name, stage, method, target, want string }{
		{"RELEASE where no stage is sent", "", http.MethodGet, "/a/b?x=1", "get"},
		{"RELEASE by its name", "RELEASE", http.MethodGet, "/a/b", "get"},
		{"another method", "", http.MethodPost, "/a/b", "post"},
		{"another stage", "DEV", http.MethodGet, "/a/b", "dev"},
		{"a method of another stage", "DEV", http.MethodPost, "/a/b", "METHOD_NOT_ALLOWED"},
		{"a stage of another case", "dev", http.MethodGet, "/a/b", "STAGE_NOT_FOUND"},
		{"an unknown stage", "NONE", http.MethodGet, "/a/b", "STAGE_NOT_FOUND"},
		{"a method that is not there", "", http.MethodGet, "/only", "METHOD_NOT_ALLOWED"},
		{"HEAD is a method like others", "", http.MethodHead, "/a/b", "METHOD_NOT_ALLOWED"},
		{"a longer path", "", http.MethodGet, "/a/b/", "API_NOT_FOUND"},
		{"a shorter path", "", http.MethodGet, "/a", "API_NOT_FOUND"},
		{"a path of another case", "", http.MethodGet, "/A/b", "API_NOT_FOUND"},
		{"a doubled slash", "", http.MethodGet, "/a//b", "API_NOT_FOUND"},
		{"an encoded letter is the letter", "", http.MethodGet, "/%61/b", "get"},
		{"an encoded slash is no slash", "", http.MethodGet, "/a%2fb", "API_NOT_FOUND"},
		{"no path is reserved", "", http.MethodGet, "/healthz", "healthz"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := found(tbl, test.stage, test.method, test.target); got != test.want {
				t.Errorf("found %s, want %s", got, test.want)
			}
		})
	}
}

func TestAllowNamesEveryMethodOfThePath(t *testing.T) {
	tbl := emptyTable.replace(nil, []*route{
		testRoute("post", "RELEASE", service.MethodPost, "/a"),
		testRoute("get", "RELEASE", service.MethodGet, "/a"),
	})
	_, f := tbl.find(httptest.NewRequest(http.MethodDelete, "/a", nil))
	if f == nil || len(f.allow) != 1 || f.allow[0] != "GET, POST" {
		t.Errorf("the failure is %+v", f)
	}
}

func TestReplacingRoutesLeavesTheOldTableAsItWas(t *testing.T) {
	a := testRoute("a", "RELEASE", service.MethodGet, "/a")
	b := testRoute("b", "RELEASE", service.MethodGet, "/b")
	dev := testRoute("dev", "DEV", service.MethodGet, "/a")
	moved := testRoute("a", "RELEASE", service.MethodGet, "/moved")
	before := emptyTable.replace(nil, []*route{a, b, dev})
	after := before.replace([]*route{a, dev}, []*route{moved})
	for _, test := range []struct{ stage, target, before, after string }{
		{"", "/a", "a", "API_NOT_FOUND"},
		{"", "/b", "b", "b"},
		{"", "/moved", "API_NOT_FOUND", "a"},
		{"DEV", "/a", "dev", "STAGE_NOT_FOUND"},
	} {
		if got := found(before, test.stage, http.MethodGet, test.target); got != test.before {
			t.Errorf("%s in %q: found %s in the old table, want %s", test.target, test.stage, got, test.before)
		}
		if got := found(after, test.stage, http.MethodGet, test.target); got != test.after {
			t.Errorf("%s in %q: found %s in the new table, want %s", test.target, test.stage, got, test.after)
		}
	}
}

func TestARouteThatTookOverAPathStaysWhenTheFormerOneLeaves(t *testing.T) {
	former := testRoute("former", "RELEASE", service.MethodGet, "/a")
	heir := testRoute("heir", "RELEASE", service.MethodGet, "/a")
	tbl := emptyTable.replace(nil, []*route{former}).replace(nil, []*route{heir}).replace([]*route{former}, nil)
	if got := found(tbl, "", http.MethodGet, "/a"); got != "heir" {
		t.Errorf("found %s", got)
	}
}

func TestARenamedEnvironmentAnswersToItsNewNameAlone(t *testing.T) {
	old := testRoute("a", "DEV", service.MethodGet, "/a")
	renamed := testRoute("a", "DEV", service.MethodGet, "/a")
	renamed.environmentName = "TEST"
	tbl := emptyTable.replace(nil, []*route{old, testRoute("b", "DEV", service.MethodGet, "/b")}).replace([]*route{old}, []*route{renamed})
	for stage, want := range map[string]string{"DEV": "STAGE_NOT_FOUND", "TEST": "b"} {
		if got := found(tbl, stage, http.MethodGet, "/b"); got != want {
			t.Errorf("in %s found %s, want %s", stage, got, want)
		}
	}
}
