// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/datasource/internal/sqlite"
	"github.com/dataservice/terraform-provider-dataservice/service/query"
)

const (
	// maxSQLiteLength bounds one value and one row, in bytes.
	maxSQLiteLength = 16 << 20
	// maxSQLitePattern bounds what LIKE and GLOB look for, in bytes: one comparison with
	// a long pattern takes many seconds, and an interrupt does not reach into it.
	maxSQLitePattern = 256
	// sqliteCache is each session's page cache, in KiB.
	sqliteCache = "8192"
	// maxSQLiteStatements bounds the prepared statements of one session.
	maxSQLiteStatements = 128
	// interruptEvery is how often a call is interrupted whose time is over: SQLite forgets
	// an interrupt that comes while no statement runs, before the first or between two.
	interruptEvery = 10 * time.Millisecond
)

// sqliteSource is a SQLite file.
type sqliteSource struct {
	file      string
	directory string
	forbidden []string
	maxBytes  int
	// mapped is how much of the file is read through memory that it is mapped to, in bytes.
	mapped   int64
	sessions *pool[*sqliteSession]

	mu sync.Mutex
	// opened is the file as it was when a session was opened last.
	opened fs.FileInfo
}

func newSQLite(c service.Connection, o Options) *sqliteSource {
	s := &sqliteSource{file: c.File, directory: o.SQLiteDir, forbidden: o.Forbidden, maxBytes: o.MaxAnswerBytes, mapped: o.SQLiteMmapBytes}
	s.sessions = newPool(o.sqliteSessions(), o.WaitLimit, s.open, (*sqliteSession).close)
	return s
}

func (s *sqliteSource) close() { s.sessions.shut() }

func (s *sqliteSource) orphan() { s.sessions.orphan() }

func (s *sqliteSource) sweep(now time.Time, idle time.Duration) int {
	if s.replaced() {
		s.sessions.flush()
	}
	return s.sessions.sweep(now, idle)
}

// replaced reports whether another file lies at the path than the one that sessions
// have open: who replaces a database does it by a rename.
func (s *sqliteSource) replaced() bool {
	s.mu.Lock()
	opened := s.opened
	s.mu.Unlock()
	if opened == nil {
		return false
	}
	path, err := s.path()
	if err != nil {
		return true
	}
	info, err := os.Stat(path)
	return err != nil || !os.SameFile(info, opened)
}

// path returns where the file is, with every symbolic link resolved. It is refused
// where it lies outside the directory, is forbidden, or is no file.
func (s *sqliteSource) path() (string, error) {
	fail := func(cause error, format string, args ...any) (string, error) {
		return "", connectionFailed("/file", cause, format, args...)
	}
	if !filepath.IsLocal(s.file) || strings.ContainsRune(s.file, 0) {
		return fail(nil, "%q does not lie below the service's --sqlite-dir: use a relative path without \"..\".", s.file)
	}
	directory, err := filepath.EvalSymlinks(s.directory)
	if err == nil {
		directory, err = filepath.Abs(directory)
	}
	if err != nil {
		return fail(err, "The service's --sqlite-dir cannot be read, so %q is not found: create the directory, or start the service with another --sqlite-dir.", s.file)
	}
	path, err := filepath.EvalSymlinks(filepath.Join(directory, s.file))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fail(err, "There is no file %q below the service's --sqlite-dir: put the database there, or correct the path; it is not created.", s.file)
	case err != nil:
		return fail(err, "The file %q below the service's --sqlite-dir cannot be reached: check its permissions and links.", s.file)
	case !below(directory, path):
		return fail(nil, "The file %q leads outside the service's --sqlite-dir: put the database itself there, not a link to it.", s.file)
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return fail(err, "%q is not a file: name a SQLite database below the service's --sqlite-dir.", s.file)
	}
	for _, f := range s.forbidden {
		if covers(f, directory, path, info) {
			return fail(nil, "The file %q belongs to the service itself and cannot be a data source: use another file.", s.file)
		}
	}
	return path, nil
}

func below(directory, path string) bool {
	relative, err := filepath.Rel(directory, path)
	return err == nil && filepath.IsLocal(relative)
}

