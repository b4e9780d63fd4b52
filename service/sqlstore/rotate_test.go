// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
)

var (
	newKey   = [32]byte{4, 5, 6}
	thirdKey = [32]byte{7, 8, 9}
)

// database opens the database of a store behind the program's back.
func database(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	driver, source := "pgx", dsn
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		driver, source = "sqlite", path+"?_busy_timeout=5000"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// column reads one column of text.
func column(t *testing.T, db *sql.DB, query string) (list []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

// sealed reads every sealed value of a store, wherever the schema has one.
func sealed(t *testing.T, dsn string) (values []string) {
	t.Helper()
	db := database(t, dsn)
	query := `SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public'`
	if strings.HasPrefix(dsn, "sqlite:") {
		query = `SELECT m.name || '.' || c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'`
	}
	kinds := 0
	for _, name := range column(t, db, query) {
		table, name, _ := strings.Cut(name, ".")
		if !strings.HasSuffix(name, "sealed") || table == "key_checks" {
			continue
		}
		kinds++
		some := column(t, db, fmt.Sprintf(`SELECT %s FROM %s WHERE %s <> ''`, name, table, name))
		if len(some) == 0 {
			t.Errorf("there is nothing in %s.%s, so that nothing is shown of it", table, name)
		}
		values = append(values, some...)
	}
	if kinds < 5 {
		t.Errorf("there are %d kinds of secrets", kinds)
	}
	return values
}

// fillSecrets makes a store with secrets of every kind, and that many connections besides.
func fillSecrets(t *testing.T, s *sqlstore.Store, more int) service.Connection {
	t.Helper()
	c := fill(t, s, canary)
	rotateApp(t, s, c.WorkspaceID)
	addAccessKey(t, s, c.WorkspaceID)
	addDebugReport(t, s, c.WorkspaceID)
	err := s.Update(t.Context(), func(tx lifecycle.Tx) error {
		for i := range more {
			another := c
			another.ID, another.Name, another.Password = service.NewID(now), fmt.Sprintf("warehouse-%d", i), service.Secret(fmt.Sprintf("%s-%d", canary, i))
			if err := tx.CreateConnection(t.Context(), &another); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// wantSecrets reads the secrets of fillSecrets.
func wantSecrets(t *testing.T, s *sqlstore.Store, c service.Connection, more int) {
	t.Helper()
	ctx := t.Context()
	err := s.View(ctx, func(tx lifecycle.Tx) error {
		for i := range more {
			got, err := tx.Connection(ctx, c.WorkspaceID, fmt.Sprintf("warehouse-%d", i))
			if want := service.Secret(fmt.Sprintf("%s-%d", canary, i)); err != nil || got.Password != want || got.RowVersion != c.RowVersion {
				return fmt.Errorf("%s has another password, or row version: %w", got.Name, err)
			}
		}
		app, err := tx.App(ctx, c.WorkspaceID, "storefront")
		if err != nil {
			return err
		}
		key, err := tx.AppKey(ctx, app.ID)
		if err != nil || len(key.Generations) != 2 || key.Generations[0].Secret != canary+"-secret-2" || key.Generations[1].AppCode != canary+"-code-1" {
			t.Errorf("the app's key is %+v, %v", key, err)
		}
		if hook, err := tx.WebhookSecret(ctx, app.ID); err != nil || hook != canary+"-hook" {
			t.Errorf("the webhook's secret reads as %q, %v", hook.Reveal(), err)
		}
		keys, err := tx.AccessKeys(ctx, c.WorkspaceID, "", lifecycle.Page{})
		if err != nil || len(keys) != 1 {
			t.Fatalf("the access keys are %v, %v", keys, err)
		}
		if signer, err := tx.Signer(ctx, keys[0].ID); err != nil || signer.Secret != canary+"-access" {
			t.Errorf("the access key's secret reads as %q, %v", signer.Secret.Reveal(), err)
		}
		api, err := tx.API(ctx, c.WorkspaceID, "stock")
		if err != nil {
			return err
		}
		if r, err := tx.DebugReport(ctx, api.ID, 1); err != nil || r.Sample != canary+"-row" {
			t.Errorf("the answer of the test call reads as %q, %v", r.Sample, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// quietly are the options with nothing logged.
func quietly(dsn string, keys ...[32]byte) sqlstore.Options {
	return sqlstore.Options{DSN: dsn, Keys: keys, Logger: slog.New(slog.DiscardHandler)}
}

func TestARotatedStoreNeedsTheNewKeyAlone(t *testing.T) {
	onEachEngine(t, func(t *testing.T, dsn string) {
		const more = 450 // several transactions
		s := open(t, sqlstore.Options{DSN: dsn})
		c := fillSecrets(t, s, more)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for _, v := range sealed(t, dsn) {
			if strings.Contains(v, ":") {
				t.Fatalf("a store with one key is not what programs before this one read: %q", v)
			}
		}
		id := sqlstore.KeyID(newKey)
		done, err := sqlstore.RotateKey(t.Context(), quietly(dsn, key, newKey))
		values := sealed(t, dsn)
		if want := (sqlstore.Rotated{Key: id, Replaced: true, Ended: true, Sealed: len(values), Secrets: len(values)}); err != nil || done != want {
			t.Fatalf("the rotation ends with %+v, %v; want %+v", done, err, want)
		}
		for _, v := range values {
			if !strings.HasPrefix(v, id+":") {
				t.Errorf("a secret is not of the new key: %q", v)
			}
		}
		again, err := sqlstore.RotateKey(t.Context(), quietly(dsn, key, newKey))
		if want := (sqlstore.Rotated{Key: id, Secrets: len(values)}); err != nil || again != want {
			t.Errorf("once more it ends with %+v, %v", again, err)
		}
		_, err = tryOpen(t, sqlstore.Options{DSN: dsn})
		if !errors.Is(err, sqlstore.ErrWrongKey) {
			t.Errorf("the old key alone: %v", err)
		}
		wantSentence(t, err, "the store's secrets are encrypted with the key "+id+" since it was rotated, and the key file lacks it (it has "+sqlstore.KeyID(key)+"): add that key to the file")
		s = open(t, sqlstore.Options{DSN: dsn, Keys: sqlstore.Keys{newKey}})
		wantSecrets(t, s, c, more)
		rotate(t, s, c) // writes with the new key

		// The trail tells of it, without the keys.
		err = s.View(t.Context(), func(tx lifecycle.Tx) error {
			events, err := tx.Events(t.Context(), c.WorkspaceID, lifecycle.EventFilter{Action: "encryption_key."}, 0, 10)
			if err != nil || len(events) != 2 || events[0].Action != "encryption_key.rotate" || events[1].Action != "encryption_key.retire" || events[0].ThingID != id {
				t.Errorf("the events are %+v, %v", events, err)
			}
			trail := service.NewTrail()
			all, err := tx.Events(t.Context(), c.WorkspaceID, lifecycle.EventFilter{}, 0, 10)
			for _, e := range all {
				err = errors.Join(err, trail.Add(e))
				if strings.Contains(string(e.Detail), fmt.Sprintf("%x", newKey)) || strings.Contains(string(e.Detail), fmt.Sprintf("%x", key)) {
					t.Errorf("an event holds a key: %s", e.Detail)
				}
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		// And once more, to a third one and back to the first, whose secrets have a name now.
		for _, keys := range []sqlstore.Keys{{newKey, thirdKey}, {thirdKey, key}} {
			if done, err := sqlstore.RotateKey(t.Context(), quietly(dsn, keys...)); err != nil || !done.Ended || done.Sealed != len(values) {
				t.Fatalf("the next rotation ends with %+v, %v", done, err)
			}
		}
		s = open(t, sqlstore.Options{DSN: dsn})
		if got, err := readConnection(t.Context(), s, c); err != nil || got.Password != canary+"-2" {
			t.Errorf("in the end the password reads as %q, %v", got.Password.Reveal(), err)
		}
	})
}

// A rotation that breaks off is refused to nobody who has both keys, keeps those out who have
// one, and goes on from where it was, also back.
func TestARotationThatBreaksOffGoesOn(t *testing.T) {
	onEachEngine(t, func(t *testing.T, dsn string) {
		const more = 1000
		s := open(t, sqlstore.Options{DSN: dsn})
		c := fillSecrets(t, s, more)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		id := sqlstore.KeyID(newKey)
		// One secret is damaged for a while: the rotation stops there and says so.
		breakOff := func(keys ...[32]byte) {
			t.Helper()
			const one = ` WHERE id = (SELECT id FROM connections ORDER BY id LIMIT 1 OFFSET 600)`
			whole := column(t, database(t, dsn), `SELECT password_sealed FROM connections`+one)[0]
			run(t, dsn, `UPDATE connections SET password_sealed = '!'`+one)
			_, err := sqlstore.RotateKey(t.Context(), quietly(dsn, keys...))
			if err == nil || !strings.Contains(fmt.Sprint(err, errors.Unwrap(err)), "is damaged") {
				t.Errorf("a damaged secret is told as %v", err)
			}
			run(t, dsn, `UPDATE connections SET password_sealed = '`+whole+`'`+one)
			if n := sealedWith(t, dsn, id); n == 0 || n >= more {
				t.Fatalf("%d secrets are sealed anew, which shows nothing", n)
			}
		}
		breakOff(key, newKey)
		_, err := tryOpen(t, sqlstore.Options{DSN: dsn})
		wantSentence(t, err, "encrypted with the key "+id+" since it was rotated")
		_, err = tryOpen(t, sqlstore.Options{DSN: dsn, Keys: sqlstore.Keys{newKey}})
		wantSentence(t, err, "put that key back, and run \"dataservice rotate-key\" to its end")
		_, err = sqlstore.RotateKey(t.Context(), quietly(dsn, newKey))
		wantSentence(t, err, "put that key back")
		s = open(t, sqlstore.Options{DSN: dsn, Keys: sqlstore.Keys{key, newKey}})
		wantSecrets(t, s, c, more)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		// Back to the old key, whose secrets bear no name, and forth again.
		if done, err := sqlstore.RotateKey(t.Context(), quietly(dsn, newKey, key)); err != nil || !done.Ended || !done.Replaced {
			t.Fatalf("the way back ends with %+v, %v", done, err)
		}
		s = open(t, sqlstore.Options{DSN: dsn})
		wantSecrets(t, s, c, more)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		breakOff(key, newKey)
		if done, err := sqlstore.RotateKey(t.Context(), quietly(dsn, key, newKey)); err != nil || !done.Ended || done.Replaced || done.Sealed == 0 || done.Sealed >= done.Secrets {
			t.Fatalf("the rotation goes on with %+v, %v", done, err)
		}
		s = open(t, sqlstore.Options{DSN: dsn, Keys: sqlstore.Keys{newKey}})
		wantSecrets(t, s, c, more)
	})
}

// sealedWith counts the connections' passwords that are sealed with a key.
func sealedWith(t *testing.T, dsn, id string) (n int) {
	driver, source := "pgx", dsn
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		driver, source = "sqlite", path+"?_busy_timeout=5000"
	}
	db, err := sql.Open(driver, source)
	if err == nil {
		err = db.QueryRowContext(t.Context(), `SELECT count(*) FROM connections WHERE password_sealed LIKE '`+id+`:%'`).Scan(&n)
		_ = db.Close()
	}
	if err != nil {
		t.Error(err)
	}
	return n
}

// Others set passwords, make apps and rotate their secrets on three stores while the key is
// replaced, to and fro. What each of them wrote last is what is read.
func TestWhatIsWrittenDuringARotationIsKept(t *testing.T) {
	dsn := pgtest.Database(t)
	both := sqlstore.Keys{key, newKey}
	made := open(t, sqlstore.Options{DSN: dsn})
	c := fillSecrets(t, made, 300)
	if err := made.Close(); err != nil {
		t.Fatal(err)
	}
	first := open(t, sqlstore.Options{DSN: dsn, Keys: both})
	stores := []*sqlstore.Store{first, open(t, sqlstore.Options{DSN: dsn, Keys: sqlstore.Keys{newKey, key}}), open(t, sqlstore.Options{DSN: dsn, Keys: both})}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	const writers = 6
	var (
		work   sync.WaitGroup
		last   [writers]string
		writes [writers]atomic.Int64
		ownKey [writers]string
	)
	for i := range writers {
		s := stores[i%len(stores)]
		work.Go(func() {
			for round := 0; ctx.Err() == nil; round++ {
				secret := fmt.Sprintf("%s-%d-%d", canary, i, round)
				err := s.Update(t.Context(), func(tx lifecycle.Tx) error {
					got, err := tx.Connection(t.Context(), c.WorkspaceID, fmt.Sprintf("warehouse-%d", i*50))
					if err != nil {
						return err
					}
					if want := service.Secret(last[i]); last[i] != "" && got.Password != want {
						t.Errorf("the password of %s is not the one that was set last", got.Name)
					}
					got.Password = service.Secret(secret)
					if err := tx.UpdateConnection(t.Context(), &got); err != nil {
						return err
					}
					owner, err := tx.Member(t.Context(), c.WorkspaceID, "dev")
					if err != nil {
						return err
					}
					a := service.App{
						ID: service.NewID(time.Now()), WorkspaceID: c.WorkspaceID, OwnerID: owner.ID, Key: service.NewID(time.Now()), CreatedAt: now, UpdatedAt: now, RowVersion: 1,
						AppSpec: service.AppSpec{Name: fmt.Sprintf("app-%d-%d", i, round), Type: service.AppTypeApp},
					}
					if round%20 > 0 {
						a.ID = ownKey[i]
					} else if err := tx.CreateApp(t.Context(), &a, service.Secret(secret)); err != nil {
						return err
					}
					for n := range int64(2) {
						generations := []lifecycle.KeyGeneration{{Generation: n + 1, Secret: service.Secret(secret), AppCode: service.Secret(secret), CreatedAt: now}}
						if err := tx.PutKeyGenerations(t.Context(), a.ID, generations); err != nil {
							return err
						}
					}
					ownKey[i] = a.ID
					return nil
				})
				if err != nil {
					t.Errorf("writer %d, round %d: %v (%v)", i, round, err, errors.Unwrap(err))
					return
				}
				last[i] = secret
				writes[i].Add(1)
			}
		})
	}
	wrote := func() (n int64) {
		for i := range writes {
			n += writes[i].Load()
		}
		return n
	}
	const rotations = 6
	during := 0
	for i := range rotations {
		to := both
		if i%2 == 1 {
			to = sqlstore.Keys{newKey, key}
		}
		before := wrote()
		done, err := sqlstore.RotateKey(t.Context(), quietly(dsn, to...))
		if err != nil || !done.Ended {
			cancel()
			work.Wait()
			t.Fatalf("rotation %d ends with %+v, %v", i, done, err)
		}
		if wrote() > before {
			during++
		}
	}
	cancel()
	work.Wait()
	if during < rotations/2 {
		t.Errorf("something was written during %d of %d rotations, which shows little", during, rotations)
	}
	// The last rotation led to the first key.
	for _, s := range stores {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, sqlstore.Options{DSN: dsn})
	err := s.View(t.Context(), func(tx lifecycle.Tx) error {
		for i := range writers {
			got, err := tx.Connection(t.Context(), c.WorkspaceID, fmt.Sprintf("warehouse-%d", i*50))
			if err != nil || got.Password.Reveal() != last[i] {
				t.Errorf("the password that writer %d set is lost: %v", i, err)
			}
			k, err := tx.AppKey(t.Context(), ownKey[i])
			if err != nil || len(k.Generations) != 1 || k.Generations[0].Secret.Reveal() != last[i] || k.Generations[0].AppCode.Reveal() != last[i] {
				t.Errorf("the secrets that writer %d made are lost: %+v, %v", i, k, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Who waits for the key while it is replaced seals with the new one.
func TestWhoWaitsForTheKeySealsWithTheNewOne(t *testing.T) {
	dsn := pgtest.Database(t)
	c := fill(t, open(t, sqlstore.Options{DSN: dsn}), canary)
	s := open(t, sqlstore.Options{DSN: dsn, Keys: sqlstore.Keys{key, newKey}})
	if _, err := sqlstore.RotateKey(t.Context(), quietly(dsn, key, newKey)); err != nil {
		t.Fatal(err)
	}
	// Its row stands for the key before, and comes anew.
	db := database(t, dsn)
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	for _, statement := range []string{
		`CREATE TEMPORARY TABLE kept ON COMMIT DROP AS SELECT * FROM key_checks`,
		`UPDATE key_checks SET state = 'REPLACED', id = 'before'`,
		`INSERT INTO key_checks SELECT * FROM kept`,
	} {
		if _, err := tx.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	written := make(chan error, 1)
	go func() {
		c.Password = canary + "-2"
		written <- s.Update(t.Context(), func(tx lifecycle.Tx) error { return tx.UpdateConnection(t.Context(), &c) })
	}()
	waiting := func() bool {
		return len(column(t, db, `SELECT query FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%key_checks%'`)) == 1
	}
	for deadline := time.Now().Add(10 * time.Second); !waiting(); {
		if time.Now().After(deadline) {
			t.Fatal("nobody waits for the key")
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-written; err != nil {
		t.Fatal(err, errors.Unwrap(err))
	}
	if n := sealedWith(t, dsn, sqlstore.KeyID(newKey)); n != 1 {
		t.Errorf("%d passwords are sealed with the new key", n)
	}
}

// A live process that lacks the new key is named, and nothing changes. One that was away, and
// lacks it then, says what to do.
func TestAKeyThatALiveProcessLacksIsNotPutToUse(t *testing.T) {
	dsn := pgtest.Database(t)
	old := open(t, sqlstore.Options{DSN: dsn})
	c := fillSecrets(t, old, 0)
	g := service.Gateway{ID: service.NewID(now), Name: "edge-1", Addresses: []string{"10.0.0.1:8081"}, Version: "1", StartedAt: now}
	put := func(s *sqlstore.Store, g service.Gateway) {
		t.Helper()
		if err := s.Update(t.Context(), func(tx lifecycle.Tx) error { return tx.PutGateway(t.Context(), g) }); err != nil {
			t.Fatal(err)
		}
	}
	put(old, g)
	knows := g
	knows.ID, knows.Name = service.NewID(now), "edge-2"
	put(open(t, sqlstore.Options{DSN: dsn, Keys: sqlstore.Keys{key, newKey}}), knows)
	before := sealed(t, dsn)
	_, err := sqlstore.RotateKey(t.Context(), quietly(dsn, key, newKey))
	wantSentence(t, err, "the key "+sqlstore.KeyID(newKey)+" is not known yet to edge-1 (10.0.0.1:8081): add it")
	if strings.Contains(err.Error(), "edge-2") {
		t.Errorf("one that has the key is named too: %v", err)
	}
	if after := sealed(t, dsn); strings.Join(before, " ") != strings.Join(after, " ") {
		t.Error("something was changed all the same")
	}
	// An older program's row says nothing of keys.
	run(t, dsn, `UPDATE gateways SET key_ids = '' WHERE name = 'edge-2'`)
	_, err = sqlstore.RotateKey(t.Context(), quietly(dsn, key, newKey))
	wantSentence(t, err, "edge-2")

	run(t, dsn, `UPDATE gateways SET seen_at = '2020-01-01T00:00:00.000000Z'`)
	if _, err := sqlstore.RotateKey(t.Context(), quietly(dsn, key, newKey)); err != nil {
		t.Fatal(err)
	}
	err = old.Update(t.Context(), func(tx lifecycle.Tx) error { return tx.UpdateConnection(t.Context(), &c) })
	if service.ErrorCode(err) != service.CodeUnavailable {
		t.Errorf("the error's code is %q", service.ErrorCode(err))
	}
	wantSentence(t, err, "this process lacks the new one, "+sqlstore.KeyID(newKey)+": add it to the process's key file, and send it SIGHUP or start it again")
	_, err = readConnection(t.Context(), old, c)
	if err == nil || !strings.Contains(fmt.Sprint(errors.Unwrap(err)), "cannot be decrypted with the key "+sqlstore.KeyID(newKey)+": this process does not have it") {
		t.Errorf("what it cannot read is told as %v", errors.Unwrap(err))
	}
}

// A store whose key was rotated moves to PostgreSQL as it is.
// An open store goes on with other keys, where it could be read with them.
func TestAnOpenStoreGoesOnWithOtherKeys(t *testing.T) {
	onEachEngine(t, func(t *testing.T, dsn string) {
		s := open(t, sqlstore.Options{DSN: dsn})
		c := fillSecrets(t, s, 1)
		if err := s.CheckKeys(t.Context(), sqlstore.Keys{newKey}); !errors.Is(err, sqlstore.ErrWrongKey) {
			t.Errorf("the new key alone, before the rotation: %v", err)
		}
		if err := s.CheckKeys(t.Context(), sqlstore.Keys{key, newKey}); err != nil {
			t.Fatal(err)
		}
		s.SetKeys(sqlstore.Keys{key, newKey})
		if done, err := sqlstore.RotateKey(t.Context(), quietly(dsn, key, newKey)); err != nil || !done.Ended {
			t.Fatalf("the rotation ends with %+v, %v", done, err)
		}
		wantSecrets(t, s, c, 1)
		if err := s.CheckKeys(t.Context(), sqlstore.Keys{key}); !errors.Is(err, sqlstore.ErrWrongKey) {
			t.Errorf("the old key alone, after the rotation: %v", err)
		}
		if err := s.CheckKeys(t.Context(), sqlstore.Keys{newKey}); err != nil {
			t.Fatal(err)
		}
		s.SetKeys(sqlstore.Keys{newKey})
		wantSecrets(t, s, c, 1)
		rotate(t, s, c) // writes with the new key
	})
}

func TestARotatedStoreMovesToPostgreSQL(t *testing.T) {
	from, to := engines["SQLite"](t), pgtest.Database(t)
	s := open(t, sqlstore.Options{DSN: from})
	c := fillSecrets(t, s, 10)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlstore.RotateKey(t.Context(), quietly(from, key, newKey)); err != nil {
		t.Fatal(err)
	}
	path := strings.TrimPrefix(from, "sqlite:")
	if _, err := sqlstore.CopyToPostgres(t.Context(), path, to, sqlstore.Keys{key}, slog.New(slog.DiscardHandler)); !errors.Is(err, sqlstore.ErrWrongKey) {
		t.Errorf("with the old key: %v", err)
	}
	if _, err := sqlstore.CopyToPostgres(t.Context(), path, to, sqlstore.Keys{newKey}, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	wantSecrets(t, open(t, sqlstore.Options{DSN: to, Keys: sqlstore.Keys{newKey}}), c, 10)
}
