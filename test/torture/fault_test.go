// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package torture

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
)

// fault is one kind of what goes wrong. It is put in, lasts until ctx ends, and is gone when
// the function returns, which reports whether it was seen to do harm.
type fault struct {
	name string
	// longest is how long it lasts at most; what is over at once has 0.
	longest time.Duration
	happen  func(ctx context.Context, w *world, random *rand.Rand) (bit bool)
}

// faults are all kinds. Those that break connections are there for each pair of processes.
func faults() []fault {
	all := []fault{
		{"a service is killed", 2 * time.Second, func(ctx context.Context, w *world, random *rand.Rand) bool {
			w.down(ctx, one(random, w.controls), os.Kill)
			return true
		}},
		{"a gateway is killed", 2 * time.Second, func(ctx context.Context, w *world, random *rand.Rand) bool {
			n := one(random, w.gateways)
			w.ended(n)
			w.down(ctx, n, os.Kill)
			return true
		}},
		{"a service is stopped in order", 2 * time.Second, func(ctx context.Context, w *world, random *rand.Rand) bool {
			w.down(ctx, one(random, w.controls), syscall.SIGTERM)
			return true
		}},
		{"a gateway is stopped in order", 2 * time.Second, func(ctx context.Context, w *world, random *rand.Rand) bool {
			n := one(random, w.gateways)
			w.ended(n)
			w.down(ctx, n, syscall.SIGTERM)
			return true
		}},
		{"a service is halted", 3 * time.Second, func(ctx context.Context, w *world, random *rand.Rand) bool {
			n := one(random, w.controls)
			return w.halt(ctx, n, n.ControlPlane)
		}},
		{"a gateway is halted", 3 * time.Second, func(ctx context.Context, w *world, random *rand.Rand) bool {
			n := one(random, w.gateways)
			w.blind(n)
			return w.halt(ctx, n, n.ControlPlane)
		}},
		{"a gateway is halted until it counts as dead", 14 * time.Second, func(ctx context.Context, w *world, random *rand.Rand) bool {
			n := one(random, w.gateways)
			w.blind(n)
			return w.halt(ctx, n, n.ControlPlane)
		}},
		{"sessions of the database are terminated", 0, func(ctx context.Context, w *world, _ *rand.Rand) bool {
			w.allBlind()
			var n int
			err := w.postgres.db.QueryRowContext(ctx, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = 'store' AND pid <> pg_backend_pid()`).Scan(&n)
			return err == nil && n > 0
		}},
		{"a process of the database is killed", 0, func(ctx context.Context, w *world, random *rand.Rand) bool {
			w.allBlind()
			pids, err := w.postgres.sessions(ctx)
			if err != nil || len(pids) == 0 {
				return false
			}
			kill(one(random, pids))
			return true
		}},
		{"the database is restarted", time.Second, func(ctx context.Context, w *world, _ *rand.Rand) bool {
			return w.restartPostgres(ctx, syscall.SIGINT)
		}},
		{"the database crashes", time.Second, func(ctx context.Context, w *world, _ *rand.Rand) bool {
			return w.restartPostgres(ctx, syscall.SIGQUIT)
		}},
		{"a gateway's routes on the disk are torn", time.Second, tornRoutes},
		{"a gateway is started without the database", 2 * time.Second, startedAlone},
		{"a clock jumps", 3 * time.Second, func(ctx context.Context, w *world, random *rand.Rand) bool {
			n := one(random, w.nodes())
			by := time.Duration(random.Int64N(int64(40*time.Minute))) - 20*time.Minute
			n.stepClock(by)
			defer n.stepClock(0)
			<-ctx.Done()
			return by.Abs() > time.Second && n.clockRead()
		}},
		{"Terraform is killed", 2 * time.Second, func(ctx context.Context, w *world, random *rand.Rand) bool {
			return w.killTerraform(ctx, random)
		}},
	}
	for _, pair := range []struct {
		name  string
		doors func(*world) []*node
		front bool
	}{
		{"client and service", func(w *world) []*node { return w.controls }, true},
		{"caller and gateway", func(w *world) []*node { return w.gateways }, true},
		{"service and database", func(w *world) []*node { return w.controls }, false},
		{"gateway and database", func(w *world) []*node { return w.gateways }, false},
	} {
		for _, kind := range connectionFaults {
			all = append(all, fault{kind.name + " between " + pair.name, 3 * time.Second, func(ctx context.Context, w *world, random *rand.Rand) bool {
				n := one(random, pair.doors(w))
				d := n.store
				if pair.front {
					d = n.front
				} else {
					w.blind(n)
				}
				return w.breakDoor(ctx, d, kind, pair.front)
			}})
		}
	}
	return all
}

// connectionFault is what may be wrong with a network.
type connectionFault struct {
	name string
	// toxics make it, as toxiproxy calls them; the door is shut where there are none.
	toxics []string
}

var connectionFaults = []connectionFault{
	{"connections are refused", nil},
	{"connections are reset", []string{`{"name": "f", "type": "reset_peer", "stream": "downstream", "attributes": {"timeout": 0}}`}},
	{"answers come late", []string{`{"name": "f", "type": "latency", "stream": "downstream", "attributes": {"latency": 300, "jitter": 200}}`}},
	{"answers break off", []string{`{"name": "f", "type": "limit_data", "stream": "downstream", "attributes": {"bytes": 150}}`}},
	{"answers are lost, half-open,", []string{`{"name": "f", "type": "timeout", "stream": "downstream", "attributes": {"timeout": 0}}`}},
	{"nothing gets through", []string{
		`{"name": "f", "type": "timeout", "stream": "downstream", "attributes": {"timeout": 0}}`,
		`{"name": "g", "type": "timeout", "stream": "upstream", "attributes": {"timeout": 0}}`,
	}},
}

// breakDoor puts a fault into a door until ctx ends, and tries the door meanwhile.
func (w *world) breakDoor(ctx context.Context, d *door, kind connectionFault, http bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	background := context.WithoutCancel(ctx)
	if kind.toxics == nil {
		d.Stop()
		defer func() {
			if err := d.Start(); err != nil {
				w.t.Errorf("the door %s does not open again: %v", d.name, err)
			}
		}()
	}
	for _, toxic := range kind.toxics {
		if _, err := d.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
			w.t.Error(err)
		}
	}
	defer d.Toxics.ResetToxics(background)
	bit := w.disturbed(ctx, d, http)
	<-ctx.Done()
	return bit
}

// disturbed reports whether who comes through the door now fails or waits.
func (w *world) disturbed(ctx context.Context, d *door, http bool) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 250*time.Millisecond)
	defer cancel()
	began := time.Now()
	if http {
		// On a connection of its own.
		return !speaks(ctx, d.Listen) || time.Since(began) > 90*time.Millisecond
	}
	db, err := sql.Open("pgx", pgtest.StoreDSN(d.Listen))
	if err != nil {
		return false
	}
	defer func() { _ = db.Close() }()
	return db.PingContext(ctx) != nil || time.Since(began) > 90*time.Millisecond
}

// speaks reports whether an HTTP server gives a whole answer there.
func speaks(ctx context.Context, address string) bool {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	if _, err := fmt.Fprintf(conn, "GET /nothing HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", address); err != nil {
		return false
	}
	answer, err := io.ReadAll(conn)
	_, body, found := strings.Cut(string(answer), "\r\n\r\n")
	return err == nil && found && len(body) > 0 && strings.HasSuffix(strings.TrimSpace(body), "}")
}

// halt halts a process until ctx ends, and asks it meanwhile.
func (w *world) halt(ctx context.Context, n *node, url string) (bit bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.Ended() {
		return false
	}
	n.Suspend()
	defer n.Resume()
	asked, cancel := context.WithTimeout(context.WithoutCancel(ctx), 200*time.Millisecond)
	defer cancel()
	status, _ := fetch(asked, url+"/readyz")
	<-ctx.Done()
	return status == 0
}

// restartPostgres ends the server with the signal and starts it again.
func (w *world) restartPostgres(ctx context.Context, signal os.Signal) bool {
	w.allBlind()
	w.postgres.mu.Lock()
	defer w.postgres.mu.Unlock()
	w.postgres.Stop(signal)
	<-ctx.Done()
	w.postgres.Start()
	return true
}

// tornRoutes kills a gateway while it cannot reach the database, tears the file with its
// routes, and wants it not to start by that.
func tornRoutes(ctx context.Context, w *world, random *rand.Rand) bool {
	n := one(random, w.gateways)
	w.ended(n)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.store.mu.Lock()
	defer n.store.mu.Unlock()
	n.store.Stop()
	n.Kill()
	bit := false
	file := filepath.Join(n.DataDir, "routes.sealed")
	if whole, err := os.ReadFile(file); err == nil && len(whole) > 1 {
		torn := whole[:random.IntN(len(whole))]
		if random.IntN(2) == 0 {
			torn = append([]byte(nil), whole...)
			torn[random.IntN(len(torn))] ^= 1 << random.IntN(8)
		}
		if err := os.WriteFile(file, torn, 0o600); err != nil {
			w.t.Error(err)
		}
		n.Launch()
		servicetest.Eventually(w.t, 20*time.Second, n.name+" ends by itself, since its routes are torn", n.Ended)
		bit = true
	}
	if err := n.store.Start(); err != nil {
		w.t.Errorf("the door %s does not open again: %v", n.store.name, err)
	}
	<-ctx.Done()
	n.Launch()
	return bit
}

// startedAlone kills a gateway and starts it while it cannot reach the database: it serves
// what it kept.
func startedAlone(ctx context.Context, w *world, random *rand.Rand) bool {
	n := one(random, w.gateways)
	w.ended(n)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.store.mu.Lock()
	defer n.store.mu.Unlock()
	n.store.Stop()
	n.Kill()
	n.Launch()
	// It ends where another fault has torn the file just before.
	servicetest.Eventually(w.t, 20*time.Second, n.name+" is ready or ends", func() bool { return n.Ready() || n.Ended() })
	bit := !n.Ended()
	<-ctx.Done()
	if err := n.store.Start(); err != nil {
		w.t.Errorf("the door %s does not open again: %v", n.store.name, err)
	}
	if n.Ended() {
		n.Launch()
	}
	return bit
}

// killTerraform applies and kills the CLI in the midst.
func (w *world) killTerraform(ctx context.Context, random *rand.Rand) bool {
	w.applying.Lock()
	defer w.applying.Unlock()
	w.number++
	w.terraform.Set(fmt.Sprintf("number=%d", w.number))
	running := w.terraform.BeginApply()
	pause(ctx, time.Duration(300+random.IntN(1500))*time.Millisecond)
	bit := !running.Ended()
	plugins := children(running.Process().Pid)
	_ = running.Process().Kill()
	<-running.Done()
	// They outlive it, and go on with what they are at for a while.
	pause(context.WithoutCancel(ctx), time.Duration(random.IntN(200))*time.Millisecond)
	for _, pid := range plugins {
		kill(pid)
	}
	return bit
}

// children are the processes that a process has started and that still run.
func children(pid int) (pids []int) {
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return nil
	}
	for _, list := range lists {
		data, err := os.ReadFile(list)
		if err != nil {
			continue // the thread is gone
		}
		for _, text := range strings.Fields(string(data)) {
			if child, err := strconv.Atoi(text); err == nil {
				pids = append(pids, child)
			}
		}
	}
	return pids
}

// one is one of them, by chance.
func one[T any](random *rand.Rand, of []T) T { return of[random.IntN(len(of))] }
