// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"reflect"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

const publicationType = "dataservice_publication"

type publicationResource struct {
	identified
}

func newPublicationResource() resource.Resource { return &publicationResource{} }

func (r *publicationResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = publicationType
}

// The keys of the private state.
const (
	// chosenKey keeps the connection that the service chose where the configuration names none.
	chosenKey = "chosen_connection"
	// rejectionKey keeps the last rejection that a refresh saw.
	rejectionKey = "rejection"
	// appsKey keeps how many apps a refresh saw that are told before the publication ends.
	appsKey = "authorized_apps"
	// pinnedKey keeps whether the configuration named a version when it was applied.
	pinnedKey = "pinned"
)

func (r *publicationResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	r.make(ctx, req.Config, req.Plan, creation{&resp.State, resp.Identity, resp.Private, &resp.Diagnostics})
}

func (r *publicationResource) make(ctx context.Context, config tfsdk.Config, planned tfsdk.Plan, out creation) {
	var plan publicationModel
	out.diags.Append(get(ctx, tfsdk.State(planned), &plan)...)
	timeout, diags := plan.Timeouts.Create(ctx, publishTimeout)
	out.diags.Append(diags...)
	if out.diags.HasError() || !r.backend.ready(ctx, out.diags) {
		return
	}
	plan.pinned = !leftOut(ctx, config, path.Root("version"))
	apiID, environmentID := plan.APIID.ValueString(), plan.EnvironmentID.ValueString()
	adopt(ctx, r.backend, out.diags, planned.Schema.Type(), r.summary("create", plan), adoption[service.Publication]{
		key:     publicationType + " " + apiID + " " + environmentID,
		at:      path.Root("api_id"),
		what:    fmt.Sprintf("the publication of API %s in environment %s", apiID, environmentID),
		timeout: timeout,
		find:    func(ctx context.Context) (*service.Publication, error) { return r.find(ctx, apiID, environmentID) },
		converge: func(ctx context.Context, there *service.Publication, memberID string) error {
			if err := r.checkVersion(ctx, plan, there); err != nil {
				return err
			}
			w := plan.wanted(standpoint{memberID: memberID})
			w.apply = there != nil && there.Status != service.StatusRecoverWaitReview
			if there != nil && there.Status == service.StatusRecoverWaitReview && there.OpenReview != nil {
				w.renew = there.OpenReview.ApplicantID == memberID && there.OpenReview.Remark != w.remark
			}
			done, err := r.converge(ctx, there, w)
			if err == nil {
				if err = w.missed(*done.publication); err != nil {
					return err // nothing of it came true
				}
			}
			if err != nil && len(done.made) == 0 {
				return err
			}
			p := *done.publication
			plan.takeApplied(p, w.from)
			out.diags.Append(set(ctx, out.state, &plan)...)
			out.diags.Append(r.identify(ctx, out.identity, plan.ID)...)
			out.diags.Append(r.note(ctx, out.private, plan, p, w.from)...)
			r.warn(ctx, out.diags, done, w.from)
			if err != nil {
				// An error here would taint what was published, and the next apply would take it
				// offline first.
				out.diags.AddWarning(fmt.Sprintf("%s in %s is not %s yet", p.APIName, p.EnvironmentName, w.desired),
					fmt.Sprintf("Its %s was taken over, and then: %s The next apply goes on from there.", candidate(w.revision, w.version), err))
			}
			return nil
		},
	})
}

// note keeps in the private state what later refreshes and plans need.
func (r *publicationResource) note(ctx context.Context, private writablePrivateState, m publicationModel, p service.Publication, from standpoint) diag.Diagnostics {
	chosen := ""
	if to, ok := target(p, from); ok && m.ConnectionID.IsNull() {
		chosen = to.connectionID
	}
	diags := setPrivate(ctx, private, chosenKey, chosen)
	diags.Append(setPrivate(ctx, private, pinnedKey, m.pinned)...)
	diags.Append(keep(ctx, private, p)...)
	return diags
}

