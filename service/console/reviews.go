// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func (c *console) reviewPages(r chi.Router) {
	r.Get("/reviews", c.page("reviews", c.reviews))
	r.Post("/reviews/approve", c.act("approve-several", c.approveSeveral))
	r.Get("/reviews/{review}", c.page("review", c.review))
	r.Post("/reviews/{review}/approve", c.act("approve", c.approve))
	r.Post("/reviews/{review}/reject", c.act("reject", c.reject))
	r.Post("/reviews/{review}/cancel", c.act("cancel-review", c.cancelReview))
}

// reviewsPage is a list of applications.
type reviewsPage struct {
	// Tab is the list that is looked at.
	Tab          string
	Tabs         []tab
	Environments []service.Environment
	Environment  string // its id
	Reviews      []reviewRow
	// Decides says that the member is a reviewer; Several, that there is something to approve.
	Decides, Several bool
	Next             string
}

type tab struct{ Name, Title string }

// The lists of applications.
const (
	tabWaiting = "waiting"
	tabMine    = "mine"
	tabDecided = "decided"
)

var reviewTabs = []tab{{tabWaiting, "Waits for me"}, {tabMine, "Asked by me"}, {tabDecided, "Decided"}}

type reviewRow struct {
	service.Review
	// Approvable says that the member may approve it.
	Approvable bool
}

// reviews lists applications.
func (c *console) reviews(v *visit) error {
	p := reviewsPage{Tab: v.query("tab"), Tabs: reviewTabs, Environment: v.query("environment"), Decides: v.may(service.OpDecide)}
	if !slices.ContainsFunc(reviewTabs, func(t tab) bool { return t.Name == p.Tab }) {
		p.Tab = tabWaiting
	}
	var err error
	if p.Environments, err = c.environments(v); err != nil {
		return err
	}
	filter := lifecycle.ReviewFilter{EnvironmentID: p.Environment}
	switch p.Tab {
	case tabWaiting:
		filter.Status = service.ReviewPending
	case tabMine:
		filter.ApplicantID = v.caller.Member.ID
	case tabDecided:
		filter.Closed = true
	}
	if err := c.fillReviews(v, &p, filter); err != nil {
		return err
	}
	return c.show(v, "reviews", "reviews", "Reviews", p)
}

// scannedReviews bounds how many pages of what is pending are read for one page of what waits
// for a member.
const scannedReviews = 20

// fillReviews fills a page. Of what is pending not all waits for the member: it reads on until
// the page is full.
func (c *console) fillReviews(v *visit, p *reviewsPage, filter lifecycle.ReviewFilter) error {
	at := v.list()
	for range scannedReviews {
		l, err := c.Service.Reviews(v, v.caller, filter, at)
		if err != nil {
			return err
		}
		for _, r := range l.Items {
			if len(p.Reviews) == perPage {
				p.Next = v.next(p.Reviews[perPage-1].ID)
				return nil
			}
			row := reviewRow{r, r.Status == service.ReviewPending && r.CheckApprover(v.caller.Member, environmentOf(p.Environments, r.EnvironmentID)) == nil}
			if p.Tab == tabWaiting && !row.Approvable {
				continue
			}
			p.Several = p.Several || row.Approvable
			p.Reviews = append(p.Reviews, row)
		}
		p.Next = v.next(l.Next)
		if l.Next == "" || p.Tab != tabWaiting {
			return nil
		}
		at.After = l.Next
	}
	return nil
}

func environmentOf(environments []service.Environment, id string) service.Environment {
	i := slices.IndexFunc(environments, func(e service.Environment) bool { return e.ID == id })
	if i < 0 {
		// Of more environments than a choice offers, it is not among them: the service decides.
		return service.Environment{ID: id}
	}
	return environments[i]
}

