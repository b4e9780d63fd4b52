// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Limits of what a caller sends.
const (
	// MaxQueryLength is in bytes, as sent.
	MaxQueryLength = 64 << 10
	// MaxValueLength bounds one value, in bytes after decoding.
	MaxValueLength = 32 << 10
	// MaxPageSize bounds pageSize.
	MaxPageSize = 1000
	// DefaultPageSize is the page size where a caller says none.
	DefaultPageSize = 10

	maxPageNum = 1<<31 - 1
)

// The parameters that every paged API has.
const (
	pageNumName  = "pageNum"
	pageSizeName = "pageSize"
)

// parameter is a request parameter, ready to decode.
type parameter struct {
	name     string
	kind     service.ParameterType
	required bool
	// position is where the caller passes it; "" means the query string.
	position service.Position
	// value is what an absent optional parameter has: its default, or nil for NULL.
	value any
}

// arguments are the decoded query string of one call. It is reused between calls.
type arguments struct {
	values            []any
	seen              [(service.MaxParameters + 63) / 64]uint64
	pageNum, pageSize int
}

// decode reads a query string as the route's parameters. It allocates nothing but
// the values themselves, and text that is percent-encoded.
func (a *arguments) decode(rt *route, query string) *failure {
	if f := a.decodeQuery(rt, query); f != nil {
		return f
	}
	return a.complete(rt)
}

// decodeQuery begins with the values of absent parameters and reads the query string.
func (a *arguments) decodeQuery(rt *route, query string) *failure {
	a.values = a.values[:0]
	for i := range rt.parameters {
		a.values = append(a.values, rt.parameters[i].value)
	}
	clear(a.seen[:])
	a.pageNum, a.pageSize = 0, 0
	if len(query) > MaxQueryLength {
		return longQuery(query)
	}
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		if pair == "" {
			continue
		}
		if f := a.decodePair(rt, pair); f != nil {
			return f
		}
	}
	return nil
}

func longQuery(query string) *failure {
	return failf(errLongQuery, "", "The query string has %d bytes; %d is the most.", len(query), MaxQueryLength)
}

// complete is the end of decoding: what is required must have come.
func (a *arguments) complete(rt *route) *failure {
	for i := range rt.parameters {
		if p := &rt.parameters[i]; p.required && !a.has(i) {
			return failf(errMissingParameter, p.name, "The parameter %q is required and missing: add it to %s as %s.", p.name, place(p.position), typePhrase(p.kind))
		}
	}
	if rt.paged {
		if a.pageNum == 0 {
			a.pageNum = 1
		}
		if a.pageSize == 0 {
			a.pageSize = DefaultPageSize
		}
	}
	return nil
}

// place names where a parameter is passed.
func place(p service.Position) string {
	switch p {
	case service.PositionHeader:
		return "the headers"
	case service.PositionBody:
		return "the body"
	default:
		return "the query string"
	}
}

func (a *arguments) has(i int) bool { return a.seen[i/64]&(1<<(i%64)) != 0 }

func (a *arguments) decodePair(rt *route, pair string) *failure {
	rawName, rawText, _ := strings.Cut(pair, "=")
	name, err := url.QueryUnescape(rawName)
	if err != nil || !utf8.ValidString(name) {
		return failf(errMalformedQuery, "", "The parameter name %s is not percent-encoded UTF-8.", echo(rawName))
	}
	i, declared := rt.index[name]
	paging := !declared && rt.paged && (name == pageNumName || name == pageSizeName)
	if !declared && !paging {
		return unknownParameter(name)
	}
	text, err := url.QueryUnescape(rawText)
	if err != nil || !utf8.ValidString(text) {
		return failf(errMalformedQuery, name, "The value of parameter %q is not percent-encoded UTF-8.", name)
	}
	if paging {
		return a.decodePage(name, text)
	}
	return a.set(rt, i, text)
}

// set reads the text as the value of a parameter.
func (a *arguments) set(rt *route, i int, text string) *failure {
	name := rt.parameters[i].name
	if a.has(i) {
		return repeatedParameter(name)
	}
	a.seen[i/64] |= 1 << (i % 64)
	if len(text) > MaxValueLength {
		return failf(errLongParameter, name, "The value of parameter %q has %d bytes; %d is the most.", name, len(text), MaxValueLength)
	}
	value, err := rt.parameters[i].kind.Parse(text)
	if err != nil {
		return failf(errInvalidParameter, name, "The value of parameter %q %s.", name, err)
	}
	a.values[i] = value
	return nil
}

func (a *arguments) decodePage(name, text string) *failure {
	target, most := &a.pageNum, maxPageNum
	if name == pageSizeName {
		target, most = &a.pageSize, MaxPageSize
	}
	if *target != 0 {
		return repeatedParameter(name)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 || n > int64(most) {
		return failf(errInvalidPage, name, "The value of parameter %q must be a whole number from 1 to %d.", name, most)
	}
	*target = int(n)
	return nil
}

func unknownParameter(name string) *failure {
	if name == pageNumName || name == pageSizeName {
		return failf(errUnknownParameter, name, "This API is not paged and has no parameter %q: remove it.", name)
	}
	return failf(errUnknownParameter, name, "This API has no parameter %s: remove it, or check its spelling.", echo(name))
}

func repeatedParameter(name string) *failure {
	return failf(errRepeatedParameter, name, "The parameter %q is there more than once: send it once. A list is one value with commas or a JSON array.", name)
}

// typePhrase names a type in a sentence, such as "a list of LONG".
func typePhrase(t service.ParameterType) string {
	if element, list := t.Element(); list {
		return "a list of " + string(element)
	}
	return string(t)
}
