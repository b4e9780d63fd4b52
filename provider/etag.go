// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"encoding/json"

	"github.com/hashicorp/terraform-plugin-framework/diag"
)

// etagKey is where the private state keeps the entity tag of what the state shows.
const etagKey = "etag"

// etagValue is the entity tag as private state; "" asks for no check.
func etagValue(etag string) []byte {
	data, err := json.Marshal(etag)
	if err != nil {
		panic("provider: a text is always JSON: " + err.Error())
	}
	return data
}

func etagOf(ctx context.Context, private privateState) (string, diag.Diagnostics) {
	data, diags := private.GetKey(ctx, etagKey)
	if len(data) == 0 {
		return "", diags
	}
	var etag string
	if err := json.Unmarshal(data, &etag); err != nil {
		diags.AddError("Unreadable private state", "The entity tag in the private state is not readable: "+err.Error()+". Run terraform refresh.")
	}
	return etag, diags
}
