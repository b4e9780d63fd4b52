// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/gateway"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func text(s string) *string { return &s }

// search looks for people by several parameters, none of which is needed.
func search(conn service.Connection, paged bool) service.Definition {
	d := definition(conn, "/people", `SELECT id, name, city, height FROM people
		WHERE (CAST(${city} AS char(9)) IS NULL OR city = ${city}) AND id >= ${from} ORDER BY id`, "id", "name", "city", "height")
	d.RequestParameters = map[string]service.RequestParameter{
		"city": {Type: service.TypeString},
		"from": {Type: service.TypeLong, Default: text("1")},
	}
	d.Script.Paged = paged
	return d
}

func TestAPublishedAPIAnswersRowsOfARealDatabase(t *testing.T) {
	for engine, people := range engines {
		t.Run(engine, func(t *testing.T) {
			h := newHouse(t, options{})
			conn := h.connection(t, "people_db", people(t, h.dir, everybody()...))
			h.publish(t, h.api(t, "people", search(conn, false)), "")
			paged := search(conn, true)
			paged.Path, paged.Method = "/people/paged", service.MethodPost
			h.publish(t, h.api(t, "people_paged", paged), "")
			for _, test := range []struct{ name, method, target, want string }{
				{
					"rows with NULL", http.MethodGet, "/people?from=24",
					`[{"id":24,"name":"person 24","city":"Lima","height":1.73},{"id":25,"name":"person 25","city":null,"height":1.74}]`,
				},
				{"a bound text", http.MethodGet, "/people?city=Oslo&from=23", `[{"id":23,"name":"person 23","city":"Oslo","height":1.72}]`},
				{"no rows", http.MethodGet, "/people?city=" + "%27%20OR%201=1--", `[]`},
				{
					"a page", http.MethodPost, "/people/paged?pageNum=2&pageSize=1&city=Lima",
					`{"totalNum":12,"pageNum":2,"pageSize":1,"rows":[{"id":4,"name":"person 4","city":"Lima","height":1.53}]}`,
				},
				{"a page beyond the last", http.MethodPost, "/people/paged?pageNum=9&pageSize=25", `{"totalNum":25,"pageNum":9,"pageSize":25,"rows":[]}`},
			} {
				t.Run(test.name, func(t *testing.T) {
					a := h.call(t, test.method, test.target)
					if a.Status != http.StatusOK || a.ErrCode != 0 || a.ErrMsg != "success" || a.RequestID == "" {
						t.Fatal(a)
					}
					if diff := cmp.Diff(decoded(t, test.want), decoded(t, string(a.Data))); diff != "" {
						t.Error(diff)
					}
				})
			}
			if a := h.call(t, http.MethodPost, "/people/paged"); strings.Count(string(a.Data), `"name"`) != 10 {
				t.Errorf("a page where nothing was said: %s", a)
			}
		})
	}
}

