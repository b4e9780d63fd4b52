// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"path/filepath"
	"testing"
	"time"
)

func TestEveryConnectionOfASQLiteStoreIsSetUp(t *testing.T) {
	e, err := openSQLite(t.Context(), filepath.Join(t.TempDir(), "store.db"), 1500*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	for _, c := range []struct{ pragma, writer, reader string }{
		{"journal_mode", "wal", "wal"},
		{"synchronous", "2", "2"}, // FULL
		{"foreign_keys", "1", "1"},
		{"busy_timeout", "1500", "1500"},
		{"query_only", "0", "1"},
	} {
		for range 3 { // Whichever connection of the pool answers.
			var writer, reader string
			if err := e.writer.QueryRowContext(t.Context(), "PRAGMA "+c.pragma).Scan(&writer); err != nil {
				t.Fatal(err)
			}
			if err := e.reader.QueryRowContext(t.Context(), "PRAGMA "+c.pragma).Scan(&reader); err != nil {
				t.Fatal(err)
			}
			if writer != c.writer || reader != c.reader {
				t.Errorf("%s is %s for the writer and %s for readers, want %s and %s", c.pragma, writer, reader, c.writer, c.reader)
			}
		}
	}
}

func TestTheOneWritersPlaceGoesToThoseWhoWaitInTurn(t *testing.T) {
	e := &sqliteEngine{turn: make(chan struct{}, 1), lockWait: 20 * time.Millisecond}
	if err := e.queue(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := e.queue(t.Context()); e.diagnose(err) != failureLockWait {
		t.Errorf("a second writer got %v, want to be told that it waited too long", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e.lockWait = time.Hour
	if err := e.queue(ctx); err != context.Canceled { //nolint:errorlint // It is not wrapped here.
		t.Errorf("a writer that gave up got %v", err)
	}
}
