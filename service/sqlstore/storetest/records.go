// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package storetest

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var records = map[string]func(*testing.T, Open){
	"a member is found by id and name, and can change":                     member,
	"a token is found by its hash and ends once":                           token,
	"an environment is found by id, and by name in the default instance":   environment,
	"a connection keeps everything, its password too":                      connection,
	"an API has the definition and debug status of its revision":           api,
	"a revision keeps its definition, and its debug status once a success": revision,
	"numbers start at the first one and are never used again":              numbers,
	"an id goes before a number and a number before a name":                refs,
	"lists come in pages":                                pages,
	"a text that not every database can keep is refused": texts,
	"times are kept in UTC to the microsecond":           times,
	"what belongs to another workspace is not there":     otherWorkspace,
}

func member(t *testing.T, open Open) {
	w := newWorld(t, open)
	find := func(ref string) func(context.Context, lifecycle.Tx) (service.Member, error) {
		return func(ctx context.Context, tx lifecycle.Tx) (service.Member, error) {
			return tx.Member(ctx, w.workspace.ID, ref)
		}
	}
	wantEqual(t, "the member", read(w, find(w.reviewer.ID)), w.reviewer)
	wantEqual(t, "the member", read(w, find("dev")), w.developer)
	missing(w, find("nobody"))
	wantContains(t, w.refused(service.CodeAlreadyExists, func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.CreateMember(ctx, w.newMember("dev", service.RoleVisitor, false))
	}), `There is a member named "dev" already.`)

	changed := w.developer
	changed.Name, changed.Role, changed.Reviewer = "dev_renamed", service.RoleAdmin, true
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateMember(ctx, &changed) })
	wantEqual(t, "the changed member", read(w, find("dev_renamed")), changed)
	missing(w, find("dev"))
	stale := w.developer
	w.refused(service.CodeConflict, func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateMember(ctx, &stale) })
	wantEqual(t, "the member after an update of what it was", read(w, find("dev_renamed")), changed)
	changed.Name = w.reviewer.Name
	w.refused(service.CodeAlreadyExists, func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateMember(ctx, &changed) })
	changed.ID = w.id()
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateMember(ctx, &changed) })
	wantEqual(t, "the list", read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Member, error) {
		return tx.Members(ctx, w.workspace.ID, lifecycle.Page{Limit: 10})
	})[1:], []service.Member{w.reviewer})
}

func token(t *testing.T, open Open) {
	w := newWorld(t, open)
	expires := start.Add(90 * 24 * time.Hour)
	k := service.Token{
		ID: w.id(), WorkspaceID: w.workspace.ID, MemberID: w.developer.ID, MemberName: w.developer.Name,
		Description: "pipeline", CreatedAt: w.time(), ExpiresAt: &expires,
	}
	forever := service.Token{ID: w.id(), WorkspaceID: w.workspace.ID, MemberID: w.reviewer.ID, MemberName: w.reviewer.Name, CreatedAt: w.time()}
	hash := []byte{0, 1, 2, 254, 255}
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		if err := tx.CreateToken(ctx, k, hash); err != nil {
			return err
		}
		return tx.CreateToken(ctx, forever, []byte("other"))
	})
	byHash := func(ctx context.Context, tx lifecycle.Tx) (service.Token, error) { return tx.TokenByHash(ctx, hash) }
	byID := func(ctx context.Context, tx lifecycle.Tx) (service.Token, error) {
		return tx.Token(ctx, w.workspace.ID, k.ID)
	}
	list := func(memberID string) []service.Token {
		return read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Token, error) {
			return tx.Tokens(ctx, w.workspace.ID, memberID, lifecycle.Page{Limit: 10})
		})
	}
	wantEqual(t, "the token", read(w, byHash), k)
	wantEqual(t, "the token", read(w, byID), k)
	wantEqual(t, "everybody's tokens", list(""), []service.Token{k, forever})
	wantEqual(t, "one member's tokens", list(w.reviewer.ID), []service.Token{forever})
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Token, error) {
		return tx.TokenByHash(ctx, []byte("none"))
	})
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Token, error) {
		return tx.Token(ctx, w.workspace.ID, w.id())
	})

	ended := start.Add(time.Hour)
	for _, at := range []time.Time{ended, ended.Add(time.Hour)} {
		w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.RevokeToken(ctx, w.workspace.ID, k.ID, at) })
	}
	k.RevokedAt = &ended
	wantEqual(t, "the revoked token", read(w, byHash), k)
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.RevokeToken(ctx, w.workspace.ID, w.id(), ended)
	})

	renamed := w.developer
	renamed.Name = "dev_renamed"
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateMember(ctx, &renamed) })
	if got := read(w, byID); got.MemberName != renamed.Name {
		t.Errorf("after a rename the token is %s's, want %s's", got.MemberName, renamed.Name)
	}
}

