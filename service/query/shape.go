// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package query

import (
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Shape is one statement that a [Query] can take: immutable, and safe for concurrent use.
type Shape struct {
	// Text is one statement without comments and without a semicolon at its end.
	Text string
	// Markers are the bind markers, in the order in which the engine numbers them: on
	// SQLite, whose markers have numbers, the one of ?1 comes first.
	Markers []Marker

	page, count string
	segments    []segment
}

// Marker is a place in a statement that takes a value.
type Marker struct {
	// Parameter names the request parameter that the value comes from.
	Parameter string
	// Type is the type of the value.
	Type service.ParameterType

	// value is the index of the parameter's value, and element the one of the element
	// that is meant where whole is false; from the last on it is the last.
	value, element int
	whole          bool
}

// segment says that the text from offset text on is the script from offset script on.
type segment struct{ text, script int }

// Args appends one value per marker: nil, a string, int64, float64 or bool, or a slice
// of one of these for a list that stays one value. values are those of
// [Query.Parameters].
func (s *Shape) Args(dst, values []any) ([]any, error) {
	for i := range s.Markers {
		m := &s.Markers[i]
		if m.whole {
			dst = append(dst, values[m.value])
			continue
		}
		dst = append(dst, elementOf(values[m.value], m.element))
	}
	return dst, nil
}

// elementOf returns an element of a list, the last one where it has fewer, and nil
// where it has none.
func elementOf(list any, i int) any {
	n := lengthOf(list)
	if n <= 0 {
		return nil
	}
	i = min(i, n-1)
	switch list := list.(type) {
	case []string:
		return list[i]
	case []int64:
		return list[i]
	case []float64:
		return list[i]
	case []bool:
		return list[i]
	}
	return nil
}

// lengthOf returns the number of elements of a list; -1 where it was not given.
func lengthOf(list any) int {
	switch list := list.(type) {
	case []string:
		return len(list)
	case []int64:
		return len(list)
	case []float64:
		return len(list)
	case []bool:
		return len(list)
	}
	return -1
}

// places returns how many markers a list of n elements gets: a power of two, so that
// lists of many lengths share a shape.
func places(n int) int {
	if n <= 1 {
		return n
	}
	return 1 << bits.Len(uint(n-1))
}

// Page returns a statement that answers a part of the shape's rows. Two bind markers
// follow the shape's own: the most rows, and how many to leave out before.
func (s *Shape) Page() string { return s.page }

// Count returns a statement with the same bind markers whose one value is the number
// of the shape's rows.
func (s *Shape) Count() string { return s.count }

// Offset returns the byte of the script that the byte of [Shape.Text] comes from.
func (s *Shape) Offset(text int) int { return offset(s.segments, text) }

func offset(segments []segment, text int) int {
	i, found := slices.BinarySearchFunc(segments, text, func(g segment, at int) int { return g.text - at })
	if !found {
		i--
	}
	if i < 0 {
		return 0
	}
	g := segments[i]
	at := g.script + text - g.text
	if i+1 < len(segments) {
		at = min(at, segments[i+1].script)
	}
	return at
}

// builder writes the text of a shape and binds its markers.
type builder struct {
	engine     service.Engine
	parameters []string
	declared   map[string]service.RequestParameter
	text       strings.Builder
	markers    []Marker
	// numbers has the number of each marker on SQLite, where one can be repeated.
	numbers  map[Marker]int
	segments []segment
	// values are those that the shape is for; nil where it is for all.
	values []any
}

func newBuilder(engine service.Engine, parameters []string, declared map[string]service.RequestParameter, values []any) *builder {
	return &builder{engine: engine, parameters: parameters, declared: declared, values: values, numbers: map[Marker]int{}}
}

func (b *builder) write(text string) { b.text.WriteString(text) }

// from notes that what is written next comes from that byte of the script.
func (b *builder) from(script int) {
	b.segments = append(b.segments, segment{b.text.Len(), script})
}

// parameter returns what takes the value of the parameter.
func (b *builder) parameter(name string) Marker {
	i, _ := slices.BinarySearch(b.parameters, name)
	return Marker{Parameter: name, Type: b.declared[name].Type, value: i, whole: true}
}

// number returns the number of a marker, from 1.
func (b *builder) number(m Marker) int {
	if b.engine == service.EngineSQLite {
		if n, known := b.numbers[m]; known {
			return n
		}
		b.numbers[m] = len(b.markers) + 1
	}
	// Elsewhere each occurrence has its own, so that PostgreSQL infers the type of each
	// where it stands.
	b.markers = append(b.markers, m)
	return len(b.markers)
}

// bind writes a marker.
func (b *builder) bind(m Marker) { b.write(marker(b.engine, b.number(m))) }

func marker(engine service.Engine, number int) string {
	switch engine {
	case service.EnginePostgreSQL:
		return "$" + strconv.Itoa(number)
	case service.EngineMySQL:
		return "?"
	default:
		return "?" + strconv.Itoa(number)
	}
}

// membership writes what asks whether a value is in the list.
func (b *builder) membership(not bool, m Marker) {
	if b.engine == service.EngineMySQL {
		b.places(not, m)
		return
	}
	before, behind := "IN (SELECT value FROM json_each(coalesce(", ", '[null]')))"
	switch {
	case b.engine == service.EnginePostgreSQL && not:
		before, behind = "<> ALL(", ")"
	case b.engine == service.EnginePostgreSQL:
		before, behind = "= ANY(", ")"
	case not:
		// On SQLite a list that was not given makes the condition NULL, as on PostgreSQL,
		// where json_each(NULL) would be an empty list.
		before = "NOT " + before
	}
	b.write(before)
	b.bind(m)
	b.write(behind)
}

// places writes a marker per element of a list. A list that was not given makes the
// condition NULL, as on the other engines; an empty one matches nothing.
func (b *builder) places(not bool, m Marker) {
	n := places(lengthOf(b.values[m.value]))
	if not {
		b.write("NOT ")
	}
	b.write("IN (")
	switch {
	case n < 0:
		b.write("NULL")
	case n == 0:
		b.write("SELECT NULL FROM DUAL WHERE FALSE")
	}
	m.whole = false
	m.Type, _ = m.Type.Element()
	for i := range n {
		if i > 0 {
			b.write(", ")
		}
		m.element = i
		b.bind(m)
	}
	b.write(")")
}

const derivedTail = ") AS dataservice_rows"

// derived returns what was written. The number of its rows is that of the whole
// statement as a derived table, and so are its pages, so that its own ORDER BY and LIMIT
// hold; or, where told so, LIMIT and OFFSET stand behind it.
func (b *builder) derived(behind bool) *Shape {
	text := b.text.String()
	page := "SELECT * FROM (" + text + derivedTail + b.limit()
	if behind {
		page = text + b.limit()
	}
	return &Shape{
		Text:     text,
		Markers:  b.markers,
		page:     page,
		count:    "SELECT count(*) FROM (" + text + derivedTail,
		segments: b.segments,
	}
}

// limit returns what makes a page of the rows.
func (b *builder) limit() string {
	n := len(b.markers)
	return " LIMIT " + marker(b.engine, n+1) + " OFFSET " + marker(b.engine, n+2)
}
