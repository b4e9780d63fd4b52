// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataarts

import (
	"slices"
	"strconv"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

// Statuses of applications and messages.
const (
	statusPending   = "STATUS_TYPE_PENDING_APPROVAL"
	statusRejected  = "STATUS_TYPE_REJECTED"
	statusUnchecked = "STATUS_TYPE_PENDING_CHECK"
	statusScheduled = "STATUS_TYPE_PENDING_EXECUTE"
	statusExecuted  = "STATUS_TYPE_SYNCHRONOUS_EXECUTE"
	statusCancelled = "STATUS_TYPE_FORCED_CANCEL"
	statusPassed    = "STATUS_TYPE_PASSED"
)

var (
	reviewStatuses = map[service.ReviewStatus]string{
		service.ReviewPending: statusPending, service.ReviewApproved: statusPassed, service.ReviewRejected: statusRejected,
		service.ReviewCancelled: statusCancelled, service.ReviewSuperseded: statusCancelled,
	}
	reviewTypes = map[service.ReviewKind]string{
		service.ReviewPublish: "APPLY_TYPE_PUBLISH", service.ReviewRestore: "APPLY_TYPE_RECOVER", service.ReviewAuthorize: applyApply,
	}
)

// applicationBody is an application, or a message.
type applicationBody struct {
	ID             string `json:"id"`
	APIApplyStatus string `json:"api_apply_status"`
	APIApplyType   string `json:"api_apply_type"`
	APIID          string `json:"api_id"`
	APIName        string `json:"api_name"`
	APIUsingTime   *int64 `json:"api_using_time,omitempty"`
	AppID          string `json:"app_id,omitempty"`
	AppName        string `json:"app_name,omitempty"`
	ApplyTime      int64  `json:"apply_time"`
	ApprovalTime   *int64 `json:"approval_time,omitempty"`
	ApproverName   string `json:"approver_name,omitempty"`
	Comment        string `json:"comment,omitempty"`
	UserName       string `json:"user_name"`
}

func bodyOfReview(r service.Review) applicationBody {
	return applicationBody{
		ID: r.ID, APIApplyStatus: reviewStatuses[r.Status], APIApplyType: reviewTypes[r.Kind], APIID: r.APIID, APIName: r.APIName,
		APIUsingTime: wire.MillisOf(r.Until), AppID: r.AppID, AppName: r.AppName, ApplyTime: wire.Millis(r.CreatedAt), ApprovalTime: wire.MillisOf(r.DecidedAt),
		ApproverName: r.DeciderName, Comment: r.Comment, UserName: r.ApplicantName,
	}
}

// queries are whose applications can be asked for, by query_type.
var queries = []func(m service.Member, r service.Review) bool{
	// Received, and to be decided: whoever may decide is asked.
	func(m service.Member, r service.Review) bool {
		return m.May(service.OpDecide) && r.Status == service.ReviewPending
	},
	// Received, and decided.
	func(m service.Member, r service.Review) bool {
		return m.May(service.OpDecide) && r.Status != service.ReviewPending
	},
	// Sent as a developer.
	func(m service.Member, r service.Review) bool {
		return r.ApplicantID == m.ID && r.Kind != service.ReviewAuthorize
	},
	// Sent as a caller.
	func(m service.Member, r service.Review) bool {
		return r.ApplicantID == m.ID && r.Kind == service.ReviewAuthorize
	},
}

// listApplications lists applications, newest first.
func (f *face) listApplications(c *call) (any, error) {
	kind, err := c.number("query_type", 0, 0)
	if err != nil || kind >= len(queries) {
		return nil, invalid("query_type", "use 0 to "+strconv.Itoa(len(queries)-1))
	}
	filter := lifecycle.ReviewFilter{}
	if kind == 0 {
		filter.Status = service.ReviewPending
	}
	reviews, err := wire.All(func(p lifecycle.Page) (service.List[service.Review], error) {
		return f.service.Reviews(c.Context(), c.Caller, filter, p)
	})
	if err != nil {
		return nil, err
	}
	reviews = slices.DeleteFunc(reviews, func(r service.Review) bool {
		return !queries[kind](c.Member, r) || !like(r.APIName, c.URL.Query().Get("api_name"))
	})
	return listed(c, reviews, bodyOfReview)
}

// listed is a page of applications or messages.
func listed[T any](c *call, things []T, body func(T) applicationBody) (any, error) {
	some, err := page(c, things)
	if err != nil {
		return nil, err
	}
	records := []applicationBody{}
	for _, t := range some {
		records = append(records, body(t))
	}
	return map[string]any{"total": len(things), "records": records}, nil
}

func (f *face) application(c *call) (any, error) {
	id := c.param("apply_id")
	r, err := f.service.Review(c.Context(), c.Caller, id, 0)
	if err != nil {
		return nil, wire.OrMissing(err, noSuch(codeOtherMissing, "The application %s does not exist.", id))
	}
	return bodyOfReview(r), nil
}

// rejected is the comment of a rejection: this call carries none, and one is needed.
const rejected = "Rejected by a client of DataArts DataService, whose call carries no comment."

// decide approves or rejects applications: all of them, or none.
func (f *face) decide(c *call) (any, error) {
	var in struct {
		ApplyResult *bool    `json:"apply_result"`
		ApplyIDs    []string `json:"apply_ids"`
		Comment     string   `json:"comment"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if in.ApplyResult == nil {
		return nil, missing("apply_result")
	}
	if err := checkBatch("apply_ids", in.ApplyIDs); err != nil {
		return nil, err
	}
	decision, comment := service.CallApprove, in.Comment
	if !*in.ApplyResult {
		decision = service.CallReject
		if comment == "" {
			comment = rejected
		}
	}
	return nil, f.service.DecideAll(c.Context(), c.Caller, decision, service.DecisionInput{Comment: comment}, in.ApplyIDs...)
}

// approver is a member who may decide.
type approver struct {
	ID           string `json:"id"`
	ApproverName string `json:"approver_name"`
	UserID       string `json:"user_id"`
	UserName     string `json:"user_name"`
	CreateTime   int64  `json:"create_time"`
	ProjectID    string `json:"project_id"`
}

// usualApprovers is how many approvers a page has where the request does not say.
const usualApprovers = 10

// listApprovers lists who may decide, page by page.
func (f *face) listApprovers(c *call) (any, error) {
	number, err := c.number("page", 1, 1)
	if err != nil {
		return nil, err
	}
	size, err := c.number("size", usualApprovers, 1)
	if err != nil {
		return nil, err
	}
	reviewers, err := f.reviewers(c)
	if err != nil {
		return nil, err
	}
	found := []approver{}
	for _, m := range reviewers {
		if like(m.Name, c.URL.Query().Get("approver_name")) {
			found = append(found, approver{ID: m.ID, ApproverName: m.Name, UserID: m.ID, UserName: m.Name, CreateTime: wire.Millis(m.CreatedAt), ProjectID: m.WorkspaceID})
		}
	}
	approvers := []approver{}
	if number <= (len(found)+size-1)/size {
		approvers = part(found, (number-1)*size, size)
	}
	return map[string]any{"total": len(found), "approvers": approvers}, nil
}

// reviewers are the members who may decide.
func (f *face) reviewers(c *call) ([]service.Member, error) {
	members, err := wire.All(func(p lifecycle.Page) (service.List[service.Member], error) {
		return f.service.Members(c.Context(), c.Caller, p)
	})
	return slices.DeleteFunc(members, func(m service.Member) bool { return !m.May(service.OpDecide) }), err
}

// manager is who is told to decide on APIs: whoever may decide does, so it is the first of
// them by name.
func (f *face) manager(c *call) (string, error) {
	reviewers, err := f.reviewers(c)
	if err != nil || len(reviewers) == 0 {
		return "", err
	}
	return slices.MinFunc(reviewers, func(a, b service.Member) int { return compare(a.Name, b.Name) }).Name, nil
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// checkManager makes sure that who is to decide may.
func (f *face) checkManager(c *call, name *string) error {
	if name == nil || *name == "" {
		return nil
	}
	reviewers, err := f.reviewers(c)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(reviewers, func(m service.Member) bool { return m.Name == *name || m.ID == *name }) {
		return invalid("manager", "%q is no reviewer of this workspace: name one, or leave it out, as every reviewer may decide", *name)
	}
	return nil
}