func environment(t *testing.T, open Open) {
	w := newWorld(t, open)
	other := service.Instance{ID: w.id(), WorkspaceID: w.workspace.ID, InstanceSpec: service.InstanceSpec{Name: "edge"}, CreatedAt: w.time()}
	stage := service.Environment{
		ID: w.id(), WorkspaceID: w.workspace.ID, InstanceID: w.instance.ID, Name: "STAGE", Description: "before RELEASE",
		Policy: service.Policy{FourEyes: true, NoticeHours: 7, BreakingChanges: service.BreakingForbid, RateLimit: &service.RateLimit{Requests: 500, PeriodSeconds: 60}}, CreatedAt: w.time(), UpdatedAt: w.time(),
	}
	elsewhere := stage
	elsewhere.ID, elsewhere.InstanceID, elsewhere.Description = w.id(), other.ID, "of another instance"
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		if err := tx.CreateInstance(ctx, &other); err != nil {
			return err
		}
		elsewhere.InstanceID = other.ID
		if err := tx.CreateEnvironment(ctx, elsewhere); err != nil {
			return err
		}
		return tx.CreateEnvironment(ctx, stage)
	})
	find := func(ref string) func(context.Context, lifecycle.Tx) (service.Environment, error) {
		return func(ctx context.Context, tx lifecycle.Tx) (service.Environment, error) {
			return tx.Environment(ctx, w.workspace.ID, ref)
		}
	}
	wantEqual(t, "the environment", read(w, find(service.ReleaseEnvironmentID)), w.release)
	wantEqual(t, "the environment", read(w, find(service.ReleaseEnvironmentName)), w.release)
	wantEqual(t, "the environment", read(w, find("STAGE")), stage)
	wantEqual(t, "the environment", read(w, find(elsewhere.ID)), elsewhere)
	missing(w, find("stage"))
	wantContains(t, w.refused(service.CodeAlreadyExists, func(ctx context.Context, tx lifecycle.Tx) error {
		twin := stage
		twin.ID = w.id()
		return tx.CreateEnvironment(ctx, twin)
	}), `There is an environment named "STAGE" already.`)

	stale := stage
	stage.Name, stage.Description, stage.Policy, stage.UpdatedAt = "TEST", "", service.DefaultPolicy, start.Add(time.Hour)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateEnvironment(ctx, &stage) })
	wantEqual(t, "the changed environment", read(w, find("TEST")), stage)
	stage.RateLimit = &service.RateLimit{Requests: 1000000}
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateEnvironment(ctx, &stage) })
	wantEqual(t, "the environment with another limit", read(w, find("TEST")), stage)
	w.refused(service.CodeConflict, func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateEnvironment(ctx, &stale) })
	wantEqual(t, "the environment after an update of what it was", read(w, find("TEST")), stage)
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.UpdateEnvironment(ctx, &service.Environment{ID: w.id(), WorkspaceID: w.workspace.ID, Name: "X", Policy: service.DefaultPolicy})
	})
	if list := read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Environment, error) {
		return tx.Environments(ctx, w.workspace.ID, lifecycle.Page{Limit: 10})
	}); len(list) != 3 {
		t.Errorf("the list has %d environments, want 3", len(list))
	}

	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.DeleteEnvironment(ctx, w.workspace.ID, stage.ID)
	})
	missing(w, find(stage.ID))
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.DeleteEnvironment(ctx, w.workspace.ID, stage.ID)
	})
}

