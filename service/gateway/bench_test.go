// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway_test

import (
	"database/sql"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/dataservice/terraform-provider-dataservice/internal/mysqltest"
	"github.com/dataservice/terraform-provider-dataservice/service"
)

// BenchmarkRow measures a call that answers one row, from the handler to the real
// database and back, with rate limits that no call meets and without the network between
// caller and gateway. Its allocs/op are those of a call.
func BenchmarkRow(b *testing.B) {
	for _, engine := range []struct {
		name   string
		people func(t testing.TB, dir string, people ...person) service.ConnectionInput
	}{{"SQLITE", sqlitePeople}, {"POSTGRESQL", postgresPeople}, {"MYSQL", mysqlPeople}} {
		b.Run(engine.name, func(b *testing.B) {
			h := newHouse(b, options{})
			conn := h.connection(b, "people_db", engine.people(b, h.dir, everybody()...))
			d := definition(conn, "/person", "SELECT id, name, city, height FROM people WHERE id = ${id}", "id", "name", "city", "height")
			d.RequestParameters = map[string]service.RequestParameter{"id": {Type: service.TypeLong, Required: true, Example: text("1")}}
			d.RateLimit = &service.RateLimit{Requests: service.MaxRateRequests}
			d.CallerRateLimit = d.RateLimit
			h.publish(b, h.api(b, "person", d), "")
			requests := make([]*http.Request, 25)
			for i := range requests {
				requests[i] = httptest.NewRequest(http.MethodGet, fmt.Sprintf("/person?id=%d", i+1), nil)
			}
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				w := &countingWriter{header: http.Header{}}
				for n := 0; pb.Next(); n++ {
					clear(w.header)
					w.bytes = 0
					h.gateway.ServeHTTP(w, requests[n%len(requests)])
					if w.status != 0 || w.bytes < 50 {
						b.Errorf("status %d, %d bytes", w.status, w.bytes)
						return
					}
				}
			})
		})
	}
}

func mysqlPeople(t testing.TB, _ string, people ...person) service.ConnectionInput {
	t.Helper()
	config, err := mysql.ParseDSN(mysqltest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("mysql", config.FormatDSN())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(fmt.Sprintf(peopleTable, "bigint")); err != nil {
		t.Fatal(err)
	}
	for _, p := range people {
		if _, err := db.Exec("INSERT INTO people VALUES (?, ?, ?, ?)", p.id, p.name, p.city, p.height); err != nil {
			t.Fatal(err)
		}
	}
	host, port, err := net.SplitHostPort(config.Addr)
	if err != nil {
		t.Fatal(err)
	}
	in := service.ConnectionInput{ConnectionSpec: service.ConnectionSpec{
		Engine: service.EngineMySQL, Host: host, Database: config.DBName, Username: config.User,
		SSLMode: service.SSLDisable, AllowSuperuser: true,
	}}
	if in.Port, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	if config.Passwd != "" {
		in.Password = &config.Passwd
	}
	return in
}

// countingWriter is a response writer that costs nothing.
type countingWriter struct {
	header        http.Header
	status, bytes int
}

func (w *countingWriter) Header() http.Header    { return w.header }
func (w *countingWriter) WriteHeader(status int) { w.status = status }

func (w *countingWriter) Write(p []byte) (int, error) {
	w.bytes += len(p)
	return len(p), nil
}
