// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package apig

import (
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

// appRequest is the body of POST /apps and PUT /apps/{app_id}.
type appRequest struct {
	Name   string `json:"name"`
	Remark string `json:"remark"`
}

// notOfApps is what the vendor's apps have and ours have not.
var notOfApps = map[string]string{
	"app_key":            "keys are made here and cannot be chosen: leave it out",
	"app_secret":         "secrets are made here and cannot be chosen: leave it out",
	"related_domain_id":  "apps belong to members of the workspace: leave it out",
	"related_project_id": "apps belong to members of the workspace: leave it out",
}

// What every app is said to be.
const (
	appType    = "apig"
	appCreator = "USER"
)

// appBody is an app as it is answered.
type appBody struct {
	ID           string `json:"id"`
	Name         string `json:"name"`
	Remark       string `json:"remark"`
	Creator      string `json:"creator"`
	RegisterTime string `json:"register_time"`
	UpdateTime   string `json:"update_time"`
	Status       int    `json:"status"`
	AppType      string `json:"app_type"`
	AppKey       string `json:"app_key,omitempty"`
	// AppSecret is for the app's owner alone.
	AppSecret string `json:"app_secret,omitempty"`
}

func bodyOfApp(a service.App) appBody {
	return appBody{
		ID: a.ID, Name: a.Name, Remark: a.Description, Creator: appCreator, RegisterTime: wire.Zulu(a.CreatedAt), UpdateTime: wire.Zulu(a.UpdatedAt),
		Status: 1, AppType: appType, AppKey: a.Key,
	}
}

// app finds an app that the caller is shown.
func (f *face) app(c *call, parameter, id string) (service.App, error) {
	if id == "" {
		return service.App{}, invalid(parameter, "it is missing")
	}
	a, err := f.service.App(c.Context(), c.Caller, id)
	return a, wire.OrMissing(err, appMissing(id))
}

func (c *call) decodeApp() (in appRequest, err error) {
	if err := c.decode(&in); err != nil {
		return in, err
	}
	if err := refuseSet(c.raw, "", notOfApps); err != nil {
		return in, err
	}
	return in, required("name", in.Name)
}

func (f *face) createApp(c *call) (any, error) {
	in, err := c.decodeApp()
	if err != nil {
		return nil, err
	}
	a, err := f.service.CreateApp(c.Context(), c.Caller, service.AppInput{AppSpec: service.AppSpec{Name: in.Name, Description: in.Remark}})
	if err != nil {
		return nil, orTaken(err, codeAppTaken, "The app name already exists")
	}
	return f.withSecret(c, a)
}

// withSecret adds the app's secret, where the app is the caller's own.
func (f *face) withSecret(c *call, a service.App) (any, error) {
	body := bodyOfApp(a)
	if a.OwnerID != c.Member.ID {
		return body, nil
	}
	credentials, err := f.service.AppCredentials(c.Context(), c.Caller, a.ID)
	body.AppSecret = credentials.Secret
	return body, wire.OrMissing(err, appMissing(a.ID))
}

func (f *face) readApp(c *call) (any, error) {
	a, err := f.app(c, "app_id", c.param("app_id"))
	if err != nil {
		return nil, err
	}
	return f.withSecret(c, a)
}

// updateApp changes name and remark; where it sends its notices stays.
func (f *face) updateApp(c *call) (any, error) {
	in, err := c.decodeApp()
	if err != nil {
		return nil, err
	}
	id := c.param("app_id")
	a, err := f.app(c, "app_id", id)
	if err != nil {
		return nil, err
	}
	spec := a.AppSpec
	spec.Name, spec.Description = in.Name, in.Remark
	if a, err = f.service.UpdateApp(c.Context(), c.Caller, a.ID, a.ETag(), service.AppInput{AppSpec: spec}); err != nil {
		return nil, orTaken(wire.OrMissing(err, appMissing(id)), codeAppTaken, "The app name already exists")
	}
	return f.withSecret(c, a)
}

func (f *face) deleteApp(c *call) (any, error) {
	id := c.param("app_id")
	return nil, wire.OrMissing(f.service.DeleteApp(c.Context(), c.Caller, id, ""), appMissing(id))
}

func (f *face) listApps(c *call) (any, error) {
	apps, err := wire.All(func(p lifecycle.Page) (service.List[service.App], error) {
		return f.service.Apps(c.Context(), c.Caller, "", p)
	})
	if err != nil {
		return nil, err
	}
	found := []appBody{}
	for _, a := range apps {
		if c.is("id", a.ID) && c.has("name", a.Name) && c.is("app_key", a.Key) && c.is("creator", appCreator) && c.is("status", "1") {
			found = append(found, bodyOfApp(a))
		}
	}
	part, err := page(c, found)
	if err != nil {
		return nil, err
	}
	return map[string]any{"total": len(found), "size": len(part), "apps": part}, nil
}
