// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package mysqltest gives tests a MySQL or MariaDB database of their own.
package mysqltest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

const (
	serverVariable  = "DATASERVICE_TEST_MYSQL"
	requireVariable = "DATASERVICE_TEST_REQUIRE_SERVERS"
	defaultServer   = "root@tcp(127.0.0.1:3306)/"

	// answerWithin bounds each conversation with the server, so that a server that
	// accepts connections and says nothing does not hang the tests.
	answerWithin = 20 * time.Second
)

// Database creates an empty database with the character set utf8mb4 and returns its
// DSN, as github.com/go-sql-driver/mysql reads it. The database is dropped when the
// test ends.
//
// The server is the one that DATASERVICE_TEST_MYSQL names, such as
// root:password@tcp(127.0.0.1:3306)/, else the one on 127.0.0.1:3306. Where it does
// not answer the test is skipped, or fails where DATASERVICE_TEST_REQUIRE_SERVERS is 1.
func Database(t testing.TB) string {
	t.Helper()
	server := os.Getenv(serverVariable)
	if server == "" {
		server = defaultServer
	}
	name := "dataservice_test_" + Random(t)
	if err := execute(server, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4"); err != nil {
		if os.Getenv(requireVariable) == "1" {
			t.Fatalf("no MySQL or MariaDB for this test, and %s=1 demands one: %v", requireVariable, err)
		}
		t.Skipf("no MySQL or MariaDB for this test: %v; name a server in %s to run it", err, serverVariable)
	}
	t.Cleanup(func() {
		if err := execute(server, "DROP DATABASE IF EXISTS "+name); err != nil {
			t.Errorf("the test's database %s stays behind: %v", name, err)
		}
	})
	config, err := parse(server)
	if err != nil {
		t.Fatal(err)
	}
	config.DBName = name
	return config.FormatDSN()
}

// Random returns a part of a name that nothing else has.
func Random(t testing.TB) string {
	t.Helper()
	b := make([]byte, 8)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(b)
}

// execute runs one statement on the server on a connection of its own.
func execute(server, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
	defer cancel()
	config, err := parse(server)
	if err != nil {
		return err
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	_, err = db.ExecContext(ctx, statement)
	return err
}

func parse(server string) (*mysql.Config, error) {
	config, err := mysql.ParseDSN(server)
	if err != nil {
		return nil, fmt.Errorf("%s must be a DSN such as %s: %w", serverVariable, defaultServer, err)
	}
	// What goes wrong is returned, not printed.
	config.Logger = &mysql.NopLogger{}
	return config, nil
}
