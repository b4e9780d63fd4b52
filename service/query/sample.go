// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package query

import (
	"slices"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// maxTries bounds the sets of values that are tried to find a script's shapes.
const maxTries = 512

// maxTrials bounds the shapes that are made when a script is compiled, to see whether
// they are queries.
const maxTrials = 64

// samples tries values that a caller could send: what the script compares a parameter
// with, nothing where it is optional, and lists of some lengths. All combinations where
// they are few; else each value of each parameter beside the first values of the others,
// and beside none of them.
//
// A shape that no values lead to is never asked for: it may well be no SQL.
func (m *myBatis) samples(int) [][]any {
	candidates := make([][]any, len(m.parameters))
	combinations := 1
	for i, name := range m.parameters {
		candidates[i] = m.candidates(i, m.declared[name])
		if combinations <= maxTries {
			combinations *= len(candidates[i])
		}
	}
	if combinations <= maxTries {
		return product(candidates)
	}
	first, last := make([]any, len(candidates)), make([]any, len(candidates))
	for i, c := range candidates {
		// The last is nothing where that is possible.
		first[i], last[i] = c[0], c[len(c)-1]
	}
	samples := [][]any{first, last}
	for i, c := range candidates {
		for _, value := range c {
			for _, others := range [][]any{first, last} {
				values := slices.Clone(others)
				values[i] = value
				if samples = append(samples, values); len(samples) == maxTries {
					return samples
				}
			}
		}
	}
	return samples
}

func product(candidates [][]any) [][]any {
	samples := [][]any{nil}
	for _, c := range candidates {
		var longer [][]any
		for _, value := range c {
			for _, s := range samples {
				longer = append(longer, append(slices.Clip(s), value))
			}
		}
		samples = longer
	}
	return samples
}

// candidates returns values of a parameter, the most telling first; nothing is the last
// where the parameter may be absent.
func (m *myBatis) candidates(i int, p service.RequestParameter) []any {
	var c []any
	if _, list := p.Type.Element(); list {
		some := sampleOf(p.Type, 2)
		for k, literal := range m.literals[i] {
			some = withElement(some, k, literal)
		}
		c = append(c, some, sampleOf(p.Type, 1), sampleOf(p.Type, 0))
	} else {
		switch p.Type {
		case service.TypeInt, service.TypeLong:
			c = append(c, int64(1), int64(0))
		case service.TypeFloat, service.TypeDouble:
			c = append(c, 1.5, 0.0)
		case service.TypeBoolean:
			c = append(c, true, false)
		default:
			c = append(c, "a")
		}
		for _, literal := range m.literals[i] {
			if v, ok := asType(literal, p.Type); ok && !slices.Contains(c, v) {
				c = append(c, v)
			}
		}
		for _, text := range []*string{p.Default, p.Example} {
			if text == nil {
				continue
			}
			if v, err := p.Type.Parse(*text); err == nil && !slices.Contains(c, v) {
				c = append(c, v)
			}
		}
	}
	if !p.Required && p.Default == nil {
		c = append(c, nil)
	}
	return c
}

// asType returns the literal as a value of the type, where it is one.
func asType(literal any, t service.ParameterType) (any, bool) {
	switch v := literal.(type) {
	case string:
		return v, t == service.TypeString
	case int64:
		if t == service.TypeFloat || t == service.TypeDouble {
			return float64(v), true
		}
		return v, t == service.TypeInt || t == service.TypeLong
	case float64:
		if t == service.TypeInt || t == service.TypeLong {
			return int64(v), true
		}
		return v, t == service.TypeFloat || t == service.TypeDouble
	}
	return nil, false
}

// withElement returns the list with the literal as one of its elements.
func withElement(list any, i int, literal any) any {
	switch l := list.(type) {
	case []string:
		if v, ok := asType(literal, service.TypeString); ok {
			l[i%len(l)] = v.(string) //nolint:forcetypeassert // asType says that it is.
		}
	case []int64:
		if v, ok := asType(literal, service.TypeLong); ok {
			l[i%len(l)] = v.(int64) //nolint:forcetypeassert // asType says that it is.
		}
	case []float64:
		if v, ok := asType(literal, service.TypeDouble); ok {
			l[i%len(l)] = v.(float64) //nolint:forcetypeassert // asType says that it is.
		}
	}
	return list
}
