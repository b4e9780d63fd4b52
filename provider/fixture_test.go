// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"os"
	"path"
	"path/filepath"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/provider"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// The acceptance tests run the real terraform against a real service: each test
// starts a process of its own, on free ports and an empty data directory.
//
// Two ways lead through Terraform. terraform-plugin-testing checks what one step
// after the other leaves in the state; a workdir runs the command line with the
// provider's own binary, for exit codes, warnings, logs, plans on disk and
// interrupts.

func TestMain(m *testing.M) { servicetest.Main(m) }

// factories serve the provider inside the test process. A second name stands for a
// second identity: Terraform shares one server among the aliases of one name.
var factories = map[string]func() (tfprotov6.ProviderServer, error){
	"dataservice": newServer,
	"reviewer":    newServer,
}

func newServer() (tfprotov6.ProviderServer, error) { return provider.NewServer("test")(), nil }

// testService is a running service with members.
type testService struct {
	*servicetest.Service
	t          *testing.T
	adminToken string
	admin      *client.Client
	// developer may publish after a review, reviewer decides and publishes directly.
	developer, reviewer string
}

// startService starts a service, with these flags, that has the members dev, a
// developer, and rev, a developer with the reviewer right, and the SQLite database
// orders.db.
func startService(t *testing.T, flags ...string) *testService {
	t.Helper()
	s := &testService{Service: servicetest.Start(t, flags...), t: t}
	s.writeOrders("orders.db")
	s.adminToken = s.AdminToken()
	s.admin = s.client(s.adminToken)
	s.developer = s.member("dev", service.RoleDeveloper, false)
	s.reviewer = s.member("rev", service.RoleDeveloper, true)
	return s
}

// writeOrders makes a small SQLite database.
func (s *testService) writeOrders(name string) {
	s.t.Helper()
	s.Database(name, `CREATE TABLE orders (id INTEGER PRIMARY KEY, region TEXT NOT NULL, amount REAL NOT NULL);
		INSERT INTO orders VALUES (1, 'north', 10.5), (2, 'south', 20), (3, 'north', 30.25)`)
}

// client returns a client with that token.
func (s *testService) client(token string) *client.Client { return s.Client(token) }

// member makes a member and returns the secret of a token.
func (s *testService) member(name string, role service.Role, reviewer bool) string {
	s.t.Helper()
	if _, err := s.admin.CreateMember(s.t.Context(), service.MemberInput{Name: name, Role: role, Reviewer: reviewer}); err != nil {
		s.t.Fatal(err)
	}
	token, err := s.admin.IssueToken(s.t.Context(), service.TokenInput{Member: name, Description: "acceptance test"})
	if err != nil {
		s.t.Fatal(err)
	}
	return token.Secret
}

// wantCall checks the status of a call.
func (s *testService) wantCall(path string, want int) string {
	s.t.Helper()
	return s.WantCall(path, want)
}

// publication returns the only publication of the service.
func (s *testService) publication() service.Publication {
	s.t.Helper()
	list, err := s.admin.Publications(s.t.Context(), client.PublicationFilter{}, client.Page{})
	if err != nil {
		s.t.Fatal(err)
	}
	if len(list.Items) != 1 {
		s.t.Fatalf("there are %d publications, want one", len(list.Items))
	}
	return list.Items[0]
}

// openReview returns the pending application of the only publication.
func (s *testService) openReview() service.Review {
	s.t.Helper()
	review := s.publication().OpenReview
	if review == nil {
		s.t.Fatal("no application is open")
	}
	return *review
}

// approve and reject decide the pending application as rev.
func (s *testService) approve() {
	s.t.Helper()
	if _, err := s.client(s.reviewer).Approve(s.t.Context(), s.openReview().ID, service.DecisionInput{}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *testService) reject(comment string) {
	s.t.Helper()
	if _, err := s.client(s.reviewer).Reject(s.t.Context(), s.openReview().ID, service.DecisionInput{Comment: comment}); err != nil {
		s.t.Fatal(err)
	}
}

// reviews returns every application, newest first.
func (s *testService) reviews() []service.Review {
	s.t.Helper()
	list, err := s.admin.Reviews(s.t.Context(), client.ReviewFilter{}, client.Page{})
	if err != nil {
		s.t.Fatal(err)
	}
	return list.Items
}

// variables are those of a configuration for the identity with that token.
func (s *testService) variables(token string, more ...config.Variables) config.Variables {
	v := config.Variables{"endpoint": config.StringVariable(s.ControlPlane), "token": config.StringVariable(token)}
	for _, m := range more {
		for name, value := range m {
			v[name] = value
		}
	}
	return v
}

// step is a step of terraform-plugin-testing that applies testdata/NAME as the
// identity with that token. That the plan is empty afterwards is checked by itself.
func (s *testService) step(name, token string, variables ...config.Variables) resource.TestStep {
	return resource.TestStep{
		ProtoV6ProviderFactories: factories,
		ConfigDirectory:          config.StaticDirectory("testdata/" + name),
		ConfigVariables:          s.variables(token, variables...),
	}
}

// workdir runs Terraform on a configuration of testdata.
type workdir struct{ *servicetest.Workdir }

// workdir copies the configuration testdata/NAME and gives it the identity with that token.
func (s *testService) workdir(name, token string) *workdir {
	s.t.Helper()
	w := &workdir{s.Workdir(token)}
	w.configure(name)
	return w
}

// configure replaces the configuration by testdata/NAME.
func (w *workdir) configure(name string) {
	w.Copy(os.DirFS(filepath.FromSlash(path.Join("testdata", name))))
}

func (w *workdir) as(token string) *workdir { w.As(token); return w }

func (w *workdir) set(vars ...string) *workdir { w.Set(vars...); return w }

func (w *workdir) read(name string) string { return w.Read(name) }

func (w *workdir) write(name, text string) { w.Write(name, text) }

func (w *workdir) run(args ...string) result { return result(w.Run(args...)) }

func (w *workdir) apply(more ...string) result { return result(w.Apply(more...)) }

func (w *workdir) destroy(more ...string) result { return result(w.Destroy(more...)) }

func (w *workdir) plan(more ...string) result { return result(w.Plan(more...)) }

func (w *workdir) state(address string) map[string]any { return w.State(address) }

// result is how a run of Terraform ended.
type result servicetest.Result

func (r result) succeeds(t testing.TB, says ...string) result {
	t.Helper()
	return r.ends(t, 0, says...)
}

func (r result) fails(t testing.TB, says ...string) result {
	t.Helper()
	return r.ends(t, 1, says...)
}

func (r result) ends(t testing.TB, code int, says ...string) result {
	t.Helper()
	return result(servicetest.Result(r).Ends(t, code, says...))
}

func (r result) saysNot(t testing.TB, texts ...string) result {
	t.Helper()
	return result(servicetest.Result(r).SaysNot(t, texts...))
}
