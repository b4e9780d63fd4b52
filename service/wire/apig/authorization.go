// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package apig

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

// What becomes of an authorization that is asked for.
const (
	authSuccess = "SUCCESS"
	authSkipped = "SKIPPED"
	authFailed  = "FAILED"
)

// authProvider is who authorizes: the API's side always does. authNormal is that there is no
// way past the checks.
const (
	authProvider = "PROVIDER"
	authNormal   = "NORMAL"
)

// authorizationRequest is the body of POST /app-auths.
type authorizationRequest struct {
	EnvID  string   `json:"env_id"`
	AppIDs []string `json:"app_ids"`
	APIIDs []string `json:"api_ids"`
}

// authorized is an authorization in the answer to a request for it.
type authorized struct {
	ID         string     `json:"id,omitempty"`
	APIID      string     `json:"api_id"`
	AppID      string     `json:"app_id"`
	AuthRole   string     `json:"auth_role"`
	AuthTunnel string     `json:"auth_tunnel"`
	AuthTime   string     `json:"auth_time,omitempty"`
	Result     authResult `json:"auth_result"`
}

type authResult struct {
	Status  string `json:"status"`
	Code    string `json:"error_code,omitempty"`
	Message string `json:"error_msg,omitempty"`
	APIName string `json:"api_name,omitempty"`
	AppName string `json:"app_name,omitempty"`
}

// authorize lets apps call APIs in an environment, each pair by itself. Where none of them
// can be authorized, the first refusal is the answer.
func (f *face) authorize(c *call) (any, error) {
	var in authorizationRequest
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	switch n := len(in.AppIDs) * len(in.APIIDs); {
	case len(in.AppIDs) == 0:
		return nil, invalid("app_ids", "it is missing")
	case len(in.APIIDs) == 0:
		return nil, invalid("api_ids", "it is missing")
	case n > maxBatch:
		return nil, invalid("api_ids", fmt.Sprintf("there are %d authorizations to make, of each app for each API: %d are the most", n, maxBatch))
	}
	env, err := f.environment(c, in.EnvID)
	if err != nil {
		return nil, err
	}
	apps := make([]service.App, len(in.AppIDs))
	for i, id := range in.AppIDs {
		if apps[i], err = f.app(c, "app_ids", id); err != nil {
			return nil, err
		}
	}
	apis := make([]service.API, len(in.APIIDs))
	for i, id := range in.APIIDs {
		if apis[i], err = f.api(c, "api_ids", id); err != nil {
			return nil, err
		}
	}
	var first error
	done, auths := 0, []authorized{}
	for _, api := range apis {
		for _, app := range apps {
			made, err := f.authorizeOne(c, env, api, app)
			first = cmp.Or(first, err)
			if err == nil {
				done++
			} else {
				wire.CallOf(c.Context()).NoteItem(err)
			}
			auths = append(auths, made)
		}
	}
	if done == 0 {
		return nil, first
	}
	return map[string]any{"auths": auths}, nil
}

func (f *face) authorizeOne(c *call, env service.Environment, api service.API, app service.App) (authorized, error) {
	made := authorized{APIID: api.ID, AppID: app.ID, AuthRole: authProvider, AuthTunnel: authNormal}
	before, err := f.authorizations(c, lifecycle.AuthorizationFilter{APIID: api.ID, AppID: app.ID, EnvironmentID: env.ID})
	if err == nil {
		var z service.Authorization
		if z, err = f.service.Authorize(c.Context(), c.Caller, service.AuthorizeInput{APIID: api.ID, AppID: app.ID, EnvironmentID: env.ID, AtOnce: true}); err == nil {
			made.ID, made.AuthTime, made.Result.Status = z.ID, wire.Zulu(z.UpdatedAt), authSuccess
			if len(before) > 0 && before[0].UpdatedAt.Equal(z.UpdatedAt) {
				made.Result.Status = authSkipped
			}
			return made, nil
		}
	}
	why := failureOf(err)
	made.Result = authResult{Status: authFailed, Code: why.Code, Message: why.Message, APIName: api.Name, AppName: app.Name}
	return made, err
}

