// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package sqlite is a thin binding to SQLite's C interface as modernc.org/sqlite
// translates it to Go. The driver for database/sql costs an allocation per value, a
// goroutine per query and a conversion of columns that look like times; the gateway
// wants a row's bytes where SQLite has them.
//
// A [Conn] and its statements are used by one goroutine at a time, but for
// [Conn.Interrupt]. All unsafe code of the data sources is in this package.
package sqlite

import (
	"errors"
	"strings"
	"unsafe"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
	_ "modernc.org/sqlite" // Sets the library up the same way for everybody in the process.
	lib "modernc.org/sqlite/lib"
)

// Limits, settings and result codes that users of this package need.
const (
	LimitLength        = lib.SQLITE_LIMIT_LENGTH
	LimitSQLLength     = lib.SQLITE_LIMIT_SQL_LENGTH
	LimitAttached      = lib.SQLITE_LIMIT_ATTACHED
	LimitLikePattern   = lib.SQLITE_LIMIT_LIKE_PATTERN_LENGTH
	LimitWorkerThreads = lib.SQLITE_LIMIT_WORKER_THREADS

	ConfigDefensive     = lib.SQLITE_DBCONFIG_DEFENSIVE
	ConfigTrustedSchema = lib.SQLITE_DBCONFIG_TRUSTED_SCHEMA
	ConfigQuotedStrings = lib.SQLITE_DBCONFIG_DQS_DML

	Busy      = lib.SQLITE_BUSY
	CantOpen  = lib.SQLITE_CANTOPEN
	Interrupt = lib.SQLITE_INTERRUPT
	Mismatch  = lib.SQLITE_MISMATCH
	NotADB    = lib.SQLITE_NOTADB
)

// Type is the storage class of a value.
type Type int32

// The storage classes.
const (
	Integer Type = lib.SQLITE_INTEGER
	Float   Type = lib.SQLITE_FLOAT
	Text    Type = lib.SQLITE_TEXT
	Blob    Type = lib.SQLITE_BLOB
	Null    Type = lib.SQLITE_NULL
)

// Error is a failure that SQLite reports.
type Error struct {
	// Code is the primary result code.
	Code    int32
	Message string
	// Offset is the byte of the SQL that the error is about; -1 where there is none.
	Offset int
}

// Error returns SQLite's message.
func (e *Error) Error() string { return e.Message }

// ResultCode returns the code, for who cannot name this package's types.
func (e *Error) ResultCode() int32 { return e.Code }

// IsCode reports whether err is an [Error] with that primary result code.
func IsCode(err error, code int32) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}

// Conn is an open database.
type Conn struct {
	tls *libc.TLS
	db  uintptr
	// out is memory for results that SQLite writes to a pointer.
	out uintptr
	// arena holds the texts that are bound, used of arenaSize bytes; larger ones have
	// memory of their own. All of it is free again after [Stmt.Reset].
	arena uintptr
	used  int
	large []uintptr
}

const (
	arenaSize = 4 << 10
	wordSize  = 8
)

// OpenReadOnly opens an existing database file for reading. The path must not lead
// over a symbolic link.
func OpenReadOnly(path string) (*Conn, error) {
	c := &Conn{tls: libc.NewTLS()}
	c.out = libc.Xmalloc(c.tls, 2*wordSize)
	c.arena = libc.Xmalloc(c.tls, arenaSize)
	name, err := libc.CString(path)
	if err != nil || c.out == 0 || c.arena == 0 {
		c.release()
		return nil, errNoMemory
	}
	defer libc.Xfree(c.tls, name)
	const flags = lib.SQLITE_OPEN_READONLY | lib.SQLITE_OPEN_NOMUTEX | lib.SQLITE_OPEN_PRIVATECACHE | lib.SQLITE_OPEN_NOFOLLOW
	rc := lib.Xsqlite3_open_v2(c.tls, name, c.out, flags, 0)
	c.db = *(*uintptr)(pointer(c.out))
	if rc != lib.SQLITE_OK {
		err := c.failure(rc)
		c.Close()
		return nil, err
	}
	return c, nil
}

var errNoMemory = errors.New("out of memory")

// Close closes the database; its statements must be finalized.
func (c *Conn) Close() {
	if c.db != 0 {
		lib.Xsqlite3_close_v2(c.tls, c.db)
		c.db = 0
	}
	c.release()
}

func (c *Conn) release() {
	if c.tls == nil {
		return
	}
	c.forget()
	libc.Xfree(c.tls, c.out)
	libc.Xfree(c.tls, c.arena)
	c.tls.Close()
	c.tls = nil
}

// Limit lowers a limit.
func (c *Conn) Limit(id, value int32) { lib.Xsqlite3_limit(c.tls, c.db, id, value) }

