// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// The statements around a call. Each is sent whole with every round trip and never
// prepared under a name: what has a name a function can deallocate and prepare anew
// as something else, and then BEGIN READ ONLY would be nothing of the kind.
const (
	// The isolation is said, since a role can have another default.
	frameBegin    = "BEGIN READ ONLY, ISOLATION LEVEL READ COMMITTED"
	frameSnapshot = "BEGIN READ ONLY, ISOLATION LEVEL REPEATABLE READ"
	// The new transaction is what the old one was as it ended, which can be less than the
	// frame made it: up to PostgreSQL 15, RESET and set_config(…, NULL, …) make a
	// transaction writable in its midst. So a call's last message asks whether it still is
	// read-only, and only one that is has a successor.
	frameChain = "ROLLBACK AND CHAIN"
	// currentSetting is the OID of pg_catalog.current_setting(text). It is called by the
	// number, which no search_path and no function of the database can divert.
	currentSetting = 2077
	frameUnlock    = "SELECT pg_catalog.pg_advisory_unlock_all()"
	frameRollback  = "ROLLBACK"
)

// What stands before and behind the statements of a call.
var (
	headBegin    = head{frameOf(frameBegin), 1}
	headChain    = head{frameOf(frameChain), 1}
	headSnapshot = head{frameOf(frameSnapshot), 1}
	headAnew     = head{frameOf(frameRollback, frameSnapshot), 2}
	// tailCheck has no Sync: a function call ends a round trip as well.
	// The portal, which would keep its snapshot to the transaction's end, is closed before.
	tailCheck  = appendFunctionCall(appendClosePortal(nil), currentSetting, "transaction_read_only")
	tail       = appendSync(frameOf(frameRollback))
	tailUnlock = appendSync(frameOf(frameUnlock, frameRollback))
	// recovery ends a transaction also where it failed and nothing but ROLLBACK runs in it.
	recovery  = appendSync(frameOf(frameRollback, frameUnlock))
	unlocking = appendSync(frameOf(frameUnlock))
)

// head begins a call's transaction.
type head struct {
	messages   []byte
	statements int
}

// unlockEvery is how long advisory locks of the session, the one thing that a
// rollback leaves, may outlive the call that took them. A script that names them gives
// them back with its call; this is for those that a view or a function hides. Asking
// each time would cost a row lookup an eighth of its speed. A session that is never
// idle also ends its transaction as often.
const (
	unlockEvery = 100 * time.Millisecond
	// restAfter is how long a session is idle before it rests.
	restAfter   = 50 * time.Millisecond
	restTimeout = 2 * time.Second
)

// drainLimit is how much of a result that nobody wants is read, in bytes, before the
// session is given up instead.
const drainLimit = 256 << 10

// pgSession is a session with its prepared statements. pgconn makes the connection
// and authenticates; calls then speak the extended query protocol directly, so that
// each is one write of one buffer, and rows are encoded where they were read to.
type pgSession struct {
	pg       *pgconn.PgConn
	conn     net.Conn
	frontend *pgproto3.Frontend
	// out is the buffer for what is sent, and args the one for the call's arguments.
	out        []byte
	args       []any
	statements map[string]*pgStatement
	// prefix begins the names of prepared statements, so that no script can take one
	// before it is used.
	prefix string
	// closing names the prepared statements to be closed with the next call.
	closing []string
	// clock counts uses, to find the statement that was not used for longest, and to
	// make names.
	clock uint64
	// unlocked is when the session's advisory locks were last given back, and used
	// says that there were calls since.
	unlocked time.Time
	used     bool
	// open says that the session is in the read-only transaction of its last call, which
	// the next one rolls back. It holds no snapshot there, but the locks of a reader.
	open bool
	// chains says that the server knows ROLLBACK AND CHAIN.
	chains bool
	// expire makes reading and writing end at once.
	expire func()
}

