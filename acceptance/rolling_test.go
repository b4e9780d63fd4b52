// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package acceptance

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// traffic is what goes through the balancers while the test lasts.
type traffic struct {
	t                    *testing.T
	ctx                  context.Context
	calls, reads, writes atomic.Int64
	failed               atomic.Int64
}

// fail notes a failure; the first few are told.
func (f *traffic) fail(format string, args ...any) {
	if f.failed.Add(1) <= 10 {
		f.t.Errorf(format, args...)
	}
}

// each does something again and again, with a pause.
func (f *traffic) each(pause time.Duration, count *atomic.Int64, do func(i int) error) {
	for i := 0; f.ctx.Err() == nil; i++ {
		if err := do(i); err != nil {
			f.fail("%v", err)
		}
		count.Add(1)
		time.Sleep(pause)
	}
}

// Three services and two gateways are restarted one after the other behind balancers that
// repeat nothing, while APIs are called and the control plane is read from and written to:
// nothing fails, and nothing needs to be sent twice.
func TestARollingRestartFailsNoCall(t *testing.T) {
	t.Parallel()
	const delay = "3s" // of the balancer's probes, fifteen
	f := startFleet(t, "--shutdown-delay", delay)
	processes := f.all()
	for range 2 {
		processes = append(processes, servicetest.StartGateway(t, f.Service, "--store", f.dsn, "--shutdown-delay", delay))
	}
	controls, gateways := map[string]string{}, map[string]string{}
	for i, p := range processes {
		gateways[p.Gateway] = p.ControlPlane + "/readyz"
		if i < 3 {
			controls[p.ControlPlane] = p.ControlPlane + "/readyz"
		}
	}
	f.publish(t, f.api(t, "steady", service.AuthNone))
	switched := f.publish(t, f.api(t, "switched", service.AuthNone))
	dev := f.Client(f.Developer("dev", false))
	applied, err := dev.Publish(t.Context(), service.PublishInput{APIID: f.api(t, "applied", service.AuthNone).ID, Revision: 1})
	if err != nil || applied.OpenReview == nil {
		t.Fatal(err, applied)
	}
	token := f.Developer("ada", true)
	control, calls := newBalancer(t, controls), newBalancer(t, gateways)
	whole := func() {
		t.Helper()
		servicetest.Eventually(t, 15*time.Second, "all are in", func() bool { return control.ready() == 3 && calls.ready() == 5 })
	}
	whole()
	c, err := client.New(client.Config{Endpoint: control.url, Token: token, Workspace: service.DefaultWorkspace})
	if err != nil {
		t.Fatal(err)
	}

	// What is under way when the traffic ends is let through.
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	defer stop()
	load := &traffic{t: t, ctx: ctx}
	var work sync.WaitGroup
	call := func(client *http.Client) error {
		resp, err := client.Get(calls.url + "/steady")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(body), `"n":1`) {
			return fmt.Errorf("a call is answered %d %q, %v", resp.StatusCode, body, err) //nolint:errorlint // it may be nil
		}
		return nil
	}
	for range 4 {
		kept := &http.Client{Transport: &http.Transport{}, Timeout: 20 * time.Second}
		work.Go(func() { load.each(3*time.Millisecond, &load.calls, func(int) error { return call(kept) }) })
	}
	background := context.WithoutCancel(t.Context())
	work.Go(func() {
		load.each(10*time.Millisecond, &load.reads, func(int) error {
			_, err := c.Publication(background, switched.ID, 0)
			return err
		})
	})
	work.Go(func() {
		load.each(time.Millisecond, &load.reads, func(int) error {
			r, err := c.Review(background, applied.OpenReview.ID, 3*time.Second)
			if err == nil && r.Status != service.ReviewPending {
				err = fmt.Errorf("the review is %s", r.Status)
			}
			return err
		})
	})
	work.Go(func() {
		load.each(20*time.Millisecond, &load.writes, func(i int) error {
			g, err := c.CreateGroup(background, service.GroupInput{GroupSpec: service.GroupSpec{Name: fmt.Sprintf("group_%d", i)}})
			if err != nil {
				return err
			}
			return c.DeleteGroup(background, g.ID)
		})
	})
	work.Go(func() {
		load.each(20*time.Millisecond, &load.writes, func(i int) error {
			var err error
			if i%2 == 0 {
				_, err = c.Suspend(background, switched.ID, service.ActionInput{})
			} else {
				_, err = c.Restore(background, switched.ID, service.ActionInput{})
			}
			return err
		})
	})

	for i, p := range processes {
		before := load.calls.Load()
		began := time.Now()
		p.Stop(syscall.SIGTERM)
		stopped := time.Since(began)
		p.Start()
		whole()
		t.Logf("process %d ended after %s and was in again after %s; %d calls meanwhile", i, stopped.Round(time.Millisecond), time.Since(began).Round(time.Millisecond), load.calls.Load()-before)
		for _, b := range []*balancer{control, calls} {
			passed := make([]int64, len(b.backends))
			for j, one := range b.backends {
				passed[j] = one.passed.Load()
			}
			servicetest.Eventually(t, 15*time.Second, "all are called", func() bool {
				for j, one := range b.backends {
					if one.passed.Load() == passed[j] {
						return false
					}
				}
				return true
			})
		}
	}
	stop()
	work.Wait()
	t.Logf("%d calls, %d reads and %d writes of the control plane; %d failed, %d requests were sent twice", load.calls.Load(), load.reads.Load(), load.writes.Load(), load.failed.Load(), control.resent.Load()+calls.resent.Load())
	for _, b := range []*balancer{control, calls} {
		if b.failed.Load() > 0 || b.resent.Load() > 0 {
			t.Errorf("%d requests failed at a balancer, and %d were sent twice", b.failed.Load(), b.resent.Load())
			b.failures.Range(func(why, what any) bool { t.Errorf("such as %s: %s", what, why); return true })
		}
	}
	if report, err := f.rev.VerifyEvents(t.Context()); err != nil || !report.Intact {
		t.Errorf("the audit trail is broken: %+v (%v)", report, err)
	}
}
