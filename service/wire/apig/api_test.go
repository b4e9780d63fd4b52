// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package apig_test

import (
	"fmt"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// ask makes a call that has to be answered with that status.
func (h *house) ask(member, method, path string, body any, status int) reply {
	h.t.Helper()
	got := h.send(member, method, path, body)
	if got.status != status {
		h.t.Fatalf("%s %s: %d %s, want %d", method, path, got.status, got.body, status)
	}
	return got
}

// aGroup creates a group and returns its id.
func (h *house) aGroup(name string) string {
	h.t.Helper()
	return h.ask("dev", "POST", "/api-groups", map[string]any{"name": name, "remark": "r"}, 201).text("id")
}

// registered is the body of POST /apis, with changes; nil leaves a member out.
func (h *house) registered(group string, changes ...map[string]any) map[string]any {
	body := map[string]any{
		"name": "Api_http", "type": 1, "req_protocol": "HTTPS", "req_method": "GET", "req_uri": "/test/http", "auth_type": "APP", "backend_type": "HTTP", "group_id": group,
		"auth_opt": map[string]any{"app_code_auth_type": "HEADER"}, "match_mode": "NORMAL", "remark": "Web backend API", "cors": false, "tags": []string{},
		"result_normal_sample": "ok", "result_failure_sample": "no",
		"backend_api": map[string]any{
			"url_domain": strings.TrimPrefix(h.backend.URL, "http://"), "req_protocol": "HTTP", "req_method": "GET", "req_uri": "/b/{city}", "timeout": 5000, "retry_count": "0", "vpc_channel_status": 2,
		},
		"req_params": []map[string]any{
			{"name": "city", "type": "STRING", "location": "QUERY", "required": 1, "sample_value": "Bonn", "remark": "where"},
			{"name": "n", "type": "NUMBER", "location": "QUERY", "required": 2, "default_value": "1", "valid_enable": 2, "pass_through": 1},
			{"name": "X-Lang", "type": "STRING", "location": "HEADER", "required": 2},
		},
		"backend_params": []map[string]any{
			{"origin": "REQUEST", "name": "city", "location": "PATH", "value": "city"},
			{"origin": "CONSTANT", "name": "key", "location": "QUERY", "value": "k1", "remark": "always"},
		},
	}
	for _, c := range changes {
		maps.Copy(body, c)
	}
	for name, value := range body {
		if value == nil {
			delete(body, name)
		}
	}
	return body
}

func TestABackendIsRegisteredShownChangedAndDeleted(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		h.t = t
		group := h.aGroup("weather")
		created := h.ask("dev", "POST", "/apis", h.registered(group), 201)
		id := created.text("id")
		native := must(h.API(t.Context(), h.callers["dev"], id))(t)
		bonn, one, key := "Bonn", "1", "k1"
		want := service.Definition{
			Path: "/test/http", Method: service.MethodGet, Mode: service.ModeRegistration, Protocols: []service.Protocol{service.ProtocolHTTPS}, AuthType: service.AuthApp, AllowAppCode: true, TimeoutMS: 5000,
			Registration: &service.Registration{Host: h.backend.URL, Path: "/b/[city]"}, SuccessSample: "ok", FailureSample: "no",
			RequestParameters: map[string]service.RequestParameter{
				"city":   {Type: service.TypeString, Position: service.PositionPath, Required: true, Example: &bonn, Description: "where"},
				"n":      {Type: service.TypeDouble, Default: &one},
				"X-Lang": {Type: service.TypeString, Position: service.PositionHeader},
				"key":    {Type: service.TypeString, Operator: service.OperatorConst, Default: &key, Description: "always"},
			},
		}
		if !native.Definition.Equal(want) || native.Name != "Api_http" || native.Description != "Web backend API" || native.DebugStatus != service.DebugSuccess {
			t.Errorf("it is\n%s", cmp.Diff(want.WithDefaults(), native.Definition))
		}
		shown := h.ask("dev", "GET", "/apis/"+id, nil, 200)
		if diff := cmp.Diff(created.values, shown.values); diff != "" {
			t.Errorf("it is shown otherwise than it was created: %s", diff)
		}
		domain := strings.TrimPrefix(h.backend.URL, "http://")
		for name, want := range map[string]any{
			"backend_api": map[string]any{"url_domain": domain, "req_protocol": "HTTP", "req_method": "GET", "req_uri": "/b/{city}", "timeout": 5000.0, "vpc_channel_status": 2.0},
			"req_params": []any{
				map[string]any{"name": "X-Lang", "type": "STRING", "location": "HEADER", "required": 2.0, "valid_enable": 2.0, "pass_through": 1.0},
				map[string]any{"name": "city", "type": "STRING", "location": "QUERY", "required": 1.0, "valid_enable": 2.0, "pass_through": 1.0, "sample_value": "Bonn", "remark": "where"},
				map[string]any{"name": "n", "type": "NUMBER", "location": "QUERY", "required": 2.0, "valid_enable": 2.0, "pass_through": 1.0, "default_value": "1"},
			},
			"backend_params": []any{
				map[string]any{"origin": "REQUEST", "name": "X-Lang", "location": "HEADER", "value": "X-Lang"},
				map[string]any{"origin": "REQUEST", "name": "city", "location": "PATH", "value": "city"},
				map[string]any{"origin": "CONSTANT", "name": "key", "location": "QUERY", "value": "k1", "remark": "always"},
				map[string]any{"origin": "REQUEST", "name": "n", "location": "QUERY", "value": "n"},
			},
			"auth_opt": map[string]any{"app_code_auth_type": "HEADER"}, "group_name": "weather", "type": 1.0, "status": 1.0, "register_time": "2020-08-03T01:36:00Z",
		} {
			if diff := cmp.Diff(want, shown.values[name]); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}

		// What is read and sent back changes nothing, and what the vendor has no words for stays.
		spec := native.APISpec
		spec.RequestParameters = maps.Clone(spec.RequestParameters)
		spec.RequestParameters["n"] = service.RequestParameter{Type: service.TypeInt, Default: &one}
		spec.RateLimit = &service.RateLimit{Requests: 5}
		must(h.UpdateAPI(t.Context(), h.callers["dev"], id, "", service.APIInput{APISpec: spec}))(t)
		again := h.ask("dev", "GET", "/apis/"+id, nil, 200)
		h.ask("dev", "PUT", "/apis/"+id, again.values, 200)
		if now := must(h.API(t.Context(), h.callers["dev"], id))(t); now.Revision != 2 || now.RateLimit == nil || now.RequestParameters["n"].Type != service.TypeInt {
			t.Errorf("sent back, it is revision %d: %+v", now.Revision, now.Definition)
		}
		h.ask("dev", "PUT", "/apis/"+id, h.registered(group, map[string]any{"remark": "another", "req_uri": "/other", "type": 2, "req_protocol": "BOTH"}), 200)
		if now := must(h.API(t.Context(), h.callers["dev"], id))(t); now.Revision != 3 || now.Description != "another" || now.Path != "/other" || now.Visibility != service.VisibilityPrivate || len(now.Protocols) != 2 {
			t.Errorf("changed, it is %+v", now)
		}
		h.ask("dev", "PUT", "/apis/"+id, h.registered(group), 200)
		h.refused(h.send("dev", "POST", "/apis", h.registered(group, map[string]any{"req_uri": "/elsewhere"})), 400, "APIG.3202", "The API name already exists")

		h.ask("rev", "POST", "/apis/action", action("online", id), 201)
		h.refused(h.send("dev", "DELETE", "/apis/"+id, nil), 403, "APIG.3416", "The API \"Api_http\" is still held")
		h.refused(h.send("dev", "DELETE", "/api-groups/"+group, nil), 403, "APIG.3415", "The group \"weather\" still holds")
		h.ask("rev", "POST", "/apis/action", action("offline", id), 201)
		h.ask("dev", "DELETE", "/apis/"+id, nil, 204)
		h.refused(h.send("dev", "DELETE", "/apis/"+id, nil), 404, "APIG.3002", "API "+id+" does not exist")
		h.refused(h.send("dev", "PUT", "/apis/"+id, h.registered(group)), 404, "APIG.3002", "API "+id+" does not exist")
		h.ask("dev", "DELETE", "/api-groups/"+group, nil, 204)
	})
}

