// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

// Way is how a call takes effect.
type Way string

// The ways.
const (
	// WayDirect: at once.
	WayDirect Way = "DIRECT"
	// WayReview: as an application that a reviewer decides.
	WayReview Way = "REVIEW"
	// WayRefused: not at all.
	WayRefused Way = "REFUSED"
)

// Ways lists every way.
var Ways = []Way{WayDirect, WayReview, WayRefused}

// Right says what becomes of a call that a member makes.
type Right struct {
	Way Way `json:"way" enum:"DIRECT,REVIEW,REFUSED"`
	// Why says what a call that is refused needs; "" where it is not refused.
	Why string `json:"why,omitempty" doc:"What is missing, where it is refused."`
}

// EnvironmentRights says what a member may do with the publications of an environment, as
// far as that lies in the member and the environment alone.
type EnvironmentRights struct {
	EnvironmentID   string `json:"environment_id"`
	EnvironmentName string `json:"environment_name"`
	// NoticeHours is how long before an end the authorized apps are told.
	NoticeHours int `json:"notice_hours"`

	Publish   Right `json:"publish"`
	Restore   Right `json:"restore"`
	Suspend   Right `json:"suspend"`
	Unpublish Right `json:"unpublish"`
	// AuthorizeOwn is about the member's own apps, AuthorizeOther about those of others.
	AuthorizeOwn   Right `json:"authorize_own"`
	AuthorizeOther Right `json:"authorize_other"`
	// Revoke is about taking a right to call away for the API's side.
	Revoke Right `json:"revoke"`
}

// Rights says what the member may do in the environment, by the rules that [Decide],
// [DecideAuthorize] and [DecideRevoke] apply.
func (e Environment) Rights(m Member) EnvironmentRights {
	call := func(c Call, direct bool) Right {
		return right(Situation{Call: c, Environment: e, Actor: m}.authorize(), direct)
	}
	authorize := func(app App) Right {
		return right(AuthorizeSituation{Environment: e, App: app, Actor: m}.authorize(), e.Grants(m, app))
	}
	return EnvironmentRights{
		EnvironmentID: e.ID, EnvironmentName: e.Name, NoticeHours: e.NoticeHours,
		Publish: call(CallPublish, e.Direct(m)), Restore: call(CallRestore, e.Direct(m)),
		Suspend: call(CallSuspend, true), Unpublish: call(CallUnpublish, true),
		AuthorizeOwn:   authorize(App{OwnerID: m.ID, OwnerName: m.Name}),
		AuthorizeOther: authorize(App{AppSpec: AppSpec{Name: "of another member"}, OwnerName: "that member"}),
		Revoke:         right(e.authorizeReviewerOnly(m), true),
	}
}

// right is what becomes of a call: refused is why nothing does, or nil.
func right(refused error, direct bool) Right {
	switch {
	case refused != nil:
		return Right{Way: WayRefused, Why: refused.Error()}
	case direct:
		return Right{Way: WayDirect}
	}
	return Right{Way: WayReview}
}

// Kind is a kind of thing that members make, change and delete, by its name in the API.
type Kind string

// The kinds, and two more that are asked for beside them.
const (
	KindWorkspaces   Kind = "workspaces"
	KindMembers      Kind = "members"
	KindInstances    Kind = "instances"
	KindEnvironments Kind = "environments"
	// KindPolicies is what environments demand.
	KindPolicies    Kind = "policies"
	KindConnections Kind = "connections"
	KindGroups      Kind = "groups"
	KindFolders     Kind = "folders"
	KindAPIs        Kind = "apis"
	// KindDecisions are those on applications.
	KindDecisions Kind = "decisions"
)

// needs holds what a member must be allowed to make, change and delete things of a kind.
// Workspaces are not here: see [Member.AuthorizeWorkspaces].
var needs = map[Kind]Operation{
	KindMembers:      OpAdminister,
	KindInstances:    OpCreateEnvironment,
	KindEnvironments: OpCreateEnvironment,
	KindPolicies:     OpAdminister,
	KindConnections:  OpDefine,
	KindGroups:       OpDefine,
	KindFolders:      OpDefine,
	KindAPIs:         OpDefine,
	KindDecisions:    OpDecide,
}

// Refusals says, for each kind of thing that the member of that workspace may not make,
// change and delete, what that needs.
func (m Member) Refusals(own Workspace) map[Kind]string {
	refusals := map[Kind]string{}
	for kind, op := range needs {
		if err := m.Authorize(op); err != nil {
			refusals[kind] = err.Error()
		}
	}
	if err := m.AuthorizeWorkspaces(own); err != nil {
		refusals[KindWorkspaces] = err.Error()
	}
	return refusals
}
