// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// reviewsCommand is about applications and their decisions.
type reviewsCommand struct {
	List    reviewsListCommand    `cmd:"" help:"List reviews: those that are open, that wait for you, that are yours, or that were decided."`
	Show    reviewsShowCommand    `cmd:"" help:"Show what is applied for, what it changes and whom it breaks."`
	Approve reviewsApproveCommand `cmd:"" help:"Approve an application."`
	Reject  reviewsRejectCommand  `cmd:"" help:"Reject an application, with a comment."`
	Cancel  reviewsCancelCommand  `cmd:"" help:"Take an application back."`
	Wait    reviewsWaitCommand    `cmd:"" help:"Wait for somebody's decision; fails at once where it is not an approval."`
}

// oneReview names a review.
type oneReview struct {
	Review string `arg:"" help:"Id of the review; or the name of the API, or API@ENVIRONMENT, for the one that is open."`
}

type reviewsListCommand struct {
	caller
	ForMe       bool             `help:"Those that are open and that you may approve." xor:"whose"`
	Mine        bool             `help:"Those that you applied for." xor:"whose"`
	Decided     bool             `help:"Those that nobody waits for any more." xor:"whose"`
	All         bool             `help:"Those that are open, and all others." xor:"whose"`
	Status      reviewStatusFlag `help:"Those with this status: PENDING (where nothing else is said), APPROVED, REJECTED, CANCELLED or SUPERSEDED." placeholder:"STATUS"`
	Kind        reviewKindFlag   `help:"Those of this kind: PUBLISH, RESTORE or AUTHORIZE." placeholder:"KIND"`
	API         string           `name:"api" help:"Those about this API: id, number or name." placeholder:"REF"`
	Environment string           `short:"e" help:"Those in this environment: id or name." placeholder:"REF"`
	Applicant   string           `help:"Those that this member applied for: id or name." placeholder:"REF"`
}

// Run prints reviews, newest first.
func (c reviewsListCommand) Run(ctx context.Context, s Streams) error {
	t, err := c.open(s)
	if err != nil {
		return err
	}
	filter := client.ReviewFilter{Status: service.ReviewStatus(c.Status), Kind: service.ReviewKind(c.Kind), Applicant: c.Applicant}
	switch {
	case c.ForMe && filter.Status != "" && filter.Status != service.ReviewPending:
		return usage("--for-me lists what is open: leave --status=%s out.", filter.Status)
	case c.Mine && c.Applicant != "":
		return usage("--mine names the applicant already: leave --applicant out.")
	case filter.Status == "" && !c.Mine && !c.Decided && !c.All:
		filter.Status = service.ReviewPending
	}
	if filter.APIID, err = t.apiID(ctx, c.API); err != nil {
		return err
	}
	if filter.EnvironmentID, err = t.environmentID(ctx, c.Environment); err != nil {
		return err
	}
	keep := func(service.Review) bool { return true }
	switch {
	case c.Decided:
		keep = service.Review.Settled
	case c.Mine || c.ForMe:
		me, err := t.WhoAmI(ctx)
		if err != nil {
			return err
		}
		if c.Mine {
			filter.Applicant = me.Member.ID
			break
		}
		environments, err := client.All(ctx, t.Environments)
		if err != nil {
			return err
		}
		policies := map[string]service.Environment{}
		for _, e := range environments {
			policies[e.ID] = e
		}
		keep = func(r service.Review) bool { return r.CheckApprover(me.Member, policies[r.EnvironmentID]) == nil }
	}
	var reviews []service.Review
	for r, err := range client.Each(ctx, client.MaxPage, func(ctx context.Context, p client.Page) (service.List[service.Review], error) {
		return t.Reviews(ctx, filter, p)
	}) {
		if err != nil {
			return err
		}
		if keep(r) {
			reviews = append(reviews, r)
		}
	}
	return t.print(list(reviews), func() error {
		// Without their status there is room for who applied for them.
		columns := []column{{"ID", 0}, {"KIND", 0}, {"API", 2}, {"ENV", 1}, {"BY", 1}}
		if filter.Status == "" {
			columns[4] = column{"STATUS", 0}
		}
		var rows [][]string
		for _, r := range reviews {
			row := []string{r.ID, string(r.Kind), r.APIName, r.EnvironmentName, r.ApplicantName}
			if filter.Status == "" {
				row[4] = string(r.Status)
			}
			rows = append(rows, row)
		}
		return t.table(columns, rows)
	})
}

