// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package acceptance

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
)

// olderStore makes a store with the schema of that version, as the program of then left it,
// in the database, and returns it.
func olderStore(t *testing.T, driver, source string, version int) *sql.DB {
	t.Helper()
	files, err := filepath.Glob("../service/sqlstore/migrations/*.sql") // in order
	if err != nil || len(files) < version {
		t.Fatalf("there are %d migrations, %v", len(files), err)
	}
	migrations := fstest.MapFS{}
	for _, file := range files[:version] {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		migrations[filepath.Base(file)] = &fstest.MapFile{Data: data}
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	dialect := map[string]goose.Dialect{"pgx": goose.DialectPostgres, "sqlite": goose.DialectSQLite3}[driver]
	provider, err := goose.NewProvider(dialect, db, migrations, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	fixture, err := os.ReadFile(fixtureOf(version))
	if err != nil {
		t.Fatal(err)
	}
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for statement := range strings.SplitSeq(string(fixture), ";\n") {
		if _, err := tx.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	return db
}

func fixtureOf(version int) string { return fmt.Sprintf("testdata/upgrade/schema%d.sql", version) }

// appCodeOf reads what the fixture says of itself.
func appCodeOf(t *testing.T, version int) string {
	t.Helper()
	fixture, err := os.ReadFile(fixtureOf(version))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(fixture), "-- app_code: ")
	code, _, _ := strings.Cut(rest, "\n")
	if !found || code == "" {
		t.Fatal("the fixture has no AppCode")
	}
	return code
}

// rowsOf reads all rows of all tables: columns and values, as text. Those of columns are
// read where they are given.
func rowsOf(t *testing.T, db *sql.DB, driver string, columns map[string][]string) (rows map[string][]string, read map[string][]string) {
	t.Helper()
	query := `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position`
	if driver == "sqlite" {
		query = `SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY m.name, c.cid`
	}
	if columns == nil {
		columns = map[string][]string{}
		list, err := db.QueryContext(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = list.Close() }()
		for list.Next() {
			var table, column string
			if err := list.Scan(&table, &column); err != nil {
				t.Fatal(err)
			}
			columns[table] = append(columns[table], column)
		}
		if err := list.Err(); err != nil {
			t.Fatal(err)
		}
	}
	rows = map[string][]string{}
	for table, names := range columns {
		rows[table] = rowsOfOne(t, db, table, names)
	}
	return rows, columns
}

func rowsOfOne(t *testing.T, db *sql.DB, table string, columns []string) (rows []string) {
	t.Helper()
	found, err := db.QueryContext(t.Context(), `SELECT `+strings.Join(columns, ", ")+` FROM `+table)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = found.Close() }()
	for found.Next() {
		values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := found.Scan(into...); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, fmt.Sprint(values))
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return rows
}

// changes are the tables whose rows change when a service starts.
var changes = []string{"counters", "trail_heads", "gateways", "goose_db_version"}

// fixtureKey is the encryption key of the fixtures.
var fixtureKey = strings.Repeat("1", 64)

// fixtureDir makes a data directory for a store of a fixture.
func fixtureDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	writeKeys(t, filepath.Join(dir, "encryption.key"), fixtureKey)
	if err := os.Mkdir(filepath.Join(dir, "databases"), 0o750); err != nil {
		t.Fatal(err)
	}
	execute(t, "sqlite", filepath.Join(dir, "databases", "numbers.db"), `CREATE TABLE numbers (n INTEGER PRIMARY KEY);
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 100) INSERT INTO numbers SELECT n FROM c`)
	return dir
}