func TestWhatCannotBeRegisteredIsRefusedAndNothingIsMade(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		h.t = t
		group := h.aGroup("weather")
		sql := h.api("numbers_api")
		domain := strings.TrimPrefix(h.backend.URL, "http://")
		backend := func(name string, value any) map[string]any {
			b := map[string]any{"url_domain": domain, "req_protocol": "HTTP", "req_uri": "/b", "timeout": 5000}
			b[name] = value
			return map[string]any{"backend_api": b, "req_params": nil, "backend_params": nil}
		}
		param := func(name string, value any) map[string]any {
			p := map[string]any{"name": "q", "type": "STRING", "location": "QUERY"}
			p[name] = value
			return map[string]any{"req_params": []any{p}, "backend_params": nil, "backend_api": backend("req_method", "GET")["backend_api"]}
		}
		passed := func(p map[string]any) map[string]any {
			change := param("remark", "")
			change["backend_params"] = []any{p}
			return change
		}
		for _, test := range []struct {
			name      string
			change    map[string]any
			parameter string
		}{
			{"a mock", map[string]any{"backend_type": "MOCK", "mock_info": map[string]any{"result_content": "ok"}}, "backend_type"},
			{"a function", map[string]any{"backend_type": "FUNCTION", "func_info": map[string]any{"function_urn": "u"}}, "backend_type"},
			{"no name", map[string]any{"name": nil}, "name"},
			{"no type", map[string]any{"type": nil}, "type"},
			{"another type", map[string]any{"type": 3}, "type"},
			{"a type that is a text", map[string]any{"type": "1"}, "type"},
			{"no protocol", map[string]any{"req_protocol": nil}, "req_protocol"},
			{"another protocol", map[string]any{"req_protocol": "GRPCS"}, "req_protocol"},
			{"another method", map[string]any{"req_method": "ANY"}, "req_method"},
			{"no path", map[string]any{"req_uri": nil}, "req_uri"},
			{"a path with a placeholder", map[string]any{"req_uri": "/a/{b}"}, "req_uri"},
			{"another way to authenticate", map[string]any{"auth_type": "AUTHORIZER"}, "auth_type"},
			{"an AppCode elsewhere", map[string]any{"auth_opt": map[string]any{"app_code_auth_type": "QUERY"}}, "auth_opt.app_code_auth_type"},
			{"a prefix", map[string]any{"match_mode": "SWA"}, "match_mode"},
			{"no group", map[string]any{"group_id": nil}, "group_id"},
			{"a short name", map[string]any{"name": "a"}, "name"},
			{"CORS", map[string]any{"cors": true}, "cors"},
			{"tags", map[string]any{"tags": []string{"a"}}, "tags"},
			{"a version", map[string]any{"version": "V1"}, "version"},
			{"a policy", map[string]any{"policy_https": []any{map[string]any{"name": "p"}}}, "policy_https"},
			{"another content type", map[string]any{"content_type": "multipart/form-data"}, "content_type"},
			{"no address", backend("url_domain", ""), "backend_api.url_domain"},
			{"an address that is none", backend("url_domain", "a b"), "backend_api"},
			{"another method at the backend", backend("req_method", "POST"), "backend_api.req_method"},
			{"another protocol at the backend", backend("req_protocol", "GRPC"), "backend_api.req_protocol"},
			{"a channel", backend("vpc_channel_status", 1), "backend_api.vpc_channel_status"},
			{"repetitions", backend("retry_count", "3"), "backend_api.retry_count"},
			{"no timeout", backend("timeout", 0), "backend_api.timeout"},
			{"a long timeout", backend("timeout", 60000), "backend_api.timeout"},
			{"a certificate", backend("enable_client_ssl", true), "backend_api.enable_client_ssl"},
			{"a backend that fails", backend("req_uri", "/broken"), "backend_api"},
			{"a backend that is not there", backend("url_domain", "127.0.0.1:1"), "backend_api"},
			{"a parameter of the path", param("location", "PATH"), "req_params.location"},
			{"a cookie", param("location", "COOKIE"), "req_params.location"},
			{"a parameter of another type", param("type", "OBJECT"), "req_params.type"},
			{"a rule for values", param("regular", "a.*"), "req_params.regular"},
			{"a parameter that is not passed on", param("pass_through", 2), "req_params.pass_through"},
			{"a parameter twice", map[string]any{"req_params": []any{map[string]any{"name": "a", "type": "STRING", "location": "QUERY"}, map[string]any{"name": "a", "type": "STRING", "location": "HEADER"}}}, "req_params.name"},
			{"another name at the backend", passed(map[string]any{"origin": "REQUEST", "name": "p", "location": "QUERY", "value": "q"}), "backend_params.name"},
			{"another place at the backend", passed(map[string]any{"origin": "REQUEST", "name": "q", "location": "HEADER", "value": "q"}), "backend_params.location"},
			{"what is not declared", passed(map[string]any{"origin": "REQUEST", "name": "x", "location": "QUERY", "value": "x"}), "backend_params.value"},
			{"a constant that callers pass", passed(map[string]any{"origin": "CONSTANT", "name": "q", "location": "QUERY", "value": "x"}), "backend_params.name"},
			{"a system parameter", passed(map[string]any{"origin": "SYSTEM", "name": "s", "location": "HEADER", "value": "$context.sourceIp"}), "backend_params.origin"},
		} {
			t.Run(test.name, func(t *testing.T) {
				h.t = t
				before := h.traces()
				h.refused(h.send("dev", "POST", "/apis", h.registered(group, test.change)), 400, "APIG.2011", "Invalid parameter value,parameterName:"+test.parameter+". ")
				if h.traces() != before {
					t.Error("something has changed")
				}
			})
		}
		h.t = t
		h.refused(h.send("dev", "POST", "/apis", h.registered("none")), 404, "APIG.3001", "API group none does not exist")
		h.refused(h.send("guest", "POST", "/apis", h.registered(group)), 403, "APIG.1005", "No permissions")
		h.refused(h.send("dev", "POST", "/apis", "x"), 400, "APIG.2000", "The request body")
		h.refused(h.send("dev", "PUT", "/apis/"+sql.ID, h.registered(group)), 400, "APIG.2011", "Invalid parameter value,parameterName:backend_type. ")
	})
}

