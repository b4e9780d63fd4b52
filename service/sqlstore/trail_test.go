// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
)

// try executes a statement on the database of a closed store.
func try(t *testing.T, dsn, statement string) error {
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
	_, err = db.ExecContext(t.Context(), statement)
	return err
}

// trail checks the events of the workspace w.
func trail(ctx context.Context, tx lifecycle.Tx) (service.TrailHead, error) {
	head, err := tx.TrailHead(ctx, "w")
	if err != nil {
		return head, err
	}
	found, err := tx.Events(ctx, "w", lifecycle.EventFilter{}, 0, sqlstore.MaxPage)
	if err != nil {
		return head, err
	}
	chain := service.NewTrail()
	for _, e := range found {
		if err := chain.Add(e); err != nil {
			return head, err
		}
	}
	return head, chain.EndsWith(head)
}

func TestTheEventsOfAnOlderStoreAreChainedOnceAndStayAsTheyAre(t *testing.T) {
	onEachEngine(t, func(t *testing.T, dsn string) {
		openVersion(t, dsn, 1)
		at := now.Format("2006-01-02T15:04:05.000000Z")
		for _, statement := range []string{
			`INSERT INTO workspaces VALUES ('w', 100001, 'default')`,
			`INSERT INTO workspaces VALUES ('v', 100002, 'other')`,
			`INSERT INTO events VALUES (1, 'w', '@AT', 'm', 'dev', 'api.create', 'a', 'orders', '', '{"name":"orders"}')`,
			`INSERT INTO events VALUES (2, 'v', '@AT', 'm', 'dev', 'api.create', 'b', 'others', '', NULL)`,
			`INSERT INTO events VALUES (3, 'w', '@AT', 'm', 'dev', 'api.delete', 'a', 'orders', 'r', NULL)`,
			`UPDATE counters SET next = 4 WHERE kind = 'event'`,
		} {
			run(t, dsn, strings.ReplaceAll(statement, "@AT", at))
		}
		var heads []string
		for range 2 {
			s := open(t, sqlstore.Options{DSN: dsn})
			var head service.TrailHead
			if err := s.View(t.Context(), func(tx lifecycle.Tx) (err error) { head, err = trail(t.Context(), tx); return err }); err != nil || head.Number != 2 {
				t.Fatalf("the chain ends with %+v, %v", head, err)
			}
			heads = append(heads, head.Hash)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if heads[0] != heads[1] {
			t.Error("the events were chained again")
		}
		for statement, want := range map[string]string{
			`UPDATE events SET actor_name = 'eve' WHERE sequence = 1`:                                                  "never changed",
			`DELETE FROM events WHERE sequence = 3`:                                                                    "removed",
			`INSERT INTO events VALUES (9, 'w', '` + at + `', 'm', 'dev', 'x', 'a', 'x', '', '', NULL, '', 0, '', '')`: "stop the older program",
		} {
			if err := try(t, dsn, statement); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", statement, err, want)
			}
		}
	})
}

func TestManyEventsOfAnOlderStoreAreChainedPageByPage(t *testing.T) {
	onEachEngine(t, func(t *testing.T, dsn string) {
		openVersion(t, dsn, 1)
		run(t, dsn, `INSERT INTO workspaces VALUES ('w', 100001, 'default')`)
		const count = sqlstore.MaxPage + 7
		var rows []string
		for i := range count {
			rows = append(rows, fmt.Sprintf(`(%d, 'w', '2026-01-02T03:04:05.000000Z', 'm', 'dev', 'x', 'a', 'n', '', NULL)`, i+1))
		}
		run(t, dsn, `INSERT INTO events VALUES `+strings.Join(rows, ", "))
		run(t, dsn, fmt.Sprintf(`UPDATE counters SET next = %d WHERE kind = 'event'`, count+1))
		s := open(t, sqlstore.Options{DSN: dsn})
		err := s.Update(t.Context(), func(tx lifecycle.Tx) error {
			if err := tx.AppendEvent(t.Context(), service.Event{WorkspaceID: "w", At: now, Action: "last"}); err != nil {
				return err
			}
			head, err := tx.TrailHead(t.Context(), "w")
			if err != nil || head.Number != count+1 {
				t.Errorf("the head is %+v, %v; want %d", head, err, count+1)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}
