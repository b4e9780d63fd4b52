// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package torture

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

const (
	replicas   = 3                // of control planes, and of gateways
	tracks     = 4                // publications that clients work on
	recoversIn = 30 * time.Second // after the end of all faults
)

// node is one process, with the doors on its connections: between it and who calls it, and
// between it and the database.
type node struct {
	*servicetest.Service
	name         string
	front, store *door
	// mu is held by the fault that has the process down or halted.
	mu sync.Mutex
}

// door is an address at which connections lead on to another one. Faults are put into it.
type door struct {
	*toxiproxy.Proxy
	name string
	// mu is held by the fault that is in it.
	mu sync.Mutex
}

// world is all that runs.
type world struct {
	t        testing.TB
	began    time.Time
	postgres *postgres
	controls []*node
	gateways []*node
	door     func(name, to string) *door
	// clients are those of the control planes, through their doors.
	clients []*client.Client
	token   string
	// publications are what the clients work on, by track.
	publications []service.Publication
	connection   service.Connection
	sqlite       *cramped
	// faults are those that may happen.
	faults []fault

	// applying is held while Terraform runs; number is what it is to apply.
	applying  sync.Mutex
	terraform *servicetest.Workdir
	number    int

	mu sync.Mutex
	// blinds are the times in which each gateway cannot follow, of this round.
	blinds [replicas][]blind
}

func (w *world) now() time.Duration { return time.Since(w.began) }

// newWorld starts it all: PostgreSQL, the services, the gateways, and doors between every two.
func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, began: time.Now(), postgres: startPostgres(t)}
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	w.door = func(name, to string) *door {
		d := &door{Proxy: toxiproxy.NewProxy(server, name, "127.0.0.1:0", strings.TrimPrefix(to, "http://")), name: name}
		if err := server.Collection.Add(d.Proxy, true); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(d.Stop)
		return d
	}
	for i := range replicas {
		n := &node{name: fmt.Sprintf("service %d", i), store: w.door(fmt.Sprintf("service-store-%d", i), w.postgres.Address)}
		flags := []string{"--store", pgtest.StoreDSN(n.store.Listen), "--log-level", "warn"}
		if i == 0 {
			n.Service = servicetest.Start(t, flags...)
		} else {
			n.Service = servicetest.StartReplica(t, w.controls[0].Service, flags...)
		}
		n.front = w.door(fmt.Sprintf("client-service-%d", i), n.ControlPlane)
		w.controls = append(w.controls, n)
	}
	w.controls[0].Database("numbers.db", "CREATE TABLE numbers (n INTEGER); INSERT INTO numbers VALUES (1)")
	for i := range replicas {
		n := &node{name: fmt.Sprintf("gateway %d", i), store: w.door(fmt.Sprintf("gateway-store-%d", i), w.postgres.Address)}
		n.Service = servicetest.StartGateway(t, w.controls[0].Service, "--store", pgtest.StoreDSN(n.store.Listen), "--log-level", "warn")
		n.front = w.door(fmt.Sprintf("client-gateway-%d", i), n.Gateway)
		w.gateways = append(w.gateways, n)
	}
	w.token = w.controls[0].Developer("rev", true)
	for _, n := range w.controls {
		// As a user of the client would have it, but less patient, lest a round takes minutes.
		c, err := client.New(client.Config{Endpoint: "http://" + n.front.Listen, Token: w.token, RequestTimeout: 4 * time.Second, MaxRetries: 1})
		if err != nil {
			t.Fatal(err)
		}
		w.clients = append(w.clients, c)
	}
	w.publish()
	w.terraform = w.newTerraform()
	w.sqlite = startCramped(t)
	return w
}

// nodes are all processes of the service.
func (w *world) nodes() []*node { return append(append([]*node{}, w.controls...), w.gateways...) }

// publish makes the APIs that clients work on, each with two versions.
func (w *world) publish() {
	w.t.Helper()
	ctx, c := w.t.Context(), w.clients[0]
	var err error
	w.connection, err = c.CreateConnection(ctx, service.ConnectionInput{ConnectionSpec: service.ConnectionSpec{Name: "numbers", Engine: service.EngineSQLite, File: "numbers.db"}})
	if err != nil {
		w.t.Fatal(err)
	}
	for i := range tracks {
		spec := func(version int) service.APISpec {
			return service.APISpec{Name: fmt.Sprintf("track_%d", i), Definition: service.Definition{
				Path: fmt.Sprintf("/track/%d", i), Method: service.MethodGet, AuthType: service.AuthNone, ConnectionID: w.connection.ID,
				Script:             &service.Script{SQL: fmt.Sprintf("SELECT 'V%d' AS version FROM numbers", version)},
				ResponseParameters: map[string]service.ResponseParameter{"version": {Type: service.TypeString}},
			}}
		}
		api, err := c.CreateAPI(ctx, service.APIInput{APISpec: spec(1)})
		if err != nil {
			w.t.Fatal(err)
		}
		if _, err := c.Publish(ctx, service.PublishInput{APIID: api.ID, Revision: api.Revision}); err != nil {
			w.t.Fatal(err)
		}
		if api, err = c.UpdateAPI(ctx, api.ID, service.APIInput{APISpec: spec(2)}); err != nil {
			w.t.Fatal(err)
		}
		p, err := c.Publish(ctx, service.PublishInput{APIID: api.ID, Revision: api.Revision}, client.AwaitGateways())
		if err != nil {
			w.t.Fatal(err)
		}
		w.publications = append(w.publications, p)
	}
}

