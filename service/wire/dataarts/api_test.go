// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataarts_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// table is the body of a request for an API that reads the table.
func (h *house) table(name string) object {
	return object{
		"catalog_id": "0", "name": name, "description": "d", "api_type": "API_SPECIFIC_TYPE_CONFIGURATION", "auth_type": "APP", "manager": "rev",
		"path": "/" + name, "protocol": "PROTOCOL_TYPE_HTTP", "request_type": "REQUEST_TYPE_GET", "visibility": "WORKSPACE",
		"request_paras": []object{
			{"name": "day", "position": "REQUEST_PARAMETER_POSITION_QUERY", "type": "REQUEST_PARAMETER_TYPE_STRING", "necessary": true, "example_value": "2021-01-01", "default_value": ""},
			{"name": "least", "position": "REQUEST_PARAMETER_POSITION_QUERY", "type": "REQUEST_PARAMETER_TYPE_NUMBER", "description": "of the ids", "necessary": false, "example_value": "", "default_value": "1"},
		},
		"datasource_config": object{
			"type": "SQLITE", "connection_name": "shop", "connection_id": h.conn.ID, "database": "shop.db", "datatable": "orders", "table_id": "NATIVE-x", "access_mode": "SQL", "pagination": "DEFAULT",
			"backend_paras":  []object{{"name": "least", "mapping": "id", "condition": "CONDITION_TYPE_EQ"}, {"name": "day", "mapping": "day", "condition": "CONDITION_TYPE_LIKE"}},
			"response_paras": []object{{"name": "number", "field": "id", "type": "REQUEST_PARAMETER_TYPE_NUMBER", "description": "its number", "example_value": "1"}, {"name": "total", "field": "total", "type": "REQUEST_PARAMETER_TYPE_NUMBER"}},
			"order_paras":    []object{{"name": "o2", "field": "total", "sort": "DESC", "order": 2, "optional": false}, {"name": "o1", "field": "day", "sort": "ASC", "order": 1, "optional": false}},
		},
		"backend_config": object{},
	}
}

// maybe is a text that is there.
func maybe(text string) *string { return &text }

func TestAnAPIThatReadsATableIsTheSameThroughBothFaces(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		id := h.create(h.table("orders_api"))
		api := must(h.API(t.Context(), h.callers["dev"], id))(t)
		want := service.APISpec{
			Name: "orders_api", Description: "d", Visibility: service.VisibilityWorkspace,
			Definition: service.Definition{
				Path: "/orders_api", Method: service.MethodGet, Mode: service.ModeWizard, AuthType: service.AuthApp, ConnectionID: h.conn.ID, Protocols: []service.Protocol{service.ProtocolHTTP},
				Wizard: &service.Wizard{Table: "orders", Paged: true, OrderBy: []service.WizardOrder{{Column: "day"}, {Column: "total", Descending: true}}},
				RequestParameters: map[string]service.RequestParameter{
					"day":   {Type: service.TypeString, Operator: service.OperatorLike, Required: true, Example: maybe("2021-01-01")},
					"least": {Type: service.TypeDouble, Column: "id", Default: maybe("1"), Description: "of the ids"},
				},
				ResponseParameters: map[string]service.ResponseParameter{
					"number": {Type: service.TypeDouble, Column: "id", Example: maybe("1"), Description: "its number"}, "total": {Type: service.TypeDouble},
				},
			},
		}
		if diff := cmp.Diff(want.WithDefaults(), api.APISpec); diff != "" {
			t.Errorf("natively it is another one: %s", diff)
		}

		got := h.got("dev", "GET", "/apis/"+id, nil)
		body := object{
			"id": id, "name": "orders_api", "catalog_id": "0", "group_id": "", "description": "d", "protocol": "PROTOCOL_TYPE_HTTP", "publish_type": "PUBLISH_TYPE_PUBLIC", "visibility": "WORKSPACE",
			"log_flag": true, "auth_type": "APP", "path": "/orders_api", "host": "", "hosts": nil, "request_type": "REQUEST_TYPE_GET", "create_user": "dev",
			// 13 digits.
			"create_time": 1609147800000.0, "update_time": 1609147800000.0,
			"manager": "rev", "status": "API_STATUS_CREATED", "type": "API_SPECIFIC_TYPE_CONFIGURATION", "debug_status": "API_DEBUG_SUCCESS", "publish_messages": []any{},
			"request_paras": []any{
				object{"name": "day", "position": "REQUEST_PARAMETER_POSITION_QUERY", "type": "REQUEST_PARAMETER_TYPE_STRING", "description": "", "necessary": true, "example_value": "2021-01-01", "default_value": ""},
				object{"name": "least", "position": "REQUEST_PARAMETER_POSITION_QUERY", "type": "REQUEST_PARAMETER_TYPE_NUMBER", "description": "of the ids", "necessary": false, "example_value": "", "default_value": "1"},
			},
			"datasource_config": object{
				"type": "SQLITE", "connection_name": "shop", "connection_id": h.conn.ID, "database": "shop.db", "datatable": "orders", "table_id": "NATIVE-" + h.conn.ID + "-shop.db-orders",
				"queue": "", "access_type": "CONFIGURAITON", //nolint:misspell // as the vendor spells it
				"access_mode": "SQL", "pagination": "DEFAULT", "sql": "",
				"backend_paras":  []any{object{"name": "day", "mapping": "day", "condition": "CONDITION_TYPE_LIKE"}, object{"name": "least", "mapping": "id", "condition": "CONDITION_TYPE_EQ"}},
				"response_paras": []any{object{"name": "number", "field": "id", "type": "REQUEST_PARAMETER_TYPE_NUMBER", "description": "its number", "example_value": "1"}, object{"name": "total", "field": "total", "type": "REQUEST_PARAMETER_TYPE_NUMBER", "description": "", "example_value": ""}},
				"order_paras":    []any{object{"name": "day", "field": "day", "sort": "ASC", "order": 1.0, "optional": false}, object{"name": "total", "field": "total", "sort": "DESC", "order": 2.0, "optional": false}},
			},
			"backend_config": nil,
		}
		if diff := cmp.Diff(body, got.values); diff != "" {
			t.Error(diff)
		}
		// What was read is written back, and nothing changes.
		h.done("dev", "PUT", "/apis/"+id, got.body)
		if again := must(h.API(t.Context(), h.callers["dev"], id))(t); again.Revision != 1 {
			t.Errorf("written back it is revision %d: %s", again.Revision, cmp.Diff(api.APISpec, again.APISpec))
		}
	})
}

