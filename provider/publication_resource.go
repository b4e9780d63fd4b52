// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
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
	Version       types.String   `tfsdk:"version"`
	ConnectionID  types.String   `tfsdk:"connection_id"`
	Remark        types.String   `tfsdk:"remark"`
	DesiredStatus types.String   `tfsdk:"desired_status"`
	NoticeTime    types.String   `tfsdk:"notice_time"`
	Status        types.String   `tfsdk:"status"`
	Deadline      types.String   `tfsdk:"deadline"`
	ReviewID      types.String   `tfsdk:"review_id"`
	ReviewURL     types.String   `tfsdk:"review_url"`
	LiveRevision  types.Int64    `tfsdk:"live_revision"`
	URL           types.String   `tfsdk:"url"`
	Timeouts      timeouts.Value `tfsdk:"timeouts"`

	// pinned says that the configuration names a version, and not a revision.
	pinned bool `tfsdk:"-"`
}

func (r *publicationResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = publicationType
}

var (
	idPattern            = regexp.MustCompile(`^[0-9a-f]{32}$`)
	environmentIDPattern = regexp.MustCompile(`^([0-9a-f]{32}|` + service.ReleaseEnvironmentID + `)$`)
	versionPattern       = regexp.MustCompile(`^V[1-9][0-9]{0,17}$`)
)

func (r *publicationResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Puts one revision of an API live in an environment: at once for a reviewer, and where the environment needs no review; as an application otherwise.\n\n" +
			"The resource never waits for a person. Where a review is pending, the apply succeeds with a warning that names the review; the plan is empty while it is pending and once it is approved. " +
			"Meanwhile the revision that was live before goes on answering. An application that was rejected is not converged: the plan shows it and quotes the comment, and an apply fails until `api_revision` or `remark` changes.\n\n" +
			"Destroying it cancels a pending application, and unpublishes what is live, which needs the reviewer right. While apps are authorized, they are told first: the destroy waits until each has confirmed its notice or the deadline has passed. " +
			"Where it ends before, because of its timeout or an interruption, it ends with an error, the API still answers calls, and the next destroy takes over what is announced.\n\n" +
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
				Validators:          []validator.String{stringvalidator.RegexMatches(environmentIDPattern, "must be the id of an environment: use the id of a dataservice_environment")},
			},
			"api_revision": schema.Int64Attribute{
				MarkdownDescription: "Revision of the API to publish. With `dataservice_api.x.revision` every change of the definition is published. It reads as the revision of the open application, else as the live one; an application of another member that this configuration did not ask for is passed over while something is live. Either it or `version` is given.",
				Optional:            true,
				Computed:            true,
				Validators:          []validator.Int64{int64validator.AtLeast(1)},
			},
			"version": schema.StringAttribute{
				MarkdownDescription: "In place of `api_revision`: a version that was live here before, such as `V3`, to make live again, on the connection that it had. Where absent, it reads as the version that is called, or that a restore brings back.",
				Optional:            true,
				Computed:            true,
				Validators: []validator.String{
					stringvalidator.RegexMatches(versionPattern, "must be the name of a version: V1, V2, …"),
					stringvalidator.ConflictsWith(path.MatchRoot("connection_id")),
				},
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
			"notice_time": noticeTimeAttribute("When a suspension or unpublishing happens at the latest, where apps are authorized."),
			"status": schema.StringAttribute{
				MarkdownDescription: "Where the publication stands: `PUBLISH_WAIT_REVIEW`, `PUBLISH_REJECT`, `PUBLISHED`, `WAITING_STOP`, `STOPPED`, `RECOVER_WAIT_REVIEW` or `WAITING_OFFLINE`.",
				Computed:            true,
			},
			"deadline": schema.StringAttribute{
				MarkdownDescription: "When the suspension or unpublishing that is announced happens at the latest, as RFC 3339 in UTC; null where none is.",
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
			"url": schema.StringAttribute{
				MarkdownDescription: "Where the API is called once it is live.",
				Computed:            true,
			},
			"timeouts": timeouts.Attributes(ctx, timeouts.Opts{
				Create: true, Update: true, Delete: true,
				CreateDescription: "How long the requests of a create may take, such as `2m`; 5 minutes where absent. No person is waited for.",
				UpdateDescription: "How long the requests of an update may take; 5 minutes where absent. No person is waited for.",
				DeleteDescription: "How long a destroy waits for the authorized apps to confirm that the API goes offline, or for the deadline; 60 minutes where absent. Another destroy waits on.",
			}),
		},
	}
}

// takeComputed sets what only the service knows.
func (m *publicationModel) takeComputed(p service.Publication) {
	m.ID, m.Status, m.URL = types.StringValue(p.ID), types.StringValue(string(p.Status)), orNull(p.URL)
	m.Deadline, m.LiveRevision = timeOrNull(p.Deadline), types.Int64Null()
	if p.Live != nil {
		m.LiveRevision = revisionOrNull(p.Live.Revision)
	}
	switch review := lastReview(p); {
	case review != nil:
		m.ReviewID, m.ReviewURL = types.StringValue(review.ID), orNull(review.URL)
	case m.ReviewID.IsUnknown():
		m.ReviewID, m.ReviewURL = types.StringNull(), types.StringNull()
	}
}