// warn tells what the plan has not come to yet: a person must decide, or be told first.
func (r *publicationResource) warn(ctx context.Context, diags *diag.Diagnostics, done progress, from standpoint) {
	p := *done.publication
	for _, note := range done.notes {
		diags.AddAttributeWarning(path.Root("notice_time"), "Taken as UTC", note)
	}
	warnOfLaggards(diags, p, done.lagging)
	if p.Status == service.StatusWaitingStop {
		diags.AddWarning(fmt.Sprintf("%s in %s is suspended at %s", p.APIName, p.EnvironmentName, deadlineOf(p.Deadline)),
			fmt.Sprintf("Apps are authorized to call it, and were told. Until then, or until each has confirmed its notice, it goes on answering.%s\n\nNothing more is to be done here: the plan is empty now, and once it is suspended.",
				r.backend.unconfirmed(ctx, client.NoticeFilter{PublicationID: p.ID})))
	}
	review := p.OpenReview
	if review == nil {
		return
	}
	if p.Live != nil && !from.asked(*review) {
		diags.AddWarning(fmt.Sprintf("%s applied for %s in %s too", review.ApplicantName, p.APIName, p.EnvironmentName),
			fmt.Sprintf("Review %s, of %s, is pending: %s\n\nIt is not from this configuration, which it leaves as it is until a reviewer approves it. The plan shows the difference then.",
				review.ID, candidate(review.Revision, review.Version), review.URL))
		return
	}
	what := fmt.Sprintf("Publishing %s of %s to %s", candidate(review.Revision, review.Version), p.APIName, p.EnvironmentName)
	if review.Kind == service.ReviewRestore {
		what = fmt.Sprintf("Restoring revision %d of %s in %s", review.Revision, p.APIName, p.EnvironmentName)
	}
	detail := fmt.Sprintf("Review %s must be approved by a reviewer: %s\n\n", review.ID, review.URL)
	switch {
	case p.Live != nil && p.Callable():
		detail += fmt.Sprintf("Until then revision %d (%s) goes on answering. ", p.Live.Revision, p.Live.Name)
	default:
		detail += "Until then calls are not answered. "
	}
	if len(done.left) > 0 {
		detail += "Once it is approved, another apply completes the rest of this one."
	} else {
		detail += "Nothing more is to be done here: once it is approved, the plan is still empty."
	}
	diags.AddWarning(what+" waits for review", detail)
}

// warnOfLaggards names the gateways that do not answer calls by what was applied. That is no
// error: it is applied, and would be undone by the next apply.
func warnOfLaggards(diags *diag.Diagnostics, p service.Publication, lagging []service.Laggard) {
	if len(lagging) == 0 {
		return
	}
	names := ""
	for _, l := range lagging {
		names += "\n  - " + l.String()
	}
	diags.AddWarning(fmt.Sprintf("%s in %s is not the same on every gateway yet", p.APIName, p.EnvironmentName),
		fmt.Sprintf("It was applied, and these gateways did not say in time that they serve it:%s\n\nThey follow by themselves as soon as they reach the store; until then they may answer calls as before. "+
			"One that is gone for good is no longer named after some minutes. Nothing more is to be done here.", names))
}

func (r *publicationResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state publicationModel
	resp.Diagnostics.Append(get(ctx, req.State, &state)...)
	chosen, diags := getPrivate[string](ctx, req.Private, chosenKey)
	resp.Diagnostics.Append(diags...)
	state.pinned, diags = getPrivate[bool](ctx, req.Private, pinnedKey)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	readable := r.backend.readable(ctx, &resp.Diagnostics)
	resp.Diagnostics.Append(r.identify(ctx, resp.Identity, state.ID)...)
	if !readable {
		return
	}
	importing := state.APIID.IsNull()
	p, err := r.backend.client.Publication(ctx, state.ID.ValueString(), 0)
	if client.IsNotFound(err) {
		resp.State.RemoveResource(ctx)
		return
	}
	if err != nil {
		addError(&resp.Diagnostics, nil, r.summary("read", state), err)
		return
	}
	gone, err := r.show(ctx, &state, p, chosen)
	switch {
	case err != nil:
		addError(&resp.Diagnostics, nil, r.summary("read", state), err)
		return
	case gone:
		resp.State.RemoveResource(ctx)
		return
	}
	if importing {
		resp.Diagnostics.Append(r.identifyAnew(ctx, resp.Identity, state.ID)...)
	}
	resp.Diagnostics.Append(set(ctx, &resp.State, &state)...)
	resp.Diagnostics.Append(keep(ctx, resp.Private, p)...)
}

