// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package acceptance

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestEveryModeOperatorTypeAndPosition publishes an API for each way to say what a
// parameter does, and calls it. What is answered stands in testdata/modes: in sql.golden
// once for all engines, since they have to answer alike.
func TestEveryModeOperatorTypeAndPosition(t *testing.T) {
	m := newModes(t)
	t.Run("sql", func(t *testing.T) {
		answers := map[string]string{}
		for engine, open := range engines {
			conn := open(t, m)
			var golden strings.Builder
			for _, c := range sqlCases() {
				m.record(t, &golden, engine, c.over(conn), c.calls)
			}
			answers[engine] = golden.String()
		}
		for engine, got := range answers {
			if diff := cmp.Diff(answers["sqlite"], got); diff != "" {
				t.Errorf("%s answers otherwise than SQLite:\n%s", engine, diff)
			}
		}
		compare(t, "sql.golden", answers["sqlite"])
	})
	t.Run("registration", func(t *testing.T) {
		var golden strings.Builder
		for _, c := range registeredCases(m.backend(t)) {
			m.record(t, &golden, "backend", c.api, c.calls)
		}
		compare(t, "registration.golden", golden.String())
	})
}

// compare holds what was answered against a golden file.
func compare(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "modes", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s\nWhere that is meant, run the test with -update and read the difference.", file, diff)
	}
}

// modes is a service on which APIs go live without a review.
type modes struct {
	*servicetest.Service
	client *client.Client
}

