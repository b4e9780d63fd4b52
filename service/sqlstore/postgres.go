// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

const (
	// The connections that one process has to a PostgreSQL store.
	maxPostgresConns     = 16
	maxPostgresIdleConns = 8
	postgresIdleTime     = 5 * time.Minute
	postgresConnLife     = time.Hour

	postgresConnectTimeout = 5 * time.Second

	// A replica whose machine vanished holds its locks no longer than this.
	postgresIdleInTransaction = time.Minute

	// A transaction whose caller hung up has this long to end.
	postgresFinish = 30 * time.Second

	// migrationLock is the key of the advisory lock under which the schema is brought
	// up to date, and migrationWait how long a starting replica waits for it.
	migrationLock = 0x64617461_73766300
	migrationWait = 2 * time.Minute
)

// postgresEngine keeps the store in a PostgreSQL database, which replicas may share.
type postgresEngine struct {
	db *sql.DB
	// config is that of its connections.
	config *pgx.ConnConfig
	places places
}

func openPostgres(ctx context.Context, dsn string, lockWait time.Duration) (*postgresEngine, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("cannot open the store: %w", err) // pgx leaves the password out.
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = postgresConnectTimeout
	}
	for name, value := range map[string]string{
		"application_name":                    "dataservice",
		"lock_timeout":                        milliseconds(lockWait),
		"idle_in_transaction_session_timeout": milliseconds(postgresIdleInTransaction),
		"synchronous_commit":                  "on", // Whatever the database or the role is set to.
	} {
		if config.RuntimeParams[name] == "" {
			config.RuntimeParams[name] = value
		}
	}
	e := &postgresEngine{config: config, places: newPlaces(maxPostgresConns, lockWait), db: stdlib.OpenDB(*config, stdlib.OptionAfterConnect(checkSynchronous))}
	// One more than there are places, so that a probe gets through when all are taken.
	e.db.SetMaxOpenConns(maxPostgresConns + 1)
	e.db.SetMaxIdleConns(maxPostgresIdleConns)
	e.db.SetConnMaxIdleTime(postgresIdleTime)
	e.db.SetConnMaxLifetime(postgresConnLife)
	if err := e.db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot open the store in PostgreSQL at %s: %w", config.Host, err), e.close())
	}
	return e, nil
}

// checkSynchronous makes sure that what is committed on the connection will be on
// disk, on a standby's too where there are synchronous ones: the DSN may ask for less,
// and a pooler may keep what the connection asked for from the server.
func checkSynchronous(ctx context.Context, conn *pgx.Conn) error {
	var setting string
	err := conn.QueryRow(ctx, "SELECT current_setting('synchronous_commit')").Scan(&setting)
	switch {
	case err != nil:
		err = fmt.Errorf("cannot read synchronous_commit: %w", err)
	case setting != "on" && setting != "remote_apply":
		err = fmt.Errorf("the session has synchronous_commit = %s, and what was acknowledged could be lost: "+
			"take it out of the store's DSN and of the pooler, or set it to on", setting)
	default:
		return nil
	}
	return errors.Join(err, conn.Close(ctx))
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// Unreachable reports whether an error, of [Open] or of the store, says that PostgreSQL does
// not answer or cannot work just now. One that answers and refuses the role, or has no such
// database, is to be put right by somebody.
func Unreachable(err error) bool {
	var answer *pgconn.PgError
	if errors.As(err, &answer) && (strings.HasPrefix(answer.Code, "28") || answer.Code == "3D000") {
		return false
	}
	var domain *service.Error
	if errors.As(err, &domain) {
		return domain.Code == service.CodeUnavailable
	}
	return errors.Is(err, context.DeadlineExceeded) || (*postgresEngine)(nil).diagnose(err) == failureUnavailable
}

// begin starts a READ COMMITTED transaction to write in, where row versions and row
// locks guard what is read, or a REPEATABLE READ one, whose reads are one snapshot.
func (e *postgresEngine) begin(ctx context.Context, write bool) (*sql.Tx, func(), error) {
	options := &sql.TxOptions{Isolation: sql.LevelReadCommitted}
	if !write {
		options = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	leave, err := e.places.take(ctx)
	if err != nil {
		return nil, nil, err
	}
	// A caller who hangs up ends the wait for a connection and for BEGIN. Later the
	// transaction looks at ctx itself, between the statements and before the commit: the
	// driver would break off a COMMIT under way, and nobody knew what became of it.
	own, end := context.WithCancel(context.WithoutCancel(ctx))
	waiting := context.AfterFunc(ctx, end)
	tx, err := e.db.BeginTx(own, options)
	if !waiting() && err == nil {
		err = errors.Join(ctx.Err(), tx.Rollback())
	}
	if err != nil {
		end()
		leave()
		return nil, nil, err
	}
	// Nobody is left who would give up on a server that does not answer.
	watching := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(postgresFinish)
		defer timer.Stop()
		select {
		case <-timer.C:
			end()
		case <-own.Done():
		}
	})
	return tx, func() { watching(); end(); leave() }, nil
}

