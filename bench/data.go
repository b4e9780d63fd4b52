// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite" // The driver "sqlite".
)

// rows is the size of the table; the ids are 1 to rows.
const rows = 100_000

const createTable = `CREATE TABLE items (
	id bigint PRIMARY KEY,
	name text NOT NULL,
	category text NOT NULL,
	description text NOT NULL,
	price double precision NOT NULL,
	quantity integer NOT NULL,
	active boolean NOT NULL
)`

var columns = []string{"id", "name", "category", "description", "price", "quantity", "active"}

// itemRow returns the row with that id; the same on every run and engine.
func itemRow(id int) []any {
	r := rand.New(rand.NewPCG(1, uint64(id)))
	categories := []string{"books", "garden", "kitchen", "music", "office", "outdoor", "toys", "tools"}
	words := []string{"amber", "brisk", "cobalt", "dapper", "early", "fabled", "gentle", "hollow", "ivory", "jolly"}
	description := make([]string, 8)
	for i := range description {
		description[i] = words[r.IntN(len(words))]
	}
	return []any{
		int64(id), fmt.Sprintf("item %06d", id), categories[r.IntN(len(categories))], strings.Join(description, " "),
		float64(r.IntN(100000)) / 100, int32(r.IntN(1000)), r.IntN(2) == 1,
	}
}

// fillSQLite writes the table to a new file.
func fillSQLite(ctx context.Context, file string) (err error) {
	// INTEGER PRIMARY KEY is SQLite's way to make the id the key of the table itself.
	create := strings.Replace(createTable, "id bigint", "id INTEGER", 1)
	dsn := url.URL{Scheme: "file", OmitHost: true, Path: file, RawQuery: "_pragma=synchronous(0)"}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, create); err != nil {
		return err
	}
	insert, err := tx.PrepareContext(ctx, "INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?)")
	if err != nil {
		return err
	}
	defer insert.Close()
	for id := 1; id <= rows; id++ {
		if _, err := insert.ExecContext(ctx, itemRow(id)...); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// newPostgres makes an empty database and returns its URL. drop removes it.
func newPostgres(ctx context.Context, server string) (dsn string, drop func(), err error) {
	u, err := url.Parse(server)
	if err != nil {
		return "", nil, err
	}
	admin, err := pgx.Connect(ctx, server)
	if err != nil {
		return "", nil, err
	}
	defer admin.Close(ctx)
	name := fmt.Sprintf("dataservice_bench_%08x", rand.Uint32())
	if _, err := admin.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		return "", nil, err
	}
	u.Path = "/" + name
	return u.String(), func() {
		ctx := context.WithoutCancel(ctx)
		admin, err := pgx.Connect(ctx, server)
		if err == nil {
			defer admin.Close(ctx)
			_, err = admin.Exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
		}
		if err != nil {
			fmt.Printf("The database %s stays behind: %v\n", name, err)
		}
	}, nil
}

// fillPostgres makes a database with the table and returns its URL. drop removes it.
func fillPostgres(ctx context.Context, server string) (dsn string, drop func(), err error) {
	if dsn, drop, err = newPostgres(ctx, server); err != nil {
		return "", nil, err
	}
	if err := copyRows(ctx, dsn); err != nil {
		drop()
		return "", nil, err
	}
	return dsn, drop, nil
}

func copyRows(ctx context.Context, dsn string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, createTable); err != nil {
		return err
	}
	source := pgx.CopyFromSlice(rows, func(i int) ([]any, error) { return itemRow(i + 1), nil })
	if _, err := conn.CopyFrom(ctx, pgx.Identifier{"items"}, columns, source); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "VACUUM (ANALYZE) items")
	return err
}

// fillMySQL makes a database with the table and returns its DSN. drop removes it.
func fillMySQL(ctx context.Context, server string) (dsn string, drop func(), err error) {
	config, err := mysql.ParseDSN(server)
	if err != nil {
		return "", nil, err
	}
	admin, err := sql.Open("mysql", config.FormatDSN())
	if err != nil {
		return "", nil, err
	}
	name := fmt.Sprintf("dataservice_bench_%08x", rand.Uint32())
	if _, err := admin.ExecContext(ctx, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4"); err != nil {
		return "", nil, errors.Join(err, admin.Close())
	}
	drop = func() {
		_, err := admin.ExecContext(context.WithoutCancel(ctx), "DROP DATABASE "+name)
		if err := errors.Join(err, admin.Close()); err != nil {
			fmt.Printf("The database %s stays behind: %v\n", name, err)
		}
	}
	config.DBName = name
	if err := insertRows(ctx, config.FormatDSN()); err != nil {
		drop()
		return "", nil, err
	}
	return config.FormatDSN(), drop, nil
}

func insertRows(ctx context.Context, dsn string) (err error) {
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, createTable); err != nil {
		return err
	}
	const batch = 1000
	text := "INSERT INTO items VALUES " + strings.TrimSuffix(strings.Repeat("(?, ?, ?, ?, ?, ?, ?),", batch), ",")
	for first := 1; first <= rows; first += batch {
		values := make([]any, 0, batch*len(columns))
		for id := first; id < first+batch; id++ {
			values = append(values, itemRow(id)...)
		}
		if _, err := db.ExecContext(ctx, text, values...); err != nil {
			return err
		}
	}
	_, err = db.ExecContext(ctx, "ANALYZE TABLE items")
	return err
}