type pgStatement struct {
	name string
	// columns has, for each response parameter, its column in the result.
	columns []pgColumn
	used    uint64
	// prepared says that the server knows the statement.
	prepared bool
}

type pgColumn struct {
	index  int
	encode encoder
}

func newPGSession(pg *pgconn.PgConn) *pgSession {
	s := &pgSession{pg: pg, conn: pg.Conn(), frontend: pg.Frontend(), statements: map[string]*pgStatement{}, prefix: rand.Text()}
	s.chains = chains(pg.ParameterStatus("server_version"))
	s.expire = func() { _ = s.conn.SetDeadline(time.Unix(1, 0)) }
	return s
}

// chains reports whether a server of that version knows ROLLBACK AND CHAIN.
func chains(version string) bool {
	digits := strings.IndexFunc(version+" ", func(r rune) bool { return r < '0' || r > '9' })
	major, err := strconv.Atoi(version[:digits])
	return err == nil && major >= 12
}

// close says good-bye and closes the connection.
func (s *pgSession) close() {
	_ = s.conn.SetDeadline(time.Now().Add(time.Second))
	_, _ = s.conn.Write([]byte{'X', 0, 0, 0, 4})
	_ = s.conn.Close()
}

// cancel makes the server stop what the session runs.
func (s *pgSession) cancel() error {
	ctx, stop := context.WithTimeout(context.Background(), cancelTimeout)
	defer stop()
	return s.pg.CancelRequest(ctx)
}

// outcome is what a call leaves its session in.
type outcome uint8

const (
	// usable: ready for the next call.
	usable outcome = iota
	// broken: the connection is lost.
	broken
	// running: the server may still be at work, and must be told to stop.
	running
	// stale: a prepared statement no longer fits the schema and was forgotten; the
	// call can be made again.
	stale
	// spent: the call is answered, and the session is of no use to another one.
	spent
)

func (s *postgresSource) run(ctx context.Context, p *Plan, sh *shape, dst []byte, call Call) ([]byte, error) {
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
		case broken:
			s.sessions.release(l, false)
			if err != nil && !l.fresh && attempt == 0 && ctx.Err() == nil {
				// The idle session had died, and so probably have the others. A call
				// only reads, so it can be made again.
				s.sessions.flush()
				continue
			}
		default:
			s.release(l)
		}
		return dst, err
	}
}

// release gives a usable session back, and sees to it that it rests if it stays idle.
func (s *postgresSource) release(l *lease[*pgSession]) {
	used := l.session.used
	s.sessions.release(l, true)
	if used {
		s.restSoon()
	}
}

// restSoon lets idle sessions rest in a moment.
func (s *postgresSource) restSoon() {
	if !s.restless.Load() && s.restless.CompareAndSwap(false, true) {
		s.rest.Reset(restAfter)
	}
}

// restIdle ends the transactions of sessions that have been idle for a moment: what
// they hold would be in the way of changes to the schema.
func (s *postgresSource) restIdle() {
	s.restless.Store(false)
	now := time.Now()
	used := func(l *lease[*pgSession]) bool { return l.session.used }
	s.sessions.visit(func(l *lease[*pgSession]) bool { return used(l) && now.Sub(l.since) >= restAfter }, (*pgSession).rest)
	if s.sessions.has(used) {
		s.restSoon()
	}
}