func decoded(t *testing.T, text string) any {
	t.Helper()
	var v any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func TestTheGatewayFollowsAPublicationThroughItsLife(t *testing.T) {
	h := newHouse(t, options{})
	ctx := context.Background()
	conn := h.connection(t, "people_db", sqlitePeople(t, h.dir, everybody()...))
	a := h.api(t, "greeting", definition(conn, "/greeting", "SELECT 1 AS n", "n"))
	expect := func(when string, status int, data string) {
		t.Helper()
		got := h.call(t, http.MethodGet, "/greeting")
		if got.Status != status || status == http.StatusOK && string(got.Data) != data {
			t.Errorf("%s: %s, want %d %s", when, got, status, data)
		}
		if status == http.StatusNotFound && strings.Contains(got.ErrMsg, "greeting") {
			t.Errorf("%s: the answer tells of the API: %s", when, got)
		}
	}
	expect("before it is published", http.StatusNotFound, "")
	p := h.publish(t, a, "")
	expect("published", http.StatusOK, `[{"n":1}]`)

	next := a.APISpec
	next.Script = &service.Script{SQL: "SELECT 2 AS n"}
	a, err := h.UpdateAPI(ctx, h.caller, a.ID, "", service.APIInput{APISpec: next})
	if err != nil {
		t.Fatal(err)
	}
	expect("changed and not yet published", http.StatusOK, `[{"n":1}]`)
	h.publish(t, a, "")
	expect("the new version", http.StatusOK, `[{"n":2}]`)

	for _, step := range []struct {
		name   string
		do     func(context.Context, lifecycle.Caller, string, service.ActionInput) (service.Publication, error)
		status int
	}{
		{"suspended", h.Suspend, http.StatusForbidden},
		{"restored", h.Restore, http.StatusOK},
		{"unpublished", h.Unpublish, http.StatusNotFound},
	} {
		if _, err := step.do(ctx, h.caller, p.ID, service.ActionInput{}); err != nil {
			t.Fatal(step.name, err)
		}
		expect(step.name, step.status, `[{"n":2}]`)
	}

	moved := a.APISpec
	moved.Path = "/moved"
	if a, err = h.UpdateAPI(ctx, h.caller, a.ID, "", service.APIInput{APISpec: moved}); err != nil {
		t.Fatal(err)
	}
	h.publish(t, a, "")
	expect("moved to another path", http.StatusNotFound, "")
	if got := h.call(t, http.MethodGet, "/moved"); got.Status != http.StatusOK {
		t.Errorf("at its new path: %s", got)
	}
}

func TestTheStagesOfOneAPIAnswerEachTheirOwn(t *testing.T) {
	h := newHouse(t, options{})
	conn := h.connection(t, "people_db", sqlitePeople(t, h.dir, everybody()...))
	noReview := false
	dev, err := h.CreateEnvironment(context.Background(), h.caller, service.EnvironmentInput{Name: "DEV", ReviewRequired: &noReview})
	if err != nil {
		t.Fatal(err)
	}
	a := h.api(t, "greeting", definition(conn, "/greeting", "SELECT 1 AS n", "n"))
	h.publish(t, a, dev.ID)
	for _, test := range []struct {
		name, stage string
		status      int
		say         string
	}{
		{"no stage", "", http.StatusNotFound, `No API is published at this path in RELEASE`},
		{"RELEASE", "RELEASE", http.StatusNotFound, `No API is published at this path in RELEASE`},
		{"its own", "DEV", http.StatusOK, "success"},
		{"an unknown one", "PROD", http.StatusNotFound, `Nothing is published in an environment "PROD": set the header X-Stage to another name, or leave it out to call RELEASE.`},
		{"a long one", strings.Repeat("x", 5000), http.StatusNotFound, strings.Repeat("x", 64) + `"…`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := h.call(t, http.MethodGet, "/greeting", "X-Stage", test.stage)
			if test.stage == "" {
				got = h.call(t, http.MethodGet, "/greeting")
			}
			if got.Status != test.status || !strings.Contains(got.ErrMsg, test.say) {
				t.Error(got)
			}
		})
	}
}

func TestAnotherMethodAnswers405WithAllow(t *testing.T) {
	h := newHouse(t, options{})
	conn := h.connection(t, "people_db", sqlitePeople(t, h.dir, everybody()...))
	h.publish(t, h.api(t, "greeting", definition(conn, "/greeting", "SELECT 1 AS n", "n")), "")
	for _, method := range []string{http.MethodPost, http.MethodHead, http.MethodDelete, http.MethodOptions} {
		if got := h.call(t, method, "/greeting"); got.Status != http.StatusMethodNotAllowed || got.Header.Get("Allow") != "GET" {
			t.Errorf("%s: %s, Allow %q", method, got, got.Header.Get("Allow"))
		}
	}
}

