// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"context"
	"net/http"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func (a *api) registerWhoAmI() {
	register(a, operation{
		method: http.MethodGet, path: "/api/v1/whoami", id: "who-am-i", tag: tagWhoAmI,
		summary: "Tell who the token belongs to",
	}, func(_ context.Context, c lifecycle.Caller, _ *none) (*object[service.Identity], error) {
		return answer(a.Service.WhoAmI(c), nil)
	})
}