func connection(t *testing.T, open Open) {
	w := newWorld(t, open)
	find := func(ref string) func(context.Context, lifecycle.Tx) (service.Connection, error) {
		return func(ctx context.Context, tx lifecycle.Tx) (service.Connection, error) {
			return tx.Connection(ctx, w.workspace.ID, ref)
		}
	}
	for _, ref := range []string{w.connection.ID, "warehouse", strconv.FormatInt(service.FirstNumber, 10)} {
		wantEqual(t, "the connection", read(w, find(ref)), w.connection)
	}
	missing(w, find("nowhere"))
	wantContains(t, w.refused(service.CodeAlreadyExists, func(ctx context.Context, tx lifecycle.Tx) error {
		twin := w.newConnection("warehouse")
		return tx.CreateConnection(ctx, &twin)
	}), `There is a connection named "warehouse" already.`)

	lite := service.Connection{
		ID: w.id(), WorkspaceID: w.workspace.ID, CreatedAt: w.time(), UpdatedAt: w.time(),
		ConnectionSpec: service.ConnectionSpec{Name: "geography", Engine: service.EngineSQLite, File: "geo/world.db"},
	}
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateConnection(ctx, &lite) })
	wantEqual(t, "a connection without a password", read(w, find("geography")), lite)
	wantEqual(t, "the list", read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Connection, error) {
		return tx.Connections(ctx, w.workspace.ID, lifecycle.Page{Limit: 10})
	}), []service.Connection{w.connection, lite})

	changed := w.connection
	changed.Name, changed.Host, changed.Password, changed.SecretVersion = "lake", "10.0.0.9", "battery staple", 4
	changed.AllowSuperuser, changed.UpdatedAt = false, start.Add(time.Hour)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateConnection(ctx, &changed) })
	if changed.RowVersion != 2 {
		t.Errorf("the record's row version is %d after an update, want 2", changed.RowVersion)
	}
	wantEqual(t, "the changed connection", read(w, find("lake")), changed)
	wantContains(t, w.refused(service.CodeConflict, func(ctx context.Context, tx lifecycle.Tx) error {
		stale := w.connection
		return tx.UpdateConnection(ctx, &stale)
	}), "warehouse")
	w.refused(service.CodeAlreadyExists, func(ctx context.Context, tx lifecycle.Tx) error {
		twin := changed
		twin.Name = "geography"
		return tx.UpdateConnection(ctx, &twin)
	})
	wantEqual(t, "the connection after refusals", read(w, find("lake")), changed)
	gone := w.newConnection("gone")
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateConnection(ctx, &gone) })

	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.DeleteConnection(ctx, w.workspace.ID, lite.ID)
	})
	missing(w, find(lite.ID))
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.DeleteConnection(ctx, w.workspace.ID, lite.ID)
	})
}

