// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

func (r *publicationResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		resp.Diagnostics.Append(r.planDestroy(ctx, req.State, req.Private)...)
		return
	}
	var plan, state publicationModel
	resp.Diagnostics.Append(get(ctx, tfsdk.State(req.Plan), &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	plan.pinned = !leftOut(ctx, req.Config, path.Root("version"))
	bothGiven := plan.pinned && !leftOut(ctx, req.Config, path.Root("api_revision"))
	if req.State.Raw.IsNull() {
		r.planRights(ctx, &resp.Diagnostics, plan, nil, 0)
		return
	}
	resp.Diagnostics.Append(get(ctx, req.State, &state)...)
	rejected, diags := getPrivate[*rejection](ctx, req.Private, rejectionKey)
	resp.Diagnostics.Append(diags...)
	apps, diags := getPrivate[int](ctx, req.Private, appsKey)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	switch same, err := r.backend.sameEnvironment(ctx, plan.EnvironmentID, state.EnvironmentID); {
	case err != nil:
		addError(&resp.Diagnostics, nil, r.summary("plan", state), err)
		return
	case same:
		plan.EnvironmentID = state.EnvironmentID
	default:
		resp.RequiresReplace = append(resp.RequiresReplace, path.Root("environment_id"))
		resp.Diagnostics.Append(r.planDestroy(ctx, req.State, req.Private)...)
		return
	}
	if !plan.APIID.Equal(state.APIID) {
		resp.Diagnostics.Append(r.planDestroy(ctx, req.State, req.Private)...)
		return
	}
	r.planVersion(ctx, &resp.Diagnostics, &plan, state, bothGiven)
	if rejected != nil && rejected.about(plan) {
		resp.Diagnostics.AddWarning("Rejected by "+rejected.Reviewer,
			fmt.Sprintf("%s rejected %s: %q (review %s). An apply fails until %s or remark changes.",
				rejected.Reviewer, candidate(rejected.Revision, rejected.Version), rejected.Comment, rejected.ReviewID, plan.what()))
	}
	switch {
	case state.asksFor(plan):
		// The same, written in another way.
		plan = state
	case state.settledAs(plan):
		// Only what is not sent to the service changes.
		plan.Status, plan.Deadline, plan.ReviewID, plan.ReviewURL = state.Status, state.Deadline, state.ReviewID, state.ReviewURL
		plan.LiveRevision, plan.Version, plan.URL = state.LiveRevision, state.Version, state.URL
	default:
		r.planRights(ctx, &resp.Diagnostics, plan, &state, apps)
	}
	resp.Diagnostics.Append(set(ctx, (*tfsdk.State)(&resp.Plan), &plan)...)
}

// planVersion plans the revision of a version that the configuration names. Where it names
// a revision or a connection too, they must be those of the version.
func (r *publicationResource) planVersion(ctx context.Context, diags *diag.Diagnostics, plan *publicationModel, state publicationModel, bothGiven bool) {
	switch {
	case !plan.pinned || plan.Version.IsUnknown() || r.backend == nil || r.backend.client == nil:
		return
	case !plan.Version.Equal(state.Version):
	case bothGiven && !plan.APIRevision.Equal(state.APIRevision), !plan.ConnectionID.IsNull() && !plan.ConnectionID.Equal(state.ConnectionID):
	default:
		plan.APIRevision = state.APIRevision
		return
	}
	versions, err := r.backend.client.Versions(ctx, state.ID.ValueString())
	if err != nil {
		return // the apply tells
	}
	named := func(v service.Version) bool { return v.Name == plan.Version.ValueString() }
	at := slices.IndexFunc(versions, named)
	if at < 0 {
		names := make([]string, len(versions))
		for i, v := range versions {
			names[i] = v.Name
		}
		diags.AddAttributeError(path.Root("version"), "No such version",
			fmt.Sprintf("Publication %s has no version %s. It has %s.", state.ID.ValueString(), plan.Version.ValueString(), orNone(names)))
		return
	}
	v := versions[at]
	if !bothGiven {
		plan.APIRevision = types.Int64Value(v.Revision)
	}
	if err := plan.fits(v); err != nil {
		diags.AddAttributeError(path.Root("version"), "Not the revision or connection of the version", err.Error())
	}
}

// checkVersion is the same for an apply, where everything is known. A version that is not
// there is the business of the call that publishes it.
func (r *publicationResource) checkVersion(ctx context.Context, plan publicationModel, there *service.Publication) error {
	if !plan.pinned || there == nil {
		return nil
	}
	v, err := r.backend.client.Version(ctx, there.ID, plan.Version.ValueString())
	if client.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return plan.fits(v)
}

// fits says why the revision or connection that the model names is not that of the version.
// What is unknown may still be.
func (m *publicationModel) fits(v service.Version) error {
	switch {
	case !m.APIRevision.IsNull() && !m.APIRevision.IsUnknown() && m.APIRevision.ValueInt64() != v.Revision:
		return fmt.Errorf("version %s is of revision %d, and api_revision says %d: remove version to publish revision %[3]d, or remove api_revision to have %[1]s live", v.Name, v.Revision, m.APIRevision.ValueInt64())
	case !m.ConnectionID.IsNull() && !m.ConnectionID.IsUnknown() && m.ConnectionID.ValueString() != v.ConnectionID:
		return fmt.Errorf("version %s reads from connection %s, and connection_id says %s: remove connection_id, or remove version and publish its revision with api_revision = %d", v.Name, v.ConnectionID, m.ConnectionID.ValueString(), v.Revision)
	}
	return nil
}

// orNone lists names for a sentence.
func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// asksFor reports whether the state has every input of the plan.
func (m *publicationModel) asksFor(plan publicationModel) bool {
	return m.sent(plan) && m.Remark.Equal(plan.Remark) && m.NoticeTime.Equal(plan.NoticeTime) && m.Timeouts.Equal(plan.Timeouts)
}

// sent reports whether the state has what the plan sends to the service, but for the remark.
func (m *publicationModel) sent(plan publicationModel) bool {
	return m.APIID.Equal(plan.APIID) && m.EnvironmentID.Equal(plan.EnvironmentID) && m.ConnectionID.Equal(plan.ConnectionID) &&
		m.APIRevision.Equal(plan.APIRevision) && (!plan.pinned || m.Version.Equal(plan.Version)) && m.DesiredStatus.Equal(plan.DesiredStatus)
}

// settledAs reports whether the state is what the plan asks for, waits for nobody,
// and differs in remark, notice time and timeouts alone.
func (m *publicationModel) settledAs(plan publicationModel) bool {
	status := service.Status(m.Status.ValueString())
	return (status == service.StatusPublished || status == service.StatusStopped) && m.sent(plan) &&
		m.APIRevision.Equal(m.LiveRevision) && m.DesiredStatus.ValueString() == string(status)
}

// rejection is what a plan must know of an application that was rejected.
type rejection struct {
	Kind         service.ReviewKind `json:"kind"`
	Revision     int64              `json:"api_revision"`
	Version      string             `json:"version,omitempty"`
	ConnectionID string             `json:"connection_id"`
	Remark       string             `json:"remark"`
	Reviewer     string             `json:"reviewer"`
	Comment      string             `json:"comment"`
	ReviewID     string             `json:"review_id"`
}

// keep notes in the private state what later plans must know of the publication.
func keep(ctx context.Context, private writablePrivateState, p service.Publication) diag.Diagnostics {
	diags := setPrivate(ctx, private, rejectionKey, rejectionOf(p))
	diags.Append(setPrivate(ctx, private, appsKey, p.AuthorizedApps)...)
	return diags
}

// rejectionOf is the last rejection, while no newer application is open.
func rejectionOf(p service.Publication) *rejection {
	r := p.Rejection
	if r == nil || p.OpenReview != nil {
		return nil
	}
	return &rejection{r.Kind, r.Revision, r.Version, r.ConnectionID, r.Remark, r.DeciderName, r.Comment, r.ID}
}

// about reports whether the plan asks for just what was rejected.
func (r *rejection) about(plan publicationModel) bool {
	if plan.Remark.ValueString() != r.Remark || plan.Remark.IsUnknown() || plan.ConnectionID.IsUnknown() {
		return false
	}
	if r.Kind == service.ReviewRestore {
		return plan.DesiredStatus.ValueString() == desiredPublished
	}
	if plan.pinned || r.Version != "" {
		return plan.pinned && plan.Version.ValueString() == r.Version
	}
	return plan.APIRevision.ValueInt64() == r.Revision && (plan.ConnectionID.IsNull() || plan.ConnectionID.ValueString() == r.ConnectionID)
}
