// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package storetest

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var filing = map[string]func(*testing.T, Open){
	"a group is found by id and name, and can change":              group,
	"a folder is found by id and number, and can move":             folder,
	"a folder's name is taken in one place only":                   folderNames,
	"folders are listed by group and by parent":                    folderLists,
	"an API is filed under a group and a folder, and listed there": filedAPI,
	"APIs are listed by what they are, and by a text in them":      apiFilters,
	"a group or folder that holds something stays":                 deleteFiled,
	"nothing is filed where there is nothing":                      filedNowhere,
	"the lock of a group lets one at a time through":               groupLock,
}

func (w *world) newGroup(name string) service.Group {
	return service.Group{
		ID: w.id(), WorkspaceID: w.workspace.ID, GroupSpec: service.GroupSpec{Name: name, Description: "All that is sold"},
		CreatedAt: w.time(), UpdatedAt: w.time(), RowVersion: 1,
	}
}

func (w *world) newFolder(name, groupID, parentID string) service.Folder {
	return service.Folder{
		ID: w.id(), WorkspaceID: w.workspace.ID, FolderSpec: service.FolderSpec{Name: name, GroupID: groupID, ParentID: parentID},
		CreatedAt: w.time(), UpdatedAt: w.time(), RowVersion: 1,
	}
}

// addGroup stores a group.
func (w *world) addGroup(name string) service.Group {
	w.t.Helper()
	g := w.newGroup(name)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateGroup(ctx, g) })
	return g
}

// addFolder stores a folder.
func (w *world) addFolder(name, groupID, parentID string) service.Folder {
	w.t.Helper()
	f := w.newFolder(name, groupID, parentID)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateFolder(ctx, &f) })
	return f
}

func group(t *testing.T, open Open) {
	w := newWorld(t, open)
	find := func(ref string) func(context.Context, lifecycle.Tx) (service.Group, error) {
		return func(ctx context.Context, tx lifecycle.Tx) (service.Group, error) {
			return tx.Group(ctx, w.workspace.ID, ref)
		}
	}
	sales, stock := w.addGroup("sales"), w.addGroup("stock")
	for _, ref := range []string{sales.ID, "sales"} {
		wantEqual(t, "the group", read(w, find(ref)), sales)
	}
	missing(w, find("nowhere"))
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Group, error) {
		return tx.Group(ctx, w.id(), sales.ID)
	})
	wantContains(t, w.refused(service.CodeAlreadyExists, func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.CreateGroup(ctx, w.newGroup("sales"))
	}), `There is a group named "sales" already.`)

	changed := sales
	changed.Name, changed.Description, changed.UpdatedAt = "orders", "", start.Add(time.Hour)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateGroup(ctx, &changed) })
	if changed.RowVersion != 2 {
		t.Errorf("the record's row version is %d after an update, want 2", changed.RowVersion)
	}
	wantEqual(t, "the changed group", read(w, find("orders")), changed)
	wantContains(t, w.refused(service.CodeConflict, func(ctx context.Context, tx lifecycle.Tx) error {
		stale := sales
		return tx.UpdateGroup(ctx, &stale)
	}), "sales")
	w.refused(service.CodeAlreadyExists, func(ctx context.Context, tx lifecycle.Tx) error {
		twin := changed
		twin.Name = stock.Name
		return tx.UpdateGroup(ctx, &twin)
	})
	gone := w.newGroup("gone")
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateGroup(ctx, &gone) })
	list := func(page lifecycle.Page) []service.Group {
		return read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Group, error) {
			return tx.Groups(ctx, w.workspace.ID, page)
		})
	}
	wantEqual(t, "the list", list(lifecycle.Page{}), []service.Group{changed, stock})
	wantEqual(t, "the second page", list(lifecycle.Page{After: sales.ID, Limit: 1}), []service.Group{stock})

	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.DeleteGroup(ctx, w.workspace.ID, stock.ID) })
	missing(w, find(stock.ID))
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error { return tx.DeleteGroup(ctx, w.workspace.ID, stock.ID) })
}

