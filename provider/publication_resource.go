// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
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

const publicationType = "dataservice_publication"

// How long the steps may take where the configuration does not say.
const (
	publishTimeout   = 5 * time.Minute
	unpublishTimeout = 60 * time.Minute
)

// lookTime bounds the look at what is there after something failed or was interrupted.
const lookTime = 10 * time.Second

type publicationResource struct {
	configured
}

func newPublicationResource() resource.Resource { return &publicationResource{} }

type publicationModel struct {
	ID            types.String   `tfsdk:"id"`
	APIID         types.String   `tfsdk:"api_id"`
	EnvironmentID types.String   `tfsdk:"environment_id"`
	APIRevision   types.Int64    `tfsdk:"api_revision"`
	ConnectionID  types.String   `tfsdk:"connection_id"`
	Remark        types.String   `tfsdk:"remark"`
	DesiredStatus types.String   `tfsdk:"desired_status"`
	Status        types.String   `tfsdk:"status"`
	ReviewID      types.String   `tfsdk:"review_id"`
	ReviewURL     types.String   `tfsdk:"review_url"`
	LiveRevision  types.Int64    `tfsdk:"live_revision"`
	Version       types.String   `tfsdk:"version"`
	URL           types.String   `tfsdk:"url"`
	Timeouts      timeouts.Value `tfsdk:"timeouts"`
}

func (r *publicationResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = publicationType
}

var (
	idPattern            = regexp.MustCompile(`^[0-9a-f]{32}$`)
	environmentIDPattern = regexp.MustCompile(`^([0-9a-f]{32}|` + service.ReleaseEnvironmentID + `)$`)
)

func (r *publicationResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Puts one revision of an API live in an environment: at once for a reviewer, and where the environment needs no review; as an application otherwise.\n\n" +
			"The resource never waits for a person. Where a review is pending, the apply succeeds with a warning that names the review; the plan is empty while it is pending and once it is approved. " +
			"Meanwhile the revision that was live before goes on answering. An application that was rejected is not converged: the plan shows it and quotes the comment, and an apply fails until `api_revision` or `remark` changes.\n\n" +
			"Destroying it cancels a pending application, and unpublishes what is live, which needs the reviewer right.\n\n" +
			"## What is read, and what an apply does\n\n" + publicationTableMarkdown(),
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				MarkdownDescription: "Id of the publication.",
				Computed:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"api_id": schema.StringAttribute{
				MarkdownDescription: "Id of the API. Another one makes another publication.",
				Required:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
				Validators:          []validator.String{stringvalidator.RegexMatches(idPattern, "must be the id of an API: use the id of a dataservice_api")},
			},
			"environment_id": schema.StringAttribute{
				MarkdownDescription: "Id of the environment to publish to; `" + service.ReleaseEnvironmentID + "`, the environment RELEASE of the default instance, where absent. Another one makes another publication.",
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString(service.ReleaseEnvironmentID),
				PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
				Validators:          []validator.String{stringvalidator.RegexMatches(environmentIDPattern, "must be the id of an environment")},
			},
			"api_revision": schema.Int64Attribute{
				MarkdownDescription: "Revision of the API to publish. With `dataservice_api.x.revision` every change of the definition is published. It reads as the revision of the open application, else as the live one; an application of another member that this configuration did not ask for is passed over while something is live.",
				Required:            true,
				Validators:          []validator.Int64{int64validator.AtLeast(1)},
			},
			"connection_id": schema.StringAttribute{
				MarkdownDescription: "Id of the connection to read from in this environment; the API's own where absent.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.RegexMatches(idPattern, "must be the id of a connection: use the id of a dataservice_connection")},
			},
			"remark": schema.StringAttribute{
				MarkdownDescription: "What a reviewer should know, at most 255 characters. Changing it resubmits an application that was rejected, and replaces one that is pending, to publish or to restore; on what is live it changes nothing.",
				Optional:            true,
			},
			"desired_status": schema.StringAttribute{
				MarkdownDescription: "`PUBLISHED` (where absent), or `STOPPED` to suspend the API: calls are refused until it is restored. Suspending needs the reviewer right; restoring goes to review without it.",
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString(desiredPublished),
				Validators:          []validator.String{stringvalidator.OneOf(desires...)},
			},
			"status": schema.StringAttribute{
				MarkdownDescription: "Where the publication stands: `PUBLISH_WAIT_REVIEW`, `PUBLISH_REJECT`, `PUBLISHED`, `WAITING_STOP`, `STOPPED`, `RECOVER_WAIT_REVIEW` or `WAITING_OFFLINE`.",
				Computed:            true,
			},
			"review_id": schema.StringAttribute{
				MarkdownDescription: "Id of the open application, else of the last one that was made for this resource; null where none was needed.",
				Computed:            true,
			},
			"review_url": schema.StringAttribute{
				MarkdownDescription: "Where a reviewer finds that application.",
				Computed:            true,
			},
			"live_revision": schema.Int64Attribute{
				MarkdownDescription: "Revision of the version that is called, or that a restore brings back; null where there is none.",
				Computed:            true,
			},
			"version": schema.StringAttribute{
				MarkdownDescription: "Name of that version: `V1`, `V2`, ….",
				Computed:            true,
			},
			"url": schema.StringAttribute{
				MarkdownDescription: "Where the API is called once it is live.",
				Computed:            true,
			},
			"timeouts": timeouts.Attributes(ctx, timeouts.Opts{
				Create: true, Update: true, Delete: true,
				CreateDescription: "How long the requests of a create may take, such as `2m`; 5 minutes where absent. No person is waited for.",
				UpdateDescription: "How long the requests of an update may take; 5 minutes where absent. No person is waited for.",
				DeleteDescription: "How long a destroy waits until the API is offline; 60 minutes where absent.",
			}),
		},
	}
}

