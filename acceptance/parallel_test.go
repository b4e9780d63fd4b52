// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package acceptance

import (
	"context"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/dataservice/terraform-provider-dataservice/internal/pgtest"
	"github.com/dataservice/terraform-provider-dataservice/service"
)

// A publishing operation waits for the one before it. Whoever waits for too long is told
// so, and the client asks again: of many that publish into one instance at once all
// succeed, and nobody hears of the others.
func TestManyWhoPublishIntoOneInstanceAtOnceAllSucceed(t *testing.T) {
	const apis, parallelism = 60, 50
	for name, store := range map[string]func(t *testing.T) []string{
		"SQLite":     func(*testing.T) []string { return nil },
		"PostgreSQL": func(t *testing.T) []string { return []string{"--store", pgtest.Database(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			s := startService(t, store(t)...)
			c := s.Client(s.Developer("ada", true))
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			connection, err := c.CreateConnection(ctx, service.ConnectionInput{
				ConnectionSpec: service.ConnectionSpec{Name: "numbers", Engine: service.EngineSQLite, File: "numbers.db"},
			})
			if err != nil {
				t.Fatal(err)
			}
			published := make([]service.Publication, apis)
			group, ctx := errgroup.WithContext(ctx)
			group.SetLimit(parallelism)
			for i := range published {
				group.Go(func() error {
					api, err := c.CreateAPI(ctx, service.APIInput{
						APISpec: service.APISpec{Name: fmt.Sprintf("parallel_%d", i), Definition: service.Definition{
							Path: fmt.Sprintf("/parallel/%d", i), Method: service.MethodGet, AuthType: service.AuthNone, ConnectionID: connection.ID,
							Script:             &service.Script{SQL: "SELECT n FROM numbers WHERE n = 1"},
							ResponseParameters: map[string]service.ResponseParameter{"n": {Type: service.TypeInt}},
						}},
						Debug: &service.DebugInput{},
					})
					if err != nil {
						return err
					}
					published[i], err = c.Publish(ctx, service.PublishInput{APIID: api.ID, Revision: api.Revision})
					return err
				})
			}
			if err := group.Wait(); err != nil {
				t.Fatal(err)
			}
			for i, p := range published {
				if p.Status != service.StatusPublished || p.Live == nil || p.Live.Definition.Path != fmt.Sprintf("/parallel/%d", i) {
					t.Errorf("publication %d is %s: %+v", i, p.Status, p.Live)
				}
			}
			if there := all(t, publicationsOf(c)); len(there) != apis {
				t.Errorf("there are %d publications, want %d", len(there), apis)
			}
		})
	}
}