// everything is an API, made natively, with what the vendor's format cannot say.
func (h *house) everything() service.APIInput {
	rate := &service.RateLimit{Requests: 10, PeriodSeconds: 1}
	return service.APIInput{APISpec: service.APISpec{
		Name: "orders_api", ResourceGroup: "rg", Visibility: service.VisibilityPrivate,
		Definition: service.Definition{
			Path: "/orders_api", Method: service.MethodGet, AuthType: service.AuthApp, AllowAppCode: true, TimeoutMS: 1234, ConnectionID: h.conn.ID,
			Wizard: &service.Wizard{Table: "orders", Paged: true, SkipTotal: true},
			RequestParameters: map[string]service.RequestParameter{
				"ids":  {Type: service.TypeIntList, Operator: service.OperatorIn, Column: "id", Required: true, Example: maybe("1,2")},
				"day":  {Type: service.TypeString},
				"cost": {Type: service.TypeLong, Column: "total"},
			},
			ResponseParameters: map[string]service.ResponseParameter{"id": {Type: service.TypeInt}},
			ErrorCodes:         map[string]service.ErrorDescription{"E1": {Message: "m"}}, SuccessSample: "{}", FailureSample: "{}", RateLimit: rate, CacheTTLSeconds: 5,
		},
	}}
}