// reviewPage is one application.
type reviewPage struct {
	service.Review
	Environment service.Environment
	// What says what is asked for.
	What string
	// Definition is what is applied for; nil where that is no API's.
	Definition *definition
	// Difference is to Against; nil where nothing was live.
	Difference *difference
	// Against and Versions are for the choice of what to compare with.
	Against  string
	Versions []service.Version
	// Debug is what the last test call of the revision was answered; nil where that is not kept.
	Debug *debugReport
	// Breaking is what it takes from callers, and Forbidden says that the environment refuses that.
	Breaking  []service.BreakingChange
	Forbidden bool
	// API is the API as it is defined now; nil where the member is not shown it.
	API *service.API
	// Publication is the one that it is about; nil where the member is not shown it.
	Publication *service.Publication
	// Authorization is the one that is applied for, else nil.
	Authorization *service.Authorization
	// History is the earlier applications, newest first.
	History []service.Review

	// Approve, Reject and Cancel say what the member may do; NotApprove says why not approve.
	Approve, Reject, Cancel bool
	NotApprove              string
	// Problem says why what was asked for was not done, and Entered is what was said with it.
	Problem *failure
	Entered string
	// Asked and Decided are the application and a decision as Terraform makes them.
	Asked, Decided string
}

// shownHistory is how many earlier applications are told of.
const shownHistory = 10

// review shows one application.
func (c *console) review(v *visit) error {
	p, err := c.reviewPage(v)
	if err != nil {
		return err
	}
	return c.show(v, "review", "reviews", p.What, p)
}

func (c *console) reviewPage(v *visit) (reviewPage, error) {
	r, err := c.Service.Review(v, v.caller, v.param("review"), 0)
	if err != nil {
		return reviewPage{}, err
	}
	p := reviewPage{Review: r, What: whatIsAsked(r), Asked: appliedFor(r), Decided: decided(r)}
	if p.Environment, err = c.Service.Environment(v, v.caller, r.EnvironmentID); err != nil {
		return p, err
	}
	if r.Status == service.ReviewPending {
		p.Cancel, p.Reject = r.CancelledBy(v.caller.Member), v.may(service.OpDecide)
		err := r.CheckApprover(v.caller.Member, p.Environment)
		p.Approve = err == nil
		if err != nil && p.Reject {
			p.NotApprove = sentence(err)
		}
	}
	if r.Kind == service.ReviewAuthorize {
		if z, err := c.Service.Authorization(v, v.caller, r.AuthorizationID, 0); err == nil {
			p.Authorization = &z
		}
	}
	if !v.may(service.OpReadDrafts) {
		return p, nil
	}
	return p, c.compareReview(v, &p)
}

// compareReview fills in what only those see who may read drafts.
func (c *console) compareReview(v *visit, p *reviewPage) error {
	r := p.Review
	if api, err := c.Service.API(v, v.caller, r.APIID); err == nil {
		p.API = &api
	}
	before, err := c.Service.Reviews(v, v.caller, lifecycle.ReviewFilter{PublicationID: r.PublicationID, AuthorizationID: r.AuthorizationID, Closed: true}, lifecycle.Page{After: r.ID, Limit: shownHistory})
	if err != nil {
		return err
	}
	p.History = slices.DeleteFunc(before.Items, func(o service.Review) bool { return o.AuthorizationID != r.AuthorizationID })
	publication, err := c.Service.Publication(v, v.caller, r.PublicationID, 0)
	if service.ErrorCode(err) == service.CodeNotFound {
		// Who decided on a private API goes on seeing the review alone.
		publication, err = service.Publication{}, nil
	} else if err == nil {
		p.Publication = &publication
	}
	if err != nil || r.Kind == service.ReviewAuthorize {
		return err
	}
	p.Debug = c.debugReport(v, r.APIID, r.Revision)
	d := c.definition(v, r.Definition)
	p.Definition, p.Breaking = &d, r.BreakingChanges
	if p.Publication == nil {
		return nil
	}
	if p.Versions, err = c.Service.Versions(v, v.caller, r.PublicationID); err != nil {
		return err
	}
	against := against(r, publication, p.Versions, v.query("against"))
	if against == nil {
		return nil
	}
	p.Against = against.Name
	candidate := service.Version{Name: cmp.Or(r.Version, "applied for"), APIName: r.APIName, Description: r.Description, Definition: r.Definition}
	diff, err := c.differ(v, *against, candidate)
	if err != nil {
		return err
	}
	diff.Before, diff.After = against.Name, "Applied for"
	if against.Live {
		diff.Before += ", live now"
	}
	p.Difference = &diff
	if r.Status == service.ReviewPending && against.Live {
		p.Breaking = diff.Breaking
		p.Forbidden = p.Environment.CheckBreaking(*against, r.APIName, diff.Breaking) != nil
	}
	return nil
}

