// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package wire

import (
	"cmp"
	"context"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// Instance returns the instance of the caller's workspace that a request names by id,
// number or name; "" is the one that exists from the start. CodeNotFound where there is none.
func Instance(ctx context.Context, s *lifecycle.Service, c lifecycle.Caller, ref string) (service.Instance, error) {
	return s.InstanceAt(ctx, c, cmp.Or(ref, service.DefaultInstance))
}
