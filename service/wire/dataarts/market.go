// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataarts

import (
	"cmp"
	"slices"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

// marketRequest is which APIs of the marketplace a client asks for.
type marketRequest struct {
	AuthType  string `json:"auth_type"`
	Sort      string `json:"market_sort_type"`
	Direction string `json:"asc_or_desc"`
	Offset    int    `json:"offset"`
	Limit     *int   `json:"limit"`
}

// marketAPI is an API that can be called.
type marketAPI struct {
	ID                string `json:"id"`
	Name              string `json:"name"`
	AuthType          string `json:"auth_type"`
	UserName          string `json:"user_name"`
	CreateTime        int64  `json:"create_time"`
	UpdateTime        int64  `json:"update_time"`
	IsOwner           bool   `json:"is_owner"`
	IsAuthorized      bool   `json:"is_authorized"`
	IsUpdateRecently  bool   `json:"is_update_recently"`
	IsReleaseRecently bool   `json:"is_release_recently"`
}

// recently is how long something is new at the vendor.
const recently = 3 * 24 * time.Hour

// market lists what can be called in RELEASE of the cluster that exists from the start.
// Nothing of it is about how often APIs are called: nobody counts that here.
func (f *face) market(c *call) (any, error) {
	var in marketRequest
	if c.ContentLength != 0 {
		if err := c.decode(&in); err != nil {
			return nil, err
		}
	}
	limit := usualPage
	if in.Limit != nil {
		limit = *in.Limit
	}
	switch {
	case in.Offset < 0 || limit < 1:
		return nil, invalid("limit", "the offset is 0 or more, and the limit 1 or more")
	case in.Sort != "" && in.Sort != "createTime" && in.Sort != "updateTime":
		return nil, invalid("market_sort_type", "use createTime or updateTime")
	case in.Direction != "" && in.Direction != "asc" && in.Direction != "desc":
		return nil, invalid("asc_or_desc", "use asc or desc")
	}
	published, err := wire.All(func(p lifecycle.Page) (service.List[service.PublishedAPI], error) {
		return f.service.Catalog(c.Context(), c.Caller, lifecycle.CatalogFilter{}, p)
	})
	if err != nil {
		return nil, err
	}
	own, err := f.ownAPIs(c)
	if err != nil {
		return nil, err
	}
	fresh := func(at time.Time) bool { return f.service.Clock.Now().Sub(at) <= recently }
	apis := []marketAPI{}
	for _, a := range published {
		if in.AuthType == "" || in.AuthType == string(a.Definition.AuthType) {
			apis = append(apis, marketAPI{
				ID: a.APIID, Name: a.Name, AuthType: string(a.Definition.AuthType), UserName: a.OwnerName, CreateTime: wire.Millis(a.PublishedAt), UpdateTime: wire.Millis(a.PublishedAt),
				IsOwner: true, IsAuthorized: own[a.APIID], IsUpdateRecently: fresh(a.PublishedAt), IsReleaseRecently: fresh(a.PublishedAt),
			})
		}
	}
	slices.SortStableFunc(apis, func(a, b marketAPI) int {
		if in.Direction == "asc" {
			return cmp.Compare(a.UpdateTime, b.UpdateTime)
		}
		return cmp.Compare(b.UpdateTime, a.UpdateTime)
	})
	return map[string]any{"total": len(apis), "apis": part(apis, in.Offset, limit)}, nil
}
