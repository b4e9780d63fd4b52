// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataworks

import (
	"cmp"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

// apiNames are the vendor's names of an API's fields; what the details hold is named with
// [detailNames].
var apiNames = names{
	"name": "ApiName", "description": "ApiDescription", "path": "ApiPath", "method": "RequestMethod", "mode": "ApiMode", "protocols": "Protocols",
	"request_content_type": "RequestContentType", "response_content_type": "ResponseContentType", "timeout_ms": "Timeout", "visibility": "VisibleRange",
	"group_id": "GroupId", "folder_id": "FolderId", "resource_group": "ResourceGroupId",
}

// namesFor are those of an API of that mode.
func namesFor(mode service.Mode) names {
	n := names{}
	for field, name := range apiNames {
		n[field] = name
	}
	for _, field := range []string{"wizard", "script", "registration", "connection_id", "request_parameters", "response_parameters", "error_codes", "success_sample", "failure_sample", "debug"} {
		n[field] = detailNames[mode]
	}
	return n
}

// createAPI defines an API. It is called as apps are: the vendor's have keys.
func (f *face) createAPI(c *call) (any, error) {
	in := service.APIInput{APISpec: service.APISpec{
		Name: c.required("ApiName"), Description: c.required("ApiDescription"),
		Definition: service.Definition{Path: c.required("ApiPath"), AuthType: service.AuthApp},
	}}
	group, folder := c.required("GroupId"), c.maybeInteger("FolderId")
	for _, name := range []string{"ApiMode", "RequestMethod", "ResponseContentType", "Timeout", "VisibleRange", "Protocols"} {
		c.required(name)
	}
	if mode := choice(c.form, "ApiMode", service.Modes); mode != nil {
		in.Mode = *mode
		c.required(detailNames[in.Mode])
	}
	sqlMode := choice(c.form, "SqlMode", service.SQLModes)
	c.readSettings(&in.APISpec)
	if format := choice(c.form, "RequestContentType", service.RequestContentTypes); format != nil {
		in.RequestContentType = *format
	}
	if c.err != nil {
		return nil, c.err
	}
	if err := f.file(c, &in.APISpec, group, folder); err != nil {
		return nil, err
	}
	if err := f.readDetails(c, &in.Definition); err != nil {
		return nil, err
	}
	if in.Script != nil && sqlMode != nil {
		in.Script.SQLMode = *sqlMode
	}
	api, err := f.service.CreateAPI(c, c.Caller, in)
	if err != nil {
		return nil, namesFor(in.Mode).named(err)
	}
	return api.Number, nil
}

// updateAPI changes what is given of an API; all else stays as it is.
func (f *face) updateAPI(c *call) (any, error) {
	api, err := f.api(c)
	if err != nil {
		return nil, err
	}
	in := service.APIInput{APISpec: api.APISpec.WithDefaults()}
	in.Description = cmp.Or(c.text("ApiDescription"), in.Description)
	in.Path = cmp.Or(c.text("ApiPath"), in.Path)
	c.readSettings(&in.APISpec)
	for _, mode := range service.Modes {
		if name := detailNames[mode]; mode != in.Mode && c.text(name) != "" {
			c.fail(invalid(name, "the API has another mode, which is for good: give "+detailNames[in.Mode]+"."))
		}
	}
	if c.err != nil {
		return nil, c.err
	}
	if err := f.readDetails(c, &in.Definition); err != nil {
		return nil, err
	}
	if _, err := f.service.UpdateAPI(c, c.Caller, api.ID, api.ETag(), in); err != nil {
		return nil, namesFor(in.Mode).named(wire.OrMissing(err, apiMissing(decimal(api.Number))))
	}
	return true, nil
}

// deleteAPI removes an API that is published nowhere.
func (f *face) deleteAPI(c *call) (any, error) {
	number := c.number("ApiId")
	if c.err != nil {
		return nil, c.err
	}
	if err := f.service.DeleteAPI(c, c.Caller, number, ""); err != nil {
		return nil, wire.OrMissing(err, apiMissing(number))
	}
	return true, nil
}

// readSettings reads the parameters that creating and updating have in common; those that
// are absent change nothing.
func (c *call) readSettings(a *service.APISpec) {
	if method := choice(c.form, "RequestMethod", service.Methods); method != nil {
		a.Method = *method
	}
	if format := choice(c.form, "ResponseContentType", service.ResponseContentTypes); format != nil {
		a.ResponseContentType = *format
	}
	if visibility := choice(c.form, "VisibleRange", service.Visibilities); visibility != nil {
		a.Visibility = *visibility
	}
	if protocols := choices(c.form, "Protocols", service.Protocols); protocols != nil {
		a.Protocols = protocols
	}
	if c.text("Timeout") != "" {
		a.TimeoutMS = int(c.within("Timeout", service.DefaultTimeoutMS, service.MaxTimeoutMS))
	}
	if group := c.maybeInteger("ResourceGroupId"); group != nil {
		a.ResourceGroup = decimal(*group)
	}
}

// file finds the business process and the folder that an API is filed in. The folder 0 is
// the business process itself.
func (f *face) file(c *call, a *service.APISpec, group string, folder *int64) error {
	g, err := f.group(c, group)
	if err != nil {
		return err
	}
	a.GroupID = g.ID
	if folder == nil || *folder == 0 {
		return nil
	}
	a.FolderID, err = f.folder(c, g, *folder)
	return err
}
