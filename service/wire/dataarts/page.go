// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataarts

import (
	"strconv"
	"strings"
	"time"
)

// usualPage is how many items a page has where the request does not say.
const usualPage = 100

// page returns the part of the items that a request asks for by offset and limit. The
// offset is rounded down to a multiple of the limit, as the vendor does, but for one past
// the end: there is nothing there, and a client that goes on until there is nothing ends.
// No limit is too large: a client takes a page that is shorter than it asked for as the last.
func page[T any](c *call, items []T) ([]T, error) {
	offset, err := c.number("offset", 0, 0)
	if err != nil {
		return nil, err
	}
	limit, err := c.number("limit", usualPage, 1)
	if err != nil {
		return nil, err
	}
	return part(items, offset, limit), nil
}

func part[T any](items []T, offset, limit int) []T {
	if offset >= len(items) {
		return []T{}
	}
	offset -= offset % limit
	return items[offset : offset+min(limit, len(items)-offset)]
}

// number reads a parameter of the query that is least at the least.
func (c *call) number(name string, absent, least int) (int, error) {
	text := c.URL.Query().Get(name)
	if text == "" {
		return absent, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least {
		return 0, invalid(name, "it is not a whole number from %d on", least)
	}
	return n, nil
}

// flag reads a parameter of the query that is true or false.
func (c *call) flag(name string, absent bool) (bool, error) {
	text := c.URL.Query().Get(name)
	if text == "" {
		return absent, nil
	}
	b, err := strconv.ParseBool(text)
	if err != nil {
		return false, invalid(name, "it is neither true nor false")
	}
	return b, nil
}

// moment reads a parameter that is a time; nil where it is absent.
func moment(name, text string) (*time.Time, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // Absent is no error.
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return nil, invalid(name, "%q is not a time such as 2026-01-31T10:00:00.000Z", text)
	}
	return &at, nil
}

// like reports whether the text has the part, in whatever case; every text has "".
func like(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}