// covers reports whether the forbidden file or directory is, or holds, the file. A
// forbidden directory around --sqlite-dir does not cover what lies in --sqlite-dir.
func covers(forbidden, directory, path string, info fs.FileInfo) bool {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if f, err := os.Stat(forbidden + suffix); err == nil && os.SameFile(f, info) {
			return true
		}
	}
	resolved, err := filepath.EvalSymlinks(forbidden)
	if err == nil {
		resolved, err = filepath.Abs(resolved)
	}
	if err != nil {
		return false
	}
	f, err := os.Stat(resolved)
	return err == nil && f.IsDir() && below(resolved, path) && !below(resolved, directory)
}

// sqliteSession is an open database with its prepared statements. It serves one call
// at a time.
type sqliteSession struct {
	conn       *sqlite.Conn
	statements map[string]*sqliteStatement
	// args is the buffer for the arguments of the call.
	args []any
	// clock counts calls, to find the statement that was not used for longest.
	clock uint64
	// interrupt stops the running statement, and those that the call still begins, until
	// an element of interrupted is taken.
	interrupt   func()
	interrupted chan struct{}
}

type sqliteStatement struct {
	stmt *sqlite.Stmt
	// columns has, for each response parameter, its column in the result; nil while
	// that is not known.
	columns []int
	used    uint64
}

func (s *sqliteSource) open(ctx context.Context) (*sqliteSession, error) {
	path, err := s.path()
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, s.openFailure(err)
	}
	conn, err := sqlite.OpenReadOnly(path)
	if err != nil {
		return nil, s.openFailure(err)
	}
	session := &sqliteSession{conn: conn, statements: map[string]*sqliteStatement{}, interrupted: make(chan struct{})}
	session.interrupt = func() {
		again := time.NewTicker(interruptEvery)
		defer again.Stop()
		for {
			conn.Interrupt()
			select {
			case session.interrupted <- struct{}{}:
				return
			case <-again.C:
			}
		}
	}
	if err := session.restrict(ctx, s.mapped); err != nil {
		session.close()
		return nil, s.openFailure(err)
	}
	s.mu.Lock()
	s.opened = info
	s.mu.Unlock()
	return session, nil
}

func (s *sqliteSource) openFailure(err error) error {
	switch {
	case sqlite.IsCode(err, sqlite.NotADB):
		return connectionFailed("/file", err, "The file %q is not a SQLite database.", s.file)
	case sqlite.IsCode(err, sqlite.CantOpen):
		return connectionFailed("/file", err, "The file %q cannot be opened: let the service's user read it (and, for a database in WAL mode, write to its directory).", s.file)
	case sqlite.IsCode(err, sqlite.Busy):
		return connectionFailed("/file", err, "The file %q is locked by another process: try again when it is done.", s.file)
	default:
		return connectionFailed("/file", err, "The file %q does not open as a SQLite database: %v.", s.file, err)
	}
}

// restrict takes away from the session what a reader does not need, and says how much
// of the file is mapped.
func (s *sqliteSession) restrict(ctx context.Context, mapped int64) error {
	c := s.conn
	c.Limit(sqlite.LimitLength, maxSQLiteLength)
	c.Limit(sqlite.LimitSQLLength, 4*service.MaxScriptLength)
	c.Limit(sqlite.LimitAttached, 0)
	c.Limit(sqlite.LimitLikePattern, maxSQLitePattern)
	c.Limit(sqlite.LimitWorkerThreads, 0)
	if err := c.HidePath(); err != nil {
		return err
	}
	for setting, on := range map[int32]bool{
		sqlite.ConfigDefensive:     true,
		sqlite.ConfigTrustedSchema: false,
		// A misspelt "column" would otherwise be a string, and no error.
		sqlite.ConfigQuotedStrings: false,
	} {
		if err := c.Config(setting, on); err != nil {
			return err
		}
	}
	for _, sql := range []string{
		"PRAGMA query_only = 1",
		"PRAGMA trusted_schema = 0",
		"PRAGMA cache_size = -" + sqliteCache,
		"PRAGMA mmap_size = " + strconv.FormatInt(mapped, 10),
		// Reads the file, which tells whether it is a database at all.
		"SELECT count(*) FROM sqlite_schema",
	} {
		if err := patiently(ctx, func() error { return c.Exec(sql) }); err != nil {
			return err
		}
	}
	return nil
}

func (s *sqliteSession) close() {
	for _, st := range s.statements {
		st.stmt.Finalize()
	}
	s.conn.Close()
}

