// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataworks

import (
	"net/http"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

// lastSecond is the end of the year 9999: what lies behind it was meant in milliseconds.
const lastSecond = 253402300799

// createAuthority lets the apps of a workspace call an API until a time.
func (f *face) createAuthority(c *call) (any, error) {
	api, err := f.api(c)
	c.ownProject("AuthorizedProjectId")
	end := c.integer("EndTime")
	if c.err == nil && (end < 0 || end > lastSecond) {
		c.fail(invalid("EndTime", "it is a time in seconds since 1970."))
	}
	if c.err != nil {
		return nil, c.err
	}
	if err != nil {
		return nil, err
	}
	until := time.Unix(end, 0).UTC()
	if _, err := f.service.AuthorizeApps(c, c.Caller, service.AuthorizeInput{APIID: api.ID, EnvironmentID: service.ReleaseEnvironmentID, Until: &until}); err != nil {
		return nil, names{"until": "EndTime", "app_id": "AuthorizedProjectId"}.named(wire.OrMissing(err, apiMissing(decimal(api.Number))))
	}
	return object{{"Success", true}}, nil
}

// deleteAuthority takes that right away again, after the notice that the apps are given.
func (f *face) deleteAuthority(c *call) (any, error) {
	api, err := f.api(c)
	c.ownProject("AuthorizedProjectId")
	if c.err != nil {
		return nil, c.err
	}
	if err != nil {
		return nil, err
	}
	if _, err := f.service.RevokeApps(c, c.Caller, api.ID, service.ReleaseEnvironmentID, service.RevokeInput{}); err != nil {
		return nil, wire.OrMissing(err, refused(http.StatusNotFound, codeAuthorityMissing, "No application is authorized for the API %d, or the end of that is announced already.", api.Number))
	}
	return object{{"Success", true}}, nil
}

// ownProject reads a project that must be the caller's: apps call the APIs of their own
// workspace.
func (c *call) ownProject(name string) {
	if n := c.integer(name); c.err == nil && !c.Workspace.Named(decimal(n)) {
		c.fail(invalid(name, "the applications of another workspace cannot be authorized here. Use "+decimal(c.Workspace.Number)+", the one that the API is in."))
	}
}

// holding returns the rights to call APIs that apps hold, by the id of the API, oldest first.
func (f *face) holding(c *call) (map[string][]service.Authorization, error) {
	authorizations, err := wire.All(func(p lifecycle.Page) (service.List[service.Authorization], error) {
		return f.service.Authorizations(c, c.Caller, lifecycle.AuthorizationFilter{
			EnvironmentID: service.ReleaseEnvironmentID,
			Statuses:      []service.AuthorizationStatus{service.AuthorizationActive, service.AuthorizationWaitingRevoke},
		}, p)
	})
	held := map[string][]service.Authorization{}
	for _, z := range authorizations {
		held[z.APIID] = append(held[z.APIID], z)
	}
	return held, err
}

// endOf is when a right ends by itself, or by what is announced; "" where it does not.
func endOf(z service.Authorization) string {
	end := z.Until
	if z.RevokeAt != nil && (end == nil || z.RevokeAt.Before(*end)) {
		end = z.RevokeAt
	}
	if end == nil {
		return ""
	}
	return wire.Offset(*end)
}

// authorized is what both lists tell of an API.
func (v view) authorized(c *call) object {
	status := unpublished
	if v.live {
		status = published
	}
	return object{
		{"ApiId", v.number},
		{"ApiStatus", status},
		{"ModifiedTime", wire.Offset(v.modified)},
		{"GroupId", v.groupID},
		{"ProjectId", c.Workspace.Number},
		{"CreatorId", v.creator},
		{"CreatedTime", wire.Offset(v.created)},
		{"ApiName", v.name},
		{"TenantId", c.Workspace.Number},
		{"ApiPath", v.definition.Path},
	}
}

// listAuthorities lists the APIs that apps may call, with a record for each app.
func (f *face) listAuthorities(c *call) (any, error) {
	keyword := c.text("ApiNameKeyword")
	if c.err != nil {
		return nil, c.err
	}
	held, err := f.holding(c)
	if err != nil {
		return nil, err
	}
	apis, err := wire.All(func(p lifecycle.Page) (service.List[service.API], error) {
		return f.service.APIs(c, c.Caller, lifecycle.APIFilter{}, p)
	})
	if err != nil {
		return nil, err
	}
	s, err := f.surroundings(c)
	if err != nil {
		return nil, err
	}
	found := []object{}
	for _, api := range apis {
		if len(held[api.ID]) == 0 || !has(api.Name, keyword) {
			continue
		}
		records := []object{}
		for _, z := range held[api.ID] {
			records = append(records, object{{"EndTime", endOf(z)}, {"CreatorId", z.GrantedBy}, {"CreatedTime", wire.Offset(z.CreatedAt)}, {"ProjectId", c.Workspace.Number}})
		}
		found = append(found, append(s.view(api).authorized(c), member{"AuthorizationRecords", records}))
	}
	return paged(c, "ApiAuthorizationList", found)
}

// listAuthorized lists the published APIs that apps of the workspace may call, as far as
// the caller is shown their rights. Of several the one that was given last is told.
func (f *face) listAuthorized(c *call) (any, error) {
	keyword := c.text("ApiNameKeyword")
	if c.err != nil {
		return nil, c.err
	}
	held, err := f.holding(c)
	if err != nil {
		return nil, err
	}
	catalog, err := f.catalog(c)
	if err != nil {
		return nil, err
	}
	found := []object{}
	for _, p := range catalog {
		rights := held[p.APIID]
		if len(rights) == 0 || !has(p.Name, keyword) {
			continue
		}
		last := rights[len(rights)-1]
		found = append(found, append(viewOf(p).authorized(c), member{"GrantOperatorId", last.GrantedBy}, member{"GrantCreatedTime", wire.Offset(last.CreatedAt)}, member{"GrantEndTime", endOf(last)}))
	}
	return paged(c, "ApiAuthorizedList", found)
}
