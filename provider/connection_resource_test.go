// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
	"github.com/jackc/pgx/v5"

	"github.com/dataservice/terraform-provider-dataservice/internal/mysqltest"
	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
	"github.com/dataservice/terraform-provider-dataservice/service"
)

const ordersConnection = "dataservice_connection.orders"

func value(address, attribute string, want knownvalue.Check) statecheck.StateCheck {
	return statecheck.ExpectKnownValue(address, tfjsonpath.New(attribute), want)
}

func TestASQLiteConnection(t *testing.T) {
	t.Parallel()
	s := startService(t)
	made := s.step("connection_sqlite", s.developer)
	made.ConfigStateChecks = []statecheck.StateCheck{
		value(ordersConnection, "id", knownvalue.NotNull()),
		value(ordersConnection, "number", knownvalue.Int64Exact(service.FirstNumber)),
		value(ordersConnection, "port", knownvalue.Null()),
		value(ordersConnection, "ssl_mode", knownvalue.Null()),
		value(ordersConnection, "allow_superuser", knownvalue.Bool(false)),
		value(ordersConnection, "secret_version", knownvalue.Int64Exact(0)),
		value(ordersConnection, "description", knownvalue.Null()),
	}
	byID := made
	byID.ResourceName, byID.ImportState, byID.ImportStateVerify = ordersConnection, true, true
	byName := byID
	byName.ImportStateId = "orders"
	byNumber := byID
	byNumber.ImportStateId = strconv.FormatInt(service.FirstNumber, 10)

	described := s.step("connection_sqlite", s.developer, config.Variables{"description": config.StringVariable("What was ordered.")})
	described.ConfigPlanChecks.PreApply = []plancheck.PlanCheck{plancheck.ExpectResourceAction(ordersConnection, plancheck.ResourceActionUpdate)}
	described.ConfigStateChecks = []statecheck.StateCheck{value(ordersConnection, "description", knownvalue.StringExact("What was ordered."))}
	// "" and null are two things for Terraform and one for the service.
	empty := s.step("connection_sqlite", s.developer, config.Variables{"description": config.StringVariable("")})
	empty.ConfigStateChecks = []statecheck.StateCheck{value(ordersConnection, "description", knownvalue.StringExact(""))}

	drifted := s.step("connection_sqlite", s.developer)
	drifted.PreConfig = func() {
		c, err := s.admin.Connection(t.Context(), "orders")
		if err != nil {
			t.Fatal(err)
		}
		c.Name, c.Description = "renamed", "Somebody was here."
		if _, err := s.admin.UpdateConnection(t.Context(), c.ID, service.ConnectionInput{ConnectionSpec: c.ConnectionSpec}); err != nil {
			t.Fatal(err)
		}
	}
	drifted.ConfigPlanChecks.PreApply = []plancheck.PlanCheck{plancheck.ExpectResourceAction(ordersConnection, plancheck.ResourceActionUpdate)}
	drifted.ConfigStateChecks = []statecheck.StateCheck{value(ordersConnection, "name", knownvalue.StringExact("orders"))}

	disappeared := s.step("connection_sqlite", s.developer)
	disappeared.PreConfig = func() {
		if err := s.admin.DeleteConnection(t.Context(), "orders"); err != nil {
			t.Fatal(err)
		}
	}
	disappeared.ConfigPlanChecks.PreApply = []plancheck.PlanCheck{plancheck.ExpectResourceAction(ordersConnection, plancheck.ResourceActionCreate)}

	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{made, byID, byName, byNumber, described, empty, drifted, disappeared}})
}

// postgres returns the variables that describe a PostgreSQL database to a
// configuration, and its password.
func postgres(t *testing.T) (config.Variables, string) {
	t.Helper()
	c, err := pgx.ParseConfig(pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	return config.Variables{
		"host": config.StringVariable(c.Host), "port": config.IntegerVariable(int(c.Port)),
		"database": config.StringVariable(c.Database), "username": config.StringVariable(c.User),
	}, c.Password
}

func TestAPostgreSQLConnection(t *testing.T) {
	t.Parallel()
	s := startService(t)
	database, password := postgres(t)
	step := func(version int64) resource.TestStep {
		return s.step("connection_postgresql", s.developer, database, config.Variables{
			"password": config.StringVariable(password), "password_version": config.IntegerVariable(int(version)),
		})
	}
	made := step(1)
	made.ConfigStateChecks = []statecheck.StateCheck{
		value(ordersConnection, "ssl_mode", knownvalue.StringExact("prefer")),
		value(ordersConnection, "secret_version", knownvalue.Int64Exact(1)),
		value(ordersConnection, "password_wo", knownvalue.Null()),
	}
	imported := made
	imported.ConfigStateChecks = nil
	imported.ResourceName, imported.ImportState, imported.ImportStateVerify = ordersConnection, true, true
	imported.ImportStateVerifyIgnore = []string{"password_wo_version"}
	rotated := step(2)
	rotated.ConfigPlanChecks.PreApply = []plancheck.PlanCheck{
		plancheck.ExpectResourceAction(ordersConnection, plancheck.ResourceActionUpdate),
		plancheck.ExpectUnknownValue(ordersConnection, tfjsonpath.New("secret_version")),
	}
	rotated.ConfigStateChecks = []statecheck.StateCheck{value(ordersConnection, "secret_version", knownvalue.Int64Exact(2))}
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{made, imported, rotated}})
}

