// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package torture

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// clockFile is where the programs that are tortured look, in their data directory, by how
// many nanoseconds their clock is wrong.
const clockFile = "clock"

// edit replaces a text of a source file, which is there once.
type edit struct{ file, text, by string }

// steppedClock lets the clock of a process be set from outside: the one change that the
// programs need to be tortured.
var steppedClock = []edit{
	{
		"service/lifecycle/service.go", `func (systemClock) Now() time.Time { return time.Now() }`,
		`func (systemClock) Now() time.Time { return SteppedNow() }`,
	},
	{"service/gateway/gateway.go", `wall: time.Now,`, `wall: lifecycle.SteppedNow,`},
}

const steppedClockFile, steppedClockSource = "service/lifecycle/stepped_clock.go", `package lifecycle

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"time"
)

var steppedRead, steppedBy atomic.Int64

// SteppedNow is the time of a clock that is wrong.
func SteppedNow() time.Time {
	now := time.Now()
	if now.UnixNano()-steppedRead.Load() > int64(50*time.Millisecond) {
		steppedRead.Store(now.UnixNano())
		by := int64(0)
		if i := slices.Index(os.Args, "--data-dir"); i >= 0 {
			file := filepath.Join(os.Args[i+1], "` + clockFile + `")
			if text, err := os.ReadFile(file); err == nil {
				if by, err = strconv.ParseInt(string(text), 10, 64); err == nil && by != 0 {
					_ = os.WriteFile(file+".read", nil, 0o600)
				}
			}
		}
		steppedBy.Store(by)
	}
	return now.Round(0).Add(time.Duration(steppedBy.Load()))
}
`

// bugs are mistakes that are put into the programs on purpose, to see that they are found.
var bugs = map[string][]edit{
	// Two operations on a publication run side by side, and the one that writes last wins.
	"no-fence": {
		{"service/sqlstore/instance.go", `return t.lock(ctx, t.store.engine.rowLock(), instances.kind, "instances", id)`, `return nil`},
		{"service/sqlstore/publication.go", `WHERE workspace_id = ? AND id = ? AND row_version = ?` + "`,\n", `WHERE workspace_id = ? AND id = ? AND row_version > 0 * ?` + "`,\n"},
	},
	// A change of a publication is acknowledged a moment before it is committed.
	"early-answer": {
		{"service/sqlstore/store.go", "defer done()\n\t// After", "early := false\n\tdefer func() {\n\t\tif !early {\n\t\t\tdone()\n\t\t}\n\t}()\n\t// After"},
		{"service/sqlstore/store.go", "defer sqlTx.Rollback()", "defer func() {\n\t\tif !early {\n\t\t\tsqlTx.Rollback()\n\t\t}\n\t}()"},
		{"service/sqlstore/store.go", "if err := sqlTx.Commit(); err != nil {", "early = told\n\tif told {\n\t\tgo func() { time.Sleep(20 * time.Millisecond); _ = sqlTx.Commit(); done() }()\n\t\treturn nil\n\t}\n\tif err := sqlTx.Commit(); err != nil {"},
		{"service/sqlstore/store.go", "if err := tx.flushChanges(ctx); err != nil {", "told := false\n\tfor _, c := range tx.changes {\n\t\ttold = told || c.Kind == lifecycle.ChangePublication\n\t}\n\tif err := tx.flushChanges(ctx); err != nil {"},
	},
	// Gateways are not told of a suspension.
	"untold-suspension": {
		{"service/lifecycle/publication.go", "if err := tx.Announce(ctx, Change{ChangePublication, p.ID}); err != nil {", "if call == service.CallSuspend {\n\t\t// nobody is told\n\t} else if err := tx.Announce(ctx, Change{ChangePublication, p.ID}); err != nil {"},
	},
	// What is asked for again is done again.
	"forgotten-request": {
		{"service/lifecycle/service.go", `if err != nil || c.IdempotencyKey == "" {`, `if err != nil || c.IdempotencyKey != "again" {`},
	},
	// An answer says that all gateways serve the change, whether they do or not.
	"no-wait": {
		{"service/lifecycle/gateway.go", "behind, err := s.awaitGateways(ctx, GatewayPatience, instances)", "behind, err := []service.Gateway(nil), error(nil)"},
	},
}

// overlay writes down for the Go compiler what the tortured programs have in place of the
// module's files, and returns the flag that names it.
func overlay(t testing.TB, bug string) string {
	t.Helper()
	edits := slices.Clone(steppedClock)
	if bug != "" {
		more, known := bugs[bug]
		if !known {
			t.Fatalf("there is no bug %q; there are %s", bug, strings.Join(slices.Sorted(maps.Keys(bugs)), ", "))
		}
		edits = append(edits, more...)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	sources := map[string]string{}
	for _, e := range edits {
		if _, begun := sources[e.file]; !begun {
			data, err := os.ReadFile(filepath.Join(root, e.file))
			if err != nil {
				t.Fatal(err)
			}
			sources[e.file] = string(data)
		}
		if n := strings.Count(sources[e.file], e.text); n != 1 {
			t.Fatalf("%s has the text %d times, and was to have it once: %s", e.file, n, e.text)
		}
		sources[e.file] = strings.Replace(sources[e.file], e.text, e.by, 1)
	}
	sources[steppedClockFile] = steppedClockSource
	replace := map[string]string{}
	for file, source := range sources {
		path := filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(root, file)] = path
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return "-overlay=" + path
}

// A bug whose place in the sources has changed is noticed here, and not when it is wanted.
func TestEachBugHasItsPlace(t *testing.T) {
	for bug := range bugs {
		t.Run(bug, func(t *testing.T) { overlay(t, bug) })
	}
}