// wantFixture checks that a service does with the records of a fixture what the older program
// did.
func wantFixture(t *testing.T, s *servicetest.Service, version int) {
	t.Helper()
	if body := s.WantCall("/numbers?n=7", http.StatusOK); !strings.Contains(body, "7") {
		t.Errorf("/numbers answers %s", body)
	}
	s.WantCall("/halted?n=7", http.StatusForbidden)
	s.WantCall("/guarded?n=7", http.StatusUnauthorized)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Gateway+"/guarded?n=7", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Apig-AppCode", appCodeOf(t, version))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the app is answered %d", resp.StatusCode)
	}
	admin := s.Client(s.AdminToken())
	if report, err := admin.VerifyEvents(t.Context()); err != nil || !report.Intact || report.Events < 20 {
		t.Errorf("the audit trail is %+v, %v", report, err)
	}
	publications := all(t, publicationsOf(admin))
	statuses := map[service.Status]int{}
	for _, p := range publications {
		statuses[p.Status]++
	}
	if len(publications) != 4 || statuses[service.StatusPublished] != 2 {
		t.Errorf("the publications are %v", statuses)
	}
	if reviews := all(t, reviewsOf(admin)); len(reviews) != 1 || reviews[0].Remark != "please" {
		t.Errorf("the applications are %+v", reviews)
	}
}

// Three services of this program start at the same moment on a store that an older one left.
// One of them brings it up to date, once; all of them go on with what was there.
func TestThreeServicesBringAnOlderStoreUpToDateOnce(t *testing.T) {
	t.Parallel()
	program, err := sqlstore.SchemaVersion()
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []int{12, 13, 14} {
		for driver, services := range map[string]int{"sqlite": 1, "pgx": 3} { // SQLite is for one process
			t.Run(fmt.Sprint(driver, " ", version), func(t *testing.T) {
				t.Parallel()
				dirs := make([]string, services)
				for i := range dirs {
					dirs[i] = fixtureDir(t)
				}
				source, store := filepath.Join(dirs[0], "dataservice.db"), "sqlite"
				if driver == "pgx" {
					source = pgtest.Database(t)
					store = source
				}
				db := olderStore(t, driver, source, version)
				before, columns := rowsOf(t, db, driver, nil)
				fleet := servicetest.StartTogether(t, dirs, "--store", store)
				logs := ""
				for _, s := range fleet {
					logs += s.Log()
				}
				line := fmt.Sprintf(`"msg":"the store's schema was brought up to date","from":%d,"to":%d`, version, program)
				if n := strings.Count(logs, line); n != 1 || strings.Count(logs, "brought up to date") != 1 {
					t.Errorf("the schema was brought up to date %d times", n)
				}
				after, _ := rowsOf(t, db, driver, columns)
				count := 0
				for table, rows := range before {
					if slices.Contains(changes, table) || strings.HasPrefix(table, "sqlite_") {
						continue
					}
					for _, row := range rows {
						count++
						if !slices.Contains(after[table], row) {
							t.Errorf("%s has lost %s", table, row)
						}
					}
				}
				if count < 50 {
					t.Errorf("%d rows are still there, which shows little", count)
				}
				var times int
				if err := db.QueryRowContext(t.Context(), `SELECT max(n) FROM (SELECT count(*) AS n FROM goose_db_version GROUP BY version_id) AS made`).Scan(&times); err != nil || times != 1 {
					t.Errorf("a migration was made %d times, %v", times, err)
				}
				for _, s := range fleet {
					wantFixture(t, s, version)
				}
				// And what is new is followed by all.
				rev := fleet[0].Client(fleet[0].Developer("rev", true))
				review := all(t, reviewsOf(rev))[0]
				if _, err := rev.Approve(t.Context(), review.ID, service.DecisionInput{Digest: review.Digest}); err != nil {
					t.Fatal(err)
				}
				for _, s := range fleet {
					servicetest.Eventually(t, 15*time.Second, "what is approved now is served", func() bool { status, _ := s.Call("/asked?n=7"); return status == http.StatusOK })
				}
			})
		}
	}
}

// A backup of an older store is restored, and brought up to date by the next start.
func TestABackupOfAnOlderStoreIsRestored(t *testing.T) {
	t.Parallel()
	servicetest.Terraform(t) // only where the real programs are asked for
	for _, version := range []int{12, 13, 14} {
		old, dir := fixtureDir(t), fixtureDir(t)
		if err := olderStore(t, "sqlite", filepath.Join(old, "dataservice.db"), version).Close(); err != nil {
			t.Fatal(err)
		}
		backup := filepath.Join(old, "store.bak")
		if said, ok := program(t, "backup", "--data-dir", old, "--with-key", backup); !ok {
			t.Fatal(said)
		}
		_, other := newKey(t)
		writeKeys(t, filepath.Join(old, "other.key"), other)
		if said, ok := program(t, "restore", "--data-dir", dir, "--key-file", filepath.Join(old, "other.key"), backup); ok || !strings.Contains(said, "was made with another encryption key") {
			t.Errorf("with another key: %s", said)
		}
		if said, ok := program(t, "restore", "--data-dir", dir, backup); !ok {
			t.Fatal(said)
		}
		wantFixture(t, servicetest.StartTogether(t, []string{dir})[0], version)
	}
}

