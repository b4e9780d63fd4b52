// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// The yardsticks are what a person writes by hand for the same answer: the driver,
// a struct per row and encoding/json.

type person struct {
	Age   int64   `json:"age"`
	Email string  `json:"email"`
	ID    int64   `json:"id"`
	Name  string  `json:"name"`
	Score float64 `json:"score"`
}

const (
	benchRows = 100_000
	rowSQL    = "SELECT id, name, email, age, score FROM person WHERE id = "
	pageSQL   = "SELECT id, name, email, age, score FROM person WHERE id > "
)

var personColumns = types{
	"id": service.TypeLong, "name": service.TypeString, "email": service.TypeString,
	"age": service.TypeInt, "score": service.TypeDouble,
}

func benchFixture(b *testing.B, engine service.Engine) *fixture {
	f := newFixture(b, engine, Options{})
	create := "CREATE TABLE person (id BIGINT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, age INTEGER NOT NULL, score DOUBLE PRECISION NOT NULL)"
	fill := "INSERT INTO person SELECT i, 'Person number ' || i, 'person' || i || '@example.org', i % 90, i * 0.37 FROM generate_series(1, 100000) AS g(i)"
	if engine == service.EngineSQLite {
		create = "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, age INTEGER NOT NULL, score REAL NOT NULL)"
		fill = "WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < 100000) INSERT INTO person SELECT i, 'Person number ' || i, 'person' || i || '@example.org', i % 90, i * 0.37 FROM g"
	}
	if engine == service.EngineMySQL {
		fill = "INSERT INTO person SELECT seq, concat('Person number ', seq), concat('person', seq, '@example.org'), seq % 90, seq * 0.37 FROM seq_1_to_100000"
	}
	f.exec(create, fill)
	if engine == service.EnginePostgreSQL {
		f.exec("VACUUM ANALYZE person")
	}
	return f
}

// measure runs the call on 32 goroutines.
func measure(b *testing.B, call func(id int64) error) {
	b.ReportAllocs()
	b.SetParallelism(16)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := call(rand.Int64N(benchRows-200) + 1); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func benchPlan(b *testing.B, p *Plan) {
	measure(b, func(id int64) error {
		// What the gateway does: a deadline per call, and buffers that are used again.
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		buffer := buffers.Get().(*[]byte)
		out, err := p.Run(ctx, (*buffer)[:0], Call{Values: []any{id}, MaxRows: 1000})
		*buffer = out
		buffers.Put(buffer)
		return err
	})
}

var (
	buffers  = sync.Pool{New: func() any { return new([]byte) }}
	encoders = sync.Pool{New: func() any { return new(bytes.Buffer) }}
)

func BenchmarkSQLite(b *testing.B) {
	f := benchFixture(b, service.EngineSQLite)
	db, err := sql.Open("sqlite", "file:"+f.dsn+"?mode=ro")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(f.options.sqliteSessions())
	db.SetMaxIdleConns(f.options.sqliteSessions())
	row, err := db.Prepare(rowSQL + "?1")
	if err != nil {
		b.Fatal(err)
	}
	page, err := db.Prepare(pageSQL + "?1 ORDER BY id LIMIT 100")
	if err != nil {
		b.Fatal(err)
	}
	b.Run("row/ours", func(b *testing.B) {
		benchPlan(b, f.plan(script(rowSQL+"${id}", types{"id": service.TypeLong}, personColumns)))
	})
	b.Run("row/by-hand", func(b *testing.B) { measure(b, byHand(row)) })
	b.Run("page100/ours", func(b *testing.B) {
		benchPlan(b, f.plan(script(pageSQL+"${id} ORDER BY id LIMIT 100", types{"id": service.TypeLong}, personColumns)))
	})
	b.Run("page100/by-hand", func(b *testing.B) { measure(b, byHand(page)) })
}

func BenchmarkPostgreSQL(b *testing.B) {
	f := benchFixture(b, service.EnginePostgreSQL)
	config, err := pgxpool.ParseConfig(f.dsn)
	if err != nil {
		b.Fatal(err)
	}
	config.MaxConns = int32(f.options.serverSessions())
	db, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	byHand := func(text string) func(id int64) error {
		return func(id int64) error {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			rows, err := db.Query(ctx, text, id)
			if err != nil {
				return err
			}
			defer rows.Close()
			list := make([]person, 0, 100)
			for rows.Next() {
				var p person
				if err := rows.Scan(&p.ID, &p.Name, &p.Email, &p.Age, &p.Score); err != nil {
					return err
				}
				list = append(list, p)
			}
			return encode(list, rows.Err())
		}
	}
	b.Run("row/ours", func(b *testing.B) {
		benchPlan(b, f.plan(script(rowSQL+"${id}", types{"id": service.TypeLong}, personColumns)))
	})
	b.Run("row/by-hand", func(b *testing.B) { measure(b, byHand(rowSQL+"$1")) })
	b.Run("page100/ours", func(b *testing.B) {
		benchPlan(b, f.plan(script(pageSQL+"${id} ORDER BY id LIMIT 100", types{"id": service.TypeLong}, personColumns)))
	})
	b.Run("page100/by-hand", func(b *testing.B) { measure(b, byHand(pageSQL+"$1 ORDER BY id LIMIT 100")) })
}

func BenchmarkMySQL(b *testing.B) {
	f := benchFixture(b, service.EngineMySQL)
	db, err := sql.Open("mysql", f.dsn)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(f.options.serverSessions())
	db.SetMaxIdleConns(f.options.serverSessions())
	prepare := func(text string) *sql.Stmt {
		st, err := db.Prepare(text)
		if err != nil {
			b.Fatal(err)
		}
		return st
	}
	b.Run("row/ours", func(b *testing.B) {
		benchPlan(b, f.plan(script(rowSQL+"${id}", types{"id": service.TypeLong}, personColumns)))
	})
	b.Run("row/by-hand", func(b *testing.B) { measure(b, byHand(prepare(rowSQL+"?"))) })
	b.Run("page100/ours", func(b *testing.B) {
		benchPlan(b, f.plan(script(pageSQL+"${id} ORDER BY id LIMIT 100", types{"id": service.TypeLong}, personColumns)))
	})
	b.Run("page100/by-hand", func(b *testing.B) { measure(b, byHand(prepare(pageSQL+"? ORDER BY id LIMIT 100"))) })
}

// byHand runs the prepared statement as a handler that is written by hand would.
func byHand(st *sql.Stmt) func(id int64) error {
	return func(id int64) error {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		rows, err := st.QueryContext(ctx, id)
		if err != nil {
			return err
		}
		defer rows.Close()
		list := make([]person, 0, 100)
		for rows.Next() {
			var p person
			if err := rows.Scan(&p.ID, &p.Name, &p.Email, &p.Age, &p.Score); err != nil {
				return err
			}
			list = append(list, p)
		}
		return encode(list, rows.Err())
	}
}

func encode(list []person, err error) error {
	if err != nil {
		return err
	}
	buffer := encoders.Get().(*bytes.Buffer)
	defer encoders.Put(buffer)
	buffer.Reset()
	return json.NewEncoder(buffer).Encode(list)
}
