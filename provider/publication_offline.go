// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

func (r *publicationResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state publicationModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	timeout, diags := state.Timeouts.Delete(ctx, unpublishTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || !r.backend.ready(ctx, &resp.Diagnostics) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := r.takeOffline(ctx, state.ID.ValueString(), service.ActionInput{Time: state.NoticeTime.ValueString()}, timeout); err != nil {
		addError(&resp.Diagnostics, nil, r.failed(ctx, "destroy", state, err), err)
	}
}

// maxTurns bounds how often somebody else may change the publication under a destroy.
const maxTurns = 5

// takeOffline ends the publication: it cancels what is pending, unpublishes what is
// live, and returns once nothing answers calls any more.
func (r *publicationResource) takeOffline(ctx context.Context, id string, in service.ActionInput, timeout time.Duration) error {
	p, err := r.backend.client.Publication(ctx, id, 0)
	for turn := 0; ; turn++ {
		if client.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		answers := p.Callable()
		switch p.Status {
		case service.StatusCreated, service.StatusPublishReject, service.StatusOffline:
			// The record holds nothing any more. It stays, with its history, as long as its API.
			return nil
		case service.StatusWaitingOffline:
			return r.awaitOffline(ctx, p, timeout)
		case service.StatusPublishWaitReview:
			p, err = r.backend.client.Cancel(ctx, id, service.ActionInput{Remark: in.Remark})
		default:
			p, err = r.backend.client.Unpublish(ctx, id, in)
		}
		switch code := service.ErrorCode(err); {
		case code == service.CodeForbidden:
			if !answers {
				return fmt.Errorf("%w Nothing was changed.", err)
			}
			return fmt.Errorf("%w Nothing was changed, and calls are answered as before.", err)
		case code == service.CodeInvalid && in.Time != "":
			// The time was chosen for something else, or is over. The earliest allowed hour is
			// never unfair to anybody.
			in.Time = ""
			p, err = r.backend.client.Publication(ctx, id, 0)
		case (code == service.CodeIllegalAction || code == service.CodeConflict) && turn < maxTurns:
			// It was decided in this moment: look again.
			p, err = r.backend.client.Publication(ctx, id, 0)
		}
	}
}

// awaitOffline waits until the announced unpublishing has happened. Anything else is an
// error, which keeps the publication in the state.
func (r *publicationResource) awaitOffline(ctx context.Context, p service.Publication, timeout time.Duration) error {
	apps := client.NoticeFilter{PublicationID: p.ID}
	p, err := awaitNotices(ctx, r.backend, apps, p.Deadline, p, func(p service.Publication) bool { return p.Status != service.StatusWaitingOffline },
		func(ctx context.Context, wait time.Duration) (service.Publication, error) {
			return r.backend.client.Publication(ctx, p.ID, wait)
		})
	switch {
	case client.IsNotFound(err):
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s in %s is announced to go offline at %s and is not offline yet.%s %s What is announced stands: destroy again to wait on",
			p.APIName, p.EnvironmentName, deadlineOf(p.Deadline), r.backend.unconfirmed(ctx, apps), ended(ctx, timeout))
	case err != nil:
		return err
	case p.Status != service.StatusOffline:
		return fmt.Errorf("somebody took back that %s in %s goes offline, or changed it otherwise: it is %s now. Destroy again to announce it anew", p.APIName, p.EnvironmentName, p.Status)
	}
	return nil
}
