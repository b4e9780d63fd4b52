// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package storetest says what is expected of a [lifecycle.Store], as tests that run
// on every implementation. One file holds the tests of one noun, or of one promise.
package storetest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// Open returns a new, empty store that is closed when the test ends. Its
// transactions wait so long for the instance lock.
type Open func(t *testing.T, lockWait time.Duration) lifecycle.Store

// patience is a lock wait that no test runs into by chance.
const patience = time.Minute

// Run runs the suite. Each test opens a store of its own, and tests run in parallel.
func Run(t *testing.T, open Open) {
	for _, group := range []struct {
		name  string
		tests map[string]func(*testing.T, Open)
	}{
		{"records", records},
		{"tenancy", tenancy},
		{"filing", filing},
		{"visibility", visibility},
		{"publications", publications},
		{"versions", versions},
		{"reviews", reviews},
		{"test calls", debugRuns},
		{"apps", apps},
		{"authorizations", authorizations},
		{"notices", notices},
		{"deliveries", deliveries},
		{"deletion", deletion},
		{"transactions", transactions},
		{"concurrency", concurrency},
		{"events", events},
		{"routes", routes},
		{"idempotency", idempotency},
		{"access keys", accessKeys},
		{"backlog", backlog},
	} {
		t.Run(group.name, func(t *testing.T) {
			for name, test := range group.tests {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					test(t, open)
				})
			}
		})
	}
}

// start is when the stories of the tests begin.
var start = time.Date(2026, 1, 2, 15, 4, 5, 678901000, time.UTC)

// world is a store with one of everything that a publication needs.
type world struct {
	t     *testing.T
	store lifecycle.Store
	// now moves on with each id that is made.
	mu  sync.Mutex
	now time.Time

	workspace   service.Workspace
	instance    service.Instance
	release     service.Environment
	developer   service.Member
	reviewer    service.Member
	connection  service.Connection
	api         service.API
	publication service.Publication
}

// newWorld opens a store and fills it: an API and its publication, which is CREATED.
func newWorld(t *testing.T, open Open) *world {
	t.Helper()
	w := empty(t, open(t, patience))
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		w.connection = w.newConnection("warehouse")
		if err := tx.CreateConnection(ctx, &w.connection); err != nil {
			return err
		}
		w.api = w.newAPI("list_cities", "/cities")
		if err := tx.CreateAPI(ctx, &w.api); err != nil {
			return err
		}
		w.publication = w.newPublication(w.api, w.release)
		return tx.CreatePublication(ctx, &w.publication)
	})
	return w
}

// empty fills a store with what the first start creates.
func empty(t *testing.T, store lifecycle.Store) *world {
	t.Helper()
	w := &world{t: t, store: store, now: start}
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		w.workspace = w.newWorkspace(service.DefaultWorkspace)
		if err := tx.CreateWorkspace(ctx, &w.workspace); err != nil {
			return err
		}
		w.instance = w.newInstance(w.workspace, service.DefaultInstance)
		if err := tx.CreateInstance(ctx, &w.instance); err != nil {
			return err
		}
		w.release = service.Environment{
			ID: service.ReleaseEnvironmentID, WorkspaceID: w.workspace.ID, InstanceID: w.instance.ID, Name: service.ReleaseEnvironmentName,
			Policy: service.DefaultPolicy, CreatedAt: w.time(), UpdatedAt: w.time(),
		}
		if err := tx.CreateEnvironment(ctx, w.release); err != nil {
			return err
		}
		w.instance.ReleaseEnvironmentID = w.release.ID
		w.developer = w.newMember("dev", service.RoleDeveloper, false)
		if err := tx.CreateMember(ctx, w.developer); err != nil {
			return err
		}
		w.reviewer = w.newMember("rev", service.RoleAdmin, true)
		return tx.CreateMember(ctx, w.reviewer)
	})
	return w
}

// id makes an id that is later than all before it.
func (w *world) id() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(time.Millisecond)
	return service.NewID(w.now)
}

// time is the present of the story.
func (w *world) time() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) newWorkspace(name string) service.Workspace {
	return service.Workspace{ID: w.id(), Name: name, Description: "What is " + name, CreatedAt: w.time(), UpdatedAt: w.time(), RowVersion: 1}
}

func (w *world) newInstance(of service.Workspace, name string, hosts ...string) service.Instance {
	return service.Instance{
		ID: w.id(), WorkspaceID: of.ID, InstanceSpec: service.InstanceSpec{Name: name, Description: "Answers " + name, HostNames: hosts},
		CreatedAt: w.time(), UpdatedAt: w.time(), RowVersion: 1,
	}
}

