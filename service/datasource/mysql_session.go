// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Every statement of a session runs in a transaction that START TRANSACTION READ ONLY
// began: no SELECT, and no function that it calls, can end it or make it writable. To
// renew a session is to set what scripts may have changed and to begin another such
// transaction, which ends the one before. (ROLLBACK AND CHAIN would take over how the
// last one was; this says READ ONLY each time.)
const (
	mysqlBegin    = "START TRANSACTION READ ONLY"
	mysqlSnapshot = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"
)

const (
	// mysqlRenewEvery is how long a transaction lasts from its first call on. Others
	// wait for so long who change a table that was read in it, and locks that a
	// function took last so long. It costs two round trips.
	mysqlRenewEvery = 100 * time.Millisecond
	// mysqlRenewTimeout bounds the renewal of an idle session.
	mysqlRenewTimeout = 2 * time.Second
)

// mysqlSession is a session with its prepared statements. The driver speaks the
// protocol; calls do not give it their context, which it would need a goroutine for,
// but make its reading end themselves.
type mysqlSession struct {
	conn   driver.Conn
	wire   *mysqlWire
	id     uint64
	server mysqlServer
	// settings are what is set as the transaction begins; settingsSnapshot likewise for
	// one that sees a single state of the database.
	settings, settingsSnapshot string

	statements map[string]*mysqlStatement
	// clock counts uses, to find the statement that was not used for longest.
	clock uint64
	// values, args and row are buffers: for the call's values, for what is bound of
	// them, and for what a row has.
	values []any
	args   []driver.Value
	row    []driver.Value

	// renewed is when the transaction began, and used says that there were calls since.
	renewed time.Time
	used    bool
	// stale says that the next call cannot run in the transaction as it is: it failed,
	// or it is a snapshot.
	stale bool
	// expire makes reading and writing end at once.
	expire func()
}

type mysqlStatement struct {
	stmt driver.Stmt
	used uint64
	// names and types are those of all columns of the last result; columns has, for
	// each response parameter, its column. They are nil where there was no result yet.
	names   []string
	types   []string
	columns []mysqlColumn
	// locks says that it may take locks that outlive it.
	locks bool
}

type mysqlColumn struct {
	index  int
	encode mysqlEncoder
}

func newMySQLSession(conn driver.Conn, wire *mysqlWire) *mysqlSession {
	s := &mysqlSession{conn: conn, wire: wire, statements: map[string]*mysqlStatement{}}
	s.expire = func() { _ = s.wire.SetDeadline(time.Unix(1, 0)) }
	return s
}

// prepareFrame writes down what is set with every transaction: how values are
// written and read must depend neither on the server's defaults nor on what a
// function set in the last one. Not every server lets everybody set all of it.
func (s *mysqlSession) prepareFrame(idle time.Duration, all bool) {
	isolation, readOnly, limit := "transaction_isolation", "transaction_read_only", "max_execution_time = "+strconv.Itoa(service.MaxTimeoutMS+5000)
	if s.server.maria {
		isolation, readOnly, limit = "tx_isolation", "tx_read_only", "max_statement_time = "+strconv.Itoa(service.MaxTimeoutMS/1000+5)
	}
	settings := []string{
		"NAMES utf8mb4",
		"SESSION sql_mode = 'STRICT_TRANS_TABLES,STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
		"SESSION time_zone = '+00:00'",
		"SESSION sql_select_limit = DEFAULT",
		"SESSION group_concat_max_len = " + strconv.Itoa(1<<20),
		// Each transaction says READ ONLY itself; this is for the day that one does not.
		"SESSION " + readOnly + " = 1",
		// A call ends by its context. These end what a killed service left behind.
		"SESSION " + limit,
		"SESSION wait_timeout = " + strconv.Itoa(int((idle+2*time.Minute)/time.Second)),
		// LAST_INSERT_ID(n) keeps a value, and GET_LOCK a lock: one is made to give back the other.
		"SESSION last_insert_id = 0 * RELEASE_ALL_LOCKS()",
	}
	if all {
		settings = append(settings,
			"SESSION timestamp = DEFAULT",
			"SESSION lc_time_names = 'en_US'",
			"SESSION sql_big_selects = DEFAULT",
			"SESSION sql_auto_is_null = 0",
			"SESSION div_precision_increment = DEFAULT",
			"SESSION default_week_format = DEFAULT",
		)
	}
	common := "SET " + strings.Join(settings, ", ") + ", SESSION " + isolation + " = "
	s.settings, s.settingsSnapshot = common+"'READ-COMMITTED'", common+"'REPEATABLE-READ'"
}

