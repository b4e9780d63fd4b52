// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

const authorizationType = "dataservice_authorization"

type authorizationResource struct {
	configured
}

func newAuthorizationResource() resource.Resource { return &authorizationResource{} }

type authorizationModel struct {
	ID            types.String   `tfsdk:"id"`
	APIID         types.String   `tfsdk:"api_id"`
	EnvironmentID types.String   `tfsdk:"environment_id"`
	AppID         types.String   `tfsdk:"app_id"`
	Until         types.String   `tfsdk:"until"`
	Remark        types.String   `tfsdk:"remark"`
	RevokeAs      types.String   `tfsdk:"revoke_as"`
	NoticeTime    types.String   `tfsdk:"notice_time"`
	Status        types.String   `tfsdk:"status"`
	GrantedUntil  types.String   `tfsdk:"granted_until"`
	Deadline      types.String   `tfsdk:"deadline"`
	PublicationID types.String   `tfsdk:"publication_id"`
	ReviewID      types.String   `tfsdk:"review_id"`
	ReviewURL     types.String   `tfsdk:"review_url"`
	Timeouts      timeouts.Value `tfsdk:"timeouts"`
}

func (r *authorizationResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = authorizationType
}

func (r *authorizationResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	kept := []planmodifier.String{stringplanmodifier.UseStateForUnknown()}
	replaced := []planmodifier.String{stringplanmodifier.RequiresReplace()}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Lets an app call an API in an environment, until a time or until somebody ends it: at once for a reviewer, and where the environment needs no review; as an application of the app's owner otherwise. " +
			"It may be made before the API is published there, and counts as soon as that is callable.\n\n" +
			"The resource never waits for a person. Where a review is pending, the apply succeeds with a warning that names the review; the plan is empty while it is pending and once it is approved. " +
			"An application that was rejected is not converged: the plan shows it and quotes the comment, and an apply fails until `until` or `remark` changes. " +
			"What somebody else revoked, gave up, or let run out is planned anew.\n\n" +
			"Destroying it takes the side that `revoke_as` names. For the API's side the app is told first: the destroy waits until its owner has confirmed or the deadline has passed. " +
			"Where it ends before, because of its timeout or an interruption, it ends with an error, the app may still call, and the next destroy takes over what is announced.",
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				MarkdownDescription: "Id of the authorization.",
				Computed:            true,
				PlanModifiers:       kept,
			},
			"api_id": schema.StringAttribute{
				MarkdownDescription: "Id of the API. Another one makes another authorization.",
				Required:            true,
				PlanModifiers:       replaced,
				Validators:          []validator.String{stringvalidator.RegexMatches(idPattern, "must be the id of an API: use the id of a dataservice_api")},
			},
			"environment_id": schema.StringAttribute{
				MarkdownDescription: "Id of the environment to call it in; `" + service.ReleaseEnvironmentID + "`, the environment RELEASE of the default instance, where absent. Another one makes another authorization.",
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString(service.ReleaseEnvironmentID),
				Validators:          []validator.String{stringvalidator.RegexMatches(environmentIDPattern, "must be the id of an environment: use the id of a dataservice_environment")},
			},
			"app_id": schema.StringAttribute{
				MarkdownDescription: "Id of the app. Another one makes another authorization.",
				Required:            true,
				PlanModifiers:       replaced,
				Validators:          []validator.String{stringvalidator.RegexMatches(idPattern, "must be the id of an app: use the id of a dataservice_app")},
			},
			"until": schema.StringAttribute{
				MarkdownDescription: "When the right ends by itself, as RFC 3339, such as `2030-12-31T23:00:00Z`; absent: when somebody ends it. It can be moved to a later time, and to none; not to an earlier one.",
				Optional:            true,
				Validators:          []validator.String{instantValidator{}},
			},
			"remark": schema.StringAttribute{
				MarkdownDescription: "What a reviewer should know, at most 255 characters. Changing it resubmits an application that was rejected, and replaces one that is pending; on a right that is granted it changes nothing.",
				Optional:            true,
			},
			"revoke_as": schema.StringAttribute{
				MarkdownDescription: "Which side a destroy takes. `API` (where absent): the right is taken away, after the environment's notice, which needs the reviewer right. `APP`: the app's owner gives it up, at once. Changing it changes the state alone.",
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString(string(service.SideAPI)),
				Validators:          []validator.String{stringvalidator.OneOf(texts(service.Sides)...)},
			},
			"notice_time": noticeTimeAttribute("When a revocation for the API's side happens at the latest."),
			"status": schema.StringAttribute{
				MarkdownDescription: "Where the authorization stands: `WAIT_REVIEW`, `REJECTED`, `ACTIVE` or `WAITING_REVOKE`.",
				Computed:            true,
			},
			"granted_until": schema.StringAttribute{
				MarkdownDescription: "When the right that is granted ends, as RFC 3339 in UTC; null where it has no end, and where none is granted yet.",
				Computed:            true,
			},
			"deadline": schema.StringAttribute{
				MarkdownDescription: "When the revocation that is announced happens at the latest, as RFC 3339 in UTC; null where none is.",
				Computed:            true,
			},
			"publication_id": schema.StringAttribute{
				MarkdownDescription: "Id of the record of the API in the environment.",
				Computed:            true,
				PlanModifiers:       kept,
			},
			"review_id": schema.StringAttribute{
				MarkdownDescription: "Id of the open application, else of the last one that was made for this resource; null where none was needed. A `dataservice_review` decides on it.",
				Computed:            true,
			},
			"review_url": schema.StringAttribute{
				MarkdownDescription: "Where a reviewer finds that application.",
				Computed:            true,
			},
			"timeouts": timeouts.Attributes(ctx, timeouts.Opts{
				Create: true, Update: true, Delete: true,
				CreateDescription: "How long the requests of a create may take, such as `2m`; 5 minutes where absent. No person is waited for.",
				UpdateDescription: "How long the requests of an update may take; 5 minutes where absent. No person is waited for.",
				DeleteDescription: "How long a destroy for the API's side waits for the app's owner to confirm, or for the deadline; 60 minutes where absent. Another destroy waits on.",
			}),
		},
	}
}

