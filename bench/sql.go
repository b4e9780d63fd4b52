// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// sqliteFile is where our service finds the SQLite database, below its --sqlite-dir.
const sqliteFile = "items.db"

// pageSize is the number of rows of a page.
const pageSize = 100

var itemColumns = map[string]service.ResponseParameter{
	"id": {Type: service.TypeLong}, "name": {Type: service.TypeString}, "category": {Type: service.TypeString},
	"description": {Type: service.TypeString}, "price": {Type: service.TypeDouble},
	"quantity": {Type: service.TypeInt}, "active": {Type: service.TypeBoolean},
}

// rowDefinition reads one row of the table by its id.
func rowDefinition(connectionID string) service.Definition {
	return service.Definition{
		Method: service.MethodGet, AuthType: service.AuthNone, ConnectionID: connectionID,
		Script:             &service.Script{SQL: "SELECT " + strings.Join(columns, ", ") + " FROM items WHERE id = ${id}"},
		RequestParameters:  map[string]service.RequestParameter{"id": {Type: service.TypeLong, Required: true}},
		ResponseParameters: itemColumns,
	}
}

// pageDefinition reads a page of the rows behind an id, without counting all there are.
func pageDefinition(connectionID string) service.Definition {
	d := rowDefinition(connectionID)
	d.Script = &service.Script{
		SQL:   "SELECT " + strings.Join(columns, ", ") + " FROM items WHERE id > ${id} ORDER BY id",
		Paged: true, SkipTotal: true,
	}
	return d
}

// askRow asks for the row with a random id.
func askRow(path string) ask {
	return func(r *rand.Rand, to, want []byte) ([]byte, []byte) {
		id := int64(r.IntN(rows)) + 1
		to = strconv.AppendInt(append(append(to, path...), "?id="...), id, 10)
		want = strconv.AppendInt(append(want, `"id":`...), id, 10)
		return to, append(want, ',')
	}
}

// askPage asks for the page behind a random id.
func askPage(path string) ask {
	return func(r *rand.Rand, to, want []byte) ([]byte, []byte) {
		id := int64(r.IntN(rows - pageSize + 1))
		to = strconv.AppendInt(append(append(to, path...), "?pageNum=1&pageSize=100&id="...), id, 10)
		want = strconv.AppendInt(append(want, `"id":`...), id+pageSize, 10)
		return to, append(want, ',')
	}
}

func compareRow(engine string) func(*bench, context.Context, string) error {
	return func(b *bench, ctx context.Context, name string) error {
		return b.compareSQL(ctx, name, engine, "/row", rowDefinition, askRow)
	}
}

func comparePage(engine string) func(*bench, context.Context, string) error {
	return func(b *bench, ctx context.Context, name string) error {
		return b.compareSQL(ctx, name, engine, "/page", pageDefinition, askPage)
	}
}

// compareSQL publishes an API on the engine's database, starts the yardstick on it and
// prints how they do.
func (b *bench) compareSQL(ctx context.Context, name, engine, path string, definition func(string) service.Definition, ask func(string) ask) error {
	dsn, err := b.database(ctx, engine)
	if err != nil {
		return err
	}
	o, err := b.shared(ctx)
	if err != nil {
		return err
	}
	connectionID, err := o.connection(ctx, engine, dsn)
	if err != nil {
		return err
	}
	d := definition(connectionID)
	d.Path = "/bench" + path + "/" + engine
	if err := o.publish(ctx, strings.ReplaceAll(name, "-", "_"), d, map[string]string{"id": "1"}); err != nil {
		return fmt.Errorf("publishing the API: %w", err)
	}
	pool := b.pool
	if pool == 0 {
		pool = map[string]int{"sqlite": 4, "postgres": 32, "mysql": 32}[engine]
	}
	yardstick, address, err := b.startYardstick("-engine", engine, "-source", dsn, "-connections", strconv.Itoa(pool))
	if err != nil {
		return err
	}
	defer yardstick.stop()
	targets := []target{
		{"dataservice", o.gateway, ask(d.Path), o.server},
		{"yardstick", address, ask(path), yardstick},
	}
	if err := sameContent(ctx, targets...); err != nil {
		return err
	}
	return b.measure(ctx, name, targets, ratio{name, 0, 1})
}

// connection makes a connection to the engine's database once, and returns its id.
func (o *ours) connection(ctx context.Context, engine, dsn string) (id string, err error) {
	if id, made := o.connections[engine]; made {
		return id, nil
	}
	in := service.ConnectionInput{ConnectionSpec: service.ConnectionSpec{Engine: service.EngineSQLite, File: sqliteFile}}
	switch engine {
	case "postgres":
		in, err = postgresConnection(dsn)
	case "mysql":
		in, err = mysqlConnection(dsn)
	}
	if err != nil {
		return "", err
	}
	in.Name = "bench_" + engine
	connection, err := o.client.CreateConnection(ctx, in)
	if err != nil {
		return "", err
	}
	o.connections[engine] = connection.ID
	return connection.ID, nil
}

// postgresConnection writes a PostgreSQL URL as a connection.
func postgresConnection(dsn string) (service.ConnectionInput, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return service.ConnectionInput{}, err
	}
	in := service.ConnectionInput{ConnectionSpec: service.ConnectionSpec{
		Engine: service.EnginePostgreSQL, Host: u.Hostname(), Port: 5432, Database: strings.TrimPrefix(u.Path, "/"),
		Username: u.User.Username(), SSLMode: service.SSLMode(u.Query().Get("sslmode")),
		// Development servers are usually reached as their superuser.
		AllowSuperuser: true,
	}}
	if u.Port() != "" {
		if in.Port, err = strconv.Atoi(u.Port()); err != nil {
			return in, err
		}
	}
	if password, ok := u.User.Password(); ok {
		in.Password = &password
	}
	return in, nil
}

// mysqlConnection writes a DSN of the MySQL driver as a connection.
func mysqlConnection(dsn string) (service.ConnectionInput, error) {
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		return service.ConnectionInput{}, err
	}
	host, port, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return service.ConnectionInput{}, err
	}
	in := service.ConnectionInput{ConnectionSpec: service.ConnectionSpec{
		Engine: service.EngineMySQL, Host: host, Database: c.DBName, Username: c.User,
		SSLMode: service.SSLDisable, AllowSuperuser: true,
	}}
	if c.Passwd != "" {
		in.Password = &c.Passwd
	}
	in.Port, err = strconv.Atoi(port)
	return in, err
}
