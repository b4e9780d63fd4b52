// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package sqlstore keeps the records of the service in SQLite or PostgreSQL: it
// implements [lifecycle.Store] with one schema (migrations/) and one set of
// statements for both. What is expected of it stands in service/sqlstore/storetest.
//
// One file holds what is stored of one noun: publication.go, review.go, and so on.
// Beside them: tx.go runs statements, column.go turns Go values into columns and
// back, failure.go turns the databases' errors into the domain's, sqlite.go and
// postgres.go hold all that differs between the engines.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// DefaultLockWait is how long a transaction waits for the instance lock.
const DefaultLockWait = 5 * time.Second

// Options say which store to open, and how.
type Options struct {
	// DSN is "sqlite:" and the path of the file, or a postgres:// URL.
	DSN string
	// Keys encrypt the passwords of connections and the other secrets (AES-256-GCM). A store
	// is opened with the key that it was made with, or that took its place.
	Keys Keys
	// AsItIs leaves the schema as it is, and refuses it where it is not the program's.
	AsItIs bool
	// LockWait is how long a transaction waits for another that holds the instance
	// lock, or, on SQLite, the one writer's place, and for one of the connections to the
	// store. [DefaultLockWait] where 0.
	LockWait time.Duration
	// Logger is slog's default where nil.
	Logger *slog.Logger
}

// engine is what differs between SQLite and PostgreSQL.
type engine interface {
	// enter waits for one of the connections that are read from; leave gives it back. begin does it too.
	enter(ctx context.Context) (leave func(), err error)
	// begin starts a transaction, and returns what to do when it is over.
	begin(ctx context.Context, write bool) (tx *sql.Tx, done func(), err error)
	// glance reads without a transaction, and with statements that stay prepared: for few and
	// fixed ones.
	glance() querier
	// statement returns the context that the statements of a transaction run under.
	statement(ctx context.Context) context.Context
	// rebind writes a statement's placeholders as the engine wants them.
	rebind(query string) string
	// rowLock ends a SELECT that locks the row that it reads.
	rowLock() string
	// keyLock does the same, and keeps out those too who add a record that refers to the row.
	keyLock() string
	// shareLock ends a SELECT that keeps the row of the one table from being changed, and
	// that of the other from being removed. Others may share both.
	shareLock(changed, removed string) string
	// oneWriter reports whether transactions that write run one after the other.
	oneWriter() bool
	// diagnose says what kind of failure err is.
	diagnose(err error) failure
	// outcomeUnknown reports whether a commit that failed with err may have happened.
	outcomeUnknown(err error) bool
	// appendOnly are the statements that make the database keep events as they are. They
	// may be run again.
	appendOnly() []string
	// clock is an expression for the database's time as it is stored.
	clock() string
	// countChanges is the statement that takes so many revisions, returns the first, and has
	// the listeners told with the commit. Both its arguments are how many.
	countChanges() string
	// callGateways is the statement that has the gateways told that somebody waits for them;
	// "" where there is nobody to tell.
	callGateways() string
	// lightly ends a statement that inserts: the transaction, which does nothing else, does
	// not wait for the disk then.
	lightly() string
	// listen is [Store.Listen].
	listen(ctx context.Context, log *slog.Logger, heard func(lifecycle.Hint))
	// migrate brings the schema to the program's version, and checkSchema refuses another one.
	migrate(ctx context.Context, log *slog.Logger) error
	checkSchema(ctx context.Context) error
	ping(ctx context.Context) error
	// pools are its connections.
	pools() []pool
	close() error
}

// Store is a [lifecycle.Store] on SQLite or PostgreSQL. It is safe for concurrent use.
type Store struct {
	engine engine
	keys   atomic.Pointer[keyring]
	log    *slog.Logger
	meter  *meter

	mu     sync.Mutex
	closed bool
	active sync.WaitGroup
}

var _ lifecycle.Store = (*Store)(nil)

// Open opens the store and brings its schema to the program's version. It refuses a
// store whose schema is newer than the program, and one that was made with another key.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.LockWait <= 0 {
		o.LockWait = DefaultLockWait
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	e, err := openEngine(ctx, o)
	if err != nil {
		return nil, err
	}
	s := &Store{engine: e, log: o.Logger, meter: newMeter()}
	s.SetKeys(o.Keys)
	if o.AsItIs {
		if err := s.checkAsItIs(ctx); err != nil {
			return nil, errors.Join(err, e.close())
		}
		return s, nil
	}
	if err := e.migrate(ctx, o.Logger); err != nil {
		return nil, errors.Join(err, e.close())
	}
	if err := s.Update(ctx, func(tx lifecycle.Tx) error { return tx.(*transaction).checkKey(ctx) }); err != nil { //nolint:forcetypeassert // Update makes no other.
		return nil, errors.Join(err, e.close())
	}
	if err := s.chainEvents(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot chain the events of the audit trail: %w", err), e.close())
	}
	return s, nil
}

// checkAsItIs makes sure that the program understands the store, without changing anything.
func (s *Store) checkAsItIs(ctx context.Context) error {
	if err := s.engine.checkSchema(ctx); err != nil {
		return err
	}
	return s.View(ctx, func(tx lifecycle.Tx) error { return tx.(*transaction).compareKey(ctx) }) //nolint:forcetypeassert // View makes no other.
}

func openEngine(ctx context.Context, o Options) (engine, error) {
	switch scheme, rest, _ := strings.Cut(o.DSN, ":"); scheme {
	case "sqlite":
		return openSQLite(ctx, rest, o.LockWait)
	case "postgres", "postgresql":
		return openPostgres(ctx, o.DSN, o.LockWait)
	}
	return nil, errors.New(`the store is named by "sqlite:" and a file, or by a postgres:// URL`)
}

