// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package apig

import (
	"slices"
	"strconv"
	"strings"
)

// Limits of a page, in items. Larger ones are cut, as the vendor does.
const (
	usualPage = 20
	mostPage  = 500
)

// page returns the part of the items that a request asks for by offset and limit.
func page[T any](c *call, items []T) ([]T, error) {
	offset, err := c.number("offset")
	if err != nil {
		return nil, err
	}
	limit, err := c.number("limit")
	if err != nil {
		return nil, err
	}
	if limit <= 0 {
		limit = usualPage
	}
	from := min(max(offset, 0), len(items))
	to := from + min(limit, mostPage, len(items)-from)
	return items[from:to], nil
}

// number reads a parameter of the query; 0 where it is absent.
func (c *call) number(name string) (int, error) {
	text := c.URL.Query().Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, invalidQuery(name, "it is not a whole number")
	}
	return n, nil
}

// is reports whether the query asks for that value of a parameter, or for any.
func (c *call) is(parameter, value string) bool {
	want := c.URL.Query().Get(parameter)
	return want == "" || want == value
}

// has reports whether the query asks for a part of the value, in whatever case, or for
// any; for the whole of it where precise_search names the parameter.
func (c *call) has(parameter, value string) bool {
	query := c.URL.Query()
	want := query.Get(parameter)
	if slices.Contains(strings.Split(query.Get("precise_search"), ","), parameter) {
		return want == "" || want == value
	}
	return strings.Contains(strings.ToLower(value), strings.ToLower(want))
}
