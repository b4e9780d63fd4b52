// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataarts

import (
	"slices"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

// holding are the statuses of a right that holds.
var holding = []service.AuthorizationStatus{service.AuthorizationActive, service.AuthorizationWaitingRevoke}

// authorize lets apps call an API, all of them or none, or applies for that.
func (f *face) authorize(c *call) (any, error) {
	var in struct {
		Time   string   `json:"time"`
		AppIDs []string `json:"app_ids"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if err := checkBatch("app_ids", in.AppIDs); err != nil {
		return nil, err
	}
	until, err := moment("time", in.Time)
	if err != nil {
		return nil, err
	}
	instance, err := f.instance(c, c.param("instance_id"))
	if err != nil {
		return nil, err
	}
	request := service.AuthorizeInput{APIID: c.param("api_id"), EnvironmentID: instance.ReleaseEnvironmentID, Until: until}
	return nil, f.whatIsMissing(c, request, f.service.AuthorizeAll(c.Context(), c.Caller, request, in.AppIDs...))
}

// whatIsMissing is err, but tells of something that is not found which it is: the API, or
// else an app. Not everybody who applies for an app may read the API's definition.
func (f *face) whatIsMissing(c *call, in service.AuthorizeInput, err error) error {
	if service.ErrorCode(err) != service.CodeNotFound {
		return err
	}
	var lookup error
	if c.Member.May(service.OpReadDrafts) {
		_, lookup = f.service.API(c.Context(), c.Caller, in.APIID)
	} else {
		_, lookup = f.service.PublishedAPI(c.Context(), c.Caller, in.APIID, in.EnvironmentID)
	}
	if service.ErrorCode(lookup) == service.CodeNotFound {
		return apiMissing(in.APIID)
	}
	if in.AppID != "" {
		return appMissing(in.AppID)
	}
	return noSuch(codeAppMissing, "One of the apps does not exist: %s", err)
}

// What is asked for of an app and an API.
const (
	applyAuthorize = "APPLY_TYPE_AUTHORIZE"
	applyApply     = "APPLY_TYPE_APPLY"
	applyRenew     = "APPLY_TYPE_RENEW"
	applyAPIEnds   = "APPLY_TYPE_API_CANCEL_AUTHORIZE"
	applyAppEnds   = "APPLY_TYPE_APP_CANCEL_AUTHORIZE"
)

// authorizeRequest is the body of an authorization action.
type authorizeRequest struct {
	APIID      string `json:"api_id"`
	InstanceID string `json:"instance_id"`
	AppID      string `json:"app_id"`
	ApplyType  string `json:"apply_type"`
	Time       string `json:"time"`
}

// authorizeAction gives an app the right to call an API, applies for that or for more time,
// or ends the right.
func (f *face) authorizeAction(c *call) (any, error) {
	var in authorizeRequest
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	switch {
	case in.ApplyType == "":
		return nil, missing("apply_type")
	case in.APIID == "":
		return nil, missing("api_id")
	case in.AppID == "":
		return nil, missing("app_id")
	case !slices.Contains([]string{applyAuthorize, applyApply, applyRenew, applyAPIEnds, applyAppEnds}, in.ApplyType):
		return nil, invalid("apply_type", "use %s, %s, %s, %s or %s", applyAuthorize, applyApply, applyRenew, applyAPIEnds, applyAppEnds)
	}
	until, err := moment("time", in.Time)
	if err != nil {
		return nil, err
	}
	instance, err := f.instance(c, in.InstanceID)
	if err != nil {
		return nil, err
	}
	request := service.AuthorizeInput{APIID: in.APIID, EnvironmentID: instance.ReleaseEnvironmentID, AppID: in.AppID, Until: until}
	if in.ApplyType == applyAuthorize || in.ApplyType == applyApply {
		_, err = f.service.Authorize(c.Context(), c.Caller, request)
		return nil, f.whatIsMissing(c, request, err)
	}
	z, err := f.authorization(c, request)
	if err != nil {
		return nil, err
	}
	switch in.ApplyType {
	case applyRenew:
		_, err = f.service.Authorize(c.Context(), c.Caller, request)
	case applyAPIEnds:
		_, err = f.service.RevokeAuthorization(c.Context(), c.Caller, z.ID, service.RevokeInput{RevokeAs: service.SideAPI, Time: in.Time})
	default:
		_, err = f.service.RevokeAuthorization(c.Context(), c.Caller, z.ID, service.RevokeInput{RevokeAs: service.SideApp})
	}
	return nil, f.whatIsMissing(c, request, err)
}

// authorization finds the right that a request is about, which holds.
func (f *face) authorization(c *call, in service.AuthorizeInput) (service.Authorization, error) {
	app, err := f.app(c, in.AppID)
	if err != nil {
		return service.Authorization{}, err
	}
	l, err := f.service.Authorizations(c.Context(), c.Caller, lifecycle.AuthorizationFilter{
		APIID: in.APIID, EnvironmentID: in.EnvironmentID, AppID: app.ID, Statuses: holding,
	}, lifecycle.Page{})
	if err != nil {
		return service.Authorization{}, err
	}
	if len(l.Items) == 0 {
		return service.Authorization{}, illegalAction("the app " + app.Name + " is not authorized for the API " + in.APIID + " in this cluster.")
	}
	return l.Items[0], nil
}

// How an app and an API are bound.
const (
	linkApplied  = "LINK_WAITING_CHECK"
	linked       = "LINKED"
	linkEnds     = "OFFLINE_WAITING_CHECK"
	linkExtended = "RENEW_WAITING_CHECK"
)

// relationOf is how the app and the API are bound; "" where they are not.
func relationOf(z service.Authorization) string {
	switch {
	case z.Status == service.AuthorizationWaitReview:
		return linkApplied
	case z.Status == service.AuthorizationWaitingRevoke:
		return linkEnds
	case z.Status == service.AuthorizationActive && z.OpenReview != nil:
		return linkExtended
	case z.Status == service.AuthorizationActive:
		return linked
	}
	return ""
}

// authorizedApp is an app that may call an API, or is to.
type authorizedApp struct {
	AppID            string   `json:"app_id"`
	AppName          string   `json:"app_name"`
	InstanceID       string   `json:"instance_id"`
	InstanceName     string   `json:"instance_name"`
	APIUsingTime     *int64   `json:"api_using_time,omitempty"`
	ApprovalTime     int64    `json:"approval_time"`
	RelationshipType string   `json:"relationship_type"`
	StaticParams     []string `json:"static_params"`
}

// appsOfAPI lists the apps that may call an API, or are to.
func (f *face) appsOfAPI(c *call) (any, error) {
	api, err := f.api(c, c.param("api_id"))
	if err != nil {
		return nil, err
	}
	bound, instances, err := f.bound(c, lifecycle.AuthorizationFilter{APIID: api.ID})
	if err != nil {
		return nil, err
	}
	some, err := page(c, bound)
	if err != nil {
		return nil, err
	}
	records := []authorizedApp{}
	for _, z := range some {
		i := instances[z.EnvironmentID]
		records = append(records, authorizedApp{
			AppID: z.AppID, AppName: z.AppName, InstanceID: i.ID, InstanceName: i.Name, APIUsingTime: wire.MillisOf(z.Until),
			ApprovalTime: wire.Millis(z.UpdatedAt), RelationshipType: relationOf(z), StaticParams: []string{},
		})
	}
	return map[string]any{"total": len(bound), "records": records}, nil
}

// boundAPI is an API that an app may call, or is to.
type boundAPI struct {
	ID               string   `json:"id"`
	Name             string   `json:"name"`
	InstanceID       string   `json:"instance_id"`
	InstanceName     string   `json:"instance_name"`
	ApprovalTime     int64    `json:"approval_time"`
	Manager          string   `json:"manager"`
	Deadline         *int64   `json:"deadline,omitempty"`
	RelationshipType string   `json:"relationship_type"`
	StaticParams     []string `json:"static_params"`
}

// apisOfApp lists the APIs that an app may call, or is to.
func (f *face) apisOfApp(c *call) (any, error) {
	app, err := f.app(c, c.param("app_id"))
	if err != nil {
		return nil, err
	}
	bound, instances, err := f.bound(c, lifecycle.AuthorizationFilter{AppID: app.ID})
	if err != nil {
		return nil, err
	}
	manager := ""
	if c.Member.May(service.OpReadDrafts) {
		if manager, err = f.manager(c); err != nil {
			return nil, err
		}
	}
	some, err := page(c, bound)
	if err != nil {
		return nil, err
	}
	records := []boundAPI{}
	for _, z := range some {
		i := instances[z.EnvironmentID]
		records = append(records, boundAPI{
			ID: z.APIID, Name: z.APIName, InstanceID: i.ID, InstanceName: i.Name, ApprovalTime: wire.Millis(z.UpdatedAt), Manager: manager,
			Deadline: wire.MillisOf(z.Until), RelationshipType: relationOf(z), StaticParams: []string{},
		})
	}
	return map[string]any{"total": len(bound), "records": records}, nil
}

// bound returns the matching authorizations in RELEASE of the clusters that bind an app and
// an API, and the clusters by the id of that environment.
func (f *face) bound(c *call, filter lifecycle.AuthorizationFilter) ([]service.Authorization, map[string]service.Instance, error) {
	filter.Statuses = append([]service.AuthorizationStatus{service.AuthorizationWaitReview}, holding...)
	instances, err := f.instances(c)
	if err != nil {
		return nil, nil, err
	}
	byEnvironment := map[string]service.Instance{}
	for _, i := range instances {
		byEnvironment[i.ReleaseEnvironmentID] = i
	}
	found, err := wire.All(func(p lifecycle.Page) (service.List[service.Authorization], error) {
		return f.service.Authorizations(c.Context(), c.Caller, filter, p)
	})
	elsewhere := func(z service.Authorization) bool { return byEnvironment[z.EnvironmentID].ID == "" }
	return slices.DeleteFunc(found, elsewhere), byEnvironment, err
}
