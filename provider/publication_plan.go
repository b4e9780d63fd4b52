// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

func (r *publicationResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() || req.State.Raw.IsNull() {
		return
	}
	var plan, state publicationModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	rejected, diags := getPrivate[*rejection](ctx, req.Private, rejectionKey)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	plan.pinned = !leftOut(ctx, req.Config, path.Root("version"))
	switch same, err := r.backend.sameEnvironment(ctx, plan.EnvironmentID, state.EnvironmentID); {
	case err != nil:
		addError(&resp.Diagnostics, nil, r.summary("plan", state), err)
		return
	case same:
		plan.EnvironmentID = state.EnvironmentID
	default:
		resp.RequiresReplace = append(resp.RequiresReplace, path.Root("environment_id"))
		return
	}
	r.planVersion(ctx, &resp.Diagnostics, &plan, state)
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
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
}

// planVersion plans the revision of a version that the configuration names.
func (r *publicationResource) planVersion(ctx context.Context, diags *diag.Diagnostics, plan *publicationModel, state publicationModel) {
	switch {
	case !plan.pinned || plan.Version.IsUnknown() || r.backend == nil || r.backend.client == nil:
	case plan.Version.Equal(state.Version):
		plan.APIRevision = state.APIRevision
	default:
		versions, err := r.backend.client.Versions(ctx, state.ID.ValueString())
		if err != nil {
			return // the apply tells
		}
		names := make([]string, 0, len(versions))
		for _, v := range versions {
			if v.Name == plan.Version.ValueString() {
				plan.APIRevision = types.Int64Value(v.Revision)
				return
			}
			names = append(names, v.Name)
		}
		diags.AddAttributeError(path.Root("version"), "No such version",
			fmt.Sprintf("Publication %s has no version %s. It has %s.", state.ID.ValueString(), plan.Version.ValueString(), orNone(names)))
	}
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
	return setPrivate(ctx, private, rejectionKey, rejectionOf(p))
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