// takeComputed sets what only the service knows.
func (m *publicationModel) takeComputed(p service.Publication) {
	m.ID, m.Status, m.URL = types.StringValue(p.ID), types.StringValue(string(p.Status)), orNull(p.URL)
	m.LiveRevision, m.Version = types.Int64Null(), types.StringNull()
	if p.Live != nil {
		m.LiveRevision, m.Version = revisionOrNull(p.Live.Revision), orNull(p.Live.Name)
	}
	switch review := lastReview(p); {
	case review != nil:
		m.ReviewID, m.ReviewURL = types.StringValue(review.ID), orNull(review.URL)
	case m.ReviewID.IsUnknown():
		m.ReviewID, m.ReviewURL = types.StringNull(), types.StringNull()
	}
}

func lastReview(p service.Publication) *service.Review {
	if p.OpenReview != nil {
		return p.OpenReview
	}
	return p.Rejection
}

// standpoint is who looks at a publication, and what was asked for so far.
type standpoint struct {
	memberID string
	// revision and connectionID are what the state has; 0 and "" where it says nothing.
	revision     int64
	connectionID string
}

// standpoint is that of the member; chosen is the connection that the service chose
// when the configuration named none.
func (m *publicationModel) standpoint(memberID, chosen string) standpoint {
	from := standpoint{memberID: memberID, revision: m.APIRevision.ValueInt64(), connectionID: m.ConnectionID.ValueString()}
	if from.connectionID == "" {
		from.connectionID = chosen
	}
	return from
}

// asked reports whether the open application is the looker's own matter: the member
// made it, or it is for just what the state has, because another identity applied
// with the same state.
func (s standpoint) asked(open service.Review) bool {
	return open.ApplicantID == s.memberID ||
		open.Revision == s.revision && (s.connectionID == "" || s.connectionID == open.ConnectionID)
}

// target is what the publication is on the way to: its open candidate, else what is
// live. ok is false where it has neither. What somebody else applied for on their own
// is no target while something is live: the service refuses to replace their
// application, so a plan that fought it would never come true.
func target(p service.Publication, from standpoint) (revision int64, connectionID string, ok bool) {
	switch {
	case p.OpenReview != nil && (p.Live == nil || from.asked(*p.OpenReview)):
		return p.OpenReview.Revision, p.OpenReview.ConnectionID, true
	case p.Live != nil:
		return p.Live.Revision, p.Live.ConnectionID, true
	}
	return 0, "", false
}

