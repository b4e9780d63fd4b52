// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

const (
	// maxMySQLRow bounds one row, in bytes as they are sent, and what is sent to the server.
	maxMySQLRow = 64 << 20
	// maxMySQLStatements bounds the prepared statements of one session. The server
	// bounds those of all sessions together, to 16382 by default.
	maxMySQLStatements = 128
)

// mysqlSource is a MySQL or MariaDB database.
type mysqlSource struct {
	connection service.Connection
	config     *mysql.Config
	maxBytes   int
	idle       time.Duration
	logger     *slog.Logger
	sessions   *pool[*mysqlSession]
	// renewing says that idle sessions will be renewed shortly.
	renewing atomic.Bool
}

func newMySQL(c service.Connection, o Options) *mysqlSource {
	config := mysql.NewConfig()
	config.User, config.Passwd, config.DBName = c.Username, c.Password.Reveal(), c.Database
	config.Net, config.Addr = "tcp", net.JoinHostPort(c.Host, strconv.Itoa(c.Port))
	config.TLS = tlsOf(c)
	config.AllowFallbackToPlaintext = c.SSLMode == service.SSLPrefer
	config.MaxAllowedPacket = maxMySQLRow
	config.ConnectionAttributes = "program_name:dataservice"
	config.Logger = &mysql.NopLogger{}
	guard := newGuard(c, o)
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := guard.dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		wire := &mysqlWire{Conn: conn, most: maxMySQLRow, cap: maxMySQLRow}
		if dialled, ok := ctx.Value(dialledKey{}).(*dialled); ok {
			dialled.wire = wire
		}
		return wire, nil
	}
	s := &mysqlSource{connection: c, config: config, maxBytes: o.MaxAnswerBytes, idle: o.IdleTimeout, logger: o.Logger}
	s.sessions = newPool(o.serverSessions(), o.WaitLimit, s.open, (*mysqlSession).close)
	return s
}

// dialled takes what was dialled for a session, which the driver keeps to itself.
type (
	dialled    struct{ wire *mysqlWire }
	dialledKey struct{}
)

// mysqlWire bounds how much is read: the driver takes a row of any length.
type mysqlWire struct {
	net.Conn
	// read counts bytes; from more than most on there are no others.
	read, most int
	// cap is the most of one row.
	cap int
	// over says that there were more.
	over bool
}

var errWireLimit = errors.New("the server sends more than is read")

func (w *mysqlWire) Read(b []byte) (int, error) {
	if w.read > w.most {
		w.over = true
		return 0, errWireLimit
	}
	// One byte more tells that there is more.
	n, err := w.Conn.Read(b[:min(len(b), w.most-w.read+1)])
	w.read += n
	return n, err
}

// allow lets so many more bytes be read.
func (w *mysqlWire) allow(most int) { w.read, w.most, w.over = 0, most, false }

func (s *mysqlSource) close() { s.sessions.shut() }

func (s *mysqlSource) orphan() { s.sessions.orphan() }

func (s *mysqlSource) sweep(now time.Time, idle time.Duration) int {
	return s.sessions.sweep(now, idle)
}

// connect makes a connection that nothing was done with.
func (s *mysqlSource) connect(ctx context.Context) (driver.Conn, *mysqlWire, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	// One connector is for one connection: it changes its own configuration where a
	// server has no TLS.
	connector, err := mysql.NewConnector(s.config)
	if err != nil {
		return nil, nil, s.connectFailure(err)
	}
	var d dialled
	conn, err := connector.Connect(context.WithValue(ctx, dialledKey{}, &d))
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, nil, s.connectFailure(err)
	}
	return conn, d.wire, nil
}

func (s *mysqlSource) open(ctx context.Context) (*mysqlSession, error) {
	conn, wire, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	session := newMySQLSession(conn, wire)
	stop := context.AfterFunc(ctx, session.expire)
	if err := s.enter(session); err != nil {
		stop()
		session.close()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, s.connectFailure(err)
	}
	if !stop() {
		session.close()
		return nil, s.connectFailure(context.Cause(ctx))
	}
	return session, nil
}

// enter learns what the server is, makes the session read-only, and refuses accounts
// that are more than readers.
func (s *mysqlSource) enter(session *mysqlSession) error {
	rows, err := session.table("SELECT CONNECTION_ID(), VERSION(), CURRENT_USER()")
	if err != nil {
		return err
	}
	if len(rows) != 1 || len(rows[0]) != 3 {
		return errProtocol
	}
	if session.id, err = strconv.ParseUint(rows[0][0], 10, 64); err != nil {
		return errProtocol
	}
	session.server = mysqlServerOf(rows[0][1])
	if !session.server.known() {
		return connectionFailed("/host", nil, "The server at %s is of version %q: use MySQL 5.7.20 or later, or MariaDB 10.5.2 or later.", s.config.Addr, rows[0][1])
	}
	session.prepareFrame(s.idle, true)
	err = session.renew()
	var refused *mysql.MySQLError
	if errors.As(err, &refused) {
		session.prepareFrame(s.idle, false)
		err = session.renew()
	}
	if err != nil || s.connection.AllowSuperuser {
		return err
	}
	// How the server quotes names in what it answers here follows from the settings.
	return s.admit(session)
}

