// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"context"
	"net/http"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func (a *api) registerInstances() {
	const path = base + "/instances"
	register(a, operation{
		method: http.MethodGet, path: path, id: "list-instances", tag: tagInstances,
		summary: "List gateway instances",
	}, a.listInstances)
	register(a, operation{
		method: http.MethodGet, path: path + "/{ref}", id: "get-instance", tag: tagInstances,
		summary: "Read a gateway instance",
	}, a.getInstance)
}

func (a *api) listInstances(ctx context.Context, c lifecycle.Caller, in *PageInput) (*object[service.List[service.Instance]], error) {
	return answer(a.Service.Instances(ctx, c, in.page()))
}

func (a *api) getInstance(ctx context.Context, c lifecycle.Caller, in *RefInput) (*object[service.Instance], error) {
	return answer(a.Service.Instance(ctx, c, in.Ref))
}
