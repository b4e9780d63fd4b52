// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"context"
	"net/http"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func (a *api) registerEvents() {
	register(a, operation{
		method: http.MethodGet, path: base + "/events", id: "list-events", tag: tagEvents,
		summary: "List the audit trail, oldest first",
	}, a.listEvents)
}

func (a *api) listEvents(ctx context.Context, c lifecycle.Caller, in *struct {
	After int64 `query:"after" minimum:"0" doc:"The sequence number to go on from, such as \"next\" of the page before; absent from the start."`
	Limit int   `query:"limit" minimum:"1" maximum:"500" default:"100" doc:"How many events a page has at the most."`
},
) (*object[service.List[service.Event]], error) {
	return answer(a.Service.Events(ctx, c, in.After, in.Limit))
}