func TestAnAPIThatSQLAnswersIsShownAsTrulyAsTheShapeAllows(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		h.t = t
		in := h.definition("numbers_api", 1)
		ten := "10"
		in.Script = &service.Script{SQL: "SELECT n FROM numbers WHERE n <= ${most} ORDER BY n", Paged: true}
		in.RequestParameters = map[string]service.RequestParameter{"most": {Type: service.TypeInt, Required: true, Example: &ten}}
		in.Visibility = service.VisibilityPrivate
		api := must(h.CreateAPI(t.Context(), h.callers["dev"], in))(t)
		shown := h.ask("dev", "GET", "/apis/"+api.ID, nil, 200)
		want := map[string]any{
			"id": api.ID, "name": "numbers_api", "type": 2.0, "req_protocol": "BOTH", "req_method": "GET", "req_uri": "/numbers_api", "auth_type": "NONE", "cors": false, "match_mode": "NORMAL",
			"backend_type": "HTTP", "group_id": "", "remark": "", "status": 1.0, "register_time": "2020-08-03T01:36:00Z", "update_time": "2020-08-03T01:36:00Z",
			"backend_api": map[string]any{"remark": "A SQL statement of this service on the connection " + h.conn.ID, "timeout": 10000.0},
			"req_params": []any{
				map[string]any{"name": "most", "type": "NUMBER", "location": "QUERY", "required": 1.0, "valid_enable": 2.0, "sample_value": "10"},
				map[string]any{"name": "pageNum", "type": "NUMBER", "location": "QUERY", "required": 2.0, "valid_enable": 2.0},
				map[string]any{"name": "pageSize", "type": "NUMBER", "location": "QUERY", "required": 2.0, "valid_enable": 2.0},
			},
		}
		if diff := cmp.Diff(want, shown.values); diff != "" {
			t.Error(diff)
		}
	})
}