// read makes the model say what a refresh by the member found; chosen is the
// connection that the service chose when the configuration named none. gone is true
// where the next plan must create the publication.
func (m *publicationModel) read(p service.Publication, memberID, chosen string) (gone bool, err error) {
	row, err := rowOf(&p)
	if err != nil || row.desired == readAbsent {
		return row.desired == readAbsent, err
	}
	m.takeComputed(p)
	m.APIID, m.EnvironmentID = types.StringValue(p.APIID), types.StringValue(p.EnvironmentID)
	switch {
	case row.desired != readAsBefore:
		m.DesiredStatus = types.StringValue(string(row.desired))
	case m.DesiredStatus.IsNull():
		m.DesiredStatus = types.StringValue(desiredPublished)
	}
	revision, connectionID, ok := target(p, m.standpoint(memberID, chosen))
	m.APIRevision = types.Int64Null()
	if !ok || !row.targets {
		return false, nil
	}
	m.APIRevision = types.Int64Value(revision)
	// The API's own connection is not written down; another one than that is drift.
	if m.ConnectionID.IsNull() && chosen != "" && chosen != connectionID || !m.ConnectionID.IsNull() {
		m.ConnectionID = types.StringValue(connectionID)
	}
	return false, nil
}

// The keys of the private state.
const (
	// chosenKey keeps the connection that the service chose where the configuration names none.
	chosenKey = "chosen_connection"
	// rejectionKey keeps the last rejection that a refresh saw.
	rejectionKey = "rejection"
)

// rejection is what a plan must know of an application that was rejected.
type rejection struct {
	Kind         service.ReviewKind `json:"kind"`
	Revision     int64              `json:"api_revision"`
	ConnectionID string             `json:"connection_id"`
	Remark       string             `json:"remark"`
	Reviewer     string             `json:"reviewer"`
	Comment      string             `json:"comment"`
	ReviewID     string             `json:"review_id"`
}

type writablePrivateState interface {
	privateState
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

// keep notes in the private state what later plans must know of the publication.
func keep(ctx context.Context, private writablePrivateState, p service.Publication) diag.Diagnostics {
	var noted *rejection
	if r := p.Rejection; r != nil && p.OpenReview == nil {
		noted = &rejection{r.Kind, r.Revision, r.ConnectionID, r.Remark, r.DeciderName, r.Comment, r.ID}
	}
	return setPrivate(ctx, private, rejectionKey, noted)
}

func setPrivate(ctx context.Context, private writablePrivateState, key string, value any) diag.Diagnostics {
	data, err := json.Marshal(value)
	if err != nil {
		panic("provider: private state is always JSON: " + err.Error())
	}
	return private.SetKey(ctx, key, data)
}

// getPrivate reads a value of the private state; the zero value where there is none.
func getPrivate[T any](ctx context.Context, private privateState, key string) (value T, diags diag.Diagnostics) {
	data, diags := private.GetKey(ctx, key)
	if len(data) > 0 && json.Unmarshal(data, &value) != nil {
		diags.AddWarning("Unreadable private state", "The provider cannot read "+key+" in the private state and goes on without it.")
	}
	return value, diags
}

func (r *publicationResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var remark types.String
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("remark"), &remark)...)
	addFieldErrors(ctx, &resp.Diagnostics, req.Config, service.ValidateRemark(remark.ValueString()))
}

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
	if rejected != nil && rejected.about(plan) {
		resp.Diagnostics.AddWarning("Rejected by "+rejected.Reviewer,
			fmt.Sprintf("%s rejected revision %d: %q (review %s). An apply fails until api_revision or remark changes.",
				rejected.Reviewer, rejected.Revision, rejected.Comment, rejected.ReviewID))
	}
	if !req.Plan.Raw.Equal(req.State.Raw) && state.settledAs(plan) {
		// Only what is not sent to the service changes.
		plan.Status, plan.ReviewID, plan.ReviewURL = state.Status, state.ReviewID, state.ReviewURL
		plan.LiveRevision, plan.Version, plan.URL = state.LiveRevision, state.Version, state.URL
		resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
	}
}