// exec runs a statement of the frame.
func (s *mysqlSession) exec(statement string) error {
	s.wire.allow(s.wire.cap)
	executor, ok := s.conn.(driver.ExecerContext)
	if !ok {
		return errProtocol
	}
	_, err := executor.ExecContext(context.Background(), statement, nil)
	return err
}

// table answers the rows of a statement of ours as text.
func (s *mysqlSession) table(statement string, args ...driver.Value) (table [][]string, err error) {
	s.wire.allow(s.wire.cap)
	var rows driver.Rows
	if len(args) > 0 {
		stmt, err := s.conn.Prepare(statement)
		if err != nil {
			return nil, err
		}
		defer stmt.Close()
		rows, err = stmt.Query(args) //nolint:staticcheck // The session's reading ends with the context.
		if err != nil {
			return nil, err
		}
	} else {
		queryer, ok := s.conn.(driver.QueryerContext)
		if !ok {
			return nil, errProtocol
		}
		if rows, err = queryer.QueryContext(context.Background(), statement, nil); err != nil {
			return nil, err
		}
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	values := make([]driver.Value, len(rows.Columns()))
	for {
		if err := rows.Next(values); errors.Is(err, io.EOF) {
			return table, nil
		} else if err != nil {
			return nil, err
		}
		line := make([]string, len(values))
		for i, v := range values {
			switch v := v.(type) {
			case nil:
			case []byte:
				line[i] = string(v)
			default:
				line[i] = fmt.Sprint(v)
			}
		}
		table = append(table, line)
	}
}

// renew sets what scripts may have changed, gives back locks and begins anew.
func (s *mysqlSession) renew() error { return s.begin(s.settings, mysqlBegin) }

func (s *mysqlSession) begin(settings, begin string) error {
	s.stale = true
	if err := s.exec(settings); err != nil {
		return err
	}
	if err := s.exec(begin); err != nil {
		return err
	}
	s.renewed, s.used, s.stale = time.Now(), false, begin != mysqlBegin
	return nil
}

// renewIdle renews the session while nobody waits for it.
func (s *mysqlSession) renewIdle() error {
	_ = s.wire.SetDeadline(time.Now().Add(mysqlRenewTimeout))
	if err := s.renew(); err != nil {
		return err
	}
	return s.wire.SetDeadline(time.Time{})
}

// close says good-bye and closes the connection.
func (s *mysqlSession) close() {
	_ = s.wire.SetDeadline(time.Now().Add(time.Second))
	_ = s.conn.Close()
	// The driver leaves it open where it gave up the connection itself.
	_ = s.wire.Close()
}

// open answers whether the driver still has the connection.
func (s *mysqlSession) open() bool {
	v, ok := s.conn.(driver.Validator)
	return !ok || v.IsValid()
}

func (s *mysqlSource) run(ctx context.Context, p *Plan, sh *shape, dst []byte, call Call) ([]byte, error) {
	start := len(dst)
	for attempt := 0; ; attempt++ {
		l, err := s.sessions.acquire(ctx)
		if err != nil {
			return dst, sessionFailure(ctx, err)
		}
		var state outcome
		dst, state, err = s.answer(ctx, l, p, sh, dst[:start], call)
		switch state {
		case running:
			go s.abandon(l)
		case spent:
			s.sessions.release(l, false)
		case broken:
			s.sessions.release(l, false)
			if err != nil && !l.fresh && attempt == 0 && ctx.Err() == nil {
				// The idle session had died, and so probably have the others. A call
				// only reads, so it can be made again.
				s.sessions.flush()
				continue
			}
		default:
			s.sessions.release(l, true)
			s.renewSoon()
		}
		return dst, err
	}
}

// renewSoon sees to it that idle sessions keep no lock and no old transaction.
func (s *mysqlSource) renewSoon() {
	if s.renewing.Load() || !s.renewing.CompareAndSwap(false, true) {
		return
	}
	time.AfterFunc(mysqlRenewEvery, func() {
		s.renewing.Store(false)
		s.sessions.visit(func(l *lease[*mysqlSession]) bool { return l.session.used || l.session.stale }, (*mysqlSession).renewIdle)
	})
}

// answer makes the call on the session, which it gives up where the call panics.
func (s *mysqlSource) answer(ctx context.Context, l *lease[*mysqlSession], p *Plan, sh *shape, dst []byte, call Call) ([]byte, outcome, error) {
	panicked := true
	defer func() {
		if panicked {
			go s.abandon(l)
		}
	}()
	start := len(dst)
	dst, state, err := l.session.answer(ctx, p, sh, dst, call, s.maxBytes)
	for range p.statements() {
		if state != stale {
			break
		}
		dst, state, err = l.session.answer(ctx, p, sh, dst[:start], call, s.maxBytes)
	}
	panicked = false
	return dst, state, err
}

// abandon stops what the session runs and closes it. Its slot stays taken until the
// server was told, so that a slow database does not get more and more of these.
func (s *mysqlSource) abandon(l *lease[*mysqlSession]) {
	if err := s.kill(l.session); err != nil {
		s.logger.Warn("a statement could not be cancelled and ends by the server's own timeout",
			"connection", s.connection.Name, "error", err)
	}
	s.sessions.release(l, false)
}

// kill makes the server end the session and what it runs, by another one.
func (s *mysqlSource) kill(session *mysqlSession) error {
	ctx, cancel := context.WithTimeout(context.Background(), cancelTimeout)
	defer cancel()
	conn, wire, err := s.connect(ctx)
	if err != nil {
		return err
	}
	other := newMySQLSession(conn, wire)
	defer other.close()
	stop := context.AfterFunc(ctx, other.expire)
	defer stop()
	err = other.exec("KILL " + strconv.FormatUint(session.id, 10))
	var refused *mysql.MySQLError
	if errors.As(err, &refused) && refused.Number == 1094 {
		return nil // It is gone already.
	}
	return err
}

// answer makes the call.
func (s *mysqlSession) answer(ctx context.Context, p *Plan, sh *shape, dst []byte, call Call, maxBytes int) ([]byte, outcome, error) {
	var err error
	if s.values, err = sh.Args(s.values[:0], call.Values); err != nil {
		return dst, usable, shapeFailure(err)
	}
	// The values are the caller's: nothing of them stays.
	defer func() { clear(s.values); clear(s.args) }()
	stop := context.AfterFunc(ctx, s.expire)
	// For a panic: elsewhere it was stopped before.
	defer stop()
	a := mysqlAnswer{s: s, p: p, sh: sh, call: call, maxBytes: maxBytes}
	dst, err = a.make(dst)
	state := usable
	if err != nil {
		state, err = a.failed(ctx, err)
	}
	if a.strange && state == usable {
		state = spent
	}
	if !stop() && state != running {
		// The connection's deadline has passed, or is about to.
		state = broken
	}
	return dst, state, err
}

// mysqlAnswer is one call under way.
type mysqlAnswer struct {
	s        *mysqlSession
	p        *Plan
	sh       *shape
	call     Call
	maxBytes int

	// st is the statement whose answer is being read.
	st *statement
	// refused is why the rows cannot be answered although the server gave them; full
	// says that there are more of them than are wanted.
	refused error
	full    bool
	// locks says that one of the call's statements may have taken locks, and strange
	// that one was no query.
	locks, strange bool
}

func (a *mysqlAnswer) make(dst []byte) ([]byte, error) {
	s, p := a.s, a.p
	var err error
	switch {
	case p.counts():
		err = s.begin(s.settingsSnapshot, mysqlSnapshot)
	case s.stale, s.used && time.Since(s.renewed) > mysqlRenewEvery:
		err = s.renew()
	}
	if err != nil {
		return dst, err
	}
	if !s.used {
		s.used, s.renewed = true, time.Now()
	}
	switch {
	case p.counts():
		if dst, err = a.query(dst, &a.sh.count); err != nil {
			return dst, err
		}
	case p.paged:
		dst = a.call.appendPage(dst, noTotal)
	}
	if dst, err = a.query(dst, &a.sh.rows); err != nil {
		return dst, err
	}
	if p.paged {
		dst = append(dst, '}')
	}
	if a.locks {
		if err = s.renew(); err != nil {
			return dst, err
		}
	}
	return dst, a.refused
}

// query runs one statement: the rows as an array, or the total as what stands before
// the rows of a page.
func (a *mysqlAnswer) query(dst []byte, st *statement) ([]byte, error) {
	s := a.s
	a.st = st
	s.wire.allow(s.wire.cap)
	prepared, err := s.statement(st)
	if err != nil {
		return dst, err
	}
	if err := a.bind(st, prepared); err != nil {
		return dst, err
	}
	a.locks = a.locks || prepared.locks
	rows, err := prepared.stmt.Query(s.args) //nolint:staticcheck // With a context the driver copies the values first.
	if err != nil {
		return dst, err
	}
	if st.columns == nil {
		dst, err = a.readTotal(dst, rows)
	} else {
		dst, err = a.readRows(dst, rows, prepared)
	}
	if err != nil {
		return dst, err
	}
	// What nobody wants of a result is read to its end, up to a limit.
	if a.refused != nil || a.full {
		s.wire.allow(drainLimit)
	}
	return dst, rows.Close()
}

// statement returns the session's prepared statement.
func (s *mysqlSession) statement(st *statement) (*mysqlStatement, error) {
	s.clock++
	if prepared := s.statements[st.key]; prepared != nil {
		prepared.used = s.clock
		return prepared, nil
	}
	if len(s.statements) >= maxMySQLStatements {
		s.forget(leastUsed(s.statements, func(p *mysqlStatement) uint64 { return p.used }))
	}
	stmt, err := s.conn.Prepare(st.text)
	if err != nil {
		return nil, err
	}
	prepared := &mysqlStatement{stmt: stmt, used: s.clock, locks: mayLockMySQL(st.text)}
	s.statements[st.key] = prepared
	return prepared, nil
}

// forget drops a prepared statement.
func (s *mysqlSession) forget(key string) {
	if prepared := s.statements[key]; prepared != nil {
		delete(s.statements, key)
		// The driver sends this and waits for nothing.
		_ = prepared.stmt.Close()
	}
}

// bind gathers the values of the statement's markers.
func (a *mysqlAnswer) bind(st *statement, prepared *mysqlStatement) error {
	s := a.s
	s.args = s.args[:0]
	for i := range st.markers {
		m := &st.markers[i]
		value, ok := mysqlValue(s.values[i], m.Type)
		if !ok {
			return &Error{Kind: BadValue, Parameter: m.Parameter, Err: fmt.Errorf("a %T is no value of type %s", s.values[i], m.Type)}
		}
		s.args = append(s.args, value)
	}
	if st.page {
		s.args = append(s.args, int64(a.call.PageSize), a.call.offset())
	}
	if n := prepared.stmt.NumInput(); n != len(s.args) {
		return &Error{Kind: Failed, Err: fmt.Errorf("the statement takes %d values and has %d", n, len(s.args))}
	}
	return nil
}

func (a *mysqlAnswer) readTotal(dst []byte, rows driver.Rows) ([]byte, error) {
	var total [1]driver.Value
	if len(rows.Columns()) != 1 {
		return dst, errProtocol
	}
	if err := rows.Next(total[:]); err != nil {
		return dst, err
	}
	n, ok := total[0].(int64)
	if !ok {
		return dst, errProtocol
	}
	return a.call.appendPage(dst, n), nil
}

func (a *mysqlAnswer) readRows(dst []byte, rows driver.Rows, prepared *mysqlStatement) ([]byte, error) {
	s := a.s
	if err := prepared.find(rows, a.st.columns); err != nil {
		// What answers nothing is no query, and who knows what it did to the session.
		a.refused, a.strange = err, len(prepared.names) == 0
		return dst, nil
	}
	start := len(dst)
	dst = append(dst, '[')
	s.row = slices.Grow(s.row[:0], len(prepared.names))[:len(prepared.names)]
	// The values belong to the driver's buffer.
	defer clear(s.row)
	for n := 0; ; n++ {
		s.wire.allow(s.wire.cap)
		if err := rows.Next(s.row); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return dst, err
		}
		if !a.p.paged && n == a.call.MaxRows {
			a.full = true
			if !a.call.Truncate {
				a.refused = tooMany("the result has more than %d rows", a.call.MaxRows)
			}
			break
		}
		var err error
		if dst, err = appendMySQLRow(comma(dst, n), s.row, prepared.columns, a.st.columns); err != nil {
			a.refused = err
			break
		}
		if len(dst)-start > a.maxBytes {
			a.refused = tooMany("the answer has more than %d bytes", a.maxBytes)
			break
		}
	}
	return append(dst, ']'), nil
}