func (s *sqliteSource) check(ctx context.Context) error {
	session, err := s.open(ctx)
	if err != nil {
		return err
	}
	session.close()
	return nil
}

func (s *sqliteSource) validate(ctx context.Context, p *Plan, d service.Definition) error {
	l, err := s.sessions.acquire(ctx)
	if err != nil {
		return acquireFailure(err)
	}
	// It stays false where the validation panics: such a session is not used again.
	reusable := false
	defer func() { s.sessions.release(l, reusable) }()
	err = s.validateOn(ctx, l.session, p, d)
	reusable = true
	return err
}

func (s *sqliteSource) validateOn(ctx context.Context, session *sqliteSession, p *Plan, d service.Definition) error {
	var v service.Invalid
	if d.Wizard != nil {
		c, err := session.catalog(ctx, d.Wizard.Table)
		if err != nil {
			return s.openFailure(err)
		}
		if checkWizard(&v, d, c); v.Err("The API") != nil {
			return v.Err("The API")
		}
	}
	for _, sample := range p.query.Samples(maxSamples) {
		if err := s.prepares(ctx, &v, session, p, d, sample); err != nil {
			return err
		}
		if err := v.Err("The API"); err != nil {
			return err
		}
	}
	return nil
}

// prepares notes what keeps the shape from being prepared and answered.
func (s *sqliteSource) prepares(ctx context.Context, v *service.Invalid, session *sqliteSession, p *Plan, d service.Definition, sample *query.Shape) error {
	var stmt *sqlite.Stmt
	err := patiently(ctx, func() (err error) {
		stmt, err = session.conn.Prepare(sample.Text)
		return err
	})
	if sqlite.IsCode(err, sqlite.Busy) {
		return s.openFailure(err)
	}
	if err != nil {
		invalidSQL(v, d, sample, err.Error(), sqliteOffset(err))
		return nil
	}
	defer stmt.Finalize()
	if !stmt.ReadOnly() {
		v.Addf("/script/sql", "The script writes to the database, but scripts only read.")
	}
	names := make([]string, stmt.Columns())
	for i := range names {
		names[i] = stmt.Name(i)
	}
	p.tell(names, func(i int) service.ParameterType { return sqliteDeclared(stmt.Declared(i)) })
	checkColumns(v, d, names)
	if p.paged {
		sh := p.newShape(sample)
		texts := []string{sh.rows.text}
		if p.counts() {
			texts = []string{sh.count.text, sh.rows.text}
		}
		for _, text := range texts {
			wrapped, err := session.conn.Prepare(text)
			if err != nil {
				notPaged(v, d, err)
				break
			}
			wrapped.Finalize()
		}
	}
	return nil
}

// catalog looks for the table or view. There is one schema, main.
func (s *sqliteSession) catalog(ctx context.Context, table string) (catalog, error) {
	var c catalog
	schema, name, _ := query.SplitTable(table)
	tables, err := s.rows(ctx, `SELECT name, '' FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name`, "")
	if err != nil {
		return c, err
	}
	for _, t := range tables {
		c.tables = append(c.tables, t[0])
	}
	if schema != "" && schema != "main" || !slices.Contains(c.tables, name) {
		return c, nil
	}
	columns, err := s.rows(ctx, "SELECT name, type FROM pragma_table_xinfo(?1) WHERE hidden <> 1 ORDER BY cid", name)
	if err != nil {
		return c, err
	}
	for _, column := range columns {
		c.columns = append(c.columns, tableColumn{name: column[0], typ: column[1], like: true})
	}
	return c, nil
}

// rows returns the first two columns of a query with one parameter, as texts.
func (s *sqliteSession) rows(ctx context.Context, sql, parameter string) ([][2]string, error) {
	var rows [][2]string
	err := patiently(ctx, func() error {
		rows = nil
		stmt, err := s.conn.Prepare(sql)
		if err != nil {
			return err
		}
		defer stmt.Finalize()
		if strings.Contains(sql, "?1") {
			if err := stmt.BindText(1, parameter); err != nil {
				return err
			}
		}
		for {
			row, err := stmt.Step()
			if err != nil || !row {
				return err
			}
			rows = append(rows, [2]string{string(stmt.Text(0)), string(stmt.Text(1))})
		}
	})
	return rows, err
}

func sqliteOffset(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Offset
	}
	return -1
}