func api(t *testing.T, open Open) {
	w := newWorld(t, open)
	find := func(ref string) func(context.Context, lifecycle.Tx) (service.API, error) {
		return func(ctx context.Context, tx lifecycle.Tx) (service.API, error) {
			return tx.API(ctx, w.workspace.ID, ref)
		}
	}
	using := func(connectionID string) []service.API {
		return read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.API, error) {
			return tx.APIsUsingConnection(ctx, connectionID)
		})
	}
	for _, ref := range []string{w.api.ID, "list_cities", strconv.FormatInt(service.FirstNumber, 10)} {
		wantEqual(t, "the API", read(w, find(ref)), w.api)
	}
	missing(w, find("list_towns"))
	wantContains(t, w.refused(service.CodeAlreadyExists, func(ctx context.Context, tx lifecycle.Tx) error {
		twin := w.newAPI("list_cities", "/other")
		return tx.CreateAPI(ctx, &twin)
	}), `There is an API named "list_cities" already.`)
	wantEqual(t, "the users of the connection", using(w.connection.ID), []service.API{w.api})

	debugged := service.Revision{APIID: w.api.ID, Number: 1, Definition: w.api.Definition, DebugStatus: service.DebugSuccess, CreatedAt: w.time()}
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.PutRevision(ctx, debugged) })
	after := w.api
	after.DebugStatus, after.DebugMessage = service.DebugSuccess, ""
	wantEqual(t, "the API after its revision was debugged", read(w, find(w.api.ID)), after)

	other := w.newConnection("other")
	changed := after
	changed.Name, changed.Description, changed.Revision, changed.UpdatedAt = "find_cities", "", 2, start.Add(time.Hour)
	changed.DebugStatus, changed.DebugMessage = service.DebugFailed, "no such column"
	changed.Path, changed.RequestParameters = "/cities/all", nil
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		if err := tx.CreateConnection(ctx, &other); err != nil {
			return err
		}
		changed.ConnectionID = other.ID
		return tx.UpdateAPI(ctx, &changed)
	})
	if changed.RowVersion != 2 {
		t.Errorf("the record's row version is %d after an update, want 2", changed.RowVersion)
	}
	wantEqual(t, "the changed API", read(w, find("find_cities")), changed)
	wantEqual(t, "the users of the old connection", using(w.connection.ID), []service.API{})
	wantEqual(t, "the users of the new connection", using(other.ID), []service.API{changed})
	wantEqual(t, "the list", read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.API, error) {
		return tx.APIs(ctx, w.workspace.ID, lifecycle.APIFilter{}, lifecycle.Page{Limit: 10})
	}), []service.API{changed})

	wantContains(t, w.refused(service.CodeConflict, func(ctx context.Context, tx lifecycle.Tx) error {
		stale := w.api
		return tx.UpdateAPI(ctx, &stale)
	}), "list_cities")
	gone := w.newAPI("gone", "/gone")
	w.refused(service.CodeNotFound, func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateAPI(ctx, &gone) })
	taken := w.addAPI("list_rivers", "/rivers")
	w.refused(service.CodeAlreadyExists, func(ctx context.Context, tx lifecycle.Tx) error {
		twin := changed
		twin.Name = taken.Name
		return tx.UpdateAPI(ctx, &twin)
	})
}

func revision(t *testing.T, open Open) {
	w := newWorld(t, open)
	find := func(number int64) func(context.Context, lifecycle.Tx) (service.Revision, error) {
		return func(ctx context.Context, tx lifecycle.Tx) (service.Revision, error) {
			return tx.Revision(ctx, w.api.ID, number)
		}
	}
	next := service.Revision{
		APIID: w.api.ID, Number: 2, Definition: w.api.Definition, DebugStatus: service.DebugFailed, DebugMessage: "no such table", CreatedAt: start,
	}
	next.Definition.Path = "/second"
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.PutRevision(ctx, next) })
	wantEqual(t, "the revision", read(w, find(2)), next)
	next.DebugStatus, next.DebugMessage = service.DebugWaiting, "nothing to call it with"
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.PutRevision(ctx, next) })
	wantEqual(t, "the revision, not debugged yet", read(w, find(2)), next)
	again := next
	again.DebugStatus, again.DebugMessage = service.DebugSuccess, ""
	again.Definition.Path, again.CreatedAt = "/changed", start.Add(time.Hour)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.PutRevision(ctx, again) })
	next.DebugStatus, next.DebugMessage = service.DebugSuccess, ""
	wantEqual(t, "the revision, debugged", read(w, find(2)), next)
	for _, status := range []service.DebugStatus{service.DebugFailed, service.DebugWaiting} {
		later := next
		later.DebugStatus, later.DebugMessage = status, "the database was away"
		w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.PutRevision(ctx, later) })
		wantEqual(t, "the revision, debugged again in vain", read(w, find(2)), next)
	}
	// An update of the API that read it before its revision succeeded changes that as little.
	before := w.api
	debugged := service.Revision{APIID: before.ID, Number: before.Revision, Definition: before.Definition, DebugStatus: service.DebugSuccess, CreatedAt: start}
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.PutRevision(ctx, debugged) })
	before.Description = "described anew"
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.UpdateAPI(ctx, &before) })
	if got := read(w, find(1)); got.DebugStatus != service.DebugSuccess || got.DebugMessage != "" {
		t.Errorf("after an update of its API the first revision is %s (%s), want %s", got.DebugStatus, got.DebugMessage, service.DebugSuccess)
	}
	if got := read(w, find(1)); got.Definition.Path != "/cities" {
		t.Errorf("the first revision's path is %s, want /cities", got.Definition.Path)
	}
	missing(w, find(3))
	w.refused(service.CodeConflict, func(ctx context.Context, tx lifecycle.Tx) error {
		orphan := next
		orphan.APIID = w.id()
		return tx.PutRevision(ctx, orphan)
	})
}

