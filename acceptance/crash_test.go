// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package acceptance

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
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
	for _, a := range all(t, apisOf(c)) {
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

// acknowledged is what the state says that the service has confirmed.
func acknowledged(w *servicetest.Workdir) (ids []string) {
	for i := range perRound {
		if id, ok := w.State(fmt.Sprintf("dataservice_api.number[%d]", i))["id"].(string); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// TestTheServiceIsKilledDuringApplies kills the service at random moments of
// applies that create and then change everything, and starts it again at once.
// What an apply was told to be done must be there, and the next apply converges.
func TestTheServiceIsKilledDuringApplies(t *testing.T) {
	s := startService(t)
	token := s.Developer("rev", true)
	admin := s.Client(s.AdminToken())
	killed := 0
	for round := 1; killed < kills(t); round++ {
		w := s.Workdir(token)
		for revision := int64(1); revision <= 2; revision++ {
			w.Write("main.tf", roundConfig(round, int(revision)))
			for apply := w.BeginApply(); !apply.Ended(); {
				select {
				case <-apply.Done():
				case <-time.After(time.Duration(100+rand.IntN(900)) * time.Millisecond):
					s.Kill()
					s.Start()
					killed++
				}
			}
			for _, id := range acknowledged(w) {
				if _, err := admin.API(t.Context(), id); err != nil {
					t.Fatalf("after %d kills the API %s, which the state has, is gone: %v", killed, id, err)
				}
			}
			w.Apply().Succeeds(t)
			w.Plan().Succeeds(t)
			checkRound(t, admin, round, revision)
			for i := range perRound {
				path := fmt.Sprintf("/number_%d/%d", round, i)
				if status, body := s.Call(path); status != http.StatusOK || !strings.Contains(body, fmt.Sprintf(`{"n":%d}`, revision)) {
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
	s := startService(t)
	c := s.Client(s.Developer("rev", true))
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
		s.Kill()
		s.Start()
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
		if status, body := s.Call("/" + name); status != http.StatusOK {
			t.Errorf("%s was published and answers %d %s", name, status, body)
		}
	}
}

// TestThePluginIsKilledDuringApplies kills the provider at random moments of
// applies by a developer, whose publications wait for review. The next apply goes on
// from there, and there is exactly one application for each publication.
func TestThePluginIsKilledDuringApplies(t *testing.T) {
	s := startService(t)
	token := s.Developer("dev", false)
	admin := s.Client(s.AdminToken())
	n, hits, rounds := kills(t), 0, 0
	// window is how long after its first resource an apply is at work, as far as is known.
	window := 500 * time.Millisecond
	for round := 1; hits < n; round++ {
		if round > 2*n+3 {
			t.Fatalf("%d of %d applies were hit: most kills come too late", hits, rounds)
		}
		rounds = round
		w := workdir(s, token, roundConfig(round, 1))
		apply := w.BeginApply()
		apply.Says("Creating...")
		began := time.Now()
		select {
		case <-apply.Done():
			window = time.Since(began)
		case <-time.After(rand.N(window)): // the random moment
		}
		killed := killPlugins(t, apply.Process().Pid)
		if apply.Wait(time.Minute).Code != 0 && killed > 0 {
			hits++
		}
		w.Apply().Succeeds(t)
		w.Plan().Succeeds(t)
		checkRound(t, admin, round, 1)
		applications := map[string]int{}
		for _, r := range all(t, reviewsOf(admin)) {
			applications[r.APIName]++
		}
		for i := range perRound {
			if name := fmt.Sprintf("number_%d_%d", round, i); applications[name] != 1 {
				t.Fatalf("round %d: there were %d applications for %s, want 1", round, applications[name], name)
			}
		}
	}
	t.Logf("the plugin was killed in %d of %d applies", hits, rounds)
}
