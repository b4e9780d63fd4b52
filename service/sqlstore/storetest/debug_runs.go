// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package storetest

import (
	"context"
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var debugRuns = map[string]func(*testing.T, Open){
	"a test call is found by id and number, and is finished once": debugRun,
	"test calls are listed newest first, and go with their API":   debugRunLists,
	"what a test call was answered is kept of the newest":         debugReports,
	"who changed an API last and who made a group is kept":        makers,
}

func (w *world) addDebugRun(api service.API) service.DebugRun {
	w.t.Helper()
	d := service.DebugRun{
		ID: w.id(), WorkspaceID: w.workspace.ID, APIID: api.ID, APINumber: api.Number, Revision: api.Revision, StartedBy: "dev",
		Status: service.DebugRunning, Input: service.DebugInput{Parameters: map[string]string{"country": "DE"}}, CreatedAt: w.time(),
	}
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateDebugRun(ctx, &d) })
	return d
}

func debugRun(t *testing.T, open Open) {
	w := newWorld(t, open)
	d := w.addDebugRun(w.api)
	find := func(ref string) func(context.Context, lifecycle.Tx) (service.DebugRun, error) {
		return func(ctx context.Context, tx lifecycle.Tx) (service.DebugRun, error) {
			return tx.DebugRun(ctx, w.workspace.ID, ref)
		}
	}
	wantEqual(t, "the number", d.Number, service.FirstNumber)
	wantEqual(t, "the test call by id", read(w, find(d.ID)), d)
	wantEqual(t, "the test call by number", read(w, find(strconv.FormatInt(d.Number, 10))), d)
	missing(w, find("none"))
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.DebugRun, error) {
		return tx.DebugRun(ctx, w.id(), d.ID)
	})

	d.Status, d.Failure, d.FinishedAt = service.DebugFinished, "no such table", new(w.time())
	d.Result = &service.DebugResult{Status: 502, Body: json.RawMessage(`{"errCode":1}`), Rows: 1, Statement: "SELECT 1", DurationMS: 1.5}
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.FinishDebugRun(ctx, d) })
	wantEqual(t, "the finished test call", read(w, find(d.ID)), d)
	again := d
	again.Failure = "another"
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error { return tx.FinishDebugRun(ctx, again) })
	wantEqual(t, "the test call that was finished again", read(w, find(d.ID)), d)
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error {
		orphan := d
		orphan.ID, orphan.APIID, orphan.Status = w.id(), w.id(), service.DebugRunning
		return tx.CreateDebugRun(ctx, &orphan)
	})
}

func debugRunLists(t *testing.T, open Open) {
	w := newWorld(t, open)
	rivers := w.addAPI("list_rivers", "/rivers")
	first, other, second := w.addDebugRun(w.api), w.addDebugRun(rivers), w.addDebugRun(w.api)
	list := func(api service.API, page lifecycle.Page) []service.DebugRun {
		return read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.DebugRun, error) {
			return tx.DebugRuns(ctx, w.workspace.ID, api.ID, page)
		})
	}
	wantEqual(t, "the test calls", list(w.api, lifecycle.Page{}), []service.DebugRun{second, first})
	wantEqual(t, "the first page", list(w.api, lifecycle.Page{Limit: 1}), []service.DebugRun{second})
	wantEqual(t, "the next page", list(w.api, lifecycle.Page{After: second.ID}), []service.DebugRun{first})
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.DeleteAPI(ctx, w.workspace.ID, rivers.ID) })
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.DebugRun, error) {
		return tx.DebugRun(ctx, w.workspace.ID, other.ID)
	})
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.PurgeDebugRuns(ctx, first.CreatedAt) })
	wantEqual(t, "the test calls after a purge of older ones", len(list(w.api, lifecycle.Page{})), 2)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.PurgeDebugRuns(ctx, w.time().Add(time.Hour))
	})
	wantEqual(t, "the test calls after a purge", len(list(w.api, lifecycle.Page{})), 0)
}

func debugReports(t *testing.T, open Open) {
	w := newWorld(t, open)
	rivers := w.addAPI("list_rivers", "/rivers")
	put := func(apiID string, revision int64, sample string) service.DebugReport {
		r := service.DebugReport{
			APIID: apiID, Revision: revision, Status: service.DebugFailed, Failure: "no such table", Parameters: map[string]string{"country": "DE"},
			RequestBody: "{}", HTTPStatus: 502, Sample: sample, Cut: true, Rows: 1, DurationMS: 1.5, By: "dev", At: w.time(),
		}
		w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.PutDebugReport(ctx, r) })
		return r
	}
	find := func(apiID string, revision int64) func(context.Context, lifecycle.Tx) (service.DebugReport, error) {
		return func(ctx context.Context, tx lifecycle.Tx) (service.DebugReport, error) {
			return tx.DebugReport(ctx, apiID, revision)
		}
	}
	missing(w, find(w.api.ID, 1))
	put(w.api.ID, 1, "first")
	again := put(w.api.ID, 1, "again")
	other := put(rivers.ID, 1, "of another")
	wantEqual(t, "the last report", read(w, find(w.api.ID, 1)), again)
	wantEqual(t, "that of another API", read(w, find(rivers.ID, 1)), other)
	missing(w, find(w.api.ID, 2))
	second := put(w.api.ID, 2, "second")
	newest := put(w.api.ID, service.KeptDebugReports+1, "newest")
	missing(w, find(w.api.ID, 1))
	wantEqual(t, "the oldest that is kept", read(w, find(w.api.ID, 2)), second)
	wantEqual(t, "the newest", read(w, find(w.api.ID, service.KeptDebugReports+1)), newest)
	wantEqual(t, "that of another API", read(w, find(rivers.ID, 1)), other)
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.PutDebugReport(ctx, service.DebugReport{APIID: w.id(), Revision: 1})
	})
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.DeleteAPI(ctx, w.workspace.ID, rivers.ID) })
	missing(w, find(rivers.ID, 1))
}

func makers(t *testing.T, open Open) {
	w := newWorld(t, open)
	a := w.newAPI("list_rivers", "/rivers")
	a.UpdatedBy = "dev"
	g := service.Group{ID: w.id(), WorkspaceID: w.workspace.ID, GroupSpec: service.GroupSpec{Name: "sales"}, CreatedAt: w.time(), UpdatedAt: w.time(), CreatedBy: "dev", RowVersion: 1}
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		if err := tx.CreateGroup(ctx, g); err != nil {
			return err
		}
		return tx.CreateAPI(ctx, &a)
	})
	found := func() service.API {
		return read(w, func(ctx context.Context, tx lifecycle.Tx) (service.API, error) {
			return tx.API(ctx, w.workspace.ID, a.ID)
		})
	}
	wantEqual(t, "who made it", found().UpdatedBy, "dev")
	a.UpdatedBy = "rev"
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateAPI(ctx, &a) })
	wantEqual(t, "who changed it last", found().UpdatedBy, "rev")
	changed := g
	changed.CreatedBy, changed.Description = "rev", "all of it"
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateGroup(ctx, &changed) })
	wantEqual(t, "who made the group", read(w, func(ctx context.Context, tx lifecycle.Tx) (service.Group, error) {
		return tx.Group(ctx, w.workspace.ID, g.ID)
	}).CreatedBy, "dev")
}
