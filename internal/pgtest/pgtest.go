// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package pgtest gives tests a PostgreSQL database of their own.
package pgtest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	serverVariable  = "DATASERVICE_TEST_POSTGRES"
	requireVariable = "DATASERVICE_TEST_REQUIRE_SERVERS"
	defaultServer   = "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable"

	// connectWithin bounds the way to the server, so that one that accepts connections and
	// says nothing does not hang the tests.
	connectWithin = 20 * time.Second

	// finishWithin bounds a statement. DROP DATABASE waits for a checkpoint of the whole
	// server, which has to write what all other tests wrote.
	finishWithin = 3 * time.Minute
)

// Database creates an empty database and returns its postgres:// DSN. The database
// is dropped, with the connections that are still open to it, when the test ends.
//
// The server is the one that DATASERVICE_TEST_POSTGRES names, else the one on
// 127.0.0.1:5432. Where it does not answer the test is skipped, or fails where
// DATASERVICE_TEST_REQUIRE_SERVERS is 1.
func Database(t testing.TB) string {
	t.Helper()
	server := os.Getenv(serverVariable)
	if server == "" {
		server = defaultServer
	}
	name := "dataservice_test_" + random(t)
	if err := execute(server, "CREATE DATABASE "+name); err != nil {
		if os.Getenv(requireVariable) == "1" {
			t.Fatalf("no PostgreSQL for this test, and %s=1 demands one: %v", requireVariable, err)
		}
		t.Skipf("no PostgreSQL for this test: %v; name a server in %s to run it", err, serverVariable)
	}
	t.Cleanup(func() {
		if err := execute(server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("the test's database %s stays behind: %v", name, err)
		}
	})
	dsn, err := withDatabase(server, name)
	if err != nil {
		t.Fatal(err)
	}
	return dsn
}

// execute runs one statement on the server on a connection of its own.
func execute(server, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), connectWithin)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	ctx, cancel = context.WithTimeout(context.Background(), finishWithin)
	defer cancel()
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}

// withDatabase returns the server's URL with another database in its path.
func withDatabase(server, name string) (string, error) {
	u, err := url.Parse(server)
	if err != nil || !strings.HasPrefix(u.Scheme, "postgres") {
		return "", fmt.Errorf("%s must be a URL such as %s", serverVariable, defaultServer)
	}
	u.Path = "/" + name
	return u.String(), nil
}

func random(t testing.TB) string {
	t.Helper()
	b := make([]byte, 8)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(b)
}