// answer makes the call on the session, which it gives up where the call panics.
func (s *postgresSource) answer(ctx context.Context, l *lease[*pgSession], p *Plan, sh *shape, dst []byte, call Call) ([]byte, outcome, error) {
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
func (s *postgresSource) abandon(l *lease[*pgSession]) {
	if err := l.session.cancel(); err != nil {
		s.logger.Warn("a statement could not be cancelled and ends by the server's own timeout",
			"connection", s.connection.Name, "error", err)
	}
	s.sessions.release(l, false)
}

// answer makes the call in one round trip.
func (s *pgSession) answer(ctx context.Context, p *Plan, sh *shape, dst []byte, call Call, maxBytes int) ([]byte, outcome, error) {
	var err error
	if s.args, err = sh.Args(s.args[:0], call.Values); err != nil {
		return dst, usable, shapeFailure(err)
	}
	// The values are the caller's: nothing of them stays.
	defer func() { clear(s.args) }()
	stop := context.AfterFunc(ctx, s.expire)
	// For a panic: elsewhere it was stopped before.
	defer stop()
	a := pgAnswer{s: s, p: p, sh: sh, call: call, maxBytes: maxBytes}
	dst, state, err := a.make(ctx, dst)
	if !stop() && state != running {
		// The connection's deadline has passed, or is about to.
		state = broken
	}
	return dst, state, err
}

// pgAnswer is one call under way.
type pgAnswer struct {
	s        *pgSession
	p        *Plan
	sh       *shape
	call     Call
	maxBytes int

	// st and prepared are the statement whose answer is being read; bound says that
	// its values were accepted.
	st       *statement
	prepared *pgStatement
	bound    bool
	// head is the number of statements that begin the transaction. ends says that the
	// call also ends it, and unlock that it gives back the session's advisory locks.
	head         int
	ends, unlock bool
	// asked says that the answer to the call's last message is being read.
	asked bool
	// refused is why the rows cannot be answered although the server gave them.
	refused error
}

// errAbandoned says that the rest of a result is too much to be read for nothing.
var (
	errAbandoned = errors.New("the rest of the result was not read")
	errProtocol  = errors.New("the server answers out of turn")
)

func (a *pgAnswer) make(ctx context.Context, dst []byte) ([]byte, outcome, error) {
	s, p := a.s, a.p
	if err := a.send(); err != nil {
		var bad *Error
		if errors.As(err, &bad) {
			return dst, usable, err
		}
		return a.failed(ctx, dst, err)
	}
	var err error
	for i := 0; i < a.head && err == nil; i++ {
		err = s.utility()
	}
	switch {
	case err == nil && p.counts():
		dst, err = a.read(dst, &a.sh.count)
	case p.paged:
		dst = a.call.appendPage(dst, noTotal)
	}
	if err == nil {
		dst, err = a.read(dst, &a.sh.rows)
	}
	if p.paged {
		dst = append(dst, '}')
	}
	if err == nil && a.unlock {
		if err = s.utility(); err == nil {
			s.unlocked, s.used = time.Now(), false
		}
	}
	readOnly := false
	switch {
	case err != nil:
	case a.ends:
		err = s.utility()
	default:
		a.asked = true
		readOnly, err = s.readOnly()
	}
	if err == nil {
		err = s.ready(!a.ends)
	}
	if err != nil {
		return a.failed(ctx, dst, err)
	}
	if s.open && (!readOnly || a.refused != nil) && s.conclude(recovery, 2) != nil {
		return dst, broken, a.refused
	}
	return dst, usable, a.refused
}

// send writes the whole round trip.
func (a *pgAnswer) send() error {
	s, p := a.s, a.p
	s.out = s.out[:0]
	a.unlock = a.sh.locks || time.Since(s.unlocked) > unlockEvery
	a.ends = a.unlock || p.counts() || !s.chains
	head := &headBegin
	switch {
	case p.counts() && s.open:
		head = &headAnew
	case p.counts():
		head = &headSnapshot
	case s.open:
		head = &headChain
	}
	a.head = head.statements
	s.out = append(s.out, head.messages...)
	if p.counts() {
		if err := a.bind(&a.sh.count); err != nil {
			return err
		}
	}
	if err := a.bind(&a.sh.rows); err != nil {
		return err
	}
	s.used = true
	switch {
	case a.unlock:
		s.out = append(s.out, tailUnlock...)
	case a.ends:
		s.out = append(s.out, tail...)
	default:
		s.out = append(s.out, tailCheck...)
	}
	for _, name := range s.closing {
		// Behind the Sync: it is the next round trip that reads the answer to this.
		s.out = appendClose(s.out, name)
	}
	s.closing = s.closing[:0]
	_, err := s.conn.Write(s.out)
	return err
}

// bind writes what runs one statement.
func (a *pgAnswer) bind(st *statement) error {
	s := a.s
	prepared := s.statement(st)
	if !prepared.prepared {
		s.out = appendDescribe(appendParse(s.out, prepared.name, st.text), prepared.name)
	}
	n := len(st.markers)
	if st.page {
		n += 2
	}
	out, at := beginBind(s.out, prepared.name, n)
	var err error
	for i := range st.markers {
		m := &st.markers[i]
		if out, err = appendParameter(out, s.args[i], m.Type); err != nil {
			return &Error{Kind: BadValue, Parameter: m.Parameter, Err: err}
		}
	}
	if st.page {
		out = appendIntParameter(out, int64(a.call.PageSize))
		out = appendIntParameter(out, a.call.offset())
	}
	s.out = endBind(out, at)
	return nil
}

// statement returns the prepared statement, or one that is still to be prepared.
func (s *pgSession) statement(st *statement) *pgStatement {
	s.clock++
	prepared := s.statements[st.key]
	if prepared == nil {
		if len(s.statements) >= maxPostgresStatements {
			s.forget(leastUsed(s.statements, func(p *pgStatement) uint64 { return p.used }))
		}
		prepared = &pgStatement{name: s.prefix + strconv.FormatUint(s.clock, 10)}
		s.statements[st.key] = prepared
	}
	prepared.used = s.clock
	return prepared
}

// forget drops a prepared statement, here and with the next call at the server.
func (s *pgSession) forget(key string) {
	if prepared := s.statements[key]; prepared != nil {
		delete(s.statements, key)
		if prepared.prepared {
			s.closing = append(s.closing, prepared.name)
		}
	}
}

// receive returns the next message that belongs to a call.
func (s *pgSession) receive() (pgproto3.BackendMessage, error) {
	for {
		message, err := s.frontend.Receive()
		if err != nil {
			return nil, err
		}
		switch m := message.(type) {
		case *pgproto3.NoticeResponse, *pgproto3.ParameterStatus, *pgproto3.NotificationResponse, *pgproto3.CloseComplete:
			continue
		case *pgproto3.ErrorResponse:
			return nil, pgconn.ErrorResponseToPgError(m)
		}
		return message, nil
	}
}

// utility reads the answer to a statement of the frame.
func (s *pgSession) utility() error {
	message, err := s.receive()
	if err != nil {
		return err
	}
	if _, ok := message.(*pgproto3.ParseComplete); !ok {
		return errProtocol
	}
	if message, err = s.receive(); err != nil {
		return err
	}
	if _, ok := message.(*pgproto3.BindComplete); !ok {
		return errProtocol
	}
	for {
		if message, err = s.receive(); err != nil {
			return err
		}
		switch message.(type) {
		case *pgproto3.DataRow:
		case *pgproto3.CommandComplete:
			return nil
		default:
			return errProtocol
		}
	}
}

// readOnly reads the answer to the question whether the transaction still is read-only.
func (s *pgSession) readOnly() (bool, error) {
	message, err := s.receive()
	if err != nil {
		return false, err
	}
	answer, ok := message.(*pgproto3.FunctionCallResponse)
	if !ok {
		return false, errProtocol
	}
	return string(answer.Result) == "on", nil
}

// ready reads the end of a round trip, which must have left the transaction open, or
// no transaction.
func (s *pgSession) ready(open bool) error {
	message, err := s.receive()
	if err != nil {
		return err
	}
	status := byte('I')
	if open {
		status = 'T'
	}
	if ready, ok := message.(*pgproto3.ReadyForQuery); !ok || ready.TxStatus != status {
		return errProtocol
	}
	s.open = open
	return nil
}

// read reads the answer to a statement: rows as an array, or the total as what
// stands before the rows of a page.
func (a *pgAnswer) read(dst []byte, st *statement) ([]byte, error) {
	a.st, a.prepared, a.bound = st, a.s.statements[st.key], false
	if !a.prepared.prepared {
		if err := a.described(); err != nil {
			return dst, err
		}
	}
	message, err := a.s.receive()
	if err != nil {
		return dst, err
	}
	if _, ok := message.(*pgproto3.BindComplete); !ok {
		return dst, errProtocol
	}
	a.bound = true
	if st.columns == nil {
		return a.readTotal(dst)
	}
	return a.readRows(dst)
}

// described reads what the server says of a statement that it had to prepare.
func (a *pgAnswer) described() error {
	for {
		message, err := a.s.receive()
		if err != nil {
			return err
		}
		switch m := message.(type) {
		case *pgproto3.ParseComplete:
			a.prepared.prepared = true
		case *pgproto3.ParameterDescription:
		case *pgproto3.NoData:
			return a.columns(nil)
		case *pgproto3.RowDescription:
			return a.columns(m.Fields)
		default:
			return errProtocol
		}
	}
}

// columns finds the response parameters among the columns of the result.
func (a *pgAnswer) columns(fields []pgproto3.FieldDescription) error {
	a.prepared.columns = make([]pgColumn, len(a.st.columns))
	for i := range a.st.columns {
		c := &a.st.columns[i]
		at := -1
		for k := range fields {
			if string(fields[k].Name) == c.name {
				at = k
				break
			}
		}
		if at < 0 {
			a.refuse(missingColumn(c.name))
			a.s.forget(a.st.key)
			return nil
		}
		oid := fields[at].DataTypeOID
		encode := encoderOf(c.typ, oid)
		if encode == nil {
			a.refuse(notAnswerable(c, "column of type "+typeName(oid)))
			a.s.forget(a.st.key)
			return nil
		}
		a.prepared.columns[i] = pgColumn{at, encode}
	}
	return nil
}

// refuse notes why the rows cannot be answered; what the server still sends is read
// and dropped.
func (a *pgAnswer) refuse(err error) {
	if a.refused == nil {
		a.refused = err
	}
}

func (a *pgAnswer) readTotal(dst []byte) ([]byte, error) {
	total := int64(-1)
	for {
		message, err := a.s.receive()
		if err != nil {
			return dst, err
		}
		switch m := message.(type) {
		case *pgproto3.DataRow:
			if len(m.Values) != 1 {
				return dst, errProtocol
			}
			if total, err = strconv.ParseInt(string(m.Values[0]), 10, 64); err != nil {
				return dst, errProtocol
			}
		case *pgproto3.CommandComplete:
			return a.call.appendPage(dst, total), nil
		default:
			return dst, errProtocol
		}
	}
}

func (a *pgAnswer) readRows(dst []byte) ([]byte, error) {
	start := len(dst)
	dst = append(dst, '[')
	full, dropped := false, 0
	for n := 0; ; n++ {
		message, err := a.s.receive()
		if err != nil {
			return dst, err
		}
		switch m := message.(type) {
		case *pgproto3.DataRow:
			if !full && !a.p.paged && n == a.call.MaxRows {
				full = true
				if !a.call.Truncate {
					a.refuse(tooMany("the result has more than %d rows", a.call.MaxRows))
				}
			}
			if full || a.refused != nil {
				for _, v := range m.Values {
					dropped += len(v) + 4
				}
				if dropped > drainLimit {
					return append(dst, ']'), errAbandoned
				}
				continue
			}
			if dst, err = a.appendRow(comma(dst, n), m.Values); err != nil {
				a.refuse(err)
			} else if len(dst)-start > a.maxBytes {
				a.refuse(tooMany("the answer has more than %d bytes", a.maxBytes))
			}
		case *pgproto3.CommandComplete:
			return append(dst, ']'), nil
		default:
			return dst, errProtocol
		}
	}
}

func (a *pgAnswer) appendRow(dst []byte, values [][]byte) ([]byte, error) {
	for i := range a.prepared.columns {
		column, declared := &a.prepared.columns[i], &a.st.columns[i]
		dst = append(dst, declared.prefix...)
		if column.index >= len(values) {
			return dst, missingColumn(declared.name)
		}
		value := values[column.index]
		if value == nil {
			dst = append(dst, "null"...)
			continue
		}
		var ok bool
		if dst, ok = column.encode(dst, value); !ok {
			return dst, notAnswerable(declared, "value")
		}
	}
	return append(dst, '}'), nil
}

// failed says what an error of the server, of the connection or of ours leaves.
func (a *pgAnswer) failed(ctx context.Context, dst []byte, err error) ([]byte, outcome, error) {
	if errors.Is(err, errAbandoned) {
		return dst, running, a.refused
	}
	var tooLong *pgproto3.ExceededMaxBodyLenErr
	if errors.As(err, &tooLong) {
		return dst, running, &Error{Kind: TooManyRows, Err: err}
	}
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &pg):
	case ctx.Err() != nil:
		return dst, running, &Error{Kind: Timeout, Err: err}
	case errors.Is(err, errProtocol):
		return dst, broken, &Error{Kind: Failed, Err: err}
	default:
		return dst, broken, &Error{Kind: Unavailable, Err: err}
	}
	if a.st == nil {
		// Not even the transaction began.
		if s := a.s; s.open {
			// The one before was not what it should have been. The call is made again.
			return dst, broken, &Error{Kind: Unavailable, Err: err}
		}
		a.st = &a.sh.rows
	}
	failure := statementFailure(ctx, a.p, a.st, pg, a.bound)
	if a.prepared != nil && a.prepared.columns == nil {
		// It was not described, or not even prepared.
		a.s.forget(a.st.key)
	}
	if a.s.recover(!a.ends && !a.asked) != nil {
		return dst, broken, failure
	}
	if outdated(pg) && !a.bound {
		a.s.forget(a.st.key)
		return dst, stale, failure
	}
	return dst, usable, failure
}

