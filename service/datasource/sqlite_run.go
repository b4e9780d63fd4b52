// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/datasource/internal/sqlite"
)

func (s *sqliteSource) run(ctx context.Context, p *Plan, sh *shape, dst []byte, call Call) ([]byte, error) {
	l, err := s.sessions.acquire(ctx)
	if err != nil {
		return dst, sessionFailure(ctx, err)
	}
	if dst, err = s.answer(ctx, l, p, sh, dst, call); err != nil {
		return dst, sqliteFailure(ctx, p, call, err)
	}
	return dst, nil
}

// answer makes the call on the session and gives it back.
func (s *sqliteSource) answer(ctx context.Context, l *lease[*sqliteSession], p *Plan, sh *shape, dst []byte, call Call) ([]byte, error) {
	session := l.session
	stop := context.AfterFunc(ctx, session.interrupt)
	// It stays false where the call panics: such a session is not used again.
	reusable := false
	defer func() {
		if !stop() {
			// The interrupt must not hit the next call.
			<-session.interrupted
		}
		s.sessions.release(l, reusable)
	}()
	dst, err := session.answer(ctx, p, sh, dst, call, s.maxBytes)
	reusable = !session.conn.InTransaction()
	return dst, err
}

// sqliteFailure says what kind of failure an error of SQLite is.
func sqliteFailure(ctx context.Context, p *Plan, call Call, err error) error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	switch {
	case ctx.Err() != nil, sqlite.IsCode(err, sqlite.Interrupt):
		return &Error{Kind: Timeout, Err: err}
	case sqlite.IsCode(err, sqlite.Mismatch) && len(call.Values) > 0:
		// A value that is no number, in LIMIT or OFFSET.
		return &Error{Kind: BadValue, Parameter: onlyParameter(p), Err: err}
	case len(call.Values) > 0 && strings.HasSuffix(err.Error(), "pattern too complex"):
		// One of LIKE or GLOB that is longer than maxSQLitePattern. It has no code.
		return &Error{Kind: BadValue, Parameter: onlyParameter(p), Err: err}
	case sqlite.IsCode(err, sqlite.CantOpen), sqlite.IsCode(err, sqlite.NotADB):
		return &Error{Kind: Unavailable, Err: err}
	default:
		return &Error{Kind: Failed, Err: err}
	}
}

// onlyParameter names the parameter where there is but one.
func onlyParameter(p *Plan) string {
	if len(p.parameters) == 1 {
		return p.parameters[0].Name
	}
	return ""
}

func (s *sqliteSession) answer(ctx context.Context, p *Plan, sh *shape, dst []byte, call Call, maxBytes int) ([]byte, error) {
	var err error
	if s.args, err = sh.Args(s.args[:0], call.Values); err != nil {
		return dst, shapeFailure(err)
	}
	// The values are the caller's: nothing of them stays.
	defer func() { clear(s.args) }()
	switch {
	case !p.paged:
		return s.query(ctx, p, &sh.rows, dst, call, maxBytes)
	case !p.counts():
		dst, err = s.query(ctx, p, &sh.rows, call.appendPage(dst, noTotal), call, maxBytes)
		return append(dst, '}'), err
	}
	// One transaction is one snapshot for the total and the page.
	if err := s.conn.Exec("BEGIN"); err != nil {
		return dst, err
	}
	defer func() {
		if s.conn.InTransaction() {
			// What does not end here ends with the session, which is then not used again.
			_ = s.conn.Exec("ROLLBACK")
		}
	}()
	if dst, err = s.query(ctx, p, &sh.count, dst, call, maxBytes); err != nil {
		return dst, err
	}
	dst, err = s.query(ctx, p, &sh.rows, dst, call, maxBytes)
	return append(dst, '}'), err
}

