// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/query"
)

const (
	// connectTimeout bounds the making of one session.
	connectTimeout = 10 * time.Second
	// cancelTimeout bounds the sending of a cancel request.
	cancelTimeout = 5 * time.Second
	// maxPostgresMessage bounds one message of the server, and so one row, in bytes.
	maxPostgresMessage = 64 << 20
	// maxPostgresStatements bounds the prepared statements of one session.
	maxPostgresStatements = 256
)

// startupParameters are the settings of every session. They are set as the session
// starts, where they outrank those of the role and of the database: how values are
// written must not depend on either.
func startupParameters() map[string]string {
	return map[string]string{
		"application_name":            "dataservice",
		"client_encoding":             "UTF8",
		"DateStyle":                   "ISO, MDY",
		"IntervalStyle":               "iso_8601",
		"TimeZone":                    "UTC",
		"extra_float_digits":          "3",
		"bytea_output":                "hex",
		"standard_conforming_strings": "on",
		"array_nulls":                 "on",
		"transform_null_equals":       "off",
		// Each call says READ ONLY itself; this is for the day that one forgets to.
		"default_transaction_read_only": "on",
		// A call ends by its context. This ends what a killed service left behind.
		"statement_timeout":                   strconv.Itoa(service.MaxTimeoutMS + 5000),
		"idle_in_transaction_session_timeout": "60000",
	}
}

// postgresSource is a PostgreSQL database.
type postgresSource struct {
	connection service.Connection
	config     *pgconn.Config
	maxBytes   int
	logger     *slog.Logger
	sessions   *pool[*pgSession]
	// rest is the timer by which idle sessions rest; restless says that it runs.
	rest     *time.Timer
	restless atomic.Bool
}

func newPostgres(c service.Connection, o Options) (*postgresSource, error) {
	// Only ParseConfig makes a Config. It reads the environment of the service too,
	// which has no say in users' connections, so every field is set again.
	config, err := pgconn.ParseConfig("host=localhost port=5432 user=nobody password=none dbname=none sslmode=disable target_session_attrs=any connect_timeout=10")
	if err != nil {
		return nil, connectionFailed("", err, "A PG… environment variable of the service is in the way of PostgreSQL connections: unset PGSERVICE and the like and start it again.")
	}
	guard := newGuard(c, o)
	config.Host, config.Port = c.Host, uint16(c.Port)
	config.Database, config.User, config.Password = c.Database, c.Username, c.Password.Reveal()
	config.TLSConfig, config.Fallbacks = tlsOf(c), nil
	if c.SSLMode == service.SSLPrefer {
		config.Fallbacks = []*pgconn.FallbackConfig{{Host: config.Host, Port: config.Port}}
	}
	config.SSLNegotiation = "postgres"
	config.ConnectTimeout = connectTimeout
	config.RuntimeParams = startupParameters()
	config.MaxProtocolMessageBodyLen = maxPostgresMessage
	config.ValidateConnect, config.AfterConnect = nil, nil
	config.LookupFunc = net.DefaultResolver.LookupHost
	config.DialFunc = guard.dial
	s := &postgresSource{connection: c, config: config, maxBytes: o.MaxAnswerBytes, logger: o.Logger}
	s.sessions = newPool(o.serverSessions(), o.WaitLimit, s.open, (*pgSession).close)
	s.rest = time.AfterFunc(time.Hour, s.restIdle)
	s.rest.Stop()
	return s, nil
}

// tlsOf returns the TLS configuration of the connection's first attempt.
func tlsOf(c service.Connection) *tls.Config {
	switch c.SSLMode {
	case service.SSLDisable:
		return nil
	case service.SSLVerifyFull:
		return &tls.Config{ServerName: c.Host, MinVersion: tls.VersionTLS12}
	default:
		// As with libpq, these modes encrypt and do not authenticate.
		return &tls.Config{ServerName: c.Host, InsecureSkipVerify: true, MinVersion: tls.VersionTLS12} //nolint:gosec // The user chose the mode.
	}
}

func (s *postgresSource) close() {
	s.rest.Stop()
	s.sessions.shut()
}

func (s *postgresSource) orphan() { s.sessions.orphan() }

func (s *postgresSource) sweep(now time.Time, idle time.Duration) int {
	return s.sessions.sweep(now, idle)
}

