// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
)

// unchecked has plans ask the service nothing, so that an apply meets what they would tell.
func (w *workdir) unchecked() *workdir {
	w.Env = append(w.Env, "DATASERVICE_PLAN_VALIDATION=false")
	return w
}

// one is one resource of a kind that nothing else is needed for.
func one(kind, arguments string) string {
	return fmt.Sprintf("resource \"dataservice_%s\" \"it\" {\n%s\n}\n", kind, arguments)
}

func TestAPlanSaysWhatTheMemberMayNotDo(t *testing.T) {
	t.Parallel()
	s := startService(t)
	operator := s.member("ops", service.RoleOperator, false)
	for name, tt := range map[string]struct {
		token, config string
		says          []string
	}{
		"a developer makes no environment": {
			s.developer, one("environment", `name = "STAGE"`),
			[]string{"Not allowed to create this environment", "dev is a member with the role DEVELOPER and may not create environments or instances", `needs the role`},
		},
		"a developer makes no instance": {
			s.developer, one("instance", `name = "europe"`), []string{"Not allowed to create this instance", "may not create environments or instances"},
		},
		"a developer makes no member": {
			s.developer, one("member", "name = \"ada\"\nrole = \"VISITOR\""), []string{"Not allowed to create this member", "dev is a member with the role DEVELOPER and may not change"},
		},
		"a developer makes no workspace": {
			s.developer, one("workspace", `name = "finance"`), []string{"Not allowed to create this workspace", `that needs the role ADMIN in the workspace "default"`},
		},
		"a developer without the reviewer right decides nothing": {
			s.developer, one("review", "review_id = \"0123456789abcdef0123456789abcdef\"\ndecision = \"APPROVE\""), []string{"Not allowed to decide on applications", "needs the reviewer right"},
		},
		"an operator makes no connection": {
			operator, one("connection", "name = \"orders\"\nengine = \"SQLITE\"\nfile = \"orders.db\""), []string{"Not allowed to create this connection", "ops is a member with the role OPERATOR"},
		},
		"an operator makes no group": {
			operator, one("group", `name = "sales"`), []string{"Not allowed to create this group", "ops is a member with the role OPERATOR"},
		},
		"an operator makes no API": {
			operator, one("api", "name = \"orders\"\npath = \"/orders\"\nauth_type = \"NONE\"\nregistration = { host = \"http://example.com\", path = \"/\" }"),
			[]string{"Not allowed to create this API", "ops is a member with the role OPERATOR"},
		},
		"an operator publishes nothing": {
			operator, one("publication", "api_id = \"0123456789abcdef0123456789abcdef\"\napi_revision = 1"),
			[]string{"Publishing in RELEASE is not allowed", "ops is a member with the role OPERATOR and may not publish"},
		},
		"an operator says not what an environment demands": {
			operator, one("environment", "name = \"STAGE\"\nreview_required = false"),
			[]string{"Not allowed to change what the environment demands", "may not change environment policies"},
		},
		"nobody publishes where there is nothing": {
			s.reviewer, one("publication", "api_id = \"0123456789abcdef0123456789abcdef\"\napi_revision = 1\nenvironment_id = \"0123456789abcdef0123456789abcdef\""),
			[]string{"No such environment", "Write the id of a dataservice_environment"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &workdir{s.Workdir(tt.token)}
			w.write("main.tf", "provider \"dataservice\" {}\n"+tt.config)
			w.plan().fails(t, tt.says...)
		})
	}
	t.Run("but an operator makes an environment as it comes", func(t *testing.T) {
		t.Parallel()
		w := &workdir{s.Workdir(operator)}
		w.write("main.tf", "provider \"dataservice\" {}\n"+one("environment", `name = "STAGE"`))
		w.plan().ends(t, 2).saysNot(t, "Not allowed")
	})
	t.Run("and an admin is warned, who may take the right in the same apply", func(t *testing.T) {
		t.Parallel()
		w := &workdir{s.Workdir(s.adminToken)}
		w.write("main.tf", "provider \"dataservice\" {}\n"+one("review", "review_id = \"0123456789abcdef0123456789abcdef\"\ndecision = \"APPROVE\""))
		w.plan().ends(t, 2, "Not allowed to decide on applications", "unless it brings that about before")
	})
	t.Run("and nothing is asked without plan_validation", func(t *testing.T) {
		t.Parallel()
		w := &workdir{s.Workdir(s.developer)}
		w.write("main.tf", "provider \"dataservice\" {}\n"+one("environment", `name = "STAGE"`))
		w.unchecked().plan().ends(t, 2)
		w.apply().fails(t, "Cannot create environment STAGE", "dev is a member with the role DEVELOPER", "(request ")
	})
}