// asked tells what an application is for.
func asked(r service.Review) string {
	where := r.APIName + " in " + r.EnvironmentName
	switch {
	case r.Kind == service.ReviewAuthorize && r.Until != nil:
		return fmt.Sprintf("letting %s call %s until %s", r.AppName, where, at(*r.Until))
	case r.Kind == service.ReviewAuthorize:
		return fmt.Sprintf("letting %s call %s", r.AppName, where)
	case r.Kind == service.ReviewRestore:
		return fmt.Sprintf("restoring %s (revision %d)", where, r.Revision)
	case r.Version != "":
		return fmt.Sprintf("switching %s to %s (revision %d)", where, r.Version, r.Revision)
	}
	return fmt.Sprintf("publishing %s (revision %d)", where, r.Revision)
}

type reviewsShowCommand struct {
	caller
	oneReview
}

// shownReview is what show prints as JSON.
type shownReview struct {
	Review service.Review `json:"review"`
	// Live is the version that is live now; absent where none is.
	Live *service.Version `json:"live,omitempty"`
	// Differences are from Live to what is applied for.
	Differences []service.Difference `json:"differences"`
	// BreakingChanges is what callers of Live lose.
	BreakingChanges []service.BreakingChange `json:"breaking_changes"`
}

// Run prints a review with what it changes.
func (c reviewsShowCommand) Run(ctx context.Context, s Streams) error {
	t, err := c.open(s)
	if err != nil {
		return err
	}
	r, err := t.findReview(ctx, c.Review, true)
	if err != nil {
		return err
	}
	shown, err := t.compareWithLive(ctx, r)
	if err != nil {
		return err
	}
	return t.print(shown, func() error { return t.review(ctx, shown) })
}

// compareWithLive tells what an open application changes; of one that was decided, what it
// would have changed is not known any more.
func (t terminal) compareWithLive(ctx context.Context, r service.Review) (shownReview, error) {
	shown := shownReview{Review: r, Differences: []service.Difference{}, BreakingChanges: list(r.BreakingChanges)}
	if r.Kind == service.ReviewAuthorize || r.Settled() {
		return shown, nil
	}
	p, err := t.Publication(ctx, r.PublicationID, 0)
	if forbidden(err) || client.IsNotFound(err) {
		return shown, nil // a decider of a private API sees the application alone
	}
	if err != nil || p.Live == nil {
		return shown, err
	}
	shown.Live = p.Live
	comparison, err := service.Compare(*p.Live, service.Version{Name: or(r.Version, "the application"), Definition: r.Definition})
	if err != nil {
		return shown, err
	}
	shown.Differences, shown.BreakingChanges = comparison.Differences, comparison.BreakingChanges
	return shown, nil
}

func (t terminal) review(ctx context.Context, shown shownReview) error {
	r := shown.Review
	decided := ""
	if r.DecidedAt != nil {
		decided = by(r.DeciderName, *r.DecidedAt)
	}
	err := t.facts(
		"Review", r.ID, "Asks for", asked(r), "Status", string(r.Status), "Applied for", by(r.ApplicantName, r.CreatedAt), "Remark", r.Remark,
		"Decided", decided, "Comment", r.Comment, "Description", r.Description, "Connection", t.connectionName(ctx, r.ConnectionID), "Digest", r.Digest, "Link", r.URL)
	if err != nil || r.Kind == service.ReviewAuthorize {
		return err
	}
	switch {
	case shown.Live != nil && len(shown.Differences) == 0:
		err = t.sayf("\nThe definition is that of the live version %s.", shown.Live.Name)
	case shown.Live != nil:
		if err = t.sayf("\nDifferent from the live version %s (revision %d):", shown.Live.Name, shown.Live.Revision); err != nil {
			return err
		}
		for _, d := range shown.Differences {
			if err = t.difference(d); err != nil {
				return err
			}
		}
	}
	if err != nil {
		return err
	}
	if err := t.breaking(shown.BreakingChanges); err != nil {
		return err
	}
	text, err := json.MarshalIndent(r.Definition, "", "  ")
	if err != nil {
		return err
	}
	if err := t.sayf("\nDefinition:"); err != nil {
		return err
	}
	return t.sayf("%s", text)
}

