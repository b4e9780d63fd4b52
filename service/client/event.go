// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package client

import (
	"context"
	"strconv"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Events returns the audit trail after that sequence number, oldest first.
func (c *Client) Events(ctx context.Context, after int64, limit int) (service.List[service.Event], error) {
	call := get(c.path("events"))
	call.query = Page{Limit: limit}.query("after", strconv.FormatInt(after, 10))
	return fetch[service.List[service.Event]](ctx, c, call)
}
