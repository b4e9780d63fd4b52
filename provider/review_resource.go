// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/resourcevalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

const reviewType = "dataservice_review"

// The decisions that a configuration can make.
const (
	decisionApprove = "APPROVE"
	decisionReject  = "REJECT"
)

// statusNotRequired is what a review reads as where the revision went live without one.
const statusNotRequired = "NOT_REQUIRED"

// reviewTimeout is how long a decision is waited for where the configuration does not say.
const reviewTimeout = 60 * time.Minute

// namedKey keeps in the private state whether the configuration names the
// application by its id. Another one is then never looked for.
const namedKey = "named_by_id"

// publicationRevision is the id of what stands for no review, and imports the newest
// decision about a revision.
var publicationRevision = regexp.MustCompile(`^([0-9a-f]{32})/([1-9][0-9]{0,17})$`)

// pollTime is how long one call waits for a decision; the next call waits on.
const pollTime = client.MaxWait / 2

type reviewResource struct {
	identified
}

func newReviewResource() resource.Resource { return &reviewResource{} }

type reviewModel struct {
	ID            types.String   `tfsdk:"id"`
	PublicationID types.String   `tfsdk:"publication_id"`
	APIRevision   types.Int64    `tfsdk:"api_revision"`
	ReviewID      types.String   `tfsdk:"review_id"`
	Decision      types.String   `tfsdk:"decision"`
	Comment       types.String   `tfsdk:"comment"`
	Status        types.String   `tfsdk:"status"`
	Kind          types.String   `tfsdk:"kind"`
	Applicant     types.String   `tfsdk:"applicant"`
	Reviewer      types.String   `tfsdk:"reviewer"`
	DecidedAt     types.String   `tfsdk:"decided_at"`
	Timeouts      timeouts.Value `tfsdk:"timeouts"`
}

func (r *reviewResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = reviewType
}

