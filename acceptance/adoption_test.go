// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package acceptance

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// governanceConfig makes one thing of each kind that a member of the default workspace
// can. Another generation changes each of them.
const governanceConfig = `
variable "generation" {
  default = 1
}

resource "dataservice_connection" "numbers" {
  name        = "numbers"
  engine      = "SQLITE"
  file        = "numbers.db"
  description = "generation ${var.generation}"
}

resource "dataservice_group" "sales" {
  name        = "sales"
  description = "generation ${var.generation}"
}

resource "dataservice_folder" "eu" {
  group_id = dataservice_group.sales.id
  name     = "eu ${var.generation}"
}

resource "dataservice_instance" "partners" {
  name       = "partners"
  host_names = ["api${var.generation}.partners.example"]
}

resource "dataservice_environment" "dev" {
  name            = "DEV"
  review_required = false
  notice_hours    = 0
  description     = "generation ${var.generation}"
}

resource "dataservice_member" "ci" {
  name     = "ci"
  role     = "DEVELOPER"
  reviewer = var.generation > 1
}

resource "dataservice_workspace" "finance" {
  name        = "finance"
  description = "generation ${var.generation}"
}

resource "dataservice_app" "shop" {
  name        = "shop"
  description = "generation ${var.generation}"
}

resource "dataservice_api" "number" {
  name                = "number"
  path                = "/number"
  auth_type           = "NONE"
  connection_id       = dataservice_connection.numbers.id
  script              = { sql = "SELECT n FROM numbers WHERE n = ${var.generation}" }
  response_parameters = { n = { type = "INT" } }
}

resource "dataservice_publication" "number" {
  api_id         = dataservice_api.number.id
  api_revision   = dataservice_api.number.revision
  environment_id = dataservice_environment.dev.id
}

# In RELEASE an admin without the reviewer right applies.
resource "dataservice_authorization" "shop" {
  api_id = dataservice_api.number.id
  app_id = dataservice_app.shop.id
  remark = "generation ${var.generation}"
}
`

// kinds are the things of governanceConfig, by the last word of the path that they are
// created at, and how many of them there are to be with those from the start.
var kinds = map[string]struct {
	want  int
	count func(*testing.T, *client.Client) int
}{
	"connections":    {1, func(t *testing.T, c *client.Client) int { return len(all(t, c.Connections)) }},
	"groups":         {1, func(t *testing.T, c *client.Client) int { return len(all(t, c.Groups)) }},
	"instances":      {2, func(t *testing.T, c *client.Client) int { return len(all(t, c.Instances)) }},
	"environments":   {3, func(t *testing.T, c *client.Client) int { return len(all(t, c.Environments)) }},
	"members":        {2, func(t *testing.T, c *client.Client) int { return len(all(t, c.Members)) }},
	"workspaces":     {2, func(t *testing.T, c *client.Client) int { return len(all(t, c.Workspaces)) }},
	"apis":           {1, func(t *testing.T, c *client.Client) int { return len(all(t, apisOf(c))) }},
	"publications":   {2, func(t *testing.T, c *client.Client) int { return len(all(t, publicationsOf(c))) }},
	"folders":        {1, func(t *testing.T, c *client.Client) int { return len(all(t, foldersOf(c))) }},
	"apps":           {1, func(t *testing.T, c *client.Client) int { return len(all(t, appsOf(c))) }},
	"authorizations": {1, func(t *testing.T, c *client.Client) int { return len(all(t, authorizationsOf(c))) }},
}

func foldersOf(c *client.Client) func(context.Context, client.Page) (service.List[service.Folder], error) {
	return func(ctx context.Context, page client.Page) (service.List[service.Folder], error) {
		return c.Folders(ctx, client.FolderFilter{}, page)
	}
}

func appsOf(c *client.Client) func(context.Context, client.Page) (service.List[service.App], error) {
	return func(ctx context.Context, page client.Page) (service.List[service.App], error) {
		return c.Apps(ctx, client.AppFilter{}, page)
	}
}