func numbers(t *testing.T, open Open) {
	w := newWorld(t, open)
	if w.api.Number != service.FirstNumber || w.connection.Number != service.FirstNumber {
		t.Errorf("the first API is %d and the first connection %d, want %d", w.api.Number, w.connection.Number, service.FirstNumber)
	}
	second := w.addAPI("second", "/second")
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.DeleteAPI(ctx, w.workspace.ID, second.ID) })
	third := w.addAPI("third", "/third")
	if second.Number != service.FirstNumber+1 || third.Number != service.FirstNumber+2 {
		t.Errorf("the second API was %d and, with it deleted, the third is %d; want %d and %d",
			second.Number, third.Number, service.FirstNumber+1, service.FirstNumber+2)
	}
}

func refs(t *testing.T, open Open) {
	w := newWorld(t, open)
	// 32 letters a to f and digits are a valid name, and the form of an id.
	imposter := w.newConnection(w.connection.ID)
	digits := w.newConnection(strconv.FormatInt(service.FirstNumber, 10))
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		if err := tx.CreateConnection(ctx, &imposter); err != nil {
			return err
		}
		return tx.CreateConnection(ctx, &digits)
	})
	for _, ref := range []string{w.connection.ID, digits.Name} {
		got := read(w, func(ctx context.Context, tx lifecycle.Tx) (service.Connection, error) {
			return tx.Connection(ctx, w.workspace.ID, ref)
		})
		if got.ID != w.connection.ID {
			t.Errorf("%s finds the connection named %s, want %s", ref, got.Name, w.connection.Name)
		}
	}
}

func pages(t *testing.T, open Open) {
	w := newWorld(t, open)
	want := []string{w.connection.ID}
	for i := range 24 {
		c := w.newConnection(fmt.Sprintf("connection_%d", i))
		w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateConnection(ctx, &c) })
		want = append(want, c.ID)
	}
	for _, limit := range []int{1, 7, 25, 100} {
		var got []string
		for after := ""; ; {
			page := read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Connection, error) {
				return tx.Connections(ctx, w.workspace.ID, lifecycle.Page{After: after, Limit: limit})
			})
			if len(page) > limit {
				t.Fatalf("a page has %d records, at most %d were asked for", len(page), limit)
			}
			for _, c := range page {
				got = append(got, c.ID)
			}
			if len(page) < limit {
				break
			}
			after = page[len(page)-1].ID
		}
		wantEqual(t, fmt.Sprintf("the list in pages of %d", limit), got, want)
	}
	none := read(w, func(ctx context.Context, tx lifecycle.Tx) ([]service.Connection, error) {
		return tx.Connections(ctx, w.id(), lifecycle.Page{Limit: 5})
	})
	if none == nil || len(none) != 0 {
		t.Errorf("an empty list is %#v, want one that is not nil", none)
	}
}

func texts(t *testing.T, open Open) {
	w := newWorld(t, open)
	for _, text := range []string{"a\x00b", "a\xffb"} {
		w.refused(service.CodeInvalid, func(ctx context.Context, tx lifecycle.Tx) error {
			c := w.newConnection("bad_text")
			c.Description = text
			return tx.CreateConnection(ctx, &c)
		})
		missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.API, error) {
			return tx.API(ctx, w.workspace.ID, text)
		})
	}
	odd := w.newAPI("odd_texts", "/odd")
	odd.Description = "𝔘𝔫𝔦𝔠𝔬𝔡𝔢, 'quotes', \"double\", back\\slash, ?, $1, %s, new\nline"
	odd.Script = &service.Script{SQL: "SELECT '\u0000?' -- $1 \u2028"}
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateAPI(ctx, &odd) })
	wantEqual(t, "an API with odd texts", read(w, func(ctx context.Context, tx lifecycle.Tx) (service.API, error) {
		return tx.API(ctx, w.workspace.ID, "odd_texts")
	}), odd)
}