func TestWhereAnAPIIsPublishedIsToldNewestFirst(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		h.t = t
		api := h.api("numbers_api")
		var ids, names, publications, times []string
		for _, name := range []string{"", "DEV", "TEST"} {
			id := release
			if name != "" {
				id = h.ask("admin", "POST", "/envs", map[string]any{"name": name}, 201).text("id")
			} else {
				name = "RELEASE"
			}
			h.now = h.now.Add(time.Minute)
			body := action("online", api.ID)
			body["env_id"] = id
			made := h.ask("rev", "POST", "/apis/action", body, 201)
			ids, names, publications, times = append([]string{id}, ids...), append([]string{name}, names...), append([]string{made.text("publish_id")}, publications...), append([]string{made.text("publish_time")}, times...)
		}
		for _, got := range []reply{h.ask("dev", "GET", "/apis/"+api.ID, nil, 200), {values: h.ask("dev", "GET", "/apis", nil, 200).values["apis"].([]any)[0].(map[string]any)}} {
			for name, want := range map[string][]string{"run_env_id": ids, "run_env_name": names, "publish_id": publications, "publish_time": times} {
				if got.text(name) != strings.Join(want, "|") {
					t.Errorf("%s is %s, want %s", name, got.text(name), strings.Join(want, "|"))
				}
			}
		}
	})
}