func authorizationsOf(c *client.Client) func(context.Context, client.Page) (service.List[service.Authorization], error) {
	return func(ctx context.Context, page client.Page) (service.List[service.Authorization], error) {
		return c.Authorizations(ctx, client.AuthorizationFilter{}, page)
	}
}

// createOf returns the kind of thing that a request creates.
func createOf(r *http.Request) (kind string, creates bool) {
	kind = r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	_, known := kinds[kind]
	return kind, known && r.Method == http.MethodPost
}

// onceEach is a proxy's function that calls hit at the first create of each kind, when
// the service has made the thing and before its answer is passed on, and then breaks
// the connection.
func onceEach(hit func(kind string)) func(*http.Request) {
	var mu sync.Mutex
	seen := map[string]bool{}
	return func(r *http.Request) {
		kind, creates := createOf(r)
		mu.Lock()
		if !creates || seen[kind] {
			mu.Unlock()
			return
		}
		seen[kind] = true
		mu.Unlock()
		hit(kind)
		panic(http.ErrAbortHandler)
	}
}

// checkOneOfEach checks that every kind was hit, and that everything exists once.
func checkOneOfEach(t *testing.T, s *servicetest.Service, hit []string) {
	t.Helper()
	admin := s.Client(s.AdminToken())
	for kind, k := range kinds {
		if !slices.Contains(hit, kind) {
			t.Errorf("nothing went wrong while one of the %s was created", kind)
		}
		if n := k.count(t, admin); n != k.want {
			t.Errorf("there are %d %s, want %d", n, kind, k.want)
		}
	}
	if reviews := all(t, reviewsOf(admin)); len(reviews) != 1 || reviews[0].Kind != service.ReviewAuthorize {
		t.Errorf("there are %d applications, want the one of the authorization: %+v", len(reviews), reviews)
	}
}

// TestThePluginIsKilledInTheMiddleOfEachCreate kills the provider when the service has
// made something and before the provider hears of it: the next apply takes it over.
func TestThePluginIsKilledInTheMiddleOfEachCreate(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := workdir(s, s.AdminToken(), governanceConfig)
	var (
		mu  sync.Mutex
		hit []string
		cli atomic.Int64
	)
	proxy := servicetest.Proxy{After: onceEach(func(kind string) {
		if killPlugins(t, int(cli.Load())) > 0 {
			mu.Lock()
			defer mu.Unlock()
			hit = append(hit, kind)
		}
	})}
	w.Env = append(w.Env, "DATASERVICE_ENDPOINT="+proxy.Start(t, s.ControlPlane))
	for round := 0; ; round++ {
		apply := w.BeginApply("-parallelism=1")
		cli.Store(int64(apply.Process().Pid))
		result := apply.Wait(2 * time.Minute)
		if result.Code == 0 {
			break
		}
		if round > len(kinds) {
			t.Fatalf("after %d applies it still fails: %s", round, result.Output)
		}
	}
	w.Plan().Succeeds(t, "No changes")
	checkOneOfEach(t, s, hit)
}

// TestTheServiceIsKilledInTheMiddleOfEachCreate kills the service when it has made
// something and before anybody hears of it: the apply repeats what it asked for, of
// the service that has started again, and gets what there is.
func TestTheServiceIsKilledInTheMiddleOfEachCreate(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := workdir(s, s.AdminToken(), governanceConfig)
	kill, killed := make(chan string), make(chan struct{})
	proxy := servicetest.Proxy{After: onceEach(func(kind string) {
		kill <- kind
		<-killed
	})}
	w.Env = append(w.Env, "DATASERVICE_ENDPOINT="+proxy.Start(t, s.ControlPlane))
	var hit []string
	apply := w.BeginApply("-parallelism=1")
	for running := true; running; {
		select {
		case kind := <-kill:
			s.Kill()
			s.Start()
			hit = append(hit, kind)
			killed <- struct{}{}
		case <-apply.Done():
			running = false
		}
	}
	apply.Wait(time.Minute).Succeeds(t)
	w.Plan().Succeeds(t, "No changes")
	checkOneOfEach(t, s, hit)
}