// Config switches a setting of the connection.
func (c *Conn) Config(setting int32, on bool) error {
	value := int32(0)
	if on {
		value = 1
	}
	// Two variadic arguments, 8 bytes each: an int, and a pointer for the answer, which nobody wants.
	if rc := lib.Xsqlite3_db_config(c.tls, c.db, setting, libc.VaList(c.out, value, uintptr(0))); rc != lib.SQLITE_OK {
		return c.failure(rc)
	}
	return nil
}

// HidePath makes PRAGMA database_list, which would tell where the file lies, an error.
func (c *Conn) HidePath() error {
	if rc := lib.Xsqlite3_set_authorizer(c.tls, c.db, *(*uintptr)(unsafe.Pointer(&hidePath)), 0); rc != lib.SQLITE_OK { //nolint:gosec // As a C function's address.
		return c.failure(rc)
	}
	return nil
}

// hidePath points at an authorizer in the form in which the translated library calls
// C functions: as Go keeps a function value. It captures nothing, and is never moved.
var hidePath = func(_ *libc.TLS, _ uintptr, action int32, name, _, _, _ uintptr) int32 {
	if action == lib.SQLITE_PRAGMA && strings.EqualFold(libc.GoString(name), "database_list") {
		return lib.SQLITE_DENY
	}
	return lib.SQLITE_OK
}

// InTransaction reports whether a transaction is open.
func (c *Conn) InTransaction() bool { return lib.Xsqlite3_get_autocommit(c.tls, c.db) == 0 }

// Interrupt makes the statement that runs end with the code Interrupt. It may be
// called from any goroutine, but not after Close.
func (c *Conn) Interrupt() {
	tls := libc.NewTLS()
	defer tls.Close()
	lib.Xsqlite3_interrupt(tls, c.db)
}

// Exec runs a statement without parameters and drops its rows.
func (c *Conn) Exec(sql string) error {
	s, err := c.Prepare(sql)
	if err != nil {
		return err
	}
	defer s.Finalize()
	for {
		row, err := s.Step()
		if err != nil || !row {
			return err
		}
	}
}

func (c *Conn) failure(rc int32) error {
	e := &Error{Code: rc & 0xff, Offset: -1}
	if c.db == 0 {
		e.Message = libc.GoString(lib.Xsqlite3_errstr(c.tls, rc))
		return e
	}
	e.Message = libc.GoString(lib.Xsqlite3_errmsg(c.tls, c.db))
	e.Offset = int(lib.Xsqlite3_error_offset(c.tls, c.db))
	return e
}

// Stmt is a prepared statement.
type Stmt struct {
	c *Conn
	p uintptr
	// repreparations is how often SQLite had prepared it anew when last asked.
	repreparations int32
}

// Prepare prepares one statement; a second one behind it is an error.
func (c *Conn) Prepare(sql string) (*Stmt, error) {
	text, err := libc.CString(sql)
	if err != nil {
		return nil, errNoMemory
	}
	defer libc.Xfree(c.tls, text)
	rc := lib.Xsqlite3_prepare_v3(c.tls, c.db, text, int32(len(sql)+1), lib.SQLITE_PREPARE_PERSISTENT, c.out, c.out+wordSize)
	if rc != lib.SQLITE_OK {
		return nil, c.failure(rc)
	}
	s := &Stmt{c: c, p: *(*uintptr)(pointer(c.out))}
	if s.p == 0 {
		return nil, &Error{Code: lib.SQLITE_MISUSE, Message: "there is no statement", Offset: -1}
	}
	if tail := *(*uintptr)(pointer(c.out + wordSize)); int(tail-text) < len(sql) {
		s.Finalize()
		return nil, &Error{Code: lib.SQLITE_MISUSE, Message: "there is more than one statement", Offset: int(tail - text)}
	}
	return s, nil
}

// Finalize frees the statement.
func (s *Stmt) Finalize() {
	if s.p != 0 {
		lib.Xsqlite3_finalize(s.c.tls, s.p)
		s.p = 0
	}
}

// ReadOnly reports whether the statement cannot change the database.
func (s *Stmt) ReadOnly() bool { return lib.Xsqlite3_stmt_readonly(s.c.tls, s.p) != 0 }

// Columns returns the number of columns of the result.
func (s *Stmt) Columns() int { return int(lib.Xsqlite3_column_count(s.c.tls, s.p)) }

// Declared returns the type that a column, from 0, was declared with in its table; "" where
// it is an expression, or was declared without one.
func (s *Stmt) Declared(i int) string {
	return libc.GoString(lib.Xsqlite3_column_decltype(s.c.tls, s.p, int32(i)))
}

// Name returns the name of a column, from 0.
func (s *Stmt) Name(i int) string {
	return libc.GoString(lib.Xsqlite3_column_name(s.c.tls, s.p, int32(i)))
}