// take makes the model say what the service answered, as the member sees it. The inputs
// that say how a destroy is done stay as they are.
func (m *authorizationModel) take(a service.Authorization, memberID string) {
	m.ID, m.APIID, m.AppID = types.StringValue(a.ID), types.StringValue(a.APIID), types.StringValue(a.AppID)
	m.EnvironmentID = types.StringValue(a.EnvironmentID)
	m.Until = sameInstant(m.Until, aimOf(a, m.Until, memberID))
	m.takeComputed(a)
}

// takeComputed sets what only the service knows.
func (m *authorizationModel) takeComputed(a service.Authorization) {
	m.ID, m.PublicationID, m.Status = types.StringValue(a.ID), types.StringValue(a.PublicationID), types.StringValue(string(a.Status))
	m.Deadline, m.GrantedUntil = timeOrNull(a.RevokeAt), types.StringNull()
	if a.Status.Holds() {
		m.GrantedUntil = timeOrNull(a.Until)
	}
	review := a.OpenReview
	if review == nil {
		review = a.Rejection
	}
	switch {
	case review != nil:
		m.ReviewID, m.ReviewURL = types.StringValue(review.ID), orNull(review.URL)
	case m.ReviewID.IsUnknown():
		m.ReviewID, m.ReviewURL = types.StringNull(), types.StringNull()
	}
}

// aimOf is the end that the authorization is on the way to: that of the open
// application, else the granted one. An application for more time that somebody else
// made on their own is passed over.
func aimOf(a service.Authorization, state types.String, memberID string) *time.Time {
	open := a.OpenReview
	if open == nil || a.Status.Holds() && open.ApplicantID != memberID && !sameInstant(state, open.Until).Equal(state) {
		return a.Until
	}
	return open.Until
}

// sameInstant is the time as it was written before, where that is the same instant, else in UTC.
func sameInstant(before types.String, t *time.Time) types.String {
	if t == nil {
		return types.StringNull()
	}
	if was, ok := instantOf(before); ok && was.Equal(*t) {
		return before
	}
	return timeOrNull(t)
}

// instantOf reads a time that is known.
func instantOf(v types.String) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, v.ValueString())
	return t, err == nil
}

// gone reports whether the app has a right no more: the next plan makes it anew.
func gone(status service.AuthorizationStatus) bool {
	switch status {
	case service.AuthorizationRevoked, service.AuthorizationUnlinked, service.AuthorizationExpired, service.AuthorizationCancelled:
		return true
	}
	return false
}

// standingKey keeps the standing that the last refresh saw.
const standingKey = "standing"

// standing is what a plan must know of an authorization beside its state.
type standing struct {
	// Pending says that an application is open.
	Pending bool `json:"pending"`
	// Rejection is the last application where that was rejected.
	Rejection *authorizationRejection `json:"rejection"`
}

