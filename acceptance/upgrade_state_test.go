// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package acceptance

import (
	"cmp"
	"database/sql"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
)

var recordState = flag.Bool("record-state", false, "apply one of each resource and write its state and store to testdata/upgrade, as is done for a release")

// A state and a store that an older program left are under testdata/upgrade: the store as
// schemaN.sql, the configuration and its state in stateN. The addresses in the state are these.
var stateURLs = []string{"--gateway-url", "https://api.example.com", "--public-url", "https://dataservice.example.com"}

// applier returns a folder with the configuration, for an admin; two more identities are
// named in it.
func applier(t *testing.T, s *servicetest.Service, folder string) *servicetest.Workdir {
	t.Helper()
	w := s.WorkdirOf(t, s.AdminToken())
	config, err := os.ReadFile(filepath.Join(folder, "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	w.Write("main.tf", string(config))
	return w.Set("developer_token="+s.Developer("dev", false), "reviewer_token="+s.Developer("rev", true))
}

// stateHost is where the CLI under test takes providers from, which stands in each state.
func stateHost() string { return cmp.Or(os.Getenv("TF_ACC_PROVIDER_HOST"), fixtureHost) }

const fixtureHost = "registry.terraform.io"

// The state and the store of each older release meet these programs: nothing is to be changed,
// and a change is applied.
func TestAnOlderStateAndStoreNeedNoChange(t *testing.T) {
	t.Parallel()
	servicetest.Terraform(t) // only where the real programs are asked for
	folders, err := filepath.Glob("testdata/upgrade/state*")
	if err != nil || len(folders) == 0 {
		t.Fatalf("there is no older state: %v", err)
	}
	for _, folder := range folders {
		version, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(folder), "state"))
		if err != nil {
			t.Fatal(err)
		}
		for _, driver := range []string{"sqlite", "pgx"} {
			t.Run(fmt.Sprint(driver, " ", version), func(t *testing.T) {
				t.Parallel()
				dir := fixtureDir(t)
				source, store := filepath.Join(dir, "dataservice.db"), "sqlite"
				if driver == "pgx" {
					source = pgtest.Database(t)
					store = source
				}
				if err := olderStore(t, driver, source, version).Close(); err != nil {
					t.Fatal(err)
				}
				s := servicetest.StartTogether(t, []string{dir}, append([]string{"--store", store}, stateURLs...)...)[0]
				w := applier(t, s, folder)
				state, err := os.ReadFile(filepath.Join(folder, "state.json"))
				if err != nil {
					t.Fatal(err)
				}
				w.Write("terraform.tfstate", strings.ReplaceAll(string(state), fixtureHost, stateHost()))
				// As it was written, and then as the service tells it.
				w.Plan("-refresh=false").Succeeds(t, "No changes")
				w.Plan().Succeeds(t, "No changes")
				if body := s.WantCall("/every", http.StatusNotFound); body == "" { // it is in DEV alone
					t.Error("the gateway says nothing of a path that it does not have")
				}
				w.Set("largest=60").Apply().Succeeds(t, "dataservice_api.numbers", "dataservice_publication.numbers")
				w.Plan().Succeeds(t, "No changes")
				if report, err := s.Client(s.AdminToken()).VerifyEvents(t.Context()); err != nil || !report.Intact {
					t.Errorf("the audit trail is %+v, %v", report, err)
				}
			})
		}
	}
}

// TestRecordTheState makes the state and the store that later programs are held against.
func TestRecordTheState(t *testing.T) {
	if !*recordState {
		t.Skip("-record-state writes the state and the store of this program")
	}
	version, err := sqlstore.SchemaVersion()
	if err != nil {
		t.Fatal(err)
	}
	folders, err := filepath.Glob("testdata/upgrade/state*")
	if err != nil || len(folders) == 0 {
		t.Fatalf("there is no configuration: %v", err)
	}
	folder := fmt.Sprintf("testdata/upgrade/state%d", version)
	newest := slices.MaxFunc(folders, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	if err := os.MkdirAll(folder, 0o750); err != nil {
		t.Fatal(err)
	}
	dir := fixtureDir(t)
	s := servicetest.StartTogether(t, []string{dir}, stateURLs...)[0]
	w := applier(t, s, newest)
	w.Apply().Succeeds(t)
	w.Plan().Succeeds(t, "No changes")
	s.Stop(os.Interrupt)
	state := strings.ReplaceAll(w.Read("terraform.tfstate"), stateHost(), fixtureHost)
	head := fmt.Sprintf("-- Copyright The dataservice Authors\n-- SPDX-License-Identifier: MPL-2.0\n\n"+
		"-- The store that belongs to state%d/state.json: one of each resource. Its encryption key is 64 times the digit 1.\n\n", version)
	for file, text := range map[string]string{
		filepath.Join(folder, "main.tf"): w.Read("main.tf"), filepath.Join(folder, "state.json"): state,
		fixtureOf(int(version)): head + statements(t, filepath.Join(dir, "dataservice.db")),
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// statements writes a SQLite store as statements that both engines know.
func statements(t *testing.T, file string) string {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	_, columns := rowsOf(t, db, "sqlite", nil)
	tables := slices.DeleteFunc(slices.Sorted(maps.Keys(columns)), func(table string) bool {
		return table == "goose_db_version" || table == "gateways" || strings.HasPrefix(table, "sqlite_")
	})
	refers := map[string][]string{}
	for _, table := range tables {
		refers[table] = rowsOfOne(t, db, `pragma_foreign_key_list('`+table+`')`, []string{`"table"`})
	}
	var ordered []string // what is referred to comes first
	for len(ordered) < len(tables) {
		next := slices.IndexFunc(tables, func(table string) bool {
			return !slices.Contains(ordered, table) && !slices.ContainsFunc(refers[table], func(to string) bool {
				to = strings.TrimSuffix(strings.TrimPrefix(to, "[{"), " true}]")
				return to != table && !slices.Contains(ordered, to)
			})
		})
		if next < 0 {
			t.Fatalf("tables refer to each other: %v", tables)
		}
		ordered = append(ordered, tables[next])
	}
	var text strings.Builder
	text.WriteString("DELETE FROM counters;\n")
	for _, table := range ordered {
		quoted := make([]string, len(columns[table]))
		for i, column := range columns[table] {
			quoted[i] = "quote(" + column + ")"
		}
		query := `SELECT '(' || ` + strings.Join(quoted, ` || ', ' || `) + ` || ')' FROM ` + table
		for _, row := range rowsOfOne(t, db, "("+query+")", []string{"*"}) {
			// Each row is printed with what Go puts around a value that may be NULL.
			row = strings.TrimSuffix(strings.TrimPrefix(row, "[{"), " true}]")
			fmt.Fprintf(&text, "INSERT INTO %s (%s) VALUES %s;\n", table, strings.Join(columns[table], ", "), row)
		}
	}
	return text.String()
}
