// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package query

import (
	"maps"
	"slices"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// SplitTable returns the schema ("" where there is none) and the name of a wizard's
// table. A dot stands between them; one that belongs to a name stands in quotes, "a.b"
// or `a.b`, as does a quote that is doubled there.
func SplitTable(table string) (schema, name string, ok bool) {
	var parts []string
	for rest := table; ; {
		part, behind, ok := cutIdentifier(rest)
		if !ok || part == "" {
			return "", "", false
		}
		parts = append(parts, part)
		if behind == "" {
			break
		}
		rest = behind[1:]
	}
	switch len(parts) {
	case 1:
		return "", parts[0], true
	case 2:
		return parts[0], parts[1], true
	}
	return "", "", false
}

// cutIdentifier returns the identifier that the text starts with, and what is behind
// it: nothing, or something that starts with a dot.
func cutIdentifier(text string) (name, behind string, ok bool) {
	if text == "" || text[0] != '"' && text[0] != '`' {
		end := strings.IndexByte(text, '.')
		if end < 0 {
			end = len(text)
		}
		return text[:end], text[end:], true
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] != text[0]:
			b.WriteByte(text[i])
		case i+1 < len(text) && text[i+1] == text[0]:
			b.WriteByte(text[0])
			i++
		default:
			behind = text[i+1:]
			return b.String(), behind, behind == "" || behind[0] == '.'
		}
	}
	return "", "", false
}

// Identifier quotes the name of a table or column for the engine.
func Identifier(engine service.Engine, name string) string {
	quote := `"`
	if engine == service.EngineMySQL {
		quote = "`"
	}
	return quote + strings.ReplaceAll(name, quote, quote+quote) + quote
}

// tableName quotes the name of a table, with its schema where there is one.
func tableName(engine service.Engine, schema, name string) string {
	if schema == "" {
		return Identifier(engine, name)
	}
	return Identifier(engine, schema) + "." + Identifier(engine, name)
}

// wizard is a table of which the columns are chosen, compared and sorted by. Its shapes
// differ in the conditions that they have: what is not given is not compared, since
// `$1 IS NULL OR a = $1` would keep the database from using an index.
type wizard struct {
	engine     service.Engine
	parameters []string
	declared   map[string]service.RequestParameter
	// columns, table and order are SQL.
	columns, table, order string
	// optional are the indices of the parameters that may be absent.
	optional []int
	// lists are those of the parameters whose number of elements is part of the shape.
	lists []int
}

func compileWizard(d service.Definition, engine service.Engine, v *service.Invalid) *Query {
	q := &Query{parameters: slices.Sorted(maps.Keys(d.RequestParameters))}
	schema, table, ok := SplitTable(d.Wizard.Table)
	if !ok {
		v.Addf("/wizard/table", "%q is not the name of a table: write name or schema.name, and a name with a dot in it in double quotes.", d.Wizard.Table)
		return q
	}
	w := &wizard{engine: engine, parameters: q.parameters, declared: d.RequestParameters, table: tableName(engine, schema, table)}
	var columns []string
	for _, name := range slices.Sorted(maps.Keys(d.ResponseParameters)) {
		column := d.ResponseParameters[name].ColumnFor(name)
		columns = append(columns, Identifier(engine, column)+" AS "+Identifier(engine, name))
	}
	w.columns = strings.Join(columns, ", ")
	for i, o := range d.Wizard.OrderBy {
		w.order += []string{" ORDER BY ", ", "}[min(i, 1)] + Identifier(engine, o.Column)
		if o.Descending {
			w.order += " DESC"
		}
	}
	for i, name := range q.parameters {
		p := d.RequestParameters[name]
		if !p.Required && p.Default == nil {
			w.optional = append(w.optional, i)
		}
		if isList(p.Type) && engine == service.EngineMySQL {
			w.lists = append(w.lists, i)
		}
	}
	if len(w.optional)+len(w.lists) > 0 {
		q.form = w
	} else {
		q.fixed = w.compile(nil)
	}
	return q
}

func (w *wizard) choose(key []byte, values []any) ([]byte, error) {
	var present byte
	for n, i := range w.optional {
		if values[i] != nil {
			present |= 1 << (n % 8)
		}
		if n%8 == 7 || n == len(w.optional)-1 {
			key = append(key, present)
			present = 0
		}
	}
	return chooseLists(key, w.lists, values), nil
}

func (w *wizard) shape(values []any) (*Shape, error) { return w.compile(values), nil }

// compile writes the shape for the values; nil stands for a shape with all conditions.
func (w *wizard) compile(values []any) *Shape {
	b := newBuilder(w.engine, w.parameters, w.declared, values)
	b.write("SELECT " + w.columns + " FROM " + w.table)
	head := b.text.Len()
	between := " WHERE "
	for i, name := range w.parameters {
		if values != nil && values[i] == nil && slices.Contains(w.optional, i) {
			continue
		}
		p := w.declared[name]
		b.write(between + Identifier(w.engine, p.ColumnFor(name)) + " ")
		between = " AND "
		switch m := b.parameter(name); p.Operator {
		case service.OperatorIn:
			b.membership(false, m)
		case service.OperatorLike:
			b.write("LIKE ")
			b.bind(m)
			if w.engine == service.EngineSQLite {
				// As the others have it without being told.
				b.write(` ESCAPE '\'`)
			}
		default:
			b.write("= ")
			b.bind(m)
		}
	}
	counted := w.table + b.text.String()[head:]
	b.write(w.order)
	s := b.shape(false)
	s.counted = counted
	return s
}

// samples has each set of optional parameters where these are few; else all of them,
// none, each alone and all but each.
func (w *wizard) samples(limit int) [][]any {
	sample := func(present func(n int) bool) []any {
		values := make([]any, len(w.parameters))
		for i, name := range w.parameters {
			if n := slices.Index(w.optional, i); n < 0 || present(n) {
				values[i] = sampleOf(w.declared[name].Type, 2)
			}
		}
		return values
	}
	samples := [][]any{sample(func(int) bool { return true }), sample(func(int) bool { return false })}
	n := len(w.optional)
	if n < 16 && 1<<n <= limit {
		for set := range 1 << n {
			samples = append(samples, sample(func(n int) bool { return set&(1<<n) != 0 }))
		}
		return samples
	}
	for one := range n {
		samples = append(samples, sample(func(n int) bool { return n == one }), sample(func(n int) bool { return n != one }))
	}
	return samples
}
