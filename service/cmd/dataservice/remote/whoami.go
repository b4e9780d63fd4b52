// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package remote

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

type whoAmICommand struct {
	caller
}

// Run prints who calls.
func (c whoAmICommand) Run(ctx context.Context, s Streams) error {
	t, err := c.open(s)
	if err != nil {
		return err
	}
	me, err := t.WhoAmI(ctx)
	if err != nil {
		return err
	}
	return t.print(me, func() error {
		err := t.facts(
			"Member", me.Member.Name, "Role", string(me.Member.Role), "Reviewer", yesNo(me.Member.Reviewer),
			"Workspace", fmt.Sprintf("%s (number %d)", me.Workspace.Name, me.Workspace.Number), "Service", t.Endpoint(), "Version", me.ServiceVersion)
		if err != nil || len(me.Refused) == 0 {
			return err
		}
		if err := t.sayf("\nMay not change:"); err != nil {
			return err
		}
		for _, kind := range slices.Sorted(maps.Keys(me.Refused)) {
			if err := t.sayf("  %s", kind); err != nil {
				return err
			}
		}
		return nil
	})
}
