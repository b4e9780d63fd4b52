// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
)

// victimVariable names the store that a process of this test writes to until it is killed.
const victimVariable = "DATASERVICE_SQLSTORE_VICTIM"

func TestMain(m *testing.M) {
	if dsn := os.Getenv(victimVariable); dsn != "" {
		fmt.Fprintln(os.Stderr, victim(context.Background(), dsn, os.Args[len(os.Args)-1]))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// victim commits members, each with an event, and acknowledges each commit with a
// line, for ever.
func victim(ctx context.Context, dsn, life string) error {
	s, err := sqlstore.Open(ctx, sqlstore.Options{DSN: dsn, Keys: sqlstore.Keys{key}})
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		m := service.Member{Name: fmt.Sprintf("life-%s-%d", life, i), Role: service.RoleVisitor, CreatedAt: now}
		err := s.Update(ctx, func(tx lifecycle.Tx) error {
			w, err := tx.Workspace(ctx, "default")
			if err != nil {
				return err
			}
			m.ID, m.WorkspaceID = service.NewID(now), w.ID
			if err := tx.CreateMember(ctx, m); err != nil {
				return err
			}
			return tx.AppendEvent(ctx, service.Event{WorkspaceID: w.ID, At: now, Action: "member.create", ThingID: m.ID, ThingName: m.Name})
		})
		if err != nil {
			return err
		}
		fmt.Println(m.Name)
	}
}

func TestWhatWasAcknowledgedSurvivesAKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	dsn := "sqlite:" + path
	s := open(t, sqlstore.Options{DSN: dsn})
	fill(t, s, "x")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	acknowledged := map[string]bool{}
	for life := range 20 {
		for _, name := range killed(t, dsn, life) {
			acknowledged[name] = true
		}
	}
	t.Logf("%d commits were acknowledged", len(acknowledged))

	s = open(t, sqlstore.Options{DSN: dsn})
	stored, told := map[string]bool{}, map[string]bool{}
	err := s.View(t.Context(), func(tx lifecycle.Tx) error {
		w, err := tx.Workspace(t.Context(), "default")
		if err != nil {
			return err
		}
		for page := (lifecycle.Page{}); ; {
			members, err := tx.Members(t.Context(), w.ID, page)
			if err != nil || len(members) == 0 {
				return err
			}
			for _, m := range members {
				stored[m.Name] = true
				page.After = m.ID
			}
			if err := events(t.Context(), tx, w.ID, told); err != nil {
				return err
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range acknowledged {
		if !stored[name] {
			t.Errorf("%s was acknowledged and is lost", name)
		}
	}
	for name := range stored {
		if name != "dev" && !told[name] {
			t.Errorf("%s is there without its event", name)
		}
	}
	if len(told) != len(stored)-1 {
		t.Errorf("%d events tell of %d members", len(told), len(stored)-1)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("the file's integrity: %s, %v", verdict, err)
	}
}

// events collects the names that the events tell of.
func events(ctx context.Context, tx lifecycle.Tx, workspaceID string, told map[string]bool) error {
	for after := int64(0); ; {
		page, err := tx.Events(ctx, workspaceID, lifecycle.EventFilter{}, after, 500)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, e := range page {
			told[e.ThingName] = true
			after = e.Sequence
		}
	}
}

// killed starts a victim, kills it after some acknowledgements, wherever it is then,
// and returns everything that it acknowledged.
func killed(t *testing.T, dsn string, life int) (acknowledged []string) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, fmt.Sprint(life))
	cmd.Env = append(os.Environ(), victimVariable+"="+dsn)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for until := 1 + rand.N(30); ; until-- {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // A line that was cut short acknowledges nothing.
		}
		acknowledged = append(acknowledged, strings.TrimSpace(line))
		if until == 0 {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // It was killed.
	if cmd.ProcessState.Exited() {
		t.Fatalf("the process ended by itself: %s", complaints.String())
	}
	return acknowledged
}