func (r *reviewResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	kept := []planmodifier.String{stringplanmodifier.UseStateForUnknown()}
	replaced := []planmodifier.String{stringplanmodifier.UseStateForUnknown(), stringplanmodifier.RequiresReplaceIfConfigured()}
	resp.Schema = schema.Schema{
		MarkdownDescription: "The decision on an application, or the wait for it.\n\n" +
			"With `decision` it approves or rejects, which needs the reviewer right. Without, it waits until somebody has decided, and fails at once where that is a rejection: what depends on it goes on only after an approval.\n\n" +
			"With `publication_id` and `api_revision` it is about the application to publish that revision which is the newest when the apply runs, and decides on exactly the candidate that it finds. " +
			"A decision is on that one application and approves no newer one; a wait is for whatever is open. " +
			"With `review_id` it is about that application alone: whatever takes its place, a plan that was saved before decides nothing then, and says so. Where the revision is live without a review, `status` is `" + statusNotRequired + "`. " +
			"Destroying it forgets the decision and changes nothing.",
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				MarkdownDescription: "Id of the review; of the publication and revision where no review was needed.",
				Computed:            true,
				PlanModifiers:       kept,
			},
			"publication_id": schema.StringAttribute{
				MarkdownDescription: "Id of the publication, together with `api_revision`. Another one makes another decision.",
				Optional:            true,
				Computed:            true,
				PlanModifiers:       replaced,
				Validators: []validator.String{
					stringvalidator.RegexMatches(idPattern, "must be the id of a publication: use the id of a dataservice_publication"),
					stringvalidator.AlsoRequires(path.MatchRoot("api_revision")),
				},
			},
			"api_revision": schema.Int64Attribute{
				MarkdownDescription: "Revision of the API that the application is about, together with `publication_id`; null for the authorization of an app. Another one makes another decision.",
				Optional:            true,
				Computed:            true,
				PlanModifiers:       []planmodifier.Int64{int64planmodifier.UseStateForUnknown(), int64planmodifier.RequiresReplaceIfConfigured()},
				Validators: []validator.Int64{
					int64validator.AtLeast(1),
					int64validator.AlsoRequires(path.MatchRoot("publication_id")),
				},
			},
			"review_id": schema.StringAttribute{
				MarkdownDescription: "Id of the review, instead of `publication_id` and `api_revision`; the only way to decide on a restoration, and on the authorization of an app. Another one makes another decision.",
				Optional:            true,
				Computed:            true,
				PlanModifiers:       replaced,
				Validators:          []validator.String{stringvalidator.RegexMatches(idPattern, "must be the id of a review")},
			},
			"decision": schema.StringAttribute{
				MarkdownDescription: "`APPROVE` or `REJECT`. Where absent, somebody else's decision is waited for. A decision stays with its application: on a newer one for the same revision it must be made again: by another decision here, or by the same one with `-replace`.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.OneOf(decisionApprove, decisionReject)},
			},
			"comment": schema.StringAttribute{
				MarkdownDescription: "What the applicant should know, at most 255 characters; a rejection needs one.",
				Optional:            true,
			},
			"status": schema.StringAttribute{
				MarkdownDescription: "`APPROVED`, `REJECTED`, or `" + statusNotRequired + "` where the revision went live without a review.",
				Computed:            true,
				PlanModifiers:       kept,
			},
			"kind": schema.StringAttribute{
				MarkdownDescription: "What was applied for: `PUBLISH`, `RESTORE` or `AUTHORIZE`; null where no review was needed.",
				Computed:            true,
				PlanModifiers:       kept,
			},
			"applicant": schema.StringAttribute{
				MarkdownDescription: "Name of the member who applied.",
				Computed:            true,
				PlanModifiers:       kept,
			},
			"reviewer": schema.StringAttribute{
				MarkdownDescription: "Name of the member who decided.",
				Computed:            true,
				PlanModifiers:       kept,
			},
			"decided_at": schema.StringAttribute{
				MarkdownDescription: "When it was decided, as RFC 3339 in UTC.",
				Computed:            true,
				PlanModifiers:       kept,
			},
			"timeouts": timeouts.Attributes(ctx, timeouts.Opts{
				Create:            true,
				CreateDescription: "How long a decision is waited for, such as `8h`; 60 minutes where absent. The wait can be interrupted, and the next apply waits on.",
			}),
		},
	}
}

func (r *reviewResource) ConfigValidators(context.Context) []resource.ConfigValidator {
	return []resource.ConfigValidator{
		resourcevalidator.ExactlyOneOf(path.MatchRoot("publication_id"), path.MatchRoot("review_id")),
	}
}

func (r *reviewResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config reviewModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() || config.Decision.IsUnknown() {
		return
	}
	addFieldErrors(ctx, &resp.Diagnostics, req.Config, service.ValidateComment(callOf(config.Decision.ValueString()), config.Comment.ValueString()))
}

// noteName notes in the private state whether the configuration names the application.
func noteName(ctx context.Context, private writablePrivateState, config tfsdk.Config) diag.Diagnostics {
	return setPrivate(ctx, private, namedKey, !leftOut(ctx, config, path.Root("review_id")))
}

func callOf(decision string) service.Call {
	if decision == decisionReject {
		return service.CallReject
	}
	return service.CallApprove
}

// take makes the model say what was decided. The comment is an input and stays.
func (m *reviewModel) take(review service.Review) {
	m.ID, m.ReviewID = types.StringValue(review.ID), types.StringValue(review.ID)
	m.PublicationID, m.APIRevision = types.StringValue(review.PublicationID), revisionOrNull(review.Revision)
	m.Status, m.Kind = types.StringValue(string(review.Status)), types.StringValue(string(review.Kind))
	m.Applicant, m.Reviewer, m.DecidedAt = types.StringValue(review.ApplicantName), orNull(review.DeciderName), types.StringNull()
	if review.DecidedAt != nil {
		m.DecidedAt = types.StringValue(review.DecidedAt.UTC().Format(time.RFC3339))
	}
}

