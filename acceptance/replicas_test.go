// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package acceptance

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// fleet is some services, and maybe gateways, on one store in PostgreSQL.
type fleet struct {
	dsn string
	*servicetest.Service
	others []*servicetest.Service
	rev    *client.Client
	conn   service.Connection
}

// startFleet starts three services with these flags. A developer who decides on reviews has a connection.
func startFleet(t *testing.T, flags ...string) *fleet {
	t.Helper()
	f := &fleet{dsn: pgtest.Database(t)}
	flags = append(flags, "--store", f.dsn)
	f.Service = startService(t, flags...)
	for range 2 {
		f.others = append(f.others, servicetest.StartReplica(t, f.Service, flags...))
	}
	f.rev = f.Client(f.Developer("rev", true))
	var err error
	f.conn, err = f.rev.CreateConnection(t.Context(), service.ConnectionInput{ConnectionSpec: service.ConnectionSpec{Name: "numbers", Engine: service.EngineSQLite, File: "numbers.db"}})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// all are all processes.
func (f *fleet) all() []*servicetest.Service {
	return append([]*servicetest.Service{f.Service}, f.others...)
}

func (f *fleet) api(t *testing.T, name string, auth service.AuthType) service.API {
	t.Helper()
	api, err := f.rev.CreateAPI(t.Context(), service.APIInput{APISpec: service.APISpec{Name: name, Definition: service.Definition{
		Path: "/" + name, Method: service.MethodGet, AuthType: auth, AllowAppCode: auth == service.AuthApp, ConnectionID: f.conn.ID,
		Script:             &service.Script{SQL: "SELECT n FROM numbers WHERE n = 1"},
		ResponseParameters: map[string]service.ResponseParameter{"n": {Type: service.TypeInt}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// publish publishes an API and waits for every gateway.
func (f *fleet) publish(t *testing.T, api service.API) service.Publication {
	t.Helper()
	p, err := f.rev.Publish(t.Context(), service.PublishInput{APIID: api.ID, Revision: 1}, client.AwaitGateways())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// wantEverywhere checks at once what every one of the processes answers.
func wantEverywhere(t *testing.T, services []*servicetest.Service, path string, want int) {
	t.Helper()
	for i, s := range services {
		if got, body := s.Call(path); got != want {
			t.Errorf("process %d answers %s with %d %s, want %d", i, path, got, body, want)
		}
	}
}

// probe reads /readyz of a gateway.
func probe(t *testing.T, s *servicetest.Service) (status int, said string) {
	t.Helper()
	resp, err := http.Get(s.ControlPlane + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct{ Status, Detail string }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, answer.Status
}

func TestWhatIsPublishedOnOneReplicaIsServedByAllWhenTheWaitIsOver(t *testing.T) {
	t.Parallel()
	f := startFleet(t)
	for i := range 5 {
		name := fmt.Sprintf("orders_%d", i)
		p := f.publish(t, f.api(t, name, service.AuthNone))
		if len(p.LaggingGateways) > 0 || p.Note != "" {
			t.Fatalf("not all serve it: %v %q", p.LaggingGateways, p.Note)
		}
		wantEverywhere(t, f.all(), "/"+name, http.StatusOK)
		// Another replica takes it away again.
		other := f.others[i%2].Client(f.Developer(fmt.Sprintf("dev_%d", i), true))
		if p, err := other.Suspend(t.Context(), p.ID, service.ActionInput{}, client.AwaitGateways()); err != nil || len(p.LaggingGateways) > 0 {
			t.Fatalf("the suspension ends with %v, and %v do not serve it", err, p.LaggingGateways)
		}
		wantEverywhere(t, f.all(), "/"+name, http.StatusForbidden)
	}

	// A gateway that starts later has it all, and what comes later; that of another
	// instance has nothing of it.
	g := servicetest.StartGateway(t, f.Service, "--store", f.dsn)
	wantEverywhere(t, []*servicetest.Service{g}, "/orders_0", http.StatusForbidden)
	admin := f.Client(f.AdminToken())
	if _, err := admin.CreateInstance(t.Context(), service.InstanceInput{InstanceSpec: service.InstanceSpec{Name: "edge"}}); err != nil {
		t.Fatal(err)
	}
	edge := servicetest.StartGateway(t, f.Service, "--store", f.dsn, "--instance", "edge")
	edge.Suspend() // nobody who publishes elsewhere waits for it
	if p := f.publish(t, f.api(t, "late", service.AuthNone)); len(p.LaggingGateways) > 0 {
		t.Errorf("not all serve it: %v", p.LaggingGateways)
	}
	wantEverywhere(t, append(f.all(), g), "/late", http.StatusOK)
	edge.Resume()
	wantEverywhere(t, []*servicetest.Service{edge}, "/late", http.StatusNotFound)
	if status, said := probe(t, g); status != http.StatusOK || said != "ready" {
		t.Errorf("/readyz of the gateway answers %d %s", status, said)
	}

	// One that is killed is named, first after having been waited for, then at once. One
	// that ends in order is not.
	edge.Stop(syscall.SIGTERM)
	g.Kill()
	named := func(took time.Duration, p service.Publication, dead bool) {
		t.Helper()
		if len(p.LaggingGateways) != 1 {
			t.Fatalf("after %s the gateways that lag are %v, want the one that was killed", took, p.LaggingGateways)
		}
		l := p.LaggingGateways[0]
		if address := strings.TrimPrefix(g.Gateway, "http://"); l.Dead != dead && dead || !slices.Equal(l.Addresses, []string{address}) || l.Name == "" {
			t.Errorf("the gateway that lags is %+v, want %s", l, address)
		}
	}
	began := time.Now()
	p := f.publish(t, f.api(t, "after_the_kill", service.AuthNone))
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("it was waited %s for a gateway that was killed", took)
	}
	named(time.Since(began), p, false)
	wantEverywhere(t, f.all(), "/after_the_kill", http.StatusOK)
	servicetest.Eventually(t, 15*time.Second, "the gateway counts as dead", func() bool {
		began = time.Now()
		p, err := f.rev.Suspend(t.Context(), p.ID, service.ActionInput{}, client.AwaitGateways())
		if err == nil && time.Since(began) < 2*time.Second {
			named(time.Since(began), p, true)
			return true
		}
		if _, err := f.rev.Restore(t.Context(), p.ID, service.ActionInput{}); err != nil {
			t.Fatal(err)
		}
		return false
	})
}

// The calls of vendors' clients know no wait, and return when every gateway serves the change.
func TestAVendorsCallReturnsWhenEveryGatewayServesTheChange(t *testing.T) {
	t.Parallel()
	f := startFleet(t)
	admin := f.Client(f.AdminToken())
	instance, err := admin.Instance(t.Context(), service.DefaultInstance)
	if err != nil {
		t.Fatal(err)
	}
	api := f.api(t, "vendors", service.AuthNone)
	f.publish(t, api)
	token := f.Developer("vendor", true)
	const gateway = "/v2/default/apigw/instances/default/apis"
	single := func(action string) string {
		return fmt.Sprintf(`{"action":%q,"env_id":%q,"api_id":%q}`, action, service.ReleaseEnvironmentID, api.ID)
	}
	batch := fmt.Sprintf(`{"apis":[%q],"env_id":%q}`, api.ID, service.ReleaseEnvironmentID)
	cluster := "/v1/default/service/apis/" + api.ID + "/instances/" + instance.ID
	for range 5 {
		for _, step := range []struct {
			path, body string
			want       int
		}{
			{gateway + "/action", single("offline"), http.StatusNotFound},
			{gateway + "/action", single("online"), http.StatusOK},
			{gateway + "/publish?action=offline", batch, http.StatusNotFound},
			{gateway + "/publish?action=online", batch, http.StatusOK},
			{cluster + "/action", `{"action":"STOP"}`, http.StatusForbidden},
			{cluster + "/action", `{"action":"RECOVER"}`, http.StatusOK},
		} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.ControlPlane+step.path, strings.NewReader(step.body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("X-Auth-Token", token)
			req.Header.Set("Content-Type", "application/json")
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if err != nil || resp.StatusCode/100 != 2 {
				t.Fatalf("%s %s is answered %s %s, %v", step.path, step.body, resp.Status, body, err)
			}
			wantEverywhere(t, f.all(), "/vendors", step.want)
		}
	}
}

// The connection on which PostgreSQL tells of changes is cut again and again while others
// publish: each publication arrives all the same, and the gateway listens again.
func TestAGatewayFollowsThoughItsNotificationsAreCutOff(t *testing.T) {
	t.Parallel()
	f := startFleet(t)
	g := servicetest.StartGateway(t, f.Service, "--store", f.dsn)
	db, err := sql.Open("pgx", f.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	cut := func() (n int) {
		t.Helper()
		err := db.QueryRowContext(t.Context(), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'dataservice listener'`).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	bites := 0
	for i := range 10 {
		api := f.api(t, fmt.Sprintf("cut_%d", i), service.AuthNone)
		bites += cut()
		if p := f.publish(t, api); len(p.LaggingGateways) > 0 {
			t.Errorf("not all serve %s: %v", api.Name, p.LaggingGateways)
		}
		wantEverywhere(t, append(f.all(), g), "/"+api.Name, http.StatusOK)
	}
	if bites < 10 {
		t.Errorf("%d connections were cut, which proves nothing", bites)
	}
	servicetest.Eventually(t, 15*time.Second, "all listen again", func() bool {
		var n int
		if err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'dataservice listener'`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n == 4
	})
}

// A gateway that loses its database altogether answers on, says so, and catches up.
func TestAGatewayAnswersOnWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	f := startFleet(t)
	name := f.dsn[strings.LastIndex(f.dsn, "/")+1:]
	name, _, _ = strings.Cut(name, "?")
	server, err := sql.Open("pgx", strings.Replace(f.dsn, name, "postgres", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Close() }()
	execute := func(statement string) {
		t.Helper()
		if _, err := server.ExecContext(context.WithoutCancel(t.Context()), statement); err != nil {
			t.Fatal(err)
		}
	}
	f.publish(t, f.api(t, "before", service.AuthNone))
	g := servicetest.StartGateway(t, f.Service, "--store", f.dsn)

	execute(`ALTER DATABASE ` + name + ` WITH ALLOW_CONNECTIONS false`)
	execute(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '` + name + `'`)
	servicetest.Eventually(t, 15*time.Second, "the gateway says that its routes are old", func() bool {
		status, said := probe(t, g)
		if status != http.StatusOK {
			t.Errorf("/readyz answers %d %s", status, said)
		}
		return said == "stale"
	})
	wantEverywhere(t, append(f.all(), g), "/before", http.StatusOK)
	execute(`ALTER DATABASE ` + name + ` WITH ALLOW_CONNECTIONS true`)
	servicetest.Eventually(t, 15*time.Second, "the gateway follows again", func() bool {
		_, said := probe(t, g)
		return said == "ready"
	})
	if p := f.publish(t, f.api(t, "after", service.AuthNone)); len(p.LaggingGateways) > 0 {
		t.Errorf("not all serve it: %v", p.LaggingGateways)
	}
	wantEverywhere(t, append(f.all(), g), "/after", http.StatusOK)
}

// keptAt is when the routes on the gateway's disk were what it served.
func keptAt(t *testing.T, g *servicetest.Service) time.Time {
	t.Helper()
	_, metrics := g.Metrics()
	_, rest, found := strings.Cut(metrics, "\ndataservice_route_file_timestamp_seconds ")
	if !found {
		return time.Time{}
	}
	text, _, _ := strings.Cut(rest, "\n")
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.UnixMicro(int64(seconds * 1e6))
}

// A gateway that is killed and started again while nobody has the database serves what it
// kept on its disk, unless that is torn, and follows when the database is back.
func TestAGatewayStartsWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	f := startFleet(t)
	address, err := url.Parse(f.dsn)
	if err != nil {
		t.Fatal(err)
	}
	door := newDoor(t, address.Host)
	address.Host = door.Listen
	g := servicetest.StartGateway(t, f.Service, "--store", address.String())
	f.publish(t, f.api(t, "before", service.AuthNone))
	taken := f.publish(t, f.api(t, "taken", service.AuthNone))
	if _, err := f.rev.Suspend(t.Context(), taken.ID, service.ActionInput{}, client.AwaitGateways()); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(g.DataDir, "routes.sealed")
	// What is written after one more change has the suspension in it.
	suspended := time.Now()
	f.publish(t, f.api(t, "last", service.AuthNone))
	servicetest.Eventually(t, 15*time.Second, "the routes are on the disk", func() bool { return keptAt(t, g).After(suspended) })
	g.Kill()
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	door.Stop()
	door.wantRefused()

	if err := os.WriteFile(file, whole[:len(whole)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	if said := g.WantNoStart(); !strings.Contains(said, "are not used: it is torn or was changed") {
		t.Errorf("with a torn file the gateway says:\n%s", said)
	}
	if err := os.WriteFile(file, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	g.Start()
	wantEverywhere(t, []*servicetest.Service{g}, "/before", http.StatusOK)
	wantEverywhere(t, []*servicetest.Service{g}, "/taken", http.StatusForbidden)
	if status, said := probe(t, g); status != http.StatusOK || said != "stale" {
		t.Errorf("/readyz of the gateway answers %d %s", status, said)
	}
	inUse := func() bool {
		_, metrics := g.Metrics()
		return strings.Contains(metrics, "\ndataservice_route_file_in_use 1\n")
	}
	if !inUse() {
		t.Error("the metrics do not say that the routes are from the disk")
	}
	if p := f.publish(t, f.api(t, "meanwhile", service.AuthNone)); len(p.LaggingGateways) != 1 {
		t.Errorf("the gateways that lag are %v, want the one without the database", p.LaggingGateways)
	}
	wantEverywhere(t, []*servicetest.Service{g}, "/meanwhile", http.StatusNotFound)

	if err := door.Start(); err != nil {
		t.Fatal(err)
	}
	servicetest.Eventually(t, 15*time.Second, "the gateway follows again", func() bool {
		_, said := probe(t, g)
		return said == "ready" && !inUse()
	})
	wantEverywhere(t, []*servicetest.Service{g}, "/meanwhile", http.StatusOK)
	// The process that was killed may still be named, as one that is dead.
	for _, l := range f.publish(t, f.api(t, "after", service.AuthNone)).LaggingGateways {
		if !l.Dead {
			t.Errorf("not all serve it: %+v", l)
		}
	}
	// It was ready before the publication, so it was waited for.
	wantEverywhere(t, append(f.all(), g), "/after", http.StatusOK)
	for _, line := range []string{"serves the routes that it kept on the disk", "the gateway follows the store again"} {
		if !strings.Contains(g.Log(), line) {
			t.Errorf("the log does not say that %s", line)
		}
	}
}

// Three replicas see the same deadlines come: each is executed once.
func TestThreeReplicasExecuteEachDeadlineOnce(t *testing.T) {
	t.Parallel()
	f := startFleet(t)
	ctx := t.Context()
	app, err := f.rev.CreateApp(ctx, service.AppInput{AppSpec: service.AppSpec{Name: "shop"}})
	if err != nil {
		t.Fatal(err)
	}
	credentials, err := f.rev.AppCredentials(ctx, app.ID)
	if err != nil {
		t.Fatal(err)
	}
	call := func(s *servicetest.Service, path string) int {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Gateway+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Apig-AppCode", credentials.AppCode)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	const publications = 40
	ids := make([]string, publications)
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for i := range ids {
		api := f.api(t, fmt.Sprintf("ends_%d", i), service.AuthApp)
		group.Go(func() error {
			p, err := f.rev.Publish(groupCtx, service.PublishInput{APIID: api.ID, Revision: 1})
			if err != nil {
				return err
			}
			ids[i] = p.ID
			if _, err := f.rev.Authorize(groupCtx, service.AuthorizeInput{APIID: api.ID, AppID: app.ID}); err != nil {
				return err
			}
			if i%2 == 0 {
				_, err = f.rev.Suspend(groupCtx, p.ID, service.ActionInput{})
			} else {
				_, err = f.rev.Unpublish(groupCtx, p.ID, service.ActionInput{})
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("pgx", f.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, s := range f.all() {
		servicetest.Eventually(t, 15*time.Second, "the app calls until then", func() bool { return call(s, "/ends_0") == http.StatusOK && call(s, "/ends_39") == http.StatusOK })
	}
	past := time.Now().Add(-time.Minute).UTC().Format("2006-01-02T15:04:05.000000Z")
	if _, err := db.ExecContext(ctx, `UPDATE publications SET deadline = $1 WHERE deadline IS NOT NULL`, past); err != nil {
		t.Fatal(err)
	}
	servicetest.Eventually(t, 15*time.Second, "all that was announced has happened", func() bool {
		for i, id := range ids {
			p, err := f.rev.Publication(ctx, id, 0)
			if err != nil {
				t.Fatal(err)
			}
			if want := []service.Status{service.StatusStopped, service.StatusOffline}[i%2]; p.Status != want {
				return false
			}
		}
		return true
	})
	rows, err := db.QueryContext(ctx, `SELECT thing_id, count(*) FROM events WHERE action = 'publication.settle' GROUP BY thing_id`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	settled := 0
	for rows.Next() {
		var id string
		var n int
		if err := rows.Scan(&id, &n); err != nil {
			t.Fatal(err)
		}
		settled++
		if n != 1 {
			t.Errorf("the end of %s was executed %d times", id, n)
		}
	}
	if rows.Err() != nil || settled != publications {
		t.Errorf("%d ends were executed, want %d (%v)", settled, publications, rows.Err())
	}
	servicetest.Eventually(t, 15*time.Second, "no gateway lets anybody through", func() bool {
		for _, s := range f.all() {
			for i := range publications {
				if status := call(s, fmt.Sprintf("/ends_%d", i)); status != []int{http.StatusForbidden, http.StatusNotFound}[i%2] {
					return false
				}
			}
		}
		return true
	})
	if report, err := f.rev.VerifyEvents(ctx); err != nil || !report.Intact {
		t.Errorf("the audit trail is broken: %+v (%v)", report, err)
	}
}

// A gateway that does not follow is a warning that names it. The apply succeeds, and
// nothing is tainted: the next plan is empty.
func TestAGatewayThatLagsIsAWarningOfTheApply(t *testing.T) {
	t.Parallel()
	f := startFleet(t)
	g := servicetest.StartGateway(t, f.Service, "--store", f.dsn)
	w := workdir(f.Service, f.Developer("ada", true), fmt.Sprintf(`
resource "dataservice_api" "one" {
  name                = "one_api"
  path                = "/one"
  method              = "GET"
  auth_type           = "NONE"
  connection_id       = %q
  script              = { sql = "SELECT n FROM numbers WHERE n = 1" }
  response_parameters = { n = { type = "INT" } }
}

resource "dataservice_publication" "one" {
  api_id       = dataservice_api.one.id
  api_revision = dataservice_api.one.revision
}
`, f.conn.ID))
	g.Suspend()
	w.Apply().Succeeds(t, "is not the same on every gateway yet", strings.TrimPrefix(g.Gateway, "http://"))
	wantEverywhere(t, f.all(), "/one", http.StatusOK)
	w.Plan().Succeeds(t, "No changes")
	g.Resume()
	servicetest.Eventually(t, 15*time.Second, "the gateway follows", func() bool { status, _ := g.Call("/one"); return status == http.StatusOK })
	if destroyed := w.Destroy(); strings.Contains(destroyed.Output, "not the same on every gateway") {
		t.Errorf("a gateway that follows is warned of:\n%s", destroyed.Output)
	}
	wantEverywhere(t, append(f.all(), g), "/one", http.StatusNotFound)
}