func newModes(t *testing.T) *modes {
	t.Helper()
	s := servicetest.Start(t, "--allow-backend-cidr", "127.0.0.0/8")
	m := &modes{Service: s, client: s.Client(s.AdminToken())}
	noReview := false
	_, err := m.client.UpdateEnvironment(t.Context(), service.ReleaseEnvironmentID, service.EnvironmentInput{Name: service.ReleaseEnvironmentName, ReviewRequired: &noReview})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// connect makes a connection with the spec.
func (m *modes) connect(t *testing.T, spec service.ConnectionSpec, password string) string {
	t.Helper()
	in := service.ConnectionInput{ConnectionSpec: spec}
	if password != "" {
		in.Password = &password
	}
	c, err := m.client.CreateConnection(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return c.ID
}

// caseCall is one call of an API: a query string, headers and a body.
type caseCall struct {
	query  string
	header map[string]string
	body   string
}

// sqlCase is an API over whatever connection, and the calls that show what it does.
type sqlCase struct {
	api   service.APIInput
	calls []caseCall
}

func (c sqlCase) over(connectionID string) service.APIInput {
	api := c.api
	api.ConnectionID = connectionID
	return api
}

var requestIDs = regexp.MustCompile(`"requestId":"[^"]*"`)

// record publishes the API, makes the calls and writes down what they answer.
func (m *modes) record(t *testing.T, golden io.Writer, engine string, in service.APIInput, calls []caseCall) {
	t.Helper()
	fmt.Fprintf(golden, "# %s\n", in.Description)
	in.Name = strings.TrimPrefix(strings.ReplaceAll(in.Path, "/", "_"), "_") + "_" + engine
	in.Path = "/" + engine + in.Path
	api, err := m.client.CreateAPI(t.Context(), in)
	if err != nil {
		t.Fatalf("%s on %s: %v", in.Description, engine, err)
	}
	p, err := m.client.Publish(t.Context(), service.PublishInput{APIID: api.ID, Revision: api.Revision})
	if err != nil {
		t.Fatalf("%s on %s: %v", in.Description, engine, err)
	}
	if p.Status != service.StatusPublished {
		t.Fatalf("%s on %s is %s", in.Description, engine, p.Status)
	}
	for _, c := range calls {
		status, body := m.make(t, in, c)
		shown := c.query
		for _, name := range slices.Sorted(keys(c.header)) {
			shown += " " + name + ": " + c.header[name]
		}
		fmt.Fprintf(golden, "%s %s %s\n%d %s\n", in.Method, shown, c.body, status, body)
	}
	fmt.Fprintln(golden)
}

func keys(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// make makes the call and returns its answer without what differs each time.
func (m *modes) make(t *testing.T, api service.APIInput, c caseCall) (int, string) {
	t.Helper()
	target := m.Gateway + api.Path
	if c.query != "" {
		target += "?" + c.query
	}
	req, err := http.NewRequestWithContext(t.Context(), string(api.Method), target, strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range c.header {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, requestIDs.ReplaceAllString(string(bytes.TrimSpace(body)), `"requestId":"…"`)
}

// typed is a parameter type with the column that it is compared with, two values
// that there are, one that there is not, and a text that is no value of the type.
type typed struct {
	typ                service.ParameterType
	column             string
	one, other, absent string
	wrong              string
}

var scalars = []typed{
	{service.TypeString, "name", "Ada", "O'Brien & Söhne, 100%_\\", "Nobody", ""},
	{service.TypeInt, "small", "10", "-2147483648", "11", "1.5"},
	{service.TypeLong, "big", "9007199254740993", "-9223372036854775808", "9007199254740992", "9223372036854775808"},
	{service.TypeFloat, "ratio", "0.5", "-0.25", "0.75", "half"},
	{service.TypeDouble, "amount", "12.25", "0.1", "0.2", "NaN"},
	{service.TypeBoolean, "active", "true", "false", "", "1"},
}

// list is the list type of the same elements.
func (x typed) list() service.ParameterType { return x.typ + "_LIST" }

// both is a list of both values that there are, as a JSON array.
func (x typed) both() string {
	if x.typ == service.TypeString {
		data, err := json.Marshal([]string{x.one, x.other})
		if err != nil {
			panic(err)
		}
		return string(data)
	}
	return "[" + x.one + ", " + x.other + "]"
}

func withV(value string) caseCall { return caseCall{query: url.Values{"v": {value}}.Encode()} }

// equalCalls show a scalar parameter, listCalls a list.
func equalCalls(x typed) []caseCall {
	calls := []caseCall{withV(x.one), withV(x.other), {}}
	if x.absent != "" {
		calls = append(calls, withV(x.absent))
	}
	if x.wrong != "" {
		calls = append(calls, withV(x.wrong))
	}
	return calls
}

func listCalls(x typed) []caseCall {
	calls := []caseCall{withV(x.both()), withV(x.one), withV(x.one + "," + x.one), withV(""), {}}
	if x.wrong != "" {
		calls = append(calls, withV(x.one+","+x.wrong))
	}
	return calls
}

var everything = map[string]service.ResponseParameter{
	"id": {Type: service.TypeLong}, "name": {Type: service.TypeString}, "small": {Type: service.TypeInt}, "big": {Type: service.TypeLong},
	"ratio": {Type: service.TypeFloat}, "amount": {Type: service.TypeDouble}, "active": {Type: service.TypeBoolean},
}

// sqlCases are wizard, basic script and MyBatis: operators and types, paging, sorting.
func sqlCases() []sqlCase {
	var cases []sqlCase
	add := func(description, path string, d service.Definition, parameter service.RequestParameter, calls []caseCall) {
		d.Path, d.AuthType = path, service.AuthNone
		if d.Method == "" {
			d.Method = service.MethodGet
		}
		if d.ResponseParameters == nil {
			d.ResponseParameters = everything
		}
		if parameter.Type != "" {
			d.RequestParameters = map[string]service.RequestParameter{"v": parameter}
		}
		cases = append(cases, sqlCase{api: service.APIInput{APISpec: service.APISpec{Description: description, Definition: d}}, calls: calls})
	}
	wizard := func() service.Definition {
		return service.Definition{Wizard: &service.Wizard{Table: "things", OrderBy: []service.WizardOrder{{Column: "id"}}}}
	}
	script := func(mode service.SQLMode, sql string) service.Definition {
		return service.Definition{Script: &service.Script{SQLMode: mode, SQL: "SELECT id, name, small, big, ratio, amount, active FROM things " + sql + " ORDER BY id"}}
	}
	for _, x := range scalars {
		name := strings.ToLower(string(x.typ))
		equal, in := service.RequestParameter{Type: x.typ, Column: x.column}, service.RequestParameter{Type: x.list(), Column: x.column, Operator: service.OperatorIn}
		add("wizard, EQUAL, "+string(x.typ), "/wizard/equal/"+name, wizard(), equal, equalCalls(x))
		add("wizard, IN, "+string(x.list()), "/wizard/in/"+name, wizard(), in, listCalls(x))
		equal.Column, in.Column, in.Operator = "", "", ""
		add("script, "+string(x.typ), "/script/equal/"+name, script(service.SQLBasic, "WHERE "+x.column+" = ${v}"), equal, equalCalls(x))
		add("script, "+string(x.list()), "/script/in/"+name, script(service.SQLBasic, "WHERE "+x.column+" IN (${v})"), in, listCalls(x))
		add("script, NOT "+string(x.list()), "/script/notin/"+name, script(service.SQLBasic, "WHERE "+x.column+" NOT IN (${v})"), in, listCalls(x))
		add("MyBatis, "+string(x.typ), "/mybatis/equal/"+name,
			script(service.SQLMyBatis, `<where><if test="v != null">`+x.column+` = #{v}</if></where>`), equal, equalCalls(x))
		add("MyBatis, "+string(x.list()), "/mybatis/in/"+name,
			script(service.SQLMyBatis, `<where><if test="v != null and v.size() > 0">`+x.column+` IN <foreach collection="v" item="e" open="(" separator="," close=")">#{e}</foreach></if></where>`), in, listCalls(x))
	}
	like := service.RequestParameter{Type: service.TypeString, Column: "name", Operator: service.OperatorLike}
	likes := []caseCall{withV("A%"), withV("_da"), withV(`%100\%%`), withV(`%\_%`), withV("%"), {}}
	add("wizard, LIKE", "/wizard/like", wizard(), like, likes)
	post := wizard()
	post.Method = service.MethodPost
	add("wizard, POST", "/wizard/post", post, like, likes[:1])
	like.Default = new(string)
	*like.Default = "B%"
	add("wizard, a default", "/wizard/default", wizard(), like, []caseCall{{}, withV("A%")})
	like.Default, like.Required = nil, true
	like.Example = new(string)
	*like.Example = "A%"
	add("wizard, required", "/wizard/required", wizard(), like, []caseCall{{}, withV("A%"), {query: "v=A%25&v=B%25"}, {query: "w=1"}})

	paged := wizard()
	paged.Wizard.Paged, paged.Wizard.OrderBy = true, []service.WizardOrder{{Column: "id", Descending: true}}
	paged.ResponseParameters = map[string]service.ResponseParameter{"number": {Type: service.TypeInt, Column: "id"}, "label": {Type: service.TypeString, Column: "name"}}
	pages := []caseCall{{}, {query: "pageSize=2"}, {query: "pageNum=2&pageSize=2"}, {query: "pageNum=9"}, {query: "pageSize=0"}}
	add("wizard, pages, downwards, with other names", "/wizard/pages", paged, service.RequestParameter{}, pages)
	uncounted := wizard()
	uncounted.Wizard.Paged, uncounted.Wizard.SkipTotal = true, true
	add("wizard, pages without a total", "/wizard/uncounted", uncounted, service.RequestParameter{}, pages[1:3])
	pagedScript := script(service.SQLBasic, "WHERE big IS NOT NULL")
	pagedScript.Script.Paged = true
	add("script, pages", "/script/pages", pagedScript, service.RequestParameter{}, pages)
	limited := script(service.SQLBasic, "")
	limited.Script.SQL = "SELECT id, name, small, big, ratio, amount, active FROM things ORDER BY id DESC LIMIT 3"
	limited.Script.Paged = true
	add("script, pages of what has a limit of its own", "/script/limited", limited, service.RequestParameter{}, pages[:3])
	pagedMyBatis := script(service.SQLMyBatis, `<where><if test="v != null">small > #{v}</if></where>`)
	pagedMyBatis.Script.Paged, pagedMyBatis.Script.SkipTotal = true, true
	add("MyBatis, pages without a total", "/mybatis/pages", pagedMyBatis, service.RequestParameter{Type: service.TypeInt},
		[]caseCall{{query: "pageSize=2"}, {query: "v=0&pageNum=2&pageSize=1"}})
	choose := script(service.SQLMyBatis, `<bind name="pattern" value="'%' + v + '%'"/>
		<trim prefix="WHERE" prefixOverrides="AND |OR "><choose>
			<when test="v == null">AND name IS NULL</when>
			<when test="v == 'all'">AND 1 = 1</when>
			<otherwise>AND name LIKE #{pattern}</otherwise>
		</choose></trim>`)
	add("MyBatis, choose, trim and bind", "/mybatis/choose", choose, service.RequestParameter{Type: service.TypeString},
		[]caseCall{{}, withV("all"), withV("Bo"), withV("' OR 1=1 --")})
	return cases
}

type registeredCase struct {
	api   service.APIInput
	calls []caseCall
}

// registeredCases have a parameter of each type in one position: passed, and constant.
func registeredCases(host string) []registeredCase {
	var cases []registeredCase
	for _, position := range []struct {
		name     string
		position service.Position
		method   service.Method
		content  service.ContentType
	}{
		{"path", service.PositionPath, service.MethodGet, service.ContentJSON},
		{"query", service.PositionQuery, service.MethodDelete, service.ContentJSON},
		{"header", service.PositionHeader, service.MethodGet, service.ContentJSON},
		{"json", service.PositionBody, service.MethodPost, service.ContentJSON},
		{"form", service.PositionBody, service.MethodPut, service.ContentForm},
	} {
		for _, operator := range []service.Operator{service.OperatorEqual, service.OperatorConst} {
			d := service.Definition{
				Path: "/" + position.name + "/" + strings.ToLower(string(operator)), Method: position.method, AuthType: service.AuthNone,
				RequestContentType: position.content, RequestParameters: map[string]service.RequestParameter{},
				Registration: &service.Registration{Host: host, Path: "/echo"},
			}
			values := map[string]string{}
			for _, x := range scalars {
				for typ, value := range map[service.ParameterType]string{x.typ: x.one, x.list(): x.both()} {
					if position.position == service.PositionHeader && typ == service.TypeStringList {
						value = "Ada,Bob" // A header has no characters beyond ASCII.
					}
					name := "p_" + strings.ToLower(string(typ))
					p := service.RequestParameter{Type: typ, Position: position.position, Operator: operator}
					if operator == service.OperatorConst {
						p.Default = &value
					} else {
						values[name] = value
						p.Example = &value
					}
					d.RequestParameters[name] = p
				}
			}
			if position.position == service.PositionPath {
				for _, name := range slices.Sorted(keys(names(d.RequestParameters))) {
					d.Registration.Path += "/[" + name + "]"
				}
			}
			cases = append(cases, registeredCase{
				api: service.APIInput{
					APISpec: service.APISpec{Description: fmt.Sprintf("registration, %s, %s, %s", position.name, operator, position.method), Definition: d},
					Debug:   &service.DebugInput{},
				},
				calls: registeredCalls(position.position, position.content, operator, values),
			})
		}
	}
	return cases
}

func names(parameters map[string]service.RequestParameter) map[string]string {
	n := map[string]string{}
	for name := range parameters {
		n[name] = ""
	}
	return n
}

// registeredCalls pass every value; one that is not declared; and one of another type.
func registeredCalls(position service.Position, content service.ContentType, operator service.Operator, values map[string]string) []caseCall {
	wrong := map[string]string{"p_int": "many"}
	for name, value := range values {
		if name != "p_int" {
			wrong[name] = value
		}
	}
	call := func(values map[string]string) caseCall {
		query := url.Values{}
		for name, value := range values {
			query.Set(name, value)
		}
		switch {
		case position == service.PositionHeader:
			return caseCall{header: values}
		case position == service.PositionBody && content == service.ContentForm:
			return caseCall{header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, body: query.Encode()}
		case position == service.PositionBody:
			return caseCall{header: map[string]string{"Content-Type": "application/json"}, body: asJSON(values)}
		default:
			return caseCall{query: query.Encode()}
		}
	}
	calls := []caseCall{call(values), call(wrong), {query: "stranger=1"}}
	if position == service.PositionBody {
		calls[2].header = calls[0].header
	}
	if operator == service.OperatorConst {
		calls = append(calls[:1], calls[2])
	}
	return calls
}

// asJSON writes texts, numbers, truth values and lists as a JSON object.
func asJSON(values map[string]string) string {
	object := map[string]json.RawMessage{}
	for name, value := range values {
		if name != "p_string" && json.Valid([]byte(value)) {
			object[name] = json.RawMessage(value)
			continue
		}
		data, err := json.Marshal(value)
		if err != nil {
			panic(err)
		}
		object[name] = data
	}
	data, err := json.Marshal(object)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// backend answers what it was sent: the line, the declared headers, and the body.
func (m *modes) backend(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		header := map[string][]string{}
		for name, values := range r.Header {
			if strings.HasPrefix(name, "P_") || name == "Content-Type" || name == "Authorization" || name == "Cookie" || name == "X-Stage" {
				header[name] = values
			}
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"method": r.Method, "uri": r.RequestURI, "header": header, "body": string(body)})
	}))
	t.Cleanup(server.Close)
	return server.URL
}