// show makes the model, which has nothing but an id after an import, say what a refresh
// found. gone is true where the next plan must create the publication.
func (r *publicationResource) show(ctx context.Context, m *publicationModel, p service.Publication, chosen string) (gone bool, err error) {
	importing := m.APIID.IsNull()
	identity, err := r.backend.whoAmI(ctx)
	if err != nil {
		return false, err
	}
	if p.EnvironmentID, err = r.backend.environmentAs(ctx, m.EnvironmentID, p.EnvironmentID); err != nil {
		return false, err
	}
	if gone, err = m.read(p, identity.Member.ID, chosen); err == nil && !gone && importing {
		r.guessInputs(ctx, m, p, standpoint{memberID: identity.Member.ID})
	}
	return gone, err
}

// current reports whether a refresh would leave everything as it is; false too where that
// cannot be told. What the service refuses is all that a refresh would tell.
func (r *publicationResource) current(ctx context.Context, held tfsdk.State, private privateState) (same bool, diags diag.Diagnostics) {
	var state publicationModel
	if get(ctx, held, &state).HasError() || state.APIID.IsNull() || r.backend == nil || r.backend.client == nil {
		return false, nil
	}
	chosen, unreadable := getPrivate[string](ctx, private, chosenKey)
	pinned, more := getPrivate[bool](ctx, private, pinnedKey)
	rejected, evenMore := getPrivate[*rejection](ctx, private, rejectionKey)
	apps, mostOfAll := getPrivate[int](ctx, private, appsKey)
	if len(unreadable)+len(more)+len(evenMore)+len(mostOfAll) > 0 || rejected != nil {
		return false, nil
	}
	if !r.backend.ready(ctx, &diags) {
		return false, diags
	}
	state.pinned = pinned
	p, err := r.backend.client.Publication(ctx, state.ID.ValueString(), 0)
	switch {
	case client.IsNotFound(err):
		return false, nil
	case err != nil:
		addError(&diags, nil, r.summary("read", state), err)
		return false, diags
	case rejectionOf(p) != nil || p.AuthorizedApps != apps:
		return false, nil
	}
	identity, err := r.backend.whoAmI(ctx)
	if err != nil {
		return false, nil // the refresh tells
	}
	if p.EnvironmentID, err = r.backend.environmentAs(ctx, state.EnvironmentID, p.EnvironmentID); err != nil {
		return false, nil // the refresh tells
	}
	before := state
	gone, err := state.read(p, identity.Member.ID, chosen)
	return err == nil && !gone && sameValues(reflect.ValueOf(before), reflect.ValueOf(state)), nil
}

// guessInputs fills in, for an import, the inputs that a refresh never reads back.
func (r *publicationResource) guessInputs(ctx context.Context, m *publicationModel, p service.Publication, from standpoint) {
	switch {
	case p.OpenReview != nil && (p.Live == nil || from.asked(*p.OpenReview)):
		m.Remark = orNull(p.OpenReview.Remark)
	case p.Live != nil:
		m.Remark = orNull(p.Live.Remark)
	}
	to, ok := target(p, from)
	if !ok {
		return
	}
	if api, err := r.backend.client.API(ctx, p.APIID); err == nil && api.ConnectionID != to.connectionID {
		m.ConnectionID = types.StringValue(to.connectionID)
	}
}

