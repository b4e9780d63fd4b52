// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// planRights tells what becomes of the calls that an apply of the plan makes: refused, or an
// application, or announced to apps. state is nil for a create, apps how many are authorized.
func (r *publicationResource) planRights(ctx context.Context, diags *diag.Diagnostics, plan publicationModel, state *publicationModel, apps int) {
	rights, ok := r.backend.rightsIn(ctx, diags, plan.EnvironmentID)
	if !ok {
		return
	}
	environment := rights.EnvironmentName
	for _, call := range plan.callsFrom(state) {
		goesOn := true
		switch call {
		case service.CallPublish:
			goesOn = r.backend.planRight(diags, path.Root(plan.what()), rights.Publish, "Publishing", environment)
		case service.CallRestore:
			goesOn = r.backend.planRight(diags, path.Root("desired_status"), rights.Restore, "Restoring", environment)
		case service.CallSuspend:
			goesOn = r.backend.planRight(diags, path.Root("desired_status"), rights.Suspend, "Suspending", environment)
			if goesOn && apps > 0 {
				addAnnounced(diags, fmt.Sprintf("%s may call it: that it is suspended", countOfApps(apps)), "It answers until then.", rights)
			}
		case service.CallCancel:
			if state != nil && service.Status(state.Status.ValueString()) != service.StatusRecoverWaitReview {
				goesOn = r.backend.planRight(diags, path.Root("desired_status"), rights.Suspend, "Taking back what is announced", environment)
			}
		}
		if !goesOn {
			return
		}
	}
}

// callsFrom are the calls that an apply of the plan makes, as far as the state tells.
func (m *publicationModel) callsFrom(state *publicationModel) []service.Call {
	if state == nil {
		return publicationTable[0].steps(m.DesiredStatus.ValueString(), false)
	}
	p := service.Publication{Status: service.Status(state.Status.ValueString())}
	awaited := p.Status == service.StatusPublishWaitReview || p.Status == service.StatusRecoverWaitReview
	if awaited || !state.APIRevision.IsNull() && !state.LiveRevision.IsNull() && !state.APIRevision.Equal(state.LiveRevision) {
		p.OpenReview = &service.Review{}
	}
	row, err := rowOf(&p)
	if err != nil {
		return nil // the apply tells
	}
	same := m.APIRevision.Equal(state.APIRevision) && m.ConnectionID.Equal(state.ConnectionID) && (!m.pinned || m.Version.Equal(state.Version))
	reworded := p.OpenReview != nil && !m.Remark.Equal(state.Remark)
	if reworded && p.Status == service.StatusRecoverWaitReview && same {
		return row.renewal
	}
	return row.steps(m.DesiredStatus.ValueString(), same && !reworded)
}

// planDestroy tells what a destroy meets: it is not allowed, or apps are told first.
func (r *publicationResource) planDestroy(ctx context.Context, held tfsdk.State, private privateState) (diags diag.Diagnostics) {
	var state publicationModel
	if !r.backend.checks() || get(ctx, held, &state).HasError() {
		return nil
	}
	switch service.Status(state.Status.ValueString()) {
	case service.StatusPublished, service.StatusStopped, service.StatusWaitingStop, service.StatusRecoverWaitReview:
	default:
		return nil // it cancels the application, or goes offline already
	}
	apps, unreadable := getPrivate[int](ctx, private, appsKey)
	diags.Append(unreadable...)
	// Where the environment is gone, so is what was published there.
	rights, ok := r.backend.rightsIn(ctx, new(diag.Diagnostics), state.EnvironmentID)
	if ok && r.backend.planRight(&diags, path.Empty(), rights.Unpublish, "Unpublishing", rights.EnvironmentName) && apps > 0 {
		addAnnounced(&diags, fmt.Sprintf("%s may call it: that it goes offline", countOfApps(apps)), "The destroy waits for that, as long as timeouts.delete says.", rights)
	}
	return diags
}

func countOfApps(n int) string {
	if n == 1 {
		return "1 app"
	}
	return fmt.Sprintf("%d apps", n)
}
