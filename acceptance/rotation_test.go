// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package acceptance

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"golang.org/x/sync/errgroup"

	"github.com/dataservice/terraform-provider-dataservice/internal/mysqltest"
	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
)

// program runs the service's program to its end, and returns what it printed on both streams.
func program(t *testing.T, args ...string) (said string, ok bool) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), filepath.Join(servicetest.Programs(t), "dataservice"), args...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), err == nil
}

// readKey reads a file of one key.
func readKey(t *testing.T, file string) (key [32]byte) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hex.Decode(key[:], bytes.TrimSpace(data)); err != nil {
		t.Fatal(err)
	}
	return key
}

// newKey makes a key.
func newKey(t *testing.T) (key [32]byte, text string) {
	t.Helper()
	if _, err := rand.Read(key[:]); err != nil {
		t.Fatal(err)
	}
	return key, hex.EncodeToString(key[:])
}

// writeKeys writes the lines of a key file.
func writeKeys(t *testing.T, file string, keys ...string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(strings.Join(keys, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// sealingStore opens a store with nothing logged.
func sealingStore(t *testing.T, dsn string, keys ...[32]byte) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), sqlstore.Options{DSN: dsn, Keys: keys, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// signed calls with the app's signature.
func signed(t *testing.T, s *servicetest.Service, path string, c service.Credentials) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Gateway+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	date := time.Now().UTC().Format("20060102T150405Z")
	empty := sha256.Sum256(nil)
	canonical := sha256.Sum256([]byte("GET\n" + path + "/\n\nx-sdk-date:" + date + "\n\nx-sdk-date\n" + hex.EncodeToString(empty[:])))
	mac := hmac.New(sha256.New, []byte(c.Secret))
	mac.Write([]byte("SDK-HMAC-SHA256\n" + date + "\n" + hex.EncodeToString(canonical[:])))
	req.Header.Set("X-Sdk-Date", date)
	req.Header.Set("Authorization", "SDK-HMAC-SHA256 Access="+c.Key+", SignedHeaders=x-sdk-date, Signature="+hex.EncodeToString(mac.Sum(nil)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// guardedDatabase makes a MariaDB or MySQL database whose reader has a password, and returns
// the connection to it.
func guardedDatabase(t *testing.T) (spec service.ConnectionSpec, password string) {
	t.Helper()
	config, err := mysql.ParseDSN(mysqltest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("mysql", config.FormatDSN())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	user, password := "r_"+mysqltest.Random(t), "canary-"+mysqltest.Random(t)
	t.Cleanup(func() {
		if _, err := db.ExecContext(context.WithoutCancel(t.Context()), "DROP USER '"+user+"'@'%'"); err != nil {
			t.Error(err)
		}
	})
	for _, statement := range []string{
		"CREATE TABLE stock (n INT)", "INSERT INTO stock VALUES (7)",
		"CREATE USER '" + user + "'@'%' IDENTIFIED BY '" + password + "'", "GRANT SELECT ON " + config.DBName + ".* TO '" + user + "'@'%'",
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	host, port, _ := strings.Cut(config.Addr, ":")
	spec = service.ConnectionSpec{Name: "warehouse", Engine: service.EngineMySQL, Host: host, Database: config.DBName, Username: user, SSLMode: service.SSLDisable}
	_, err = fmt.Sscan(port, &spec.Port)
	if err != nil {
		t.Fatal(err)
	}
	return spec, password
}

// The procedure of the guide, on three services and a gateway that run, with others who set
// passwords all the while. The rotation is killed once in its midst. In the end the new key is
// all that anybody has, and everything goes on.
func TestTheEncryptionKeyIsReplacedWhileReplicasRun(t *testing.T) {
	t.Parallel()
	f := startFleet(t)
	ctx := t.Context()
	address, err := url.Parse(f.dsn)
	if err != nil {
		t.Fatal(err)
	}
	door := newDoor(t, address.Host)
	address.Host = door.Listen
	g := servicetest.StartGateway(t, f.Service, "--store", address.String())
	processes := append(f.all(), g)

	spec, password := guardedDatabase(t)
	conn, err := f.rev.CreateConnection(ctx, service.ConnectionInput{ConnectionSpec: spec, Password: &password})
	if err != nil {
		t.Fatal(err)
	}
	api, err := f.rev.CreateAPI(ctx, service.APIInput{APISpec: service.APISpec{Name: "stock", Definition: service.Definition{
		Path: "/stock", Method: service.MethodGet, AuthType: service.AuthApp, AllowAppCode: true, ConnectionID: conn.ID,
		Script: &service.Script{SQL: "SELECT n FROM stock"}, ResponseParameters: map[string]service.ResponseParameter{"n": {Type: service.TypeInt}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	f.publish(t, api)
	app, err := f.rev.CreateApp(ctx, service.AppInput{AppSpec: service.AppSpec{Name: "shop"}})
	if err != nil {
		t.Fatal(err)
	}
	credentials, err := f.rev.AppCredentials(ctx, app.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.rev.Authorize(ctx, service.AuthorizeInput{APIID: api.ID, AppID: app.ID}); err != nil {
		t.Fatal(err)
	}
	answers := func(when string) {
		t.Helper()
		for i, s := range processes {
			servicetest.Eventually(t, 15*time.Second, fmt.Sprintf("%s: process %d answers a signed call", when, i), func() bool { return signed(t, s, "/stock", credentials) == http.StatusOK })
		}
	}
	answers("before")
	const more = 450
	// A server that asks for no password takes every one.
	open, err := url.Parse(pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(open.Port())
	if err != nil {
		t.Fatal(err)
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	ids := make([]string, more)
	for i := range ids {
		group.Go(func() error {
			first := fmt.Sprintf("canary-%d", i)
			c, err := f.rev.CreateConnection(groupCtx, service.ConnectionInput{Password: &first, ConnectionSpec: service.ConnectionSpec{
				Name: fmt.Sprintf("warehouse_%d", i), Engine: service.EnginePostgreSQL, Host: open.Hostname(), Port: port, Database: strings.TrimPrefix(open.Path, "/"),
				Username: open.User.Username(), SSLMode: service.SSLDisable, AllowSuperuser: true,
			}})
			ids[i] = c.ID
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}

	_, newText := newKey(t)
	oldKey := readKey(t, f.KeyFile())
	oldText := hex.EncodeToString(oldKey[:])
	said := ""
	rotate := func(want bool, words ...string) {
		t.Helper()
		out, ok := program(t, "rotate-key", "--store", f.dsn, "--data-dir", f.DataDir)
		said += out
		for _, word := range words {
			if !strings.Contains(out, word) {
				ok = !want
			}
		}
		if ok != want {
			t.Fatalf("rotate-key says %s", out)
		}
	}
	restart := func(s *servicetest.Service) {
		t.Helper()
		s.Stop(syscall.SIGTERM)
		s.Start()
	}
	// One after the other gets the new key. Until all have it, none uses it.
	for i, s := range processes {
		if i == 2 {
			rotate(false, "is not known yet to ", strings.TrimPrefix(f.others[1].Gateway, "http://"), strings.TrimPrefix(g.Gateway, "http://"))
		}
		writeKeys(t, s.KeyFile(), oldText, newText)
		restart(s)
	}
	answers("with both keys")

	// Others set passwords and rotate an app's secrets on every service from here on.
	writing, stop := context.WithCancel(ctx)
	defer stop()
	const writers = 3
	var (
		work sync.WaitGroup
		last [writers]string
		// Nobody writes on a service that is just started again.
		pause sync.RWMutex
		apps  [writers]service.Credentials
	)
	for i := range writers {
		c := []*servicetest.Service{f.Service, f.others[0], f.others[1]}[i].Client(f.Developer(fmt.Sprintf("writer_%d", i), true))
		a, err := c.CreateApp(ctx, service.AppInput{AppSpec: service.AppSpec{Name: fmt.Sprintf("app_%d", i)}})
		if err != nil {
			t.Fatal(err)
		}
		work.Go(func() {
			write := func(round int) error {
				pause.RLock()
				defer pause.RUnlock()
				secret := fmt.Sprintf("canary-%d-%d", i, round)
				at := more - 1 - i
				current, err := c.Connection(ctx, ids[at])
				if err == nil {
					_, err = c.UpdateConnection(ctx, ids[at], service.ConnectionInput{ConnectionSpec: current.ConnectionSpec, Password: &secret})
				}
				if err == nil {
					last[i] = secret
					_, err = c.RotateApp(ctx, a.ID, service.RotateInput{})
				}
				if err == nil {
					apps[i], err = c.AppCredentials(ctx, a.ID)
				}
				return err
			}
			for round := 0; writing.Err() == nil; round++ {
				if err := write(round); err != nil {
					t.Errorf("writer %d, round %d: %v", i, round, err)
					return
				}
				time.Sleep(5 * time.Millisecond)
			}
		})
	}

	// A row that somebody else holds stops the rotation in its midst, where it is killed.
	db, err := sql.Open("pgx", f.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(ctx, `SELECT 1 FROM connections WHERE id = $1 FOR UPDATE`, ids[more/2+more/8]); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(servicetest.Programs(t), "dataservice"), "rotate-key", "--store", f.dsn, "--data-dir", f.DataDir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	count := func(query string) (n int) {
		t.Helper()
		if err := db.QueryRowContext(ctx, query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	servicetest.Eventually(t, 20*time.Second, "the rotation waits for a row", func() bool {
		return count(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'UPDATE connections SET password_sealed%'`) > 0
	})
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if old, anew := count(`SELECT count(*) FROM connections WHERE password_sealed NOT LIKE '%:%' AND password_sealed <> ''`), count(`SELECT count(*) FROM connections WHERE password_sealed LIKE '%:%'`); old == 0 || anew == 0 {
		t.Errorf("the rotation was not killed in its midst: %d passwords are of the old key, %d of the new one", old, anew)
	}
	pause.Lock()
	for _, s := range processes {
		restart(s) // reads what there is of both
	}
	pause.Unlock()
	answers("after the kill")

	rotate(true, "secrets were encrypted anew", "and no other")
	answers("rotated")
	stop()
	work.Wait()
	rotate(true, "nothing was changed")

	// Only the new key is left. The gateway starts with it also where it has no database.
	g.Kill()
	door.Stop()
	door.wantRefused()
	writeKeys(t, g.KeyFile(), newText)
	g.Start()
	if _, said := probe(t, g); said != "stale" {
		t.Errorf("the gateway without a database is %s", said)
	}
	answers("without the database")
	if err := door.Start(); err != nil {
		t.Fatal(err)
	}
	for _, s := range f.all() {
		writeKeys(t, s.KeyFile(), newText)
		restart(s)
	}
	servicetest.Eventually(t, 15*time.Second, "the gateway follows again", func() bool { _, said := probe(t, g); return said == "ready" })
	restart(g)
	answers("with the new key")
	store := sealingStore(t, f.dsn, readKey(t, f.KeyFile()))
	err = store.View(ctx, func(tx lifecycle.Tx) error {
		for i, id := range ids {
			want := fmt.Sprintf("canary-%d", i)
			if w := more - 1 - i; w < writers {
				want = last[w]
			}
			if c, err := tx.Connection(ctx, "", id); err != nil || c.Password.Reveal() != want {
				t.Errorf("the password of %s is another one than %s: %v", c.Name, want, err)
			}
		}
		for i, c := range apps {
			k, err := tx.AppKey(ctx, c.AppID)
			if err != nil || k.Generations[0].Secret.Reveal() != c.Secret || k.Generations[0].AppCode.Reveal() != c.AppCode {
				t.Errorf("the secrets of the app of writer %d are not those that it was answered: %v", i, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}

	// Who comes with the old key alone is told.
	writeKeys(t, f.others[0].KeyFile(), oldText)
	f.others[0].Stop(syscall.SIGTERM)
	if out := f.others[0].WantNoStart(); !strings.Contains(out, "since it was rotated, and the key file lacks it") || !strings.Contains(out, "add that key to the file") {
		t.Errorf("a service with the old key says %s", out)
	}
	writeKeys(t, g.KeyFile(), oldText)
	g.Stop(syscall.SIGTERM)
	if out := g.WantNoStart(); !strings.Contains(out, "since it was rotated, and the key file lacks it") {
		t.Errorf("a gateway with the old key says %s", out)
	}

	report, err := f.rev.VerifyEvents(ctx)
	if err != nil || !report.Intact {
		t.Errorf("the audit trail is broken: %+v, %v", report, err)
	}
	events, err := f.rev.Events(ctx, client.EventFilter{Action: "encryption_key."}, 0, 10)
	if err != nil || len(events.Items) != 2 {
		t.Errorf("the trail tells %v of the rotation, %v", events.Items, err)
	}
	for _, s := range processes {
		said += s.Log()
	}
	for _, secret := range []string{oldText, newText, strings.ToUpper(newText), password, credentials.Secret, "canary-"} {
		if strings.Contains(said, secret) {
			t.Errorf("a secret is logged: %s", secret)
		}
	}
}

// commandsOf returns the commands of one section of a guide, as a reader types them, with the
// values of the test in place of those of the guide.
func commandsOf(t *testing.T, guide, section string, values ...string) (commands []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", "guides", guide+".md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "\n## "+section+"\n")
	if !found {
		t.Fatalf("the guide %s has no section %s", guide, section)
	}
	rest, _, _ = strings.Cut(rest, "\n## ")
	for found {
		var block string
		_, rest, found = strings.Cut(rest, "```shell\n")
		if block, rest, _ = strings.Cut(rest, "```"); found {
			commands = append(commands, strings.NewReplacer(values...).Replace(block))
		}
	}
	return commands
}

// What the guide says is typed as it stands there.
func TestTheGuideReplacesTheEncryptionKey(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "encryption.key")
	_, oldText := newKey(t)
	writeKeys(t, file, oldText)
	dsn := pgtest.Database(t)
	s := startService(t, "--store", dsn, "--encryption-key-file", file)
	rev := s.Client(s.Developer("rev", true))
	app, err := rev.CreateApp(t.Context(), service.AppInput{AppSpec: service.AppSpec{Name: "shop"}})
	if err != nil {
		t.Fatal(err)
	}
	before, err := rev.AppCredentials(t.Context(), app.ID)
	if err != nil {
		t.Fatal(err)
	}
	commands := commandsOf(t, "running-more-than-one", "Replacing the encryption key",
		"/etc/dataservice/encryption.key", file, "postgres://dataservice@db.example.com/dataservice", "'"+dsn+"'", "DATA_DIR", s.DataDir)
	if len(commands) != 3 {
		t.Fatalf("the guide has the commands %q", commands)
	}
	for i, command := range commands {
		cmd := exec.CommandContext(t.Context(), "sh", "-e", "-c", command)
		cmd.Env = append(os.Environ(), "PATH="+servicetest.Programs(t)+string(filepath.ListSeparator)+os.Getenv("PATH"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s\n%s%v", command, out, err)
		}
		if i != 1 {
			servicetest.Eventually(t, time.Minute, "the service has read its keys again", func() bool {
				return strings.Count(s.Log(), `"the settings are reloaded","changed":"encryption keys"`) == i/2+1
			})
		}
		if after, err := rev.AppCredentials(t.Context(), app.ID); err != nil || after.Secret != before.Secret || after.AppCode != before.AppCode {
			t.Errorf("after step %d the app has other secrets: %v", i+1, err)
		}
	}
	if key := readKey(t, file); hex.EncodeToString(key[:]) == oldText {
		t.Error("the old key is the one that is left")
	}
	s.Stop(syscall.SIGTERM)
	s.Start()
	if after, err := rev.AppCredentials(t.Context(), app.ID); err != nil || after.Secret != before.Secret {
		t.Errorf("after a restart the app has other secrets: %v", err)
	}
}

// secretsOf fills a store with that many connections, and returns what reads them back.
func secretsOf(t *testing.T, dsn string, key [32]byte, n int) (check func(key [32]byte)) {
	t.Helper()
	s := sealingStore(t, dsn, key)
	ctx, now := t.Context(), time.Now()
	w := service.Workspace{ID: service.NewID(now), Name: "default"}
	ids := make([]string, n)
	password := func(i int) service.Secret { return service.Secret(fmt.Sprintf("password %d", i)) }
	err := s.Update(ctx, func(tx lifecycle.Tx) error {
		if err := tx.CreateWorkspace(ctx, &w); err != nil {
			return err
		}
		for i := range ids {
			ids[i] = service.NewID(now)
			err := tx.CreateConnection(ctx, &service.Connection{
				ID: ids[i], WorkspaceID: w.ID, Password: password(i), SecretVersion: 1, CreatedAt: now, UpdatedAt: now,
				ConnectionSpec: service.ConnectionSpec{Name: fmt.Sprintf("c%d", i), Engine: service.EnginePostgreSQL, Host: "db", Port: 5432, Database: "d", Username: "u"},
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	return func(key [32]byte) {
		t.Helper()
		s := sealingStore(t, dsn, key)
		err := s.View(t.Context(), func(tx lifecycle.Tx) error {
			for i, id := range ids {
				if c, err := tx.Connection(t.Context(), w.ID, id); err != nil || c.Password != password(i) {
					return fmt.Errorf("the password of connection %d is lost: %w", i, err)
				}
			}
			return nil
		})
		if err := errors.Join(err, s.Close()); err != nil {
			t.Error(err)
		}
	}
}

// killedAfter runs the program and kills it after a while; it reports whether it was still
// running then.
func killedAfter(t *testing.T, while time.Duration, args ...string) bool {
	t.Helper()
	cmd := exec.Command(filepath.Join(servicetest.Programs(t), "dataservice"), args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(while, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	var exit *exec.ExitError
	err := cmd.Wait()
	if errors.As(err, &exit) && exit.ExitCode() >= 0 {
		t.Errorf("%v ends with %d", args, exit.ExitCode())
	}
	return err != nil
}

// A rotation is killed again and again, and goes on each time from where it was.
func TestAKilledRotationGoesOn(t *testing.T) {
	t.Parallel()
	for engine, place := range map[string]func(*testing.T) (dsn, store, dir string){
		"SQLite": func(t *testing.T) (string, string, string) {
			dir := t.TempDir()
			return "sqlite:" + filepath.Join(dir, "dataservice.db"), "sqlite", dir
		},
		"PostgreSQL": func(t *testing.T) (string, string, string) {
			dsn := pgtest.Database(t)
			return dsn, dsn, t.TempDir()
		},
	} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			servicetest.Terraform(t) // only where the real programs are asked for
			dsn, store, dir := place(t)
			oldKey, oldText := newKey(t)
			check := secretsOf(t, dsn, oldKey, 4000)
			keyFile := filepath.Join(dir, "encryption.key")
			args := []string{"rotate-key", "--store", store, "--data-dir", dir}
			midst := 0
			for round := range 3 {
				key, text := newKey(t)
				writeKeys(t, keyFile, oldText, text)
				killed := 0
				for while := 20 * time.Millisecond; killedAfter(t, while, args...); while += while / 8 {
					killed++
					if n := sealedBy(t, dsn, sqlstore.KeyID(key)); n > 0 && n < 4000 {
						midst++
					}
				}
				if killed == 0 {
					t.Errorf("round %d: the rotation was not killed once", round)
				}
				if said, ok := program(t, args...); !ok || !strings.Contains(said, "nothing was changed") {
					t.Errorf("round %d: in the end rotate-key says %s", round, said)
				}
				check(key)
				oldText = text
			}
			if midst == 0 {
				t.Error("no rotation was killed in its midst")
			}
			t.Logf("%d rotations were killed in their midst", midst)
		})
	}
}

// sealedBy counts the passwords that are sealed with the key of that id.
func sealedBy(t *testing.T, dsn, id string) (n int) {
	t.Helper()
	driver, source := "pgx", dsn
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		driver, source = "sqlite", path
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM connections WHERE password_sealed LIKE '`+id+`:%'`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A restore is killed at any moment: the directory has the old store or the new one, each with
// a key that opens it.
func TestAKilledRestoreLeavesTheOldStoreOrTheNewOne(t *testing.T) {
	t.Parallel()
	servicetest.Terraform(t) // only where the real programs are asked for
	base := t.TempDir()
	oldKey, oldText := newKey(t)
	freshKey, newText := newKey(t)
	source, live := filepath.Join(base, "source"), filepath.Join(base, "live")
	for dir, text := range map[string]string{source: newText, live: oldText} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		writeKeys(t, filepath.Join(dir, "encryption.key"), text)
	}
	secretsOf(t, "sqlite:"+filepath.Join(source, "dataservice.db"), freshKey, 3000)
	secretsOf(t, "sqlite:"+filepath.Join(live, "dataservice.db"), oldKey, 1000)
	backup := filepath.Join(base, "store.bak")
	if said, ok := program(t, "backup", "--data-dir", source, "--with-key", backup); !ok {
		t.Fatal(said)
	}
	seen := map[int]int{}
	killed := 0
	// The last of the kills come when a restore is over, as far as the first one tells.
	n, whole := 4*kills(t), time.Duration(0)
	for i := 0; i <= n || seen[3000] < 2 && i < 4*n; i++ {
		dir := filepath.Join(base, fmt.Sprint(i))
		if err := os.CopyFS(dir, os.DirFS(live)); err != nil {
			t.Fatal(err)
		}
		restore := []string{"restore", "--data-dir", dir, "--replace", "--key-file", backup + ".key", backup}
		if i == 0 {
			began := time.Now()
			if said, ok := program(t, restore...); !ok {
				t.Fatal(said)
			}
			whole = time.Since(began)
		} else if killedAfter(t, whole*time.Duration(i)/time.Duration(n), restore...) {
			killed++
		}
		data, err := os.ReadFile(filepath.Join(dir, "encryption.key"))
		if err != nil {
			t.Fatal(err)
		}
		var keys sqlstore.Keys
		for _, line := range strings.Fields(string(data)) {
			var key [32]byte
			if _, err := hex.Decode(key[:], []byte(line)); err != nil {
				t.Fatal(err)
			}
			keys = append(keys, key)
		}
		s := sealingStore(t, "sqlite:"+filepath.Join(dir, "dataservice.db"), keys...)
		found := 0
		err = s.View(t.Context(), func(tx lifecycle.Tx) error {
			w, err := tx.Workspace(t.Context(), "default")
			if err != nil {
				return err
			}
			for page := (lifecycle.Page{}); ; {
				list, err := tx.Connections(t.Context(), w.ID, page)
				found += len(list)
				if err != nil || len(list) < sqlstore.MaxPage {
					return err
				}
				page.After = list[len(list)-1].ID
			}
		})
		if err := errors.Join(err, s.Close(), os.RemoveAll(dir)); err != nil {
			t.Fatal(err)
		}
		seen[found]++
	}
	if len(seen) != 2 || seen[1000] == 0 || seen[3000] < 2 || killed < kills(t) {
		t.Errorf("%d restores were killed, and the stores then have so many connections: %v", killed, seen)
	}
	t.Logf("%d restores were killed: %v", killed, seen)
}