func (s *postgresSource) open(ctx context.Context) (*pgSession, error) {
	pg, err := pgconn.ConnectConfig(ctx, s.config)
	if err != nil {
		return nil, s.connectFailure(err)
	}
	session := newPGSession(pg)
	if err := s.admit(ctx, pg); err != nil {
		session.close()
		return nil, err
	}
	return session, nil
}

// powerfulRole finds a role that the session's user is, or can become, and that is
// more than a reader: a superuser, one that replicates, and so can take a copy of
// every database of the server, or one that reaches the server's files.
const powerfulRole = `SELECT r.rolname, r.rolsuper, r.rolreplication
FROM pg_catalog.pg_roles r
WHERE (r.rolsuper OR r.rolreplication OR r.rolname IN ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program'))
	AND pg_catalog.pg_has_role(session_user, r.oid, 'MEMBER')
ORDER BY r.rolname <> session_user, r.rolsuper DESC LIMIT 1`

// admit refuses roles that are more than readers.
func (s *postgresSource) admit(ctx context.Context, pg *pgconn.PgConn) error {
	if s.connection.AllowSuperuser {
		return nil
	}
	result := pg.ExecParams(ctx, powerfulRole, nil, nil, nil, nil).Read()
	if result.Err != nil {
		return s.connectFailure(result.Err)
	}
	if len(result.Rows) == 0 {
		return nil
	}
	role, rights := string(result.Rows[0][0]), "the right to read or write the server's files"
	switch {
	case string(result.Rows[0][1]) == "t":
		rights = "superuser rights"
	case string(result.Rows[0][2]) == "t":
		rights = "the right to replicate the server's databases"
	}
	if role == s.connection.Username {
		return connectionFailed("/username", nil, "The role %q has %s: use a role that can only read, or set allow_superuser if it must be this one.", role, rights)
	}
	return connectionFailed("/username", nil, "The role %q is a member of %q and so has %s: use a role that can only read, or set allow_superuser if it must be this one.", s.connection.Username, role, rights)
}

// connectFailure turns an error of connecting into a sentence that names the field to change.
func (s *postgresSource) connectFailure(err error) error {
	var own *service.Error
	if errors.As(err, &own) {
		return own
	}
	c := s.connection
	address := net.JoinHostPort(c.Host, strconv.Itoa(c.Port))
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code {
		case "28P01":
			return connectionFailed("/password", err, "The server at %s refuses the password of the role %q: correct the password.", address, c.Username)
		case "28000":
			return connectionFailed("/username", err, "The server at %s does not let the role %q in: %s.", address, c.Username, pg.Message)
		case "3D000":
			return connectionFailed("/database", err, "The server at %s has no database %q: correct the name.", address, c.Database)
		case "42501":
			return connectionFailed("/username", err, "The role %q may not connect to the database %q: grant it CONNECT.", c.Username, c.Database)
		case "53300":
			return connectionFailed("", err, "The server at %s has no connection left: raise max_connections, or try again later.", address)
		default:
			return connectionFailed("", err, "The server at %s refuses the connection: %s.", address, pg.Message)
		}
	}
	if failure := networkFailure(c, address, err); failure != nil {
		return failure
	}
	if tlsRefused(err) && c.SSLMode != service.SSLDisable && c.SSLMode != service.SSLPrefer {
		return connectionFailed("/ssl_mode", err, "The server at %s does not do TLS: set it up there, or choose another ssl_mode.", address)
	}
	if tlsRefused(err) {
		return connectionFailed("", err, "What answers at %s does not talk like PostgreSQL: check host and port.", address)
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return connectionFailed("/host", err, "The server at %s is not reached (%v): check host and port, and that it runs.", address, op.Err)
	}
	return connectionFailed("", err, "The connection to %s failed: %v.", address, err)
}

// tlsRefused reports whether an attempt ended with the server's No to TLS, which
// pgconn has no exported error for.
func tlsRefused(err error) bool {
	return strings.Contains(err.Error(), "server refused TLS connection")
}

func (s *postgresSource) check(ctx context.Context) error {
	session, err := s.open(ctx)
	if err != nil {
		return err
	}
	session.close()
	return nil
}

