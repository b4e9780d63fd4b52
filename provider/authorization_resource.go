// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

const authorizationType = "dataservice_authorization"

type authorizationResource struct {
	identified
}

func newAuthorizationResource() resource.Resource { return &authorizationResource{} }

func (r *authorizationResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = authorizationType
}

func (r *authorizationResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan authorizationModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	timeout, diags := plan.Timeouts.Create(ctx, publishTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || !r.backend.ready(ctx, &resp.Diagnostics) {
		return
	}
	in := plan.input()
	adopt(ctx, r.backend, &resp.Diagnostics, req.Plan.Schema.Type(), r.summary("create", plan), adoption[service.Authorization]{
		key:     authorizationType + " " + in.APIID + " " + in.EnvironmentID + " " + in.AppID,
		at:      path.Root("app_id"),
		what:    fmt.Sprintf("the authorization of app %s for API %s in environment %s", in.AppID, in.APIID, in.EnvironmentID),
		timeout: timeout,
		find:    func(ctx context.Context) (*service.Authorization, error) { return r.find(ctx, plan) },
		converge: func(ctx context.Context, there *service.Authorization, memberID string) error {
			made, err := r.converge(ctx, there, plan, memberID)
			if err != nil {
				return err
			}
			plan.takeComputed(made)
			resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
			resp.Diagnostics.Append(r.identify(ctx, resp.Identity, plan.ID)...)
			resp.Diagnostics.Append(keepStanding(ctx, resp.Private, made)...)
			warnAuthorization(&resp.Diagnostics, made, memberID)
			return nil
		},
	})
}

// has reports whether the authorization is, or is on the way to, what the plan asks for.
func (m *authorizationModel) has(a service.Authorization, memberID string) bool {
	if !sameInstant(m.Until, aimOf(a, m.Until, memberID)).Equal(m.Until) {
		return false
	}
	if open := a.OpenReview; open != nil && open.ApplicantID == memberID {
		return open.Remark == m.Remark.ValueString()
	}
	return a.Status == service.AuthorizationActive || a.OpenReview != nil
}

// converge makes the calls that lead from what there is, nil where there is nothing, to
// what the plan asks for.
func (r *authorizationResource) converge(ctx context.Context, there *service.Authorization, plan authorizationModel, memberID string) (service.Authorization, error) {
	if there != nil && plan.has(*there, memberID) {
		return *there, nil
	}
	return r.backend.client.Authorize(ctx, plan.input())
}

// find returns the one authorization of an app for an API in an environment; nil where
// there is none.
func (r *authorizationResource) find(ctx context.Context, m authorizationModel) (*service.Authorization, error) {
	list, err := r.backend.client.Authorizations(ctx, client.AuthorizationFilter{
		APIID: m.APIID.ValueString(), EnvironmentID: m.EnvironmentID.ValueString(), AppID: m.AppID.ValueString(),
	}, client.Page{Limit: 1})
	if err != nil || len(list.Items) == 0 {
		return nil, err
	}
	return &list.Items[0], nil
}

// warnAuthorization tells that a person must decide before the plan has come true.
func warnAuthorization(diags *diag.Diagnostics, a service.Authorization, memberID string) {
	if a.Note != "" {
		diags.AddWarning(fmt.Sprintf("About the app %s and %s in %s", a.AppName, a.APIName, a.EnvironmentName), a.Note)
	}
	review := a.OpenReview
	if review == nil || a.Status.Holds() && review.ApplicantID != memberID {
		return
	}
	meanwhile := "Until then its calls are refused."
	if a.Status.Holds() {
		meanwhile = "Until then what is granted goes on."
	}
	diags.AddWarning(fmt.Sprintf("Authorizing the app %s for %s in %s waits for review", a.AppName, a.APIName, a.EnvironmentName),
		fmt.Sprintf("Review %s must be approved by a reviewer: %s\n\n%s Nothing more is to be done here: once it is approved, the plan is still empty.", review.ID, review.URL, meanwhile))
}

func (r *authorizationResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state authorizationModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	readable := r.backend.readable(ctx, &resp.Diagnostics)
	resp.Diagnostics.Append(r.identify(ctx, resp.Identity, state.ID)...)
	if !readable {
		return
	}
	importing := state.APIID.IsNull()
	a, err := r.backend.client.Authorization(ctx, state.ID.ValueString(), 0)
	if client.IsNotFound(err) || err == nil && gone(a.Status) {
		resp.State.RemoveResource(ctx)
		return
	}
	if err == nil {
		err = r.show(ctx, &state, a)
	}
	if err != nil {
		addError(&resp.Diagnostics, nil, r.summary("read", state), err)
		return
	}
	if importing {
		resp.Diagnostics.Append(r.identifyAnew(ctx, resp.Identity, state.ID)...)
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
	resp.Diagnostics.Append(keepStanding(ctx, resp.Private, a)...)
}

// show makes the model, which has nothing but an id after an import, say what a refresh
// found.
func (r *authorizationResource) show(ctx context.Context, m *authorizationModel, a service.Authorization) error {
	importing := m.APIID.IsNull()
	identity, err := r.backend.whoAmI(ctx)
	if err != nil {
		return err
	}
	if a.EnvironmentID, err = r.backend.environmentAs(ctx, m.EnvironmentID, a.EnvironmentID); err != nil {
		return err
	}
	m.take(a, identity.Member.ID)
	if importing {
		m.RevokeAs = types.StringValue(string(service.SideAPI))
		if a.OpenReview != nil {
			m.Remark = orNull(a.OpenReview.Remark)
		}
	}
	return nil
}

func (r *authorizationResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state authorizationModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	timeout, diags := plan.Timeouts.Update(ctx, publishTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || !r.backend.ready(ctx, &resp.Diagnostics) {
		return
	}
	resp.Diagnostics.Append(r.identify(ctx, resp.Identity, state.ID)...)
	if state.settledAs(plan) {
		resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
		return
	}
	identity, err := r.backend.whoAmI(ctx)
	if err != nil {
		addUpdateError(&resp.Diagnostics, nil, r.summary("update", state), err)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	before, err := r.backend.client.Authorization(ctx, state.ID.ValueString(), 0)
	there := before
	if err == nil {
		there, err = r.converge(ctx, &there, plan, identity.Member.ID)
	}
	if err != nil {
		addUpdateError(&resp.Diagnostics, req.Plan.Schema.Type(), r.failed("update", state, before), err)
		return
	}
	plan.takeComputed(there)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
	resp.Diagnostics.Append(keepStanding(ctx, resp.Private, there)...)
	warnAuthorization(&resp.Diagnostics, there, identity.Member.ID)
}

func (r *authorizationResource) summary(verb string, m authorizationModel) string {
	if m.ID.ValueString() == "" {
		return summary(verb, "authorization of app", "", m.AppID.ValueString())
	}
	return summary(verb, "authorization", "", m.ID.ValueString())
}

// failed is the summary with names in place of the id, as that of a publication.
func (r *authorizationResource) failed(verb string, m authorizationModel, a service.Authorization) string {
	if a.ID == "" {
		return r.summary(verb, m)
	}
	return summary(verb, "authorization of", fmt.Sprintf("%s for %s in %s", a.AppName, a.APIName, a.EnvironmentName), "")
}