// query runs one statement: the rows as an array, or the total as what stands before
// the rows of a page.
func (s *sqliteSession) query(ctx context.Context, p *Plan, st *statement, dst []byte, call Call, maxBytes int) ([]byte, error) {
	prepared, err := s.prepare(ctx, st)
	if err != nil {
		return dst, err
	}
	stmt := prepared.stmt
	defer stmt.Reset()
	if err := s.bind(stmt, st, call); err != nil {
		return dst, err
	}
	row, err := s.first(ctx, stmt)
	if err != nil {
		return dst, err
	}
	if st.columns == nil {
		return call.appendPage(dst, stmt.Int(0)), nil
	}
	if stmt.Reprepared() || prepared.columns == nil {
		// Where one is missing none is noted, so that the next call looks again.
		if prepared.columns, err = columnsIn(stmt, st.columns); err != nil {
			return dst, err
		}
	}
	start := len(dst)
	dst = append(dst, '[')
	for n := 0; row; n++ {
		if !p.paged && n == call.MaxRows {
			if call.Truncate {
				break
			}
			return dst, tooMany("the result has more than %d rows", call.MaxRows)
		}
		if dst, err = appendSQLiteRow(comma(dst, n), stmt, prepared.columns, st.columns); err != nil {
			return dst, err
		}
		if len(dst)-start > maxBytes {
			return dst, tooMany("the answer has more than %d bytes", maxBytes)
		}
		if row, err = stmt.Step(); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

// first takes the first step, and waits where a writer has the file for itself.
func (s *sqliteSession) first(ctx context.Context, stmt *sqlite.Stmt) (bool, error) {
	row, err := stmt.Step()
	for wait := time.Duration(0); sqlite.IsCode(err, sqlite.Busy) && pause(ctx, &wait); {
		row, err = stmt.Step()
	}
	return row, err
}

// patiently does something again for as long as a writer has the file for itself.
func patiently(ctx context.Context, do func() error) error {
	err := do()
	for wait := time.Duration(0); sqlite.IsCode(err, sqlite.Busy) && pause(ctx, &wait); {
		err = do()
	}
	return err
}

// pause waits a little longer each time. It returns false when the context ends.
func pause(ctx context.Context, wait *time.Duration) bool {
	*wait = min(2**wait+time.Millisecond, 50*time.Millisecond)
	timer := time.NewTimer(*wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// prepare returns the session's prepared statement.
func (s *sqliteSession) prepare(ctx context.Context, st *statement) (*sqliteStatement, error) {
	s.clock++
	if prepared := s.statements[st.key]; prepared != nil {
		prepared.used = s.clock
		return prepared, nil
	}
	var stmt *sqlite.Stmt
	err := patiently(ctx, func() (err error) {
		stmt, err = s.conn.Prepare(st.text)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(s.statements) >= maxSQLiteStatements {
		s.forget(leastUsed(s.statements, func(p *sqliteStatement) uint64 { return p.used }))
	}
	// Its columns are looked for after the first step: only that notices a schema which
	// has changed since the session read it.
	prepared := &sqliteStatement{stmt: stmt, used: s.clock}
	s.statements[st.key] = prepared
	return prepared, nil
}

// forget drops a prepared statement.
func (s *sqliteSession) forget(key string) {
	if prepared := s.statements[key]; prepared != nil {
		prepared.stmt.Finalize()
		delete(s.statements, key)
	}
}

// columnsIn finds the response parameters among the columns of the result.
func columnsIn(stmt *sqlite.Stmt, columns []column) ([]int, error) {
	n := stmt.Columns()
	at := make([]int, len(columns))
	for i, c := range columns {
		at[i] = -1
		for k := range n {
			if stmt.Name(k) == c.name {
				at[i] = k
				break
			}
		}
		if at[i] < 0 {
			return nil, missingColumn(c.name)
		}
	}
	return at, nil
}

func missingColumn(name string) *Error {
	return &Error{Kind: NotAnswerable, Parameter: name, Err: errors.New("the result has no such column any more: the table or view was changed")}
}

// bind binds the call's arguments to the statement's markers.
func (s *sqliteSession) bind(stmt *sqlite.Stmt, st *statement, call Call) error {
	for i := range st.markers {
		m := &st.markers[i]
		if err := bindSQLiteValue(stmt, i+1, s.args[i], m.Type); err != nil {
			return &Error{Kind: BadValue, Parameter: m.Parameter, Err: err}
		}
	}
	if st.page {
		n := len(st.markers)
		if err := stmt.BindInt(n+1, int64(call.PageSize)); err != nil {
			return err
		}
		return stmt.BindInt(n+2, call.offset())
	}
	return nil
}

func bindSQLiteValue(stmt *sqlite.Stmt, i int, value any, t service.ParameterType) error {
	switch v := value.(type) {
	case nil:
		return stmt.BindNull(i)
	case string:
		return stmt.BindText(i, v)
	case int64:
		return stmt.BindInt(i, v)
	case bool:
		if v {
			return stmt.BindInt(i, 1)
		}
		return stmt.BindInt(i, 0)
	case float64:
		if t == service.TypeFloat {
			// 0.1 as a FLOAT is the number that people write as 0.1, not the float64
			// nearest to the float32.
			v = widen(v)
		}
		return stmt.BindFloat(i, v)
	default:
		text, ok := appendListValue(nil, v, floatBits(t))
		if !ok {
			return fmt.Errorf("a %T is no value of type %s", value, t)
		}
		return stmt.BindText(i, string(text))
	}
}

// widen returns the float64 that has the digits of the float32.
func widen(f float64) float64 {
	w, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', -1, 32), 64)
	if err != nil {
		return f
	}
	return w
}

func appendSQLiteRow(dst []byte, stmt *sqlite.Stmt, at []int, columns []column) ([]byte, error) {
	for i := range columns {
		c := &columns[i]
		dst = append(dst, c.prefix...)
		var ok bool
		if dst, ok = appendSQLiteValue(dst, stmt, at[i], c.typ); !ok {
			return dst, notAnswerable(c, "value")
		}
	}
	return append(dst, '}'), nil
}

func notAnswerable(c *column, what string) *Error {
	return &Error{Kind: NotAnswerable, Parameter: c.name, Err: fmt.Errorf("a %s does not convert to %s", what, c.typ)}
}

// appendSQLiteValue appends the row's value in column i as the declared type.
func appendSQLiteValue(dst []byte, stmt *sqlite.Stmt, i int, t service.ParameterType) ([]byte, bool) {
	class := stmt.Type(i)
	if class == sqlite.Null {
		return append(dst, "null"...), true
	}
	switch t {
	case service.TypeString:
		switch class {
		case sqlite.Integer:
			dst = strconv.AppendInt(append(dst, '"'), stmt.Int(i), 10)
			return append(dst, '"'), true
		case sqlite.Float:
			return appendFloatString(dst, stmt.Float(i)), true
		case sqlite.Blob:
			return appendBase64(dst, stmt.Blob(i)), true
		}
		return appendString(dst, stmt.Text(i)), true
	case service.TypeInt, service.TypeLong, service.TypeFloat, service.TypeDouble, service.TypeBoolean:
		switch class {
		case sqlite.Integer:
			return appendInteger(dst, stmt.Int(i), t)
		case sqlite.Float:
			return appendReal(dst, stmt.Float(i), t)
		case sqlite.Text:
			return appendText(dst, stmt.Text(i), t)
		}
		return dst, false
	default:
		element, _ := t.Element()
		if class != sqlite.Text {
			return dst, false
		}
		return appendJSONList(dst, stmt.Text(i), element)
	}
}

// appendFloatString appends a real number as a JSON string that tells it from an
// integer: with a fraction or an exponent, or as SQLite prints infinities.
func appendFloatString(dst []byte, f float64) []byte {
	switch {
	case math.IsInf(f, 1):
		return append(dst, `"Inf"`...)
	case math.IsInf(f, -1):
		return append(dst, `"-Inf"`...)
	}
	dst = append(dst, '"')
	start := len(dst)
	dst = formatFloat(dst, f, 64)
	for _, c := range dst[start:] {
		if c < '0' && c != '-' || c > '9' {
			return append(dst, '"')
		}
	}
	return append(dst, '.', '0', '"')
}

// appendInteger appends an integer as a value of a type that is neither STRING nor a list.
func appendInteger(dst []byte, n int64, t service.ParameterType) ([]byte, bool) {
	switch t {
	case service.TypeBoolean:
		switch n {
		case 0:
			return append(dst, "false"...), true
		case 1:
			return append(dst, "true"...), true
		}
		return dst, false
	case service.TypeInt:
		if n != int64(int32(n)) {
			return dst, false
		}
	}
	return strconv.AppendInt(dst, n, 10), true
}

// appendReal appends a real number as a value of a type that is neither STRING nor a list.
func appendReal(dst []byte, f float64, t service.ParameterType) ([]byte, bool) {
	switch t {
	case service.TypeFloat, service.TypeDouble:
		return appendFloat(dst, f)
	default:
		// 2^63 itself is out of range, and -2^63 is not.
		n := int64(f)
		if f < -(1<<63) || f >= 1<<63 || float64(n) != f {
			return dst, false
		}
		return appendInteger(dst, n, t)
	}
}