func (e *postgresEngine) enter(ctx context.Context) (func(), error) { return e.places.take(ctx) }

// glance leaves it to the driver to keep statements prepared.
func (e *postgresEngine) glance() querier { return e.db }

// statement lets the end of a request break off a statement, which may wait for a
// lock: the connection is then closed and nothing is committed.
func (e *postgresEngine) statement(ctx context.Context) context.Context { return ctx }

// rebind numbers the placeholders. No statement of the package has a question mark elsewhere.
func (e *postgresEngine) rebind(query string) string {
	var b strings.Builder
	b.Grow(len(query) + 16)
	n := 0
	for {
		before, after, found := strings.Cut(query, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		n++
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(n))
		query = after
	}
}

// rowLock keeps other lockers out and lets those through who only refer to the row.
func (e *postgresEngine) rowLock() string { return " FOR NO KEY UPDATE" }

// keyLock waits for those who refer to the row, and keeps others from it.
func (e *postgresEngine) keyLock() string { return " FOR UPDATE" }

// shareLock waits for who changes the one row or holds the other's keyLock.
func (e *postgresEngine) shareLock(changed, removed string) string {
	return " FOR SHARE OF " + changed + " FOR KEY SHARE OF " + removed
}

func (e *postgresEngine) oneWriter() bool { return false }

// The SQLSTATEs that mean something to the service.
// Source: PostgreSQL documentation, appendix A.
const (
	sqlstateUniqueViolation     = "23505"
	sqlstateForeignKeyViolation = "23503"
	sqlstateSerialization       = "40001"
	sqlstateCompletionUnknown   = "40003"
	sqlstateDeadlock            = "40P01"
	sqlstateLockNotAvailable    = "55P03"
	sqlstateDiskFull            = "53100"
	sqlstateReadOnly            = "25006" // A standby, after a failover.
	sqlstateIdleTooLong         = "25P03" // See postgresIdleInTransaction.

	sqlclassConnection            = "08"
	sqlclassInsufficientResources = "53"
	sqlclassOperatorIntervention  = "57"
)

func (e *postgresEngine) diagnose(err error) failure {
	var (
		p       *pgconn.PgError
		connect *pgconn.ConnectError
		network net.Error
	)
	switch {
	case errors.As(err, &connect): // Also where the server answers that it lets nobody in.
		return failureUnavailable
	case errors.As(err, &p):
		switch p.Code {
		case sqlstateUniqueViolation:
			return failureDuplicate
		case sqlstateForeignKeyViolation:
			return failureReference
		case sqlstateSerialization, sqlstateDeadlock:
			return failureCollision
		case sqlstateLockNotAvailable:
			return failureLockWait
		case sqlstateDiskFull:
			return failureFull
		case sqlstateReadOnly, sqlstateIdleTooLong:
			return failureUnavailable
		}
		switch p.Code[:min(2, len(p.Code))] {
		case sqlclassConnection, sqlclassInsufficientResources, sqlclassOperatorIntervention:
			return failureUnavailable
		}
		return failureOther
	case errors.As(err, &network),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed),
		errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), pgconn.SafeToRetry(err):
		return failureUnavailable
	}
	return failureOther
}