// against is the version that an application is compared with: the one that is asked for;
// of what was approved, the one before it; else what is live.
func against(r service.Review, p service.Publication, versions []service.Version, asked string) *service.Version {
	for i, v := range versions { // newest first
		if v.Name == asked || asked == "" && r.Status == service.ReviewApproved && r.Kind == service.ReviewPublish && r.Version == "" && v.CreatedAt.Before(*r.DecidedAt) {
			return &versions[i]
		}
	}
	if r.Status == service.ReviewApproved && r.Kind == service.ReviewPublish && r.Version == "" {
		return nil // It was the first one.
	}
	return p.Live
}

// whatIsAsked names an application.
func whatIsAsked(r service.Review) string {
	switch {
	case r.Kind == service.ReviewAuthorize:
		return fmt.Sprintf("Let %s call %s in %s", r.AppName, r.APIName, r.EnvironmentName)
	case r.Kind == service.ReviewRestore:
		return fmt.Sprintf("Restore %s in %s", r.APIName, r.EnvironmentName)
	case r.Version != "":
		return fmt.Sprintf("Switch %s in %s back to %s", r.APIName, r.EnvironmentName, r.Version)
	}
	return fmt.Sprintf("Publish %s in %s", r.APIName, r.EnvironmentName)
}

func (c *console) approve(v *visit) error {
	_, err := c.Service.Approve(v, v.caller, v.param("review"), service.DecisionInput{Digest: v.field("digest"), Comment: v.field("comment")})
	return c.decidedOr(v, err, "approved")
}

func (c *console) reject(v *visit) error {
	_, err := c.Service.Reject(v, v.caller, v.param("review"), service.DecisionInput{Digest: v.field("digest"), Comment: v.field("comment")})
	return c.decidedOr(v, err, "rejected")
}

func (c *console) cancelReview(v *visit) error {
	_, err := c.Service.CancelReview(v, v.caller, v.param("review"), service.ActionInput{Remark: v.field("comment")})
	return c.decidedOr(v, err, "review-cancelled")
}

// decidedOr leads to the review that was decided on, or shows it with why it was not.
func (c *console) decidedOr(v *visit, err error, done string) error {
	if err == nil {
		redirect(v.w, v.r, "/reviews/"+v.param("review")+"?done="+done)
		return nil
	}
	if !explained(err) {
		return err
	}
	p, failed := c.reviewPage(v)
	if failed != nil {
		return err
	}
	f := failureOf(v.r, err)
	p.Problem, p.Entered = &f, v.field("comment")
	return c.showAs(v, statusOf(err), "review", "reviews", p.What, p)
}

// explained reports whether an error is about what was asked for, so that it is told where
// it was asked for.
func explained(err error) bool {
	var e *service.Error
	return errors.As(err, &e) && e.Code != service.CodeInternal && e.Code != service.CodeNotFound
}

// approveSeveral approves each of several applications by itself: the candidate that the
// list showed, and no other.
func (c *console) approveSeveral(v *visit) error {
	chosen := v.r.PostForm["review"]
	if len(chosen) == 0 {
		return service.Errorf(service.CodeInvalid, "Nothing is chosen. Go back, and tick what is to be approved.")
	}
	if len(chosen) > service.MaxBatch {
		return service.Errorf(service.CodeInvalid, "%d applications are chosen; %d is the most.", len(chosen), service.MaxBatch)
	}
	o := outcomes{Back: "/reviews", To: "What waits for me"}
	for _, id := range chosen {
		id, digest, _ := strings.Cut(id, ".")
		o.Items = append(o.Items, c.approveOne(v, id, digest))
	}
	return c.show(v, "outcomes", "reviews", "Approvals", o)
}

func (c *console) approveOne(v *visit, id, digest string) outcome {
	item := outcome{What: "Review " + id, Page: "/reviews/" + id}
	r, err := c.Service.Review(v, v.caller, id, 0)
	if err == nil {
		item.What = whatIsAsked(r)
		r, err = c.Service.Approve(v, v.caller, id, service.DecisionInput{Digest: digest, Comment: v.field("comment")})
	}
	if err != nil {
		item.Problem = sentence(err)
		return item
	}
	item.Done = string(r.Status)
	return item
}