func folder(t *testing.T, open Open) {
	w := newWorld(t, open)
	find := func(ref string) func(context.Context, lifecycle.Tx) (service.Folder, error) {
		return func(ctx context.Context, tx lifecycle.Tx) (service.Folder, error) {
			return tx.Folder(ctx, w.workspace.ID, ref)
		}
	}
	sales := w.addGroup("sales")
	outer := w.addFolder("2026 – Bücher", sales.ID, "")
	inner := w.addFolder("north", sales.ID, outer.ID)
	if outer.Number != service.FirstNumber || inner.Number != service.FirstNumber+1 {
		t.Errorf("the folders have the numbers %d and %d, want them from %d", outer.Number, inner.Number, service.FirstNumber)
	}
	for _, ref := range []string{outer.ID, strconv.FormatInt(service.FirstNumber, 10)} {
		wantEqual(t, "the folder", read(w, find(ref)), outer)
	}
	wantEqual(t, "the folder in it", read(w, find(inner.ID)), inner)
	missing(w, find("north")) // names are unique in one place only
	missing(w, find("0"))

	moved := inner
	moved.ParentID, moved.Name, moved.UpdatedAt = "", "south", start.Add(time.Hour)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateFolder(ctx, &moved) })
	if moved.RowVersion != 2 {
		t.Errorf("the record's row version is %d after an update, want 2", moved.RowVersion)
	}
	wantEqual(t, "the moved folder", read(w, find(inner.ID)), moved)
	w.refused(service.CodeConflict, func(ctx context.Context, tx lifecycle.Tx) error {
		stale := inner
		return tx.UpdateFolder(ctx, &stale)
	})
	gone := w.newFolder("gone", sales.ID, "")
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateFolder(ctx, &gone) })

	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.DeleteFolder(ctx, w.workspace.ID, moved.ID)
	})
	missing(w, find(moved.ID))
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.DeleteFolder(ctx, w.workspace.ID, moved.ID)
	})
	if next := w.addFolder("west", sales.ID, ""); next.Number != service.FirstNumber+2 {
		t.Errorf("with a folder deleted the next one has the number %d, want %d", next.Number, service.FirstNumber+2)
	}
}

func folderNames(t *testing.T, open Open) {
	w := newWorld(t, open)
	sales, stock := w.addGroup("sales"), w.addGroup("stock")
	north := w.addFolder("north", sales.ID, "")
	south := w.addFolder("south", sales.ID, "")
	w.addFolder("north", stock.ID, "")
	w.addFolder("north", sales.ID, north.ID)
	below := w.addFolder("north", sales.ID, south.ID)
	for _, parent := range []string{"", north.ID} {
		wantContains(t, w.refused(service.CodeAlreadyExists, func(ctx context.Context, tx lifecycle.Tx) error {
			twin := w.newFolder("north", sales.ID, parent)
			return tx.CreateFolder(ctx, &twin)
		}), `"north"`)
		wantContains(t, w.refused(service.CodeAlreadyExists, func(ctx context.Context, tx lifecycle.Tx) error {
			twin := below
			twin.ParentID = parent
			return tx.UpdateFolder(ctx, &twin)
		}), `"north"`)
	}
}

func folderLists(t *testing.T, open Open) {
	w := newWorld(t, open)
	sales, stock := w.addGroup("sales"), w.addGroup("stock")
	a := w.addFolder("a", sales.ID, "")
	b := w.addFolder("b", sales.ID, a.ID)
	c := w.addFolder("c", sales.ID, b.ID)
	d := w.addFolder("d", stock.ID, "")
	for what, tt := range map[string]struct {
		filter lifecycle.FolderFilter
		want   []service.Folder
	}{
		"all folders":             {lifecycle.FolderFilter{}, []service.Folder{a, b, c, d}},
		"those of a group":        {lifecycle.FolderFilter{GroupID: sales.ID}, []service.Folder{a, b, c}},
		"those of a folder":       {lifecycle.FolderFilter{ParentID: a.ID}, []service.Folder{b}},
		"those of neither":        {lifecycle.FolderFilter{GroupID: stock.ID, ParentID: a.ID}, []service.Folder{}},
		"those of a strange text": {lifecycle.FolderFilter{GroupID: "a\x00b"}, []service.Folder{}},
	} {
		wantEqual(t, what, read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Folder, error) {
			return tx.Folders(ctx, w.workspace.ID, tt.filter, lifecycle.Page{})
		}), tt.want)
	}
}