// authorizations returns those that the filter keeps, in the instance, and that hold.
func (f *face) authorizations(c *call, filter lifecycle.AuthorizationFilter) ([]service.Authorization, error) {
	filter.Statuses = []service.AuthorizationStatus{service.AuthorizationActive, service.AuthorizationWaitingRevoke}
	return wire.All(func(p lifecycle.Page) (service.List[service.Authorization], error) {
		return f.service.Authorizations(c.Context(), c.Caller, filter, p)
	})
}

// authorizationBody is an authorization in a list.
type authorizationBody struct {
	ID         string `json:"id"`
	APIID      string `json:"api_id"`
	APIName    string `json:"api_name"`
	APIType    int    `json:"api_type,omitempty"`
	APIRemark  string `json:"api_remark,omitempty"`
	GroupID    string `json:"group_id,omitempty"`
	GroupName  string `json:"group_name,omitempty"`
	EnvID      string `json:"env_id"`
	EnvName    string `json:"env_name"`
	AuthRole   string `json:"auth_role"`
	AuthTime   string `json:"auth_time"`
	AuthTunnel string `json:"auth_tunnel"`
	AppID      string `json:"app_id"`
	AppName    string `json:"app_name"`
	AppRemark  string `json:"app_remark,omitempty"`
	AppType    string `json:"app_type"`
	AppCreator string `json:"app_creator"`
	PublishID  string `json:"publish_id"`
}

func bodyOfAuthorization(z service.Authorization, env service.Environment) authorizationBody {
	return authorizationBody{
		ID: z.ID, APIID: z.APIID, APIName: z.APIName, EnvID: environmentID(env), EnvName: env.Name, AuthRole: authProvider, AuthTime: wire.Zulu(z.UpdatedAt), AuthTunnel: authNormal,
		AppID: z.AppID, AppName: z.AppName, AppType: appType, AppCreator: appCreator, PublishID: z.PublicationID,
	}
}

// listAuthorizedAPIs lists what an app may call.
func (f *face) listAuthorizedAPIs(c *call) (any, error) {
	id := c.URL.Query().Get("app_id")
	if id == "" {
		return nil, invalidQuery("app_id", "it is missing")
	}
	app, err := f.app(c, "app_id", id)
	if err != nil {
		return nil, err
	}
	return f.listAuthorizations(c, lifecycle.AuthorizationFilter{AppID: app.ID, APIID: c.URL.Query().Get("api_id")})
}

// listAuthorizedApps lists who may call an API, or all that the caller is shown where none
// is named.
func (f *face) listAuthorizedApps(c *call) (any, error) {
	filter := lifecycle.AuthorizationFilter{AppID: c.URL.Query().Get("app_id")}
	if id := c.URL.Query().Get("api_id"); id != "" {
		api, err := f.api(c, "api_id", id)
		if err != nil {
			return nil, err
		}
		filter.APIID = api.ID
	}
	return f.listAuthorizations(c, filter)
}

func (f *face) listAuthorizations(c *call, filter lifecycle.AuthorizationFilter) (any, error) {
	if c.URL.Query().Get("tags") != "" {
		return nil, invalidQuery("tags", noTags)
	}
	environments, err := f.environments(c)
	if err != nil {
		return nil, err
	}
	if id := c.URL.Query().Get("env_id"); id != "" {
		env, err := f.environment(c, id)
		if err != nil {
			return nil, err
		}
		environments, filter.EnvironmentID = []service.Environment{env}, env.ID
	}
	authorizations, err := f.authorizations(c, filter)
	if err != nil {
		return nil, err
	}
	found := []authorizationBody{}
	for _, z := range authorizations {
		at := slices.IndexFunc(environments, func(e service.Environment) bool { return e.ID == z.EnvironmentID })
		if at >= 0 && c.has("api_name", z.APIName) && c.has("app_name", z.AppName) {
			found = append(found, bodyOfAuthorization(z, environments[at]))
		}
	}
	if found, err = f.inGroups(c, found); err != nil {
		return nil, err
	}
	part, err := page(c, found)
	if err != nil {
		return nil, err
	}
	shown := f.newShown(c)
	for i := range part {
		if err := shown.complete(&part[i]); err != nil {
			return nil, err
		}
	}
	return map[string]any{"total": len(found), "size": len(part), "auths": part}, nil
}

