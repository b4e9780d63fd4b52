// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/sqlstore"
)

// onEachEngineBench runs the benchmark on a store with a workspace, a member, a
// connection, an API and its published publication.
func onEachEngineBench(b *testing.B, bench func(b *testing.B, s *sqlstore.Store, p service.Publication)) {
	for name, dsn := range engines {
		b.Run(name, func(b *testing.B) {
			s := open(b, sqlstore.Options{DSN: dsn(b)})
			p := publish(b, s, fill(b, s, "secret"), 0)
			b.ResetTimer()
			bench(b, s, p)
		})
	}
}

// publish creates an API, its publication, and its first version, live.
func publish(b *testing.B, s *sqlstore.Store, c service.Connection, n int) service.Publication {
	b.Helper()
	ctx := b.Context()
	var p service.Publication
	err := s.Update(ctx, func(tx lifecycle.Tx) error {
		owner, err := tx.Member(ctx, c.WorkspaceID, "dev")
		if err != nil {
			return err
		}
		a := service.API{
			ID: service.NewID(now), WorkspaceID: c.WorkspaceID, Revision: 1, DebugStatus: service.DebugSuccess, OwnerID: owner.ID, CreatedAt: now, UpdatedAt: now,
			APISpec: service.APISpec{Name: fmt.Sprintf("api_%d", n), Visibility: service.VisibilityWorkspace, Definition: service.Definition{
				Path: fmt.Sprintf("/path/%d", n), Method: service.MethodGet, AuthType: service.AuthNone, TimeoutMS: 1000, ConnectionID: c.ID,
				Script:             &service.Script{SQL: "SELECT id, name, total FROM orders WHERE region = ${region}"},
				RequestParameters:  map[string]service.RequestParameter{"region": {Type: service.TypeString, Required: true}},
				ResponseParameters: map[string]service.ResponseParameter{"id": {Type: service.TypeLong}, "name": {Type: service.TypeString}, "total": {Type: service.TypeDouble}},
			}},
		}
		if err := tx.CreateAPI(ctx, &a); err != nil {
			return err
		}
		e := service.Environment{ID: service.NewID(now), WorkspaceID: c.WorkspaceID, Policy: service.DefaultPolicy, Name: fmt.Sprintf("ENV_%d", n), CreatedAt: now, UpdatedAt: now}
		i := service.Instance{ID: service.NewID(now), WorkspaceID: c.WorkspaceID, InstanceSpec: service.InstanceSpec{Name: fmt.Sprintf("instance_%d", n)}, CreatedAt: now}
		if err := tx.CreateInstance(ctx, &i); err != nil {
			return err
		}
		e.InstanceID = i.ID
		if err := tx.CreateEnvironment(ctx, e); err != nil {
			return err
		}
		p = service.Publication{
			ID: service.NewID(now), WorkspaceID: c.WorkspaceID, APIID: a.ID, EnvironmentID: e.ID, InstanceID: i.ID,
			Status: service.StatusCreated, CreatedAt: now, UpdatedAt: now,
		}
		if err := tx.CreatePublication(ctx, &p); err != nil {
			return err
		}
		v := service.Version{ID: service.NewID(now), PublicationID: p.ID, Revision: 1, ConnectionID: c.ID, Definition: a.Definition, CreatedAt: now}
		if err := tx.CreateVersion(ctx, &v); err != nil {
			return err
		}
		p.Live, p.Status = &v, service.StatusPublished
		return tx.UpdatePublication(ctx, &p)
	})
	if err != nil {
		b.Fatal(err)
	}
	return p
}

// The reads that stand before every request to the control plane.
func BenchmarkReadMemberAndWorkspace(b *testing.B) {
	onEachEngineBench(b, func(b *testing.B, s *sqlstore.Store, p service.Publication) {
		read(b, s, func(ctx context.Context, tx lifecycle.Tx) error {
			if _, err := tx.Member(ctx, p.WorkspaceID, "dev"); err != nil {
				return err
			}
			_, err := tx.Workspace(ctx, p.WorkspaceID)
			return err
		})
	})
}

func BenchmarkReadPublication(b *testing.B) {
	onEachEngineBench(b, func(b *testing.B, s *sqlstore.Store, p service.Publication) {
		read(b, s, func(ctx context.Context, tx lifecycle.Tx) error {
			_, err := tx.Publication(ctx, p.WorkspaceID, p.ID)
			return err
		})
	})
}

func read(b *testing.B, s *sqlstore.Store, fn func(context.Context, lifecycle.Tx) error) {
	b.Helper()
	ctx := b.Context()
	for b.Loop() {
		if err := s.View(ctx, func(tx lifecycle.Tx) error { return fn(ctx, tx) }); err != nil {
			b.Fatal(err)
		}
	}
}

// What the gateway reads when it starts: 500 publications in one page.
func BenchmarkReadRoutes(b *testing.B) {
	onEachEngineBench(b, func(b *testing.B, s *sqlstore.Store, p service.Publication) {
		b.StopTimer()
		c := service.Connection{WorkspaceID: p.WorkspaceID, ID: p.Live.ConnectionID}
		for i := range 499 {
			publish(b, s, c, i+1)
		}
		b.StartTimer()
		read(b, s, func(ctx context.Context, tx lifecycle.Tx) error {
			all, err := tx.ServedPublications(ctx, "", lifecycle.Page{Limit: 500})
			if len(all) != 500 {
				b.Fatalf("%d publications, %v", len(all), err)
			}
			return err
		})
	})
}

// A transition as the use cases make it: lock, read, change, announce, audit, commit.
func BenchmarkChangePublication(b *testing.B) {
	onEachEngineBench(b, func(b *testing.B, s *sqlstore.Store, p service.Publication) {
		ctx := b.Context()
		for b.Loop() {
			err := s.Update(ctx, func(tx lifecycle.Tx) error {
				if err := tx.LockInstance(ctx, p.InstanceID); err != nil {
					return err
				}
				p, err := tx.Publication(ctx, p.WorkspaceID, p.ID)
				if err != nil {
					return err
				}
				if err := tx.UpdatePublication(ctx, &p); err != nil {
					return err
				}
				if err := tx.Announce(ctx, lifecycle.Change{Kind: lifecycle.ChangePublication, ID: p.ID}); err != nil {
					return err
				}
				return tx.AppendEvent(ctx, service.Event{WorkspaceID: p.WorkspaceID, At: now, Action: "publication.suspend", ThingID: p.ID})
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}
