// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package remote

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// end is the part of the two commands that take an API from its callers.
type end struct {
	At     string `name:"at" help:"When it happens at the latest, where apps are authorized: a whole hour, such as 2030-03-03T11:00:00Z, at least the environment's notice ahead. The earliest allowed hour where absent." placeholder:"TIME"`
	Remark string `short:"m" help:"What the apps are told." placeholder:"TEXT"`
	Confirmation
	Wait bool `short:"w" help:"Where something is announced, wait until it has happened."`
	Patience
}

type publicationsSuspendCommand struct {
	onePublication
	end
}

// Run says what a suspension means, asks, and suspends.
func (c publicationsSuspendCommand) Run(ctx context.Context, s Streams) error {
	return c.end.run(ctx, s, c.onePublication, kindOfEnd{
		verb: "Suspend", meaning: "is suspended: its calls are answered with an error until it is restored. The rights of apps stay.",
		act: (*client.Client).Suspend,
	})
}

type publicationsUnpublishCommand struct {
	onePublication
	end
}

// Run says what it means to go offline, asks, and unpublishes.
func (c publicationsUnpublishCommand) Run(ctx context.Context, s Streams) error {
	return c.end.run(ctx, s, c.onePublication, kindOfEnd{
		verb: "Unpublish", meaning: "goes offline: nothing answers at its path, the rights of apps end, and only publishing it anew brings it back.",
		act: (*client.Client).Unpublish,
	})
}

// kindOfEnd is one of the two ways that an API ends for its callers.
type kindOfEnd struct {
	verb, meaning string
	act           func(c *client.Client, ctx context.Context, id string, in service.ActionInput, options ...client.Option) (service.Publication, error)
}

func (e end) run(ctx context.Context, s Streams, which onePublication, kind kindOfEnd) error {
	t, p, err := which.open(ctx, s)
	if err != nil {
		return err
	}
	if err := t.tellEnd(ctx, p, e.At, kind); err != nil {
		return err
	}
	if err := t.confirm(ctx, e.Confirmation, fmt.Sprintf("%s %s?", kind.verb, place(p))); err != nil {
		return err
	}
	if p, err = kind.act(t.Client, ctx, p.ID, service.ActionInput{Time: e.At, Remark: e.Remark}, client.AwaitGateways()); err != nil {
		return err
	}
	if e.Wait && !p.Settled() {
		if p, err = t.awaitPublication(ctx, e.Patience, p); err != nil {
			return err
		}
	}
	return t.done(p)
}

// tellEnd tells what it does to the callers, before it is done. Whether it may be done is
// for the service to say, and the time is told by the clock of this machine.
func (t terminal) tellEnd(ctx context.Context, p service.Publication, when string, kind kindOfEnd) error {
	rights, err := t.EnvironmentRights(ctx, p.EnvironmentID)
	if err != nil {
		return err
	}
	deadline, err := service.ParseDeadline(when, rights.NoticeHours, time.Now())
	if err != nil {
		return &failure{exit: ExitUsage, message: "--at: " + strings.TrimPrefix(err.Error(), "The request is not valid. /time: "), cause: err}
	}
	now := ""
	if p.Live != nil {
		now = fmt.Sprintf(" (%s, version %s)", p.Status, p.Live.Name)
	}
	t.notef("%s%s %s", place(p), now, kind.meaning)
	switch {
	case p.OpenReview != nil:
		t.notef("The open application for %s is cancelled.", asked(*p.OpenReview))
		fallthrough
	default:
		who, err := t.authorized(ctx, p)
		switch {
		case err != nil:
			return err
		case p.AuthorizedApps == 0:
			t.notef("No app is authorized to call it, so it happens at once.")
		case deadline.At.IsZero():
			t.notef("%s: %s. %s asks for no notice, so it happens at once.", authorizedApps(p.AuthorizedApps), who, p.EnvironmentName)
		default:
			t.notef("%s: %s. Each gets a notice and goes on calling until all have confirmed, until %s at the latest (notice in %s: %s).",
				authorizedApps(p.AuthorizedApps), who, at(deadline.At), p.EnvironmentName, count(rights.NoticeHours, "hour"))
		}
	}
	if p.Live != nil && p.Live.Definition.AuthType == service.AuthNone && p.Callable() {
		t.notef("Everybody may call it, and who else does is not known.")
	}
	return nil
}

func authorizedApps(n int) string {
	if n == 1 {
		return "1 app is authorized to call it"
	}
	return fmt.Sprintf("%d apps are authorized to call it", n)
}

// authorized names the apps that may call.
func (t terminal) authorized(ctx context.Context, p service.Publication) (string, error) {
	if p.AuthorizedApps == 0 {
		return "", nil
	}
	const mostNamed = 20
	var names []string
	for _, status := range []service.AuthorizationStatus{service.AuthorizationActive, service.AuthorizationWaitingRevoke} {
		some, err := t.Authorizations(ctx, client.AuthorizationFilter{PublicationID: p.ID, Status: status}, client.Page{Limit: mostNamed})
		if err != nil {
			return "", err
		}
		for _, a := range some.Items {
			names = append(names, a.AppName)
		}
	}
	if len(names) < p.AuthorizedApps {
		names = append(names, "…")
	}
	return strings.Join(names, ", "), nil
}
