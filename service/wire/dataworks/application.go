// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataworks

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
	"github.com/dataservice/terraform-provider-dataservice/service/wire/auth"
)

// listApplications lists the apps of the workspace that the caller is shown.
func (f *face) listApplications(c *call) (any, error) {
	for project := range strings.SplitSeq(c.required("ProjectIdList"), ",") {
		if err := auth.InWorkspace(c.Caller, strings.TrimSpace(project)); err != nil && c.err == nil {
			return nil, err
		}
	}
	if c.err != nil {
		return nil, c.err
	}
	apps, err := wire.All(func(p lifecycle.Page) (service.List[service.App], error) { return f.service.Apps(c, c.Caller, "", p) })
	if err != nil {
		return nil, err
	}
	slices.SortFunc(apps, func(a, b service.App) int { return cmp.Compare(a.Number, b.Number) })
	found := make([]object, len(apps))
	for i, a := range apps {
		found[i] = object{{"ApplicationName", a.Name}, {"ApplicationId", a.Number}, {"ProjectId", c.Workspace.Number}}
	}
	return paged(c, "Applications", found)
}

// getApplication returns an app with what it calls with, to its owner.
func (f *face) getApplication(c *call) (any, error) {
	number := c.number("ApplicationId")
	if c.err != nil {
		return nil, c.err
	}
	missing := refused(http.StatusNotFound, codeApplicationMissing, "The application %s does not exist.", number)
	app, err := f.service.App(c, c.Caller, number)
	if err != nil {
		return nil, wire.OrMissing(err, missing)
	}
	credentials, err := f.service.AppCredentials(c, c.Caller, app.ID)
	if err != nil {
		return nil, wire.OrMissing(err, missing)
	}
	return object{
		{"ApplicationId", app.Number},
		{"ApplicationName", app.Name},
		{"ApplicationKey", credentials.Key},
		{"ApplicationSecret", credentials.Secret},
		{"ApplicationCode", credentials.AppCode},
		{"ProjectId", c.Workspace.Number},
	}, nil
}