func (w *world) newMember(name string, role service.Role, reviewer bool) service.Member {
	return service.Member{ID: w.id(), WorkspaceID: w.workspace.ID, Name: name, Role: role, Reviewer: reviewer, CreatedAt: w.time()}
}

func (w *world) newConnection(name string) service.Connection {
	return service.Connection{
		ID: w.id(), WorkspaceID: w.workspace.ID,
		ConnectionSpec: service.ConnectionSpec{
			Name: name, Description: "Orders and “customers”, née Data\tWarehouse", Engine: service.EnginePostgreSQL, Host: "db.example.com", Port: 5433,
			Database: "shop", Username: "reader", SSLMode: service.SSLVerifyFull, AllowSuperuser: true,
		},
		SecretVersion: 3, CreatedAt: w.time(), UpdatedAt: w.time(), Password: "correct horse", RowVersion: 1,
	}
}

func (w *world) newAPI(name, path string) service.API {
	example := `a "quoted" <example> & more`
	return service.API{
		ID: w.id(), WorkspaceID: w.workspace.ID,
		APISpec: service.APISpec{
			Name: name, Description: "Cities by country", Visibility: service.VisibilityWorkspace,
			Definition: service.Definition{
				Path: path, Method: service.MethodGet, AuthType: service.AuthNone, TimeoutMS: 2500, ConnectionID: w.connection.ID,
				Script: &service.Script{SQL: "SELECT name FROM cities WHERE country = ${country} AND 1 < 2", Paged: true},
				RequestParameters: map[string]service.RequestParameter{
					"country": {Type: service.TypeString, Required: true, Example: &example, Description: "ISO 3166"},
				},
				ResponseParameters: map[string]service.ResponseParameter{"name": {Type: service.TypeString}},
			},
		}.WithDefaults(),
		Revision: 1, DebugStatus: service.DebugWaiting, DebugMessage: "There is nothing to call it with.",
		OwnerID: w.developer.ID, OwnerName: w.developer.Name, CreatedAt: w.time(), UpdatedAt: w.time(), RowVersion: 1,
	}
}

func (w *world) newPublication(a service.API, e service.Environment) service.Publication {
	return service.Publication{
		ID: w.id(), WorkspaceID: w.workspace.ID, APIID: a.ID, APIName: a.Name, EnvironmentID: e.ID, EnvironmentName: e.Name,
		InstanceID: e.InstanceID, AnyHost: e.InstanceID == w.instance.ID, Status: service.StatusCreated, CreatedAt: w.time(), UpdatedAt: w.time(), RowVersion: 1,
	}
}

func (w *world) newVersion(p service.Publication, a service.API) service.Version {
	return service.Version{
		ID: w.id(), PublicationID: p.ID, Revision: a.Revision, APIName: a.Name, Description: a.Description, ConnectionID: a.ConnectionID,
		Definition: a.Definition, Remark: "first release", CreatedBy: w.reviewer.Name, CreatedAt: w.time(),
		Live: true, LiveSince: w.time(), LiveBy: w.reviewer.Name,
	}
}

func (w *world) newReview(p service.Publication, a service.API) service.Review {
	return service.Review{
		ID: w.id(), WorkspaceID: p.WorkspaceID, PublicationID: p.ID, Kind: service.ReviewPublish, Status: service.ReviewPending,
		APIID: p.APIID, APIName: a.Name, Description: a.Description, EnvironmentID: p.EnvironmentID, EnvironmentName: p.EnvironmentName,
		Revision: a.Revision, ConnectionID: a.ConnectionID, Definition: a.Definition, Digest: "d1ge57", Remark: "please",
		ApplicantID: w.developer.ID, ApplicantName: w.developer.Name, CreatedAt: w.time(),
	}
}

// addAPI stores an API of the world's connection.
func (w *world) addAPI(name, path string) service.API {
	w.t.Helper()
	a := w.newAPI(name, path)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateAPI(ctx, &a) })
	return a
}

// addEnvironment stores an environment of the default instance.
func (w *world) addEnvironment(name string) service.Environment {
	w.t.Helper()
	e := service.Environment{ID: w.id(), WorkspaceID: w.workspace.ID, InstanceID: w.instance.ID, Name: name, Policy: service.DefaultPolicy, CreatedAt: w.time(), UpdatedAt: w.time()}
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateEnvironment(ctx, e) })
	return e
}

// addPublication stores a publication, which is CREATED.
func (w *world) addPublication(a service.API, e service.Environment) service.Publication {
	w.t.Helper()
	p := w.newPublication(a, e)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreatePublication(ctx, &p) })
	return p
}

