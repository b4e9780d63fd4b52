// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package acceptance

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// perRound is how many APIs each round of a crash test creates and publishes.
const perRound = 3

// roundConfig is the configuration of one round: a connection, APIs that answer
// their number, and their publications.
func roundConfig(round, answer int) string {
	return fmt.Sprintf(`
resource "dataservice_connection" "numbers" {
  name   = "numbers_%[1]d"
  engine = "SQLITE"
  file   = "numbers.db"
}

resource "dataservice_api" "number" {
  count               = %[3]d
  name                = "number_%[1]d_${count.index}"
  path                = "/number_%[1]d/${count.index}"
  method              = "GET"
  auth_type           = "NONE"
  connection_id       = dataservice_connection.numbers.id
  script              = { sql = "SELECT n FROM numbers WHERE n = %[2]d" }
  response_parameters = { n = { type = "INT" } }
}

resource "dataservice_publication" "number" {
  count        = %[3]d
  api_id       = dataservice_api.number[count.index].id
  api_revision = dataservice_api.number[count.index].revision
}
`, round, answer, perRound)
}

// checkRound checks that everything of a round exists, exactly once, at the revision.
func checkRound(t *testing.T, c *client.Client, round int, revision int64) {
	t.Helper()
	apis, publications := 0, 0
	prefix := fmt.Sprintf("number_%d_", round)
	for _, a := range all(t, c.APIs) {
		if strings.HasPrefix(a.Name, prefix) {
			apis++
			if a.Revision != revision {
				t.Errorf("%s is at revision %d, want %d", a.Name, a.Revision, revision)
			}
		}
	}
	for _, p := range all(t, publicationsOf(c)) {
		if strings.HasPrefix(p.APIName, prefix) {
			publications++
			if p.TargetRevision() != revision {
				t.Errorf("the publication of %s is on the way to revision %d, want %d", p.APIName, p.TargetRevision(), revision)
			}
		}
	}
	connections := 0
	for _, conn := range all(t, c.Connections) {
		if conn.Name == fmt.Sprintf("numbers_%d", round) {
			connections++
		}
	}
	if apis != perRound || publications != perRound || connections != 1 {
		t.Fatalf("round %d left %d APIs, %d publications and %d connections; want %d, %d and 1", round, apis, publications, connections, perRound, perRound)
	}
}

func publicationsOf(c *client.Client) func(context.Context, client.Page) (service.List[service.Publication], error) {
	return func(ctx context.Context, page client.Page) (service.List[service.Publication], error) {
		return c.Publications(ctx, client.PublicationFilter{}, page)
	}
}

func pendingReviews(c *client.Client) func(context.Context, client.Page) (service.List[service.Review], error) {
	return func(ctx context.Context, page client.Page) (service.List[service.Review], error) {
		return c.Reviews(ctx, client.ReviewFilter{Status: service.ReviewPending}, page)
	}
}