// takeNone makes the model say that no review was needed.
func (m *reviewModel) takeNone() {
	m.ID = m.lastingID(false)
	m.Status = types.StringValue(statusNotRequired)
	m.ReviewID, m.Kind, m.Applicant, m.Reviewer, m.DecidedAt = types.StringNull(), types.StringNull(), types.StringNull(), types.StringNull(), types.StringNull()
}

// find returns the application that the model is about: the one it names, else the
// newest of its publication and revision. It is nil where that revision went live
// without one.
func (r *reviewResource) find(ctx context.Context, m reviewModel) (*service.Review, error) {
	if id := m.ReviewID.ValueString(); id != "" {
		review, err := r.backend.client.Review(ctx, id, 0)
		return &review, err
	}
	newest, err := r.newest(ctx, m)
	if err != nil || newest != nil && (newest.Status == service.ReviewPending || newest.Status == service.ReviewApproved) {
		return newest, err
	}
	p, err := r.backend.client.Publication(ctx, m.PublicationID.ValueString(), 0)
	if err != nil {
		return nil, err
	}
	revision := m.APIRevision.ValueInt64()
	live := p.Live != nil && p.Live.Revision == revision
	switch {
	case live && (newest == nil || p.Live.CreatedAt.After(newest.CreatedAt)):
		return nil, nil
	case newest != nil:
		return newest, nil
	}
	return nil, fmt.Errorf("there is no application for revision %d of %s in %s: %s. Publish that revision first, and depend on the publication", revision, p.APIName, p.EnvironmentName, holdings(p))
}

// holdings says what a publication holds.
func holdings(p service.Publication) string {
	text := "it is " + string(p.Status)
	if p.Live != nil {
		text += fmt.Sprintf(", revision %d is live", p.Live.Revision)
	}
	if p.OpenReview != nil {
		text += fmt.Sprintf(", and review %s of revision %d is pending", p.OpenReview.ID, p.OpenReview.Revision)
		if p.OpenReview.Kind == service.ReviewRestore {
			text += ", to restore it (decide that with review_id)"
		}
	}
	return text
}

// newest returns the newest application to publish the model's revision. One to
// restore it is decided by its own id: it is about a version that was approved before.
func (r *reviewResource) newest(ctx context.Context, m reviewModel) (*service.Review, error) {
	list, err := r.backend.client.Reviews(ctx, client.ReviewFilter{
		PublicationID: m.PublicationID.ValueString(), Revision: m.APIRevision.ValueInt64(), Kind: service.ReviewPublish,
	}, client.Page{Limit: 1})
	if err != nil || len(list.Items) == 0 {
		return nil, err
	}
	return &list.Items[0], nil
}

