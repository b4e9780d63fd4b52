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

	engine service.Engine
	// derived says that a page is taken of the whole statement as a derived table, so that
	// its own ORDER BY and LIMIT hold; else LIMIT and OFFSET stand behind it.
	derived bool
	// counted is what stands between FROM and ORDER BY of a statement whose rows are
	// counted without being asked for; "" where the statement is a derived table then.
	counted  string
	segments []segment
	// rendered has the way from what a script rendered, which segments lead to, to the
	// script itself; nil where the script was not rendered.
	rendered []segment
}

// Marker is a place in a statement that takes a value.
type Marker struct {
	// Parameter names the request parameter that the value comes from; "" where it comes
	// from an expression.
	Parameter string
	// Type is the type of the value; "" where that shows with the value.
	Type service.ParameterType

	source source
	// value is the index of the parameter's value, and element the one of the element that
	// is meant; from the last on it is the last.
	value, element int
	binding        *binding
}

// source is where the value for a marker comes from.
type source uint8

const (
	// sourceValue is the value of a parameter.
	sourceValue source = iota
	// sourceElement is an element of a list.
	sourceElement
	// sourcePosition is the place of an element in its list, from 0.
	sourcePosition
	// sourceBinding is the value of an expression.
	sourceBinding
)

// segment says that the text from offset text on is the script from offset script on.
type segment struct{ text, script int }

// Args appends one value per marker: nil, a string, int64, float64 or bool, or a slice
// of one of these for a list that stays one value. values are those of
// [Query.Parameters]. The error is a [ValueError] where an expression has no value.
func (s *Shape) Args(dst, values []any) ([]any, error) {
	var call *state
	length := 0
	for i := range s.Markers {
		m := &s.Markers[i]
		var v any
		if m.source == sourceValue {
			v = values[m.value]
		} else {
			if call == nil {
				call = &state{values: values}
			}
			var err error
			if v, err = call.arg(m); err != nil {
				return dst, err
			}
		}
		if text, ok := v.(string); ok {
			if length += len(text); length > maxArgs {
				return dst, valueError("", "The values of the statement have more than %d bytes together: a script that repeats one for each element of a list takes a shorter one.", maxArgs)
			}
		}
		dst = append(dst, v)
	}
	return dst, nil
}

// maxArgs bounds the texts that one statement takes, in bytes: a long one can be bound
// again for each element of a list.
const maxArgs = 8 << 20

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
func (s *Shape) Page() string {
	n := len(s.Markers)
	limit := " LIMIT " + marker(s.engine, n+1) + " OFFSET " + marker(s.engine, n+2)
	if s.derived {
		return "SELECT * FROM (" + s.Text + derivedTail + limit
	}
	return s.Text + limit
}

// Count returns a statement with the same bind markers whose one value is the number
// of the shape's rows.
func (s *Shape) Count() string {
	if s.counted != "" {
		return "SELECT count(*) FROM " + s.counted
	}
	return "SELECT count(*) FROM (" + s.Text + derivedTail
}

const derivedTail = ") AS dataservice_rows"

// Offset returns the byte of the script that the byte of [Shape.Text] comes from.
func (s *Shape) Offset(text int) int {
	at, next := offset(s.segments, text)
	if next >= 0 {
		// What is longer in the text than in the script ends where the next begins.
		at = min(at, next)
	}
	if s.rendered != nil {
		at, _ = offset(s.rendered, at)
	}
	return at
}

// offset returns where the byte of the text comes from, and where the next segment does;
// -1 where there is none.
func offset(segments []segment, text int) (at, next int) {
	i, found := slices.BinarySearchFunc(segments, text, func(g segment, at int) int { return g.text - at })
	if !found {
		i--
	}
	if i < 0 {
		return 0, -1
	}
	next = -1
	if i+1 < len(segments) {
		next = segments[i+1].script
	}
	return segments[i].script + text - segments[i].text, next
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
	b.segments = appendSegment(b.segments, segment{b.text.Len(), script})
}

// appendSegment appends where a text comes from, unless that only goes on.
func appendSegment(segments []segment, g segment) []segment {
	if n := len(segments); n > 0 && segments[n-1].script-segments[n-1].text == g.script-g.text {
		return segments
	}
	return append(segments, g)
}

// parameter returns what takes the value of the parameter.
func (b *builder) parameter(name string) Marker {
	i, _ := slices.BinarySearch(b.parameters, name)
	return Marker{Parameter: name, Type: b.declared[name].Type, value: i}
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
	m.source = sourceElement
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

// shape returns what was written.
func (b *builder) shape(derived bool) *Shape {
	return &Shape{Text: b.text.String(), Markers: b.markers, engine: b.engine, derived: derived, segments: b.segments}
}