// Services that are killed while they bring a store up to date leave it to the next one.
func TestAKilledUpgradeIsMadeByTheNextService(t *testing.T) {
	t.Parallel()
	servicetest.Terraform(t) // only where the real programs are asked for
	seen := map[int64]int{}
	// The kills come later and later until one of them finds the upgrade made.
	while := 20 * time.Millisecond
	for i := 0; i < max(8, kills(t)/3) || len(seen) < 2 && while < 20*time.Second; i++ {
		dsn, dir := pgtest.Database(t), fixtureDir(t)
		db := olderStore(t, "pgx", dsn, 12)
		killedAfter(t, while, "serve", "--data-dir", dir, "--store", dsn, "--listen", "127.0.0.1:0", "--gateway-listen", "127.0.0.1:0")
		var version int64
		if err := db.QueryRowContext(t.Context(), `SELECT max(version_id) FROM goose_db_version`).Scan(&version); err != nil {
			t.Fatal(err)
		}
		seen[version]++
		while += while / 3
		_ = os.Remove(filepath.Join(dir, "admin.token")) // it may be half of a start
		s := servicetest.StartTogether(t, []string{dir}, "--store", dsn)[0]
		wantFixture(t, s, 12)
		s.Stop(syscall.SIGTERM)
		if t.Failed() {
			break
		}
	}
	t.Logf("the versions after the kills: %v", seen)
	if len(seen) < 2 {
		t.Errorf("the kills left the versions %v alone, which shows little", seen)
	}
}