// View runs fn on one snapshot of the store. A statement that writes is refused.
func (s *Store) View(ctx context.Context, fn func(lifecycle.Tx) error) error {
	defer s.meter.took(kindView, time.Now())
	ctx, end := traceTransaction(ctx, "view")
	return end(s.run(ctx, false, fn))
}

// Glance runs fn without a transaction: each of its statements sees a snapshot of its own.
// It costs one way to the database and back, and no parsing. A statement that writes is
// refused.
func (s *Store) Glance(ctx context.Context, fn func(lifecycle.Tx) error) error {
	defer s.meter.took(kindGlance, time.Now())
	ctx, end := traceTransaction(ctx, "glance")
	return end(s.repeat(ctx, func() error {
		leave, err := s.engine.enter(ctx)
		if err != nil {
			return s.translate(err, blame{})
		}
		defer leave()
		tx := &transaction{store: s, sql: s.engine.glance(), traced: recorded(ctx)}
		if err := fn(tx); err != nil {
			return tx.because(err)
		}
		return tx.broken
	}))
}

// Update runs fn in a transaction and commits where fn returns nil. What is committed
// is on disk when Update returns.
//
// A statement that fails ends the transaction: all later ones fail too and nothing is
// committed, also where fn returns nil. Not to find a record, or to find another row
// version, is no such failure.
//
// fn is run again, a few times at most, where the database gave up on the transaction
// for the sake of another one, and once where a record that another transaction
// committed meanwhile stood in the way: this time fn sees that record.
//
// A caller whose ctx ends before the commit has changed nothing; one whose ctx ends
// while the commit is under way learns what became of it. Where nobody can tell, since
// the connection broke just then, the error wraps [lifecycle.ErrOutcomeUnknown].
func (s *Store) Update(ctx context.Context, fn func(lifecycle.Tx) error) error {
	defer s.meter.took(kindUpdate, time.Now())
	ctx, end := traceTransaction(ctx, "update")
	return end(s.run(ctx, true, fn))
}

// Ping reports whether the store answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.active.Done()
	if err := s.engine.ping(ctx); err != nil {
		return s.translate(err, blame{})
	}
	return nil
}

// Close waits for transactions under way and closes the store. Whoever comes later is
// refused with CodeUnavailable.
func (s *Store) Close() error {
	s.mu.Lock()
	closed := s.closed
	s.closed = true
	s.mu.Unlock()
	if closed {
		return nil
	}
	s.active.Wait()
	return s.engine.close()
}

// enter counts the caller in, so that Close waits for it.
func (s *Store) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return service.Errorf(service.CodeUnavailable, "The service is stopping. Try again in a moment.")
	}
	s.active.Add(1)
	return nil
}

// run runs fn in transactions until one is committed or there is no point in another.
func (s *Store) run(ctx context.Context, write bool, fn func(lifecycle.Tx) error) error {
	return s.repeat(ctx, func() error { return s.transact(ctx, write, fn) })
}

// repeat tries until it succeeds or there is no point in another attempt.
func (s *Store) repeat(ctx context.Context, try func() error) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.active.Done()
	for attempt := 1; ; attempt++ {
		err := try()
		if err == nil || !again(err, attempt) {
			return err
		}
		s.log.DebugContext(ctx, "repeating a transaction of the store", "attempt", attempt, "error", err)
		s.meter.repeats.Add(1)
		if !pause(ctx, attempt) {
			return err
		}
	}
}

// transact runs fn in one transaction.
func (s *Store) transact(ctx context.Context, write bool, fn func(lifecycle.Tx) error) error {
	sqlTx, done, err := s.engine.begin(ctx, write)
	if err != nil {
		return s.translate(err, blame{})
	}
	defer done()
	// After a commit this does nothing; else it is what fn's error or panic asks for.
	defer sqlTx.Rollback()

	tx := &transaction{store: s, sql: sqlTx, write: write, traced: recorded(ctx)}
	if err := fn(tx); err != nil {
		return tx.because(err)
	}
	if !write {
		return tx.broken
	}
	if err := tx.flushEvents(ctx); err != nil {
		return err
	}
	if err := tx.flushChanges(ctx); err != nil {
		return err
	}
	if tx.broken != nil {
		return tx.broken
	}
	if err := ctx.Err(); err != nil {
		return s.translate(err, blame{})
	}
	if err := sqlTx.Commit(); err != nil {
		if s.engine.outcomeUnknown(err) {
			s.meter.failed(reasonUnknown)
			return with(errUnknown, fmt.Errorf("commit: %w: %w", lifecycle.ErrOutcomeUnknown, err))
		}
		return s.translate(fmt.Errorf("commit: %w", err), blame{})
	}
	return nil
}

// maxAttempts bounds how often the work of one transaction is repeated.
const maxAttempts = 6

// again reports whether the transaction that failed with err may be repeated.
func again(err error, attempt int) bool {
	var r *repeatable
	return errors.As(err, &r) && attempt < maxAttempts && (attempt == 1 || !r.once)
}

// pause waits a little, longer for each attempt and never twice the same, so that
// those who collided do not do so again. It reports false where ctx ended.
func pause(ctx context.Context, attempt int) bool {
	const shortest = 4 * time.Millisecond
	wait := shortest << min(attempt, 5)
	timer := time.NewTimer(wait/2 + rand.N(wait))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
