// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlite

import (
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

// open makes a database by the statements and opens it.
func open(t *testing.T, statements ...string) *Conn {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range append([]string{"PRAGMA user_version = 1"}, statements...) {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	c, err := OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestValuesAreBoundAndRead(t *testing.T) {
	c := open(t)
	s, err := c.Prepare("SELECT ?1 AS a, ?2, ?3, ?4, ?5")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Finalize()
	if s.Columns() != 5 || s.Name(0) != "a" || !s.ReadOnly() {
		t.Errorf("columns %d, first %q, read-only %t", s.Columns(), s.Name(0), s.ReadOnly())
	}
	// Texts below, at and above the size of the arena, several at once and again and again.
	for _, n := range []int{0, 1, 100, arenaSize - 1, arenaSize, arenaSize + 1, 1 << 20} {
		for range 3 {
			text := strings.Repeat("é", n/2) + strings.Repeat("x", n%2)
			if err := errors.Join(s.BindText(1, text), s.BindText(2, text), s.BindInt(3, -1<<63), s.BindFloat(4, 0.1), s.BindNull(5)); err != nil {
				t.Fatal(err)
			}
			row, err := s.Step()
			if err != nil || !row {
				t.Fatal(row, err)
			}
			if string(s.Text(0)) != text || string(s.Text(1)) != text || s.Int(2) != -1<<63 || s.Float(3) != 0.1 || s.Type(4) != Null {
				t.Errorf("%d bytes came back otherwise", n)
			}
			if row, err := s.Step(); err != nil || row {
				t.Errorf("a second row: %t, %v", row, err)
			}
			s.Reset()
		}
	}
	if row, err := s.Step(); err != nil || !row || s.Type(0) != Null {
		t.Errorf("values outlived the reset: %t, %v, %v", row, err, s.Type(0))
	}
}

func TestOneStatementIsPrepared(t *testing.T) {
	c := open(t)
	for text, message := range map[string]string{
		"SELECT 1; SELECT 2": "more than one statement",
		"":                   "no statement",
		"-- nothing":         "no statement",
		"SELECT missing":     "no such column: missing",
	} {
		if _, err := c.Prepare(text); err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("%q: %v", text, err)
		}
	}
	var e *Error
	if _, err := c.Prepare("SELECT 1, missing"); !errors.As(err, &e) || e.Offset != 10 {
		t.Errorf("the mistake is not found at 10: %+v", e)
	}
}

func TestAFileThatIsMissingIsNotCreated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.db")
	if _, err := OpenReadOnly(path); !IsCode(err, CantOpen) {
		t.Errorf("got %v", err)
	}
	if found, _ := filepath.Glob(path); found != nil {
		t.Error("it was created")
	}
}

func TestAnInterruptEndsAStatementAndOnlyThat(t *testing.T) {
	c := open(t)
	s, err := c.Prepare("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Finalize()
	if _, err := s.Step(); err != nil {
		t.Fatal(err)
	}
	c.Interrupt()
	for err == nil {
		_, err = s.Step()
	}
	if !IsCode(err, Interrupt) {
		t.Errorf("got %v", err)
	}
	s.Reset()
	if row, err := s.Step(); err != nil || !row {
		t.Errorf("afterwards: %t, %v", row, err)
	}
}
