// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package query

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

const pointerSQL = "/script/sql"

// Position says where in a script a byte is, as an editor counts: "line 2, column 7".
func Position(script string, at int) string {
	at = min(max(at, 0), len(script))
	before := script[:at]
	line := strings.Count(before, "\n")
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	return fmt.Sprintf("line %d, column %d", line+1, column+1)
}

// script is a script that was cut into tokens.
type script struct {
	sql        string
	engine     service.Engine
	parameters map[string]service.RequestParameter
	tokens     []token
	// marks are the placeholders, where marked says so.
	marks  []mark
	marked bool
}

// typeOf returns the type of a placeholder's value.
func (s script) typeOf(t token) service.ParameterType {
	if s.marked {
		return s.marks[t.mark].marker.Type
	}
	return s.parameters[t.name].Type
}

// marker returns what takes a placeholder's value.
func (s script) marker(b *builder, t token) Marker {
	if s.marked {
		return s.marks[t.mark].marker
	}
	return b.parameter(t.name)
}

func parse(d service.Definition, engine service.Engine) (script, *service.Invalid) {
	v := &service.Invalid{}
	s := script{engine: engine, parameters: d.RequestParameters}
	if d.Script != nil {
		s.sql = d.Script.SQL
	}
	if len(s.sql) > service.MaxScriptLength {
		v.Addf(pointerSQL, "The SQL has %d bytes; %d is the most.", len(s.sql), service.MaxScriptLength)
		return s, v
	}
	tokens, problems := scan(s.sql, engine, nil, false)
	s.tokens = tokens
	stopped := len(problems) > 0
	if !stopped {
		problems = append(problems, s.shape()...)
	}
	problems = append(problems, s.placeholders()...)
	slices.SortStableFunc(problems, func(a, b problem) int { return a.at - b.at })
	for _, p := range problems {
		v.Addf(pointerSQL, "%s (%s)", p.message, Position(s.sql, p.at))
	}
	if !stopped {
		// What stands behind the place where the scan stopped may use the others.
		s.unused(v)
	}
	return s, v
}

// shape checks that the script is one statement that returns rows.
func (s script) shape() []problem {
	var problems []problem
	refuse := func(at int, format string, args ...any) {
		problems = append(problems, problem{at, fmt.Sprintf(format, args...)})
	}
	var opens []int
	first, ended := true, -1
	for i, t := range s.tokens {
		if t.kind == kindSpace {
			continue
		}
		if ended >= 0 {
			refuse(t.start, "There is more than one statement: a script is one query, with nothing behind its semicolon.")
			break
		}
		switch t.kind {
		case kindOpen:
			opens = append(opens, t.start)
			continue
		case kindClose:
			if len(opens) == 0 {
				refuse(t.start, "The parenthesis is closed but was not opened.")
				return problems
			}
			opens = opens[:len(opens)-1]
		case kindSemicolon:
			ended = i
		case kindWord:
			if s.engine == service.EngineMySQL {
				if what := s.leavesTraces(i); what != "" {
					refuse(t.start, "%s", what)
				}
			}
			if write := s.writes(i, first, len(opens)); write != "" {
				refuse(t.start, "The script starts a %s, but scripts only read: use SELECT, WITH … SELECT or VALUES.", write)
			}
		}
		if first && t.kind != kindSemicolon {
			first = false
			if word := s.keyword(i); word != "SELECT" && word != "WITH" && word != "VALUES" {
				refuse(t.start, "The script starts with %q: it must be one query that starts with SELECT, WITH or VALUES.", s.sql[t.start:t.end])
				return problems
			}
		}
	}
	if first && len(problems) == 0 {
		refuse(0, "The SQL is empty: write one query that starts with SELECT, WITH or VALUES.")
	}
	for _, at := range opens {
		refuse(at, "The parenthesis is not closed.")
	}
	return problems
}

// keyword returns the word in upper case; "" where the token is no word.
func (s script) keyword(i int) string {
	if i < 0 || s.tokens[i].kind != kindWord {
		return ""
	}
	return strings.ToUpper(s.sql[s.tokens[i].start:s.tokens[i].end])
}

// before returns the index of the token before that is no space; -1 where there is none.
func (s script) before(i int) int {
	for i--; i >= 0 && s.tokens[i].kind == kindSpace; i-- {
	}
	return i
}

// after returns the index of the token behind that is no space; -1 where there is none.
func (s script) after(i int) int {
	for i++; i < len(s.tokens); i++ {
		if s.tokens[i].kind != kindSpace {
			return i
		}
	}
	return -1
}

// writes returns the keyword where it starts a writing statement inside a WITH. The
// engine refuses these too, when the API is called; this says so when it is planned.
func (s script) writes(i int, first bool, depth int) string {
	word := s.keyword(i)
	switch word {
	case "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE":
	default:
		return ""
	}
	if first {
		return ""
	}
	b := s.before(i)
	if b < 0 {
		return ""
	}
	switch s.tokens[b].kind {
	case kindOpen:
		if k := s.keyword(s.before(b)); k == "AS" || k == "MATERIALIZED" {
			return word
		}
	case kindClose:
		if depth == 0 {
			return word
		}
	}
	return ""
}

// leavesTraces says what is wrong with a clause of MySQL's that does more than read.
func (s script) leavesTraces(i int) string {
	if b := s.before(i); b >= 0 && s.tokens[b].kind == kindSymbol && s.sql[s.tokens[b].start] == '.' {
		// The name of a column.
		return ""
	}
	switch s.keyword(i) {
	case "INTO":
		return "INTO writes to a file or a variable, but scripts only read: remove it."
	case "FOR":
		if next := s.keyword(s.after(i)); next == "UPDATE" || next == "SHARE" {
			return "FOR " + next + " locks rows, but scripts only read: remove it."
		}
	case "LOCK":
		if s.keyword(s.after(i)) == "IN" {
			return "LOCK IN SHARE MODE locks rows, but scripts only read: remove it."
		}
	}
	return ""
}