// about reports whether the plan asks for just what was rejected.
func (r *rejection) about(plan publicationModel) bool {
	if plan.Remark.ValueString() != r.Remark || plan.Remark.IsUnknown() || plan.APIRevision.IsUnknown() || plan.ConnectionID.IsUnknown() {
		return false
	}
	if r.Kind == service.ReviewRestore {
		return plan.DesiredStatus.ValueString() == desiredPublished
	}
	return plan.APIRevision.ValueInt64() == r.Revision && (plan.ConnectionID.IsNull() || plan.ConnectionID.ValueString() == r.ConnectionID)
}

// settledAs reports whether the state is what the plan asks for, waits for nobody,
// and differs in remark and timeouts alone.
func (m *publicationModel) settledAs(plan publicationModel) bool {
	status := service.Status(m.Status.ValueString())
	return (status == service.StatusPublished || status == service.StatusStopped) &&
		m.APIID.Equal(plan.APIID) && m.EnvironmentID.Equal(plan.EnvironmentID) && m.ConnectionID.Equal(plan.ConnectionID) &&
		m.APIRevision.Equal(plan.APIRevision) && m.APIRevision.Equal(m.LiveRevision) &&
		m.DesiredStatus.Equal(plan.DesiredStatus) && m.DesiredStatus.ValueString() == string(status)
}

// wanted is what an apply leads to.
type wanted struct {
	apiID, environmentID string
	revision             int64
	connectionID         string
	remark               string
	desired              string
	// apply says that the publish call is made even where the publication seems to have
	// the revision: the connection or the remark of an open application changed, or
	// what there is was made by somebody else.
	apply bool
	// renew says that the remark of an open application to restore changed, so that it
	// is made again.
	renew bool
	// from is who looks, and what was asked for before.
	from standpoint
}

func (m *publicationModel) wanted(from standpoint) wanted {
	return wanted{
		from:  from,
		apiID: m.APIID.ValueString(), environmentID: m.EnvironmentID.ValueString(), revision: m.APIRevision.ValueInt64(),
		connectionID: m.ConnectionID.ValueString(), remark: m.Remark.ValueString(), desired: m.DesiredStatus.ValueString(),
	}
}

// at reports whether the publication has, or is on the way to, what is wanted.
func (w wanted) at(p *service.Publication) bool {
	return p != nil && !w.apply && w.reached(*p)
}

func (w wanted) reached(p service.Publication) bool {
	revision, connectionID, ok := target(p, w.from)
	return ok && revision == w.revision && (w.connectionID == "" || w.connectionID == connectionID)
}

// missed says why the publication is not on the way to what is wanted although no
// call failed: the service leaves the application of somebody else as it is.
func (w wanted) missed(p service.Publication) error {
	switch open := p.OpenReview; {
	case w.reached(p) || open != nil && open.ApplicantID == w.from.memberID:
		return nil
	case open != nil:
		return fmt.Errorf("%s applied to publish revision %d of %s in %s, and nobody has decided yet: review %s, %s. That application stands, so revision %d is not where this ends. Have it cancelled by %s or a reviewer, or decided, and apply again",
			open.ApplicantName, open.Revision, p.APIName, p.EnvironmentName, open.ID, open.URL, w.revision, open.ApplicantName)
	}
	return fmt.Errorf("somebody else changed %s in %s at the same time, and revision %d is not what it holds. Run plan again", p.APIName, p.EnvironmentName, w.revision)
}

// progress is how far converge came.
type progress struct {
	// publication is as the last call answered; nil where there is none.
	publication *service.Publication
	// made holds the calls that were made.
	made []service.Call
	// left holds the calls that wait for a decision.
	left []service.Call
}

