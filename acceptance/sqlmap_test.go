// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package acceptance

import (
	"bytes"
	"context"
	"database/sql"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var sqlmapTool = flag.String("sqlmap", "", "path of sqlmap: attack a representative of every way in which SQL is made (`make security`)")

// TestNothingIsInjectable lets sqlmap try, at level 3 and risk 2, on one API for each
// way in which a value gets into a statement. It takes some minutes.
func TestNothingIsInjectable(t *testing.T) {
	if *sqlmapTool == "" {
		t.Skip("takes long; `make security` runs it")
	}
	t.Run("an injectable handler is found out", func(t *testing.T) {
		if found, out := sqlmap(t, injectable(t)+"/?v=Ada", "v"); !found {
			t.Fatalf("sqlmap finds nothing where there is something:\n%s", out)
		}
	})
	m := newModes(t)
	for engine, open := range engines {
		conn := open(t, m)
		for _, target := range attackTargets() {
			t.Run(engine+", "+target.api.Description, func(t *testing.T) {
				in := target.over(conn)
				var ignored bytes.Buffer
				m.record(t, &ignored, engine, in, nil)
				path := "/" + engine + in.Path + "?" + target.calls[0].query
				if status, body := m.Call(path); status != http.StatusOK {
					t.Fatalf("GET %s answers %d %s", path, status, body)
				}
				parameter, _, _ := strings.Cut(target.calls[0].query, "=")
				found, out := sqlmap(t, m.Gateway+path, parameter)
				if found {
					t.Errorf("sqlmap got through:\n%s", out)
				}
				// What is tried is written down, so that a tool that gives up early is no proof.
				if tried := strings.Count(out, "[PAYLOAD]"); tried < 100 {
					t.Errorf("sqlmap tried only %d payloads", tried)
				} else {
					t.Logf("%d payloads", tried)
				}
			})
		}
	}
}

// attackTargets are one API for each compile path: mode, operator, class of type. The
// only position that reaches a database is the query string.
func attackTargets() []sqlCase {
	represent := []string{
		"wizard, EQUAL, STRING", "wizard, EQUAL, LONG", "wizard, EQUAL, DOUBLE", "wizard, EQUAL, BOOLEAN", "wizard, LIKE", "wizard, IN, STRING_LIST", "wizard, IN, LONG_LIST",
		"script, STRING", "script, LONG", "script, STRING_LIST", "script, LONG_LIST",
		"MyBatis, STRING", "MyBatis, STRING_LIST", "MyBatis, LONG_LIST", "MyBatis, choose, trim and bind",
		"script, pages", "wizard, pages, downwards, with other names",
	}
	var targets []sqlCase
	for _, c := range sqlCases() {
		for _, name := range represent {
			if c.api.Description != name {
				continue
			}
			if strings.Contains(name, "pages") {
				c.calls = []caseCall{{query: "pageSize=2"}}
			}
			if strings.Contains(name, "choose") {
				c.calls = []caseCall{withV("all")}
			}
			targets = append(targets, c)
		}
	}
	return targets
}

// sqlmap attacks one parameter and reports whether it got through.
func sqlmap(t *testing.T, target, parameter string) (found bool, output string) {
	t.Helper()
	const most = 15 * time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), most)
	defer cancel()
	out, err := exec.CommandContext(ctx, *sqlmapTool, "-u", target, "-p", parameter, "--level", "3", "--risk", "2",
		"--batch", "--flush-session", "--disable-coloring", "-v", "3", "--threads", "4", "--output-dir", t.TempDir()).CombinedOutput()
	output = string(out)
	switch {
	case strings.Contains(output, "identified the following injection point"), strings.Contains(output, "is vulnerable"):
		return true, output
	case strings.Contains(output, "do not appear to be injectable"):
		return false, output
	}
	t.Fatalf("sqlmap did not come to an end: %v\n%s", err, output)
	return false, output
}

// injectable is a handler as nobody should write one.
func injectable(t *testing.T) string {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "things.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE things (name TEXT); INSERT INTO things VALUES ('Ada'), ('Bob')"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rows, err := db.QueryContext(r.Context(), "SELECT name FROM things WHERE name = '"+r.URL.Query().Get("v")+"'") // It is there to be attacked.
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			fmt.Fprintln(w, name)
		}
		if err := rows.Err(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}
