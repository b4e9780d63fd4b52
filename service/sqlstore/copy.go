// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Copied says what was copied of one table.
type Copied struct {
	Table string
	Rows  int
	// Digest is the SHA-256 over all columns of all rows, in hex: the same for the table that
	// was read and the one that was written.
	Digest string
}

// versionTable is the migrations' own, and filled by them.
const versionTable = "goose_db_version"

// CopyToPostgres copies the SQLite store in the file into the empty PostgreSQL store that dsn
// names, and makes its schema where there is none. All is copied, and read back and
// compared, in one transaction, during which nobody else writes to either.
func CopyToPostgres(ctx context.Context, file, dsn string, keys Keys, log *slog.Logger) (_ []Copied, err error) {
	if _, err := os.Stat(file); err != nil { // SQLite would make it
		return nil, err
	}
	source, err := Open(ctx, Options{DSN: "sqlite:" + file, Keys: keys, Logger: log, AsItIs: true})
	if err != nil {
		return nil, fmt.Errorf("the source: %w", err)
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	target, err := openPostgres(ctx, dsn, DefaultLockWait)
	if err != nil {
		return nil, fmt.Errorf("the target: %w", err)
	}
	defer func() { err = errors.Join(err, target.close()) }()
	if err := target.prepare(ctx, log); err != nil {
		return nil, fmt.Errorf("the target: %w", err)
	}
	from, done, err := source.engine.begin(ctx, true) // keeps others from writing
	if err != nil {
		return nil, fmt.Errorf("the source: %w", err)
	}
	defer done()
	defer from.Rollback()
	conn, err := pgx.ConnectConfig(ctx, target.config.Copy())
	if err != nil {
		return nil, fmt.Errorf("the target: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	if err := checkSynchronous(ctx, conn); err != nil {
		return nil, fmt.Errorf("the target: %w", err)
	}
	to, err := conn.Begin(ctx)
	if err != nil {
		return nil, fmt.Errorf("the target: %w", err)
	}
	defer to.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // After a commit it does nothing.
	copied, err := copyTables(ctx, from, to)
	if err != nil {
		return nil, err
	}
	if err := to.Commit(ctx); err != nil {
		return nil, fmt.Errorf("the target: commit: %w: look whether it is empty", err)
	}
	// What the database refuses to do to events is set up by the first start; so is this one.
	store, err := Open(ctx, Options{DSN: dsn, Keys: keys, Logger: log})
	if err != nil {
		return nil, fmt.Errorf("all was copied, and the target does not open: %w", err)
	}
	return copied, store.Close()
}

// prepare makes the schema in a database without one, and refuses another schema.
func (e *postgresEngine) prepare(ctx context.Context, log *slog.Logger) error {
	var tables, versioned int
	err := e.db.QueryRowContext(ctx, `SELECT count(*), count(*) FILTER (WHERE table_name = '`+versionTable+`')
		FROM information_schema.tables WHERE table_schema = current_schema()`).Scan(&tables, &versioned)
	switch {
	case err != nil:
		return err
	case versioned > 0:
		return e.checkSchema(ctx)
	case tables > 0:
		return errors.New("the database holds tables of something else: name an empty one")
	}
	return e.migrate(ctx, log)
}

func copyTables(ctx context.Context, from *sql.Tx, to pgx.Tx) ([]Copied, error) {
	tables, err := inOrder(ctx, from)
	if err != nil {
		return nil, fmt.Errorf("the source: %w", err)
	}
	quoted := make([]string, len(tables))
	for i, table := range tables {
		quoted[i] = pgx.Identifier{table}.Sanitize()
	}
	for _, statement := range []string{
		"SET LOCAL idle_in_transaction_session_timeout = 0",
		"LOCK TABLE " + strings.Join(quoted, ", ") + " IN ACCESS EXCLUSIVE MODE",
	} {
		if _, err := to.Exec(ctx, statement); err != nil {
			return nil, fmt.Errorf("the target: cannot lock its tables: %w", err)
		}
	}
	for i, table := range tables {
		var filled bool
		if err := to.QueryRow(ctx, "SELECT EXISTS (SELECT FROM "+quoted[i]+")").Scan(&filled); err != nil {
			return nil, fmt.Errorf("the target: %w", err)
		}
		if filled && table != "counters" { // which the migrations fill
			return nil, fmt.Errorf("the target is not empty: its table %s has records. Name an empty database", table)
		}
	}
	if _, err := to.Exec(ctx, "DELETE FROM counters"); err != nil {
		return nil, fmt.Errorf("the target: %w", err)
	}
	all := make([]Copied, 0, len(tables))
	for i, table := range tables {
		c, err := copyTable(ctx, from, to, table, quoted[i])
		if err != nil {
			return nil, fmt.Errorf("table %s: %w", table, err)
		}
		all = append(all, c)
	}
	return all, nil
}

// copyTable copies with one COPY, at whose end references are checked: records may refer
// to others of their table.
func copyTable(ctx context.Context, from *sql.Tx, to pgx.Tx, table, quoted string) (Copied, error) {
	read, err := from.QueryContext(ctx, "SELECT * FROM "+quoted) //nolint:gosec,sqlclosecheck // the name is the schema's, and it is closed below
	if err != nil {
		return Copied{}, err
	}
	defer read.Close()
	columns, err := read.Columns()
	if err != nil {
		return Copied{}, err
	}
	var before rowDigest
	_, err = to.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromFunc(func() ([]any, error) {
		if !read.Next() {
			return nil, read.Err()
		}
		row, places := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			places[i] = &row[i]
		}
		if err := read.Scan(places...); err != nil {
			return nil, err
		}
		return row, before.add(row)
	}))
	if err != nil {
		return Copied{}, err
	}
	names := make([]string, len(columns))
	for i, column := range columns {
		names[i] = pgx.Identifier{column}.Sanitize()
	}
	written, err := to.Query(ctx, "SELECT "+strings.Join(names, ", ")+" FROM "+quoted)
	if err != nil {
		return Copied{}, err
	}
	defer written.Close()
	var after rowDigest
	for written.Next() {
		row, err := written.Values()
		if err != nil {
			return Copied{}, err
		}
		if err := after.add(row); err != nil {
			return Copied{}, err
		}
	}
	if err := written.Err(); err != nil {
		return Copied{}, err
	}
	c := Copied{Table: table, Rows: len(before.rows), Digest: before.sum()}
	if len(after.rows) != c.Rows || after.sum() != c.Digest {
		return Copied{}, fmt.Errorf("%d rows were read and %d are there now, and they are not the same", c.Rows, len(after.rows))
	}
	return c, nil
}