func (s *postgresSource) validate(ctx context.Context, p *Plan, d service.Definition) error {
	l, err := s.sessions.acquire(ctx)
	if err != nil {
		return acquireFailure(err)
	}
	samples := p.query.Samples(maxSamples)
	if err = l.session.ping(ctx); err != nil && !l.fresh && l.session.pg.IsClosed() && ctx.Err() == nil {
		// The idle session had died, and so probably have the others.
		s.sessions.release(l, false)
		s.sessions.flush()
		if l, err = s.sessions.acquire(ctx); err != nil {
			return acquireFailure(err)
		}
	}
	defer func() { s.sessions.release(l, !l.session.pg.IsClosed()) }()
	var v service.Invalid
	if d.Wizard != nil {
		c, err := pgCatalog(ctx, l.session.pg, d.Wizard.Table)
		if err != nil {
			return acquireFailure(err)
		}
		if checkWizard(&v, d, c); v.Err("The API") != nil {
			return v.Err("The API")
		}
	}
	for _, sample := range samples {
		if err := s.prepares(ctx, &v, l.session, p, d, sample); err != nil {
			return err
		}
		if err := v.Err("The API"); err != nil {
			return err
		}
	}
	return nil
}

// prepares notes what keeps the shape from being prepared and answered.
func (s *postgresSource) prepares(ctx context.Context, v *service.Invalid, session *pgSession, p *Plan, d service.Definition, sample *query.Shape) error {
	description, err := session.pg.Prepare(ctx, "", sample.Text, nil)
	if err != nil {
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || unavailable(pg.Code) {
			return acquireFailure(err)
		}
		invalidSQL(v, d, sample, pgMessage(pg), byteOffset(sample.Text, int(pg.Position)))
		return nil
	}
	names := make([]string, len(description.Fields))
	types := map[string]uint32{}
	for i, f := range description.Fields {
		names[i] = f.Name
		types[f.Name] = f.DataTypeOID
	}
	p.tell(names, func(i int) service.ParameterType { return pgDeclared(description.Fields[i].DataTypeOID) })
	checkColumns(v, d, names)
	for _, c := range columnsOf(d) {
		if oid, known := types[c.name]; known && encoderOf(c.typ, oid) == nil {
			v.Addf(service.Pointer("response_parameters", c.name, "type"), "The column %q is %s, which does not convert to %s.", c.name, typeName(oid), c.typ)
		}
	}
	checkParameterTypes(v, d, sample, description.ParamOIDs)
	if p.paged {
		sh := p.newShape(sample)
		texts := []string{sh.rows.text}
		if p.counts() {
			texts = []string{sh.count.text, sh.rows.text}
		}
		for _, text := range texts {
			if _, err := session.pg.Prepare(ctx, "", text, nil); err != nil {
				notPaged(v, d, err)
				break
			}
		}
	}
	return nil
}

// The table that a wizard names as the server resolves it, with its columns; and where
// there is none, what else there is to name.
const (
	pgColumns = `SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), t.typcategory = 'S'
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE c.relname = $1 AND c.relkind IN ('r', 'v', 'm', 'f', 'p')
	AND CASE WHEN $2::text = '' THEN pg_catalog.pg_table_is_visible(c.oid) ELSE n.nspname = $2::text END
ORDER BY a.attnum`
	pgTables = `SELECT c.relname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p')
	AND CASE WHEN $1::text = '' THEN pg_catalog.pg_table_is_visible(c.oid) AND n.nspname NOT IN ('pg_catalog', 'information_schema') ELSE n.nspname = $1::text END
ORDER BY c.relname LIMIT 1000`
)

// pgCatalog looks for the table or view: in its schema, or along the search_path.
func pgCatalog(ctx context.Context, pg *pgconn.PgConn, table string) (catalog, error) {
	var c catalog
	schema, name, _ := query.SplitTable(table)
	result := pg.ExecParams(ctx, pgColumns, [][]byte{[]byte(name), []byte(schema)}, nil, nil, nil).Read()
	if result.Err != nil {
		return c, result.Err
	}
	for _, row := range result.Rows {
		c.columns = append(c.columns, tableColumn{name: string(row[0]), typ: string(row[1]), like: string(row[2]) == "t"})
	}
	if len(c.columns) > 0 {
		return c, nil
	}
	result = pg.ExecParams(ctx, pgTables, [][]byte{[]byte(schema)}, nil, nil, nil).Read()
	for _, row := range result.Rows {
		table := string(row[0])
		if schema != "" {
			table = schema + "." + table
		}
		c.tables = append(c.tables, table)
	}
	return c, result.Err
}

