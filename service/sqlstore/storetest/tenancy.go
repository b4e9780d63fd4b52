// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package storetest

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var tenancy = map[string]func(*testing.T, Open){
	"a workspace is found by id, number and name, and can change":              workspace,
	"a removed workspace is gone and its name and host names are free":         removedWorkspace,
	"a removed member is gone, keeps its records, and can come back":           removedMember,
	"all tokens of a member, or of a workspace, end at once":                   endedTokens,
	"an instance is found by id, number and name, and can change":              instance,
	"an instance without environments can be deleted":                          deletedInstance,
	"a host name belongs to one instance of all workspaces":                    hostNames,
	"every workspace knows RELEASE of its default instance by the common id":   releaseAlias,
	"a publication knows its instance's first host name and the default one":   publicationHosts,
	"reviews are found by their applicant":                                     reviewsOfApplicant,
	"a record cannot be added to a workspace or a member while that is locked": locks,
}

func workspace(t *testing.T, open Open) {
	w := newWorld(t, open)
	if w.workspace.Number != service.FirstNumber {
		t.Errorf("the first workspace has the number %d, want %d", w.workspace.Number, service.FirstNumber)
	}
	for _, ref := range []string{w.workspace.ID, strconv.FormatInt(w.workspace.Number, 10), w.workspace.Name} {
		wantEqual(t, "the workspace", readWorkspace(w, ref), w.workspace)
	}
	for _, ref := range []string{"", "nobody", "1", w.id()} {
		missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Workspace, error) { return tx.Workspace(ctx, ref) })
	}
	sentence := w.refused(service.CodeAlreadyExists, func(ctx context.Context, tx lifecycle.Tx) error {
		twin := w.newWorkspace(w.workspace.Name)
		return tx.CreateWorkspace(ctx, &twin)
	})
	wantContains(t, sentence, `There is a workspace named "default" already.`)

	sales := w.addWorkspace("sales")
	changed := sales
	changed.Name, changed.Description, changed.UpdatedAt = "marketing", "", start.Add(time.Hour)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateWorkspace(ctx, &changed) })
	if changed.RowVersion != 2 {
		t.Errorf("the record's row version is %d after an update, want 2", changed.RowVersion)
	}
	wantEqual(t, "the changed workspace", readWorkspace(w, "marketing"), changed)
	wantContains(t, w.refused(service.CodeConflict, func(ctx context.Context, tx lifecycle.Tx) error {
		stale := sales
		return tx.UpdateWorkspace(ctx, &stale)
	}), "sales")
	w.refused(service.CodeAlreadyExists, func(ctx context.Context, tx lifecycle.Tx) error {
		twin := changed
		twin.Name = w.workspace.Name
		return tx.UpdateWorkspace(ctx, &twin)
	})
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error {
		nobody := w.newWorkspace("nobody")
		return tx.UpdateWorkspace(ctx, &nobody)
	})
	first := lifecycle.Page{Limit: 1}
	list := func(page lifecycle.Page) []service.Workspace {
		return read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Workspace, error) {
			return tx.Workspaces(ctx, page)
		})
	}
	wantEqual(t, "the first page", list(first), []service.Workspace{w.workspace})
	wantEqual(t, "the second page", list(lifecycle.Page{After: w.workspace.ID, Limit: 10}), []service.Workspace{changed})
}

func readWorkspace(w *world, ref string) service.Workspace {
	w.t.Helper()
	return read(w, func(ctx context.Context, tx lifecycle.Tx) (service.Workspace, error) { return tx.Workspace(ctx, ref) })
}

// addWorkspace stores a workspace in which there is nothing.
func (w *world) addWorkspace(name string) service.Workspace {
	w.t.Helper()
	added := w.newWorkspace(name)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateWorkspace(ctx, &added) })
	return added
}

// addInstance stores an instance without environments.
func (w *world) addInstance(of service.Workspace, name string, hosts ...string) service.Instance {
	w.t.Helper()
	i := w.newInstance(of, name, hosts...)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateInstance(ctx, &i) })
	return i
}