func TestAPIsAreFilteredAndPaged(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		h.t = t
		group := h.aGroup("weather")
		registered := h.ask("dev", "POST", "/apis", h.registered(group), 201).text("id")
		h.now = h.now.Add(time.Minute) // lists go by the time of making
		live := h.api("live_numbers")
		h.now = h.now.Add(time.Minute)
		h.ask("rev", "POST", "/apis/action", action("online", live.ID), 201)
		private := h.definition("PRIVATE_api", 1)
		private.Visibility, private.Method = service.VisibilityPrivate, service.MethodPost
		must(h.CreateAPI(t.Context(), h.callers["dev"], private))(t)
		list := func(query string) (found string) {
			t.Helper()
			got := h.ask("dev", "GET", "/apis?"+query, nil, 200)
			apis := got.values["apis"].([]any)
			for _, a := range apis {
				found += a.(map[string]any)["name"].(string) + " "
			}
			if got.values["size"] != float64(len(apis)) {
				t.Errorf("%s: size %v of %d", query, got.values["size"], len(apis))
			}
			return strings.TrimSpace(found)
		}
		for query, want := range map[string]string{
			"":                                  "Api_http live_numbers PRIVATE_api",
			"name=API":                          "Api_http PRIVATE_api",
			"name=Api_http&precise_search=name": "Api_http",
			"name=Api&precise_search=name":      "",
			"id=" + live.ID:                     "live_numbers",
			"group_id=" + group:                 "Api_http",
			"req_protocol=HTTPS":                "Api_http",
			"req_method=POST":                   "PRIVATE_api",
			"req_uri=/TEST":                     "Api_http",
			"req_uri=/test&precise_search=name,req_uri": "",
			"auth_type=NONE":       "live_numbers PRIVATE_api",
			"auth_type=AUTHORIZER": "",
			"type=2":               "PRIVATE_api",
			"env_id=" + release:    "live_numbers",
			"offset=1&limit=1":     "live_numbers",
			"offset=-1&limit=-1":   "Api_http live_numbers PRIVATE_api",
			"offset=3":             "",
		} {
			if got := list(query); got != want {
				t.Errorf("%q: %q, want %q", query, got, want)
			}
		}
		full := h.ask("dev", "GET", "/apis?return_data_mode=include_group,include_group_backend&id="+registered, nil, 200).values["apis"].([]any)[0].(map[string]any)
		if full["api_group_info"].(map[string]any)["name"] != "weather" || full["backend_api"].(map[string]any)["req_uri"] != "/b/{city}" || full["group_name"] != "weather" {
			t.Errorf("with group and backend: %v", full)
		}
		for query, parameter := range map[string]string{
			"limit=x": "limit", "offset=1.5": "offset", "type=3": "type", "auth_type=x": "auth_type", "req_protocol=x": "req_protocol", "tags=a": "tags", "vpc_channel_name=a": "vpc_channel_name", "return_data_mode=x": "return_data_mode",
		} {
			h.refused(h.send("dev", "GET", "/apis?"+query, nil), 400, "APIG.2012", "Invalid parameter value,parameterName:"+parameter+". ")
		}
		h.refused(h.send("dev", "GET", "/apis?env_id=none", nil), 404, "APIG.3003", "Environment none does not exist")
		h.refused(h.send("guest", "GET", "/apis", nil), 403, "APIG.1005", "No permissions")
	})
}