func TestAnUnpagedAnswerIsWholeOrRefused(t *testing.T) {
	for engine, people := range engines {
		t.Run(engine, func(t *testing.T) {
			h := newHouse(t, options{maxRows: 5})
			conn := h.connection(t, "people_db", people(t, h.dir, everybody()...))
			h.publish(t, h.api(t, "people", search(conn, false)), "")
			if got := h.call(t, http.MethodGet, "/people?from=21"); got.Status != http.StatusOK {
				t.Errorf("5 rows: %s", got)
			}
			got := h.call(t, http.MethodGet, "/people?from=20")
			if got.Status != http.StatusBadGateway || !strings.Contains(got.ErrMsg, "at most 5 rows") || !strings.Contains(got.ErrMsg, "ask the API's owner to page it") {
				t.Errorf("6 rows: %s", got)
			}
		})
	}
}

// slow are statements that take longer than anybody waits.
var slow = map[string]string{
	"SQLITE":     "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(n) AS n FROM c",
	"POSTGRESQL": "SELECT 1 AS n FROM pg_sleep(600)",
	"MYSQL":      "SELECT sleep(600) AS n",
}

func TestASlowStatementEndsWithTheTimeoutOfItsAPI(t *testing.T) {
	for engine, people := range engines {
		t.Run(engine, func(t *testing.T) {
			h := newHouse(t, options{})
			conn := h.connection(t, "people_db", people(t, h.dir, everybody()...))
			h.publishUndebugged(t, "slow", definition(conn, "/slow", slow[engine], "n"), 100)
			start := time.Now()
			got := h.call(t, http.MethodGet, "/slow")
			if took := time.Since(start); got.Status != http.StatusGatewayTimeout || took > 10*time.Second {
				t.Errorf("after %s: %s", took, got)
			}
			if !strings.Contains(got.ErrMsg, "timeout of 100 ms") {
				t.Error(got.ErrMsg)
			}
		})
	}
}