// down ends the process with the signal and starts it again when the fault is over.
func (w *world) down(ctx context.Context, n *node, signal os.Signal) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.Stop(signal)
	<-ctx.Done()
	n.Launch()
}

// blind notes that the gateway cannot follow from now on, for the rest of the round.
func (w *world) blind(gateway *node) { w.cutOff(gateway, false) }

// ended notes that it is ended, too.
func (w *world) ended(gateway *node) { w.cutOff(gateway, true) }

func (w *world) cutOff(gateway *node, ended bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, n := range w.gateways {
		if n == gateway {
			w.blinds[i] = append(w.blinds[i], blind{w.now(), forever, ended})
		}
	}
}

func (w *world) allBlind() {
	for _, n := range w.gateways {
		w.blind(n)
	}
}

// recover waits until everything works again after the faults have ended, and returns how
// long that took. What ended by itself is started again, as a supervisor would do.
func (w *world) recover(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	restarted := map[*node]int{}
	for {
		waiting := w.waitsFor(ctx)
		if waiting == "" {
			return time.Since(began), nil
		}
		if time.Since(began) > recoversIn {
			return 0, fmt.Errorf("%s after the faults have ended: %s", recoversIn, waiting)
		}
		for _, n := range w.nodes() {
			if n.Ended() {
				if restarted[n]++; restarted[n] > 20 {
					return 0, fmt.Errorf("%s does not start", n.name)
				}
				n.Launch()
			}
		}
		if !pause(ctx, 50*time.Millisecond) {
			return 0, ctx.Err()
		}
	}
}

// waitsFor says what does not work yet; "" where all does.
func (w *world) waitsFor(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var newest int64
	if err := w.postgres.db.QueryRowContext(ctx, `SELECT COALESCE(MAX(revision), 0) FROM route_changes`).Scan(&newest); err != nil {
		return "PostgreSQL: " + err.Error()
	}
	for _, n := range w.controls {
		if status, body := fetch(ctx, "http://"+n.front.Listen+"/readyz"); status != http.StatusOK {
			return fmt.Sprintf("%s says %d %s", n.name, status, body)
		}
	}
	for _, n := range w.gateways {
		if _, said := fetch(ctx, n.ControlPlane+"/readyz"); !strings.Contains(said, `"ready"`) {
			return fmt.Sprintf("%s says %s", n.name, said)
		}
		_, metrics := fetch(ctx, n.ControlPlane+"/metrics")
		if at := int64(number(revisionLine, metrics)); at < newest {
			return fmt.Sprintf("%s serves revision %d of %d", n.name, at, newest)
		}
		if status, _ := fetch(ctx, "http://"+n.front.Listen+"/nothing"); status != http.StatusNotFound {
			return fmt.Sprintf("%s does not answer calls", n.name)
		}
	}
	return ""
}

// keepsUp waits until every gateway has on its disk what it serves, so that a round does not
// begin with what was changed just before it.
func (w *world) keepsUp(ctx context.Context) error {
	var last string
	if err := w.postgres.db.QueryRowContext(ctx, `SELECT COALESCE(MAX(at), '') FROM route_changes`).Scan(&last); err != nil {
		return err
	}
	changed, err := time.Parse(time.RFC3339Nano, last)
	if err != nil {
		return err
	}
	deadline := time.Now().Add(recoversIn)
	for _, n := range w.gateways {
		for {
			_, metrics := fetch(ctx, n.ControlPlane+"/metrics")
			if kept := number(keptLine, metrics); kept > float64(changed.UnixMicro())/1e6 {
				break
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("%s has not written its routes to the disk for %s", n.name, recoversIn)
			}
			if !pause(ctx, 50*time.Millisecond) {
				return ctx.Err()
			}
		}
	}
	return nil
}

// lastChanges lists what gateways were told of last, for who looks for a reason.
func (w *world) lastChanges(ctx context.Context) string {
	var listed sql.NullString
	err := w.postgres.db.QueryRowContext(ctx, `SELECT string_agg(revision || ' ' || at || ' ' || kind || ' ' || id, E'\n' ORDER BY revision) FROM
		(SELECT * FROM route_changes ORDER BY revision DESC LIMIT 40) c`).Scan(&listed)
	if err != nil {
		return err.Error()
	}
	return listed.String
}

var (
	revisionLine = regexp.MustCompile(`(?m)^dataservice_route_revision (\S+)$`)
	keptLine     = regexp.MustCompile(`(?m)^dataservice_route_file_timestamp_seconds (\S+)$`)
)

// number is what the metrics have in that line; -1 where there is none.
func number(line *regexp.Regexp, metrics string) float64 {
	match := line.FindStringSubmatch(metrics)
	if match == nil {
		return -1
	}
	n, err := strconv.ParseFloat(match[1], 64)
	if err != nil {
		return -1
	}
	return n
}

// clock is the file that says by how much the clock of the process is wrong.
func (n *node) clock() string { return filepath.Join(n.DataDir, clockFile) }

// stepClock sets the clock of the process forward or back.
func (n *node) stepClock(by time.Duration) {
	// As a whole, lest half of a number is read.
	next := n.clock() + ".next"
	if os.WriteFile(next, []byte(strconv.FormatInt(int64(by), 10)), 0o600) == nil {
		_ = os.Rename(next, n.clock())
	}
}

// clockRead reports whether the process has read a clock that is wrong, since it was asked last.
func (n *node) clockRead() bool { return os.Remove(n.clock()+".read") == nil }

// kill ends a process that is no node's.
func kill(pid int) { _ = syscall.Kill(pid, syscall.SIGKILL) }