// pgMessage is what the server says, with its hint.
func pgMessage(e *pgconn.PgError) string {
	message := e.Message
	for _, more := range []string{e.Detail, e.Hint} {
		if more != "" {
			message += "; " + more
		}
	}
	return strings.TrimSuffix(message, ".")
}

// byteOffset turns the server's position, which counts characters from 1, into a
// byte offset; -1 where there is none.
func byteOffset(text string, position int) int {
	if position < 1 {
		return -1
	}
	n := 0
	for i := range text {
		if n++; n == position {
			return i
		}
	}
	return len(text)
}

// checkParameterTypes notes parameters whose every value the database would refuse
// where the script puts them.
func checkParameterTypes(v *service.Invalid, d service.Definition, sample *query.Shape, oids []uint32) {
	for i, m := range sample.Markers {
		if i >= len(oids) {
			return
		}
		if m.Parameter == "" || acceptsParameter(m.Type, oids[i]) {
			continue
		}
		pointer := service.Pointer("request_parameters", m.Parameter, "type")
		if d.Wizard != nil {
			column := d.RequestParameters[m.Parameter].ColumnFor(m.Parameter)
			v.Addf(pointer, "%s is %s, but the column %q, which it is compared with, is %s: declare it as another type, such as STRING.", m.Parameter, m.Type, column, typeName(elementType(oids[i])))
			continue
		}
		if m.Type != d.RequestParameters[m.Parameter].Type {
			v.Addf(pointer, "The elements of %s are %s, but the SQL uses one as %s: declare it as STRING_LIST, or cast it.", m.Parameter, m.Type, typeName(oids[i]))
			continue
		}
		if _, list := m.Type.Element(); list {
			v.Addf(pointer, "%s is a %s, but the SQL uses ${%s} as %s: write a list as IN (${%s}), or cast it to an array.", m.Parameter, m.Type, m.Parameter, typeName(oids[i]), m.Parameter)
			continue
		}
		v.Addf(pointer, "%s is %s, but the SQL uses ${%s} as %s: declare it as STRING, or cast it.", m.Parameter, m.Type, m.Parameter, typeName(oids[i]))
	}
}

// statementFailure says what kind of failure an error of the server is. bound says
// whether the statement's values had been accepted.
func statementFailure(ctx context.Context, p *Plan, st *statement, e *pgconn.PgError, bound bool) *Error {
	switch {
	case e.Code == "57014":
		return &Error{Kind: Timeout, Err: e}
	case ctx.Err() != nil:
		return &Error{Kind: Timeout, Err: e}
	case unavailable(e.Code):
		return &Error{Kind: Unavailable, Err: e}
	case !bound && len(st.markers) > 0 && refusesValue(e.Code):
		return &Error{Kind: BadValue, Parameter: refusedParameter(p, st, e), Err: e}
	case e.Code == "22025" && len(p.parameters) > 0:
		// A pattern of LIKE that ends with a backslash.
		return &Error{Kind: BadValue, Parameter: onlyParameter(p), Err: e}
	case e.Code == "2201W" || e.Code == "2201X":
		// A negative LIMIT or OFFSET.
		if len(p.parameters) > 0 {
			return &Error{Kind: BadValue, Parameter: onlyParameter(p), Err: e}
		}
	}
	return &Error{Kind: Failed, Err: e}
}

// refusesValue reports whether the SQLSTATE, met while values were bound, is about one
// of them. A division by zero is about what the script does with it.
func refusesValue(code string) bool {
	return len(code) == 5 && (code[:2] == "22" || code[:2] == "23") && code != "22012"
}

// refusedParameter names the parameter whose value the server did not take: it tells
// the number of the marker in the error's context.
func refusedParameter(p *Plan, st *statement, e *pgconn.PgError) string {
	var n int
	for i := 0; i+2 < len(e.Where); i++ {
		if e.Where[i] == '$' {
			if _, err := fmt.Sscanf(e.Where[i:], "$%d", &n); err == nil && n >= 1 && n <= len(st.markers) {
				return st.markers[n-1].Parameter
			}
			break
		}
	}
	return onlyParameter(p)
}

// unavailable reports whether the SQLSTATE says that the server cannot serve now.
func unavailable(code string) bool {
	switch code {
	case "57P01", "57P02", "57P03", "57P05":
		return true
	}
	return len(code) == 5 && (code[:2] == "08" || code[:2] == "53")
}
