// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// pointers returns the fields that an error blames.
func pointers(err error) []string {
	var e *Error
	if !errors.As(err, &e) {
		return nil
	}
	var p []string
	for _, f := range e.Fields {
		p = append(p, f.Pointer)
	}
	return p
}

func validAPI() APISpec {
	return APISpec{Name: "orders", Definition: Definition{
		Path: "/orders", Method: MethodGet, AuthType: AuthNone, TimeoutMS: 1000, ConnectionID: "c",
		Script:             &Script{SQL: "select id from orders"},
		ResponseParameters: map[string]ResponseParameter{"id": {Type: TypeLong}},
	}}
}

func TestAPIRulesBlameTheirField(t *testing.T) {
	text := func(s string) *string { return &s }
	tests := []struct {
		name   string
		change func(*APISpec)
		want   []string
	}{
		{"a valid API", func(*APISpec) {}, nil},
		{"a name of three letters", func(a *APISpec) { a.Name = "abc" }, []string{"/name"}},
		{"a name of four letters", func(a *APISpec) { a.Name = "abcd" }, nil},
		{"a name of 50 letters", func(a *APISpec) { a.Name = strings.Repeat("a", 50) }, nil},
		{"a name of 51 letters", func(a *APISpec) { a.Name = strings.Repeat("a", 51) }, []string{"/name"}},
		{"a name that starts with a digit", func(a *APISpec) { a.Name = "1orders" }, []string{"/name"}},
		{"a name with a space", func(a *APISpec) { a.Name = "my orders" }, []string{"/name"}},
		{"a name with a newline behind it", func(a *APISpec) { a.Name = "orders\n" }, []string{"/name"}},
		{"a path without a slash", func(a *APISpec) { a.Path = "orders" }, []string{"/path"}},
		{"a path of 200 characters", func(a *APISpec) { a.Path = "/" + strings.Repeat("a", 199) }, nil},
		{"a path of 201 characters", func(a *APISpec) { a.Path = "/" + strings.Repeat("a", 200) }, []string{"/path"}},
		{"a path with a dot", func(a *APISpec) { a.Path = "/v1.0" }, []string{"/path"}},
		{"a timeout of 0 ms, which is the default", func(a *APISpec) { a.TimeoutMS = 0 }, nil},
		{"a timeout of -1 ms", func(a *APISpec) { a.TimeoutMS = -1 }, []string{"/timeout_ms"}},
		{"a timeout of 30000 ms", func(a *APISpec) { a.TimeoutMS = 30000 }, nil},
		{"a timeout of 30001 ms", func(a *APISpec) { a.TimeoutMS = 30001 }, []string{"/timeout_ms"}},
		{"the method PUT", func(a *APISpec) { a.Method = "PUT" }, []string{"/method"}},
		{"no way to authenticate", func(a *APISpec) { a.AuthType = "" }, []string{"/auth_type"}},
		{"no connection", func(a *APISpec) { a.ConnectionID = "" }, []string{"/connection_id"}},
		{"no details", func(a *APISpec) { a.Script = nil }, []string{"/mode"}},
		{"an empty script", func(a *APISpec) { a.Script = &Script{} }, []string{"/script/sql"}},
		{"a private API", func(a *APISpec) { a.Visibility = VisibilityPrivate }, nil},
		{"a visibility that is none", func(a *APISpec) { a.Visibility = "PUBLIC" }, []string{"/visibility"}},
		{"a folder without its group", func(a *APISpec) { a.FolderID = "f" }, []string{"/folder_id"}},
		{"a resource group of 65 characters", func(a *APISpec) { a.ResourceGroup = strings.Repeat("g", 65) }, []string{"/resource_group"}},
		{"a response parameter with a control character", func(a *APISpec) { a.ResponseParameters = map[string]ResponseParameter{"i\x00d": {Type: TypeLong}} }, []string{"/response_parameters/i\x00d"}},
		{"no response parameters", func(a *APISpec) { a.ResponseParameters = nil }, []string{"/response_parameters"}},
		{"a parameter named like a page", func(a *APISpec) {
			a.RequestParameters = map[string]RequestParameter{"pageNum": {Type: TypeInt}}
		}, []string{"/request_parameters/pageNum"}},
		{"a parameter of no type", func(a *APISpec) {
			a.RequestParameters = map[string]RequestParameter{"id": {}}
		}, []string{"/request_parameters/id/type"}},
		{"a default that is not of its type", func(a *APISpec) {
			a.RequestParameters = map[string]RequestParameter{"id": {Type: TypeInt, Default: text("x")}}
		}, []string{"/request_parameters/id/default"}},
		{"an example that is not of its type", func(a *APISpec) {
			a.RequestParameters = map[string]RequestParameter{"ids": {Type: TypeIntList, Example: text("1,two")}}
		}, []string{"/request_parameters/ids/example"}},
		{"several mistakes at once", func(a *APISpec) { a.Name, a.Path, a.TimeoutMS = "x", "y", -1 }, []string{"/name", "/path", "/timeout_ms"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := validAPI()
			tt.change(&a)
			if diff := cmp.Diff(tt.want, pointers(a.WithDefaults().Validate())); diff != "" {
				t.Errorf("blamed fields (-want +got):\n%s", diff)
			}
		})
	}
}