func TestAnUpdateLeavesWhatTheVendorsFormatCannotSay(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		api := must(h.CreateAPI(t.Context(), h.callers["dev"], h.everything()))(t)
		read := h.got("dev", "GET", "/apis/"+api.ID, nil)
		if !strings.Contains(read.body, `"condition":"CONDITION_TYPE_IN"`) || !strings.Contains(read.body, `"publish_type":"PUBLISH_TYPE_PRIVATE"`) || !strings.Contains(read.body, `"protocol":"PROTOCOL_TYPE_HTTPS"`) {
			t.Errorf("it reads %s", read.body)
		}
		read.values["api_type"] = read.values["type"]
		h.done("dev", "PUT", "/apis/"+api.ID, read.values)
		if now := must(h.API(t.Context(), h.callers["dev"], api.ID))(t); now.Revision != 1 || !cmp.Equal(api.APISpec, now.APISpec) {
			t.Errorf("written back it is another one: %s", cmp.Diff(api.APISpec, now.APISpec))
		}
		// One field, as the SDK can send it.
		h.done("dev", "PUT", "/apis/"+api.ID, object{"description": "d2"})
		want := api.APISpec
		want.Description = "d2"
		if now := must(h.API(t.Context(), h.callers["dev"], api.ID))(t); now.Revision != 1 || !cmp.Equal(want, now.APISpec) {
			t.Errorf("with another description: %s", cmp.Diff(want, now.APISpec))
		}
		// Another condition, another type, and a parameter less.
		read.values["request_paras"] = []object{
			{"name": "ids", "type": "REQUEST_PARAMETER_TYPE_NUMBER", "necessary": true, "example_value": "1"}, {"name": "cost", "type": "REQUEST_PARAMETER_TYPE_STRING"},
		}
		source, _ := read.values["datasource_config"].(object)
		source["backend_paras"] = []object{{"name": "ids", "mapping": "id", "condition": "CONDITION_TYPE_EQ"}, {"name": "cost", "mapping": "total", "condition": "CONDITION_TYPE_IN"}}
		h.done("dev", "PUT", "/apis/"+api.ID, read.values)
		now := must(h.API(t.Context(), h.callers["dev"], api.ID))(t)
		if diff := cmp.Diff(map[string]service.RequestParameter{
			"ids":  {Type: service.TypeInt, Position: service.PositionQuery, Operator: service.OperatorEqual, Column: "id", Required: true, Example: maybe("1")},
			"cost": {Type: service.TypeStringList, Position: service.PositionQuery, Operator: service.OperatorIn, Column: "total"},
		}, now.RequestParameters); diff != "" || now.Revision != 2 {
			t.Errorf("revision %d: %s", now.Revision, diff)
		}
	})
}

func TestAScriptAnswersEveryColumnWhereItDeclaresNone(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		id := h.create(h.script("orders_api", 1))
		columns := func() string {
			api := must(h.API(t.Context(), h.callers["dev"], id))(t)
			var all []string
			for _, name := range slices.Sorted(maps.Keys(api.ResponseParameters)) {
				all = append(all, name+" "+string(api.ResponseParameters[name].Type))
			}
			return strings.Join(all, ", ")
		}
		if got := columns(); got != "day STRING, id DOUBLE" {
			t.Errorf("it answers %s", got)
		}
		h.done("dev", "PUT", "/apis/"+id, object{"datasource_config": object{"sql": "SELECT total, id + 1 AS next FROM orders"}})
		if got := columns(); got != "next STRING, total DOUBLE" {
			t.Errorf("with another SQL it answers %s", got)
		}
		h.done("dev", "PUT", "/apis/"+id, object{"datasource_config": object{"response_paras": []object{{"name": "total", "type": "REQUEST_PARAMETER_TYPE_NUMBER"}}}})
		h.done("dev", "PUT", "/apis/"+id, object{"description": "another"})
		if got := columns(); got != "total DOUBLE" {
			t.Errorf("with one declared it answers %s", got)
		}
		h.refused(h.send("dev", "PUT", "/apis/"+id, object{"datasource_config": object{"sql": "SELECT id, id FROM orders"}}), 400, "DLM.9001", "The parameter datasource_config.sql is not valid: The result has two columns")

		// The other kinds of script.
		for name, change := range map[string]func(object, object){
			"mybatis_api": func(body, source object) {
				body["api_type"], source["sql"] = "API_SPECIFIC_TYPE_MYBATIS", "SELECT id FROM orders <where><if test=\"day != null\">day = #{day}</if></where>"
				body["request_paras"] = []object{{"name": "day", "type": "REQUEST_PARAMETER_TYPE_STRING"}}
			},
			"older_api": func(body, source object) { body["api_type"], source["access_type"] = "API_TYPE_CREATE", "SCRIPT" },
		} {
			body := h.script(name, 1)
			source, _ := body["datasource_config"].(object)
			change(body, source)
			got := h.got("dev", "GET", "/apis/"+h.create(body), nil)
			if want := map[string]string{"mybatis_api": "API_SPECIFIC_TYPE_MYBATIS", "older_api": "API_SPECIFIC_TYPE_SCRIPT"}[name]; got.text("type") != want || !strings.Contains(got.body, `"access_type":"SCRIPT"`) || !strings.Contains(got.body, `"pagination":"CUSTOM"`) {
				t.Errorf("%s: %s", name, got.body)
			}
		}
	})
}

