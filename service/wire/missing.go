// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package wire

import "github.com/dataservice/terraform-provider-dataservice/service"

// OrMissing is err, but for a thing that is not found: then it is missing, which says so in
// the vendor's words.
func OrMissing(err, missing error) error {
	if service.ErrorCode(err) == service.CodeNotFound {
		return missing
	}
	return err
}
