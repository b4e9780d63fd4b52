// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func (h *house) group(t *testing.T, c lifecycle.Caller, name string) service.Group {
	t.Helper()
	return must(h.CreateGroup(h.ctx, c, service.GroupInput{GroupSpec: service.GroupSpec{Name: name}}))(t)
}

func folderInput(name, groupID, parentID string) service.FolderInput {
	return service.FolderInput{FolderSpec: service.FolderSpec{Name: name, GroupID: groupID, ParentID: parentID}}
}

func (h *house) folder(t *testing.T, c lifecycle.Caller, name, groupID, parentID string) service.Folder {
	t.Helper()
	return must(h.CreateFolder(h.ctx, c, folderInput(name, groupID, parentID)))(t)
}

func TestWhoMayFile(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	g := h.group(t, h.admin, "sales")
	f := h.folder(t, h.admin, "north", g.ID, "")
	for _, tt := range []struct {
		role          service.Role
		reads, writes bool
	}{
		{service.RoleAdmin, true, true},
		{service.RoleDeveloper, true, true},
		{service.RoleOperator, true, false},
		{service.RoleVisitor, false, false},
	} {
		c := h.member(t, "some_"+strings.ToLower(string(tt.role)), tt.role, false)
		for name, call := range map[string]struct {
			allowed bool
			do      func() error
		}{
			"read a group":   {tt.reads, func() error { _, err := h.Group(h.ctx, c, g.ID); return err }},
			"list groups":    {tt.reads, func() error { _, err := h.Groups(h.ctx, c, lifecycle.Page{}); return err }},
			"read a folder":  {tt.reads, func() error { _, err := h.Folder(h.ctx, c, f.ID); return err }},
			"list folders":   {tt.reads, func() error { _, err := h.Folders(h.ctx, c, lifecycle.FolderFilter{}, lifecycle.Page{}); return err }},
			"create a group": {tt.writes, func() error { _, err := h.CreateGroup(h.ctx, c, service.GroupInput{}); return err }},
			"update a group": {tt.writes, func() error { _, err := h.UpdateGroup(h.ctx, c, g.ID, "", service.GroupInput{}); return err }},
			"delete a group": {tt.writes, func() error { return h.DeleteGroup(h.ctx, c, g.ID, `"9"`) }},
			"create a folder": {tt.writes, func() error {
				_, err := h.CreateFolder(h.ctx, c, service.FolderInput{})
				return err
			}},
			"update a folder": {tt.writes, func() error {
				_, err := h.UpdateFolder(h.ctx, c, f.ID, "", service.FolderInput{})
				return err
			}},
			"delete a folder": {tt.writes, func() error { return h.DeleteFolder(h.ctx, c, f.ID, `"9"`) }},
		} {
			if err := call.do(); (service.ErrorCode(err) != service.CodeForbidden) != call.allowed {
				t.Errorf("%s may %s: want %t, got %v", tt.role, name, call.allowed, err)
			}
		}
	}
}

func TestAGroupIsCreatedOnceChangedAndDeletedByWhatWasRead(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		dev := h.member(t, "dev", service.RoleDeveloper, false)
		keyed := dev
		keyed.IdempotencyKey = "k"
		in := service.GroupInput{GroupSpec: service.GroupSpec{Name: "sales"}}
		g := must(h.CreateGroup(h.ctx, keyed, in))(t)
		if again := must(h.CreateGroup(h.ctx, keyed, in))(t); again.ID != g.ID || again.ETag() != g.ETag() {
			t.Errorf("the repeated create answers %s %s, the first one %s %s", again.ID, again.ETag(), g.ID, g.ETag())
		}
		_, err := h.CreateGroup(h.ctx, dev, in)
		wantCode(t, err, service.CodeAlreadyExists, `"sales"`)
		in.Description = "All that is sold"
		changed := must(h.UpdateGroup(h.ctx, dev, "sales", g.ETag(), in))(t)
		if changed.ETag() == g.ETag() || changed.Description != in.Description {
			t.Errorf("the changed group is %+v", changed)
		}
		_, err = h.UpdateGroup(h.ctx, dev, "sales", g.ETag(), in)
		wantCode(t, err, service.CodeStale)
		wantCode(t, h.DeleteGroup(h.ctx, dev, g.ID, g.ETag()), service.CodeStale)
		if err := h.DeleteGroup(h.ctx, dev, g.ID, changed.ETag()); err != nil {
			t.Fatal(err)
		}
		_, err = h.Group(h.ctx, dev, g.ID)
		wantCode(t, err, service.CodeNotFound)
		if made := must(h.CreateGroup(h.ctx, keyed, service.GroupInput{GroupSpec: service.GroupSpec{Name: "sales"}}))(t); made.ID == g.ID {
			t.Error("a deleted group is replayed")
		}
		if got := h.actions(t, g.ID); !slices.Equal(got, []string{"group.create", "group.update", "group.delete"}) {
			t.Errorf("the audit trail has %v", got)
		}
	})
}