func TestAPlanSaysThatAReviewIsNeeded(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("orders", s.developer)
	w.plan().ends(t, 2, "This apply asks for a review", "Publishing in RELEASE is for a reviewer to approve", "dataservice_review waits for it")
	s.workdir("orders", s.reviewer).plan().ends(t, 2).saysNot(t, "asks for a review")

	w.apply().succeeds(t)
	w.plan().succeeds(t, "No changes").saysNot(t, "asks for a review")
	s.approve()
	w.set("desired_status=STOPPED").plan().fails(t, "Suspending in RELEASE is not allowed", "dev may not approve, reject, suspend or unpublish", "reviewer right")
	w.set("desired_status=PUBLISHED")
	w.plan("-destroy").fails(t, "Unpublishing in RELEASE is not allowed", "reviewer right")
	if _, err := s.client(s.reviewer).Suspend(t.Context(), s.publication().ID, service.ActionInput{}); err != nil {
		t.Fatal(err)
	}
	w.plan().ends(t, 2, "Restoring in RELEASE is for a reviewer to approve")

	t.Run("also for an app", func(t *testing.T) {
		w := s.workdir("authorization", s.developer).set("published=false")
		w.plan().ends(t, 2, "Authorizing an app in RELEASE is for a reviewer to approve")
	})
}

func TestAPlanSaysThatAppsAreToldFirst(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("authorization", s.reviewer)
	w.apply().succeeds(t)
	w.plan().succeeds(t, "No changes")
	w.set("desired_status=STOPPED").plan().ends(t, 2, "Apps are told first", "1 app may call it: that it is suspended in RELEASE is announced", "in 48 hours at the earliest otherwise")
	w.set("desired_status=PUBLISHED").plan("-destroy").ends(t, 2, "Apps are told first", "1 app may call it: that it goes offline", "timeouts.delete")
	w.as(s.developer).plan("-destroy").fails(t, "Unpublishing in RELEASE is not allowed", "Taking the right to call away in RELEASE is not allowed")
}

func TestAPlanSaysThatAPathIsTaken(t *testing.T) {
	t.Parallel()
	s := startService(t)
	s.workdir("orders", s.reviewer).apply().succeeds(t)
	w := s.workdir("orders", s.reviewer).set("name=orders_again")
	w.write("main.tf", strings.Replace(w.read("main.tf"), `name   = "orders"`, `name   = "orders_again"`, 1))
	w.plan().ends(t, 2, "GET /orders is taken in RELEASE", "The API orders has it there, and publishing orders_again to RELEASE fails", "Write another path")
	w.apply().fails(t, "The path GET /orders is taken in RELEASE by the API \"orders\"")
	w.set("path=/orders-again").plan().ends(t, 2).saysNot(t, "is taken")
	w.apply().succeeds(t)
	w.set("path=/orders").plan().ends(t, 2, "GET /orders is taken in RELEASE")
}

func TestAPlanSaysWhatTheDatabaseHasNot(t *testing.T) {
	t.Parallel()
	s := startService(t)
	dsn := pgtest.Database(t)
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	db, err := pgx.ConnectConfig(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close(t.Context()) }()
	if _, err := db.Exec(t.Context(), "CREATE TABLE orders (id integer PRIMARY KEY, region text, paid boolean)"); err != nil {
		t.Fatal(err)
	}
	connection, err := s.admin.CreateConnection(t.Context(), service.ConnectionInput{ConnectionSpec: service.ConnectionSpec{
		Name: "orders", Engine: service.EnginePostgreSQL, Host: c.Host, Port: int(c.Port), Database: c.Database, Username: c.User, AllowSuperuser: true,
	}, Password: &c.Password})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		api  string
		says []string
	}{
		"SQL that does not prepare":  {`script = { sql = "SELECT id FRM orders" }`, []string{"script.sql: The database does not take the SQL", "syntax error"}},
		"a table that is not there":  {`script = { sql = "SELECT id FROM ordres" }`, []string{"script.sql: The database does not take the SQL", `relation "ordres" does not exist`}},
		"a table that a wizard asks": {`wizard = { table = "ordres" }`, []string{`wizard.table: The database has no table or view "ordres"`, `"orders"`}},
		"a column that is not there": {`script = { sql = "SELECT di AS id FROM orders" }`, []string{"script.sql: The database does not take the SQL", `column "di" does not exist`}},
		"a column of another type": {
			`script = { sql = "SELECT paid AS id FROM orders" }`, []string{`response_parameters["id"].type: The column "id" is boolean, which does not convert to INT`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &workdir{s.Workdir(s.developer)}
			w.write("main.tf", "provider \"dataservice\" {}\n"+one("api", fmt.Sprintf("name = \"orders\"\npath = \"/orders\"\nauth_type = \"NONE\"\nconnection_id = %q\n%s\nresponse_parameters = { id = { type = \"INT\" } }", connection.ID, tt.api)))
			w.plan().fails(t, append(tt.says, "The API orders cannot be applied")...)
		})
	}
}

// However many publications a plan has, it asks once what may be done in an environment,
// and not at all where nothing changes.
func TestAPlanAsksForRightsOncePerEnvironment(t *testing.T) {
	t.Parallel()
	s := startService(t)
	var asked atomic.Int64
	proxy := servicetest.Proxy{Before: func(r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/rights") {
			asked.Add(1)
		}
	}}
	w := s.workdir("many", s.reviewer)
	w.set("endpoint=" + proxy.Start(t, s.ControlPlane))
	plan := func(want int64, how func()) {
		t.Helper()
		asked.Store(0)
		how()
		if got := asked.Load(); got != want {
			t.Errorf("rights were asked for %d times, want %d", got, want)
		}
	}
	plan(1, func() { w.plan().ends(t, 2) })
	w.apply().succeeds(t)
	plan(0, func() { w.plan().succeeds(t, "No changes") })
	plan(1, func() { w.plan("-destroy").ends(t, 2) })
}