// publicationReview is the open application; nil where there is none.
func (p progress) publicationReview() *service.Review {
	if p.publication == nil {
		return nil
	}
	return p.publication.OpenReview
}

// published reports whether the publish call was made.
func (p progress) published() bool {
	for _, call := range p.made {
		if call == service.CallPublish {
			return true
		}
	}
	return false
}

// converge makes the calls that lead from what there is to what is wanted.
func (r *publicationResource) converge(ctx context.Context, there *service.Publication, w wanted) (progress, error) {
	done := progress{publication: there}
	row, err := rowOf(there)
	if err != nil {
		return done, err
	}
	steps := row.steps(w.desired, w.at(there))
	if len(steps) == 0 && w.renew {
		steps = row.renewal
	}
	for i, call := range steps {
		if open := done.publicationReview(); i > 0 && open != nil && w.from.asked(*open) {
			done.left = steps[i:]
			return done, nil
		}
		if i > 0 && skips(call, *done.publication) {
			continue
		}
		p, err := r.call(ctx, call, done.publication, w)
		if err != nil {
			return done, err
		}
		done.publication, done.made = &p, append(done.made, call)
	}
	return done, nil
}

func (r *publicationResource) call(ctx context.Context, call service.Call, p *service.Publication, w wanted) (service.Publication, error) {
	in := service.ActionInput{Remark: w.remark}
	switch call {
	case service.CallPublish:
		return r.backend.client.Publish(ctx, service.PublishInput{
			APIID: w.apiID, EnvironmentID: w.environmentID, Revision: w.revision, ConnectionID: w.connectionID, Remark: w.remark,
		})
	case service.CallSuspend:
		return r.backend.client.Suspend(ctx, p.ID, in)
	case service.CallRestore:
		return r.backend.client.Restore(ctx, p.ID, in)
	case service.CallCancel:
		return r.backend.client.Cancel(ctx, p.ID, in)
	}
	return service.Publication{}, fmt.Errorf("the call %s is not made by an apply", call)
}

// find returns the one publication of an API in an environment; nil where there is none.
func (r *publicationResource) find(ctx context.Context, apiID, environmentID string) (*service.Publication, error) {
	list, err := r.backend.client.Publications(ctx, client.PublicationFilter{APIID: apiID, EnvironmentID: environmentID}, client.Page{Limit: 1})
	if err != nil || len(list.Items) == 0 {
		return nil, err
	}
	return &list.Items[0], nil
}

