// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// maxReaders bounds the connections that read from a SQLite store.
const maxReaders = 8

// primary masks the low byte of an extended result code: what kind of failure it is.
const primary = 0xff

// errQueue says that the one writer's place was not free in the time allowed.
var errQueue = errors.New("another transaction writes for too long")

// sqliteEngine keeps the store in one file: a single connection writes, others read.
type sqliteEngine struct {
	writer, reader *sql.DB
	// prepared holds a *sql.Stmt of the reader for each statement that was glanced with.
	prepared sync.Map
	// turn holds the one writer's place. database/sql would hand its connection to
	// waiters at random; a channel serves them in the order of their coming.
	turn chan struct{}
	// queued counts the writers who had to wait.
	queued   atomic.Uint64
	lockWait time.Duration
	// places are those of the readers.
	places places
}

func openSQLite(ctx context.Context, file string, lockWait time.Duration) (*sqliteEngine, error) {
	if file == "" || file == ":memory:" {
		return nil, errors.New(`the store needs the path of a file, such as "sqlite:/var/lib/dataservice/store.db"`)
	}
	path, err := filepath.Abs(file)
	if err != nil {
		return nil, fmt.Errorf("cannot open the store: %w", err)
	}
	// SQLite would make the file readable for everybody; its -wal and -shm follow it.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open the store: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("cannot open the store: %w", err)
	}
	e := &sqliteEngine{turn: make(chan struct{}, 1), lockWait: lockWait, places: newPlaces(maxReaders, lockWait)}
	if e.writer, err = sql.Open("sqlite", sqliteDSN(path, lockWait, "_txlock", "immediate")); err != nil {
		return nil, fmt.Errorf("cannot open the store %s: %w", path, err)
	}
	e.writer.SetMaxOpenConns(1)
	if e.reader, err = sql.Open("sqlite", sqliteDSN(path, lockWait, "_query_only", "1")); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot open the store %s: %w", path, err), e.writer.Close())
	}
	// One more than there are places, so that a probe gets through when all are taken.
	e.reader.SetMaxOpenConns(maxReaders + 1)
	e.reader.SetMaxIdleConns(maxReaders + 1)
	if err := e.checkDurable(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot open the store %s: %w", path, err), e.close())
	}
	return e, nil
}

// sqliteDSN names the file, with what every connection to it is set to.
func sqliteDSN(path string, lockWait time.Duration, more ...string) string {
	q := url.Values{
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"},
		"_foreign_keys": {"1"},
		"_busy_timeout": {strconv.FormatInt(lockWait.Milliseconds(), 10)},
		"_dqs":          {"0"},
		"_error_rc":     {"1"},
	}
	for i := 0; i < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: q.Encode()}
	return u.String()
}

// checkDurable makes sure that what is committed will be on disk: not every file
// system lets SQLite have its write-ahead log.
func (e *sqliteEngine) checkDurable(ctx context.Context) error {
	journal, synchronous, err := e.pragmas(ctx)
	if err != nil {
		return err
	}
	const full = "2"
	if journal != "wal" || synchronous != full {
		return fmt.Errorf("the file system does not keep a write-ahead log (journal_mode %s, synchronous %s): put the store on a local disk", journal, synchronous)
	}
	return nil
}

// pragmas reads back how the writer's connection writes.
func (e *sqliteEngine) pragmas(ctx context.Context) (journal, synchronous string, err error) {
	err = errors.Join(
		e.writer.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&journal),
		e.writer.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&synchronous),
	)
	return journal, synchronous, err
}

func (e *sqliteEngine) begin(ctx context.Context, write bool) (*sql.Tx, func(), error) {
	if !write {
		// Waiting for one of the readers ends with ctx; what is read then does not, see statement.
		leave, err := e.places.take(ctx)
		if err != nil {
			return nil, nil, err
		}
		tx, err := e.reader.BeginTx(context.WithoutCancel(ctx), nil)
		if err != nil {
			leave()
			return nil, nil, err
		}
		return tx, leave, nil
	}
	if err := e.queue(ctx); err != nil {
		return nil, nil, err
	}
	done := func() { <-e.turn }
	tx, err := e.writer.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		done()
		return nil, nil, err
	}
	return tx, done, nil
}

func (e *sqliteEngine) enter(ctx context.Context) (func(), error) { return e.places.take(ctx) }

func (e *sqliteEngine) glance() querier { return glance{e.reader, &e.prepared} }

// glance is the readers of a SQLite store. To parse a statement takes several times as long
// as to read a few rows with it, so that it is kept; database/sql prepares it on each
// connection once.
type glance struct {
	*sql.DB
	prepared *sync.Map
}

func (g glance) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	statement, err := g.statement(ctx, query) //nolint:sqlclosecheck // it is kept as long as the store is open.
	if err != nil {
		return nil, err
	}
	return statement.QueryContext(ctx, args...)
}