// mysqlServer is which of the two servers it is, and of what version.
type mysqlServer struct {
	maria               bool
	major, minor, patch int
}

// mysqlServerOf reads what VERSION() answers, such as 8.0.36 or 10.11.6-MariaDB-log.
func mysqlServerOf(version string) mysqlServer {
	s := mysqlServer{maria: strings.Contains(strings.ToLower(version), "mariadb")}
	_, _ = fmt.Sscanf(version, "%d.%d.%d", &s.major, &s.minor, &s.patch)
	return s
}

// known reports whether the server has what sessions need: READ ONLY transactions,
// RELEASE_ALL_LOCKS and a time limit for statements.
func (s mysqlServer) known() bool {
	least := [3]int{5, 7, 20}
	if s.maria {
		least = [3]int{10, 5, 2}
	}
	for i, n := range [3]int{s.major, s.minor, s.patch} {
		if n != least[i] {
			return n > least[i]
		}
	}
	return true
}

// connectFailure turns an error of connecting into a sentence that names the field to change.
func (s *mysqlSource) connectFailure(err error) error {
	var own *service.Error
	if errors.As(err, &own) {
		return own
	}
	c, address := s.connection, s.config.Addr
	var refused *mysql.MySQLError
	if errors.As(err, &refused) {
		message := strings.TrimSuffix(refused.Message, ".")
		switch refused.Number {
		case 1045, 1698: // access denied
			return connectionFailed("/password", err, "The server at %s refuses the user %q with this password: correct the password, or let the user in from the service's address.", address, c.Username)
		case 1044: // no right to the database
			return connectionFailed("/username", err, "The user %q may not use the database %q: grant it SELECT there.", c.Username, c.Database)
		case 1049:
			return connectionFailed("/database", err, "The server at %s has no database %q: correct the name.", address, c.Database)
		case 1130, 1129: // host not allowed, host blocked
			return connectionFailed("/host", err, "The server at %s does not let the service's host in: %s.", address, message)
		case 1040, 1203, 1226:
			return connectionFailed("", err, "The server at %s has no connection left (%s): raise the limit, or try again later.", address, message)
		case 1820, 1862, 4151: // the password expired, the account is locked
			return connectionFailed("/password", err, "The server at %s does not let the user %q in: %s.", address, c.Username, message)
		case 3118:
			return connectionFailed("/username", err, "The server at %s does not let the user %q in: %s.", address, c.Username, message)
		case 3159:
			return connectionFailed("/ssl_mode", err, "The server at %s demands TLS: choose another ssl_mode.", address)
		default:
			return connectionFailed("", err, "The server at %s refuses the connection: %s.", address, message)
		}
	}
	if failure := networkFailure(c, address, err); failure != nil {
		return failure
	}
	switch {
	case errors.Is(err, mysql.ErrNoTLS):
		return connectionFailed("/ssl_mode", err, "The server at %s does not do TLS: set it up there, or choose another ssl_mode.", address)
	case errors.Is(err, mysql.ErrCleartextPassword), errors.Is(err, mysql.ErrOldPassword), errors.Is(err, mysql.ErrUnknownPlugin):
		return connectionFailed("/username", err, "The server at %s asks the user %q for its password in a way that the service does not take: let it log in with caching_sha2_password, ed25519 or mysql_native_password.", address, c.Username)
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return connectionFailed("/host", err, "The server at %s is not reached (%v): check host and port, and that it runs.", address, op.Err)
	}
	if noMySQL(err) {
		return connectionFailed("", err, "What answers at %s does not talk like MySQL: check host and port.", address)
	}
	return connectionFailed("", err, "The connection to %s failed: %v.", address, err)
}

// noMySQL reports whether what answered made no sense to the driver.
func noMySQL(err error) bool {
	for _, e := range []error{mysql.ErrInvalidConn, mysql.ErrMalformPkt, mysql.ErrPktSync, mysql.ErrPktSyncMul, mysql.ErrOldProtocol, driver.ErrBadConn, errProtocol, io.EOF} {
		if errors.Is(err, e) {
			return true
		}
	}
	return strings.Contains(err.Error(), "unsupported protocol version")
}

func (s *mysqlSource) check(ctx context.Context) error {
	session, err := s.open(ctx)
	if err != nil {
		return err
	}
	session.close()
	return nil
}