func (r *publicationResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state publicationModel
	resp.Diagnostics.Append(get(ctx, tfsdk.State(req.Plan), &plan)...)
	resp.Diagnostics.Append(get(ctx, req.State, &state)...)
	timeout, diags := plan.Timeouts.Update(ctx, publishTimeout)
	resp.Diagnostics.Append(diags...)
	chosen, diags := getPrivate[string](ctx, req.Private, chosenKey)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || !r.backend.ready(ctx, &resp.Diagnostics) {
		return
	}
	resp.Diagnostics.Append(r.identify(ctx, resp.Identity, state.ID)...)
	plan.pinned = !leftOut(ctx, req.Config, path.Root("version"))
	if state.settledAs(plan) {
		resp.Diagnostics.Append(set(ctx, &resp.State, &plan)...)
		resp.Diagnostics.Append(setPrivate(ctx, resp.Private, pinnedKey, plan.pinned)...)
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	there, err := r.backend.client.Publication(bounded, state.ID.ValueString(), 0)
	if err != nil {
		addUpdateError(&resp.Diagnostics, nil, r.summary("update", plan), err)
		return
	}
	identity, err := r.backend.whoAmI(bounded)
	if err != nil {
		addUpdateError(&resp.Diagnostics, nil, r.summary("update", plan), err)
		return
	}
	if err := r.checkVersion(bounded, plan, &there); err != nil {
		addUpdateError(&resp.Diagnostics, req.Plan.Schema.Type(), r.summary("update", plan), err)
		return
	}
	w := plan.wanted(state.standpoint(identity.Member.ID, chosen))
	open, reworded := there.OpenReview, !plan.Remark.Equal(state.Remark)
	w.apply = !plan.ConnectionID.Equal(state.ConnectionID) || open != nil && open.Kind == service.ReviewPublish && reworded
	w.renew = open != nil && open.Kind == service.ReviewRestore && reworded
	done, err := r.converge(bounded, &there, w)
	if err == nil {
		err = w.missed(*done.publication)
	}
	if err != nil {
		addUpdateError(&resp.Diagnostics, req.Plan.Schema.Type(), r.failed("update", plan, there), err)
		r.recordReality(ctx, resp, plan, state, done, w.from)
		return
	}
	plan.takeApplied(*done.publication, w.from)
	resp.Diagnostics.Append(set(ctx, &resp.State, &plan)...)
	resp.Diagnostics.Append(r.note(ctx, resp.Private, plan, *done.publication, w.from)...)
	r.warn(ctx, &resp.Diagnostics, done, w.from)
}

// recordReality leaves in the state, after an update that failed, what the service
// says now: never what was planned and did not happen.
func (r *publicationResource) recordReality(ctx context.Context, resp *resource.UpdateResponse, plan, state publicationModel, done progress, from standpoint) {
	// The time that was allowed may be over, or the apply interrupted.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookTime)
	defer cancel()
	p, err := r.backend.client.Publication(ctx, state.ID.ValueString(), 0)
	if err != nil {
		p = *done.publication
	}
	p.EnvironmentID = state.EnvironmentID.ValueString() // it never changes
	if done.published() {
		state.Remark, state.ConnectionID, state.pinned = plan.Remark, plan.ConnectionID, plan.pinned
		resp.Diagnostics.Append(r.note(ctx, resp.Private, state, *done.publication, from)...)
	}
	chosen, diags := getPrivate[string](ctx, resp.Private, chosenKey)
	resp.Diagnostics.Append(diags...)
	gone, err := state.read(p, from.memberID, chosen)
	if gone || err != nil {
		return // the next refresh tells
	}
	resp.Diagnostics.Append(set(ctx, &resp.State, &state)...)
	resp.Diagnostics.Append(keep(ctx, resp.Private, p)...)
}

func (r *publicationResource) summary(verb string, m publicationModel) string {
	if m.ID.ValueString() == "" {
		return summary(verb, "publication of API", "", m.APIID.ValueString())
	}
	return summary(verb, "publication", "", m.ID.ValueString())
}

// failed is the summary with names in place of the id, where the publication was read:
// Terraform shows no address with the error of a destroy, and an id says nothing to people.
func (r *publicationResource) failed(verb string, m publicationModel, p service.Publication) string {
	if p.ID == "" {
		return r.summary(verb, m)
	}
	return summary(verb, "publication of", p.APIName+" in "+p.EnvironmentName, "")
}
