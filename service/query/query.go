// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package query

import (
	"iter"
	"maps"
	"math/bits"
	"slices"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Check reports everything about the definition's wizard or script that can be known
// without its connection: a table's name that is none, SQL that is empty, no query or
// several statements, placeholders that are not declared or cannot be bound, and
// parameters that are not used. Since the engine is not known, only what is wrong for
// each of them is reported. A registered API has nothing to check.
//
// The error is a [service.Error] with CodeInvalid and a JSON pointer per problem.
func Check(d service.Definition) error {
	if d.WithDefaults().Mode == service.ModeRegistration {
		return nil
	}
	var first error
	for i, engine := range service.Engines {
		_, err := Compile(d, engine)
		if err == nil {
			return nil
		}
		if i == 0 || fieldCount(err) < fieldCount(first) {
			first = err
		}
	}
	return first
}

func fieldCount(err error) int {
	if e, ok := err.(*service.Error); ok { //nolint:errorlint // Compile returns it as it is.
		return len(e.Fields)
	}
	return 0
}

// Query is a definition compiled for an engine: immutable, and safe for concurrent use.
type Query struct {
	parameters []string
	fixed      *Shape
	// form makes the shapes where there is no fixed one.
	form form
}

// form is what a query with several shapes was compiled to.
type form interface {
	choose(key []byte, values []any) ([]byte, error)
	shape(values []any) (*Shape, error)
	// samples returns values for shapes that cover the definition, the most telling
	// first, and at most so many.
	samples(limit int) [][]any
}

// Compile compiles the definition for the engine. The error is a [service.Error] with
// CodeInvalid and a JSON pointer per problem.
func Compile(d service.Definition, engine service.Engine) (*Query, error) {
	d = d.WithDefaults()
	var v service.Invalid
	var q *Query
	switch {
	case d.Wizard != nil:
		q = compileWizard(d, engine, &v)
	case d.Mode == service.ModeRegistration:
		v.Addf("/mode", "A registered API has no query.")
	case d.Script != nil && d.Script.SQLMode == service.SQLMyBatis:
		q = compileMyBatis(d, engine, &v)
	default:
		q = compileScript(d, engine, &v)
	}
	if err := v.Err("The API"); err != nil {
		return nil, err
	}
	return q, nil
}

func compileScript(d service.Definition, engine service.Engine, v *service.Invalid) *Query {
	q := &Query{parameters: slices.Sorted(maps.Keys(d.RequestParameters))}
	s, problems := parse(d, engine)
	if *v = *problems; v.Err("The API") != nil {
		return q
	}
	if lists := s.lists(q.parameters); len(lists) > 0 {
		q.form = &basicForm{script: s, parameters: q.parameters, lists: lists}
		return q
	}
	b := newBuilder(engine, q.parameters, d.RequestParameters, nil)
	if engine == service.EngineSQLite {
		// A script uses each parameter, and its marker has the parameter's own number.
		for _, name := range q.parameters {
			b.number(b.parameter(name))
		}
	}
	q.fixed = s.compile(b)
	return q
}

// basicForm is a basic script with lists whose lengths its shapes depend on.
type basicForm struct {
	script     script
	parameters []string
	// lists are the indices of the parameters.
	lists []int
}

func (f *basicForm) choose(key []byte, values []any) ([]byte, error) {
	return chooseLists(key, f.lists, values), nil
}

// chooseLists appends what tells apart how many markers the lists get.
func chooseLists(key []byte, lists []int, values []any) []byte {
	for _, i := range lists {
		// From -1 for none to 11 for 1024.
		n := places(lengthOf(values[i]))
		if n > 0 {
			n = bits.Len(uint(n))
		}
		key = append(key, byte(n+1))
	}
	return key
}

func (f *basicForm) shape(values []any) (*Shape, error) {
	return f.script.compile(newBuilder(f.script.engine, f.parameters, f.script.parameters, values)), nil
}

// samples varies the lists together: none, empty, and with some elements.
func (f *basicForm) samples(int) [][]any {
	var samples [][]any
	for _, n := range []int{2, 1, 0, -1} {
		values := make([]any, len(f.parameters))
		for i, name := range f.parameters {
			values[i] = sampleOf(f.script.parameters[name].Type, n)
		}
		samples = append(samples, values)
	}
	return samples
}

// sampleOf returns some value of the type; a list has n elements, and -1 means none.
func sampleOf(t service.ParameterType, n int) any {
	element, list := t.Element()
	switch {
	case n < 0:
		return nil
	case list && (element == service.TypeInt || element == service.TypeLong):
		return make([]int64, n)
	case list && (element == service.TypeFloat || element == service.TypeDouble):
		return make([]float64, n)
	case list && element == service.TypeBoolean:
		return make([]bool, n)
	case list:
		return make([]string, n)
	}
	switch t {
	case service.TypeInt, service.TypeLong:
		return int64(0)
	case service.TypeFloat, service.TypeDouble:
		return float64(0)
	case service.TypeBoolean:
		return false
	}
	return ""
}

// Parameters returns the names of the request parameters, sorted: the order of values
// everywhere. The slice must not be changed.
func (q *Query) Parameters() []string { return q.parameters }

// Fixed returns the one shape that the query always takes; nil where the shape
// depends on the values.
func (q *Query) Fixed() *Shape { return q.fixed }

// Choose appends what tells the shape that the query takes for these values from all
// of its others.
//
// The error of this call and of [Query.Shape] is a [ValueError] where no statement can be
// made of the values.
func (q *Query) Choose(key []byte, values []any) ([]byte, error) {
	if q.fixed != nil {
		return key, nil
	}
	return q.form.choose(key, values)
}

// Shape returns the shape that the query takes for these values. It is made anew with
// each call where it is not fixed.
func (q *Query) Shape(values []any) (*Shape, error) {
	if q.fixed != nil {
		return q.fixed, nil
	}
	return q.form.shape(values)
}

// Samples returns the shapes to be prepared when the definition is validated, at most
// limit: all of them where they are few, and else a choice that covers the definition.
func (q *Query) Samples(limit int) []*Shape {
	if q.fixed != nil {
		return []*Shape{q.fixed}
	}
	var shapes []*Shape
	for s, err := range sampleShapes(q.form, limit) {
		if err == nil {
			shapes = append(shapes, s)
		}
	}
	return shapes
}

// sampleShapes makes the shapes for the form's samples, each once and at most limit, and
// the errors where there is none.
func sampleShapes(f form, limit int) iter.Seq2[*Shape, error] {
	return func(yield func(*Shape, error) bool) {
		seen := map[string]bool{}
		for _, values := range f.samples(limit) {
			key, err := f.choose(nil, values)
			if err != nil {
				if !yield(nil, err) {
					return
				}
				continue
			}
			if seen[string(key)] {
				continue
			}
			if len(seen) == limit {
				return
			}
			seen[string(key)] = true
			if !yield(f.shape(values)) {
				return
			}
		}
	}
}

// ValueError says that the values of a call make no statement.
type ValueError struct {
	// Parameter names the request parameter that it is about; "" where that is not known.
	Parameter string
	// Message is a sentence for the owner of the API.
	Message string
}

// Error returns the message.
func (e *ValueError) Error() string { return e.Message }