// inOrder lists the tables, those that others refer to before them.
func inOrder(ctx context.Context, tx *sql.Tx) ([]string, error) {
	names, err := firstColumn(ctx, tx, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND name <> ? ORDER BY name`, versionTable)
	if err != nil {
		return nil, err
	}
	var ordered []string
	for len(ordered) < len(names) {
		n := len(ordered)
		for _, name := range names {
			if slices.Contains(ordered, name) {
				continue
			}
			parents, err := firstColumn(ctx, tx, `SELECT "table" FROM pragma_foreign_key_list(?)`, name)
			if err != nil {
				return nil, err
			}
			if !slices.ContainsFunc(parents, func(p string) bool { return p != name && !slices.Contains(ordered, p) }) {
				ordered = append(ordered, name)
			}
		}
		if len(ordered) == n {
			return nil, errors.New("tables refer to each other in a circle")
		}
	}
	return ordered, nil
}

func firstColumn(ctx context.Context, tx *sql.Tx, query string, args ...any) (list []string, err error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		list = append(list, text)
	}
	return list, rows.Err()
}

// rowDigest holds the SHA-256 of each row. The engines return rows in an order of their own.
type rowDigest struct{ rows [][sha256.Size]byte }

func (d *rowDigest) add(row []any) error {
	var b []byte
	number := func(n int64) { b = binary.BigEndian.AppendUint64(append(b, 'n'), uint64(n)) }
	for _, value := range row {
		switch v := value.(type) {
		case nil:
			b = append(b, '0')
		case string:
			b = append(binary.BigEndian.AppendUint64(append(b, 't'), uint64(len(v))), v...)
		case int64:
			number(v)
		case int32:
			number(int64(v))
		case int16:
			number(int64(v))
		default:
			return fmt.Errorf("a value of the type %T is none of the schema", value)
		}
	}
	d.rows = append(d.rows, sha256.Sum256(b))
	return nil
}

func (d *rowDigest) sum() string {
	slices.SortFunc(d.rows, func(a, b [sha256.Size]byte) int { return bytes.Compare(a[:], b[:]) })
	h := sha256.New()
	for _, row := range d.rows {
		h.Write(row[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}