func removedWorkspace(t *testing.T, open Open) {
	w := newWorld(t, open)
	sales := w.addWorkspace("sales")
	w.addInstance(sales, "edge", "sales.example.com")
	w.addInstance(w.workspace, "edge", "other.example.com")
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.RemoveWorkspace(ctx, sales.ID, w.time()) })
	for _, ref := range []string{sales.ID, strconv.FormatInt(sales.Number, 10), "sales", "sales~" + sales.ID} {
		missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Workspace, error) { return tx.Workspace(ctx, ref) })
	}
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateWorkspace(ctx, &sales) })
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.RemoveWorkspace(ctx, sales.ID, w.time())
	})
	wantEqual(t, "the list", read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Workspace, error) {
		return tx.Workspaces(ctx, lifecycle.Page{})
	}), []service.Workspace{w.workspace})
	again := w.addWorkspace("sales")
	w.addInstance(again, "edge", "sales.example.com")
	if got := w.instanceOfHost("other.example.com"); got.WorkspaceID != w.workspace.ID {
		t.Errorf("a host name of another workspace leads to an instance of %s", got.WorkspaceID)
	}
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.RemoveWorkspace(ctx, again.ID, w.time()) })
}

func (w *world) instanceOfHost(host string) service.Instance {
	w.t.Helper()
	return read(w, func(ctx context.Context, tx lifecycle.Tx) (service.Instance, error) {
		return tx.InstanceOfHost(ctx, host)
	})
}

func removedMember(t *testing.T, open Open) {
	w := newWorld(t, open)
	byName := func(ctx context.Context, tx lifecycle.Tx) (service.Member, error) {
		return tx.Member(ctx, w.workspace.ID, w.developer.Name)
	}
	removed := func(ctx context.Context, tx lifecycle.Tx) (service.Member, error) {
		return tx.RemovedMember(ctx, w.workspace.ID, w.developer.Name)
	}
	missing(w, removed)
	gone, at := w.developer, w.time()
	gone.RemovedAt = &at
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateMember(ctx, &gone) })
	missing(w, byName)
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Member, error) {
		return tx.Member(ctx, w.workspace.ID, gone.ID)
	})
	wantEqual(t, "the removed member", read(w, removed), gone)
	wantEqual(t, "the list", read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Member, error) {
		return tx.Members(ctx, w.workspace.ID, lifecycle.Page{})
	}), []service.Member{w.reviewer})
	wantEqual(t, "the API that it made", read(w, func(ctx context.Context, tx lifecycle.Tx) (service.API, error) {
		return tx.API(ctx, w.workspace.ID, w.api.ID)
	}), w.api)
	w.refused(service.CodeAlreadyExists, func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.CreateMember(ctx, w.newMember(gone.Name, service.RoleVisitor, false))
	})
	back := gone
	back.Role, back.RemovedAt = service.RoleOperator, nil
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateMember(ctx, &back) })
	wantEqual(t, "the member that came back", read(w, byName), back)
	missing(w, removed)
}

func endedTokens(t *testing.T, open Open) {
	w := newWorld(t, open)
	ended, soon, late := w.time().Add(time.Hour), w.time().Add(time.Minute), w.time().Add(2*time.Hour)
	other := w.addWorkspace("other")
	stranger := w.newMember("stranger", service.RoleAdmin, false)
	stranger.WorkspaceID = other.ID
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateMember(ctx, stranger) })
	ids := map[string]string{}
	for name, k := range map[string]service.Token{
		"the developer's":         {MemberID: w.developer.ID, ExpiresAt: &late},
		"one that never ends":     {MemberID: w.developer.ID},
		"one that expired":        {MemberID: w.developer.ID, ExpiresAt: &soon},
		"one that was revoked":    {MemberID: w.developer.ID, ExpiresAt: &late, RevokedAt: &soon},
		"the reviewer's":          {MemberID: w.reviewer.ID, ExpiresAt: &late},
		"of another workspace":    {MemberID: stranger.ID, WorkspaceID: other.ID, ExpiresAt: &late},
		"another developer token": {MemberID: w.developer.ID, ExpiresAt: &late},
	} {
		k.ID, k.CreatedAt = w.id(), w.time()
		if k.WorkspaceID == "" {
			k.WorkspaceID = w.workspace.ID
		}
		ids[name] = k.ID
		w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateToken(ctx, k, []byte(name)) })
	}
	end := func(memberID string) (n int64) {
		w.update(func(ctx context.Context, tx lifecycle.Tx) (err error) {
			n, err = tx.RevokeTokens(ctx, w.workspace.ID, memberID, ended)
			return err
		})
		return n
	}
	wantRevoked := func(name string, want *time.Time) {
		t.Helper()
		got := read(w, func(ctx context.Context, tx lifecycle.Tx) (service.Token, error) {
			return tx.TokenByHash(ctx, []byte(name))
		})
		if got.ID != ids[name] {
			t.Fatalf("%s is token %s, want %s", name, got.ID, ids[name])
		}
		wantEqual(t, "the end of "+name, got.RevokedAt, want)
	}
	if n := end(w.developer.ID); n != 3 {
		t.Errorf("%d tokens of the developer ended, want 3", n)
	}
	for _, name := range []string{"the developer's", "one that never ends", "another developer token"} {
		wantRevoked(name, &ended)
	}
	wantRevoked("one that expired", nil)
	wantRevoked("one that was revoked", &soon)
	wantRevoked("the reviewer's", nil)
	if n := end(""); n != 1 {
		t.Errorf("%d more tokens of the workspace ended, want 1", n)
	}
	wantRevoked("the reviewer's", &ended)
	wantRevoked("of another workspace", nil)
}

