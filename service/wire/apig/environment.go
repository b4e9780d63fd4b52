// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package apig

import (
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

// environmentRequest is the body of POST /envs and PUT /envs/{env_id}.
type environmentRequest struct {
	Name   string `json:"name"`
	Remark string `json:"remark"`
}

// environmentBody is an environment as it is answered.
type environmentBody struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Remark     string `json:"remark"`
	CreateTime string `json:"create_time"`
}

func bodyOfEnvironment(e service.Environment) environmentBody {
	return environmentBody{ID: environmentID(e), Name: e.Name, Remark: e.Description, CreateTime: wire.Zulu(e.CreatedAt)}
}

// createEnvironment adds an environment to the instance, with the policy of which nothing
// was said.
func (f *face) createEnvironment(c *call) (any, error) {
	var in environmentRequest
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	e, err := f.service.CreateEnvironment(c.Context(), c.Caller, service.EnvironmentInput{
		Name: in.Name, Description: in.Remark, InstanceID: c.instance.ID,
	})
	if err != nil {
		return nil, orTaken(err, codeEnvironmentTaken, "The environment name already exists")
	}
	return bodyOfEnvironment(e), nil
}

// updateEnvironment changes name and remark; the policy stays.
func (f *face) updateEnvironment(c *call) (any, error) {
	var in environmentRequest
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	id := c.param("env_id")
	e, err := f.environment(c, id)
	if err != nil {
		return nil, err
	}
	e, err = f.service.UpdateEnvironment(c.Context(), c.Caller, e.ID, e.ETag(), service.EnvironmentInput{
		Name: in.Name, Description: in.Remark, InstanceID: e.InstanceID,
		ReviewRequired: &e.ReviewRequired, FourEyes: e.FourEyes, NoticeHours: &e.NoticeHours, BreakingChanges: e.BreakingChanges, RateLimit: e.RateLimit,
	})
	if err != nil {
		return nil, orTaken(wire.OrMissing(err, environmentMissing(id)), codeEnvironmentTaken, "The environment name already exists")
	}
	return bodyOfEnvironment(e), nil
}

// deleteEnvironment removes an environment in which nothing is published.
func (f *face) deleteEnvironment(c *call) (any, error) {
	id := c.param("env_id")
	e, err := f.environment(c, id)
	if err != nil {
		return nil, err
	}
	err = f.service.DeleteEnvironment(c.Context(), c.Caller, e.ID, "")
	return nil, orInUse(wire.OrMissing(err, environmentMissing(id)), codeEnvironmentInUse)
}

// listEnvironments lists those of the instance.
func (f *face) listEnvironments(c *call) (any, error) {
	environments, err := f.environments(c)
	if err != nil {
		return nil, err
	}
	name := c.URL.Query().Get("name")
	found := []environmentBody{}
	for _, e := range environments {
		if name == "" || e.Name == name {
			found = append(found, bodyOfEnvironment(e))
		}
	}
	part, err := page(c, found)
	if err != nil {
		return nil, err
	}
	return map[string]any{"total": len(found), "size": len(part), "envs": part}, nil
}

// environments returns those of the instance.
func (f *face) environments(c *call) ([]service.Environment, error) {
	environments, err := wire.All(func(p lifecycle.Page) (service.List[service.Environment], error) {
		return f.service.Environments(c.Context(), c.Caller, p)
	})
	if err != nil {
		return nil, err
	}
	own := environments[:0]
	for _, e := range environments {
		if e.InstanceID == c.instance.ID {
			own = append(own, e)
		}
	}
	return own, nil
}
