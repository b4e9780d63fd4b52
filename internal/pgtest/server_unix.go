// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

//go:build unix

package pgtest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
)

const (
	// A server answers, follows another and takes its place within this time, on a machine with much else to do.
	serverReadyWithin = time.Minute
	serverEndsWithin  = 2 * time.Minute

	// storeDatabase is the database that each of the servers has.
	storeDatabase = "store"
)

// Server is a PostgreSQL server of the test's own, which it may crash: a process on a data
// directory of its own that ends with the test.
type Server struct {
	// Address is where it listens, host and port.
	Address string

	t      testing.TB
	bin    string
	dir    string
	owner  *syscall.Credential
	cmd    *exec.Cmd
	exited chan struct{}
}

// StartServer makes a server with an empty database "store", and starts it. The test fails
// where the machine has no programs of a PostgreSQL server.
func StartServer(t testing.TB) *Server {
	t.Helper()
	s := newServer(t)
	s.run("initdb", "--pgdata", s.data(), "--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-instructions")
	s.Start()
	s.await()
	s.execute("postgres", "CREATE DATABASE "+storeDatabase)
	return s
}

// StartStandby makes a standby of a server, and starts it. Transactions of the server wait
// from now on until the standby has them on its disk.
func (s *Server) StartStandby() *Server {
	s.t.Helper()
	standby := newServer(s.t)
	host, port, err := net.SplitHostPort(s.Address)
	if err != nil {
		s.t.Fatal(err)
	}
	standby.run("pg_basebackup", "--pgdata", standby.data(), "--host", host, "--port", port, "--username", "postgres", "--write-recovery-conf", "--checkpoint", "fast")
	standby.Start()
	standby.await()
	s.execute("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'")
	s.execute("postgres", "SELECT pg_reload_conf()")
	servicetest.Eventually(s.t, serverReadyWithin, "the server waits for its standby", func() bool {
		return s.holds("SELECT EXISTS (SELECT FROM pg_stat_replication WHERE sync_state = 'sync')")
	})
	return standby
}

// Promote makes a standby take the place of its server, which is to be gone.
func (s *Server) Promote() {
	s.t.Helper()
	s.execute("postgres", "SELECT pg_promote()")
	servicetest.Eventually(s.t, serverReadyWithin, "the standby is a primary", func() bool { return s.holds("SELECT NOT pg_is_in_recovery()") })
}

// DSN is the postgres:// URL of its database.
func (s *Server) DSN() string { return StoreDSN(s.Address) }

// StoreDSN is the URL of the database of a server that is reached at the address.
func StoreDSN(address string) string { return dsnOf(address, storeDatabase) }

func dsnOf(address, database string) string {
	return fmt.Sprintf("postgres://postgres@%s/%s?sslmode=disable", address, database)
}

func newServer(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t, bin: serverPrograms(t), Address: servicetest.FreeAddress(t)}
	var err error
	// Not below the test's directory, which other users may not enter.
	if s.dir, err = os.MkdirTemp("", "dataservice-postgres-"); err != nil { //nolint:usetesting // See above.
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(s.dir) })
	if os.Getuid() == 0 { // PostgreSQL refuses to run as root.
		s.owner = otherUser(t)
		if err := os.Chown(s.dir, int(s.owner.Uid), int(s.owner.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { s.Stop(syscall.SIGQUIT) })
	return s
}

// serverPrograms finds the server's programs, which are not on everybody's PATH.
func serverPrograms(t testing.TB) string {
	t.Helper()
	// The package's folder first: a PATH may lead to some of the programs alone.
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/pg_basebackup")
	if err == nil && len(found) > 0 {
		return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return len(a) - len(b) }))
	}
	path, err := exec.LookPath("pg_basebackup")
	if err != nil {
		t.Fatal("the programs of a PostgreSQL server (initdb, postgres, pg_basebackup) are neither in /usr/lib/postgresql nor on the PATH: install the server's package")
	}
	return filepath.Dir(path)
}

// otherUser is who the server runs as in place of root.
func otherUser(t testing.TB) *syscall.Credential {
	t.Helper()
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(found.Uid, 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		gid, err := strconv.ParseUint(found.Gid, 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	t.Fatal("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
	return nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.owner}
	return cmd
}

// run runs one of the server's programs to its end.
func (s *Server) run(name string, args ...string) {
	s.t.Helper()
	if out, err := s.command(name, args...).CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// await waits until the server answers.
func (s *Server) await() {
	s.t.Helper()
	servicetest.Eventually(s.t, serverReadyWithin, "PostgreSQL answers", func() bool { return s.holds("SELECT true") })
}

// holds reports whether a query finds true.
func (s *Server) holds(query string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), connectWithin)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsnOf(s.Address, "postgres"))
	if err != nil {
		return false
	}
	defer conn.Close(ctx)
	var holds bool
	return conn.QueryRow(ctx, query).Scan(&holds) == nil && holds
}

// execute runs one statement.
func (s *Server) execute(database, statement string) {
	s.t.Helper()
	if err := execute(dsnOf(s.Address, database), statement); err != nil {
		s.t.Fatalf("%s: %v", statement, err)
	}
}

// Start starts the server process and does not wait for it.
func (s *Server) Start() {
	s.t.Helper()
	host, port, err := net.SplitHostPort(s.Address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.cmd = s.command("postgres", "-D", s.data(), "-c", "listen_addresses="+host, "-c", "port="+port,
		"-c", "unix_socket_directories="+s.dir, "-c", "max_connections=200", "-c", "log_min_messages=fatal")
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	cmd, exited := s.cmd, make(chan struct{})
	s.exited = exited
	go func() {
		defer close(exited)
		_ = cmd.Wait()
	}()
}

// Stop ends the server: SIGINT in order, without waiting for clients, and SIGQUIT as in a
// crash, after which it has to recover from its log.
func (s *Server) Stop(signal os.Signal) {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(signal) // it may be gone
	select {
	case <-s.exited:
	case <-time.After(serverEndsWithin):
		s.t.Errorf("PostgreSQL does not end")
		_ = s.cmd.Process.Kill()
		<-s.exited
	}
}