func instance(t *testing.T, open Open) {
	w := newWorld(t, open)
	if w.instance.Number != service.FirstNumber {
		t.Errorf("the first instance has the number %d, want %d", w.instance.Number, service.FirstNumber)
	}
	find := func(ref string) service.Instance {
		t.Helper()
		return read(w, func(ctx context.Context, tx lifecycle.Tx) (service.Instance, error) {
			return tx.Instance(ctx, w.workspace.ID, ref)
		})
	}
	for _, ref := range []string{w.instance.ID, strconv.FormatInt(w.instance.Number, 10), "default"} {
		wantEqual(t, "the instance", find(ref), w.instance)
	}
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Instance, error) {
		return tx.Instance(ctx, w.workspace.ID, "other")
	})
	wantContains(t, w.refused(service.CodeAlreadyExists, func(ctx context.Context, tx lifecycle.Tx) error {
		twin := w.newInstance(w.workspace, "default")
		return tx.CreateInstance(ctx, &twin)
	}), `There is an instance named "default" already.`)

	edge := w.addInstance(w.workspace, "edge", "b.example.com", "a.example.com")
	if edge.Number != service.FirstNumber+1 {
		t.Errorf("the second instance has the number %d", edge.Number)
	}
	wantEqual(t, "the instance with host names, in their order", find("edge"), edge)
	changed := edge
	changed.Name, changed.Description, changed.HostNames, changed.UpdatedAt = "rim", "", []string{"a.example.com", "c.example.com", "b.example.com"}, start.Add(time.Hour)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateInstance(ctx, &changed) })
	if changed.RowVersion != 2 {
		t.Errorf("the record's row version is %d after an update, want 2", changed.RowVersion)
	}
	wantEqual(t, "the changed instance", find("rim"), changed)
	wantContains(t, w.refused(service.CodeConflict, func(ctx context.Context, tx lifecycle.Tx) error {
		stale := edge
		return tx.UpdateInstance(ctx, &stale)
	}), "edge")
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error {
		nobody := w.newInstance(w.workspace, "nobody")
		return tx.UpdateInstance(ctx, &nobody)
	})
	other := w.addWorkspace("other")
	elsewhere := w.addInstance(other, "default", "elsewhere.example.com")
	for workspaceID, want := range map[string][]service.Instance{
		w.workspace.ID: {w.instance, changed}, other.ID: {elsewhere}, "": {w.instance, changed, elsewhere},
	} {
		wantEqual(t, "the list", read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Instance, error) {
			return tx.Instances(ctx, workspaceID, lifecycle.Page{Limit: 10})
		}), want)
	}
	wantEqual(t, "a page", read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Instance, error) {
		return tx.Instances(ctx, "", lifecycle.Page{After: w.instance.ID, Limit: 1})
	}), []service.Instance{changed})
}