// statement returns the one that is kept of that text.
func (g glance) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	if kept, found := g.prepared.Load(query); found {
		return kept.(*sql.Stmt), nil //nolint:forcetypeassert // nothing else is stored.
	}
	made, err := g.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	kept, found := g.prepared.LoadOrStore(query, made)
	if found {
		_ = made.Close() //nolint:sqlclosecheck // another was faster
	}
	return kept.(*sql.Stmt), nil //nolint:forcetypeassert // nothing else is stored.
}

// queue waits for the one writer's place.
func (e *sqliteEngine) queue(ctx context.Context) error {
	select {
	case e.turn <- struct{}{}:
		return nil
	default:
	}
	e.queued.Add(1)
	timer := time.NewTimer(e.lockWait)
	defer timer.Stop()
	select {
	case e.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return errQueue
	}
}

// statement keeps a request that ends from cutting a statement short: all of them
// are brief, and what a transaction has done is then always known. The transaction
// looks at ctx itself, between the statements and before the commit.
func (e *sqliteEngine) statement(ctx context.Context) context.Context {
	return context.WithoutCancel(ctx)
}

func (e *sqliteEngine) rebind(query string) string { return query }

// rowLock is nothing: the one writer holds every lock.
func (e *sqliteEngine) rowLock() string { return "" }

// keyLock is nothing for the same reason.
func (e *sqliteEngine) keyLock() string { return "" }

// shareLock is nothing either.
func (e *sqliteEngine) shareLock(string, string) string { return "" }

func (e *sqliteEngine) oneWriter() bool { return true }

func (e *sqliteEngine) diagnose(err error) failure {
	if errors.Is(err, errQueue) {
		return failureLockWait
	}
	if errors.Is(err, sql.ErrConnDone) {
		return failureUnavailable
	}
	var s *sqlite.Error
	if !errors.As(err, &s) {
		return failureOther
	}
	switch s.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return failureDuplicate
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY, sqlite3.SQLITE_CONSTRAINT_TRIGGER:
		return failureReference
	case sqlite3.SQLITE_BUSY_SNAPSHOT, sqlite3.SQLITE_BUSY_RECOVERY:
		return failureCollision
	}
	switch s.Code() & primary {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		// Another program holds the file: busy_timeout has waited as long as LockWait already.
		return failureLockWait
	case sqlite3.SQLITE_FULL:
		return failureFull
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOMEM:
		return failureUnavailable
	}
	return failureOther
}

// outcomeUnknown is true where the disk failed: the end of the write-ahead log may
// have reached it all the same, and count after a restart.
func (e *sqliteEngine) outcomeUnknown(err error) bool {
	var s *sqlite.Error
	return errors.As(err, &s) && s.Code()&primary == sqlite3.SQLITE_IOERR
}

func (e *sqliteEngine) appendOnly() []string {
	return []string{
		`CREATE TRIGGER IF NOT EXISTS events_no_update BEFORE UPDATE ON events
			BEGIN SELECT RAISE(ABORT, 'events are never changed'); END`,
		`CREATE TRIGGER IF NOT EXISTS events_no_delete BEFORE DELETE ON events
			BEGIN SELECT RAISE(ABORT, 'events are never removed'); END`,
		`CREATE TRIGGER IF NOT EXISTS events_chained BEFORE INSERT ON events WHEN NEW.number = 0
			BEGIN SELECT RAISE(ABORT, 'an event needs its place in the chain: stop the older program'); END`,
	}
}

func (e *sqliteEngine) clock() string { return `strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')` }

func (e *sqliteEngine) countChanges() string {
	return `UPDATE counters SET next = next + ? WHERE kind = 'route_change' RETURNING next - ?`
}

// callGateways is nothing: the one gateway is in this process.
func (e *sqliteEngine) callGateways() string { return "" }

func (e *sqliteEngine) lightly() string { return "" }

func (e *sqliteEngine) listen(ctx context.Context, _ *slog.Logger, _ func(lifecycle.Hint)) {
	<-ctx.Done()
}

func (e *sqliteEngine) checkSchema(ctx context.Context) error { return checkSchema(ctx, e.reader) }

func (e *sqliteEngine) migrate(ctx context.Context, log *slog.Logger) error {
	return migrate(ctx, goose.DialectSQLite3, e.writer, log)
}

func (e *sqliteEngine) ping(ctx context.Context) error {
	var n int
	return e.reader.QueryRowContext(ctx, "SELECT 1 FROM counters LIMIT 1").Scan(&n)
}

func (e *sqliteEngine) pools() []pool {
	return []pool{{"writer", e.writer, 1, e.queued.Load()}, {"readers", e.reader, maxReaders, e.places.waits.Load()}}
}

func (e *sqliteEngine) close() error {
	return errors.Join(e.reader.Close(), e.writer.Close())
}
