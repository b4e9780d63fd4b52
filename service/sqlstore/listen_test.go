// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
)

// listen collects the hints of a store until the test ends.
func listen(t *testing.T, s *sqlstore.Store) <-chan lifecycle.Hint {
	t.Helper()
	hints := make(chan lifecycle.Hint, 100)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Listen(ctx, func(h lifecycle.Hint) { hints <- h })
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	return hints
}

func wantHint(t *testing.T, hints <-chan lifecycle.Hint, want lifecycle.Hint) {
	t.Helper()
	select {
	case got := <-hints:
		if got != want {
			t.Errorf("the store hints %d, want %d", got, want)
		}
	case <-time.After(15 * time.Second):
		t.Fatalf("the hint %d does not come", want)
	}
}

func announce(t *testing.T, s *sqlstore.Store, id string) {
	t.Helper()
	err := s.Update(t.Context(), func(tx lifecycle.Tx) error {
		return tx.Announce(t.Context(), lifecycle.Change{Kind: lifecycle.ChangePublication, ID: id})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAPostgreSQLStoreTellsOfChangesOfOthersAlsoAfterItsConnectionBroke(t *testing.T) {
	dsn := pgtest.Database(t)
	one, other := open(t, sqlstore.Options{DSN: dsn}), open(t, sqlstore.Options{DSN: dsn})
	if !one.Shared() {
		t.Error("the store says that nobody else is on it")
	}
	hints := listen(t, one)
	wantHint(t, hints, lifecycle.HintListening)
	announce(t, other, "a")
	wantHint(t, hints, lifecycle.HintChanges)
	if err := other.Update(t.Context(), func(tx lifecycle.Tx) error { return tx.CallGateways(t.Context()) }); err != nil {
		t.Fatal(err)
	}
	wantHint(t, hints, lifecycle.HintCalled)
	for range 3 {
		run(t, dsn, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'dataservice listener'`)
		wantHint(t, hints, lifecycle.HintDeaf)
		wantHint(t, hints, lifecycle.HintListening)
		announce(t, other, "b")
		wantHint(t, hints, lifecycle.HintChanges)
	}
	select {
	case h := <-hints:
		t.Errorf("there is the hint %d for nothing", h)
	case <-time.After(100 * time.Millisecond):
	}
}

func TestASQLiteStoreHasNobodyToTell(t *testing.T) {
	s := open(t, sqlstore.Options{DSN: engines["SQLite"](t)})
	if s.Shared() {
		t.Error("the store says that others may be on it")
	}
	hints := listen(t, s)
	announce(t, s, "a")
	select {
	case h := <-hints:
		t.Errorf("there is the hint %d", h)
	case <-time.After(50 * time.Millisecond):
	}
}

func TestAStoreThatIsToStayAsItIsMustFitTheProgram(t *testing.T) {
	onEachEngine(t, func(t *testing.T, dsn string) {
		openVersion(t, dsn, 11)
		asItIs := sqlstore.Options{DSN: dsn, AsItIs: true}
		_, err := tryOpen(t, asItIs)
		wantSentence(t, err, `the store has schema version 11 and this program needs version `)
		wantSentence(t, err, `start "dataservice serve"`)
		if err := open(t, sqlstore.Options{DSN: dsn}).Close(); err != nil {
			t.Fatal(err)
		}
		s := open(t, asItIs)
		if err := s.View(t.Context(), func(tx lifecycle.Tx) error { _, err := tx.LastRouteChange(t.Context()); return err }); err != nil {
			t.Error(err)
		}
		_, err = tryOpen(t, sqlstore.Options{DSN: dsn, AsItIs: true, Keys: sqlstore.Keys{{9}}})
		wantSentence(t, err, "another encryption key")
		applied := "TRUE"
		if strings.HasPrefix(dsn, "sqlite:") {
			applied = "1"
		}
		run(t, dsn, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (4711, `+applied+`)`)
		_, err = tryOpen(t, asItIs)
		wantSentence(t, err, "the store has schema version 4711 and this program knows versions up to ")
	})
	_, err := tryOpen(t, sqlstore.Options{DSN: engines["SQLite"](t), AsItIs: true})
	wantSentence(t, err, `start "dataservice serve" on it first`)
}

func TestAGatewayIsDeadAndThenForgottenByTheClockOfTheStore(t *testing.T) {
	onEachEngine(t, func(t *testing.T, dsn string) {
		s := open(t, sqlstore.Options{DSN: dsn})
		err := s.Update(t.Context(), func(tx lifecycle.Tx) error {
			for _, id := range []string{"alive", "dead", "forgotten"} {
				if err := tx.PutGateway(t.Context(), service.Gateway{ID: id, Name: id, StartedAt: now}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for id, ago := range map[string]time.Duration{"dead": service.GatewayDeadAfter + time.Second, "forgotten": service.GatewayForgottenAfter + time.Second} {
			run(t, dsn, `UPDATE gateways SET seen_at = '`+time.Now().UTC().Add(-ago).Format("2006-01-02T15:04:05.000000Z")+`' WHERE id = '`+id+`'`)
		}
		var known []service.Gateway
		err = s.Update(t.Context(), func(tx lifecycle.Tx) (err error) {
			if err := tx.PurgeGateways(t.Context()); err != nil {
				return err
			}
			known, err = tx.Gateways(t.Context())
			return err
		})
		if err != nil || len(known) != 2 || known[0].ID != "alive" || known[0].Dead() || !known[1].Dead() {
			t.Errorf("the gateways are %+v, %v", known, err)
		}
	})
}
