// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package remote

import (
	"context"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// appsCommand is about consumers.
type appsCommand struct {
	List appsListCommand `cmd:"" help:"List apps, without their secrets."`
}

type appsListCommand struct {
	caller
	Owner string `help:"Those of this member: id or name." placeholder:"REF"`
}

// Run prints apps.
func (c appsListCommand) Run(ctx context.Context, s Streams) error {
	t, err := c.open(s)
	if err != nil {
		return err
	}
	all, err := client.All(ctx, func(ctx context.Context, p client.Page) (service.List[service.App], error) {
		return t.Apps(ctx, client.AppFilter{Owner: c.Owner}, p)
	})
	if err != nil {
		return err
	}
	return t.print(list(all), func() error {
		var rows [][]string
		for _, a := range all {
			rows = append(rows, []string{a.Name, number(a.Number), string(a.Type), a.OwnerName, minute(a.CreatedAt)})
		}
		return t.table([]column{{"NAME", 2}, {"NUMBER", 0}, {"TYPE", 0}, {"OWNER", 1}, {"CREATED", 0}}, rows)
	})
}

// findApp returns the app with that id, number or name.
func (t terminal) findApp(ctx context.Context, ref string) (service.App, error) {
	a, err := t.App(ctx, ref)
	if client.IsNotFound(err) {
		names := namesOf(ctx, func(ctx context.Context, p client.Page) (service.List[service.App], error) {
			return t.Apps(ctx, client.AppFilter{}, p)
		}, func(a service.App) string { return a.Name })
		err = hinting(err, ref, names, "apps list")
	}
	return a, err
}