func (r *publicationResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan publicationModel
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
	w := plan.wanted(standpoint{memberID: identity.Member.ID})
	release, ok := r.backend.claim(publicationType + " " + w.apiID + " " + w.environmentID)
	if !ok {
		addDuplicate(&resp.Diagnostics, path.Root("api_id"), fmt.Sprintf("the publication of API %s in environment %s", w.apiID, w.environmentID))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	// What exists is adopted: an application whose answer was lost, or one record that
	// outlived what it published.
	there, err := r.find(ctx, w.apiID, w.environmentID)
	if err != nil {
		release()
		addError(&resp.Diagnostics, nil, r.summary("create", plan), err)
		return
	}
	w.apply = there != nil && there.Status != service.StatusRecoverWaitReview
	if there != nil && there.Status == service.StatusRecoverWaitReview && there.OpenReview != nil {
		w.renew = there.OpenReview.ApplicantID == identity.Member.ID && there.OpenReview.Remark != w.remark
	}
	done, err := r.converge(ctx, there, w)
	if err == nil {
		if err = w.missed(*done.publication); err != nil {
			done.made = nil // nothing of it came true
		}
	}
	if err != nil && len(done.made) == 0 {
		release()
		addError(&resp.Diagnostics, req.Plan.Schema.Type(), r.summary("create", plan), err)
		return
	}
	p := *done.publication
	plan.takeComputed(p)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
	resp.Diagnostics.Append(r.note(ctx, resp.Private, plan, p, w.from)...)
	r.warn(&resp.Diagnostics, p, done.left, w.from)
	if err != nil {
		// An error here would taint what was published, and the next apply would take it
		// offline first.
		resp.Diagnostics.AddWarning(fmt.Sprintf("%s in %s is not %s yet", p.APIName, p.EnvironmentName, w.desired),
			fmt.Sprintf("Its revision %d was taken over, and then: %s The next apply goes on from there.", w.revision, err))
	}
}

// note keeps in the private state what later refreshes and plans need.
func (r *publicationResource) note(ctx context.Context, private writablePrivateState, m publicationModel, p service.Publication, from standpoint) diag.Diagnostics {
	chosen := ""
	if _, connectionID, ok := target(p, from); ok && m.ConnectionID.IsNull() {
		chosen = connectionID
	}
	diags := setPrivate(ctx, private, chosenKey, chosen)
	diags.Append(keep(ctx, private, p)...)
	return diags
}

// warn tells that a person must decide before the plan has come true.
func (r *publicationResource) warn(diags *diag.Diagnostics, p service.Publication, left []service.Call, from standpoint) {
	review := p.OpenReview
	if review == nil {
		return
	}
	if p.Live != nil && !from.asked(*review) {
		diags.AddWarning(fmt.Sprintf("%s applied for %s in %s too", review.ApplicantName, p.APIName, p.EnvironmentName),
			fmt.Sprintf("Review %s, of revision %d, is pending: %s\n\nIt is not from this configuration, which it leaves as it is until a reviewer approves it. The plan shows the difference then.",
				review.ID, review.Revision, review.URL))
		return
	}
	what := fmt.Sprintf("Publishing revision %d of %s to %s", review.Revision, p.APIName, p.EnvironmentName)
	if review.Kind == service.ReviewRestore {
		what = fmt.Sprintf("Restoring revision %d of %s in %s", review.Revision, p.APIName, p.EnvironmentName)
	}
	detail := fmt.Sprintf("Review %s must be approved by a reviewer: %s\n\n", review.ID, review.URL)
	switch {
	case p.Live != nil && p.Status.Callable():
		detail += fmt.Sprintf("Until then revision %d (%s) goes on answering. ", p.Live.Revision, p.Live.Name)
	default:
		detail += "Until then calls are not answered. "
	}
	if len(left) > 0 {
		detail += "Once it is approved, another apply completes the rest of this one."
	} else {
		detail += "Nothing more is to be done here: once it is approved, the plan is still empty."
	}
	diags.AddWarning(what+" waits for review", detail)
}

func (r *publicationResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state publicationModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	chosen, diags := getPrivate[string](ctx, req.Private, chosenKey)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || !r.backend.readable(ctx, &resp.Diagnostics) {
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
	identity, err := r.backend.whoAmI(ctx)
	if err != nil {
		addError(&resp.Diagnostics, nil, r.summary("read", state), err)
		return
	}
	gone, err := state.read(p, identity.Member.ID, chosen)
	switch {
	case err != nil:
		resp.Diagnostics.AddError(r.summary("read", state), err.Error())
		return
	case gone:
		resp.State.RemoveResource(ctx)
		return
	}
	if importing {
		r.guessInputs(ctx, &state, p, standpoint{memberID: identity.Member.ID})
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
	resp.Diagnostics.Append(keep(ctx, resp.Private, p)...)
}

// guessInputs fills in, for an import, the inputs that a refresh never reads back.
func (r *publicationResource) guessInputs(ctx context.Context, m *publicationModel, p service.Publication, from standpoint) {
	switch {
	case p.OpenReview != nil && (p.Live == nil || from.asked(*p.OpenReview)):
		m.Remark = orNull(p.OpenReview.Remark)
	case p.Live != nil:
		m.Remark = orNull(p.Live.Remark)
	}
	_, connectionID, ok := target(p, from)
	if !ok {
		return
	}
	if api, err := r.backend.client.API(ctx, p.APIID); err == nil && api.ConnectionID != connectionID {
		m.ConnectionID = types.StringValue(connectionID)
	}
}

func (r *publicationResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state publicationModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	timeout, diags := plan.Timeouts.Update(ctx, publishTimeout)
	resp.Diagnostics.Append(diags...)
	chosen, diags := getPrivate[string](ctx, req.Private, chosenKey)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || !r.backend.ready(ctx, &resp.Diagnostics) {
		return
	}
	if state.settledAs(plan) {
		resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
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
	w := plan.wanted(state.standpoint(identity.Member.ID, chosen))
	open, reworded := there.OpenReview, !plan.Remark.Equal(state.Remark)
	w.apply = !plan.ConnectionID.Equal(state.ConnectionID) || open != nil && open.Kind == service.ReviewPublish && reworded
	w.renew = open != nil && open.Kind == service.ReviewRestore && reworded
	done, err := r.converge(bounded, &there, w)
	if err == nil {
		err = w.missed(*done.publication)
	}
	if err != nil {
		addUpdateError(&resp.Diagnostics, req.Plan.Schema.Type(), r.summary("update", plan), err)
		r.recordReality(ctx, resp, plan, state, done, w.from)
		return
	}
	plan.takeComputed(*done.publication)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
	resp.Diagnostics.Append(r.note(ctx, resp.Private, plan, *done.publication, w.from)...)
	r.warn(&resp.Diagnostics, *done.publication, done.left, w.from)
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
	if done.published() {
		state.Remark, state.ConnectionID = plan.Remark, plan.ConnectionID
		resp.Diagnostics.Append(r.note(ctx, resp.Private, state, *done.publication, from)...)
	}
	chosen, diags := getPrivate[string](ctx, resp.Private, chosenKey)
	resp.Diagnostics.Append(diags...)
	gone, err := state.read(p, from.memberID, chosen)
	if gone || err != nil {
		return // the next refresh tells
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
	resp.Diagnostics.Append(keep(ctx, resp.Private, p)...)
}

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
	if err := r.takeOffline(ctx, state.ID.ValueString(), service.ActionInput{}, timeout); err != nil {
		addError(&resp.Diagnostics, nil, r.summary("destroy", state), err)
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
		switch p.Status {
		case service.StatusCreated, service.StatusPublishReject, service.StatusOffline:
			// The record holds nothing any more. It stays, with its history, as long as its API.
			return nil
		case service.StatusWaitingOffline:
			return r.awaitOffline(ctx, p, timeout)
		case service.StatusPublishWaitReview:
			p, err = r.backend.client.Cancel(ctx, id, in)
		default:
			p, err = r.backend.client.Unpublish(ctx, id, in)
		}
		switch code := service.ErrorCode(err); {
		case code == service.CodeForbidden:
			return fmt.Errorf("%w Nothing was changed, and calls are answered as before.", err)
		case (code == service.CodeIllegalAction || code == service.CodeConflict) && turn < maxTurns:
			// It was decided in this moment: look again.
			p, err = r.backend.client.Publication(ctx, id, 0)
		}
	}
}

// awaitOffline waits until the announced unpublishing is over. While the API is
// callable, an error keeps the publication in the state.
func (r *publicationResource) awaitOffline(ctx context.Context, p service.Publication, timeout time.Duration) error {
	for {
		if p.Status != service.StatusWaitingOffline {
			return r.takeOffline(ctx, p.ID, service.ActionInput{}, timeout)
		}
		next, err := r.backend.client.Publication(ctx, p.ID, client.MaxWait/2)
		switch {
		case client.IsNotFound(err):
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("%s in %s is announced to go offline and still answers calls: the destroy ended before (it waits %s at most). Destroy again to wait on", p.APIName, p.EnvironmentName, timeout)
		case err != nil:
			return err
		}
		if p = next; p.Status == service.StatusWaitingOffline {
			pause(ctx, breath)
		}
	}
}

func (r *publicationResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resource.ImportStatePassthroughID(ctx, path.Root("id"), req, resp)
}

func (r *publicationResource) summary(verb string, m publicationModel) string {
	if m.ID.ValueString() == "" {
		return summary(verb, "publication of API", "", m.APIID.ValueString())
	}
	return summary(verb, "publication", "", m.ID.ValueString())
}