// outcomeUnknown is true unless the server said that it did not commit. That the driver
// calls an error safe to retry says nothing here: where the connection ends while a
// COMMIT is under way, it reports a connection that was closed before.
func (e *postgresEngine) outcomeUnknown(err error) bool {
	var p *pgconn.PgError
	switch {
	case errors.Is(err, pgx.ErrTxCommitRollback), errors.Is(err, sql.ErrTxDone):
		return false
	case !errors.As(err, &p):
		return true
	}
	// A server that ends the session may do so after it wrote the commit to its disk,
	// while it waits for a standby.
	return p.Code == sqlstateCompletionUnknown || strings.HasPrefix(p.Code, sqlclassConnection) ||
		strings.HasPrefix(p.Code, sqlclassOperatorIntervention) || p.SeverityUnlocalized == "FATAL" || p.SeverityUnlocalized == "PANIC"
}

// appendOnly makes the triggers only where they are missing: to make one takes a lock
// that other replicas would wait for.
func (e *postgresEngine) appendOnly() []string {
	return []string{`DO $do$
		BEGIN
			IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'events'::regclass AND tgname = 'events_fixed') THEN
				RETURN;
			END IF;
			CREATE OR REPLACE FUNCTION refuse_event() RETURNS trigger LANGUAGE plpgsql AS $refuse$
			BEGIN
				IF TG_OP = 'INSERT' THEN
					RAISE EXCEPTION 'an event needs its place in the chain: stop the older program';
				END IF;
				RAISE EXCEPTION 'events are never changed or removed';
			END $refuse$;
			CREATE TRIGGER events_fixed BEFORE UPDATE OR DELETE ON events FOR EACH ROW EXECUTE FUNCTION refuse_event();
			CREATE TRIGGER events_not_truncated BEFORE TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION refuse_event();
			CREATE TRIGGER events_chained BEFORE INSERT ON events FOR EACH ROW WHEN (NEW.number = 0) EXECUTE FUNCTION refuse_event();
		END $do$`}
}

func (e *postgresEngine) clock() string {
	return `to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
}

func (e *postgresEngine) countChanges() string {
	return `WITH taken AS (UPDATE counters SET next = next + ? WHERE kind = 'route_change' RETURNING next - ? AS first)
		SELECT first FROM taken, pg_notify('` + channelChanges + `', '')`
}

func (e *postgresEngine) callGateways() string {
	return `SELECT pg_notify('` + channelCalls + `', ''), ` + notSynchronous
}

func (e *postgresEngine) lightly() string { return ` RETURNING ` + notSynchronous }

// notSynchronous holds until the end of the transaction.
const notSynchronous = `set_config('synchronous_commit', 'off', true)`

func (e *postgresEngine) checkSchema(ctx context.Context) error { return checkSchema(ctx, e.db) }

// migrate holds an advisory lock while it works, so that of several replicas that
// start at once one migrates and the others find it done.
func (e *postgresEngine) migrate(ctx context.Context, log *slog.Logger) error {
	lock, err := e.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("cannot open the store: %w", err)
	}
	defer lock.Rollback()
	for _, statement := range []string{
		"SET LOCAL lock_timeout = " + milliseconds(migrationWait),
		"SET LOCAL idle_in_transaction_session_timeout = 0",
		"SELECT pg_advisory_xact_lock(" + strconv.Itoa(migrationLock) + ")",
	} {
		if _, err := lock.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("cannot lock the store to bring its schema up to date: %w", err)
		}
	}
	return migrate(ctx, goose.DialectPostgres, e.db, log)
}

func (e *postgresEngine) ping(ctx context.Context) error { return e.db.PingContext(ctx) }

func (e *postgresEngine) pools() []pool {
	return []pool{{"all", e.db, maxPostgresConns, e.places.waits.Load()}}
}

func (e *postgresEngine) close() error { return e.db.Close() }
