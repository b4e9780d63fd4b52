// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package acceptance

import (
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
)

// publishingConfig publishes an API.
const publishingConfig = `
resource "dataservice_connection" "numbers" {
  name   = "numbers"
  engine = "SQLITE"
  file   = "numbers.db"
}

resource "dataservice_api" "number" {
  name                = "number"
  path                = "/number"
  method              = "GET"
  auth_type           = "NONE"
  connection_id       = dataservice_connection.numbers.id
  script              = { sql = "SELECT n FROM numbers WHERE n = 1" }
  response_parameters = { n = { type = "INT" } }
}

resource "dataservice_publication" "number" {
  api_id       = dataservice_api.number.id
  api_revision = dataservice_api.number.revision
  timeouts     = { create = var.patience }
}

variable "patience" {
  default = "5m"
}
`

// waitingConfig also waits for somebody's decision.
const waitingConfig = publishingConfig + `
resource "dataservice_review" "wait" {
  publication_id = dataservice_publication.number.id
  api_revision   = dataservice_publication.number.api_revision
  timeouts       = { create = var.patience }
}
`

// interruptions are the ways in which an apply can end too early.
var interruptions = []struct {
	name string
	// variable is set in the apply that is interrupted, and only there.
	variable string
	end      func(t *testing.T, cli *os.Process)
	// says is what the apply says at its end, where it can.
	says string
}{
	{"Ctrl-C", "", func(t *testing.T, cli *os.Process) {
		if err := cli.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
	}, "interrupted"},
	{"kill -9 of the plugin", "", func(t *testing.T, cli *os.Process) {
		if killPlugins(t, cli.Pid) == 0 {
			t.Fatal("there was no plugin to kill")
		}
	}, ""},
	{"kill -9 of the CLI", "", func(t *testing.T, cli *os.Process) {
		plugins := pluginsOf(t, cli.Pid)
		if err := cli.Kill(); err != nil {
			t.Fatal(err)
		}
		// An orphaned plugin notices that its pipe is gone only when it writes.
		for _, pid := range plugins {
			if p, err := os.FindProcess(pid); err == nil {
				_ = p.Kill() // it may have noticed
			}
		}
	}, ""},
	{"a time-out", "patience=1s", func(*testing.T, *os.Process) {}, "within 1s"},
}

// only returns the only application that there ever was.
func only(t *testing.T, s *servicetest.Service) service.Review {
	t.Helper()
	reviews := all(t, reviewsOf(s.Client(s.AdminToken())))
	if len(reviews) != 1 {
		t.Fatalf("there are %d applications, want 1: %+v", len(reviews), reviews)
	}
	return reviews[0]
}

// signal is sent to a test by a proxy.
type signal chan struct{}

func (s signal) send() {
	select {
	case s <- struct{}{}:
	default: // it is known already
	}
}

// await waits until the signal comes while the apply runs.
func (s signal) await(t *testing.T, apply *servicetest.Running) {
	t.Helper()
	select {
	case <-s:
	case <-apply.Done():
		t.Fatalf("the apply ended too early:\n%s", apply.Output())
	case <-time.After(time.Minute):
		t.Fatalf("the apply does not come so far:\n%s", apply.Output())
	}
}

// TestAnInterruptedWaitGoesOn ends the wait for a decision in each way that a wait
// can end too early. The state is right after it, there is exactly one application,
// and the next apply goes on waiting, also while the service is killed and started
// again, and ends with the approval.
func TestAnInterruptedWaitGoesOn(t *testing.T) {
	for _, tt := range interruptions {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := startService(t)
			dev, rev := s.Developer("dev", false), s.Developer("rev", true)
			asks := make(signal, 1)
			proxy := servicetest.Proxy{Before: func(r *http.Request) {
				if isLongPoll(r) {
					asks.send()
				}
			}}
			w := workdir(s, dev, waitingConfig)
			w.Env = append(w.Env, "DATASERVICE_ENDPOINT="+proxy.Start(t, s.ControlPlane))
			if tt.variable != "" {
				w.Set(tt.variable)
			}
			apply := w.BeginApply()
			asks.await(t, apply)
			review := only(t, s)
			tt.end(t, apply.Process())
			result := apply.Wait(time.Minute)
			if result.Code == 0 {
				t.Fatal("an apply that was cut short exits with 0")
			}
			if tt.says != "" {
				result.Fails(t, tt.says, "the next apply waits on")
			}
			if state := w.State("dataservice_review.wait"); state != nil {
				t.Errorf("the undecided review is in the state: %v", state)
			}

			w.Set("patience=5m")
			again := w.BeginApply()
			again.Says("dataservice_review.wait: Creating...")
			s.Kill()
			s.Start()
			if now := only(t, s); now.ID != review.ID {
				t.Errorf("the next apply made another application: %s, before %s", now.ID, review.ID)
			}
			if _, err := s.Client(rev).Approve(t.Context(), review.ID, service.DecisionInput{}); err != nil {
				t.Fatal(err)
			}
			again.Wait(time.Minute).Succeeds(t)
			only(t, s)
			w.Plan().Succeeds(t, "No changes")
			s.WantCall("/number", http.StatusOK)
		})
	}
}