// inGroups keeps those whose API is filed in the group that the query names, if any.
func (f *face) inGroups(c *call, found []authorizationBody) ([]authorizationBody, error) {
	query := c.URL.Query()
	if query.Get("group_id") == "" && query.Get("group_name") == "" {
		return found, nil
	}
	shown, kept := f.newShown(c), []authorizationBody{}
	for _, body := range found {
		if err := shown.complete(&body); err != nil {
			return nil, err
		}
		if c.is("group_id", body.GroupID) && c.has("group_name", body.GroupName) {
			kept = append(kept, body)
		}
	}
	return kept, nil
}

// shown remembers what the caller is shown of APIs, apps and groups, which are read once.
type shown struct {
	*face
	c      *call
	apis   map[string]service.API
	apps   map[string]service.App
	groups map[string]service.Group
}

func (f *face) newShown(c *call) *shown {
	return &shown{f, c, map[string]service.API{}, map[string]service.App{}, map[string]service.Group{}}
}

// complete adds what belongs to the API and the app, where the caller is shown them.
func (s *shown) complete(body *authorizationBody) error {
	api, err := remembered(s.apis, body.APIID, func(id string) (service.API, error) { return s.service.API(s.c.Context(), s.c.Caller, id) })
	if err != nil {
		return err
	}
	app, err := remembered(s.apps, body.AppID, func(id string) (service.App, error) { return s.service.App(s.c.Context(), s.c.Caller, id) })
	if err != nil {
		return err
	}
	body.AppRemark = app.Description
	if api.ID == "" {
		return nil
	}
	body.APIType, body.APIRemark, body.GroupID = typeOf(api), api.Description, api.GroupID
	g, err := remembered(s.groups, api.GroupID, func(id string) (service.Group, error) {
		if id == "" {
			return service.Group{}, nil
		}
		return s.service.Group(s.c.Context(), s.c.Caller, id)
	})
	body.GroupName = g.Name
	return err
}

// remembered reads a thing once; what is not to be seen is empty.
func remembered[T any](known map[string]T, id string, read func(string) (T, error)) (T, error) {
	if v, ok := known[id]; ok {
		return v, nil
	}
	v, err := read(id)
	switch service.ErrorCode(err) {
	case service.CodeNotFound, service.CodeForbidden:
		err = nil
	}
	if err == nil {
		known[id] = v
	}
	return v, err
}

// revoke ends an authorization: for the app's side where the caller speaks for the app,
// which takes no notice, else for the API's side.
func (f *face) revoke(c *call) (any, error) {
	id := c.param("app_auth_id")
	z, err := f.service.Authorization(c.Context(), c.Caller, id, 0)
	if err == nil && !z.Status.Holds() {
		err = service.NotFound("authorization", id)
	}
	if err != nil {
		return nil, wire.OrMissing(err, authorizationMissing(id))
	}
	if _, err := f.environment(c, z.EnvironmentID); err != nil {
		return nil, authorizationMissing(id)
	}
	in := service.RevokeInput{RevokeAs: service.SideAPI, AtOnce: true}
	if c.Member.SpeaksFor(z.AppOwnerID) {
		in.RevokeAs = service.SideApp
	}
	_, err = f.service.RevokeAuthorization(c.Context(), c.Caller, id, in)
	return nil, wire.OrMissing(err, authorizationMissing(id))
}
