// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package remote

import (
	"context"
	"slices"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// noticesCommand is about what is announced to apps.
type noticesCommand struct {
	List    noticesListCommand    `cmd:"" help:"List what is announced to apps."`
	Confirm noticesConfirmCommand `cmd:"" help:"Say that an app's side is ready for what is announced."`
}

type noticesListCommand struct {
	caller
	All         bool             `help:"Those that are open, and all others." xor:"status"`
	Status      noticeStatusFlag `help:"Those with this status: OPEN (where nothing else is said), CONFIRMED, UNLINKED, EXECUTED or CANCELLED." placeholder:"STATUS" xor:"status"`
	Kind        noticeKindFlag   `help:"Those of this kind: STOP, OFFLINE or REVOKE." placeholder:"KIND"`
	API         string           `name:"api" help:"Those about this API: id, number or name." placeholder:"REF"`
	App         string           `help:"Those to this app: id, number or name." placeholder:"REF"`
	Environment string           `short:"e" help:"Those in this environment: id or name." placeholder:"REF"`
}

// Run prints notices, newest first.
func (c noticesListCommand) Run(ctx context.Context, s Streams) error {
	t, err := c.open(s)
	if err != nil {
		return err
	}
	filter := client.NoticeFilter{Kind: service.NoticeKind(c.Kind), Status: service.NoticeStatus(c.Status)}
	if filter.Status == "" && !c.All {
		filter.Status = service.NoticeOpen
	}
	if filter.APIID, err = t.apiID(ctx, c.API); err != nil {
		return err
	}
	if filter.EnvironmentID, err = t.environmentID(ctx, c.Environment); err != nil {
		return err
	}
	if c.App != "" {
		app, err := t.findApp(ctx, c.App)
		if err != nil {
			return err
		}
		filter.AppID = app.ID
	}
	all, err := client.All(ctx, func(ctx context.Context, p client.Page) (service.List[service.Notice], error) {
		return t.Notices(ctx, filter, p)
	})
	if err != nil {
		return err
	}
	return t.print(list(all), func() error { return t.notices(all) })
}

func (t terminal) notices(all []service.Notice) error {
	last := column{"DEADLINE", 0}
	if slices.ContainsFunc(all, func(n service.Notice) bool { return n.Status != service.NoticeOpen }) {
		last = column{"STATUS", 0} // there is no room for both
	}
	var rows [][]string
	for _, n := range all {
		row := []string{n.ID, string(n.Kind), n.AppName, n.APIName, minute(n.Deadline)}
		if last.head == "STATUS" {
			row[len(row)-1] = string(n.Status)
		}
		rows = append(rows, row)
	}
	return t.table([]column{{"ID", 0}, {"KIND", 0}, {"APP", 1}, {"API", 1}, last}, rows)
}

type noticesConfirmCommand struct {
	caller
	Notices []string `arg:"" name:"notice" help:"Ids of notices, as list tells them."`
}

// Run confirms the notices, one after the other.
func (c noticesConfirmCommand) Run(ctx context.Context, s Streams) error {
	t, err := c.open(s)
	if err != nil {
		return err
	}
	var confirmed []service.Notice
	for _, id := range c.Notices {
		n, err := t.ConfirmNotice(ctx, id)
		if err != nil {
			if len(confirmed) > 0 {
				t.notef("%d of %d notices were confirmed before this.", len(confirmed), len(c.Notices))
			}
			return hinting(err, id, nil, "notices list")
		}
		confirmed = append(confirmed, n)
	}
	return t.print(confirmed, func() error {
		for _, n := range confirmed {
			if err := t.sayf("%s: %s to %s about %s in %s (notice %s).", n.Status, n.Kind, n.AppName, n.APIName, n.EnvironmentName, n.ID); err != nil {
				return err
			}
		}
		return nil
	})
}
