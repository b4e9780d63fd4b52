// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func TestWhatIsAskedForAtOnceIsDoneOrLeavesNoTrace(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		dev, rev := h.member(t, "dev", service.RoleDeveloper, false), h.member(t, "rev", service.RoleDeveloper, true)
		in := h.definition("orders", 1)
		in.AuthType = service.AuthApp
		api := must(h.CreateAPI(h.ctx, dev, in))(t)
		untouched := func(what string, err error) {
			t.Helper()
			if service.ErrorCode(err) != service.CodeForbidden {
				t.Errorf("%s: %v", what, err)
			}
		}
		publish := service.PublishInput{APIID: api.ID, Revision: 1, AtOnce: true}
		before := len(h.happened(t, h.admin))
		_, err := h.Publish(h.ctx, dev, publish)
		untouched("publishing that needs a review", err)
		if l := must(h.Publications(h.ctx, dev, lifecycle.PublicationFilter{}, lifecycle.Page{}))(t); len(l.Items) != 0 || len(h.happened(t, h.admin)) != before {
			t.Errorf("there are %d publications and %d events", len(l.Items), len(h.happened(t, h.admin)))
		}
		p := must(h.Publish(h.ctx, rev, publish))(t)
		if p.Status != service.StatusPublished || p.Live == nil {
			t.Fatalf("a reviewer's is %s", p.Status)
		}

		app := must(h.CreateApp(h.ctx, dev, service.AppInput{AppSpec: service.AppSpec{Name: "shop"}}))(t)
		authorize := service.AuthorizeInput{APIID: api.ID, AppID: app.ID, AtOnce: true}
		before = len(h.happened(t, h.admin))
		_, err = h.Authorize(h.ctx, dev, authorize)
		untouched("authorizing that needs a review", err)
		if len(h.happened(t, h.admin)) != before {
			t.Error("it left a trace")
		}
		z := must(h.Authorize(h.ctx, rev, authorize))(t)
		if z.Status != service.AuthorizationActive {
			t.Fatalf("a reviewer's is %s", z.Status)
		}

		before = len(h.happened(t, h.admin))
		for what, act := range map[string]func() error{
			"suspending":   func() error { _, err := h.Suspend(h.ctx, rev, p.ID, service.ActionInput{AtOnce: true}); return err },
			"unpublishing": func() error { _, err := h.Unpublish(h.ctx, rev, p.ID, service.ActionInput{AtOnce: true}); return err },
			"revoking": func() error {
				_, err := h.RevokeAuthorization(h.ctx, rev, z.ID, service.RevokeInput{AtOnce: true})
				return err
			},
		} {
			untouched(what+", which the app has to be told of", act())
		}
		if now := must(h.Publication(h.ctx, rev, p.ID, 0))(t); now.Status != service.StatusPublished || now.Deadline != nil || len(h.happened(t, h.admin)) != before {
			t.Errorf("it is %s until %v, with %d events more", now.Status, now.Deadline, len(h.happened(t, h.admin))-before)
		}
		if n := must(h.Notices(h.ctx, h.admin, lifecycle.NoticeFilter{}, lifecycle.Page{}))(t); len(n.Items) != 0 {
			t.Errorf("there are notices: %+v", n.Items)
		}
		must(h.RevokeAuthorization(h.ctx, dev, z.ID, service.RevokeInput{RevokeAs: service.SideApp, AtOnce: true}))(t)
		for _, act := range []func() (service.Publication, error){
			func() (service.Publication, error) {
				return h.Suspend(h.ctx, rev, p.ID, service.ActionInput{AtOnce: true})
			},
			func() (service.Publication, error) {
				return h.Unpublish(h.ctx, rev, p.ID, service.ActionInput{AtOnce: true})
			},
		} {
			p = must(act())(t)
		}
		if p.Status != service.StatusOffline {
			t.Errorf("without an app it is %s", p.Status)
		}
	})
}

func renameTable(t *testing.T, file, from, to string) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), "ALTER TABLE "+from+" RENAME TO "+to); err != nil {
		t.Fatal(err)
	}
}