// actions are what the audit trail tells of a thing.
func (h *house) actions(t *testing.T, id string) (actions []string) {
	t.Helper()
	l, err := h.allEvents(h.admin)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range l.Items {
		if e.ThingID == id {
			actions = append(actions, e.Action)
		}
	}
	return actions
}

func TestAFolderMovesWithinItsGroup(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		dev := h.member(t, "dev", service.RoleDeveloper, false)
		sales, stock := h.group(t, dev, "sales"), h.group(t, dev, "stock")
		north, south := h.folder(t, dev, "north", sales.ID, ""), h.folder(t, dev, "south", sales.ID, "")
		inner := h.folder(t, dev, "inner", sales.ID, north.ID)
		deep := h.folder(t, dev, "deep", sales.ID, inner.ID)

		invalid := func(pointer string, err error, says ...string) {
			t.Helper()
			if wantCode(t, err, service.CodeInvalid, says...); !blames(err, pointer) {
				t.Errorf("the error does not blame %s: %v", pointer, err)
			}
		}
		_, err := h.CreateFolder(h.ctx, dev, folderInput("x", service.NewID(h.Clock.Now()), ""))
		invalid("/group_id", err, "no group")
		_, err = h.CreateFolder(h.ctx, dev, folderInput("x", "sales", ""))
		invalid("/group_id", err, "use the id of one in this workspace, not its name")
		_, err = h.CreateFolder(h.ctx, dev, folderInput("x", sales.ID, "nowhere"))
		invalid("/parent_id", err, "no folder")
		_, err = h.CreateFolder(h.ctx, dev, folderInput("x", stock.ID, north.ID))
		invalid("/parent_id", err, `"north" is in another group`)
		_, err = h.CreateFolder(h.ctx, dev, folderInput("north", sales.ID, ""))
		wantCode(t, err, service.CodeAlreadyExists, `"north"`)
		_, err = h.UpdateFolder(h.ctx, dev, north.ID, "", folderInput("north", stock.ID, ""))
		invalid("/group_id", err, "stays in its group", sales.ID)
		for _, below := range []service.Folder{north, inner, deep} {
			_, err = h.UpdateFolder(h.ctx, dev, north.ID, "", folderInput("north", sales.ID, below.ID))
			invalid("/parent_id", err, "cannot lie in itself")
		}

		moved := must(h.UpdateFolder(h.ctx, dev, inner.ID, inner.ETag(), folderInput("inner", sales.ID, south.ID)))(t)
		if moved.ParentID != south.ID || moved.ETag() == inner.ETag() || moved.Number != inner.Number {
			t.Errorf("the moved folder is %+v", moved)
		}
		_, err = h.UpdateFolder(h.ctx, dev, inner.ID, inner.ETag(), folderInput("inner", sales.ID, ""))
		wantCode(t, err, service.CodeStale)
		must(h.UpdateFolder(h.ctx, dev, north.ID, "", folderInput("north", sales.ID, deep.ID)))(t) // nothing of it lies there any more
		wantCode(t, h.DeleteFolder(h.ctx, dev, deep.ID, ""), service.CodeInUse, `"deep"`, "the folders north")
		if err := h.DeleteFolder(h.ctx, dev, north.ID, ""); err != nil {
			t.Fatal(err)
		}
		if got := h.actions(t, north.ID); !slices.Equal(got, []string{"folder.create", "folder.update", "folder.delete"}) {
			t.Errorf("the audit trail has %v", got)
		}
		if l := must(h.Folders(h.ctx, dev, lifecycle.FolderFilter{ParentID: inner.ID}, lifecycle.Page{}))(t); len(l.Items) != 1 || l.Items[0].ID != deep.ID {
			t.Errorf("in the moved folder there is %+v", l.Items)
		}
	})
}

func TestFoldersLieInEachOtherToTheDepthOfEight(t *testing.T) {
	h := newHouse(t, stores["sqlite"](t))
	g := h.group(t, h.admin, "sales")
	parent, folders := "", []service.Folder{}
	for i := range service.MaxFolderDepth {
		f := h.folder(t, h.admin, fmt.Sprint(i), g.ID, parent)
		folders, parent = append(folders, f), f.ID
	}
	_, err := h.CreateFolder(h.ctx, h.admin, folderInput("ninth", g.ID, parent))
	wantCode(t, err, service.CodeInvalid, "9 folders", "8 is the most")
	outer := h.folder(t, h.admin, "outer", g.ID, "")
	_, err = h.UpdateFolder(h.ctx, h.admin, folders[0].ID, "", folderInput("0", g.ID, outer.ID))
	wantCode(t, err, service.CodeInvalid, "9 folders")
	must(h.UpdateFolder(h.ctx, h.admin, folders[1].ID, "", folderInput("1", g.ID, outer.ID)))(t)
}

