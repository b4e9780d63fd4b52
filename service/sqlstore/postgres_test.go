// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore_test

import (
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
)

// Two transactions that lock the same two rows in opposite order are a deadlock,
// which PostgreSQL ends by giving up on one of them.
func TestADeadlockIsRepeatedUntilBothAreThrough(t *testing.T) {
	s := open(t, sqlstore.Options{DSN: pgtest.Database(t)})
	workspaceID := fill(t, s, "x").WorkspaceID
	var members [2]service.Member
	for i, name := range []string{"anna", "bert"} {
		members[i] = service.Member{ID: service.NewID(now), WorkspaceID: workspaceID, Name: name, Role: service.RoleVisitor, CreatedAt: now}
		if err := s.Update(t.Context(), func(tx lifecycle.Tx) error { return tx.CreateMember(t.Context(), members[i]) }); err != nil {
			t.Fatal(err)
		}
	}
	update := func(tx lifecycle.Tx, id string) error {
		m, err := tx.Member(t.Context(), workspaceID, id)
		if err != nil {
			return err
		}
		return tx.UpdateMember(t.Context(), &m)
	}
	var (
		attempts [2]int
		errs     [2]error
		met      sync.WaitGroup
		done     sync.WaitGroup
	)
	met.Add(2)
	for i := range 2 {
		done.Go(func() {
			errs[i] = s.Update(t.Context(), func(tx lifecycle.Tx) error {
				attempts[i]++
				if err := update(tx, members[i].ID); err != nil {
					return err
				}
				if attempts[i] == 1 {
					met.Done()
					met.Wait()
				}
				return update(tx, members[1-i].ID)
			})
		})
	}
	done.Wait()
	for i, err := range errs {
		if err != nil {
			t.Errorf("transaction %d: %v", i, err)
		}
	}
	if total := attempts[0] + attempts[1]; total != 3 {
		t.Errorf("it took %d attempts, want 3: there was no deadlock, or too many repetitions", total)
	}
}

// The trigger notes how the very sessions of the store commit.
func TestAPostgreSQLStoreCommitsToDiskWhateverTheDatabaseIsSetTo(t *testing.T) {
	dsn := pgtest.Database(t)
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	run(t, dsn, "ALTER DATABASE "+strings.TrimPrefix(u.Path, "/")+" SET synchronous_commit = off")
	if got := texts(t, dsn, "SELECT current_setting('synchronous_commit')"); !slices.Equal(got, []string{"off"}) {
		t.Fatalf("the database's sessions have %v, want off", got)
	}
	s := open(t, sqlstore.Options{DSN: dsn})
	run(t, dsn, `CREATE TABLE noted (setting TEXT);
		CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN INSERT INTO noted VALUES (current_setting('synchronous_commit')); RETURN NEW; END $$;
		CREATE TRIGGER note BEFORE INSERT ON members FOR EACH ROW EXECUTE FUNCTION note()`)
	fill(t, s, "x")
	if got := texts(t, dsn, "SELECT setting FROM noted"); !slices.Equal(got, []string{"on"}) {
		t.Errorf("the store commits with synchronous_commit = %v, want on", got)
	}
}

func TestADSNThatAsksForLessThanDurableCommitsIsRefused(t *testing.T) {
	dsn := pgtest.Database(t)
	with := func(setting string) string {
		u, err := url.Parse(dsn)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		q.Set("synchronous_commit", setting)
		u.RawQuery = q.Encode()
		return u.String()
	}
	for _, setting := range []string{"off", "local", "remote_write"} {
		_, err := tryOpen(t, sqlstore.Options{DSN: with(setting)})
		wantSentence(t, err, "synchronous_commit = "+setting)
	}
	const connected = "SELECT pid::text FROM pg_stat_activity WHERE application_name = 'dataservice' AND datname = current_database()"
	for deadline := time.Now().Add(20 * time.Second); len(texts(t, dsn, connected)) > 0; {
		if time.Now().After(deadline) {
			t.Fatal("what was refused is still connected")
		}
	}
	for _, setting := range []string{"on", "remote_apply"} {
		if _, err := tryOpen(t, sqlstore.Options{DSN: with(setting)}); err != nil {
			t.Errorf("%s: %v", setting, err)
		}
	}
}

// A replica that died while it published: its session ends, and with it what it held.
func TestAHolderOfTheInstanceLockWhoseConnectionIsCutHoldsNothing(t *testing.T) {
	dsn := pgtest.Database(t)
	dead, alive := open(t, sqlstore.Options{DSN: dsn}), open(t, sqlstore.Options{DSN: dsn, LockWait: 300 * time.Millisecond})
	workspaceID := fill(t, dead, "x").WorkspaceID
	instance := service.Instance{ID: service.NewID(now), WorkspaceID: workspaceID, InstanceSpec: service.InstanceSpec{Name: "default"}, CreatedAt: now}
	if err := dead.Update(t.Context(), func(tx lifecycle.Tx) error { return tx.CreateInstance(t.Context(), &instance) }); err != nil {
		t.Fatal(err)
	}
	lock := func(s *sqlstore.Store, then func()) error {
		return s.Update(t.Context(), func(tx lifecycle.Tx) error {
			err := tx.LockInstance(t.Context(), instance.ID)
			then()
			return err
		})
	}
	held, cut, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() { ended <- lock(dead, func() { close(held); <-cut }) }()
	<-held
	err := lock(alive, func() {})
	if service.ErrorCode(err) != service.CodeBusy || err.Error() != "Operation in progress. Try again later." {
		t.Errorf("while it is held: %v", err)
	}
	texts(t, dsn, `SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity
		WHERE application_name = 'dataservice' AND datname = current_database() AND state = 'idle in transaction'`)
	if err := lock(alive, func() {}); err != nil {
		t.Errorf("after the holder's connection was cut: %v", err)
	}
	close(cut)
	if err := <-ended; service.ErrorCode(err) != service.CodeUnavailable {
		t.Errorf("the holder is told %v", err)
	}
}

// texts returns the one column that the query has.
func texts(t *testing.T, dsn, query string) []string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	values, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return values
}
