// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package acceptance

import (
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// announcedConfig publishes an API where published is true. What a destroy of the
// publication waits for is an app that somebody else has.
const announcedConfig = `
resource "dataservice_connection" "numbers" {
  name   = "numbers"
  engine = "SQLITE"
  file   = "numbers.db"
}

resource "dataservice_api" "number" {
  name                = "number"
  path                = "/number"
  auth_type           = "NONE"
  connection_id       = dataservice_connection.numbers.id
  script              = { sql = "SELECT n FROM numbers WHERE n = 1" }
  response_parameters = { n = { type = "INT" } }
}

resource "dataservice_publication" "number" {
  count          = var.published ? 1 : 0
  api_id         = dataservice_api.number.id
  api_revision   = dataservice_api.number.revision
  desired_status = var.desired_status
  timeouts       = { delete = var.patience }
}

variable "published" {
  default = true
}

variable "desired_status" {
  default = "PUBLISHED"
}

variable "patience" {
  default = "10m"
}
`

const announced = "dataservice_publication.number[0]"

// authorize gives the member ann an app, and the app the right to call the only published API.
func authorize(t *testing.T, s *servicetest.Service, reviewer string) (ann *client.Client) {
	t.Helper()
	ann = s.Client(s.Developer("ann", false))
	app, err := ann.CreateApp(t.Context(), service.AppInput{AppSpec: service.AppSpec{Name: "shop"}})
	if err != nil {
		t.Fatal(err)
	}
	p := all(t, publicationsOf(s.Client(reviewer)))[0]
	if _, err := s.Client(reviewer).Authorize(t.Context(), service.AuthorizeInput{APIID: p.APIID, AppID: app.ID}); err != nil {
		t.Fatal(err)
	}
	return ann
}

// confirm confirms every open notice.
func confirm(t *testing.T, owner *client.Client) {
	t.Helper()
	notices, err := owner.Notices(t.Context(), client.NoticeFilter{Status: service.NoticeOpen}, client.Page{})
	if err != nil {
		t.Fatal(err)
	}
	if len(notices.Items) != 1 {
		t.Fatalf("there are %d open notices, want 1: %+v", len(notices.Items), notices.Items)
	}
	if _, err := owner.ConfirmNotice(t.Context(), notices.Items[0].ID); err != nil {
		t.Fatal(err)
	}
}

// isLongPoll reports whether a request waits for a decision or a deadline, and not for
// the gateways alone.
func isLongPoll(r *http.Request) bool {
	wait := r.URL.Query().Get("wait")
	return wait != "" && wait != "gateways"
}

// waitsOffline returns a signal that comes when the provider waits for the apps, and
// leads w through the proxy that sends it.
func waitsOffline(t *testing.T, s *servicetest.Service, w *servicetest.Workdir) signal {
	t.Helper()
	waits := make(signal, 1)
	proxy := servicetest.Proxy{Before: func(r *http.Request) {
		if isLongPoll(r) {
			waits.send()
		}
	}}
	w.Env = append(w.Env, "DATASERVICE_ENDPOINT="+proxy.Start(t, s.ControlPlane))
	return waits
}

// TestADestroyWaitsForTheAuthorizedApps takes a publication with an authorized app out
// of the configuration: the apply waits, can be interrupted, and says who has not
// confirmed; the next one takes over what is announced, and ends when the app confirms.
func TestADestroyWaitsForTheAuthorizedApps(t *testing.T) {
	t.Parallel()
	s := startService(t)
	rev := s.Developer("rev", true)
	w := workdir(s, rev, announcedConfig)
	w.Apply().Succeeds(t)
	ann := authorize(t, s, rev)
	w.Plan().Succeeds(t, "No changes")
	waits := waitsOffline(t, s, w)

	w.Set("published=false")
	destroy := w.BeginApply()
	waits.await(t, destroy)
	if err := destroy.Process().Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	p := all(t, publicationsOf(s.Client(rev)))[0]
	if p.Status != service.StatusWaitingOffline || p.Deadline == nil {
		t.Fatalf("the publication is %s until %v", p.Status, p.Deadline)
	}
	until := p.Deadline.UTC().Format(time.RFC3339)
	destroy.Wait(time.Minute).Fails(t, "number in RELEASE is announced to go offline at "+until+" and is not offline yet",
		"Not confirmed by: shop (of ann)", "The destroy was interrupted", "destroy again to wait on")
	s.WantCall("/number", http.StatusOK)
	if w.State(announced) == nil {
		t.Fatal("the publication is no longer in the state, and still answers calls")
	}

	t.Run("the plan shows the pending destroy and nothing else", func(t *testing.T) {
		w.Plan().Ends(t, 2, announced+" will be destroyed", "0 to add, 0 to change, 1 to destroy")
	})
	t.Run("a destroy that runs into its timeout says the same", func(t *testing.T) {
		// The timeout of a destroy is that of the state.
		w.Set("published=true", "patience=2s").Apply().Succeeds(t)
		w.Set("published=false").Apply().Fails(t, "Not confirmed by: shop (of ann)", "The destroy waited for 2s")
		s.WantCall("/number", http.StatusOK)
		w.Set("published=true", "patience=10m").Apply().Succeeds(t)
		w.Plan().Succeeds(t, "No changes")
		w.Set("published=false")
	})
	t.Run("the next destroy takes over what is announced, and ends when the app confirms", func(t *testing.T) {
		if _, err := s.Client(rev).Unpublish(t.Context(), p.ID, service.ActionInput{}); err != nil {
			t.Fatal(err)
		}
		select {
		case <-waits:
		default:
		}
		again := w.BeginApply()
		waits.await(t, again)
		s.WantCall("/number", http.StatusOK)
		confirm(t, ann)
		again.Wait(time.Minute).Succeeds(t, "1 destroyed")
		s.WantCall("/number", http.StatusNotFound)
		if w.State(announced) != nil {
			t.Error("the publication is still in the state")
		}
		notices, err := ann.Notices(t.Context(), client.NoticeFilter{Kind: service.NoticeOffline, Status: service.NoticeOpen}, client.Page{})
		if err != nil || len(notices.Items) != 0 {
			t.Errorf("%d notices are open (%v)", len(notices.Items), err)
		}
	})
}

// TestASuspensionIsAnnouncedToTheAuthorizedApps suspends by desired_status.
func TestASuspensionIsAnnouncedToTheAuthorizedApps(t *testing.T) {
	t.Parallel()
	s := startService(t)
	rev := s.Developer("rev", true)
	w := workdir(s, rev, announcedConfig)
	w.Apply().Succeeds(t)
	ann := authorize(t, s, rev)

	w.Set("desired_status=STOPPED").Apply().Succeeds(t, "number in RELEASE is suspended at ", "Not confirmed by: shop (of ann)")
	w.Plan().Succeeds(t, "No changes")
	if state := w.State(announced); state["status"] != "WAITING_STOP" || state["deadline"] == nil || state["desired_status"] != "STOPPED" {
		t.Errorf("the state is %v", state)
	}
	s.WantCall("/number", http.StatusOK)

	t.Run("and is taken back", func(t *testing.T) {
		w.Set("desired_status=PUBLISHED").Apply().Succeeds(t)
		w.Plan().Succeeds(t, "No changes")
		if state := w.State(announced); state["status"] != "PUBLISHED" || state["deadline"] != nil {
			t.Errorf("the state is %v", state)
		}
	})
	t.Run("and happens when the app confirms", func(t *testing.T) {
		w.Set("desired_status=STOPPED").Apply().Succeeds(t)
		confirm(t, ann)
		w.Plan().Succeeds(t, "No changes")
		if p := all(t, publicationsOf(s.Client(rev)))[0]; p.Status != service.StatusStopped {
			t.Errorf("it is %s", p.Status)
		}
		if status, _ := s.Call("/number"); status == http.StatusOK {
			t.Error("what is suspended still answers")
		}
	})
}

// revokedConfig lets an app call an API that is published; one side ends it by a destroy.
const revokedConfig = `
resource "dataservice_connection" "numbers" {
  name   = "numbers"
  engine = "SQLITE"
  file   = "numbers.db"
}

resource "dataservice_api" "number" {
  name                = "number"
  path                = "/number"
  auth_type           = "APP"
  allow_app_code      = true
  connection_id       = dataservice_connection.numbers.id
  script              = { sql = "SELECT n FROM numbers WHERE n = 1" }
  response_parameters = { n = { type = "INT" } }
}

resource "dataservice_publication" "number" {
  api_id       = dataservice_api.number.id
  api_revision = dataservice_api.number.revision
}

resource "dataservice_authorization" "shop" {
  count    = var.authorized ? 1 : 0
  api_id   = dataservice_api.number.id
  app_id   = var.app_id
  timeouts = { delete = var.patience }
}

variable "app_id" {
  type = string
}

variable "authorized" {
  default = true
}

variable "patience" {
  default = "10m"
}
`

// TestARevocationWaitsForTheApp takes an authorization out of the API side's
// configuration: the app is told and calls on, the apply waits, can be interrupted,
// and the next one takes over what is announced and ends when the app confirms.
func TestARevocationWaitsForTheApp(t *testing.T) {
	t.Parallel()
	s := startService(t)
	ann := s.Client(s.Developer("ann", false))
	app, err := ann.CreateApp(t.Context(), service.AppInput{AppSpec: service.AppSpec{Name: "shop"}})
	if err != nil {
		t.Fatal(err)
	}
	credentials, err := ann.AppCredentials(t.Context(), app.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantCall := func(want int) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Gateway+"/number", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Apig-AppCode", credentials.AppCode)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("the app's call is answered %d, want %d", resp.StatusCode, want)
		}
	}
	rev := s.Developer("rev", true)
	w := workdir(s, rev, revokedConfig).Set("app_id=" + app.ID)
	w.Apply().Succeeds(t)
	w.Plan().Succeeds(t, "No changes")
	wantCall(http.StatusOK)
	waits := waitsOffline(t, s, w)

	w.Set("authorized=false")
	destroy := w.BeginApply()
	waits.await(t, destroy)
	if err := destroy.Process().Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	destroy.Wait(time.Minute).Fails(t, "The right of the app shop to call number in RELEASE is announced to end at", "Not confirmed by: shop (of ann)",
		"The destroy was interrupted", "destroy again to wait on")
	const shop = "dataservice_authorization.shop[0]"
	if w.State(shop) == nil {
		t.Fatal("the authorization is no longer in the state, and the app still calls")
	}
	wantCall(http.StatusOK)
	w.Plan().Ends(t, 2, shop+" will be destroyed", "0 to add, 0 to change, 1 to destroy")

	t.Run("a destroy that is taken back is a new grant", func(t *testing.T) {
		w.Set("authorized=true").Apply().Succeeds(t)
		w.Plan().Succeeds(t, "No changes")
		if state := w.State(shop); state["status"] != "ACTIVE" || state["deadline"] != nil {
			t.Errorf("the state is %v", state)
		}
		w.Set("authorized=false")
		for len(waits) > 0 {
			<-waits
		}
	})
	t.Run("the next destroy takes over what is announced, and ends when the app confirms", func(t *testing.T) {
		a := all(t, authorizationsOf(ann))[0]
		announced, err := s.Client(rev).RevokeAuthorization(t.Context(), a.ID, service.RevokeInput{RevokeAs: service.SideAPI})
		if err != nil || announced.Status != service.AuthorizationWaitingRevoke {
			t.Fatalf("somebody else's revocation makes it %s (%v)", announced.Status, err)
		}
		again := w.BeginApply()
		waits.await(t, again)
		wantCall(http.StatusOK)
		confirm(t, ann)
		again.Wait(time.Minute).Succeeds(t, "1 destroyed")
		wantCall(http.StatusForbidden)
		if w.State(shop) != nil {
			t.Error("the authorization is still in the state")
		}
	})
}
