// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package apig

import (
	"slices"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

// Statuses of a version.
const (
	versionEffective = 1
	versionIdle      = 2
)

// versionNumber is the layout of a version's number: when it was made.
const versionNumber = "20060102150405"

// versionBody is a version in a list of them.
type versionBody struct {
	VersionID   string `json:"version_id"`
	VersionNo   string `json:"version_no"`
	APIID       string `json:"api_id"`
	EnvID       string `json:"env_id"`
	EnvName     string `json:"env_name"`
	Remark      string `json:"remark"`
	PublishTime string `json:"publish_time"`
	Status      int    `json:"status"`
}

// placed is a version with where it is, or was, live.
type placed struct {
	service.Version
	publication service.Publication
	environment service.Environment
}

func (v placed) body() versionBody {
	body := versionBody{
		VersionID: v.ID, VersionNo: v.CreatedAt.UTC().Format(versionNumber), APIID: v.publication.APIID, EnvID: environmentID(v.environment),
		EnvName: v.environment.Name, Remark: v.Remark, PublishTime: wire.Zulu(v.CreatedAt), Status: versionIdle,
	}
	if v.Live {
		body.Status = versionEffective
	}
	return body
}

// listVersions lists what was published of an API, newest first.
func (f *face) listVersions(c *call) (any, error) {
	api, err := f.api(c, "api_id", c.param("api_id"))
	if err != nil {
		return nil, err
	}
	query := c.URL.Query()
	env := service.Environment{Name: query.Get("env_name")}
	if id := query.Get("env_id"); id != "" {
		if env, err = f.environment(c, id); err != nil {
			return nil, err
		}
	}
	versions, err := f.versions(c, api)
	if err != nil {
		return nil, err
	}
	found := []versionBody{}
	for _, v := range versions {
		if env.Name == "" || v.environment.Name == env.Name {
			found = append(found, v.body())
		}
	}
	part, err := page(c, found)
	if err != nil {
		return nil, err
	}
	return map[string]any{"total": len(found), "size": len(part), "api_versions": part}, nil
}

// versions returns those of an API in every environment of the instance, newest first.
func (f *face) versions(c *call, api service.API) ([]placed, error) {
	publications, environments, err := f.publications(c, lifecycle.PublicationFilter{APIID: api.ID})
	if err != nil {
		return nil, err
	}
	var found []placed
	for _, p := range publications {
		versions, err := f.service.Versions(c.Context(), c.Caller, p.ID)
		if err != nil {
			return nil, err
		}
		for _, v := range versions {
			found = append(found, placed{v, p, environments[p.EnvironmentID]})
		}
	}
	slices.SortStableFunc(found, func(a, b placed) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return found, nil
}

// publications returns those that the filter keeps in the instance, and the instance's
// environments by id.
func (f *face) publications(c *call, filter lifecycle.PublicationFilter) ([]service.Publication, map[string]service.Environment, error) {
	environments, err := f.environments(c)
	if err != nil {
		return nil, nil, err
	}
	byID := make(map[string]service.Environment, len(environments))
	for _, e := range environments {
		byID[e.ID] = e
	}
	publications, err := wire.All(func(p lifecycle.Page) (service.List[service.Publication], error) {
		return f.service.Publications(c.Context(), c.Caller, filter, p)
	})
	publications = slices.DeleteFunc(publications, func(p service.Publication) bool { return p.InstanceID != c.instance.ID })
	return publications, byID, err
}

// switchVersion makes a version of an API live again.
func (f *face) switchVersion(c *call) (any, error) {
	var in struct {
		VersionID string `json:"version_id"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if in.VersionID == "" {
		return nil, invalid("version_id", "it is missing")
	}
	api, err := f.api(c, "api_id", c.param("api_id"))
	if err != nil {
		return nil, err
	}
	v, err := f.versionByID(c, in.VersionID)
	if err != nil {
		return nil, err
	}
	if v.publication.APIID != api.ID {
		return nil, versionMissing(in.VersionID)
	}
	p, err := f.service.Publish(c.Context(), c.Caller, service.PublishInput{
		APIID: api.ID, EnvironmentID: v.environment.ID, Version: v.Name, Remark: v.Remark, AtOnce: true,
	})
	if err != nil {
		return nil, wire.OrMissing(err, apiMissing(api.ID))
	}
	c.changed = append(c.changed, p)
	return recordOf(p, v.environment, *p.Live, p.Live.Remark, p.Live.LiveSince), nil
}

// deleteVersion takes the API offline in the environment in which the version is live.
func (f *face) deleteVersion(c *call) (any, error) {
	v, err := f.versionByID(c, c.param("version_id"))
	if err != nil {
		return nil, err
	}
	if !v.Live {
		return nil, versionMissing(v.ID)
	}
	p, err := f.service.Unpublish(c.Context(), c.Caller, v.publication.ID, service.ActionInput{AtOnce: true})
	if err != nil {
		return nil, wire.OrMissing(err, versionMissing(v.ID))
	}
	c.changed = append(c.changed, p)
	return nil, nil
}

// version returns what was published as a version.
func (f *face) version(c *call) (any, error) {
	v, err := f.versionByID(c, c.param("version_id"))
	if err != nil {
		return nil, err
	}
	body, err := f.snapshot(c, v.publication, v.environment, v.Version)
	body.VersionID = v.ID
	return body, err
}

// versionByID finds a version in the instance.
func (f *face) versionByID(c *call, id string) (placed, error) {
	v, p, err := f.service.VersionByID(c.Context(), c.Caller, id)
	if err == nil && p.InstanceID != c.instance.ID {
		err = service.NotFound("version", id)
	}
	if err != nil {
		return placed{}, wire.OrMissing(err, versionMissing(id))
	}
	env, err := f.service.Environment(c.Context(), c.Caller, p.EnvironmentID)
	return placed{v, p, env}, wire.OrMissing(err, versionMissing(id))
}

// runtime returns what is live of an API in an environment, RELEASE where none is named.
func (f *face) runtime(c *call) (any, error) {
	id := c.URL.Query().Get("env_id")
	if id == "" {
		id = service.ReleaseEnvironmentID
	}
	env, err := f.environment(c, id)
	if err != nil {
		return nil, err
	}
	api, err := f.api(c, "api_id", c.param("api_id"))
	if err != nil {
		return nil, err
	}
	p, err := f.published(c, env, api)
	if err != nil {
		return nil, err
	}
	return f.snapshot(c, p, env, *p.Live)
}

// snapshot describes a version as it was published.
func (f *face) snapshot(c *call, p service.Publication, env service.Environment, v service.Version) (apiBody, error) {
	api, err := f.api(c, "api_id", p.APIID)
	if err != nil {
		return apiBody{}, err
	}
	body, err := f.describe(c, api, v.Definition)
	if err != nil {
		return apiBody{}, err
	}
	body.Name, body.Remark, body.Version = v.APIName, v.Description, v.Name
	body.RunEnvID, body.RunEnvName, body.PublishID, body.PublishTime = environmentID(env), env.Name, p.ID, wire.Zulu(v.CreatedAt)
	return body, nil
}
