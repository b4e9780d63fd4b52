// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Command yardstick is what a team would write by hand instead of using dataservice:
// a net/http handler that reads one row by its id and answers it as JSON, on
// PostgreSQL with pgxpool or on SQLite with database/sql. It is written to be fast
// within what is usual: prepared statements, pools of a good size, encoding/json.
package main

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "modernc.org/sqlite" // The driver "sqlite".
)

const query = `SELECT id, name, category, description, price, quantity, active FROM items WHERE id = `

// item is a row of the table.
type item struct {
	ID          int64   `json:"id"`
	Name        string  `json:"name"`
	Category    string  `json:"category"`
	Description string  `json:"description"`
	Price       float64 `json:"price"`
	Quantity    int32   `json:"quantity"`
	Active      bool    `json:"active"`
}

func (i *item) fields() []any {
	return []any{&i.ID, &i.Name, &i.Category, &i.Description, &i.Price, &i.Quantity, &i.Active}
}

// envelope is the same content that dataservice answers.
type envelope struct {
	Data      []item `json:"data"`
	ErrCode   int    `json:"errCode"`
	ErrMsg    string `json:"errMsg"`
	RequestID string `json:"requestId"`
}

// errNoRow says that no item has the id.
var errNoRow = errors.New("no such item")

// find reads one item.
type find func(ctx context.Context, id int64) (item, error)

func main() {
	log.SetFlags(0)
	engine := flag.String("engine", "", "sqlite or postgres")
	source := flag.String("source", "", "SQLite file, or PostgreSQL URL")
	connections := flag.Int("connections", 0, "size of the connection pool")
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on")
	flag.Parse()
	if err := serve(*engine, *source, *connections, *listen); err != nil {
		log.Fatal(err)
	}
}

func serve(engine, source string, connections int, listen string) error {
	one, err := open(engine, source, connections)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, listener.Addr())
	mux := http.NewServeMux()
	mux.HandleFunc("GET /items", func(w http.ResponseWriter, r *http.Request) { answer(w, r, one) })
	return http.Serve(listener, mux)
}

func answer(w http.ResponseWriter, r *http.Request, one find) {
	id, err := strconv.ParseInt(r.URL.Query().Get("id"), 10, 64)
	if err != nil {
		http.Error(w, "id must be a number", http.StatusBadRequest)
		return
	}
	e := envelope{ErrMsg: "success", RequestID: requestID()}
	switch found, err := one(r.Context(), id); {
	case err == nil:
		e.Data = []item{found}
	case errors.Is(err, errNoRow):
		e.Data = []item{}
	default:
		log.Print(err)
		http.Error(w, "the database failed", http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if err := json.NewEncoder(w).Encode(&e); err != nil {
		log.Print(err)
	}
}

func requestID() string {
	var b [16]byte
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return hex.EncodeToString(b[:])
}

func open(engine, source string, connections int) (find, error) {
	switch engine {
	case "sqlite":
		return openSQLite(source, connections)
	case "postgres":
		return openPostgres(source, connections)
	default:
		return nil, fmt.Errorf("-engine is %q: use sqlite or postgres", engine)
	}
}

func openSQLite(file string, connections int) (find, error) {
	dsn := url.URL{Scheme: "file", OmitHost: true, Path: file, RawQuery: "mode=ro&_pragma=query_only(1)&_pragma=mmap_size(268435456)"}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	statement, err := db.Prepare(query + "?") //nolint:sqlclosecheck // Kept for as long as the process lives.
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, id int64) (item, error) {
		var i item
		err := statement.QueryRowContext(ctx, id).Scan(i.fields()...)
		if errors.Is(err, sql.ErrNoRows) {
			err = errNoRow
		}
		return i, err
	}, nil
}

func openPostgres(dsn string, connections int) (find, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	config.MaxConns = int32(connections)
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, id int64) (item, error) {
		var i item
		err := pool.QueryRow(ctx, query+"$1", id).Scan(i.fields()...)
		if errors.Is(err, pgx.ErrNoRows) {
			err = errNoRow
		}
		return i, err
	}, nil
}