func filedAPI(t *testing.T, open Open) {
	w := newWorld(t, open)
	sales := w.addGroup("sales")
	north := w.addFolder("north", sales.ID, "")
	filed := w.newAPI("filed", "/filed")
	filed.GroupID, filed.FolderID, filed.ResourceGroup, filed.Visibility = sales.ID, north.ID, "exclusive", service.VisibilityPrivate
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateAPI(ctx, &filed) })
	find := func(ctx context.Context, tx lifecycle.Tx) (service.API, error) {
		return tx.API(ctx, w.workspace.ID, filed.ID)
	}
	list := func(f lifecycle.APIFilter) []service.API {
		return read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.API, error) {
			return tx.APIs(ctx, w.workspace.ID, f, lifecycle.Page{})
		})
	}
	wantEqual(t, "the filed API", read(w, find), filed)
	wantEqual(t, "the APIs of the group", list(lifecycle.APIFilter{GroupID: sales.ID}), []service.API{filed})
	wantEqual(t, "the APIs of the folder", list(lifecycle.APIFilter{FolderID: north.ID}), []service.API{filed})
	wantEqual(t, "all APIs", list(lifecycle.APIFilter{}), []service.API{w.api, filed})
	published := w.publish(w.addPublication(filed, w.release), filed, service.StatusPublished)
	for what, filter := range map[string]lifecycle.PublicationFilter{"group": {GroupID: sales.ID}, "folder": {FolderID: north.ID}} {
		wantEqual(t, "the publications of the "+what, publicationIDs(w, filter), []string{published.ID})
	}

	filed.FolderID, filed.ResourceGroup, filed.Visibility = "", "", service.VisibilityWorkspace
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateAPI(ctx, &filed) })
	wantEqual(t, "the API that left its folder", read(w, find), filed)
	wantEqual(t, "the APIs of the group", list(lifecycle.APIFilter{GroupID: sales.ID}), []service.API{filed})
	wantEqual(t, "the APIs of the folder", list(lifecycle.APIFilter{FolderID: north.ID}), []service.API{})
	filed.GroupID = ""
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateAPI(ctx, &filed) })
	wantEqual(t, "the API that left its group", read(w, find), filed)
	wantEqual(t, "the APIs of the group", list(lifecycle.APIFilter{GroupID: sales.ID}), []service.API{})
}

func apiFilters(t *testing.T, open Open) {
	w := newWorld(t, open)
	add := func(name string, change func(*service.API)) service.API {
		a := w.newAPI(name, "/"+name)
		change(&a)
		w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateAPI(ctx, &a) })
		return a
	}
	// The description reads like a definition, and is none.
	wizard := add("wizard", func(a *service.API) {
		a.Mode, a.Script = service.ModeWizard, nil
		a.Wizard = &service.Wizard{Table: "rivers"}
		a.SuccessSample = `{"mode":"REGISTRATION"}`
		a.Description, a.DebugStatus = "100% of the_rivers!", service.DebugFailed
	})
	private := add("private", func(a *service.API) {
		a.Visibility, a.OwnerID, a.OwnerName = service.VisibilityPrivate, w.reviewer.ID, w.reviewer.Name
		a.Description = "All Rivers"
	})
	for _, c := range []struct {
		name   string
		filter lifecycle.APIFilter
		want   []service.API
	}{
		{"by nothing", lifecycle.APIFilter{}, []service.API{w.api, wizard, private}},
		{"by mode", lifecycle.APIFilter{Mode: service.ModeWizard}, []service.API{wizard}},
		{"by the mode of most", lifecycle.APIFilter{Mode: service.ModeScript}, []service.API{w.api, private}},
		{"by the mode of none", lifecycle.APIFilter{Mode: service.ModeRegistration}, []service.API{}},
		{"by visibility", lifecycle.APIFilter{Visibility: service.VisibilityPrivate}, []service.API{private}},
		{"by debug status", lifecycle.APIFilter{DebugStatus: service.DebugFailed}, []service.API{wizard}},
		{"by the owner's name", lifecycle.APIFilter{Owner: w.reviewer.Name}, []service.API{private}},
		{"by the owner's id", lifecycle.APIFilter{Owner: w.reviewer.ID}, []service.API{private}},
		{"by nobody", lifecycle.APIFilter{Owner: "nobody"}, []service.API{}},
		{"by a part of the name in another case", lifecycle.APIFilter{Search: "IZAR"}, []service.API{wizard}},
		{"by a part of the description", lifecycle.APIFilter{Search: "rivers"}, []service.API{wizard, private}},
		{"by a percent sign, which is one", lifecycle.APIFilter{Search: "0% of"}, []service.API{wizard}},
		{"by an underscore, which is one", lifecycle.APIFilter{Search: "l_rivers"}, []service.API{}},
		{"by the sign that escapes", lifecycle.APIFilter{Search: "rs!"}, []service.API{wizard}},
		{"by a text that cannot be stored", lifecycle.APIFilter{Search: "a\x00b"}, []service.API{}},
		{"by several things", lifecycle.APIFilter{Search: "rivers", Mode: service.ModeScript, Visibility: service.VisibilityPrivate}, []service.API{private}},
	} {
		wantEqual(t, "the list narrowed "+c.name, read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.API, error) {
			return tx.APIs(ctx, w.workspace.ID, c.filter, lifecycle.Page{})
		}), c.want)
	}
}

