// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// finished waits until the test call is, and returns it.
func (h *house) finished(t *testing.T, c lifecycle.Caller, run service.DebugRun) service.DebugRun {
	t.Helper()
	servicetest.Eventually(t, 10*time.Second, "the test call is finished", func() bool {
		run = must(h.DebugRun(h.ctx, c, run.ID))(t)
		return run.Status == service.DebugFinished
	})
	return run
}

func TestATestCallIsAnsweredLater(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		dev, guest := h.member(t, "dev", service.RoleDeveloper, false), h.member(t, "guest", service.RoleVisitor, false)
		api := must(h.CreateAPI(h.ctx, dev, h.upTo("numbers_api")))(t)
		if api.DebugStatus != service.DebugWaiting {
			t.Fatalf("it is %s", api.DebugStatus)
		}
		started := must(h.StartDebug(h.ctx, dev, "numbers_api", service.DebugInput{Parameters: map[string]string{"max": "3"}}))(t)
		if started.Status != service.DebugRunning || started.Number == 0 || started.APINumber != api.Number || started.Result != nil {
			t.Errorf("it starts as %+v", started)
		}
		run := h.finished(t, dev, started)
		if !run.Succeeded() || run.Result == nil || run.Result.Rows != 3 || run.Input.Parameters["max"] != "3" || run.FinishedAt == nil || run.StartedBy != "dev" {
			t.Errorf("it ends as %+v", run)
		}
		if after := must(h.API(h.ctx, dev, api.ID))(t); after.DebugStatus != service.DebugSuccess || after.Revision != 1 {
			t.Errorf("the API is %s at revision %d", after.DebugStatus, after.Revision)
		}
		if found := must(h.DebugRun(h.ctx, dev, strconv.FormatInt(run.Number, 10)))(t); found.ID != run.ID {
			t.Errorf("by number it is %+v", found)
		}
		_, err := h.DebugRun(h.ctx, guest, run.ID)
		wantCode(t, err, service.CodeForbidden, "guest")

		// What cannot be called is refused at once, and leaves nothing.
		_, err = h.StartDebug(h.ctx, dev, api.ID, service.DebugInput{})
		wantCode(t, err, service.CodeInvalid, "max")
		_, err = h.StartDebug(h.ctx, guest, api.ID, service.DebugInput{})
		wantCode(t, err, service.CodeForbidden, "guest")
		if l := must(h.DebugRuns(h.ctx, dev, api.ID, lifecycle.Page{}))(t); len(l.Items) != 1 || l.Items[0].ID != run.ID {
			t.Errorf("the list is %+v", l)
		}
		_, err = h.DebugRuns(h.ctx, dev, "none", lifecycle.Page{})
		wantCode(t, err, service.CodeNotFound, "none")
	})
}

func TestATestCallThatFailsTellsWhy(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		dev := h.member(t, "dev", service.RoleDeveloper, false)
		api := must(h.CreateAPI(h.ctx, dev, h.upTo("numbers_api")))(t)
		in := service.DebugInput{Parameters: map[string]string{"max": "3"}, Expect: &service.DebugExpectation{MinRows: 9}}
		run := h.finished(t, dev, must(h.StartDebug(h.ctx, dev, api.ID, in))(t))
		if run.Succeeded() || !strings.Contains(run.Failure, "too few rows: 3") || run.Result == nil || run.Result.Status != 200 {
			t.Errorf("it ends as %+v", run)
		}
		if after := must(h.API(h.ctx, dev, api.ID))(t); after.DebugStatus != service.DebugFailed {
			t.Errorf("the API is %s", after.DebugStatus)
		}
	})
}

// slow is a runner whose test calls wait.
type slow struct {
	lifecycle.Runner
	until chan struct{}
}

func (s slow) Debug(ctx context.Context, d service.Definition, c service.Connection, call service.DebugInput) (service.DebugResult, error) {
	<-s.until
	return s.Runner.Debug(ctx, d, c, call)
}

func TestTestCallsUnderWayAreBounded(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	dev := h.member(t, "dev", service.RoleDeveloper, false)
	api := h.api(t, dev, "numbers_api")
	until := make(chan struct{})
	h.Runner = slow{h.Runner, until}
	var runs []service.DebugRun
	for {
		run, err := h.StartDebug(h.ctx, dev, api.ID, service.DebugInput{})
		if err != nil {
			wantCode(t, err, service.CodeBusy, "under way")
			break
		}
		if runs = append(runs, run); len(runs) > 1000 {
			t.Fatal("there is no bound")
		}
	}
	close(until)
	for _, run := range runs {
		if run = h.finished(t, dev, run); !run.Succeeded() {
			t.Errorf("it ends as %+v", run)
		}
	}
	h.finished(t, dev, must(h.StartDebug(h.ctx, dev, api.ID, service.DebugInput{}))(t))
}

func TestATestCallThatIsLostReadsAsFailed(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		dev := h.member(t, "dev", service.RoleDeveloper, false)
		api := h.api(t, dev, "numbers_api")
		now := &clock{time.Date(2026, 3, 4, 12, 30, 0, 0, time.UTC)}
		h.Clock = now
		// It is as if the process had ended right after it noted the call.
		lost := service.DebugRun{ID: service.NewID(now.at), WorkspaceID: h.workspace.ID, APIID: api.ID, Revision: 1, Status: service.DebugRunning, CreatedAt: now.at}
		if err := h.store.Update(h.ctx, func(tx lifecycle.Tx) error { return tx.CreateDebugRun(h.ctx, &lost) }); err != nil {
			t.Fatal(err)
		}
		now.at = now.at.Add(service.MaxDebugRun)
		if run := must(h.DebugRun(h.ctx, dev, lost.ID))(t); run.Status != service.DebugRunning {
			t.Errorf("while it may run it is %+v", run)
		}
		now.at = now.at.Add(time.Second)
		for _, run := range []service.DebugRun{must(h.DebugRun(h.ctx, dev, lost.ID))(t), must(h.DebugRuns(h.ctx, dev, api.ID, lifecycle.Page{}))(t).Items[0]} {
			if run.Status != service.DebugFinished || run.Succeeded() || !strings.Contains(run.Failure, "ended before the answer came") {
				t.Errorf("when it cannot run any more it is %+v", run)
			}
		}
	})
}

func TestATestCallOfAPrivateAPIIsItsOwners(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		dev, other := h.member(t, "dev", service.RoleDeveloper, false), h.member(t, "other", service.RoleDeveloper, false)
		in := h.definition("numbers_api", 1)
		in.Visibility = service.VisibilityPrivate
		api := must(h.CreateAPI(h.ctx, dev, in))(t)
		run := h.finished(t, dev, must(h.StartDebug(h.ctx, dev, api.ID, service.DebugInput{}))(t))
		_, err := h.DebugRun(h.ctx, other, run.ID)
		wantCode(t, err, service.CodeNotFound, "test call")
		_, err = h.StartDebug(h.ctx, other, api.ID, service.DebugInput{})
		wantCode(t, err, service.CodeNotFound, api.ID)
	})
}