// outdated reports whether the server does not run a prepared statement any more,
// since its result changed or since it is gone.
func outdated(e *pgconn.PgError) bool {
	return e.Code == "0A000" && e.Routine == "RevalidateCachedQuery" || e.Code == "26000"
}

// recover ends a round trip that failed, and its transaction. Having met an error, the
// server skips everything up to the Sync, which is missing where the call did not mean
// to end its transaction.
func (s *pgSession) recover(missing bool) error {
	if missing {
		if _, err := s.conn.Write(appendSync(nil)); err != nil {
			return err
		}
	}
	message, err := s.receive()
	if err != nil {
		return err
	}
	ready, ok := message.(*pgproto3.ReadyForQuery)
	if !ok {
		return errProtocol
	}
	if ready.TxStatus == 'I' {
		s.open = false
		return nil
	}
	return s.conclude(recovery, 2)
}

// rest ends the transaction of an idle session and gives back its advisory locks.
func (s *pgSession) rest() error {
	_ = s.conn.SetDeadline(time.Now().Add(restTimeout))
	messages, statements := unlocking, 1
	if s.open {
		messages, statements = recovery, 2
	}
	if err := s.conclude(messages, statements); err != nil {
		return err
	}
	return s.conn.SetDeadline(time.Time{})
}

// conclude sends statements of the frame that leave no transaction and give back
// advisory locks, and reads the answers.
func (s *pgSession) conclude(messages []byte, statements int) error {
	if _, err := s.conn.Write(messages); err != nil {
		return err
	}
	for range statements {
		if err := s.utility(); err != nil {
			return err
		}
	}
	s.unlocked, s.used = time.Now(), false
	return s.ready(false)
}

// ping makes sure that the server answers, outside of a transaction.
func (s *pgSession) ping(ctx context.Context) error {
	if s.open {
		if err := s.rest(); err != nil {
			_ = s.pg.Close(ctx)
			return err
		}
	}
	return s.pg.Ping(ctx)
}
