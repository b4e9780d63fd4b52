// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package query

import (
	"maps"
	"slices"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Check reports everything about the definition's script that can be known without
// its connection: SQL that is empty, no query or several statements, placeholders
// that are not declared or cannot be bound, and parameters that are not used. Since
// the engine is not known, only what is wrong for each of them is reported.
//
// The error is a [service.Error] with CodeInvalid and a JSON pointer per problem.
func Check(d service.Definition) error {
	var first error
	for i, engine := range service.Engines {
		err := CheckFor(d, engine)
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
	if e, ok := err.(*service.Error); ok { //nolint:errorlint // CheckFor returns it as it is.
		return len(e.Fields)
	}
	return 0
}

// CheckFor is [Check] for an engine that is known, whose own idea of strings,
// comments and names it follows.
func CheckFor(d service.Definition, engine service.Engine) error {
	_, err := Compile(d, engine)
	return err
}

// Query is a definition compiled for an engine: immutable, and safe for concurrent use.
type Query struct {
	parameters []string
	fixed      *Shape
}

// Compile compiles the definition for the engine. The error is a [service.Error] with
// CodeInvalid and a JSON pointer per problem.
func Compile(d service.Definition, engine service.Engine) (*Query, error) {
	s, v := parse(d, engine)
	if err := v.Err("The API"); err != nil {
		return nil, err
	}
	q := &Query{parameters: slices.Sorted(maps.Keys(d.RequestParameters))}
	b := newBuilder(engine, q.parameters, d.RequestParameters)
	if engine == service.EngineSQLite {
		// A script uses each parameter, and its marker has the parameter's own number.
		for _, name := range q.parameters {
			b.number(b.parameter(name))
		}
	}
	q.fixed = s.compile(b)
	return q, nil
}

// Parameters returns the names of the request parameters, sorted: the order of values
// everywhere. The slice must not be changed.
func (q *Query) Parameters() []string { return q.parameters }

// Fixed returns the one shape that the query always takes; nil where the shape
// depends on the values.
func (q *Query) Fixed() *Shape { return q.fixed }

// Choose appends what tells the shape that the query takes for these values from all
// of its others.
func (q *Query) Choose(key []byte, _ []any) ([]byte, error) { return key, nil }

// Shape returns the shape that the query takes for these values. It is made anew with
// each call where it is not fixed.
func (q *Query) Shape(_ []any) (*Shape, error) { return q.fixed, nil }

// Samples returns the shapes to be prepared when the definition is validated, at most
// limit: all of them where they are few, and else a choice that covers the definition.
func (q *Query) Samples(_ int) []*Shape { return []*Shape{q.fixed} }
