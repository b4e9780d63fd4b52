// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"context"
	"net/http"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func (a *api) registerDeliveries() {
	const path = base + "/apps/{ref}/deliveries"
	register(a, operation{
		method: http.MethodGet, path: path, id: "list-deliveries", tag: tagApps,
		summary: "List the messages to an app's webhook, newest first",
	}, a.listDeliveries)
	register(a, operation{
		method: http.MethodPost, path: path + "/{id}/redeliver", id: "redeliver", tag: tagApps,
		summary: "Send a dead message again",
	}, a.redeliver)
}

func (a *api) listDeliveries(ctx context.Context, c lifecycle.Caller, in *struct {
	RefInput
	Status service.DeliveryStatus `query:"status" enum:"PENDING,DELIVERED,DEAD" doc:"Only those in this status."`
	PageInput
},
) (*object[service.List[service.Delivery]], error) {
	return answer(a.Service.Deliveries(ctx, c, in.Ref, lifecycle.DeliveryFilter{Status: in.Status}, in.page()))
}

func (a *api) redeliver(ctx context.Context, c lifecycle.Caller, in *struct {
	RefInput
	IDInput
},
) (*object[service.Delivery], error) {
	return answer(a.Service.Redeliver(ctx, c, in.Ref, in.ID))
}