func TestConnectionRulesBlameTheirField(t *testing.T) {
	postgres := ConnectionSpec{Name: "orders", Engine: EnginePostgreSQL, Host: "db", Port: 5432, Database: "d", Username: "u", SSLMode: SSLPrefer}
	sqlite := ConnectionSpec{Name: "orders", Engine: EngineSQLite, File: "a/orders.db"}
	with := func(c ConnectionSpec, change func(*ConnectionSpec)) ConnectionSpec { change(&c); return c }
	tests := []struct {
		name string
		spec ConnectionSpec
		want []string
	}{
		{"a PostgreSQL connection", postgres, nil},
		{"a SQLite connection", sqlite, nil},
		{"no engine", ConnectionSpec{Name: "orders"}, []string{"/engine"}},
		{"a SQLite connection without a file", with(sqlite, func(c *ConnectionSpec) { c.File = "" }), []string{"/file"}},
		{"a file outside of the directory", with(sqlite, func(c *ConnectionSpec) { c.File = "../secret.db" }), []string{"/file"}},
		{"an absolute file", with(sqlite, func(c *ConnectionSpec) { c.File = "/etc/passwd" }), []string{"/file"}},
		{"a SQLite connection with a host", with(sqlite, func(c *ConnectionSpec) { c.Host = "db" }), []string{"/host"}},
		{"a host with a port", with(postgres, func(c *ConnectionSpec) { c.Host = "db:5433" }), []string{"/host"}},
		{"an IPv6 host", with(postgres, func(c *ConnectionSpec) { c.Host = "::1" }), nil},
		{"a socket directory", with(postgres, func(c *ConnectionSpec) { c.Host = "/var/run/postgresql" }), []string{"/host"}},
		{"a port out of range", with(postgres, func(c *ConnectionSpec) { c.Port = 70000 }), []string{"/port"}},
		{"an unknown TLS mode", with(postgres, func(c *ConnectionSpec) { c.SSLMode = "allow" }), []string{"/ssl_mode"}},
		{"a PostgreSQL connection with nothing but a name", ConnectionSpec{Name: "orders", Engine: EnginePostgreSQL}, []string{"/host", "/database", "/username"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, pointers(tt.spec.Validate())); diff != "" {
				t.Errorf("blamed fields (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOnlyAdminsAndDevelopersCanBeReviewers(t *testing.T) {
	for _, role := range Roles {
		err := Member{Name: "rev", Role: role, Reviewer: true}.Validate()
		if want := role != RoleAdmin && role != RoleDeveloper; (err != nil) != want {
			t.Errorf("%s as a reviewer: %v", role, err)
		}
	}
}

func TestParameterValues(t *testing.T) {
	tests := []struct {
		typ  ParameterType
		text string
		want any // an error's text where it is wrong
	}{
		{TypeString, "", ""},
		{TypeString, "a,b", "a,b"},
		{TypeString, "a\x00b", errNUL.Error()},
		{TypeInt, "-2147483648", int64(-2147483648)},
		{TypeInt, "2147483648", errNotInt.Error()},
		{TypeInt, "1.0", errNotInt.Error()},
		{TypeLong, "9223372036854775807", int64(9223372036854775807)},
		{TypeLong, "9223372036854775808", errNotLong.Error()},
		{TypeDouble, "0.1", 0.1},
		{TypeDouble, "NaN", errNotNumber.Error()},
		{TypeDouble, "1e400", errNotNumber.Error()},
		{TypeBoolean, "true", true},
		{TypeBoolean, "TRUE", errNotBoolean.Error()},
		{TypeIntList, "1,2,3", []int64{1, 2, 3}},
		{TypeIntList, "[1, 2]", []int64{1, 2}},
		{TypeIntList, "", []int64{}},
		{TypeIntList, "1,,2", "at position 2 " + errNotInt.Error()},
		{TypeStringList, `["a,b","c"]`, []string{"a,b", "c"}},
		{TypeStringList, `["a"`, errNotArray.Error()},
		{TypeBooleanList, "true,false", []bool{true, false}},
		{TypeLongList, strings.Repeat("1,", MaxListElements) + "1", fmt.Sprintf("has %d elements; %d is the most", MaxListElements+1, MaxListElements)},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s %.20q", tt.typ, tt.text), func(t *testing.T) {
			got, err := tt.typ.Parse(tt.text)
			if err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	conn := Connection{Password: "hunter2-canary"}
	data, err := json.Marshal(conn)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{string(data), fmt.Sprintf("%v %+v %#v %s", conn, conn, conn, conn.Password)} {
		if strings.Contains(s, "canary") {
			t.Errorf("the password shows in %s", s)
		}
	}
}

func TestTheDigestNamesTheCandidate(t *testing.T) {
	d := validAPI().Definition
	api := API{ID: "api", APISpec: APISpec{Name: "orders"}}
	c := Connection{ID: "c", ConnectionSpec: ConnectionSpec{Engine: EngineSQLite, File: "a.db"}}
	same := CandidateDigest(api, 1, d, c)
	if same != CandidateDigest(api, 1, d, c) {
		t.Error("the digest of one candidate differs from itself")
	}
	moved := c
	moved.File = "b.db"
	changed := d
	changed.Script = &Script{SQL: "select 1"}
	for name, digest := range map[string]string{
		"API": CandidateDigest(API{ID: "other", APISpec: APISpec{Name: "orders"}}, 1, d, c), "revision": CandidateDigest(api, 2, d, c),
		"name":       CandidateDigest(API{ID: "api", APISpec: APISpec{Name: "renamed"}}, 1, d, c),
		"definition": CandidateDigest(api, 1, changed, c), "source": CandidateDigest(api, 1, d, moved),
	} {
		if digest == same {
			t.Errorf("another %s has the same digest", name)
		}
	}
}
