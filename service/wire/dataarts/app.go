// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataarts

import (
	"slices"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

// Types of app. Those of gateways beside the vendor's clusters are not here.
const (
	appTypeDLM = "DLM"
	appTypeIAM = "IAM"
)

var (
	appTypes        = map[string]service.AppType{"": service.AppTypeApp, appTypeDLM: service.AppTypeApp, appTypeIAM: service.AppTypeIAM}
	foreignAppTypes = []string{"APIG", "APIGW", "ROMA_APIC"}
)

// appRequest is an app as a client writes it.
type appRequest struct {
	AppType        string  `json:"app_type"`
	Name           *string `json:"name"`
	Description    *string `json:"description"`
	APIGType       string  `json:"apig_type"`
	APIGInstanceID string  `json:"apig_instance_id"`
}

// appBody is an app as it is answered. Its secret is there for its owner alone.
type appBody struct {
	ID           string `json:"id"`
	Name         string `json:"name"`
	Description  string `json:"description"`
	AppKey       string `json:"app_key"`
	AppSecret    string `json:"app_secret,omitempty"`
	RegisterTime int64  `json:"register_time"`
	UpdateTime   int64  `json:"update_time"`
	CreateUser   string `json:"create_user"`
	AppType      string `json:"app_type"`
}

func appTypeOf(t service.AppType) string {
	if t == service.AppTypeIAM {
		return appTypeIAM
	}
	return appTypeDLM
}

func bodyOfApp(a service.App) appBody {
	return appBody{
		ID: a.ID, Name: a.Name, Description: a.Description, AppKey: a.Key, RegisterTime: wire.Millis(a.CreatedAt), UpdateTime: wire.Millis(a.UpdatedAt),
		CreateUser: a.OwnerName, AppType: appTypeOf(a.Type),
	}
}

// withSecret is an app with what its owner signs with.
func (f *face) withSecret(c *call, a service.App) (any, error) {
	body := bodyOfApp(a)
	if a.Type != service.AppTypeApp || a.OwnerID != c.Member.ID {
		return body, nil
	}
	credentials, err := f.service.AppCredentials(c.Context(), c.Caller, a.ID)
	body.AppSecret = credentials.Secret
	return body, err
}

// app finds the app that a request names.
func (f *face) app(c *call, id string) (service.App, error) {
	a, err := f.service.App(c.Context(), c.Caller, id)
	return a, wire.OrMissing(err, appMissing(id))
}

// createApp adds an app of the caller.
func (f *face) createApp(c *call) (any, error) {
	var in appRequest
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	kind, known := appTypes[in.AppType]
	switch {
	case in.Name == nil || *in.Name == "":
		return nil, missing("name")
	case slices.Contains(foreignAppTypes, in.AppType):
		return nil, notHere("app_type", "use DLM or IAM")
	case !known:
		return nil, invalid("app_type", "use DLM or IAM")
	case in.APIGType != "" || in.APIGInstanceID != "":
		return nil, notHere("apig_type", "apps call the clusters, and no gateway beside them")
	}
	spec := service.AppSpec{Name: *in.Name, Type: kind}
	set(&spec.Description, in.Description)
	a, err := f.service.CreateApp(c.Context(), c.Caller, service.AppInput{AppSpec: spec})
	if err != nil {
		return nil, err
	}
	return f.withSecret(c, a)
}

// updateApp changes name and description; the rest stays.
func (f *face) updateApp(c *call) (any, error) {
	var in appRequest
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	id := c.param("app_id")
	a, err := f.app(c, id)
	if err != nil {
		return nil, err
	}
	spec := a.AppSpec
	set(&spec.Name, in.Name)
	set(&spec.Description, in.Description)
	a, err = f.service.UpdateApp(c.Context(), c.Caller, a.ID, a.ETag(), service.AppInput{AppSpec: spec})
	if err != nil {
		return nil, wire.OrMissing(err, appMissing(id))
	}
	return f.withSecret(c, a)
}

func (f *face) showApp(c *call) (any, error) {
	a, err := f.app(c, c.param("app_id"))
	if err != nil {
		return nil, err
	}
	return f.withSecret(c, a)
}

func (f *face) deleteApp(c *call) (any, error) {
	id := c.param("app_id")
	return nil, wire.OrMissing(f.service.DeleteApp(c.Context(), c.Caller, id, ""), appMissing(id))
}

// listApps lists the apps that the caller is shown, without their secrets.
func (f *face) listApps(c *call) (any, error) {
	query := c.URL.Query()
	kind, known := appTypes[query.Get("app_type")]
	if !known && !slices.Contains(foreignAppTypes, query.Get("app_type")) {
		return nil, invalid("app_type", "use DLM or IAM")
	}
	apps, err := wire.All(func(p lifecycle.Page) (service.List[service.App], error) {
		return f.service.Apps(c.Context(), c.Caller, "", p)
	})
	if err != nil {
		return nil, err
	}
	found := []appBody{}
	for _, a := range apps {
		if like(a.Name, query.Get("name")) && (query.Get("app_type") == "" || a.Type == kind) {
			found = append(found, bodyOfApp(a))
		}
	}
	some, err := page(c, found)
	if err != nil {
		return nil, err
	}
	return map[string]any{"total": len(found), "apps": some}, nil
}
