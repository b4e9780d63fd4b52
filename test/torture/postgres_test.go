// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package torture

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // asks the server what it has

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
)

// postgres is a PostgreSQL server that the torture may crash: a process of its own on a data
// directory of its own.
type postgres struct {
	t       testing.TB
	bin     string
	dir     string
	address string
	owner   *syscall.Credential
	cmd     *exec.Cmd
	exited  chan struct{}
	// mu is held by the fault that has it down.
	mu sync.Mutex
	// db is a way to it that no fault is put into.
	db *sql.DB
}

// startPostgres makes the server and starts it.
func startPostgres(t testing.TB) *postgres {
	t.Helper()
	p := &postgres{t: t, bin: postgresPrograms(t), address: servicetest.FreeAddress(t)}
	var err error
	// Not below the test's directory, which other users may not enter.
	if p.dir, err = os.MkdirTemp("", "dataservice-postgres-"); err != nil { //nolint:usetesting // See above.
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(p.dir) })
	if os.Getuid() == 0 { // PostgreSQL refuses to run as root.
		p.owner = otherUser(t)
		if err := os.Chown(p.dir, int(p.owner.Uid), int(p.owner.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	made := p.command("initdb", "--pgdata", p.data(), "--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-instructions")
	if out, err := made.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	t.Cleanup(func() { p.stop(syscall.SIGQUIT) })
	p.start()
	if p.db, err = sql.Open("pgx", p.dsn(p.address, "postgres")); err != nil {
		t.Fatal(err)
	}
	servicetest.Eventually(t, 30*time.Second, "PostgreSQL answers", func() bool { return p.db.PingContext(t.Context()) == nil })
	if _, err := p.db.ExecContext(t.Context(), "CREATE DATABASE store"); err != nil {
		t.Fatal(err)
	}
	if err := p.db.Close(); err != nil {
		t.Fatal(err)
	}
	if p.db, err = sql.Open("pgx", p.dsn(p.address, "store")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.db.Close() })
	return p
}

// postgresPrograms finds the server's programs, which are not on everybody's PATH.
func postgresPrograms(t testing.TB) string {
	t.Helper()
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path)
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		t.Fatal("the programs of a PostgreSQL server (initdb, postgres) are neither on the PATH nor in /usr/lib/postgresql: install the server's package")
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return len(a) - len(b) }))
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

func (p *postgres) data() string { return filepath.Join(p.dir, "data") }

func (p *postgres) dsn(address, database string) string {
	return fmt.Sprintf("postgres://postgres@%s/%s?sslmode=disable", address, database)
}

func (p *postgres) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(p.bin, name), args...)
	cmd.Dir = p.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.owner}
	return cmd
}

// start starts the server process and does not wait for it.
func (p *postgres) start() {
	p.t.Helper()
	host, port, err := net.SplitHostPort(p.address)
	if err != nil {
		p.t.Fatal(err)
	}
	p.cmd = p.command("postgres", "-D", p.data(), "-c", "listen_addresses="+host, "-c", "port="+port,
		"-c", "unix_socket_directories="+p.dir, "-c", "max_connections=200", "-c", "log_min_messages=fatal")
	log, err := os.OpenFile(filepath.Join(p.dir, "log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	cmd, exited := p.cmd, make(chan struct{})
	p.exited = exited
	go func() {
		defer close(exited)
		_ = cmd.Wait()
	}()
}

// stop ends the server: SIGINT in order, without waiting for clients, and SIGQUIT as in a
// crash, after which it has to recover from its log.
func (p *postgres) stop(signal os.Signal) {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Signal(signal) // it may be gone
	select {
	case <-p.exited:
	case <-time.After(20 * time.Second):
		p.t.Errorf("PostgreSQL does not end")
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
}

// sessions are the process ids of the sessions of the store's clients.
func (p *postgres) sessions(ctx context.Context) (pids []int, err error) {
	var listed sql.NullString
	err = p.db.QueryRowContext(ctx, `SELECT string_agg(pid::text, ' ') FROM pg_stat_activity WHERE datname = 'store' AND pid <> pg_backend_pid()`).Scan(&listed)
	for _, s := range strings.Fields(listed.String) {
		pid, err := strconv.Atoi(s)
		if err != nil {
			return nil, err
		}
		pids = append(pids, pid)
	}
	return pids, err
}
