// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/go-sql-driver/mysql"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/query"
)

func (s *mysqlSource) validate(ctx context.Context, p *Plan, d service.Definition) error {
	l, err := s.sessions.acquire(ctx)
	if err != nil {
		return acquireFailure(err)
	}
	stop := context.AfterFunc(ctx, l.session.expire)
	if err := l.session.renew(); err != nil && !l.fresh && ctx.Err() == nil {
		// The idle session had died, and so probably have the others.
		stop()
		s.sessions.release(l, false)
		s.sessions.flush()
		if l, err = s.sessions.acquire(ctx); err != nil {
			return acquireFailure(err)
		}
		stop = context.AfterFunc(ctx, l.session.expire)
	}
	// The session is not used again where a sample failed: it may be in no transaction.
	usable := false
	defer func() {
		switch stopped := stop(); {
		case ctx.Err() != nil:
			go s.abandon(l)
		default:
			s.sessions.release(l, stopped && usable)
			s.renewSoon()
		}
	}()
	l.session.used = true
	var v service.Invalid
	if d.Wizard != nil {
		c, err := l.session.catalog(d.Wizard.Table)
		if err != nil {
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			return acquireFailure(err)
		}
		if checkWizard(&v, d, c); v.Err("The API") != nil {
			return v.Err("The API")
		}
	}
	for _, sample := range p.query.Samples(maxSamples) {
		if err := l.session.prepares(ctx, &v, p, d, sample); err != nil {
			return err
		}
		if err := v.Err("The API"); err != nil {
			return err
		}
	}
	usable = true
	return nil
}

// prepares notes what keeps the shape from being prepared and answered.
func (s *mysqlSession) prepares(ctx context.Context, v *service.Invalid, p *Plan, d service.Definition, sample *query.Shape) error {
	refused, err := s.prepare(ctx, sample.Text)
	if err != nil {
		return err
	}
	if refused != nil {
		invalidSQL(v, d, sample, mysqlMessage(refused), mysqlOffset(sample.Text, refused))
		return nil
	}
	names, types, refused, err := s.describe(ctx, sample.Text)
	if err != nil {
		return err
	}
	if refused != nil {
		invalidSQL(v, d, sample, mysqlMessage(refused), -1)
		return nil
	}
	p.tell(names, func(i int) service.ParameterType { return mysqlDeclared(types[i]) })
	checkColumns(v, d, names)
	for _, c := range columnsOf(d) {
		for i, name := range names {
			if name == c.name && mysqlEncoderOf(c.typ, types[i]) == nil {
				v.Addf(service.Pointer("response_parameters", c.name, "type"), "The column %q is %s, which does not convert to %s.", c.name, mysqlTypeName(types[i]), c.typ)
				break
			}
		}
	}
	if p.paged {
		sh := p.newShape(sample)
		texts := []string{sh.rows.text}
		if p.counts() {
			texts = []string{sh.count.text, sh.rows.text}
		}
		for _, text := range texts {
			refused, err := s.prepare(ctx, text)
			if err != nil {
				return err
			}
			if refused != nil {
				notPaged(v, d, refused)
				break
			}
		}
	}
	return nil
}

// The table that a wizard names, with its columns; and where there is none, what else
// there is to name. Whether names of tables have a case depends on the server.
const (
	mysqlColumns = `SELECT column_name, column_type FROM information_schema.columns
WHERE table_schema = CASE WHEN ? = '' THEN database() ELSE ? END
	AND (CAST(table_name AS BINARY) = CAST(? AS BINARY) OR @@lower_case_table_names > 0 AND lower(table_name) = lower(?))
ORDER BY ordinal_position`
	mysqlTables = `SELECT table_name FROM information_schema.tables
WHERE table_schema = CASE WHEN ? = '' THEN database() ELSE ? END
ORDER BY table_name LIMIT 1000`
)

// catalog looks for the table or view, which is in the connection's database where no
// other is named. LIKE compares every type, as text.
func (s *mysqlSession) catalog(table string) (catalog, error) {
	var c catalog
	schema, name, _ := query.SplitTable(table)
	rows, err := s.table(mysqlColumns, schema, schema, name, name)
	if err != nil {
		return c, err
	}
	for _, row := range rows {
		c.columns = append(c.columns, tableColumn{name: row[0], typ: row[1], like: true})
	}
	if len(c.columns) > 0 {
		return c, nil
	}
	rows, err = s.table(mysqlTables, schema, schema)
	for _, row := range rows {
		table := row[0]
		if schema != "" {
			table = schema + "." + table
		}
		c.tables = append(c.tables, table)
	}
	return c, err
}

// prepare tells what the server has against the statement.
func (s *mysqlSession) prepare(ctx context.Context, text string) (*mysql.MySQLError, error) {
	s.wire.allow(s.wire.cap)
	stmt, err := s.conn.Prepare(text)
	if err != nil {
		return s.refusal(ctx, err)
	}
	return nil, stmt.Close()
}

// refusal tells what the server says of a statement from what keeps it from saying so.
func (s *mysqlSession) refusal(ctx context.Context, err error) (*mysql.MySQLError, error) {
	var refused *mysql.MySQLError
	if ctx.Err() != nil || !errors.As(err, &refused) || mysqlLost(refused.Number) {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, acquireFailure(err)
	}
	return refused, nil
}

// describe returns the names and types of the columns. MySQL tells them with a result
// alone, so the query is asked for none of its rows: by a LIMIT of 0 behind it or,
// where it has an end of its own, around it.
func (s *mysqlSession) describe(ctx context.Context, text string) (names, types []string, refused *mysql.MySQLError, err error) {
	for _, without := range []string{text + " LIMIT 0", "SELECT * FROM (" + text + ") AS dataservice_rows LIMIT 0"} {
		names, types, err = s.columns(without)
		if err == nil {
			return names, types, nil, nil
		}
		if refused, err = s.refusal(ctx, err); err != nil {
			return nil, nil, nil, err
		}
		if refused.Number != 1064 {
			break
		}
	}
	return nil, nil, refused, nil
}

func (s *mysqlSession) columns(text string) (names, types []string, err error) {
	s.wire.allow(s.wire.cap)
	stmt, err := s.conn.Prepare(text)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, stmt.Close()) }()
	rows, err := stmt.Query(make([]driver.Value, stmt.NumInput())) //nolint:staticcheck // The session's reading ends with the context.
	if err != nil {
		return nil, nil, err
	}
	names = rows.Columns()
	types = make([]string, len(names))
	if typed, ok := rows.(driver.RowsColumnTypeDatabaseTypeName); ok {
		for i := range names {
			types[i] = typed.ColumnTypeDatabaseTypeName(i)
		}
	}
	return names, types, rows.Close()
}