// bounded reports whether a LIMIT, OFFSET or FETCH bounds the whole script, or may do
// so: behind it there cannot be another.
func (s script) bounded() bool {
	depth, parenthesized := 0, false
	for i, t := range s.tokens {
		switch t.kind {
		case kindOpen:
			parenthesized = parenthesized || s.before(i) < 0
			depth++
		case kindClose:
			depth--
		case kindWord:
			switch s.keyword(i) {
			case "LIMIT", "OFFSET", "FETCH":
				if depth == 0 || parenthesized {
					return true
				}
			}
		}
	}
	return false
}

// placeholders checks each placeholder against the declared parameters.
func (s script) placeholders() []problem {
	var problems []problem
	undeclared := map[string]bool{}
	// among says of each open parenthesis whether it holds the elements of IN.
	var among []bool
	for i, t := range s.tokens {
		switch t.kind {
		case kindOpen:
			among = append(among, s.elementsOfIn(i))
		case kindClose:
			among = among[:max(len(among)-1, 0)]
		case kindPlaceholder:
			if _, declared := s.parameters[t.name]; !declared && !s.marked {
				if !undeclared[t.name] {
					problems = append(problems, problem{t.start, fmt.Sprintf("The placeholder ${%s} is not declared: add %q to request_parameters.", t.name, t.name)})
				}
				undeclared[t.name] = true
				continue
			}
			if isList(s.typeOf(t)) && s.keyword(s.before(i)) == "IN" {
				problems = append(problems, problem{t.start, fmt.Sprintf("The list ${%s} stands behind IN without parentheses: write IN (${%s}).", t.name, t.name)})
				continue
			}
			if _, alone := s.inList(i); isList(s.typeOf(t)) && !alone && len(among) > 0 && among[len(among)-1] {
				problems = append(problems, problem{t.start, fmt.Sprintf("The list ${%s} must stand alone in the parentheses of IN.", t.name)})
			}
		}
	}
	return problems
}

// elementsOfIn reports whether the parenthesis opens the elements of an IN, not a query.
func (s script) elementsOfIn(open int) bool {
	if s.keyword(s.before(open)) != "IN" {
		return false
	}
	switch s.keyword(s.after(open)) {
	case "SELECT", "WITH", "VALUES":
		return false
	}
	return true
}

func isList(t service.ParameterType) bool {
	_, list := t.Element()
	return list
}

func (s script) unused(v *service.Invalid) {
	used := map[string]bool{}
	for _, t := range s.tokens {
		if t.kind == kindPlaceholder {
			used[t.name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.parameters)) {
		if !used[name] {
			v.Addf(service.Pointer("request_parameters", name), "The SQL does not use %s: write ${%s} where its value belongs, or remove the parameter.", name, name)
		}
	}
}

// membership is `[NOT] IN (${list})`: the tokens from first to last.
type membership struct {
	first, last int
	not         bool
}

// inList returns the condition in which the placeholder stands alone.
func (s script) inList(i int) (membership, bool) {
	open, closing := s.before(i), s.after(i)
	if open < 0 || closing < 0 || s.tokens[open].kind != kindOpen || s.tokens[closing].kind != kindClose {
		return membership{}, false
	}
	m := membership{first: s.before(open), last: closing}
	if s.keyword(m.first) != "IN" {
		return membership{}, false
	}
	if n := s.before(m.first); s.keyword(n) == "NOT" {
		m.first, m.not = n, true
	}
	return m, true
}

// compile writes the script for its engine, with a bind marker for each placeholder.
func (s script) compile(b *builder) *Shape {
	memberships := map[int]membership{}
	for i, t := range s.tokens {
		if t.kind == kindPlaceholder && isList(s.typeOf(t)) {
			if m, alone := s.inList(i); alone {
				memberships[m.first] = m
			}
		}
	}
	last := len(s.tokens) - 1
	for last >= 0 && (s.tokens[last].kind == kindSpace || s.tokens[last].kind == kindSemicolon) {
		last--
	}
	first := 0
	for first <= last && s.tokens[first].kind == kindSpace {
		first++
	}
	for i := first; i <= last; i++ {
		t := s.tokens[i]
		b.from(t.start)
		m, member := memberships[i]
		switch {
		case member:
			b.membership(m.not, s.marker(b, s.tokens[s.before(m.last)]))
			i = m.last
		case t.kind == kindPlaceholder:
			b.bind(s.marker(b, t))
		case t.kind == kindSpace && isSpace(s.sql[t.start]):
			b.write(s.sql[t.start:t.end])
		case t.kind == kindSpace:
			// A comment. One space keeps its neighbours apart.
			b.write(" ")
		default:
			b.write(s.sql[t.start:t.end])
		}
	}
	if last >= first {
		b.from(s.tokens[last].end)
	}
	// MariaDB drops the ORDER BY of a derived table.
	return b.shape(s.engine != service.EngineMySQL || s.bounded())
}

// lists returns the indices of the parameters whose number of elements is part of the
// shape: on MySQL, which has no arrays, those of IN.
func (s script) lists(parameters []string) []int {
	var lists []int
	if s.engine != service.EngineMySQL {
		return nil
	}
	for i, t := range s.tokens {
		if t.kind != kindPlaceholder || !isList(s.parameters[t.name].Type) {
			continue
		}
		if _, alone := s.inList(i); alone {
			n, _ := slices.BinarySearch(parameters, t.name)
			lists = append(lists, n)
		}
	}
	slices.Sort(lists)
	return slices.Compact(lists)
}