// publishUndebugged publishes what no debug could have passed. Use cases refuse
// that, so the records are written as they would be if the database had changed since.
func (h *house) publishUndebugged(t testing.TB, name string, d service.Definition, timeoutMS int) service.Publication {
	t.Helper()
	ctx := context.Background()
	now := time.Now().UTC().Truncate(time.Microsecond)
	d.TimeoutMS = timeoutMS
	release, err := h.Environment(ctx, h.caller, service.ReleaseEnvironmentID)
	if err != nil {
		t.Fatal(err)
	}
	var p service.Publication
	err = h.store.Update(ctx, func(tx lifecycle.Tx) error {
		a := service.API{
			ID: service.NewID(now), WorkspaceID: h.caller.Workspace.ID, APISpec: service.APISpec{Name: name, Visibility: service.VisibilityWorkspace, Definition: d},
			Revision: 1, DebugStatus: service.DebugSuccess, OwnerID: h.caller.Member.ID, OwnerName: h.caller.Member.Name,
			CreatedAt: now, UpdatedAt: now,
		}
		if err := tx.CreateAPI(ctx, &a); err != nil {
			return err
		}
		if err := tx.PutRevision(ctx, service.Revision{APIID: a.ID, Number: 1, Definition: d, DebugStatus: service.DebugSuccess, CreatedAt: now}); err != nil {
			return err
		}
		p = service.Publication{
			ID: service.NewID(now), WorkspaceID: h.caller.Workspace.ID, APIID: a.ID, APIName: name,
			EnvironmentID: release.ID, EnvironmentName: release.Name, InstanceID: release.InstanceID,
			Status: service.StatusCreated, CreatedAt: now, UpdatedAt: now,
		}
		if err := tx.CreatePublication(ctx, &p); err != nil {
			return err
		}
		v := service.Version{
			ID: service.NewID(now), PublicationID: p.ID, Number: 1, Name: "V1", Revision: 1, APIName: name,
			ConnectionID: d.ConnectionID, Definition: d, CreatedBy: h.caller.Member.Name, CreatedAt: now,
		}
		if err := tx.CreateVersion(ctx, &v); err != nil {
			return err
		}
		p.Status, p.Live = service.StatusPublished, &v
		return tx.UpdatePublication(ctx, &p)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.gateway.Changed(ctx, lifecycle.Change{Kind: lifecycle.ChangePublication, ID: p.ID}); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestACallerWhoLeavesEndsTheStatement(t *testing.T) {
	for engine, people := range engines {
		t.Run(engine, func(t *testing.T) {
			var log lockedBuffer
			h := newHouse(t, options{logger: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
			conn := h.connection(t, "people_db", people(t, h.dir, everybody()...))
			h.publishUndebugged(t, "slow", definition(conn, "/slow", slow[engine], "n"), service.MaxTimeoutMS)
			ctx, leave := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer leave()
			if got, err := h.try(ctx, http.MethodGet, "/slow"); err == nil {
				t.Fatalf("answered %s", got)
			}
			eventually(t, "the log tells that the caller has gone", func() bool { return strings.Contains(log.String(), `"status":499`) })
		})
	}
}

// lockedBuffer is a buffer that several goroutines may write to.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func TestARouteThatCannotBeCompiledLeavesTheOthersAlone(t *testing.T) {
	var log lockedBuffer
	h := newHouse(t, options{logger: slog.New(slog.NewTextHandler(&log, nil))})
	ctx := context.Background()
	conn := h.connection(t, "people_db", sqlitePeople(t, h.dir))
	h.publish(t, h.api(t, "good_api", definition(conn, "/good", "SELECT 1 AS n", "n")), "")
	h.publishUndebugged(t, "bad_api", definition(conn, "/bad", "SELECT ${undeclared} AS n", "n"), 1000)
	fresh := gateway.New(gateway.Options{Store: h.store, Sources: h.sources, Logger: slog.New(slog.DiscardHandler)})
	if err := fresh.Load(ctx); err != nil {
		t.Fatal(err)
	}
	for when, g := range map[string]*gateway.Gateway{"after the change": h.gateway, "after a start": fresh} {
		for path, want := range map[string]int{"/good": http.StatusOK, "/bad": http.StatusServiceUnavailable} {
			w := httptest.NewRecorder()
			g.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
			if w.Code != want || strings.Contains(w.Body.String(), "undeclared") {
				t.Errorf("%s, %s: %d %s", when, path, w.Code, w.Body)
			}
		}
	}
	if !strings.Contains(log.String(), "bad_api") || !strings.Contains(log.String(), "undeclared") {
		t.Errorf("the log does not name the API and the reason: %s", log.String())
	}
}

func TestAChangedConnectionIsReadFromAtOnce(t *testing.T) {
	for engine, people := range engines {
		t.Run(engine, func(t *testing.T) {
			h := newHouse(t, options{})
			ctx := context.Background()
			first, second := people(t, h.dir, everybody()...), people(t, h.dir)
			conn := h.connection(t, "people_db", first)
			h.publish(t, h.api(t, "counting", definition(conn, "/count", "SELECT count(*) AS n FROM people", "n")), "")
			if got := h.call(t, http.MethodGet, "/count"); string(got.Data) != `[{"n":25}]` {
				t.Fatal(got)
			}
			second.Name = conn.Name
			if _, err := h.UpdateConnection(ctx, h.caller, conn.ID, "", second); err != nil {
				t.Fatal(err)
			}
			if got := h.call(t, http.MethodGet, "/count"); string(got.Data) != `[{"n":0}]` {
				t.Error(got)
			}
		})
	}
}

func TestAConnectionThatCannotBeReadBreaksItsOwnRoutesAlone(t *testing.T) {
	unreadable := &unreadableConnection{}
	h := newHouse(t, options{store: func(s lifecycle.Store) lifecycle.Store {
		unreadable.Store = s
		return unreadable
	}})
	one := h.connection(t, "one_db", sqlitePeople(t, h.dir))
	two := h.connection(t, "two_db", sqlitePeople(t, h.dir))
	h.publish(t, h.api(t, "first", definition(one, "/one", "SELECT 1 AS n", "n")), "")
	h.publish(t, h.api(t, "second", definition(two, "/two", "SELECT 2 AS n", "n")), "")
	statuses := func() [2]int {
		return [2]int{h.call(t, http.MethodGet, "/one").Status, h.call(t, http.MethodGet, "/two").Status}
	}
	unreadable.set(one.ID, service.Errorf(service.CodeInternal, "The secret of the connection does not decrypt."))
	if err := h.gateway.Load(t.Context()); err != nil {
		t.Errorf("Load: %v", err)
	}
	if got := statuses(); got != [2]int{http.StatusServiceUnavailable, http.StatusOK} {
		t.Errorf("while it cannot be read the calls answer %v", got)
	}
	// Where the store does not answer nothing is known, and the routes stay.
	for _, err := range []error{service.Errorf(service.CodeUnavailable, "The store is busy."), errStoreDown} {
		unreadable.set(two.ID, err)
		if got := h.gateway.Load(t.Context()); !errors.Is(got, err) {
			t.Errorf("Load: %v", got)
		}
		if got := statuses(); got != [2]int{http.StatusServiceUnavailable, http.StatusOK} {
			t.Errorf("with %v the calls answer %v", err, got)
		}
	}
	unreadable.set("", nil)
	if err := h.gateway.Changed(t.Context(), lifecycle.Change{Kind: lifecycle.ChangeConnection, ID: one.ID}); err != nil {
		t.Error(err)
	}
	if got := statuses(); got != [2]int{http.StatusOK, http.StatusOK} {
		t.Errorf("afterwards the calls answer %v", got)
	}
}

// unreadableConnection is a store that fails to read one connection.
type unreadableConnection struct {
	lifecycle.Store
	mu  sync.Mutex
	id  string
	err error
}

func (s *unreadableConnection) set(id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.id, s.err = id, err
}

func (s *unreadableConnection) View(ctx context.Context, fn func(lifecycle.Tx) error) error {
	return s.Store.View(ctx, func(tx lifecycle.Tx) error { return fn(unreadableTx{tx, s}) })
}

type unreadableTx struct {
	lifecycle.Tx
	s *unreadableConnection
}

func (tx unreadableTx) Connection(ctx context.Context, workspaceID, ref string) (service.Connection, error) {
	tx.s.mu.Lock()
	defer tx.s.mu.Unlock()
	if ref == tx.s.id {
		return service.Connection{}, tx.s.err
	}
	return tx.Tx.Connection(ctx, workspaceID, ref)
}

func TestTheLogHasTheDatabasesCodeAndNotItsWords(t *testing.T) {
	for engine, people := range engines {
		t.Run(engine, func(t *testing.T) {
			var logged lockedBuffer
			h := newHouse(t, options{logger: slog.New(slog.NewTextHandler(&logged, nil))})
			conn := h.connection(t, "people_db", people(t, h.dir, everybody()...))
			d := definition(conn, "/fail", map[string]string{
				"SQLITE":     "SELECT abs(-9223372036854775808 + ${by}) AS n",
				"POSTGRESQL": "SELECT 1 / ${by} AS n",
				"MYSQL":      "SELECT exp(1000 - 1000 * ${by}) AS n",
			}[engine], "n")
			d.RequestParameters = map[string]service.RequestParameter{"by": {Type: service.TypeLong, Default: text("1")}}
			h.publish(t, h.api(t, "failing", d), "")
			if got := h.call(t, http.MethodGet, "/fail?by=0"); got.Status != http.StatusBadGateway {
				t.Errorf("the call answers %s", got)
			}
			code := map[string]string{"SQLITE": "sqlite_code=1", "POSTGRESQL": "sqlstate=22012", "MYSQL": "mysql_code=1690"}[engine]
			eventually(t, "the call is logged with "+code, func() bool { return strings.Contains(logged.String(), code) })
			if text := logged.String(); strings.Contains(text, "overflow") || strings.Contains(text, "division") || strings.Contains(text, "out of range") {
				t.Errorf("the log has the database's words: %s", text)
			}
		})
	}
}

func TestAStoreThatFailsIsToldOfAndTriedAgain(t *testing.T) {
	failing := &failingStore{}
	h := newHouse(t, options{store: func(s lifecycle.Store) lifecycle.Store {
		failing.Store = s
		return failing
	}})
	conn := h.connection(t, "people_db", sqlitePeople(t, h.dir, everybody()...))
	a := h.api(t, "greeting", definition(conn, "/greeting", "SELECT 1 AS n", "n"))
	p := h.publish(t, a, "")
	failing.broken.Store(true)
	if _, err := h.Suspend(context.Background(), h.caller, p.ID, service.ActionInput{}); err != nil {
		t.Fatal(err)
	}
	if err := h.gateway.Changed(context.Background(), lifecycle.Change{Kind: lifecycle.ChangePublication, ID: p.ID}); !errors.Is(err, errStoreDown) {
		t.Errorf("the error is %v", err)
	}
	if err := h.gateway.Stale(); !errors.Is(err, errStoreDown) {
		t.Errorf("the gateway is stale: %v", err)
	}
	if got := h.call(t, http.MethodGet, "/greeting"); got.Status != http.StatusOK {
		t.Errorf("while the store is down: %s", got)
	}
	failing.broken.Store(false)
	eventually(t, "the gateway has caught up", func() bool { return h.gateway.Stale() == nil })
	if got := h.call(t, http.MethodGet, "/greeting"); got.Status != http.StatusForbidden {
		t.Errorf("the suspended API answers %s", got)
	}
}

var errStoreDown = errors.New("the store is down")

// failingStore is a store whose reading fails while it is broken.
type failingStore struct {
	lifecycle.Store
	broken atomic.Bool
}

func (s *failingStore) View(ctx context.Context, fn func(lifecycle.Tx) error) error {
	if s.broken.Load() {
		return errStoreDown
	}
	return s.Store.View(ctx, fn)
}

func TestCallsUnderWayFinishWithThePlanTheyBeganWith(t *testing.T) {
	for engine, people := range engines {
		t.Run(engine, func(t *testing.T) {
			h := newHouse(t, options{})
			ctx := context.Background()
			first, second := people(t, h.dir, everybody()...), people(t, h.dir)
			conn := h.connection(t, "people_db", first)
			p := h.publish(t, h.api(t, "counting", definition(conn, "/count", "SELECT count(*) AS n FROM people", "n")), "")
			release := holdPeople(t, h.dir, first)
			answers := make(chan answer, 4)
			for range cap(answers) {
				go func() {
					got, err := h.try(ctx, http.MethodGet, "/count")
					if err != nil {
						t.Error(err)
					}
					answers <- got
				}()
			}
			eventually(t, "all calls are under way", func() bool { return int(h.inFlight.Load()) == cap(answers) })

			// While the database holds them up, the connection leads elsewhere, and then the API goes.
			err := h.store.Update(ctx, func(tx lifecycle.Tx) error {
				now, err := tx.Connection(ctx, conn.WorkspaceID, conn.ID)
				if err != nil {
					return err
				}
				now.ConnectionSpec, now.Name = second.ConnectionSpec, conn.Name
				return tx.UpdateConnection(ctx, &now)
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := h.gateway.Changed(ctx, lifecycle.Change{Kind: lifecycle.ChangeConnection, ID: conn.ID}); err != nil {
				t.Fatal(err)
			}
			if got := h.call(t, http.MethodGet, "/count"); string(got.Data) != `[{"n":0}]` {
				t.Errorf("after the change: %s", got)
			}
			if _, err := h.Suspend(ctx, h.caller, p.ID, service.ActionInput{}); err != nil {
				t.Fatal(err)
			}
			if got := h.call(t, http.MethodGet, "/count"); got.Status != http.StatusForbidden {
				t.Errorf("after the suspension: %s", got)
			}
			release()
			for range cap(answers) {
				if got := <-answers; got.Status != http.StatusOK || string(got.Data) != `[{"n":25}]` {
					t.Errorf("a call that began before: %s", got)
				}
			}
		})
	}
}

func TestNoCallFailsWhileRoutesChangeAThousandTimes(t *testing.T) {
	const changes = 1000
	h := newHouse(t, options{})
	ctx := context.Background()
	conn := h.connection(t, "people_db", sqlitePeople(t, h.dir, everybody()...))
	h.publish(t, h.api(t, "steady", definition(conn, "/steady", "SELECT 1 AS n", "n")), "")
	var moving []service.Publication
	for i := range 4 {
		path := fmt.Sprintf("/moving/%d", i)
		moving = append(moving, h.publish(t, h.api(t, fmt.Sprintf("moving_%d", i), definition(conn, path, "SELECT 2 AS n", "n")), ""))
	}
	stop := make(chan struct{})
	var calls atomic.Int64
	var callers, changers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				got, err := h.try(ctx, http.MethodGet, "/steady")
				if err != nil || got.Status != http.StatusOK || string(got.Data) != `[{"n":1}]` {
					t.Errorf("a call to another API: %s, %v", got, err)
					return
				}
				calls.Add(1)
			}
		})
	}
	// The status is written to the store and the gateway told, as the use cases do,
	// without their audit: it is the routes that are to change thousands of times.
	for _, p := range moving {
		changers.Go(func() {
			for range changes / len(moving) {
				err := h.toggle(ctx, p)
				for service.ErrorCode(err) == service.CodeBusy {
					// On a slow disk the others' changes can take longer than one waits for them.
					err = h.toggle(ctx, p)
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	changers.Wait()
	close(stop)
	callers.Wait()
	t.Logf("%d calls during %d changes", calls.Load(), changes)
	for i, p := range moving {
		now, err := h.Publication(ctx, h.caller, p.ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		got := h.call(t, http.MethodGet, fmt.Sprintf("/moving/%d", i))
		if now.Status.Callable() != (got.Status == http.StatusOK) {
			t.Errorf("%s is %s and answers %s", p.APIName, now.Status, got)
		}
	}
}

// toggle stops a publication that is callable, and the other way round.
func (h *house) toggle(ctx context.Context, p service.Publication) error {
	err := h.store.Update(ctx, func(tx lifecycle.Tx) error {
		now, err := tx.Publication(ctx, p.WorkspaceID, p.ID)
		if err != nil {
			return err
		}
		if now.Status.Callable() {
			now.Status = service.StatusStopped
		} else {
			now.Status = service.StatusPublished
		}
		return tx.UpdatePublication(ctx, &now)
	})
	if err != nil {
		return err
	}
	return h.gateway.Changed(ctx, lifecycle.Change{Kind: lifecycle.ChangePublication, ID: p.ID})
}

func TestAnOlderReadingNeverReplacesANewerOne(t *testing.T) {
	h := newHouse(t, options{})
	ctx := context.Background()
	conn := h.connection(t, "people_db", sqlitePeople(t, h.dir, everybody()...))
	p := h.publish(t, h.api(t, "greeting", definition(conn, "/greeting", "SELECT 1 AS n", "n")), "")
	for range 50 {
		// Several are told of the same publication at once, in any order.
		var changers sync.WaitGroup
		for range 3 {
			changers.Go(func() {
				err := h.toggle(ctx, p)
				for service.ErrorCode(err) == service.CodeBusy {
					// On a slow disk the others' changes can take longer than one waits for them.
					err = h.toggle(ctx, p)
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		changers.Wait()
		now, err := h.Publication(ctx, h.caller, p.ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := h.call(t, http.MethodGet, "/greeting"); now.Status.Callable() != (got.Status == http.StatusOK) {
			t.Fatalf("it is %s and answers %s", now.Status, got)
		}
	}
}
