// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Command yardstick is what a team would write by hand instead of using dataservice:
// a net/http handler that reads one row by its id, or a page of rows, and answers it as
// JSON: on PostgreSQL with pgxpool, on SQLite and MySQL with database/sql. It is written
// to be fast within what is usual: prepared statements, pools of a good size,
// encoding/json. It also is the proxy, and the backend, that a registered API is
// compared with.
package main

import (
	"context"
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
)

const (
	selectItems = `SELECT id, name, category, description, price, quantity, active FROM items WHERE id `
	maxPageSize = 1000
)

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
	Data      any    `json:"data"`
	ErrCode   int    `json:"errCode"`
	ErrMsg    string `json:"errMsg"`
	RequestID string `json:"requestId"`
}

// page is the data of a page whose rows are not counted.
type page struct {
	TotalNum *int64 `json:"totalNum"`
	PageNum  int    `json:"pageNum"`
	PageSize int    `json:"pageSize"`
	Rows     []item `json:"rows"`
}

// errNoRow says that no item has the id.
var errNoRow = errors.New("no such item")

// store reads items.
type store interface {
	// row returns the item with the id.
	row(ctx context.Context, id int64) (item, error)
	// page returns items behind the id.
	page(ctx context.Context, id int64, limit, offset int) ([]item, error)
}

func main() {
	log.SetFlags(0)
	engine := flag.String("engine", "", "sqlite, postgres, mysql, proxy or backend")
	source := flag.String("source", "", "SQLite file, PostgreSQL URL, MySQL DSN, or the URL that is proxied")
	connections := flag.Int("connections", 0, "size of the connection pool")
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on")
	flag.Parse()
	if err := serve(*engine, *source, *connections, *listen); err != nil {
		log.Fatal(err)
	}
}

func serve(engine, source string, connections int, listen string) error {
	handler, err := newHandler(engine, source, connections)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, listener.Addr())
	return http.Serve(listener, handler)
}

func newHandler(engine, source string, connections int) (http.Handler, error) {
	var s store
	var err error
	switch engine {
	case "backend":
		return newBackend(), nil
	case "proxy":
		return newProxy(source)
	case "sqlite":
		dsn := url.URL{Scheme: "file", OmitHost: true, Path: source, RawQuery: "mode=ro&_pragma=query_only(1)&_pragma=mmap_size(268435456)"}
		s, err = openSQL("sqlite", dsn.String(), connections)
	case "mysql":
		s, err = openSQL("mysql", source, connections)
	case "postgres":
		s, err = openPostgres(source, connections)
	default:
		return nil, fmt.Errorf("-engine is %q: use sqlite, postgres, mysql, proxy or backend", engine)
	}
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /row", func(w http.ResponseWriter, r *http.Request) { answerRow(w, r, s) })
	mux.HandleFunc("GET /page", func(w http.ResponseWriter, r *http.Request) { answerPage(w, r, s) })
	return mux, nil
}

func answerRow(w http.ResponseWriter, r *http.Request, s store) {
	id, err := strconv.ParseInt(r.URL.Query().Get("id"), 10, 64)
	if err != nil {
		http.Error(w, "id must be a number", http.StatusBadRequest)
		return
	}
	items := []item{}
	switch found, err := s.row(r.Context(), id); {
	case err == nil:
		items = append(items, found)
	case !errors.Is(err, errNoRow):
		log.Print(err)
		http.Error(w, "the database failed", http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if err := json.NewEncoder(w).Encode(envelope{Data: items, ErrMsg: "success", RequestID: requestID()}); err != nil {
		log.Print(err)
	}
}

func answerPage(w http.ResponseWriter, r *http.Request, s store) {
	query := r.URL.Query()
	var numbers [3]int
	for i, name := range []string{"id", "pageNum", "pageSize"} {
		var err error
		if numbers[i], err = strconv.Atoi(query.Get(name)); err != nil {
			http.Error(w, name+" must be a number", http.StatusBadRequest)
			return
		}
	}
	p := page{PageNum: numbers[1], PageSize: numbers[2]}
	if p.PageNum < 1 || p.PageSize < 1 || p.PageSize > maxPageSize {
		http.Error(w, "there is no such page", http.StatusBadRequest)
		return
	}
	var err error
	if p.Rows, err = s.page(r.Context(), int64(numbers[0]), p.PageSize, (p.PageNum-1)*p.PageSize); err != nil {
		log.Print(err)
		http.Error(w, "the database failed", http.StatusBadGateway)
		return
	}
	body, err := json.Marshal(envelope{Data: p, ErrMsg: "success", RequestID: requestID()})
	if err != nil {
		log.Print(err)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	// With the length known beforehand the answer is not sent in chunks.
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if _, err := w.Write(body); err != nil {
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
