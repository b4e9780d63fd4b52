// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/query"
)

// invalidSQL notes what the database says of a shape, and where; offset is a byte of its
// text, -1 where the database names no place.
func invalidSQL(v *service.Invalid, d service.Definition, st *query.Shape, message string, offset int) {
	if d.Wizard != nil {
		v.Addf("/wizard/table", "The database does not answer from the table: %s.", message)
		return
	}
	if offset < 0 {
		v.Addf("/script/sql", "The database does not take the SQL: %s.", message)
		return
	}
	v.Addf("/script/sql", "The database does not take the SQL: %s (%s).", message, query.Position(d.Script.SQL, st.Offset(offset)))
}

// notPaged notes that the query does not work page by page.
func notPaged(v *service.Invalid, d service.Definition, err error) {
	if d.Wizard != nil {
		v.Addf("/wizard/paged", "The table cannot be paged: that fails with %q.", err)
		return
	}
	v.Addf("/script/paged", "The script cannot be paged: as a derived table it fails with %q.", err)
}

// maxSamples bounds the shapes that are prepared when a definition is validated.
const maxSamples = 64

// checkColumns notes response parameters that are no column of the result, or
// several.
func checkColumns(v *service.Invalid, d service.Definition, names []string) {
	count := map[string]int{}
	for _, name := range names {
		count[name]++
	}
	for _, name := range slices.Sorted(maps.Keys(d.ResponseParameters)) {
		pointer := service.Pointer("response_parameters", name)
		switch n := count[name]; {
		case n == 0:
			v.Addf(pointer, "The result has no column %q%s: it has %s.", name, didYouMean(name, names), listOf(names))
		case n > 1:
			v.Addf(pointer, "The result has %d columns %q: give all but one another name with AS.", n, name)
		}
	}
}

// maxListed bounds the names that a sentence lists.
const maxListed = 30

func listOf(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	quoted := make([]string, 0, maxListed)
	for i, name := range names {
		if i == maxListed {
			return strings.Join(quoted, ", ") + fmt.Sprintf(" and %d more", len(names)-i)
		}
		quoted = append(quoted, fmt.Sprintf("%q", name))
	}
	return strings.Join(quoted, ", ")
}

// acquireFailure is the error for a session that was not to be had for a check.
func acquireFailure(err error) error {
	var e *service.Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled):
		return connectionFailed("", err, "The database did not answer in time. Try again later.")
	default:
		return connectionFailed("", err, "The database cannot be asked now: %v. Try again later.", err)
	}
}

// sessionFailure is the error for a session that was not to be had for a call.
func sessionFailure(ctx context.Context, err error) *Error {
	// Who dials looks at the deadline itself, and may see it before the context does.
	deadline, has := ctx.Deadline()
	over := ctx.Err() != nil || has && !time.Now().Before(deadline)
	if over && !errors.Is(err, errPoolBusy) {
		return &Error{Kind: Timeout, Err: err}
	}
	return &Error{Kind: Unavailable, Err: err}
}