func (r *reviewResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan reviewModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	timeout, diags := plan.Timeouts.Create(ctx, reviewTimeout)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || !r.backend.ready(ctx, &resp.Diagnostics) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	review, err := r.find(ctx, plan)
	if err != nil {
		addError(&resp.Diagnostics, req.Plan.Schema.Type(), "Nothing to decide", err)
		return
	}
	decision := plan.Decision.ValueString()
	switch {
	case review == nil && decision == decisionReject:
		resp.Diagnostics.AddAttributeError(path.Root("decision"), "Nothing to reject",
			fmt.Sprintf("Revision %d of publication %s is live already, and no application for it is open. Publish another revision, or suspend it.",
				plan.APIRevision.ValueInt64(), plan.PublicationID.ValueString()))
		return
	case review == nil:
		plan.takeNone()
	case decision == "":
		decided, err := r.await(ctx, *review, timeout)
		if err != nil {
			resp.Diagnostics.AddError(upperFirst(subject(*review))+" was not approved", err.Error())
			return
		}
		plan.take(decided)
	default:
		decided, err := r.decide(ctx, *review, decision, plan.Comment.ValueString())
		if err != nil {
			addError(&resp.Diagnostics, req.Plan.Schema.Type(), fmt.Sprintf("Cannot %s %s", verbOf(decision), subject(*review)), err)
			return
		}
		plan.take(decided)
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
	resp.Diagnostics.Append(noteName(ctx, resp.Private, req.Config)...)
	resp.Diagnostics.Append(r.identify(ctx, resp.Identity, plan.lastingID(!leftOut(ctx, req.Config, path.Root("review_id"))))...)
	if review != nil && plan.Status.ValueString() == string(service.ReviewApproved) {
		r.awaitGateways(ctx, &resp.Diagnostics, *review)
	}
}

// awaitGateways waits until every gateway answers by what was approved: resources that
// depend on the approval may call it. What goes wrong with that changes nothing of the approval.
func (r *reviewResource) awaitGateways(ctx context.Context, diags *diag.Diagnostics, review service.Review) {
	if p, err := r.backend.client.Publication(ctx, review.PublicationID, 0, client.AwaitGateways()); err == nil {
		warnOfLaggards(diags, p, p.LaggingGateways)
	}
}

// lastingID is the id that imports the decision, and stays what it is: that of the
// application where it is named, else of the publication and revision, about which
// another decision may be made on a newer application.
func (m *reviewModel) lastingID(named bool) types.String {
	if named || m.PublicationID.IsNull() || m.APIRevision.IsNull() {
		return m.ID
	}
	return types.StringValue(fmt.Sprintf("%s/%d", m.PublicationID.ValueString(), m.APIRevision.ValueInt64()))
}

// subject names what an application is about.
func subject(r service.Review) string {
	if r.Kind == service.ReviewAuthorize {
		return fmt.Sprintf("the authorization of the app %s for %s", r.AppName, r.APIName)
	}
	return fmt.Sprintf("%s of %s", candidate(r.Revision, r.Version), r.APIName)
}

func upperFirst(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

func verbOf(decision string) string {
	if decision == decisionReject {
		return "reject"
	}
	return "approve"
}

// decide approves or rejects exactly the candidate that was found.
func (r *reviewResource) decide(ctx context.Context, review service.Review, decision, comment string) (service.Review, error) {
	in := service.DecisionInput{Digest: review.Digest, Comment: comment}
	if decision == decisionReject {
		return r.backend.client.Reject(ctx, review.ID, in)
	}
	return r.backend.client.Approve(ctx, review.ID, in)
}

// await waits until the review is decided, and succeeds where it was approved.
func (r *reviewResource) await(ctx context.Context, review service.Review, timeout time.Duration) (service.Review, error) {
	away := 0
	for review.Status == service.ReviewPending {
		next, err := r.backend.client.Review(ctx, review.ID, pollTime)
		switch {
		case errors.Is(ctx.Err(), context.DeadlineExceeded):
			return review, fmt.Errorf("nobody decided review %s within %s: %s. The application is still open; the next apply waits on. Allow more time with timeouts = { create = \"…\" }", review.ID, timeout, review.URL)
		case ctx.Err() != nil:
			return review, fmt.Errorf("the wait for review %s was interrupted: %s. The application is still open; the next apply waits on", review.ID, review.URL)
		case err == nil:
			review, away = next, 0
			if review.Status == service.ReviewPending {
				pause(ctx, breath)
			}
		case client.Answered(err) || away >= mostAway:
			return review, err
		default:
			// The service may be away for a moment, for an upgrade perhaps; the person who
			// decides takes longer than that.
			away++
			pause(ctx, pauseTime)
		}
	}
	switch review.Status {
	case service.ReviewApproved:
		return review, nil
	case service.ReviewRejected:
		return review, fmt.Errorf("%s rejected it: %q (review %s). Change what is applied for or the remark, and apply again", review.DeciderName, review.Comment, review.ID)
	case service.ReviewSuperseded:
		return review, fmt.Errorf("review %s was superseded by a newer application, or by a direct publication. Review that one", review.ID)
	}
	return review, fmt.Errorf("review %s was cancelled by %s. Apply for it again", review.ID, review.DeciderName)
}

// A wait goes on while the service is away: mostAway calls in a row may fail, with
// a pause after each.
const (
	mostAway  = 12
	pauseTime = 5 * time.Second
)

// breath is the least time between two long polls, for a service, or a proxy before
// it, that does not hold them open.
const breath = 100 * time.Millisecond

// pause returns after d, or when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

func (r *reviewResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state reviewModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	named, diags := getPrivate[bool](ctx, req.Private, namedKey)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	readable := r.backend.readable(ctx, &resp.Diagnostics)
	resp.Diagnostics.Append(r.identify(ctx, resp.Identity, state.lastingID(named))...)
	if !readable {
		return
	}
	headline := "Cannot read review " + state.ID.ValueString()
	var held *service.Review
	if state.Status.ValueString() != statusNotRequired {
		review, err := r.backend.client.Review(ctx, state.ID.ValueString(), 0)
		if client.IsNotFound(err) {
			resp.State.RemoveResource(ctx)
			return
		}
		if err != nil {
			addError(&resp.Diagnostics, nil, headline, err)
			return
		}
		if review.Status == service.ReviewPending {
			resp.State.RemoveResource(ctx) // it is still to be decided
			return
		}
		held = &review
		state.take(review)
	}
	// A decision is on one application and stays with it. A wait is for whatever is
	// open for its revision: a newer application is waited for anew.
	if !named && state.Decision.IsNull() {
		newest, err := r.newest(ctx, state)
		switch {
		case client.IsNotFound(err):
			resp.State.RemoveResource(ctx)
			return
		case err != nil:
			addError(&resp.Diagnostics, nil, headline, err)
			return
		case newest != nil && newest.Status == service.ReviewPending && (held == nil || newest.ID != held.ID):
			resp.State.RemoveResource(ctx)
			return
		}
	}
	if held == nil {
		if _, err := r.backend.client.Publication(ctx, state.PublicationID.ValueString(), 0); client.IsNotFound(err) {
			resp.State.RemoveResource(ctx)
			return
		}
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
}

// decidesAnew reports whether one decision takes the place of another. To write a
// decision down that was waited for, or the other way round, decides nothing.
func decidesAnew(state, plan reviewModel) bool {
	return !state.Decision.IsNull() && !plan.Decision.IsNull() && !plan.Decision.Equal(state.Decision)
}

// ModifyPlan plans what another decision on a newer application will change.
func (r *reviewResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		return
	}
	var state, plan reviewModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if req.State.Raw.IsNull() {
		if plan.Decision.ValueString() != "" {
			r.backend.planRefused(&resp.Diagnostics, service.KindDecisions, "Not allowed to decide on applications")
		}
		return
	}
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	named, diags := getPrivate[bool](ctx, req.Private, namedKey)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || named || len(resp.RequiresReplace) > 0 || !decidesAnew(state, plan) {
		return
	}
	for _, name := range []string{"id", "review_id", "status", "kind", "applicant", "reviewer", "decided_at"} {
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root(name), types.StringUnknown())...)
	}
}