// many stores 250 APIs, as fast as the store takes them.
func (h *house) many() map[string]bool {
	h.t.Helper()
	names := map[string]bool{}
	err := h.store.Update(h.t.Context(), func(tx lifecycle.Tx) error {
		clear(names)
		for i := range 250 {
			at := h.now.Add(time.Duration(i) * time.Millisecond)
			in := h.definition(fmt.Sprintf("many_%03d", i), 1)
			names[in.Name] = true
			api := service.API{
				ID: service.NewID(at), WorkspaceID: h.admin.Workspace.ID, APISpec: in.APISpec.WithDefaults(), Revision: 1, DebugStatus: service.DebugSuccess,
				OwnerID: h.callers["dev"].Member.ID, OwnerName: "dev", CreatedAt: at, UpdatedAt: at, RowVersion: 1,
			}
			if err := tx.CreateAPI(h.t.Context(), &api); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return names
}

func TestAClientPagesThrough250WithoutMissingOrDoublingOne(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		h.t = t
		for _, limit := range []int{7, 20, 100, 500, 1000} {
			left := map[string]bool{}
			if limit == 7 {
				left = h.many()
			} else {
				for i := range 250 {
					left[fmt.Sprintf("many_%03d", i)] = true
				}
			}
			for offset, calls := 0, 0; ; calls++ {
				got := h.ask("dev", "GET", "/apis?"+url.Values{"offset": {fmt.Sprint(offset)}, "limit": {fmt.Sprint(limit)}}.Encode(), nil, 200)
				apis := got.values["apis"].([]any)
				for _, a := range apis {
					name := a.(map[string]any)["name"].(string)
					if !left[name] {
						t.Fatalf("limit %d: %s comes twice", limit, name)
					}
					delete(left, name)
				}
				if offset += len(apis); len(apis) == 0 || calls > 250 {
					break
				}
				if got.values["total"] != 250.0 || len(apis) > 500 {
					t.Fatalf("limit %d: %d of %v", limit, len(apis), got.values["total"])
				}
			}
			if len(left) > 0 {
				t.Errorf("limit %d: %d are missing", limit, len(left))
			}
		}
	})
}