// acknowledged is what the state says that the service has confirmed.
func acknowledged(w *workdir) (ids []string) {
	for i := range perRound {
		if id := w.attribute(fmt.Sprintf("dataservice_api.number[%d]", i), "id"); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// TestTheServiceIsKilledDuringApplies kills the service at random moments of
// applies that create and then change everything, and starts it again at once.
// What an apply was told to be done must be there, and the next apply converges.
func TestTheServiceIsKilledDuringApplies(t *testing.T) {
	h := newHouse(t)
	token := h.token("rita", service.RoleDeveloper, true)
	admin := h.client(h.adminToken())
	killed := 0
	for round := 1; killed < kills(t); round++ {
		w := h.workdir(token, roundConfig(round, 1))
		for revision := int64(1); revision <= 2; revision++ {
			w.write(roundConfig(round, int(revision)))
			apply := w.command("apply", "-auto-approve", "-no-color", "-input=false")
			if err := apply.Start(); err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			go func() { _ = apply.Wait(); close(done) }()
			for running := true; running; {
				select {
				case <-done:
					running = false
				case <-time.After(time.Duration(100+rand.IntN(900)) * time.Millisecond):
					h.kill()
					h.start()
					killed++
				}
			}
			for _, id := range acknowledged(w) {
				if _, err := admin.API(t.Context(), id); err != nil {
					t.Fatalf("after %d kills the API %s, which the state has, is gone: %v", killed, id, err)
				}
			}
			w.mustApply()
			w.mustPlanEmpty()
			checkRound(t, admin, round, revision)
			for i := range perRound {
				path := fmt.Sprintf("/number_%d/%d", round, i)
				if status, body := h.call(path); status != http.StatusOK || !strings.Contains(body, fmt.Sprintf(`{"n":%d}`, revision)) {
					t.Fatalf("after %d kills %s answers %d %s, want %d", killed, path, status, body, revision)
				}
			}
		}
	}
	t.Logf("the service was killed %d times", killed)
}

// TestWhatWasAcknowledgedSurvives writes through the native API as fast as it goes
// while the service is killed, and then looks for every write that was answered.
func TestWhatWasAcknowledgedSurvives(t *testing.T) {
	h := newHouse(t)
	c := h.client(h.token("rita", service.RoleDeveloper, true))
	conn, err := c.CreateConnection(t.Context(), service.ConnectionInput{
		ConnectionSpec: service.ConnectionSpec{Name: "numbers", Engine: service.EngineSQLite, File: "numbers.db"},
	})
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	written := make(chan map[string]string)
	go func() {
		ids := map[string]string{}
		defer func() { written <- ids }()
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			name := "acknowledged_" + strconv.Itoa(i)
			in := service.APIInput{APISpec: service.APISpec{Name: name, Definition: service.Definition{
				Path: "/" + name, Method: service.MethodGet, AuthType: service.AuthNone, ConnectionID: conn.ID,
				Script:             &service.Script{SQL: "SELECT n FROM numbers"},
				ResponseParameters: map[string]service.ResponseParameter{"n": {Type: service.TypeInt}},
			}}}
			api, err := c.CreateAPI(t.Context(), in)
			if err != nil {
				continue
			}
			ids[name] = api.ID
			p, err := c.Publish(t.Context(), service.PublishInput{APIID: api.ID, Revision: 1})
			if err == nil {
				ids[name] += " " + p.ID
			}
		}
	}()
	n := kills(t)
	for range n {
		time.Sleep(time.Duration(50+rand.IntN(250)) * time.Millisecond) // the random moment
		h.kill()
		h.start()
	}
	close(stop)
	ids := <-written
	t.Logf("%d APIs were acknowledged over %d kills", len(ids), n)
	if len(ids) < n {
		t.Errorf("only %d APIs were created: the service hardly ran", len(ids))
	}
	for name, id := range ids {
		apiID, publicationID, published := strings.Cut(id, " ")
		if api, err := c.API(t.Context(), apiID); err != nil || api.Name != name {
			t.Errorf("%s was acknowledged and is lost: %v", name, err)
		}
		if !published {
			continue
		}
		if p, err := c.Publication(t.Context(), publicationID, 0); err != nil || p.Status != service.StatusPublished {
			t.Errorf("the publication of %s was acknowledged and is %s: %v", name, p.Status, err)
		}
		if status, body := h.call("/" + name); status != http.StatusOK {
			t.Errorf("%s was published and answers %d %s", name, status, body)
		}
	}
}

// TestThePluginIsKilledDuringApplies kills the provider at random moments of
// applies by a developer, whose publications wait for review. The next apply goes on
// from there, and there is exactly one application for each publication.
func TestThePluginIsKilledDuringApplies(t *testing.T) {
	h := newHouse(t)
	token := h.token("dana", service.RoleDeveloper, false)
	admin := h.client(h.adminToken())
	n := kills(t)
	for round := 1; round <= n; round++ {
		w := h.workdir(token, roundConfig(round, 1))
		apply := w.command("apply", "-auto-approve", "-no-color", "-input=false")
		if err := apply.Start(); err != nil {
			t.Fatal(err)
		}
		killPluginOf(t, apply.Process.Pid)
		_ = apply.Wait()
		w.mustApply()
		w.mustPlanEmpty()
		checkRound(t, admin, round, 1)
		pending := map[string]int{}
		for _, r := range all(t, pendingReviews(admin)) {
			pending[r.APIName]++
		}
		for i := range perRound {
			if name := fmt.Sprintf("number_%d_%d", round, i); pending[name] != 1 {
				t.Fatalf("round %d: %s has %d applications, want 1", round, name, pending[name])
			}
		}
	}
}

// killPluginOf kills the provider process of a running apply, between 0 and 500 ms
// after it started working: the CLI starts it several times, the last time for the apply.
func killPluginOf(t *testing.T, cli int) {
	t.Helper()
	time.Sleep(time.Duration(400+rand.IntN(700)) * time.Millisecond) // the random moment
	for _, pid := range pluginsOf(t, cli) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// pluginsOf finds the provider processes that a CLI process has started.
func pluginsOf(t *testing.T, cli int) []int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(stats) == 0 {
		t.Skip("this system has no /proc to find the plugin's process in")
	}
	var pids []int
	for _, file := range stats {
		data, err := os.ReadFile(file)
		if err != nil {
			continue // ended meanwhile
		}
		// pid (name) state ppid …
		_, rest, found := strings.Cut(string(data), ") ")
		fields := strings.Fields(rest)
		if !found || len(fields) < 2 || fields[1] != strconv.Itoa(cli) {
			continue
		}
		if strings.Contains(string(data), "(terraform-prov") {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}