func (r *reviewResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state reviewModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	named, diags := getPrivate[bool](ctx, req.Private, namedKey)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || !r.backend.ready(ctx, &resp.Diagnostics) {
		return
	}
	resp.Diagnostics.Append(r.identify(ctx, resp.Identity, state.lastingID(named))...)
	if !named && decidesAnew(state, plan) && r.decideNewer(ctx, &plan, state, resp) {
		return
	}
	// What is decided cannot be changed: only the same decision may be written down.
	status := state.Status.ValueString()
	decision := plan.Decision.ValueString()
	agrees := map[string][]string{
		decisionApprove: {string(service.ReviewApproved), statusNotRequired},
		decisionReject:  {string(service.ReviewRejected)},
		"":              {string(service.ReviewApproved), statusNotRequired},
	}
	if slices.Contains(agrees[decision], status) {
		resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
		resp.Diagnostics.Append(noteName(ctx, resp.Private, req.Config)...)
		if !plan.Comment.Equal(state.Comment) {
			resp.Diagnostics.AddAttributeWarning(path.Root("comment"), "The comment is not sent",
				fmt.Sprintf("Review %s is decided, and its comment stays as it was given then. The new one stands in the state alone.", state.ID.ValueString()))
		}
		return
	}
	who := ""
	if reviewer := state.Reviewer.ValueString(); reviewer != "" {
		who = " by " + reviewer
	}
	reverse, anew := "publish, suspend or unpublish instead", "another revision or remark"
	if state.Kind.ValueString() == string(service.ReviewAuthorize) {
		reverse, anew = "grant or revoke the authorization instead", "another until or remark"
	}
	resp.Diagnostics.AddAttributeError(path.Root("decision"), "Decided otherwise already",
		fmt.Sprintf("Review %s is %s%s, and a decision stands. To reverse it, %s; to get a new decision, apply with %s.",
			state.ID.ValueString(), status, who, reverse, anew))
}

