// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package acceptance

import (
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// waitingConfig publishes an API and waits for somebody's decision on it.
const waitingConfig = `
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
  remark       = var.remark
}

variable "remark" {
  type    = string
  default = null
}

resource "dataservice_review" "wait" {
  publication_id = dataservice_publication.number.id
  api_revision   = dataservice_publication.number.api_revision
  timeouts       = { create = var.patience }
}

variable "patience" {
  default = "5m"
}
`

// running is an apply under way.
type running struct {
	cmd   *exec.Cmd
	out   journal
	ended chan error
}

func (w *workdir) startApply(args ...string) *running {
	w.h.t.Helper()
	r := &running{cmd: w.command(append([]string{"apply", "-auto-approve", "-no-color", "-input=false"}, args...)...), ended: make(chan error, 1)}
	r.cmd.Stdout, r.cmd.Stderr = &r.out, &r.out
	if err := r.cmd.Start(); err != nil {
		w.h.t.Fatal(err)
	}
	go func() { r.ended <- r.cmd.Wait() }()
	return r
}

// waits returns the one application once the apply waits for its decision.
func (r *running) waits(t *testing.T, c *client.Client) service.Review {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		select {
		case err := <-r.ended:
			t.Fatalf("the apply did not wait: %v\n%s", err, r.out.String())
		default:
		}
		if !strings.Contains(r.out.String(), "dataservice_review.wait: Creating...") {
			continue
		}
		reviews := all(t, pendingReviews(c))
		if len(reviews) != 1 {
			t.Fatalf("there are %d applications, want 1", len(reviews))
		}
		return reviews[0]
	}
	t.Fatalf("the apply does not wait after 30 s:\n%s", r.out.String())
	return service.Review{}
}

// TestAnInterruptedWaitGoesOn ends the wait for a decision in each way that a wait
// can end too early. The state is right after it, there is exactly one application,
// and the next apply goes on waiting and ends with the approval.
func TestAnInterruptedWaitGoesOn(t *testing.T) {
	tests := []struct {
		name string
		args []string
		end  func(t *testing.T, cli *os.Process)
	}{
		{"Ctrl-C", nil, func(t *testing.T, cli *os.Process) {
			if err := cli.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}},
		{"kill -9 of the plugin", nil, func(t *testing.T, cli *os.Process) {
			for _, pid := range pluginsOf(t, cli.Pid) {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}},
		{"kill -9 of the CLI", nil, func(t *testing.T, cli *os.Process) {
			plugins := pluginsOf(t, cli.Pid)
			if err := cli.Kill(); err != nil {
				t.Fatal(err)
			}
			// An orphaned plugin notices that its pipe is gone only when it writes.
			for _, pid := range plugins {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}},
		{"a time-out", []string{"-var", "patience=2s"}, func(*testing.T, *os.Process) {}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t)
			dana, rita := h.token("dana", service.RoleDeveloper, false), h.token("rita", service.RoleDeveloper, true)
			w := h.workdir(dana, waitingConfig)
			reviewer := h.client(rita)
			apply := w.startApply(tt.args...)
			review := apply.waits(t, reviewer)
			tt.end(t, apply.cmd.Process)
			if err := <-apply.ended; err == nil {
				t.Fatal("an apply that was cut short exits with 0")
			}

			again := w.startApply()
			if now := again.waits(t, reviewer); now.ID != review.ID {
				t.Errorf("the next apply made another application: %s, before %s", now.ID, review.ID)
			}
			if _, err := reviewer.Approve(t.Context(), review.ID, service.DecisionInput{}); err != nil {
				t.Fatal(err)
			}
			approved := time.Now()
			if err := <-again.ended; err != nil {
				t.Fatalf("the next apply failed: %v\n%s", err, again.out.String())
			}
			t.Logf("the apply ended %s after the approval", time.Since(approved))
			w.mustPlanEmpty()
			if status, body := h.call("/number"); status != http.StatusOK {
				t.Errorf("the approved API answers %d %s", status, body)
			}
		})
	}
}