// Reprepared reports whether SQLite had to prepare the statement anew since it was
// last asked, because the schema changed: then its columns may be others.
func (s *Stmt) Reprepared() bool {
	n := lib.Xsqlite3_stmt_status(s.c.tls, s.p, lib.SQLITE_STMTSTATUS_REPREPARE, 0)
	changed := n != s.repreparations
	s.repreparations = n
	return changed
}

// BindNull binds NULL to the marker, from 1.
func (s *Stmt) BindNull(i int) error {
	return s.bound(lib.Xsqlite3_bind_null(s.c.tls, s.p, int32(i)))
}

// BindInt binds an integer.
func (s *Stmt) BindInt(i int, value int64) error {
	return s.bound(lib.Xsqlite3_bind_int64(s.c.tls, s.p, int32(i), value))
}

// BindFloat binds a real number.
func (s *Stmt) BindFloat(i int, value float64) error {
	return s.bound(lib.Xsqlite3_bind_double(s.c.tls, s.p, int32(i), value))
}

// BindText binds a text, of which it makes a copy.
func (s *Stmt) BindText(i int, value string) error {
	p, err := s.c.keep(value)
	if err != nil {
		return err
	}
	// No destructor: the copy lives until Reset.
	return s.bound(lib.Xsqlite3_bind_text(s.c.tls, s.p, int32(i), p, int32(len(value)), 0))
}

func (s *Stmt) bound(rc int32) error {
	if rc != lib.SQLITE_OK {
		return s.c.failure(rc)
	}
	return nil
}

// keep copies a text to memory that SQLite can read.
func (c *Conn) keep(value string) (uintptr, error) {
	n := len(value)
	if c.used+n < arenaSize {
		p := c.arena + uintptr(c.used)
		copy(view(p, n), value)
		// Never the same address twice, so that an empty text has one too.
		c.used += n + 1
		return p, nil
	}
	p := libc.Xmalloc(c.tls, types.Size_t(n+1))
	if p == 0 {
		return 0, errNoMemory
	}
	c.large = append(c.large, p)
	copy(view(p, n), value)
	return p, nil
}

func (c *Conn) forget() {
	c.used = 0
	for _, p := range c.large {
		libc.Xfree(c.tls, p)
	}
	c.large = c.large[:0]
}

// Step goes to the next row; false means that there is none.
func (s *Stmt) Step() (bool, error) {
	switch rc := lib.Xsqlite3_step(s.c.tls, s.p); rc {
	case lib.SQLITE_ROW:
		return true, nil
	case lib.SQLITE_DONE:
		return false, nil
	default:
		return false, s.c.failure(rc)
	}
}

// Reset ends the run and takes the bound values away.
func (s *Stmt) Reset() {
	lib.Xsqlite3_reset(s.c.tls, s.p)
	lib.Xsqlite3_clear_bindings(s.c.tls, s.p)
	s.c.forget()
}

// Type returns the storage class of the row's value in that column, from 0.
func (s *Stmt) Type(i int) Type { return Type(lib.Xsqlite3_column_type(s.c.tls, s.p, int32(i))) }

// Int returns the value as an integer.
func (s *Stmt) Int(i int) int64 { return lib.Xsqlite3_column_int64(s.c.tls, s.p, int32(i)) }

// Float returns the value as a real number.
func (s *Stmt) Float(i int) float64 { return lib.Xsqlite3_column_double(s.c.tls, s.p, int32(i)) }

// Text returns the value as text in UTF-8 where SQLite has it: it is gone after the
// next Step or Reset.
func (s *Stmt) Text(i int) []byte {
	p := lib.Xsqlite3_column_text(s.c.tls, s.p, int32(i))
	return s.bytes(p, i)
}

// Blob returns the bytes of the value where SQLite has them: they are gone after the
// next Step or Reset.
func (s *Stmt) Blob(i int) []byte {
	p := lib.Xsqlite3_column_blob(s.c.tls, s.p, int32(i))
	return s.bytes(p, i)
}

func (s *Stmt) bytes(p uintptr, i int) []byte {
	n := lib.Xsqlite3_column_bytes(s.c.tls, s.p, int32(i))
	if p == 0 || n == 0 {
		return nil
	}
	return view(p, int(n))
}

// pointer turns an address of SQLite's memory, which Go's collector does not manage
// and does not move, into a pointer.
func pointer(p uintptr) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Pointer(&p)) //nolint:gosec // This is the one place where addresses become pointers.
}

// view returns n bytes of SQLite's memory.
func view(p uintptr, n int) []byte {
	return unsafe.Slice((*byte)(pointer(p)), n) //nolint:gosec // SQLite says how long it is.
}