// newerSchema does to a store what a newer program may do while this one runs: it adds a
// column to every table and a table, and counts up the version.
func newerSchema(t *testing.T, db *sql.DB) {
	t.Helper()
	_, columns := rowsOf(t, db, "pgx", nil)
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	statements := []string{`CREATE TABLE of_a_newer_program (id TEXT NOT NULL PRIMARY KEY)`, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9000, TRUE)`}
	for table := range columns {
		if table != "goose_db_version" {
			statements = append(statements, `ALTER TABLE `+table+` ADD COLUMN a_newer_one TEXT NOT NULL DEFAULT ''`)
		}
	}
	if len(statements) < 25 {
		t.Fatalf("there are %d tables", len(statements)-2)
	}
	for _, s := range statements {
		if _, err := tx.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// A newer program brings the schema up to date under services and gateways that run: they go
// on, and follow each other. What starts then is refused.
func TestWhatRunsGoesOnUnderANewerSchema(t *testing.T) {
	t.Parallel()
	f := startFleet(t)
	g := servicetest.StartGateway(t, f.Service, "--store", f.dsn)
	before := f.publish(t, f.api(t, "before", service.AuthNone))
	db, err := sql.Open("pgx", f.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	newerSchema(t, db)
	for i := range 3 {
		if p := f.publish(t, f.api(t, fmt.Sprintf("after_%d", i), service.AuthNone)); len(p.LaggingGateways) > 0 {
			t.Errorf("not all serve it: %v", p.LaggingGateways)
		}
		wantEverywhere(t, append(f.all(), g), fmt.Sprintf("/after_%d", i), http.StatusOK)
	}
	if _, err := f.others[0].Client(f.Developer("dev", true)).Suspend(t.Context(), before.ID, service.ActionInput{}, client.AwaitGateways()); err != nil {
		t.Error(err)
	}
	wantEverywhere(t, append(f.all(), g), "/before", http.StatusForbidden)
	app, err := f.rev.CreateApp(t.Context(), service.AppInput{AppSpec: service.AppSpec{Name: "shop"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.rev.RotateApp(t.Context(), app.ID, service.RotateInput{}); err != nil {
		t.Error(err)
	}
	if report, err := f.rev.VerifyEvents(t.Context()); err != nil || !report.Intact {
		t.Errorf("the audit trail is broken: %+v, %v", report, err)
	}
	if status, said := probe(t, g); status != http.StatusOK || said != "ready" {
		t.Errorf("/readyz of the gateway answers %d %s", status, said)
	}
	for _, s := range []*servicetest.Service{g, f.others[1]} {
		s.Stop(syscall.SIGTERM)
		if said := s.WantNoStart(); !strings.Contains(said, "the store has schema version 9000 and this program knows versions up to") {
			t.Errorf("a start then says:\n%s", said)
		}
	}
	wantEverywhere(t, f.all()[:2], "/after_0", http.StatusOK)
}

// kept starts a gateway behind a door, on a fleet with one API, and returns when its routes
// are on its disk. It is killed then.
func kept(t *testing.T, f *fleet, store string, flags ...string) *servicetest.Service {
	t.Helper()
	g := servicetest.StartGateway(t, f.Service, append([]string{"--store", store}, flags...)...)
	f.publish(t, f.api(t, "before", service.AuthNone))
	// What is written after one more change has the one before in it.
	began := time.Now()
	f.publish(t, f.api(t, "last", service.AuthNone))
	servicetest.Eventually(t, 15*time.Second, "the routes are on the disk", func() bool { return keptAt(t, g).After(began) })
	g.Kill()
	return g
}

// A gateway that started without its store serves on where the store comes back and refuses it:
// with a newer schema, or since its role may not come in any more. It says why, and follows when
// that is put right.
func TestAGatewayServesOnWhereItsStoreComesBackAndRefusesIt(t *testing.T) {
	t.Parallel()
	f := startFleet(t)
	db, err := sql.Open("pgx", f.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	address, err := url.Parse(f.dsn)
	if err != nil {
		t.Fatal(err)
	}
	role := "r_" + strings.TrimPrefix(address.Path, "/dataservice_")
	change := func(statement string) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), strings.ReplaceAll(statement, "ROLE_NAME", role)); err != nil {
			t.Fatal(err)
		}
	}
	change(`CREATE ROLE ROLE_NAME LOGIN SUPERUSER`)
	t.Cleanup(func() {
		db, err := sql.Open("pgx", f.dsn)
		if err == nil {
			_, err = db.ExecContext(context.WithoutCancel(t.Context()), "DROP ROLE "+role)
			err = errors.Join(err, db.Close())
		}
		if err != nil {
			t.Error(err)
		}
	})
	door := newDoor(t, address.Host)
	address.Host, address.User = door.Listen, url.User(role)
	g := kept(t, f, address.String())
	for _, refusal := range []struct{ is, undone, said string }{
		{`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9000, TRUE)`, `DELETE FROM goose_db_version WHERE version_id = 9000`, "the store has schema version 9000"},
		{`ALTER ROLE ROLE_NAME NOLOGIN`, `ALTER ROLE ROLE_NAME LOGIN`, "is not permitted to log in"},
	} {
		door.Stop()
		door.wantRefused()
		g.Start()
		wantEverywhere(t, []*servicetest.Service{g}, "/before", http.StatusOK)
		change(refusal.is)
		if err := door.Start(); err != nil {
			t.Fatal(err)
		}
		servicetest.Eventually(t, 20*time.Second, "the gateway says why it cannot follow: "+refusal.said, func() bool {
			_, said, _ := strings.Cut(g.Log(), "still cannot follow the store, now for another reason")
			return strings.Contains(said, refusal.said)
		})
		if status, said := probe(t, g); status != http.StatusOK || said != "stale" {
			t.Errorf("/readyz of the gateway answers %d %s", status, said)
		}
		wantEverywhere(t, []*servicetest.Service{g}, "/before", http.StatusOK)
		// One that starts now is told.
		g.Kill()
		if said := g.WantNoStart(); !strings.Contains(said, refusal.said) {
			t.Errorf("a start says:\n%s", said)
		}
		door.Stop()
		door.wantRefused()
		g.Start()
		change(refusal.undone)
		if err := door.Start(); err != nil {
			t.Fatal(err)
		}
		servicetest.Eventually(t, 15*time.Second, "the gateway follows again", func() bool { _, said := probe(t, g); return said == "ready" })
		g.Kill()
	}
}

// The store is half open: it takes connections, and says nothing. The gateway does not wait for
// it longer than it is said to.
func TestAGatewayStartsWhereItsStoreSaysNothing(t *testing.T) {
	t.Parallel()
	f := startFleet(t)
	address, err := url.Parse(f.dsn)
	if err != nil {
		t.Fatal(err)
	}
	door := newDoor(t, address.Host)
	address.Host = door.Listen
	g := kept(t, f, address.String())
	door.say(t, false)
	began := time.Now()
	g.Start()
	if took := time.Since(began); took > 12*time.Second {
		t.Errorf("the gateway served after %s", took)
	} else {
		t.Logf("the gateway served after %s", took)
	}
	wantEverywhere(t, []*servicetest.Service{g}, "/before", http.StatusOK)
	if status, said := probe(t, g); status != http.StatusOK || said != "stale" {
		t.Errorf("/readyz of the gateway answers %d %s", status, said)
	}
	door.say(t, true)
	servicetest.Eventually(t, 20*time.Second, "the gateway follows again", func() bool { _, said := probe(t, g); return said == "ready" })
	f.publish(t, f.api(t, "after", service.AuthNone))
	servicetest.Eventually(t, 5*time.Second, "the gateway serves what is published then", func() bool { status, _ := g.Call("/after"); return status == http.StatusOK })
}

// say has the door pass on what is said, or nothing at all.
func (d *door) say(t *testing.T, all bool) {
	t.Helper()
	for _, direction := range []string{"upstream", "downstream"} {
		var err error
		if all {
			err = d.Toxics.RemoveToxic(t.Context(), direction)
		} else {
			_, err = d.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(`{"name": %q, "type": "timeout", "stream": %q, "attributes": {"timeout": 0}}`, direction, direction)))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Routes that were kept for another instance, or for all, are not used.
func TestAGatewayDoesNotServeTheRoutesOfAnotherInstance(t *testing.T) {
	t.Parallel()
	f := startFleet(t)
	address, err := url.Parse(f.dsn)
	if err != nil {
		t.Fatal(err)
	}
	door := newDoor(t, address.Host)
	address.Host = door.Listen
	if _, err := f.Client(f.AdminToken()).CreateInstance(t.Context(), service.InstanceInput{InstanceSpec: service.InstanceSpec{Name: "edge"}}); err != nil {
		t.Fatal(err)
	}
	g := kept(t, f, address.String())
	began := time.Now()
	edge := servicetest.StartGateway(t, f.Service, "--store", address.String(), "--instance", "edge")
	servicetest.Eventually(t, 15*time.Second, "the routes are on the disk", func() bool { return keptAt(t, edge).After(began) })
	edge.Kill()
	door.Stop()
	door.wantRefused()
	for dir, flags := range map[string][]string{g.DataDir: {"--instance", "edge"}, edge.DataDir: {}} {
		said, ok := program(t, append([]string{"gateway", "--data-dir", dir, "--store", address.String(), "--gateway-listen", "127.0.0.1:0"}, flags...)...)
		if ok || !strings.Contains(said, "are not used: it was written with --instance=") {
			t.Errorf("with %v the gateway says:\n%s", flags, said)
		}
	}
	// The file itself is moved to the other one's directory.
	data, err := os.ReadFile(filepath.Join(g.DataDir, "routes.sealed"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(edge.DataDir, "routes.sealed"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	if said := edge.WantNoStart(); !strings.Contains(said, `are not used: it was written with --instance=\"\"`) && !strings.Contains(said, `are not used: it was written with --instance=""`) {
		t.Errorf("with the routes of all instances the gateway of one says:\n%s", said)
	}
	g.Start() // its own are as good as before
	wantEverywhere(t, []*servicetest.Service{g}, "/before", http.StatusOK)
}