func deletedInstance(t *testing.T, open Open) {
	w := newWorld(t, open)
	edge := w.addInstance(w.workspace, "edge", "edge.example.com")
	wantContains(t, w.refused(service.CodeInUse, func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.DeleteInstance(ctx, w.workspace.ID, w.instance.ID)
	}), "environments")
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.DeleteInstance(ctx, w.workspace.ID, edge.ID)
	})
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Instance, error) {
		return tx.Instance(ctx, w.workspace.ID, "edge")
	})
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.DeleteInstance(ctx, w.workspace.ID, edge.ID)
	})
	again := w.addInstance(w.workspace, "edge", "edge.example.com")
	if again.Number == edge.Number {
		t.Errorf("the number %d was given again", again.Number)
	}
}

func hostNames(t *testing.T, open Open) {
	w := newWorld(t, open)
	other := w.addWorkspace("other")
	edge := w.addInstance(w.workspace, "edge", "edge.example.com", "rim.example.com")
	elsewhere := w.addInstance(other, "edge", "elsewhere.example.com")
	wantEqual(t, "the instance of a host", w.instanceOfHost("rim.example.com"), edge)
	wantEqual(t, "the instance of another workspace's host", w.instanceOfHost("elsewhere.example.com"), elsewhere)
	for _, host := range []string{"", "example.com", "EDGE.example.com"} {
		missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Instance, error) {
			return tx.InstanceOfHost(ctx, host)
		})
	}
	wantContains(t, w.refused(service.CodeAlreadyExists, func(ctx context.Context, tx lifecycle.Tx) error {
		twin := w.newInstance(other, "twin", "rim.example.com")
		return tx.CreateInstance(ctx, &twin)
	}), `The host name "rim.example.com" belongs to another instance already.`)
	w.refused(service.CodeAlreadyExists, func(ctx context.Context, tx lifecycle.Tx) error {
		greedy := elsewhere
		greedy.HostNames = append(slices.Clone(greedy.HostNames), "edge.example.com")
		return tx.UpdateInstance(ctx, &greedy)
	})
	wantEqual(t, "the instance after a refusal", w.instanceOfHost("elsewhere.example.com"), elsewhere)
	// A name can move within one transaction.
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		edge.HostNames = []string{"edge.example.com"}
		if err := tx.UpdateInstance(ctx, &edge); err != nil {
			return err
		}
		elsewhere.HostNames = []string{"rim.example.com"}
		return tx.UpdateInstance(ctx, &elsewhere)
	})
	wantEqual(t, "the instance of the host that moved", w.instanceOfHost("rim.example.com"), elsewhere)
}

func releaseAlias(t *testing.T, open Open) {
	w := newWorld(t, open)
	other := w.addWorkspace("other")
	byAlias := func(ctx context.Context, tx lifecycle.Tx) (service.Environment, error) {
		return tx.Environment(ctx, other.ID, service.ReleaseEnvironmentID)
	}
	missing(w, byAlias)
	addRelease := func(i service.Instance) service.Environment {
		e := service.Environment{
			ID: w.id(), WorkspaceID: other.ID, InstanceID: i.ID, Name: service.ReleaseEnvironmentName, Policy: service.DefaultPolicy, CreatedAt: w.time(), UpdatedAt: w.time(),
		}
		w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateEnvironment(ctx, e) })
		return e
	}
	edge := w.addInstance(other, "edge")
	inEdge := addRelease(edge)
	missing(w, byAlias)
	release := addRelease(w.addInstance(other, service.DefaultInstance))
	wantEqual(t, "RELEASE of the other workspace", read(w, byAlias), release)
	wantEqual(t, "RELEASE of the first workspace", read(w, func(ctx context.Context, tx lifecycle.Tx) (service.Environment, error) {
		return tx.Environment(ctx, w.workspace.ID, service.ReleaseEnvironmentID)
	}), w.release)
	if got := read(w, func(ctx context.Context, tx lifecycle.Tx) (service.Instance, error) {
		return tx.Instance(ctx, other.ID, "edge")
	}); got.ReleaseEnvironmentID != inEdge.ID {
		t.Errorf("the instance knows its RELEASE as %q, want %q", got.ReleaseEnvironmentID, inEdge.ID)
	}
}