// undone reports whether an apply has something to do although the configuration has
// not changed: to apply again for what was rejected, which is refused in the service's
// words, or to ask anew for a right that is about to be taken away.
func (s standing) undone(status types.String) bool {
	switch service.AuthorizationStatus(status.ValueString()) {
	case service.AuthorizationRejected, service.AuthorizationWaitingRevoke:
		return !s.Pending
	}
	return false
}

// authorizationRejection is an application that was rejected.
type authorizationRejection struct {
	Until    *time.Time `json:"until"`
	Remark   string     `json:"remark"`
	Reviewer string     `json:"reviewer"`
	Comment  string     `json:"comment"`
	ReviewID string     `json:"review_id"`
}

// keepStanding notes in the private state what later plans must know.
func keepStanding(ctx context.Context, private writablePrivateState, a service.Authorization) diag.Diagnostics {
	noted := standing{Pending: a.OpenReview != nil}
	if r := a.Rejection; r != nil && !noted.Pending {
		noted.Rejection = &authorizationRejection{r.Until, r.Remark, r.DeciderName, r.Comment, r.ID}
	}
	return setPrivate(ctx, private, standingKey, noted)
}

// about reports whether the plan asks for just what was rejected.
func (r *authorizationRejection) about(plan authorizationModel) bool {
	return !plan.Remark.IsUnknown() && !plan.Until.IsUnknown() && plan.Remark.ValueString() == r.Remark && sameInstant(plan.Until, r.Until).Equal(plan.Until)
}

func (r *authorizationResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var remark types.String
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("remark"), &remark)...)
	addFieldErrors(ctx, &resp.Diagnostics, req.Config, service.ValidateRemark(remark.ValueString()))
}

func (r *authorizationResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		return
	}
	var plan, state authorizationModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if req.State.Raw.IsNull() {
		plan.refusePast(&resp.Diagnostics)
		return
	}
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	seen, diags := getPrivate[standing](ctx, req.Private, standingKey)
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
	}
	if len(resp.RequiresReplace) > 0 {
		return
	}
	if until, ok := instantOf(plan.Until); ok {
		plan.Until = sameInstant(state.Until, &until)
	}
	if !plan.Until.Equal(state.Until) {
		plan.refusePast(&resp.Diagnostics)
		plan.refuseEarlier(&resp.Diagnostics, state)
	}
	if rejected := seen.Rejection; rejected != nil && rejected.about(plan) {
		resp.Diagnostics.AddWarning("Rejected by "+rejected.Reviewer,
			fmt.Sprintf("%s rejected the application: %q (review %s). An apply fails as long as until and remark stay the same.", rejected.Reviewer, rejected.Comment, rejected.ReviewID))
	}
	switch {
	case seen.undone(state.Status):
		plan.Status, plan.GrantedUntil, plan.Deadline = types.StringUnknown(), types.StringUnknown(), types.StringUnknown()
		plan.ReviewID, plan.ReviewURL = types.StringUnknown(), types.StringUnknown()
	case state.asksFor(plan):
		plan = state
	case state.settledAs(plan):
		plan.Status, plan.GrantedUntil, plan.Deadline = state.Status, state.GrantedUntil, state.Deadline
		plan.ReviewID, plan.ReviewURL = state.ReviewID, state.ReviewURL
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
}

// asksFor reports whether the state has every input of the plan.
func (m *authorizationModel) asksFor(plan authorizationModel) bool {
	return m.Until.Equal(plan.Until) && m.Remark.Equal(plan.Remark) && m.RevokeAs.Equal(plan.RevokeAs) &&
		m.NoticeTime.Equal(plan.NoticeTime) && m.Timeouts.Equal(plan.Timeouts)
}

// settledAs reports whether the state is what the plan asks for, waits for nobody, and
// differs in what is not sent to the service alone.
func (m *authorizationModel) settledAs(plan authorizationModel) bool {
	granted, _ := instantOf(m.GrantedUntil)
	until, _ := instantOf(m.Until)
	return m.Status.ValueString() == string(service.AuthorizationActive) && m.Until.Equal(plan.Until) && granted.Equal(until)
}

// refusePast reports an end that is over before the right begins.
func (m *authorizationModel) refusePast(diags *diag.Diagnostics) {
	if until, ok := instantOf(m.Until); ok && !until.After(time.Now()) {
		diags.AddAttributeError(path.Root("until"), "The time is over",
			fmt.Sprintf("%s is past, so the app could not call from the start. Write a later time, leave until out for a right without an end, or remove the block.", m.Until.ValueString()))
	}
}

