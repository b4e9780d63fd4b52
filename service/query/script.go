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
	_, v := parse(d, engine)
	return v.Err("The API")
}

// Statement is a script with its parameters bound.
type Statement struct {
	// Text is one statement without comments and without a semicolon at its end.
	Text string
	// Parameters are the names of the request parameters, sorted.
	Parameters []string
	// Args has, for each bind marker 1, 2, 3 …, the index of its parameter in Parameters.
	Args []int

	engine   service.Engine
	segments []segment
}

// segment says that Text from offset text on is the script from offset script on.
type segment struct{ text, script int }

// Compile binds the definition's script for the engine. The error is the one of
// [CheckFor].
func Compile(d service.Definition, engine service.Engine) (Statement, error) {
	s, v := parse(d, engine)
	if err := v.Err("The API"); err != nil {
		return Statement{}, err
	}
	return s.compile(), nil
}

// Offset returns the byte of the script that the byte of [Statement.Text] comes from.
func (s Statement) Offset(text int) int {
	i, found := slices.BinarySearchFunc(s.segments, text, func(g segment, at int) int { return g.text - at })
	if !found {
		i--
	}
	if i < 0 {
		return 0
	}
	g := s.segments[i]
	at := g.script + text - g.text
	if i+1 < len(s.segments) {
		at = min(at, s.segments[i+1].script)
	}
	return at
}

// Count returns a statement with the same bind markers whose one value is the
// number of the script's rows.
func (s Statement) Count() (text string, prefix int) {
	const head, tail = "SELECT count(*) FROM (", ") AS dataservice_rows"
	return head + s.Text + tail, len(head)
}

// Page returns a statement that answers a part of the script's rows. Two bind
// markers follow the script's own: the most rows, and how many to leave out before.
// The script stays whole, as a derived table, so that its own ORDER BY and LIMIT hold.
func (s Statement) Page() (text string, prefix int) {
	const head, tail = "SELECT * FROM (", ") AS dataservice_rows LIMIT %[1]s%[2]d OFFSET %[1]s%[3]d"
	n := len(s.Args)
	return head + s.Text + fmt.Sprintf(tail, marker(s.engine), n+1, n+2), len(head)
}

func marker(engine service.Engine) string {
	if engine == service.EnginePostgreSQL {
		return "$"
	}
	return "?"
}

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
	tokens, problems := scan(s.sql, engine)
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
			p, declared := s.parameters[t.name]
			if !declared {
				if !undeclared[t.name] {
					problems = append(problems, problem{t.start, fmt.Sprintf("The placeholder ${%s} is not declared: add %q to request_parameters.", t.name, t.name)})
				}
				undeclared[t.name] = true
				continue
			}
			if _, alone := s.inList(i); isList(p.Type) && !alone && len(among) > 0 && among[len(among)-1] {
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

func (s script) compile() Statement {
	st := Statement{engine: s.engine, Parameters: slices.Sorted(maps.Keys(s.parameters))}
	memberships := map[int]membership{}
	for i, t := range s.tokens {
		if t.kind == kindPlaceholder && isList(s.parameters[t.name].Type) {
			if m, alone := s.inList(i); alone {
				memberships[m.first] = m
			}
		}
	}
	var text strings.Builder
	from := func(at int) { st.segments = append(st.segments, segment{text.Len(), at}) }
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
		from(t.start)
		m, member := memberships[i]
		switch {
		case member:
			placeholder := s.tokens[s.before(m.last)]
			text.WriteString(st.membership(m.not, st.bind(placeholder.name)))
			i = m.last
		case t.kind == kindPlaceholder:
			text.WriteString(st.bind(t.name))
		case t.kind == kindSpace && s.sql[t.start] != '-' && s.sql[t.start] != '/':
			text.WriteString(s.sql[t.start:t.end])
		case t.kind == kindSpace:
			// A comment. One space keeps its neighbours apart.
			text.WriteByte(' ')
		default:
			text.WriteString(s.sql[t.start:t.end])
		}
	}
	if last >= first {
		from(s.tokens[last].end)
	}
	if s.engine != service.EnginePostgreSQL {
		// SQLite's markers carry the parameter's own number.
		st.Args = make([]int, len(st.Parameters))
		for i := range st.Args {
			st.Args[i] = i
		}
	}
	st.Text = text.String()
	return st
}

// bind returns the marker for the value of a parameter.
func (s *Statement) bind(name string) string {
	parameter, _ := slices.BinarySearch(s.Parameters, name)
	if s.engine != service.EnginePostgreSQL {
		return fmt.Sprintf("?%d", parameter+1)
	}
	s.Args = append(s.Args, parameter)
	return fmt.Sprintf("$%d", len(s.Args))
}

// membership returns what asks whether a value is in the list that the marker is bound to.
func (s *Statement) membership(not bool, marker string) string {
	if s.engine == service.EnginePostgreSQL {
		if not {
			return "<> ALL(" + marker + ")"
		}
		return "= ANY(" + marker + ")"
	}
	in := "IN"
	if not {
		in = "NOT IN"
	}
	// A list that was not given makes the condition NULL, as on PostgreSQL, where
	// json_each(NULL) would be an empty list.
	return in + " (SELECT value FROM json_each(coalesce(" + marker + ", '[null]')))"
}
