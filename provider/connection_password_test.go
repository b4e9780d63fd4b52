// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// databaseVariables are the variables of postgres as a workdir takes them.
func databaseVariables(t *testing.T) (vars []string, password string) {
	t.Helper()
	database, password := postgres(t)
	for name, v := range database {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		vars = append(vars, name+"="+strings.Trim(string(data), `"`))
	}
	if password == "" {
		password = "any is good where none is asked for"
	}
	return vars, password
}

func TestThePasswordIsSentAgainWhenTheConnectionLeadsElsewhere(t *testing.T) {
	t.Parallel()
	s := startService(t)
	database, password := databaseVariables(t)
	w := s.workdir("connection_moved", s.developer).set(database...).set("host=127.0.0.1", "password="+password)
	version := func(t *testing.T, want float64) {
		t.Helper()
		if state := w.state(ordersConnection); state["secret_version"] != want {
			t.Errorf("the password was set %v times, want %v", state["secret_version"], want)
		}
		c, err := s.admin.Connection(t.Context(), "orders")
		if err != nil || float64(c.SecretVersion) != want {
			t.Errorf("the service has the password's version %d (%v), want %v", c.SecretVersion, err, want)
		}
	}
	w.apply().succeeds(t)
	version(t, 1)

	t.Run("to another host", func(t *testing.T) {
		w.set("host=localhost")
		w.plan().ends(t, 2, "secret_version = 1 -> (known after apply)")
		w.apply().succeeds(t)
		version(t, 2)
		w.plan().succeeds(t, "No changes")
	})
	t.Run("in another TLS mode", func(t *testing.T) {
		w.set("ssl_mode=disable").apply().succeeds(t)
		version(t, 3)
	})
	t.Run("but not when nothing but its description changes", func(t *testing.T) {
		w.write("main.tf", strings.Replace(w.read("main.tf"), `name            = "orders"`, `name = "orders"`+"\n  description = \"What was ordered.\"", 1))
		w.plan().ends(t, 2).saysNot(t, "secret_version")
		w.apply().succeeds(t)
		version(t, 3)
	})
	t.Run("and its lack is told on the attribute", func(t *testing.T) {
		w.set("password=", "host=127.0.0.1").apply().fails(t, "The connection orders cannot be applied", "with dataservice_connection.orders", "password_wo", "(request ")
		version(t, 3)
		if state := w.state(ordersConnection); state["host"] != "localhost" {
			t.Errorf("after the refused change the state is %v", state)
		}
	})
}