// publish makes a version of the API and puts it live.
func (w *world) publish(p service.Publication, a service.API, status service.Status) service.Publication {
	w.t.Helper()
	v := w.newVersion(p, a)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error {
		if err := tx.CreateVersion(ctx, &v); err != nil {
			return err
		}
		p.Live, p.Status = &v, status
		return tx.UpdatePublication(ctx, &p)
	})
	return p
}

// apply opens a review of the API for the publication.
func (w *world) apply(p service.Publication, a service.API) service.Review {
	w.t.Helper()
	r := w.newReview(p, a)
	w.update(func(ctx context.Context, tx lifecycle.Tx) error { return tx.CreateReview(ctx, r) })
	return r
}

// decided is the review with a decision.
func (w *world) decided(r service.Review, status service.ReviewStatus) service.Review {
	at := w.time().Add(time.Hour)
	r.Status, r.DeciderID, r.DeciderName, r.Comment, r.DecidedAt = status, w.reviewer.ID, w.reviewer.Name, "as agreed", &at
	return r
}

// stored reads the world's publication as the store has it.
func (w *world) stored() service.Publication {
	w.t.Helper()
	return read(w, func(ctx context.Context, tx lifecycle.Tx) (service.Publication, error) {
		return tx.Publication(ctx, w.workspace.ID, w.publication.ID)
	})
}

// update runs fn in a transaction that must succeed.
func (w *world) update(fn func(context.Context, lifecycle.Tx) error) {
	w.t.Helper()
	if err := w.try(fn); err != nil {
		w.t.Fatalf("an update failed: %v", explain(err))
	}
}

// try runs fn in a transaction and returns how that went.
func (w *world) try(fn func(context.Context, lifecycle.Tx) error) error {
	ctx := w.t.Context()
	return w.store.Update(ctx, func(tx lifecycle.Tx) error { return fn(ctx, tx) })
}

// refused runs fn in a transaction that must fail with the code, and returns the sentence.
func (w *world) refused(code service.Code, fn func(context.Context, lifecycle.Tx) error) string {
	w.t.Helper()
	return wantCode(w.t, w.try(fn), code)
}

// read runs fn on a snapshot; it must succeed.
func read[T any](w *world, fn func(context.Context, lifecycle.Tx) (T, error)) T {
	w.t.Helper()
	v, err := tryRead(w, fn)
	if err != nil {
		w.t.Fatalf("a read failed: %v", explain(err))
	}
	return v
}

func tryRead[T any](w *world, fn func(context.Context, lifecycle.Tx) (T, error)) (v T, err error) {
	ctx := w.t.Context()
	err = w.store.View(ctx, func(tx lifecycle.Tx) (err error) {
		v, err = fn(ctx, tx)
		return err
	})
	return v, err
}

// missing runs fn on a snapshot; it must fail with CodeNotFound.
func missing[T any](w *world, fn func(context.Context, lifecycle.Tx) (T, error)) {
	w.t.Helper()
	_, err := tryRead(w, fn)
	wantCode(w.t, err, service.CodeNotFound)
}

// wantCode checks the code of err and that it is a sentence, which it returns.
func wantCode(t *testing.T, err error, code service.Code) string {
	t.Helper()
	var e *service.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Fatalf("got the error %v, want the code %s", explain(err), code)
	}
	if !strings.HasSuffix(e.Message, ".") {
		t.Errorf("%q is no sentence", e.Message)
	}
	return e.Message
}

// explain shows an error with its causes, which messages for users hide.
func explain(err error) string {
	if err == nil {
		return "no error"
	}
	s := err.Error()
	for cause := errors.Unwrap(err); cause != nil; cause = errors.Unwrap(cause) {
		s += ": " + cause.Error()
	}
	return s
}

func wantEqual[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s is not as stored (-want +got):\n%s", what, diff)
	}
}

func wantContains(t *testing.T, sentence string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(sentence, part) {
			t.Errorf("%q does not say %q", sentence, part)
		}
	}
}

// race runs fn n times at once and returns the errors in the order of n.
func race(n int, fn func(i int) error) []error {
	var (
		errs  = make([]error, n)
		ready sync.WaitGroup
		done  sync.WaitGroup
		shot  = make(chan struct{})
	)
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			<-shot
			errs[i] = fn(i)
		})
	}
	ready.Wait()
	close(shot)
	done.Wait()
	return errs
}

// wantOneWinner checks that exactly one of the errors is nil and the others have the code.
func wantOneWinner(t *testing.T, errs []error, code service.Code) {
	t.Helper()
	winners := 0
	for _, err := range errs {
		if err == nil {
			winners++
			continue
		}
		wantCode(t, err, code)
	}
	if winners != 1 {
		t.Fatalf("%d of %d won, want exactly one", winners, len(errs))
	}
}
