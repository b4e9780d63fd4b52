// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataworks_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestRegisteredAPIsAreTestedWithParametersInEveryPlace(t *testing.T) {
	var seen string
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // what does not arrive is missed below
		seen = fmt.Sprintf("%s %s %s %s", r.Method, r.URL.RequestURI(), r.Header.Get("X-Kind"), body)
		if strings.Contains(seen, "broken") {
			w.WriteHeader(http.StatusTeapot)
		}
		_, _ = io.WriteString(w, `{"seen":true}`)
	}))
	t.Cleanup(backend.Close)
	h := newHouse(t)
	create := h.script("backend_api").with("ScriptDetails", "").with("ApiMode", "2").with("RequestMethod", "1").with("RequestContentType", "1")
	parameter := func(name string, position int) string {
		return fmt.Sprintf(`{"parameterName":%q,"parameterDataType":0,"parameterOperator":0,"parameterPosition":%d,"isRequiredParameter":true}`, name, position)
	}
	details := fmt.Sprintf(`{"serviceHost":%q,"servicePath":"/things/[id]","serviceContentType":0,"registrationRequestParameters":[%s,%s,%s,%s]}`,
		backend.URL, parameter("id", 0), parameter("page", 1), parameter("X-Kind", 2), parameter("name", 3))
	api := number(h.ok("dev", "CreateDataServiceApi", create.with("RegistrationDetails", details)).data())
	in := params{
		"PathParams.1.ParamKey": "id", "PathParams.1.ParamValue": "7", "QueryParam.1.ParamKey": "page", "QueryParam.1.ParamValue": "2",
		"HeadParams.1.ParamKey": "X-Kind", "HeadParams.1.ParamValue": "big", "BodyParams.1.ParamKey": "name", "BodyParams.1.ParamValue": "Ada",
	}
	got := h.test("dev", api, in)
	if got.data("RetCode") != 0.0 || got.data("RetResult") != `{"seen":true}` || seen != `POST /things/7?page=2 big {"name":"Ada"}` {
		t.Errorf("it is %s, and the backend has seen %s", got.body, seen)
	}
	// In the wrong place they are refused, before anything is called.
	seen = ""
	for place, name := range map[string]string{"QueryParam": "X-Kind", "BodyParams": "id", "PathParams": "page", "HeadParams": "name"} {
		wrong := params{"ApiId": api, place + ".1.ParamKey": name, place + ".1.ParamValue": "x"}
		h.failed(h.send("dev", "TestDataServiceApi", wrong), 400, "InvalidParameter", "is passed elsewhere")
	}
	if seen != "" {
		t.Errorf("the backend has seen %s", seen)
	}
	// The status of a backend's error is the code.
	if got := h.test("dev", api, in.with("PathParams.1.ParamValue", "broken")); got.data("RetCode") != 418.0 {
		t.Errorf("it is %s", got.body)
	}

	// A body without declared parameters is sent as it is.
	create = create.with("ApiName", "body_api").with("ApiPath", "/body_api")
	details = fmt.Sprintf(`{"serviceHost":%q,"servicePath":"/things","serviceContentType":0}`, backend.URL)
	api = number(h.ok("dev", "CreateDataServiceApi", create.with("RegistrationDetails", details)).data())
	if got := h.test("dev", api, params{"BodyContent": `{"name":"test"}`}); got.data("RetCode") != 0.0 || seen != `POST /things  {"name":"test"}` {
		t.Errorf("it is %s, and the backend has seen %s", got.body, seen)
	}
	h.ok("rev", "PublishDataServiceApi", h.onAPI(api))
}