func publicationHosts(t *testing.T, open Open) {
	w := newWorld(t, open)
	check := func(p service.Publication, host string, anyHost bool) {
		t.Helper()
		got := read(w, func(ctx context.Context, tx lifecycle.Tx) (service.Publication, error) {
			return tx.Publication(ctx, w.workspace.ID, p.ID)
		})
		if got.HostName != host || got.AnyHost != anyHost {
			t.Errorf("the publication in %s has the host name %q, any host: %t; want %q and %t", got.InstanceID, got.HostName, got.AnyHost, host, anyHost)
		}
	}
	check(w.publication, "", true)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		w.instance.HostNames = []string{"b.example.com", "a.example.com"}
		return tx.UpdateInstance(ctx, &w.instance)
	})
	check(w.publication, "b.example.com", true)
	edge := w.addInstance(w.workspace, "edge", "edge.example.com", "rim.example.com")
	stage := service.Environment{ID: w.id(), WorkspaceID: w.workspace.ID, InstanceID: edge.ID, Name: "STAGE", Policy: service.DefaultPolicy, CreatedAt: w.time(), UpdatedAt: w.time()}
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateEnvironment(ctx, stage) })
	check(w.addPublication(w.api, stage), "edge.example.com", false)
}

func reviewsOfApplicant(t *testing.T, open Open) {
	w := newWorld(t, open)
	r := w.apply(w.publication, w.api)
	of := func(memberID string) []service.Review {
		return read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Review, error) {
			return tx.Reviews(ctx, w.workspace.ID, lifecycle.ReviewFilter{ApplicantID: memberID, Status: service.ReviewPending}, lifecycle.Page{})
		})
	}
	wantEqual(t, "the developer's applications", of(w.developer.ID), []service.Review{r})
	wantEqual(t, "the reviewer's applications", of(w.reviewer.ID), []service.Review{})
}

// locks has a transaction wait for another one that holds a lock.
func locks(t *testing.T, open Open) {
	w := newWorld(t, open)
	for name, lock := range map[string]func(context.Context, lifecycle.Tx) error{
		"workspace": func(ctx context.Context, tx lifecycle.Tx) error { return tx.LockWorkspace(ctx, w.workspace.ID) },
		"member":    func(ctx context.Context, tx lifecycle.Tx) error { return tx.LockMember(ctx, w.developer.ID) },
	} {
		added := make(chan struct{})
		a := w.newAPI("of_the_"+name, "/"+name)
		w.update(func(ctx context.Context, tx lifecycle.Tx) error {
			if err := lock(ctx, tx); err != nil {
				return err
			}
			go func() {
				defer close(added)
				if err := w.store.Update(ctx, func(tx lifecycle.Tx) error { return tx.CreateAPI(ctx, &a) }); err != nil {
					t.Errorf("%s: nothing can be added after it was locked: %v", name, explain(err))
				}
			}()
			select {
			case <-added:
				t.Errorf("%s: something was added while it was locked", name)
			case <-time.After(100 * time.Millisecond):
			}
			return nil
		})
		<-added
	}
	held, changed := w.developer, make(chan struct{})
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		m, err := tx.HoldMember(ctx, w.workspace.ID, held.ID)
		wantEqual(t, "the member that is held", m, held)
		if err != nil {
			return err
		}
		go func() {
			defer close(changed)
			m.Role, m.Reviewer = service.RoleVisitor, false
			if err := w.store.Update(ctx, func(tx lifecycle.Tx) error { return tx.UpdateMember(ctx, &m) }); err != nil {
				t.Errorf("nothing can be changed after the member was held: %v", explain(err))
			}
		}()
		select {
		case <-changed:
			t.Error("the member was changed while it was held")
		case <-time.After(100 * time.Millisecond):
		}
		return nil
	})
	<-changed
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error {
		_, err := tx.HoldMember(ctx, w.workspace.ID, w.id())
		return err
	})
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error {
		_, err := tx.HoldMember(ctx, w.id(), held.ID)
		return err
	})
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		gone := w.reviewer
		gone.RemovedAt = &gone.CreatedAt
		return tx.UpdateMember(ctx, &gone)
	})
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error {
		_, err := tx.HoldMember(ctx, w.workspace.ID, w.reviewer.ID)
		return err
	})
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		if err := tx.RemoveWorkspace(ctx, w.workspace.ID, w.workspace.CreatedAt); err != nil {
			return err
		}
		_, err := tx.HoldMember(ctx, w.workspace.ID, held.ID)
		wantCode(t, err, service.CodeNotFound)
		return nil
	})
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error { return tx.LockWorkspace(ctx, w.id()) })
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error { return tx.LockMember(ctx, w.id()) })
}