func TestAMySQLConnection(t *testing.T) {
	t.Parallel()
	s := startService(t)
	c, err := mysql.ParseDSN(mysqltest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(c.Addr)
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	step := func(version int64, database string) resource.TestStep {
		return s.step("connection_mysql", s.developer, config.Variables{
			"host": config.StringVariable(host), "port": config.IntegerVariable(number),
			"database": config.StringVariable(database), "username": config.StringVariable(c.User),
			"password": config.StringVariable(c.Passwd), "password_version": config.IntegerVariable(int(version)),
		})
	}
	made := step(1, c.DBName)
	made.ConfigStateChecks = []statecheck.StateCheck{
		value(ordersConnection, "engine", knownvalue.StringExact("MYSQL")),
		value(ordersConnection, "ssl_mode", knownvalue.StringExact("prefer")),
		value(ordersConnection, "secret_version", knownvalue.Int64Exact(1)),
		value(ordersConnection, "password_wo", knownvalue.Null()),
	}
	imported := made
	imported.ConfigStateChecks = nil
	imported.ResourceName, imported.ImportState, imported.ImportStateVerify = ordersConnection, true, true
	imported.ImportStateVerifyIgnore = []string{"password_wo_version"}
	elsewhere := step(1, "dataservice_no_such_database")
	elsewhere.ExpectError = regexp.MustCompile(`has\s+no\s+database\s+"dataservice_no_such_database"`)
	rotated := step(2, c.DBName)
	rotated.ConfigStateChecks = []statecheck.StateCheck{value(ordersConnection, "secret_version", knownvalue.Int64Exact(2))}
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{made, imported, elsewhere, rotated}})
}

func TestAConnectionThatDoesNotConnectIsNotStored(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("connection_sqlite", s.developer).set("file=absent.db")
	w.apply().fails(t, "Cannot create connection orders", "absent.db", "(request ")
	if state := w.state(ordersConnection); state != nil {
		t.Errorf("the state has %v", state)
	}
	w.set("file=orders.db").apply().succeeds(t)
	w.set("file=absent.db").apply().fails(t, "Cannot update connection orders")
	if state := w.state(ordersConnection); state["file"] != "orders.db" {
		t.Errorf("the state has %v", state)
	}
}

func TestAConnectionThatTheServiceRefusesFailsInThePlan(t *testing.T) {
	t.Parallel()
	s := startService(t)
	outside := filepath.Join(t.TempDir(), "outside.db")
	if err := os.WriteFile(outside, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, s.DatabaseFile("link.db")); err != nil {
		t.Fatal(err)
	}
	w := s.workdir("connection_sqlite", s.developer)
	w.set("file=link.db").plan().fails(t, "The connection orders cannot be applied", "leads outside", "(request ")
	w.set("file=orders.db").apply().succeeds(t)
	w.set("file=link.db").plan().fails(t, "The connection orders cannot be applied", "leads outside")

	elsewhere := s.workdir("connection_postgresql", s.developer)
	elsewhere.set("host=169.254.169.254", "port=5432", "database=orders", "username=reader", "password=secret", "password_version=1")
	elsewhere.plan().fails(t, "The connection orders cannot be applied", "where clouds tell a machine its secrets")
}

func TestADatabaseThatIsNotThereYetIsAWarningInThePlan(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("connection_sqlite", s.developer).set("file=absent.db")
	w.plan().ends(t, 2, "The connection orders does not work yet", `There is no file "absent.db"`, "The apply tries again.")
	w.set("file=orders.db").apply().succeeds(t)
	w.plan().succeeds(t, "No changes")
}

func TestAConnectionInUseIsNotDeleted(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("orders", s.reviewer)
	w.apply().succeeds(t)
	w.run("state", "rm", "dataservice_publication.orders", "dataservice_api.orders").succeeds(t)
	w.destroy("-target=dataservice_connection.orders").fails(t, `The connection "orders" is used by the APIs orders`, "(request ")
	if state := w.state(ordersConnection); state == nil {
		t.Error("the connection left the state")
	}
}

func TestABadConnectionFailsInThePlanOnItsAttribute(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := s.workdir("connection_bad", s.developer)
	w.plan().fails(t,
		`"x" is not a valid name: use 4 to 50 letters`, `"../etc/passwd" does not lie below the service's --sqlite-dir`,
		"A SQLITE connection has a file and nothing else: remove host", "A SQLITE connection has no password: remove it",
		"A POSTGRESQL connection needs a host", "A POSTGRESQL connection has no file: remove it",
		`Attribute "password_wo" must be specified when "password_wo_version"`, "Attribute port value must be between 1 and 65535")
}
