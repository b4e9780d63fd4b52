// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"database/sql"
	"errors"

	_ "github.com/go-sql-driver/mysql" // The driver "mysql".
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "modernc.org/sqlite" // The driver "sqlite".
)

// sqlStore reads with database/sql and statements that are prepared once.
type sqlStore struct{ one, many *sql.Stmt }

func openSQL(driver, dsn string, connections int) (store, error) {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	// Both are kept for as long as the process lives.
	one, err := db.Prepare(selectItems + "= ?")
	if err != nil {
		return nil, err
	}
	many, err := db.Prepare(selectItems + "> ? ORDER BY id LIMIT ? OFFSET ?")
	if err != nil {
		return nil, err
	}
	return sqlStore{one, many}, nil
}

func (s sqlStore) row(ctx context.Context, id int64) (item, error) {
	var i item
	err := s.one.QueryRowContext(ctx, id).Scan(i.fields()...)
	if errors.Is(err, sql.ErrNoRows) {
		err = errNoRow
	}
	return i, err
}

func (s sqlStore) page(ctx context.Context, id int64, limit, offset int) ([]item, error) {
	rows, err := s.many.QueryContext(ctx, id, limit, offset)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	items := make([]item, 0, limit)
	for rows.Next() {
		var i item
		if err := rows.Scan(i.fields()...); err != nil {
			return nil, err
		}
		items = append(items, i)
	}
	return items, rows.Err()
}

// pgStore reads with pgxpool, which prepares each statement once per connection.
type pgStore struct{ pool *pgxpool.Pool }

func openPostgres(dsn string, connections int) (store, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	config.MaxConns = int32(connections)
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	return pgStore{pool}, err
}

func (s pgStore) row(ctx context.Context, id int64) (item, error) {
	var i item
	err := s.pool.QueryRow(ctx, selectItems+"= $1", id).Scan(i.fields()...)
	if errors.Is(err, pgx.ErrNoRows) {
		err = errNoRow
	}
	return i, err
}

func (s pgStore) page(ctx context.Context, id int64, limit, offset int) ([]item, error) {
	rows, err := s.pool.Query(ctx, selectItems+"> $1 ORDER BY id LIMIT $2 OFFSET $3", id, limit, offset)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	items := make([]item, 0, limit)
	for rows.Next() {
		var i item
		if err := rows.Scan(i.fields()...); err != nil {
			return nil, err
		}
		items = append(items, i)
	}
	return items, rows.Err()
}
