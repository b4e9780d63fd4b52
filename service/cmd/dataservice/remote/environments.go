// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package remote

import (
	"context"
	"fmt"

	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// environmentsCommand is about stages.
type environmentsCommand struct {
	List environmentsListCommand `cmd:"" help:"List environments with what they demand."`
}

type environmentsListCommand struct {
	caller
}

// Run prints environments.
func (c environmentsListCommand) Run(ctx context.Context, s Streams) error {
	t, err := c.open(s)
	if err != nil {
		return err
	}
	all, err := client.All(ctx, t.Environments)
	if err != nil {
		return err
	}
	return t.print(list(all), func() error {
		var rows [][]string
		for _, e := range all {
			rows = append(rows, []string{e.Name, e.ID, yesNo(e.ReviewRequired), yesNo(e.FourEyes), fmt.Sprintf("%d h", e.NoticeHours), string(e.BreakingChanges)})
		}
		return t.table([]column{{"NAME", 1}, {"ID", 0}, {"REVIEW", 0}, {"FOUR EYES", 0}, {"NOTICE", 0}, {"BREAKS", 0}}, rows)
	})
}