func deleteFiled(t *testing.T, open Open) {
	w := newWorld(t, open)
	sales, stock := w.addGroup("sales"), w.addGroup("stock")
	outer := w.addFolder("outer", sales.ID, "")
	inner := w.addFolder("inner", sales.ID, outer.ID)
	filed := w.newAPI("filed", "/filed")
	filed.GroupID, filed.FolderID = sales.ID, inner.ID
	direct := w.newAPI("direct", "/direct")
	direct.GroupID = stock.ID
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		if err := tx.CreateAPI(ctx, &filed); err != nil {
			return err
		}
		return tx.CreateAPI(ctx, &direct)
	})
	deleteGroup := func(g service.Group) func(context.Context, lifecycle.Tx) error {
		return func(ctx context.Context, tx lifecycle.Tx) error { return tx.DeleteGroup(ctx, w.workspace.ID, g.ID) }
	}
	deleteFolder := func(f service.Folder) func(context.Context, lifecycle.Tx) error {
		return func(ctx context.Context, tx lifecycle.Tx) error { return tx.DeleteFolder(ctx, w.workspace.ID, f.ID) }
	}
	w.refused(service.CodeInUse, deleteGroup(stock))
	w.refused(service.CodeInUse, deleteGroup(sales))
	w.refused(service.CodeInUse, deleteFolder(outer))
	w.refused(service.CodeInUse, deleteFolder(inner))
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		if err := tx.DeleteAPI(ctx, w.workspace.ID, direct.ID); err != nil {
			return err
		}
		return tx.DeleteAPI(ctx, w.workspace.ID, filed.ID)
	})
	for _, remove := range []func(context.Context, lifecycle.Tx) error{deleteGroup(stock), deleteFolder(inner), deleteFolder(outer), deleteGroup(sales)} {
		w.update(remove)
	}
}

func filedNowhere(t *testing.T, open Open) {
	w := newWorld(t, open)
	sales, stock := w.addGroup("sales"), w.addGroup("stock")
	north := w.addFolder("north", sales.ID, "")
	for what, fn := range map[string]func(context.Context, lifecycle.Tx) error{
		"a folder of no group": func(ctx context.Context, tx lifecycle.Tx) error {
			f := w.newFolder("dangling", w.id(), "")
			return tx.CreateFolder(ctx, &f)
		},
		"a folder in no folder": func(ctx context.Context, tx lifecycle.Tx) error {
			f := w.newFolder("dangling", sales.ID, w.id())
			return tx.CreateFolder(ctx, &f)
		},
		"a folder in one of another group": func(ctx context.Context, tx lifecycle.Tx) error {
			f := w.newFolder("dangling", stock.ID, north.ID)
			return tx.CreateFolder(ctx, &f)
		},
		"an API of no group": func(ctx context.Context, tx lifecycle.Tx) error {
			a := w.newAPI("dangling", "/dangling")
			a.GroupID = w.id()
			return tx.CreateAPI(ctx, &a)
		},
		"an API in no folder": func(ctx context.Context, tx lifecycle.Tx) error {
			a := w.newAPI("dangling", "/dangling")
			a.GroupID, a.FolderID = sales.ID, w.id()
			return tx.CreateAPI(ctx, &a)
		},
	} {
		if code := service.ErrorCode(w.try(fn)); code != service.CodeConflict {
			t.Errorf("%s: code %q, want %s", what, code, service.CodeConflict)
		}
	}
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error { return tx.LockGroup(ctx, w.id()) })
}

// groupLock reads, counts up and writes without any other guard than the lock.
func groupLock(t *testing.T, open Open) {
	w := newWorld(t, open)
	sales := w.addGroup("sales")
	const n = 8
	for _, err := range race(n, func(int) error {
		return w.try(func(ctx context.Context, tx lifecycle.Tx) error {
			if err := tx.LockGroup(ctx, sales.ID); err != nil {
				return err
			}
			e, err := tx.Environment(ctx, w.workspace.ID, w.release.ID)
			if err != nil {
				return err
			}
			count, _ := strconv.Atoi(e.Description) // "" is 0.
			e.Description = strconv.Itoa(count + 1)
			return tx.UpdateEnvironment(ctx, &e)
		})
	}) {
		if err != nil {
			t.Fatal(explain(err))
		}
	}
	e := read(w, func(ctx context.Context, tx lifecycle.Tx) (service.Environment, error) {
		return tx.Environment(ctx, w.workspace.ID, w.release.ID)
	})
	if e.Description != strconv.Itoa(n) {
		t.Errorf("%d transactions counted to %s", n, e.Description)
	}
}