// decision is the part of a command that decides.
type decision struct {
	Digest string `help:"Decide only where this is the digest of what is applied for, as show tells it." placeholder:"DIGEST"`
}

type reviewsApproveCommand struct {
	caller
	oneReview
	Comment string `short:"m" help:"What the applicant is told." placeholder:"TEXT"`
	decision
}

// Run approves.
func (c reviewsApproveCommand) Run(ctx context.Context, s Streams) error {
	return decide(ctx, s, c.caller, c.oneReview, service.DecisionInput{Digest: c.Digest, Comment: c.Comment}, (*client.Client).Approve)
}

type reviewsRejectCommand struct {
	caller
	oneReview
	Comment string `short:"m" help:"What the applicant is to change." required:"" placeholder:"TEXT"`
	decision
}

// Run rejects.
func (c reviewsRejectCommand) Run(ctx context.Context, s Streams) error {
	if strings.TrimSpace(c.Comment) == "" {
		return usage("--comment is empty: a rejection tells the applicant what to change.")
	}
	return decide(ctx, s, c.caller, c.oneReview, service.DecisionInput{Digest: c.Digest, Comment: c.Comment}, (*client.Client).Reject)
}

func decide(ctx context.Context, s Streams, c caller, which oneReview, in service.DecisionInput,
	act func(c *client.Client, ctx context.Context, id string, in service.DecisionInput) (service.Review, error),
) error {
	t, err := c.open(s)
	if err != nil {
		return err
	}
	r, err := t.findReview(ctx, which.Review, false)
	if err != nil {
		return err
	}
	// What is shown as decided is what was found, whatever took its place meanwhile.
	in.Digest = or(in.Digest, r.Digest)
	if r, err = act(t.Client, ctx, r.ID, in); err != nil {
		return err
	}
	return t.decided(r)
}

func (t terminal) decided(r service.Review) error {
	return t.print(r, func() error {
		return t.sayf("%s: %s (review %s, applied for by %s).", r.Status, asked(r), r.ID, r.ApplicantName)
	})
}

type reviewsCancelCommand struct {
	caller
	oneReview
	Remark string `short:"m" help:"Why, for the audit trail." placeholder:"TEXT"`
}

// Run takes the application back.
func (c reviewsCancelCommand) Run(ctx context.Context, s Streams) error {
	t, err := c.open(s)
	if err != nil {
		return err
	}
	r, err := t.findReview(ctx, c.Review, false)
	if err != nil {
		return err
	}
	if r, err = t.CancelReview(ctx, r.ID, service.ActionInput{Remark: c.Remark}); err != nil {
		return err
	}
	return t.decided(r)
}

type reviewsWaitCommand struct {
	caller
	oneReview
	Patience
}

// Run waits for the decision, and prints it.
func (c reviewsWaitCommand) Run(ctx context.Context, s Streams) error {
	t, err := c.open(s)
	if err != nil {
		return err
	}
	r, err := t.findReview(ctx, c.Review, true)
	if err != nil {
		return err
	}
	began := time.Now()
	waited := !r.Settled()
	if r, err = t.awaitReview(ctx, c.Patience, r); err != nil {
		return err
	}
	if waited {
		t.notef("Decided after %s.", time.Since(began).Round(time.Second))
	}
	return t.decided(r)
}