func TestPublishingMayKeepTheConnectionThatWasChosenLast(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		rev := h.member(t, "rev", service.RoleDeveloper, true)
		file := filepath.Join(h.dir, "prod.db")
		writeNumbers(t, file)
		prod := must(h.CreateConnection(h.ctx, rev, service.ConnectionInput{ConnectionSpec: service.ConnectionSpec{Name: "prod", Engine: service.EngineSQLite, File: "prod.db"}}))(t)
		api := h.api(t, rev, "orders")
		keep := func(revision int64) service.Publication {
			t.Helper()
			return must(h.Publish(h.ctx, rev, service.PublishInput{APIID: api.ID, Revision: revision, KeepConnection: true}))(t)
		}
		if p := keep(1); p.Live.ConnectionID != h.conn.ID || p.Live.Definition.ConnectionID != h.conn.ID {
			t.Errorf("where none was chosen it reads from %s", p.Live.ConnectionID)
		}
		chosen := must(h.Publish(h.ctx, rev, service.PublishInput{APIID: api.ID, Revision: 1, ConnectionID: prod.ID}))(t)
		// What is live is not tried out again, whatever became of its database.
		renameTable(t, file, "numbers", "gone")
		if p := keep(1); p.UpdatedAt != chosen.UpdatedAt {
			t.Error("what is live was published anew")
		}
		renameTable(t, file, "gone", "numbers")
		api = h.redefine(t, rev, api)
		p := keep(2)
		if p.Live.ConnectionID != prod.ID || p.Live.Revision != 2 {
			t.Errorf("revision %d reads from %s", p.Live.Revision, p.Live.ConnectionID)
		}
		must(h.Unpublish(h.ctx, rev, p.ID, service.ActionInput{}))(t)
		if p = keep(2); p.Live.ConnectionID != prod.ID {
			t.Errorf("after it was offline it reads from %s", p.Live.ConnectionID)
		}
		// One that is deleted meanwhile is chosen by nobody any more.
		must(h.Unpublish(h.ctx, rev, p.ID, service.ActionInput{}))(t)
		if err := h.DeleteConnection(h.ctx, rev, prod.ID, ""); err != nil {
			t.Fatal(err)
		}
		if p = keep(2); p.Live.ConnectionID != h.conn.ID {
			t.Errorf("with the connection gone it reads from %s", p.Live.ConnectionID)
		}
	})
}

func TestAVersionIsFoundByItsIDWhereItsAPIIsSeen(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		rev, dev, guest := h.member(t, "rev", service.RoleDeveloper, true), h.member(t, "dev", service.RoleDeveloper, false), h.member(t, "guest", service.RoleVisitor, false)
		p := h.publishRevisions(t, rev, h.api(t, rev, "orders"), 2)
		old := must(h.Versions(h.ctx, rev, p.ID))(t)[1]
		v, of, err := h.VersionByID(h.ctx, dev, old.ID)
		if err != nil || v.Name != "V1" || v.Live || of.ID != p.ID || of.Live.Name != "V2" || of.URL == "" {
			t.Errorf("%+v of %+v, %v", v, of, err)
		}
		for who, c := range map[string]lifecycle.Caller{"a visitor": guest} {
			if _, _, err := h.VersionByID(h.ctx, c, old.ID); service.ErrorCode(err) != service.CodeForbidden {
				t.Errorf("%s: %v", who, err)
			}
		}
		if _, _, err := h.VersionByID(h.ctx, dev, "none"); service.ErrorCode(err) != service.CodeNotFound {
			t.Errorf("one that there is not: %v", err)
		}
		in := h.definition("secrets", 1)
		in.Visibility = service.VisibilityPrivate
		private := must(h.CreateAPI(h.ctx, rev, in))(t)
		hidden := must(h.Publish(h.ctx, rev, service.PublishInput{APIID: private.ID, Revision: 1}))(t)
		if _, _, err := h.VersionByID(h.ctx, dev, hidden.Live.ID); service.ErrorCode(err) != service.CodeNotFound {
			t.Errorf("of a private API: %v", err)
		}
	})
}