// find finds the response parameters among the columns of the result, unless it has
// the columns of the last one.
func (p *mysqlStatement) find(rows driver.Rows, columns []column) error {
	names := rows.Columns()
	typed, ok := rows.(driver.RowsColumnTypeDatabaseTypeName)
	if !ok {
		return &Error{Kind: Failed, Err: errProtocol}
	}
	same := p.columns != nil && slices.Equal(names, p.names)
	for i := 0; same && i < len(names); i++ {
		same = typed.ColumnTypeDatabaseTypeName(i) == p.types[i]
	}
	if same {
		return nil
	}
	p.names, p.types, p.columns = names, make([]string, len(names)), nil
	for i := range names {
		p.types[i] = typed.ColumnTypeDatabaseTypeName(i)
	}
	found := make([]mysqlColumn, len(columns))
	for i := range columns {
		c := &columns[i]
		at := slices.Index(names, c.name)
		if at < 0 {
			return missingColumn(c.name)
		}
		encode := mysqlEncoderOf(c.typ, p.types[at])
		if encode == nil {
			// NULL still does.
			encode = neverConverts
		}
		found[i] = mysqlColumn{at, encode}
	}
	p.columns = found
	return nil
}

func appendMySQLRow(dst []byte, row []driver.Value, columns []mysqlColumn, declared []column) ([]byte, error) {
	for i := range columns {
		c := &declared[i]
		dst = append(dst, c.prefix...)
		value := row[columns[i].index]
		if value == nil {
			dst = append(dst, "null"...)
			continue
		}
		var ok bool
		if dst, ok = columns[i].encode(dst, value); !ok {
			return dst, notAnswerable(c, "value")
		}
	}
	return append(dst, '}'), nil
}

// failed says what an error of the server, of the connection or of ours leaves.
func (a *mysqlAnswer) failed(ctx context.Context, err error) (outcome, error) {
	s := a.s
	if s.wire.over {
		if a.refused != nil || a.full {
			return running, a.refused
		}
		return running, &Error{Kind: TooManyRows, Err: err}
	}
	var own *Error
	if errors.As(err, &own) {
		return usable, err
	}
	var refused *mysql.MySQLError
	switch {
	case errors.As(err, &refused):
	case ctx.Err() != nil:
		return running, &Error{Kind: Timeout, Err: err}
	case errors.Is(err, errProtocol):
		return broken, &Error{Kind: Failed, Err: err}
	case s.open():
		// The driver does not know what to make of an answer.
		return running, &Error{Kind: Failed, Err: err}
	default:
		return broken, &Error{Kind: Unavailable, Err: err}
	}
	// Some errors roll the transaction back, and then the session is in none.
	s.stale = true
	failure := mysqlFailure(ctx, a.p, refused)
	switch {
	case mysqlLost(refused.Number) || !s.open():
		return broken, failure
	case a.st != nil && mysqlOutdated(refused.Number):
		s.forget(a.st.key)
		return stale, failure
	}
	return usable, failure
}