func TestARegisteredAPIIsTheSameThroughBothFaces(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		var asked string
		answers := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = r.Method + " " + r.URL.Path + "?" + r.URL.RawQuery + " " + r.Header.Get("X-Shop")
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"ok": true}`))
		}))
		t.Cleanup(answers.Close)
		host := strings.TrimPrefix(answers.URL, "http://")
		body := object{
			"catalog_id": "0", "name": "stock_api", "api_type": "API_SPECIFIC_TYPE_REGISTER", "auth_type": "NONE", "path": "/stock", "protocol": "PROTOCOL_TYPE_HTTPS", "request_type": "REQUEST_TYPE_GET",
			"request_paras": []object{
				{"name": "item", "position": "REQUEST_PARAMETER_POSITION_PATH", "type": "REQUEST_PARAMETER_TYPE_STRING", "necessary": true, "example_value": "7"},
				{"name": "unit", "position": "REQUEST_PARAMETER_POSITION_QUERY", "type": "REQUEST_PARAMETER_TYPE_STRING", "default_value": "kg"},
			},
			"datasource_config": nil,
			"backend_config": object{
				"type": "REQUEST_TYPE_GET", "protocol": "PROTOCOL_TYPE_HTTP", "host": host, "timeout": 5000, "path": "/items/{item}",
				"backend_paras":  []object{{"name": "item", "position": "REQUEST_PARAMETER_POSITION_PATH", "backend_para_name": "item"}},
				"constant_paras": []object{{"name": "X-Shop", "type": "REQUEST_PARAMETER_TYPE_STRING", "position": "REQUEST_PARAMETER_POSITION_HEADER", "description": "which", "value": "main"}, {"name": "item"}},
			},
		}
		id := h.create(body)
		if asked != "GET /items/7?unit=kg main" {
			t.Errorf("the backend was asked %q", asked)
		}
		api := must(h.API(t.Context(), h.callers["dev"], id))(t)
		want := service.Definition{
			Path: "/stock", Method: service.MethodGet, Mode: service.ModeRegistration, AuthType: service.AuthNone, TimeoutMS: 5000, Protocols: []service.Protocol{service.ProtocolHTTPS},
			Registration: &service.Registration{Host: answers.URL, Path: "/items/[item]"},
			RequestParameters: map[string]service.RequestParameter{
				"item":   {Type: service.TypeString, Position: service.PositionPath, Required: true, Example: maybe("7")},
				"unit":   {Type: service.TypeString, Default: maybe("kg")},
				"X-Shop": {Type: service.TypeString, Position: service.PositionHeader, Operator: service.OperatorConst, Default: maybe("main"), Description: "which"},
			},
		}
		if diff := cmp.Diff(want.WithDefaults(), api.Definition); diff != "" {
			t.Errorf("natively it is another one: %s", diff)
		}
		backend := object{
			"type": "REQUEST_TYPE_GET", "protocol": "PROTOCOL_TYPE_HTTP", "host": host, "timeout": 5000.0, "path": "/items/{item}",
			"backend_paras": []any{
				object{"name": "item", "position": "REQUEST_PARAMETER_POSITION_PATH", "backend_para_name": "item"}, object{"name": "unit", "position": "REQUEST_PARAMETER_POSITION_QUERY", "backend_para_name": "unit"},
			},
			"constant_paras": []any{object{"name": "X-Shop", "type": "REQUEST_PARAMETER_TYPE_STRING", "position": "REQUEST_PARAMETER_POSITION_HEADER", "description": "which", "value": "main"}},
		}
		h.now = h.now.Add(1)
		h.done("rev", "POST", at(id, "publish"), object{})
		at := object{"instance_id": must(h.Instance(t.Context(), h.admin, "default"))(t).ID, "instance_name": "default", "intranet_host": "gateway.test", "external_host": "gateway.test", "domains": []any{}}
		for agent, want := range map[string][2]any{
			"huaweicloud-usdk-go/3.0; os/Debian": {backend, at},
			"golangsdk/2.0.0":                    {[]any{backend}, []any{at}},
			"Go-http-client/1.1":                 {[]any{backend}, []any{at}},
		} {
			h.agent = agent
			got := h.got("dev", "GET", "/apis/"+id, nil)
			if diff := cmp.Diff(want, [2]any{got.values["backend_config"], got.values["hosts"]}); diff != "" || got.values["datasource_config"] != nil {
				t.Errorf("%s: %s", agent, diff)
			}
		}
		// Without parameters the constants stay; without a backend it stays.
		h.done("dev", "PUT", "/apis/"+id, object{"request_paras": []object{{"name": "item", "position": "REQUEST_PARAMETER_POSITION_PATH", "type": "REQUEST_PARAMETER_TYPE_STRING", "example_value": "8"}}})
		if asked != "GET /items/8? main" {
			t.Errorf("the backend was asked %q", asked)
		}
	})
}

// Each change of a good request is refused, naming the parameter, and changes nothing.
func TestABadRequestIsRefusedInTheVendorsShapeAndChangesNothing(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		taken := h.create(h.script("taken_api", 1))
		path := "/apis"
		with := func(name string, value any) string {
			body := h.table("orders_api")
			where := body
			if inner, rest, found := strings.Cut(name, "."); found {
				where, _ = body[inner].(object)
				name = rest
			}
			where[name] = value
			if value == nil {
				delete(where, name)
			}
			text, _ := json.Marshal(body)
			return string(text)
		}
		para := func(change object) []object {
			p := object{"name": "day", "position": "REQUEST_PARAMETER_POSITION_QUERY", "type": "REQUEST_PARAMETER_TYPE_STRING"}
			maps.Copy(p, change)
			return []object{p}
		}
		const no, not = "The parameter %s is missing.", "The parameter %s is not valid: "
		const foreign = "The parameter %s asks for what this service does not have: "
		say := func(format, parameter string) string { return fmt.Sprintf(format, parameter) }
		source := func(name string) string { return "datasource_config." + name }
		for name, test := range map[string]struct{ body, code, message string }{
			"no name":              {with("name", nil), "DLM.4312", say(no, "name")},
			"no type":              {with("api_type", nil), "DLM.4312", say(no, "api_type")},
			"no authentication":    {with("auth_type", nil), "DLM.4312", say(no, "auth_type")},
			"no path":              {with("path", nil), "DLM.4312", say(no, "path")},
			"no method":            {with("request_type", nil), "DLM.4312", say(no, "request_type")},
			"no source":            {with("datasource_config", nil), "DLM.4312", say(no, "datasource_config")},
			"no connection":        {with("datasource_config", object{"datatable": "orders"}), "DLM.4312", say(no, source("connection_id"))},
			"a bad name":           {with("name", "1"), "DLM.9001", say(not, "name")},
			"a taken name":         {with("name", "taken_api"), "DLM.9005", ""},
			"a bad type":           {with("api_type", "SQL"), "DLM.9001", say(not, "api_type")},
			"a foreign type":       {with("api_type", "API_SPECIFIC_TYPE_GROOVY"), "DLM.9002", say(foreign, "api_type")},
			"a bad authentication": {with("auth_type", "BASIC"), "DLM.9001", say(not, "auth_type")},
			"a placeholder":        {with("path", "/orders/{day}"), "DLM.9001", say(not, "path")},
			"a bad method":         {with("request_type", "GET"), "DLM.9001", say(not, "request_type")},
			"another method":       {with("request_type", "REQUEST_TYPE_PUT"), "DLM.9001", say(not, "request_type")},
			"a bad protocol":       {with("protocol", "HTTPS"), "DLM.9001", say(not, "protocol")},
			"another protocol":     {with("protocol", "PROTOCOL_TYPE_FTP"), "DLM.9001", say(not, "protocol")},
			"a wide visibility":    {with("visibility", "DOMAIN"), "DLM.9002", say(foreign, "visibility")},
			"a bad visibility":     {with("visibility", "ALL"), "DLM.9001", say(not, "visibility")},
			"a bad publish type":   {with("publish_type", "ALL"), "DLM.9001", say(not, "publish_type")},
			"no reviewer":          {with("manager", "dev"), "DLM.9001", say(not, "manager")},
			"no catalog":           {with("catalog_id", "7"), "DLM.4205", "The catalog 7 does not exist."},
			"tags":                 {with("tags", []string{"t"}), "DLM.9002", say(foreign, "tags")},
			"a retention":          {with("retention_period", 24), "DLM.9002", say(foreign, "retention_period")},
			"masks":                {with("data_mask_switch", true), "DLM.9002", say(foreign, "data_mask_switch")},
			"several sources":      {with("datasource_config_list", []object{{}}), "DLM.9002", say(foreign, "datasource_config_list")},
			"Groovy":               {with("groovy_content", "x"), "DLM.9002", say(foreign, "groovy_content")},
			"a body's description": {with("body", "JSON"), "DLM.9001", say(not, "body")},
			"a backend too":        {with("backend_config", object{"host": "x"}), "DLM.9001", say(not, "backend_config")},
			"a backend alone":      {with("api_type", "API_SPECIFIC_TYPE_REGISTER"), "DLM.9001", say(not, "datasource_config")},

			"a parameter without a name":       {with("request_paras", para(object{"name": ""})), "DLM.4312", say(no, "request_paras.name")},
			"a parameter twice":                {with("request_paras", append(para(nil), para(nil)...)), "DLM.9001", say(not, "request_paras")},
			"a parameter in a bad place":       {with("request_paras", para(object{"position": "QUERY"})), "DLM.9001", say(not, "request_paras[day].position")},
			"a parameter in another place":     {with("request_paras", para(object{"position": "REQUEST_PARAMETER_POSITION_PATH"})), "DLM.9001", ""},
			"a parameter of a bad type":        {with("request_paras", para(object{"type": "INT"})), "DLM.9001", say(not, "request_paras[day].type")},
			"a parameter that may be NULL":     {with("request_paras", para(object{"support_null": true})), "DLM.9002", say(foreign, "request_paras[day].support_null")},
			"a number for a parameter's value": {with("request_paras", para(object{"default_value": 7})), "DLM.9001", say(not, "request_paras")},

			"no such connection":    {with(source("connection_id"), "none"), "DLM.9006", "The connection none does not exist."},
			"another engine":        {with(source("type"), "MYSQL"), "DLM.9001", say(not, source("type"))},
			"another database":      {with(source("database"), "db"), "DLM.9001", say(not, source("database"))},
			"no such table":         {with(source("datatable"), "none"), "DLM.9001", say(not, source("datatable"))},
			"a queue":               {with(source("queue"), "q"), "DLM.9002", say(foreign, source("queue"))},
			"another access":        {with(source("access_mode"), "ROW_KEY"), "DLM.9002", say(foreign, source("access_mode"))},
			"a bad kind of access":  {with(source("access_type"), "X"), "DLM.9001", say(not, source("access_type"))},
			"the other kind":        {with(source("access_type"), "SCRIPT"), "DLM.9001", say(not, source("access_type"))},
			"a SQL for the total":   {with(source("total_size_sql"), "x"), "DLM.9002", say(foreign, source("total_size_sql"))},
			"a bad pagination":      {with(source("pagination"), "X"), "DLM.9001", say(not, source("pagination"))},
			"a SQL for a table":     {with(source("sql"), "SELECT 1"), "DLM.9001", say(not, source("sql"))},
			"nothing to answer":     {with(source("response_paras"), []object{}), "DLM.9001", say(not, source("response_paras"))},
			"no such column":        {with(source("response_paras"), []object{{"name": "x", "type": "REQUEST_PARAMETER_TYPE_STRING"}}), "DLM.9001", ""},
			"a column without name": {with(source("response_paras"), []object{{"type": "REQUEST_PARAMETER_TYPE_STRING"}}), "DLM.4312", ""},
			"a column of bad type":  {with(source("response_paras"), []object{{"name": "id", "type": "INT"}}), "DLM.9001", say(not, source("response_paras[id].type"))},
			"an order of callers":   {with(source("order_paras"), []object{{"name": "id", "sort": "CUSTOM"}}), "DLM.9002", say(foreign, source("order_paras[id].sort"))},
			"an optional order":     {with(source("order_paras"), []object{{"name": "id", "optional": true}}), "DLM.9002", say(foreign, source("order_paras[id].optional"))},
			"a bad order":           {with(source("order_paras"), []object{{"name": "id", "sort": "UP"}}), "DLM.9001", say(not, source("order_paras[id].sort"))},
			"another condition":     {with(source("backend_paras"), []object{{"name": "day", "condition": "CONDITION_TYPE_GE"}}), "DLM.9002", say(foreign, source("backend_paras[day].condition"))},
			"nobody's condition":    {with(source("backend_paras"), []object{{"name": "x", "condition": "CONDITION_TYPE_EQ"}}), "DLM.9001", say(not, source("backend_paras[x]"))},

			"a number for a name": {with("name", 7), "DLM.9001", say(not, "name")},
			"a text for a flag":   {with("data_mask_switch", "yes"), "DLM.9001", say(not, "data_mask_switch")},
			"no JSON":             {"x", "DLM.9001", "The request body"},
			"no body":             {"", "DLM.9001", "The request body"},
			"a list":              {"[]", "DLM.9001", "The request body"},
		} {
			t.Run(name, func(t *testing.T) {
				h.t = t
				before := h.traces()
				h.refused(h.send("dev", "POST", path, test.body), 400, test.code, test.message)
				if h.traces() != before {
					t.Error("something has changed")
				}
			})
		}
		h.t = t
		t.Run("an update", func(t *testing.T) {
			h.t = t
			before := h.traces()
			h.refused(h.send("dev", "PUT", "/apis/"+taken, with("name", "1")), 400, "DLM.9001", "The parameter name")
			h.refused(h.send("dev", "PUT", "/apis/"+taken, object{"datasource_config": object{"sql": "SELECT x FROM orders"}}), 400, "DLM.9001", "The parameter datasource_config.sql is not valid: ")
			h.refused(h.send("dev", "PUT", "/apis/none", object{}), 400, "DLM.4018", "The API none does not exist.")
			h.refused(h.send("dev", "GET", "/apis/none", nil), 400, "DLM.4018", "The API none does not exist.")
			if h.traces() != before {
				t.Error("something has changed")
			}
		})
	})
}

func TestATestCallThatFailsIsAnError(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		body := h.script("orders_api", 1)
		body["datasource_config"] = object{"connection_id": h.conn.ID, "sql": "SELECT day FROM orders", "response_paras": []object{{"name": "day", "type": "REQUEST_PARAMETER_TYPE_NUMBER"}}}
		h.refused(h.send("dev", "POST", "/apis", body), 400, "DLM.4094", "The call failed: ")
		id := h.create(h.script("good_api", 1))
		h.refused(h.send("dev", "POST", at(id, "test"), object{"paras": object{"none": "1"}}), 400, "DLM.9001", "The parameter paras[none] is not valid")
		h.refused(h.send("dev", "POST", at(id, "test"), object{"paras": object{"none": []string{}}}), 400, "DLM.9001", "The parameter paras[none] is not valid")
		h.refused(h.send("op", "POST", at(id, "test"), nil), 403, "DLM.9004", "No permission")
		h.refused(h.send("dev", "POST", "/apis/"+id+"/instances/none/test", nil), 400, "DLM.4215", "The cluster none does not exist.")
		// Paged or not, clients page.
		for _, paged := range []string{"CUSTOM", "DEFAULT"} {
			h.done("dev", "PUT", "/apis/"+id, object{"datasource_config": object{"pagination": paged}})
			got := h.got("dev", "POST", at(id, "test"), object{"paras": object{"page_num": "1", "page_size": 100}})
			if (paged == "DEFAULT") != strings.Contains(got.text("result"), `"totalNum":1`) || got.values["timecost"] != got.values["timeout"] || got.values["requestHeader"] == nil || got.values["response_header"] == nil {
				t.Errorf("%s: %s", paged, got.body)
			}
		}
	})
}

func TestAPIsAreDeletedTogetherOrNotAtAll(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		one, two := h.create(h.script("one_api", 1)), h.create(h.script("two_api", 2))
		h.done("rev", "POST", at(two, "publish"), nil)
		remove := func(ids ...string) reply { return h.send("dev", "POST", "/apis/batch-delete", ids) }
		before := h.traces()
		h.refused(remove(one, "none"), 400, "DLM.4197", "")
		h.refused(remove(one, two), 400, "DLM.4182", "This action is illegal: The API \"two_api\" is still held")
		h.refused(remove(), 400, "DLM.4312", "")
		h.refused(h.send("dev", "POST", "/apis/batch-delete", object{"ids": one}), 400, "DLM.9001", "")
		h.refused(h.send("op", "POST", "/apis/batch-delete", []string{one}), 403, "DLM.9004", "")
		if h.traces() != before {
			t.Error("something has changed")
		}
		h.done("rev", "POST", at(two, "action"), do("UNPUBLISH"))
		h.done("dev", "POST", "/apis/batch-delete", []string{one, two})
		if got := h.got("dev", "GET", "/apis", nil); got.values["total"] != 0.0 {
			t.Errorf("there is still %s", got.body)
		}
	})
}

func TestListsOfAPIsAreNarrowed(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		first := h.create(h.script("orders_api", 1))
		h.now = h.now.Add(24 * 3600 * 1e9)
		h.create(h.table("Orders_table"))
		h.done("rev", "POST", at(first, "publish"), nil)
		guests := h.app("dev", "shop_app")
		for query, want := range map[string]string{
			"":                                    "orders_api, Orders_table",
			"name=ORDERS":                         "orders_api, Orders_table",
			"name=table":                          "Orders_table",
			"description=d":                       "Orders_table",
			"create_user=de":                      "orders_api, Orders_table",
			"create_user=rev":                     "",
			"api_type=API_SPECIFIC_TYPE_SCRIPT":   "orders_api",
			"api_type=API_SPECIFIC_TYPE_GROOVY":   "",
			"publish_status=PUBLISHED":            "orders_api",
			"publish_status=NOT_PUBLISHED":        "Orders_table",
			"table_name=order":                    "Orders_table",
			"start_time=2020-12-29T00:00:00.000Z": "Orders_table",
			"end_time=2020-12-29T00:00:00.000Z":   "orders_api",
		} {
			var names []string
			for _, r := range h.got("dev", "GET", "/apis?"+query, nil).records("records") {
				names = append(names, text(r["name"]))
			}
			if got := strings.Join(names, ", "); got != want {
				t.Errorf("%s: %q, want %q", query, got, want)
			}
		}
		for query, code := range map[string]string{"tags=t1": "DLM.9002", "publish_status=ALL": "DLM.9001", "api_type=SQL": "DLM.9001", "start_time=now": "DLM.9001", "limit=0": "DLM.9001", "offset=-1": "DLM.9001", "limit=x": "DLM.9001"} {
			h.refused(h.send("dev", "GET", "/apis?"+query, nil), 400, code, "The parameter "+strings.Split(query, "=")[0])
		}
		r := h.request("GET", "/apis?name=orders", nil)
		r.Header.Set("X-Auth-Token", h.tokens["dev"])
		r.Header.Set("X-Return-Publish-Messages", "true")
		records := h.do(r).records("records")
		messages, _ := records[0]["publish_messages"].([]any)
		if len(messages) != 1 || records[0]["status"] != "API_STATUS_PUBLISHED" || records[0]["authorization_status"] != "NO_AUTHORIZATION_REQUIRED" || records[1]["authorization_status"] != "UNAUTHORIZED" {
			t.Errorf("with messages: %v", records)
		}
		table := text(records[1]["id"])
		h.done("rev", "POST", at(table, "publish"), nil)
		h.done("rev", "POST", at(table, "authorize"), object{"app_ids": []string{guests}})
		if got := h.got("dev", "GET", "/apis?name=table", nil).records("records"); got[0]["authorization_status"] != "AUTHORIZED" {
			t.Errorf("authorized: %v", got)
		}
		market := h.got("guest", "POST", "/market", object{"offset": 0, "limit": 10}).records("apis")
		if len(market) != 2 || market[0]["is_release_recently"] != true {
			t.Errorf("market: %v", market)
		}
	})
}

func TestClientsPageThroughListsWithoutMissingDoublingOrLooping(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		const all = 250
		for i := range all {
			in := service.APIInput{APISpec: service.APISpec{Name: fmt.Sprintf("api_%03d", i), Definition: service.Definition{
				Path: fmt.Sprintf("/%d", i), Method: service.MethodPost, AuthType: service.AuthNone, Registration: &service.Registration{Host: "http://127.0.0.1", Path: "/"},
			}}}
			must(h.CreateAPI(t.Context(), h.callers["dev"], in))(t)
		}
		if l := must(h.APIs(t.Context(), h.callers["dev"], lifecycle.APIFilter{}, lifecycle.Page{}))(t); len(l.Items) != 100 {
			t.Fatalf("a page of the native list has %d", len(l.Items))
		}
		for _, list := range []struct{ path, name string }{{"/apis", "records"}, {"/servicecatalogs/0/apis", "apis"}, {"/servicecatalogs/0/detail", "api_catalogs"}} {
			for _, limit := range []int{1, 7, 100, 250, 1000} {
				seen := map[string]bool{}
				// As a client of the vendor's goes on: by what it got, until it gets nothing.
				for offset, calls := 0, 0; ; calls++ {
					got := h.got("dev", "GET", fmt.Sprintf("%s?limit=%d&offset=%d", list.path, limit, offset), nil)
					if got.values["total"] != float64(all) || calls > all {
						t.Fatalf("%s: %d calls, %s", list.path, calls, got.body)
					}
					records := got.records(list.name)
					if len(records) == 0 {
						break
					}
					for _, r := range records {
						seen[text(r["id"])+text(r["catalog_id"])] = true
					}
					offset += len(records)
					if len(seen) != offset {
						t.Fatalf("%s by %d: %d seen of %d", list.path, limit, len(seen), offset)
					}
					if limit == 1 && offset == 20 {
						offset = all // It would go on like that.
					}
				}
				if len(seen) != all && limit > 1 {
					t.Errorf("%s by %d: %d seen", list.path, limit, len(seen))
				}
			}
		}
		// An offset within a page is that page's; one past the end is nothing's.
		for offset, want := range map[int]int{0: 100, 99: 100, 100: 100, 249: 50, 250: 0, 251: 0} {
			if got := len(h.got("dev", "GET", fmt.Sprintf("/apis?limit=100&offset=%d", offset), nil).records("records")); got != want {
				t.Errorf("offset %d: %d, want %d", offset, got, want)
			}
		}
	})
}
