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
	resp.Diagnostics.Append(get(ctx, req.State, &state)...)
	timeout, diags := state.Timeouts.Delete(ctx, unpublishTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || !r.backend.ready(ctx, &resp.Diagnostics) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	p, lagging, err := r.takeOffline(ctx, state.ID.ValueString(), state.NoticeTime.ValueString(), timeout)
	warnOfLaggards(&resp.Diagnostics, p, lagging)
	if err != nil {
		addError(&resp.Diagnostics, nil, r.failed("destroy", state, p), err)
	}
}

// takeOffline ends the publication: it cancels what is pending, unpublishes what is
// live, and returns it, as it was read last, once nothing answers calls any more, but for
// the gateways that lag.
func (r *publicationResource) takeOffline(ctx context.Context, id, noticeTime string, timeout time.Duration) (p service.Publication, lagging []service.Laggard, err error) {
	p, err = ending[service.Publication]{
		read: func(ctx context.Context, wait time.Duration) (service.Publication, error) {
			return r.backend.client.Publication(ctx, id, wait)
		},
		call: func(ctx context.Context, p service.Publication, noticeTime string) (service.Publication, error) {
			if p.Status == service.StatusPublishWaitReview {
				return r.backend.client.Cancel(ctx, id, service.ActionInput{})
			}
			p, err := r.backend.client.Unpublish(ctx, id, service.ActionInput{Time: noticeTime}, client.AwaitGateways())
			lagging = p.LaggingGateways
			return p, err
		},
		stage: offlineStage,
		apps:  client.NoticeFilter{PublicationID: id},
	}.end(ctx, r.backend, noticeTime, timeout)
	return p, lagging, err
}

// offlineStage tells how far the publication is on its way offline.
func offlineStage(p service.Publication) endStage {
	s := endStage{
		happened:  p.Status == service.StatusOffline,
		announced: p.Status == service.StatusWaitingOffline,
		deadline:  p.Deadline,
		waits:     fmt.Sprintf("%s in %s is announced to go offline at %s and is not offline yet.", p.APIName, p.EnvironmentName, deadlineOf(p.Deadline)),
		takenBack: fmt.Sprintf("%s in %s goes offline", p.APIName, p.EnvironmentName),
		unchanged: "Nothing was changed.",
		status:    string(p.Status),
	}
	if p.Callable() {
		s.unchanged = "Nothing was changed, and calls are answered as before."
	}
	switch p.Status {
	case service.StatusCreated, service.StatusPublishReject, service.StatusOffline:
		// The record holds nothing any more. It stays, with its history, as long as its API.
		s.over = true
	}
	return s
}
