// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

func TestADebugAnswersWhatACallWould(t *testing.T) {
	for engine, people := range engines {
		t.Run(engine, func(t *testing.T) {
			h := newHouse(t, options{})
			conn := h.connection(t, "people_db", people(t, h.dir, everybody()...))
			d := search(conn, false)
			h.publish(t, h.api(t, "people", d), "")
			result, err := h.runner.Debug(t.Context(), d, conn, service.DebugInput{Parameters: map[string]string{"from": "20", "city": "Lima"}})
			if err != nil {
				t.Fatal(err)
			}
			called := h.call(t, http.MethodGet, "/people?from=20&city=Lima")
			var debugged answer
			if err := json.Unmarshal(result.Body, &debugged); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(called.Data), string(debugged.Data)); diff != "" || result.Status != http.StatusOK || debugged.ErrMsg != "success" {
				t.Errorf("status %d, %s\n%s", result.Status, debugged.ErrMsg, diff)
			}
			if result.DurationMS <= 0 {
				t.Errorf("it took %v ms", result.DurationMS)
			}
		})
	}
}

func TestADebugAnswersAtMostTenRows(t *testing.T) {
	for engine, people := range engines {
		t.Run(engine, func(t *testing.T) {
			h := newHouse(t, options{})
			conn := h.connection(t, "people_db", people(t, h.dir, everybody()...))
			for name, test := range map[string]struct {
				paged  bool
				values map[string]string
				rows   int
			}{
				"all rows":     {false, nil, 10},
				"a page":       {true, map[string]string{"pageSize": "3", "pageNum": "9"}, 1},
				"a large page": {true, map[string]string{"pageSize": "1000"}, 10},
			} {
				result, err := h.runner.Debug(t.Context(), search(conn, test.paged), conn, service.DebugInput{Parameters: test.values})
				if err != nil {
					t.Fatal(name, err)
				}
				if n := strings.Count(string(result.Body), `"name"`); n != test.rows {
					t.Errorf("%s: %d rows in %s", name, n, result.Body)
				}
			}
		})
	}
}

func TestAFailedDebugTellsItsDeveloperWhy(t *testing.T) {
	for engine, people := range engines {
		t.Run(engine, func(t *testing.T) {
			h := newHouse(t, options{})
			conn := h.connection(t, "people_db", people(t, h.dir, everybody()...))
			good := search(conn, false)
			// The division is by what no preparing can know.
			failing := definition(conn, "/fail", map[string]string{
				"SQLITE":     "SELECT abs(-9223372036854775808 + min(id) - 1) AS n FROM people",
				"POSTGRESQL": "SELECT 1 / (min(id) - 1) AS n FROM people",
				"MYSQL":      "SELECT exp(1000 * min(id)) AS n FROM people",
			}[engine], "n")
			required := search(conn, false)
			required.RequestParameters["city"] = service.RequestParameter{Type: service.TypeString, Required: true}
			// Text that is a number as the API is validated may be none in a row.
			unfit := definition(conn, "/unfit", "SELECT name AS n FROM people", "n")
			refused := definition(conn, "/refused", map[string]string{
				"SQLITE":     "SELECT id AS n FROM people LIMIT ${size}",
				"POSTGRESQL": "SELECT id AS n FROM people WHERE id = ${size}",
				"MYSQL":      "SELECT id AS n FROM people WHERE name REGEXP concat('(', ${size})",
			}[engine], "n")
			refused.RequestParameters = map[string]service.RequestParameter{"size": {Type: service.TypeString}}
			for _, test := range []struct {
				name    string
				d       service.Definition
				values  map[string]string
				pointer string
				say     []string
			}{
				{
					"a value of the wrong type", good,
					map[string]string{"from": "x"},
					"/debug/parameters/from",
					[]string{"answered 400", `The value of parameter "from" must be a whole number of 64 bits.`},
				},
				{
					"a parameter that there is not", good,
					map[string]string{"form": "1"},
					"/debug/parameters/form",
					[]string{`has no parameter "form"`},
				},
				{
					"a required one that is missing", required, nil, "/debug/parameters/city",
					[]string{`The parameter "city" is required and missing`},
				},
				{
					"a page of what is not paged", good,
					map[string]string{"pageNum": "1"},
					"/debug/parameters/pageNum",
					[]string{"not paged"},
				},
				{
					"a column that does not convert", unfit, nil,
					"/response_parameters/n/type",
					[]string{"answered 502", `The column "n" of the answer is not of the type that the API declares.`},
				},
				{
					"a value that the database refuses", refused,
					map[string]string{"size": "many"},
					"/debug/parameters/size",
					[]string{"answered 400", `does not take the value of parameter "size"`},
				},
				{
					"a statement that fails", failing, nil, "",
					[]string{"answered 502", map[string]string{"SQLITE": "integer overflow", "POSTGRESQL": "division by zero", "MYSQL": "out of range"}[engine]},
				},
			} {
				t.Run(test.name, func(t *testing.T) {
					_, err := h.runner.Debug(t.Context(), test.d, conn, service.DebugInput{Parameters: test.values})
					var e *service.Error
					if !errors.As(err, &e) || e.Code != service.CodeDebugFailed {
						t.Fatalf("the error is %v", err)
					}
					if strings.Contains(e.Error(), "owner") {
						t.Errorf("it sends the API's owner to the API's owner: %v", e)
					}
					for _, say := range test.say {
						if !strings.Contains(e.Message, say) {
							t.Errorf("%q does not say %q", e.Message, say)
						}
					}
					pointer := ""
					if len(e.Fields) == 1 {
						pointer = e.Fields[0].Pointer
					}
					if pointer != test.pointer {
						t.Errorf("it points at %q, want %q", pointer, test.pointer)
					}
				})
			}
		})
	}
}

