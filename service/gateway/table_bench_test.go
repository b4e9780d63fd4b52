// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/datasource"
)

// many are so many routes, as a table that large has them: paths of some length,
// methods, and two environments.
func many(n int) []*route {
	routes := make([]*route, n)
	for i := range routes {
		environment := []string{"RELEASE", "DEV"}[i%2]
		routes[i] = testRoute(fmt.Sprintf("publication-%d", i), environment, service.MethodGet, fmt.Sprintf("/team-%d/orders/by-customer/%d", i%20, i))
	}
	return routes
}

// BenchmarkReplace10k is one change of one route among 10,000: what a publish costs
// the gateway beside reading the store.
func BenchmarkReplace10k(b *testing.B) {
	routes := many(10_000)
	t := emptyTable.replace(nil, routes)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		old := routes[n%len(routes)]
		next := *old
		routes[n%len(routes)] = &next
		t = t.replace([]*route{old}, []*route{&next})
	}
}

// BenchmarkLoad10k is the first reading of 10,000 routes.
func BenchmarkLoad10k(b *testing.B) {
	routes := many(10_000)
	b.ReportAllocs()
	for b.Loop() {
		emptyTable.replace(nil, routes)
	}
}

// BenchmarkFind is how long it takes to find one of that many routes.
func BenchmarkFind(b *testing.B) {
	for _, n := range []int{1, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			routes := many(n)
			t := emptyTable.replace(nil, routes)
			requests := make([]*http.Request, min(n, 1000))
			for i := range requests {
				rt := routes[i*len(routes)/len(requests)]
				requests[i] = httptest.NewRequest(http.MethodGet, rt.path, nil)
				requests[i].Header.Set(stageHeader, rt.environmentName)
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, f := t.find(requests[i%len(requests)]); f != nil {
					b.Fatal(f.message)
				}
				i++
			}
		})
	}
}

// routeMemory is how many bytes a published API takes in a gateway with that many:
// route, plan, table, limits and counters.
func routeMemory(tb testing.TB, n int) int {
	tb.Helper()
	sources := datasource.New(datasource.Options{SQLiteDir: tb.TempDir()})
	defer sources.Close()
	g := New(Options{Sources: sources, Logger: slog.New(slog.DiscardHandler)})
	conn := service.Connection{ID: service.NewID(epoch), ConnectionSpec: service.ConnectionSpec{Name: "people", Engine: service.EngineSQLite, File: "people.db"}}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range n {
		rt, r := publishedRoute(g, conn, i)
		if rt.broken != nil {
			tb.Fatal(rt.broken)
		}
		rt.surroundings = g.surround(rt, r, nil)
		// A call of an API that is called leaves its mark.
		g.answerer.meter.count(rt, outcome{status: http.StatusOK}, 0)
		g.routes[rt.publicationID] = rt
		if i%1000 == 999 || i == n-1 {
			var add []*route
			for _, rt := range g.routes {
				add = append(add, rt)
			}
			g.table.Store(emptyTable.replace(nil, add))
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(g)
	return int(after.HeapAlloc-before.HeapAlloc) / n
}

// publishedRoute compiles an API of usual size: ten columns, three parameters.
func publishedRoute(g *Gateway, conn service.Connection, i int) (*route, record) {
	d := service.Definition{
		Path: fmt.Sprintf("/team-%d/orders/by-customer/%d", i%20, i), Method: service.MethodGet, AuthType: service.AuthNone, ConnectionID: conn.ID,
		Script: &service.Script{SQL: fmt.Sprintf(`SELECT id, name, city, street, country, phone, mail, created_at, changed_at, amount
			FROM orders_%d WHERE customer = ${customer} AND city = ${city} AND amount > ${amount}`, i)},
		RequestParameters: map[string]service.RequestParameter{
			"customer": {Type: service.TypeLong, Required: true, Description: "Number of the customer."},
			"city":     {Type: service.TypeString}, "amount": {Type: service.TypeDouble},
		},
		ResponseParameters: map[string]service.ResponseParameter{},
		RateLimit:          &service.RateLimit{Requests: 100}, CallerRateLimit: &service.RateLimit{Requests: 10}, CacheTTLSeconds: 60,
	}
	for _, name := range []string{"id", "name", "city", "street", "country", "phone", "mail", "created_at", "changed_at", "amount"} {
		d.ResponseParameters[name] = service.ResponseParameter{Type: service.TypeString, Description: "What the column " + name + " holds."}
	}
	p := service.Publication{
		ID: service.NewID(epoch), WorkspaceID: service.NewID(epoch), APIID: service.NewID(epoch), APIName: fmt.Sprintf("orders_%d", i),
		EnvironmentID: service.ReleaseEnvironmentID, EnvironmentName: service.ReleaseEnvironmentName, Status: service.StatusPublished,
		Live: &service.Version{ConnectionID: conn.ID, Definition: d},
	}
	r := record{publication: p, connection: conn}
	return newRoute(g.sources.Plan, nil, p, conn, nil), r
}

// BenchmarkRouteMemory tells the bytes per published API at 10,000 as B/api.
func BenchmarkRouteMemory(b *testing.B) {
	for b.Loop() {
		b.ReportMetric(float64(routeMemory(b, 10_000)), "B/api")
	}
}

func TestAPublishedAPITakesAtMostEightKilobytes(t *testing.T) {
	if n := routeMemory(t, 2000); n > 8<<10 {
		t.Errorf("it takes %d bytes", n)
	}
}