// refuseEarlier reports an end that is earlier than the one that is granted.
func (m *authorizationModel) refuseEarlier(diags *diag.Diagnostics, state authorizationModel) {
	until, ok := instantOf(m.Until)
	if !ok || !service.AuthorizationStatus(state.Status.ValueString()).Holds() {
		return
	}
	granted, ends := instantOf(state.GrantedUntil)
	if ends && !until.Before(granted) {
		return
	}
	has := "has no end"
	if ends {
		has = "lasts until " + state.GrantedUntil.ValueString()
	}
	diags.AddAttributeError(path.Root("until"), "The right cannot be shortened",
		fmt.Sprintf("What is granted %s, and renewing only extends: %s is earlier. Write the granted time or a later one; to end the right sooner, destroy it.", has, m.Until.ValueString()))
}

func (m *authorizationModel) input() service.AuthorizeInput {
	in := service.AuthorizeInput{APIID: m.APIID.ValueString(), EnvironmentID: m.EnvironmentID.ValueString(), AppID: m.AppID.ValueString(), Remark: m.Remark.ValueString()}
	if until, ok := instantOf(m.Until); ok {
		in.Until = &until
	}
	return in
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

func (r *authorizationResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan authorizationModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	timeout, diags := plan.Timeouts.Create(ctx, publishTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || !r.backend.ready(ctx, &resp.Diagnostics) {
		return
	}
	identity, err := r.backend.whoAmI(ctx)
	if err != nil {
		addError(&resp.Diagnostics, nil, r.summary("create", plan), err)
		return
	}
	in := plan.input()
	release, ok := r.backend.claim(authorizationType + " " + in.APIID + " " + in.EnvironmentID + " " + in.AppID)
	if !ok {
		addDuplicate(&resp.Diagnostics, path.Root("app_id"), fmt.Sprintf("the authorization of app %s for API %s in environment %s", in.AppID, in.APIID, in.EnvironmentID))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	// What exists is adopted: an authorization whose answer was lost, or a record that
	// outlived its right.
	there, err := r.find(ctx, plan)
	if err == nil {
		var made service.Authorization
		if made, err = r.converge(ctx, there, plan, identity.Member.ID); err == nil {
			plan.takeComputed(made)
			resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
			resp.Diagnostics.Append(keepStanding(ctx, resp.Private, made)...)
			warnAuthorization(&resp.Diagnostics, made, identity.Member.ID)
			return
		}
	}
	release()
	addError(&resp.Diagnostics, req.Plan.Schema.Type(), r.summary("create", plan), err)
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
	if resp.Diagnostics.HasError() || !r.backend.readable(ctx, &resp.Diagnostics) {
		return
	}
	importing := state.APIID.IsNull()
	a, err := r.backend.client.Authorization(ctx, state.ID.ValueString(), 0)
	if client.IsNotFound(err) || err == nil && gone(a.Status) {
		resp.State.RemoveResource(ctx)
		return
	}
	var identity service.Identity
	if err == nil {
		identity, err = r.backend.whoAmI(ctx)
	}
	if err == nil {
		a.EnvironmentID, err = r.backend.environmentAs(ctx, state.EnvironmentID, a.EnvironmentID)
	}
	if err != nil {
		addError(&resp.Diagnostics, nil, r.summary("read", state), err)
		return
	}
	state.take(a, identity.Member.ID)
	if importing {
		state.RevokeAs = types.StringValue(string(service.SideAPI))
		if a.OpenReview != nil {
			state.Remark = orNull(a.OpenReview.Remark)
		}
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
	resp.Diagnostics.Append(keepStanding(ctx, resp.Private, a)...)
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
	there, err := r.backend.client.Authorization(ctx, state.ID.ValueString(), 0)
	if err == nil {
		there, err = r.converge(ctx, &there, plan, identity.Member.ID)
	}
	if err != nil {
		addUpdateError(&resp.Diagnostics, req.Plan.Schema.Type(), r.failed(ctx, "update", state, err), err)
		return
	}
	plan.takeComputed(there)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
	resp.Diagnostics.Append(keepStanding(ctx, resp.Private, there)...)
	warnAuthorization(&resp.Diagnostics, there, identity.Member.ID)
}

func (r *authorizationResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state authorizationModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	timeout, diags := state.Timeouts.Delete(ctx, unpublishTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || !r.backend.ready(ctx, &resp.Diagnostics) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	in := service.RevokeInput{RevokeAs: service.Side(state.RevokeAs.ValueString()), Time: state.NoticeTime.ValueString()}
	if err := r.end(ctx, state.ID.ValueString(), in, timeout); err != nil {
		addError(&resp.Diagnostics, nil, r.failed(ctx, "destroy", state, err), err)
	}
}

// end takes the right away, or gives it up, and returns once the app has it no more.
func (r *authorizationResource) end(ctx context.Context, id string, in service.RevokeInput, timeout time.Duration) error {
	if in.RevokeAs == service.SideApp {
		in.Time = "" // it happens at once
	}
	a, err := r.backend.client.Authorization(ctx, id, 0)
	for turn := 0; ; turn++ {
		if client.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case gone(a.Status), a.Status == service.AuthorizationRejected:
			return nil
		case a.Status == service.AuthorizationWaitingRevoke && in.RevokeAs != service.SideApp:
			return r.awaitEnd(ctx, a, timeout)
		case a.Status == service.AuthorizationWaitReview:
			a, err = r.backend.client.CancelAuthorization(ctx, id, service.ActionInput{})
		default:
			a, err = r.backend.client.RevokeAuthorization(ctx, id, in)
		}
		switch code := service.ErrorCode(err); {
		case code == service.CodeForbidden && in.RevokeAs != service.SideApp:
			return fmt.Errorf("%w Nothing was changed, and the app may call as before. For the app's side, its owner gives the right up with revoke_as = %q.", err, service.SideApp)
		case code == service.CodeForbidden:
			return fmt.Errorf("%w Nothing was changed, and the app may call as before.", err)
		case code == service.CodeInvalid && in.Time != "":
			// The time was chosen for something else, or is over. The earliest allowed hour is
			// never unfair to anybody.
			in.Time = ""
			a, err = r.backend.client.Authorization(ctx, id, 0)
		case (code == service.CodeIllegalAction || code == service.CodeConflict) && turn < maxTurns:
			// It was decided in this moment: look again.
			a, err = r.backend.client.Authorization(ctx, id, 0)
		}
	}
}

// awaitEnd waits until the announced revocation has happened. Anything else is an error,
// which keeps the authorization in the state.
func (r *authorizationResource) awaitEnd(ctx context.Context, a service.Authorization, timeout time.Duration) error {
	app := client.NoticeFilter{AuthorizationID: a.ID}
	a, err := awaitNotices(ctx, r.backend, app, a.RevokeAt, a, func(a service.Authorization) bool { return a.Status != service.AuthorizationWaitingRevoke },
		func(ctx context.Context, wait time.Duration) (service.Authorization, error) {
			return r.backend.client.Authorization(ctx, a.ID, wait)
		})
	switch {
	case client.IsNotFound(err):
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("the right of the app %s to call %s in %s is announced to end at %s and has not ended yet.%s %s What is announced stands: destroy again to wait on",
			a.AppName, a.APIName, a.EnvironmentName, deadlineOf(a.RevokeAt), r.backend.unconfirmed(ctx, app), ended(ctx, timeout))
	case err != nil:
		return err
	case !gone(a.Status):
		return fmt.Errorf("somebody took back that the right of the app %s to call %s in %s ends, or changed it otherwise: it is %s now. Destroy again to announce it anew", a.AppName, a.APIName, a.EnvironmentName, a.Status)
	}
	return nil
}

func (r *authorizationResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resource.ImportStatePassthroughID(ctx, path.Root("id"), req, resp)
}

func (r *authorizationResource) summary(verb string, m authorizationModel) string {
	if m.ID.ValueString() == "" {
		return summary(verb, "authorization of app", "", m.AppID.ValueString())
	}
	return summary(verb, "authorization", "", m.ID.ValueString())
}

// failed is the summary with names in place of the id, as that of a publication.
func (r *authorizationResource) failed(ctx context.Context, verb string, m authorizationModel, err error) string {
	if client.Answered(err) || ctx.Err() != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookTime)
		defer cancel()
		if a, err := r.backend.client.Authorization(ctx, m.ID.ValueString(), 0); err == nil {
			return summary(verb, "authorization of", fmt.Sprintf("%s for %s in %s", a.AppName, a.APIName, a.EnvironmentName), "")
		}
	}
	return r.summary(verb, m)
}

// instantValidator checks that a text is a time.
type instantValidator struct{}

func (instantValidator) Description(context.Context) string {
	return "must be a time as RFC 3339, such as 2030-12-31T23:00:00Z"
}

func (v instantValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (instantValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if _, ok := instantOf(req.ConfigValue); !ok {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid time", fmt.Sprintf("%q is not a time: write one as RFC 3339, such as 2030-12-31T23:00:00Z.", req.ConfigValue.ValueString()))
	}
}