// decideNewer makes another decision on an application that is newer than the one
// that was decided. It reports whether there was one.
func (r *reviewResource) decideNewer(ctx context.Context, plan *reviewModel, state reviewModel, resp *resource.UpdateResponse) bool {
	newest, err := r.newest(ctx, state)
	if err == nil && (newest == nil || newest.Status != service.ReviewPending) {
		return false
	}
	if err == nil {
		var decided service.Review
		if decided, err = r.decide(ctx, *newest, plan.Decision.ValueString(), plan.Comment.ValueString()); err == nil {
			plan.take(decided)
			resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
			return true
		}
	}
	addError(&resp.Diagnostics, nil, fmt.Sprintf("Cannot %s revision %d", verbOf(plan.Decision.ValueString()), state.APIRevision.ValueInt64()), err)
	return true
}

func (r *reviewResource) Delete(context.Context, resource.DeleteRequest, *resource.DeleteResponse) {
	// A decision cannot be taken back: the framework forgets it.
}

// ImportState takes over a decision: by the id of the review, or by
// PUBLICATION/REVISION, which is the id of what needed none.
func (r *reviewResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	id, ok := r.imported(ctx, req, resp)
	if !ok {
		return
	}
	var m reviewModel
	parts := publicationRevision.FindStringSubmatch(id)
	switch {
	case parts != nil:
		revision, err := strconv.ParseInt(parts[2], 10, 64)
		if err != nil {
			panic("provider: the pattern admits what is no number: " + err.Error())
		}
		m.PublicationID, m.APIRevision = types.StringValue(parts[1]), types.Int64Value(revision)
	case idPattern.MatchString(id):
		m.ReviewID = types.StringValue(id)
	default:
		resp.Diagnostics.AddError("Not the id of a decision", fmt.Sprintf("%q is neither the id of a review nor the id of a publication with a revision, such as 0123456789abcdef0123456789abcdef/3.", id))
		return
	}
	if !r.backend.ready(ctx, &resp.Diagnostics) {
		return
	}
	review, err := r.find(ctx, m)
	switch {
	case err != nil:
		addError(&resp.Diagnostics, nil, "Cannot import the decision "+id, err)
		return
	case review == nil:
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), id)...)
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("publication_id"), m.PublicationID)...)
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("api_revision"), m.APIRevision)...)
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("status"), statusNotRequired)...)
	case review.Status == service.ReviewPending:
		resp.Diagnostics.AddError("Nothing to import yet",
			fmt.Sprintf("Review %s, about %s, is pending: there is no decision to import. Create the resource, with a decision or to wait for one.", review.ID, subject(*review)))
		return
	case review.Status != service.ReviewApproved && review.Status != service.ReviewRejected:
		resp.Diagnostics.AddError("Nothing to import",
			fmt.Sprintf("Review %s, about %s, is %s: nobody decided it, and nobody can any more.", review.ID, subject(*review), review.Status))
		return
	default:
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), review.ID)...)
	}
	resp.Diagnostics.Append(setPrivate(ctx, resp.Private, namedKey, parts == nil)...)
	resp.Diagnostics.Append(r.identifyAnew(ctx, resp.Identity, types.StringValue(id))...)
}
