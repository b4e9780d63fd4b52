// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"

	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// privateTo is the column that tells whom an API is private to; a is the alias of the
// API's table in every query that reads it.
const privateTo = `CASE WHEN a.visibility = 'PRIVATE' THEN a.owner_id ELSE '' END`

// applied holds where an application of the API is open.
const applied = `EXISTS (SELECT 1 FROM publications ap JOIN reviews ar ON ar.publication_id = ap.id WHERE ap.api_id = a.id AND ar.status = 'PENDING')`

// seen narrows a query to the APIs that sight shows, and to the records that the other
// terms let through though their API is not shown.
func (c condition) seen(sight *lifecycle.Sight, or string, args ...any) condition {
	if sight == nil {
		return c
	}
	term := `a.visibility <> 'PRIVATE' OR a.owner_id = ?`
	if sight.Applications {
		term += ` OR ` + applied
	}
	if or != "" {
		term += ` OR ` + or
	}
	return c.and(`(`+term+`)`, append([]any{sight.MemberID}, args...)...)
}

func (t *transaction) Sees(ctx context.Context, sight lifecycle.Sight, apiID string) (bool, error) {
	c := where("a.id = ?", apiID).seen(&sight, "")
	return t.exists(ctx, `SELECT 1 FROM apis a`+c.where(), c.args...)
}