// TestTwoMovesAtOnceMakeNoCircle moves each of two folders into the other one.
func TestTwoMovesAtOnceMakeNoCircle(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		g := h.group(t, h.admin, "sales")
		for round := range 10 {
			a, b := h.folder(t, h.admin, fmt.Sprint("a", round), g.ID, ""), h.folder(t, h.admin, fmt.Sprint("b", round), g.ID, "")
			errs := make([]error, 2)
			var wg sync.WaitGroup
			wg.Go(func() { _, errs[0] = h.UpdateFolder(h.ctx, h.admin, a.ID, "", folderInput(a.Name, g.ID, b.ID)) })
			wg.Go(func() { _, errs[1] = h.UpdateFolder(h.ctx, h.admin, b.ID, "", folderInput(b.Name, g.ID, a.ID)) })
			wg.Wait()
			if (errs[0] == nil) == (errs[1] == nil) {
				t.Fatalf("round %d: %v and %v", round, errs[0], errs[1])
			}
		}
	})
}

func TestAnAPIIsFiledBesideItsDefinition(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		dev, rev := h.member(t, "dev", service.RoleDeveloper, false), h.member(t, "rev", service.RoleDeveloper, true)
		sales, stock := h.group(t, dev, "sales"), h.group(t, dev, "stock")
		north := h.folder(t, dev, "north", sales.ID, "")
		api := h.api(t, dev, "orders")
		p := must(h.Publish(h.ctx, dev, service.PublishInput{APIID: api.ID, Revision: 1}))(t)

		in := h.definition("orders", 1)
		in.GroupID, in.FolderID, in.ResourceGroup = sales.ID, north.ID, "exclusive"
		filed := must(h.UpdateAPI(h.ctx, dev, api.ID, api.ETag(), in))(t)
		if filed.Revision != 1 || filed.DebugStatus != service.DebugSuccess || filed.ETag() == api.ETag() {
			t.Errorf("the filed API has revision %d, debug %s, ETag %s after %s", filed.Revision, filed.DebugStatus, filed.ETag(), api.ETag())
		}
		// It is not what an approval is about.
		must(h.Approve(h.ctx, rev, p.OpenReview.ID, service.DecisionInput{Digest: p.OpenReview.Digest}))(t)
		if live := must(h.PublishedAPI(h.ctx, dev, api.ID, ""))(t); live.GroupID != sales.ID || live.FolderID != north.ID || live.ResourceGroup != "exclusive" || live.Visibility != service.VisibilityWorkspace {
			t.Errorf("the catalog shows it as filed under %+v", live)
		}
		if got := h.actions(t, api.ID); !slices.Equal(got, []string{"api.create", "api.update"}) {
			t.Errorf("the audit trail has %v", got)
		}
		for what, filter := range map[string]lifecycle.APIFilter{"group": {GroupID: sales.ID}, "folder": {FolderID: north.ID}} {
			if l := must(h.APIs(h.ctx, dev, filter, lifecycle.Page{}))(t); len(l.Items) != 1 || l.Items[0].ID != api.ID {
				t.Errorf("in the %s there is %+v", what, l.Items)
			}
		}
		if l := must(h.APIs(h.ctx, dev, lifecycle.APIFilter{GroupID: stock.ID}, lifecycle.Page{}))(t); len(l.Items) != 0 {
			t.Errorf("in another group there is %+v", l.Items)
		}
		wantCode(t, h.DeleteFolder(h.ctx, dev, north.ID, ""), service.CodeInUse, `"north"`, "the APIs orders")
		wantCode(t, h.DeleteGroup(h.ctx, dev, sales.ID, ""), service.CodeInUse, `"sales"`, "the folders north and the APIs orders")

		for name, tt := range map[string]struct{ group, folder, pointer string }{
			"a group that there is not":  {"nowhere", "", "/group_id"},
			"a group by its name":        {"sales", "", "/group_id"},
			"a folder that there is not": {sales.ID, "nowhere", "/folder_id"},
			"a folder of another group":  {stock.ID, north.ID, "/folder_id"},
			"a folder without a group":   {"", north.ID, "/folder_id"},
		} {
			bad := h.definition("orders", 1)
			bad.GroupID, bad.FolderID = tt.group, tt.folder
			_, validated := h.ValidateAPI(h.ctx, dev, api.ID, bad)
			_, updated := h.UpdateAPI(h.ctx, dev, api.ID, "", bad)
			bad.Name = "other"
			_, created := h.CreateAPI(h.ctx, dev, bad)
			for _, err := range []error{validated, updated, created} {
				if wantCode(t, err, service.CodeInvalid); !blames(err, tt.pointer) {
					t.Errorf("%s: the error does not blame %s: %v", name, tt.pointer, err)
				}
			}
		}

		must(h.UpdateAPI(h.ctx, dev, api.ID, "", h.definition("orders", 1)))(t)
		if err := h.DeleteFolder(h.ctx, dev, north.ID, ""); err != nil {
			t.Error(err)
		}
		if err := h.DeleteGroup(h.ctx, dev, sales.ID, ""); err != nil {
			t.Error(err)
		}
	})
}
