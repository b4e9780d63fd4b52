// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataworks

import (
	"fmt"
	"strings"
)

// Limits of a page, in items.
const (
	usualPage = 10
	mostPage  = 100
)

// paged answers the page of the items that a call asks for, under that name. Nothing is cut
// silently: a client counts pages by the size that it has asked for.
func paged[T any](c *call, name string, items []T) (object, error) {
	number, size := c.within("PageNumber", 1, 1<<31-1), c.within("PageSize", usualPage, mostPage)
	if c.err != nil {
		return nil, c.err
	}
	from := len(items)
	if number-1 <= int64(len(items))/size {
		from = int(min((number-1)*size, int64(len(items))))
	}
	to := min(from+int(size), len(items))
	return object{{"TotalCount", len(items)}, {"PageNumber", number}, {"PageSize", size}, {name, append([]T{}, items[from:to]...)}}, nil
}

// within reads a whole number from 1 to most, which may be absent.
func (p *form) within(name string, usual, most int64) int64 {
	n := p.maybeInteger(name)
	switch {
	case n == nil:
		return usual
	case *n < 1 || *n > most:
		p.fail(invalid(name, fmt.Sprintf("%d is not from 1 to %d.", *n, most)))
	}
	return *n
}

// has reports whether the text holds the keyword, in whatever case; "" is in every text.
func has(text, keyword string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(keyword))
}