func times(t *testing.T, open Open) {
	w := newWorld(t, open)
	m := w.newMember("ops", service.RoleVisitor, false)
	m.CreatedAt = time.Date(2026, 7, 1, 1, 2, 3, 123456789, time.FixedZone("CEST", 2*3600))
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateMember(ctx, m) })
	got := read(w, func(ctx context.Context, tx lifecycle.Tx) (service.Member, error) {
		return tx.Member(ctx, w.workspace.ID, "ops")
	})
	want := time.Date(2026, 6, 30, 23, 2, 3, 123456000, time.UTC)
	if got.CreatedAt != want {
		t.Errorf("read back %v, want %v", got.CreatedAt, want)
	}
}

func otherWorkspace(t *testing.T, open Open) {
	w := newWorld(t, open)
	other := service.Workspace{ID: w.id(), Name: "other"}
	r := w.apply(w.publication, w.api)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateWorkspace(ctx, &other) })
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Member, error) {
		return tx.Member(ctx, other.ID, w.developer.ID)
	})
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Instance, error) {
		return tx.Instance(ctx, other.ID, w.instance.ID)
	})
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Environment, error) {
		return tx.Environment(ctx, other.ID, service.ReleaseEnvironmentID)
	})
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Connection, error) {
		return tx.Connection(ctx, other.ID, w.connection.ID)
	})
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.API, error) {
		return tx.API(ctx, other.ID, w.api.ID)
	})
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Publication, error) {
		return tx.Publication(ctx, other.ID, w.publication.ID)
	})
	missing(w, func(ctx context.Context, tx lifecycle.Tx) (service.Review, error) {
		return tx.Review(ctx, other.ID, r.ID)
	})
	for what, fn := range map[string]func(context.Context, lifecycle.Tx) error{
		"delete an API": func(ctx context.Context, tx lifecycle.Tx) error { return tx.DeleteAPI(ctx, other.ID, w.api.ID) },
		"delete a connection": func(ctx context.Context, tx lifecycle.Tx) error {
			return tx.DeleteConnection(ctx, other.ID, w.connection.ID)
		},
		"delete a publication": func(ctx context.Context, tx lifecycle.Tx) error {
			return tx.DeletePublication(ctx, other.ID, w.publication.ID)
		},
		"delete an environment": func(ctx context.Context, tx lifecycle.Tx) error {
			return tx.DeleteEnvironment(ctx, other.ID, w.release.ID)
		},
		"delete an instance": func(ctx context.Context, tx lifecycle.Tx) error {
			return tx.DeleteInstance(ctx, other.ID, w.instance.ID)
		},
		"change an instance": func(ctx context.Context, tx lifecycle.Tx) error {
			stranger := w.instance
			stranger.WorkspaceID = other.ID
			return tx.UpdateInstance(ctx, &stranger)
		},
		"change a member": func(ctx context.Context, tx lifecycle.Tx) error {
			stranger := w.developer
			stranger.WorkspaceID = other.ID
			return tx.UpdateMember(ctx, &stranger)
		},
		"close a review": func(ctx context.Context, tx lifecycle.Tx) error {
			stranger := w.decided(r, service.ReviewApproved)
			stranger.WorkspaceID = other.ID
			return tx.CloseReview(ctx, stranger)
		},
	} {
		if code := service.ErrorCode(w.try(fn)); code != service.CodeNotFound {
			t.Errorf("%s of another workspace: code %q, want %s", what, code, service.CodeNotFound)
		}
	}
	// The same name may be used in each workspace.
	twin := w.newMember("dev", service.RoleVisitor, false)
	twin.WorkspaceID = other.ID
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateMember(ctx, twin) })
}