// takeApplied sets what an apply that succeeded leaves to the service.
func (m *publicationModel) takeApplied(p service.Publication, from standpoint) {
	m.takeComputed(p)
	to, ok := target(p, from)
	if m.APIRevision.IsUnknown() {
		m.APIRevision = revisionOrNull(to.revision)
	}
	if m.Version.IsUnknown() {
		m.takeVersion(p, to, ok)
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

// aim is what a publication is on the way to.
type aim struct {
	revision     int64
	connectionID string
	// version is "" while the revision is to be a new one.
	version string
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
func target(p service.Publication, from standpoint) (to aim, ok bool) {
	switch {
	case p.OpenReview != nil && (p.Live == nil || from.asked(*p.OpenReview)):
		to = aim{p.OpenReview.Revision, p.OpenReview.ConnectionID, p.OpenReview.Version}
		if p.OpenReview.Kind == service.ReviewRestore && p.Live != nil {
			to.version = p.Live.Name
		}
		return to, true
	case p.Live != nil:
		return aim{p.Live.Revision, p.Live.ConnectionID, p.Live.Name}, true
	}
	return aim{}, false
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
	to, ok := target(p, m.standpoint(memberID, chosen))
	ok = ok && row.targets
	m.takeVersion(p, to, ok)
	m.APIRevision = types.Int64Null()
	if !ok {
		return false, nil
	}
	m.APIRevision = types.Int64Value(to.revision)
	// The API's own connection is not written down; another one than that is drift. A
	// version has the connection that it had.
	if !m.pinned && (m.ConnectionID.IsNull() && chosen != "" && chosen != to.connectionID || !m.ConnectionID.IsNull()) {
		m.ConnectionID = types.StringValue(to.connectionID)
	}
	return false, nil
}

// takeVersion sets the version: the one that the publication is on the way to where the
// configuration names it, so that another one is drift; else the one that is live.
func (m *publicationModel) takeVersion(p service.Publication, to aim, ok bool) {
	m.Version = types.StringNull()
	switch {
	case m.pinned && ok:
		m.Version = orNull(to.version)
	case !m.pinned && p.Live != nil:
		m.Version = orNull(p.Live.Name)
	}
}

// The keys of the private state.
const (
	// chosenKey keeps the connection that the service chose where the configuration names none.
	chosenKey = "chosen_connection"
	// rejectionKey keeps the last rejection that a refresh saw.
	rejectionKey = "rejection"
	// pinnedKey keeps whether the configuration named a version when it was applied.
	pinnedKey = "pinned"
)

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

type writablePrivateState interface {
	privateState
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

// keep notes in the private state what later plans must know of the publication.
func keep(ctx context.Context, private writablePrivateState, p service.Publication) diag.Diagnostics {
	var noted *rejection
	if r := p.Rejection; r != nil && p.OpenReview == nil {
		noted = &rejection{r.Kind, r.Revision, r.Version, r.ConnectionID, r.Remark, r.DeciderName, r.Comment, r.ID}
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

func (r *publicationResource) ConfigValidators(context.Context) []resource.ConfigValidator {
	return []resource.ConfigValidator{
		resourcevalidator.ExactlyOneOf(path.MatchRoot("api_revision"), path.MatchRoot("version")),
	}
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

// what names the attribute that says what is published.
func (m *publicationModel) what() string {
	if m.pinned {
		return "version"
	}
	return "api_revision"
}

// candidate names what an application is about, or what is to be live.
func candidate(revision int64, version string) string {
	if version != "" {
		return "version " + version
	}
	return fmt.Sprintf("revision %d", revision)
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

// wanted is what an apply leads to.
type wanted struct {
	apiID, environmentID string
	// revision or version is what is to be live: version, where it is not "".
	revision int64
	version  string
	// connectionID is "" where the service chooses it.
	connectionID string
	remark       string
	desired      string
	// noticeTime is when a suspension happens at the latest; "" leaves it to the service.
	noticeTime string
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
	w := wanted{
		from:  from,
		apiID: m.APIID.ValueString(), environmentID: m.EnvironmentID.ValueString(),
		connectionID: m.ConnectionID.ValueString(), remark: m.Remark.ValueString(), desired: m.DesiredStatus.ValueString(),
		noticeTime: m.NoticeTime.ValueString(),
	}
	if m.pinned {
		w.version = m.Version.ValueString()
	} else {
		w.revision = m.APIRevision.ValueInt64()
	}
	return w
}

// at reports whether the publication has, or is on the way to, what is wanted.
func (w wanted) at(p *service.Publication) bool {
	return p != nil && !w.apply && w.reached(*p)
}

func (w wanted) reached(p service.Publication) bool {
	to, ok := target(p, w.from)
	if w.version != "" {
		return ok && to.version == w.version
	}
	return ok && to.revision == w.revision && (w.connectionID == "" || w.connectionID == to.connectionID)
}

// missed says why the publication is not on the way to what is wanted although no
// call failed: the service leaves the application of somebody else as it is.
func (w wanted) missed(p service.Publication) error {
	switch open := p.OpenReview; {
	case w.reached(p) || open != nil && open.ApplicantID == w.from.memberID:
		return nil
	case open != nil:
		return fmt.Errorf("%s applied to publish %s of %s in %s, and nobody has decided yet: review %s, %s. That application stands, so %s is not where this ends. Have it cancelled by %s or a reviewer, or decided, and apply again",
			open.ApplicantName, candidate(open.Revision, open.Version), p.APIName, p.EnvironmentName, open.ID, open.URL, candidate(w.revision, w.version), open.ApplicantName)
	}
	return fmt.Errorf("somebody else changed %s in %s at the same time, and %s is not what it holds. Run plan again", p.APIName, p.EnvironmentName, candidate(w.revision, w.version))
}

// progress is how far converge came.
type progress struct {
	// publication is as the last call answered; nil where there is none.
	publication *service.Publication
	// made holds the calls that were made.
	made []service.Call
	// left holds the calls that wait for a decision.
	left []service.Call
	// notes are what the service said about how it understood the calls.
	notes []string
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
	if there != nil && there.AuthorizedApps > 0 {
		steps = publishedFirst(steps)
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
		if p.Note != "" {
			done.notes = append(done.notes, p.Note)
		}
	}
	return done, nil
}

func (r *publicationResource) call(ctx context.Context, call service.Call, p *service.Publication, w wanted) (service.Publication, error) {
	in := service.ActionInput{Remark: w.remark}
	switch call {
	case service.CallPublish:
		return r.backend.client.Publish(ctx, service.PublishInput{
			APIID: w.apiID, EnvironmentID: w.environmentID, Revision: w.revision, Version: w.version, ConnectionID: w.connectionID, Remark: w.remark,
		})
	case service.CallSuspend:
		in.Time = w.noticeTime
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
	plan.pinned = !leftOut(ctx, req.Config, path.Root("version"))
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
	plan.takeApplied(p, w.from)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
	resp.Diagnostics.Append(r.note(ctx, resp.Private, plan, p, w.from)...)
	r.warn(ctx, &resp.Diagnostics, done, w.from)
	if err != nil {
		// An error here would taint what was published, and the next apply would take it
		// offline first.
		resp.Diagnostics.AddWarning(fmt.Sprintf("%s in %s is not %s yet", p.APIName, p.EnvironmentName, w.desired),
			fmt.Sprintf("Its %s was taken over, and then: %s The next apply goes on from there.", candidate(w.revision, w.version), err))
	}
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

func (r *publicationResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state publicationModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	chosen, diags := getPrivate[string](ctx, req.Private, chosenKey)
	resp.Diagnostics.Append(diags...)
	state.pinned, diags = getPrivate[bool](ctx, req.Private, pinnedKey)
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
	if p.EnvironmentID, err = r.backend.environmentAs(ctx, state.EnvironmentID, p.EnvironmentID); err != nil {
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
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	timeout, diags := plan.Timeouts.Update(ctx, publishTimeout)
	resp.Diagnostics.Append(diags...)
	chosen, diags := getPrivate[string](ctx, req.Private, chosenKey)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || !r.backend.ready(ctx, &resp.Diagnostics) {
		return
	}
	plan.pinned = !leftOut(ctx, req.Config, path.Root("version"))
	if state.settledAs(plan) {
		resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
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
	w := plan.wanted(state.standpoint(identity.Member.ID, chosen))
	open, reworded := there.OpenReview, !plan.Remark.Equal(state.Remark)
	w.apply = !plan.ConnectionID.Equal(state.ConnectionID) || open != nil && open.Kind == service.ReviewPublish && reworded
	w.renew = open != nil && open.Kind == service.ReviewRestore && reworded
	done, err := r.converge(bounded, &there, w)
	if err == nil {
		err = w.missed(*done.publication)
	}
	if err != nil {
		addUpdateError(&resp.Diagnostics, req.Plan.Schema.Type(), publicationSummary("update", there), err)
		r.recordReality(ctx, resp, plan, state, done, w.from)
		return
	}
	plan.takeApplied(*done.publication, w.from)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
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
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
	resp.Diagnostics.Append(keep(ctx, resp.Private, p)...)
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

// failed is the summary with names in place of the id: Terraform shows no address with the
// error of a destroy, and an id says nothing to people.
func (r *publicationResource) failed(ctx context.Context, verb string, m publicationModel, err error) string {
	if client.Answered(err) || ctx.Err() != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookTime)
		defer cancel()
		if p, err := r.backend.client.Publication(ctx, m.ID.ValueString(), 0); err == nil {
			return publicationSummary(verb, p)
		}
	}
	return r.summary(verb, m)
}

func publicationSummary(verb string, p service.Publication) string {
	return summary(verb, "publication of", p.APIName+" in "+p.EnvironmentName, "")
}
