// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package apig

import (
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

// The actions.
const (
	actionOnline  = "online"
	actionOffline = "offline"
)

// actionRequest is the body of POST /apis/action.
type actionRequest struct {
	Action string `json:"action"`
	EnvID  string `json:"env_id"`
	APIID  string `json:"api_id"`
	Remark string `json:"remark"`
}

// record is a publication record as it is answered.
type record struct {
	PublishID   string `json:"publish_id"`
	APIID       string `json:"api_id"`
	APIName     string `json:"api_name"`
	EnvID       string `json:"env_id"`
	Remark      string `json:"remark,omitempty"`
	PublishTime string `json:"publish_time"`
	// VersionID is the version that is live, or was until it was taken offline.
	VersionID string `json:"version_id"`
}

func recordOf(p service.Publication, e service.Environment, v service.Version, remark string, at time.Time) record {
	return record{
		PublishID: p.ID, APIID: p.APIID, APIName: p.APIName, EnvID: environmentID(e),
		Remark: remark, PublishTime: wire.Zulu(at), VersionID: v.ID,
	}
}

// act publishes an API, or takes it offline.
func (f *face) act(c *call) (any, error) {
	var in actionRequest
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	do, err := f.action(in.Action, invalid)
	if err != nil {
		return nil, err
	}
	env, err := f.environment(c, in.EnvID)
	if err != nil {
		return nil, err
	}
	api, err := f.api(c, "api_id", in.APIID)
	if err != nil {
		return nil, err
	}
	return do(c, env, api, in.Remark)
}

// perform does an action for one API in one environment.
type perform func(*call, service.Environment, service.API, string) (any, error)

// action returns what does the action of that name; refuse says that there is none.
func (f *face) action(name string, refuse func(parameter, why string) *failure) (perform, error) {
	switch name {
	case actionOnline:
		return f.online, nil
	case actionOffline:
		return f.offline, nil
	case "":
		return nil, refuse("action", "it is missing: use online or offline")
	}
	return nil, refuse("action", "use online or offline")
}

// online publishes the API as it is defined now, on the connection that was chosen for the
// environment, where one was: this call cannot name one.
func (f *face) online(c *call, env service.Environment, api service.API, remark string) (any, error) {
	p, err := f.service.Publish(c.Context(), c.Caller, service.PublishInput{
		APIID: api.ID, EnvironmentID: env.ID, Revision: api.Revision, Remark: remark, AtOnce: true, KeepConnection: true,
	})
	if err != nil {
		return nil, wire.OrMissing(err, apiMissing(api.ID))
	}
	c.changed = append(c.changed, p)
	return recordOf(p, env, *p.Live, p.Live.Remark, p.Live.LiveSince), nil
}

// offline takes the API offline.
func (f *face) offline(c *call, env service.Environment, api service.API, remark string) (any, error) {
	before, err := f.published(c, env, api)
	if err != nil {
		return nil, err
	}
	p, err := f.service.Unpublish(c.Context(), c.Caller, before.ID, service.ActionInput{Remark: remark, AtOnce: true})
	if err != nil {
		return nil, wire.OrMissing(err, notPublished(env, api))
	}
	c.changed = append(c.changed, p)
	return recordOf(p, env, *before.Live, remark, p.UpdatedAt), nil
}

// published finds the publication record of an API in an environment: there is one where
// something is live.
func (f *face) published(c *call, env service.Environment, api service.API) (service.Publication, error) {
	p, err := f.service.PublicationAt(c.Context(), c.Caller, api, env.ID)
	if err == nil && p.Live == nil {
		err = notPublished(env, api)
	}
	return p, wire.OrMissing(err, notPublished(env, api))
}

func notPublished(env service.Environment, api service.API) *failure {
	return missing(codeNotPublished, "API %s has no publication record in the environment %s: it is not published there", api.ID, environmentID(env))
}