func TestADebugValidatesFirst(t *testing.T) {
	h := newHouse(t, options{})
	conn := h.connection(t, "people_db", sqlitePeople(t, h.dir))
	d := definition(conn, "/typo", "SELEC 1 AS n", "n")
	if _, err := h.runner.Debug(t.Context(), d, conn, service.DebugInput{Parameters: nil}); service.ErrorCode(err) != service.CodeInvalid {
		t.Errorf("a typo: %v", err)
	}
	conn.File = "nowhere.db"
	if _, err := h.runner.Debug(t.Context(), definition(conn, "/x", "SELECT 1 AS n", "n"), conn, service.DebugInput{Parameters: nil}); service.ErrorCode(err) != service.CodeConnectionFailed {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestADebugThatNobodyWaitsForIsGivenUp(t *testing.T) {
	h := newHouse(t, options{})
	conn := h.connection(t, "people_db", sqlitePeople(t, h.dir))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.runner.Debug(ctx, definition(conn, "/x", "SELECT 1 AS n", "n"), conn, service.DebugInput{Parameters: nil}); err == nil {
		t.Error("it succeeded")
	}
}

func TestADebugTellsRowsAndStatement(t *testing.T) {
	for engine, people := range engines {
		t.Run(engine, func(t *testing.T) {
			h := newHouse(t, options{})
			conn := h.connection(t, "people_db", people(t, h.dir, everybody()...))
			one := definition(conn, "/one", "SELECT id FROM people WHERE id = ${id}", "id")
			one.RequestParameters = map[string]service.RequestParameter{"id": {Type: service.TypeLong, Required: true}}
			failing := definition(conn, "/fail", map[string]string{
				"SQLITE":     "SELECT abs(-9223372036854775808 + ${id} - 1) AS n",
				"POSTGRESQL": "SELECT 1 / (${id} - 1) AS n",
				"MYSQL":      "SELECT (SELECT id FROM people WHERE id >= ${id}) AS n",
			}[engine], "n")
			failing.RequestParameters = one.RequestParameters
			limited := one
			limited.RateLimit, limited.CallerRateLimit = &service.RateLimit{Requests: 1, PeriodSeconds: 86400}, &service.RateLimit{Requests: 1, PeriodSeconds: 86400}
			limited.Protocols, limited.CacheTTLSeconds = []service.Protocol{service.ProtocolHTTPS}, 3600
			for _, test := range []struct {
				name   string
				d      service.Definition
				values map[string]string
				status int
				rows   int
				say    string
			}{
				{"rows", search(conn, false), map[string]string{"from": "23"}, http.StatusOK, 3, "ORDER BY id"},
				{"a page", search(conn, true), map[string]string{"from": "24"}, http.StatusOK, 2, "ORDER BY id"},
				{"no rows", one, map[string]string{"id": "4711"}, http.StatusOK, 0, "SELECT id FROM people WHERE id = "},
				{"a failure of the database", failing, map[string]string{"id": "1"}, http.StatusBadGateway, 0, "SELECT "},
				{"a mistake of the caller's", one, map[string]string{"id": "x"}, http.StatusBadRequest, 0, ""},
				{"what stands around a call does not count", limited, map[string]string{"id": "1"}, http.StatusOK, 1, "SELECT id"},
				{"nor the second time", limited, map[string]string{"id": "1"}, http.StatusOK, 1, "SELECT id"},
			} {
				t.Run(test.name, func(t *testing.T) {
					got, err := h.runner.Debug(t.Context(), test.d, conn, service.DebugInput{Parameters: test.values})
					if got.Status != test.status || got.Rows != test.rows || (err == nil) != (test.status == http.StatusOK) {
						t.Errorf("status %d, %d rows, %v", got.Status, got.Rows, err)
					}
					if !strings.Contains(got.Statement, test.say) || strings.Contains(got.Statement, "${") || (got.Statement == "") != (test.say == "") {
						t.Errorf("the statement is %q", got.Statement)
					}
					if !json.Valid(got.Body) || got.DurationMS <= 0 {
						t.Errorf("the body is %s, after %v ms", got.Body, got.DurationMS)
					}
				})
			}
		})
	}
}