// TestAnInterruptedPublishingGoesOn ends an apply while the call that publishes is
// under way: before the service has seen it, and after the service has acted. The
// next apply goes on, and there is exactly one application.
func TestAnInterruptedPublishingGoesOn(t *testing.T) {
	for _, tt := range interruptions {
		for _, acted := range []bool{false, true} {
			name := tt.name + " before the service acts"
			if acted {
				name = tt.name + " after the service has acted"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := startService(t)
				publishes := make(signal, 1)
				var open atomic.Bool
				hold := func(r *http.Request) {
					if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/publications") && !open.Load() {
						publishes.send()
						<-r.Context().Done() // until the provider gives up, or is no more
						panic(http.ErrAbortHandler)
					}
				}
				proxy := servicetest.Proxy{Before: hold}
				if acted {
					proxy = servicetest.Proxy{After: hold}
				}
				w := workdir(s, s.Developer("dev", false), publishingConfig)
				w.Env = append(w.Env, "DATASERVICE_ENDPOINT="+proxy.Start(t, s.ControlPlane))
				if tt.variable != "" {
					w.Set(tt.variable)
				}
				apply := w.BeginApply()
				publishes.await(t, apply)
				tt.end(t, apply.Process())
				if apply.Wait(time.Minute).Code == 0 {
					t.Fatal("an apply that was cut short exits with 0")
				}
				if reviews := all(t, reviewsOf(s.Client(s.AdminToken()))); acted != (len(reviews) == 1) {
					t.Errorf("there are %d applications", len(reviews))
				}

				open.Store(true)
				w.Set("patience=5m").Apply().Succeeds(t, "waits for review")
				only(t, s)
				w.Plan().Succeeds(t, "No changes")
			})
		}
	}
}

// TestAWaitEndsWithinASecondOfTheApproval measures what the service and the provider
// do, from the call that approves to the answer that the provider waits for: how long
// Terraform then takes to end is its own affair.
func TestAWaitEndsWithinASecondOfTheApproval(t *testing.T) {
	s := startService(t)
	dev, rev := s.Developer("dev", false), s.Developer("rev", true)
	asks := make(signal, 1)
	var answered atomic.Pointer[time.Time]
	isWait := isLongPoll
	proxy := servicetest.Proxy{
		Before: func(r *http.Request) {
			if isWait(r) {
				asks.send()
			}
		},
		After: func(r *http.Request) {
			if isWait(r) {
				now := time.Now()
				answered.Store(&now)
			}
		},
	}
	w := workdir(s, dev, waitingConfig)
	w.Env = append(w.Env, "DATASERVICE_ENDPOINT="+proxy.Start(t, s.ControlPlane))
	apply := w.BeginApply()
	asks.await(t, apply)
	review, reviewer := only(t, s), s.Client(rev)
	approved := time.Now()
	if _, err := reviewer.Approve(t.Context(), review.ID, service.DecisionInput{}); err != nil {
		t.Fatal(err)
	}
	apply.Says("dataservice_review.wait: Creation complete")
	told := time.Since(approved)
	took := answered.Load().Sub(approved)
	t.Logf("the service answered after %s, and the apply told of it after %s", took, told)
	if took > time.Second {
		t.Errorf("the wait was answered %s after the approval", took)
	}
	apply.Wait(time.Minute).Succeeds(t)
}
