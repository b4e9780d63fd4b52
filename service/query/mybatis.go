// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package query

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

const (
	// maxShapeLength bounds the statement that a script makes of a call's values, in bytes.
	maxShapeLength = 4 * service.MaxScriptLength
	// maxMarkers bounds its bind markers; SQLite takes 32766.
	maxMarkers = 30000
	// maxSteps bounds the tags and texts that are gone through for one call.
	maxSteps = 50000
)

// rule says which attributes a tag has.
type rule struct{ required, optional []string }

func (r rule) knows(name string) bool {
	return slices.Contains(r.required, name) || slices.Contains(r.optional, name)
}

func (r rule) names() string {
	all := slices.Concat(r.required, r.optional)
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, ", ")
}

var tags = map[string]rule{
	"if":        {required: []string{"test"}},
	"choose":    {},
	"when":      {required: []string{"test"}},
	"otherwise": {},
	"where":     {},
	"trim":      {optional: []string{"prefix", "suffix", "prefixOverrides", "suffixOverrides"}},
	"foreach":   {required: []string{"collection"}, optional: []string{"item", "index", "open", "separator", "close", "nullable"}},
	"bind":      {required: []string{"name", "value"}},
}

func unknownTag(name string) string {
	if name == "set" {
		return "The tag <set> belongs to UPDATE, but scripts only read: remove it."
	}
	return fmt.Sprintf("The tag <%s> is not supported: there are if, choose, when, otherwise, where, trim, foreach and bind. Where < is meant as a sign, write &lt; or put a space behind it.", name)
}

// myBatis is a script with tags. It is compiled to nodes once; each call walks them.
type myBatis struct {
	engine     service.Engine
	parameters []string
	declared   map[string]service.RequestParameter
	// source is the script as it was written.
	source string
	nodes  []node
	// decides says that there is a tag whose outcome depends on the values.
	decides bool
	// lists are the indices of the parameters whose number of elements is part of the shape.
	lists []int

	// open takes each name that is not declared for a parameter, and met has these in the
	// order of their first use: so a script tells its parameters.
	open bool
	met  []string

	// What is noticed on the way: which parameters are used, and what they are compared with.
	used     []bool
	literals [][]any
	problems []problem
}

// scope is a name that a tag declares, seen from what is inside or behind it.
type scope struct {
	parent *scope
	name   string
	declaration
}

// declaration is what a name stands for.
type declaration struct {
	// parameter is the index of the request parameter; -1 for the name of a tag.
	parameter int
	sort      sort
	// list is the index of the list that it is an element of; -1 where it is none.
	list int
}

// find returns what the name stands for.
func (m *myBatis) find(s *scope, name string) (declaration, bool) {
	for ; s != nil; s = s.parent {
		if s.name == name {
			return s.declaration, true
		}
	}
	i, known := slices.BinarySearch(m.parameters, name)
	return declaration{parameter: i, sort: sortOf(m.declared[name].Type), list: -1}, known
}

// resolve is find, and notes that the name is used.
func (m *myBatis) resolve(s *scope, name string) (declaration, bool) {
	d, known := m.find(s, name)
	if known && d.parameter >= 0 {
		m.used[d.parameter] = true
	}
	if !known && m.open {
		if !slices.Contains(m.met, name) {
			m.met = append(m.met, name)
		}
		return declaration{parameter: -1, list: -1}, true
	}
	return d, known
}

// notice remembers what a parameter is compared with, so that the samples have such values.
func (m *myBatis) notice(s *scope, name, with ast.Node) {
	identifier, ok := name.(*ast.IdentifierNode)
	if !ok {
		return
	}
	d, known := m.resolve(s, identifier.Value)
	if !known {
		return
	}
	var literals []any
	switch n := with.(type) {
	case *ast.StringNode:
		literals = []any{n.Value}
	case *ast.IntegerNode:
		literals = []any{int64(n.Value), int64(n.Value) + 1, int64(n.Value) - 1}
	case *ast.FloatNode:
		literals = []any{n.Value, n.Value + 1, n.Value - 1}
	}
	if i := max(d.parameter, d.list); i >= 0 {
		m.literals[i] = append(m.literals[i], literals...)
	}
}

func compileMyBatis(d service.Definition, engine service.Engine, v *service.Invalid) *Query {
	source := d.Script.SQL
	q := &Query{parameters: slices.Sorted(maps.Keys(d.RequestParameters))}
	if len(source) > service.MaxScriptLength {
		v.Addf(pointerSQL, "The SQL has %d bytes; %d is the most.", len(source), service.MaxScriptLength)
		return q
	}
	m := &myBatis{
		engine: engine, source: source, parameters: q.parameters, declared: d.RequestParameters,
		used: make([]bool, len(q.parameters)), literals: make([][]any, len(q.parameters)),
	}
	elements, problems := parseXML(source)
	m.problems = problems
	if len(problems) == 0 {
		m.nodes = m.compile(elements, nil)
	}
	if len(m.problems) == 0 {
		q.form = m
		m.problems = m.tryOut()
	}
	for _, p := range m.problems {
		v.Addf(pointerSQL, "%s (%s)", p.message, Position(source, p.at))
	}
	if len(problems) == 0 {
		for i, name := range q.parameters {
			if !m.used[i] {
				v.Addf(service.Pointer("request_parameters", name), "The SQL does not use %s: write #{%s} where its value belongs, or remove the parameter.", name, name)
			}
		}
	}
	if len(m.problems) == 0 && !m.decides && len(m.lists) == 0 {
		s, err := m.shape(make([]any, len(m.parameters)))
		if err == nil {
			q.form, q.fixed = nil, s
		}
	}
	return q
}

// tryOut makes the sample shapes and returns what is wrong with the first that is not
// one query.
func (m *myBatis) tryOut() []problem {
	var impossible error
	made := 0
	for _, err := range sampleShapes(m, maxTrials) {
		var bad *brokenShape
		var value *ValueError
		switch {
		case errors.As(err, &bad):
			return bad.problems
		case errors.As(err, &value):
			impossible = value
		default:
			made++
		}
	}
	if made == 0 && impossible != nil {
		return []problem{{0, impossible.Error()}}
	}
	return nil
}

// brokenShape says that the script makes no query of the values.
type brokenShape struct {
	source   string
	problems []problem
}

func (e *brokenShape) Error() string {
	p := e.problems[0]
	return fmt.Sprintf("the script makes no query of these values: %s (%s)", p.message, Position(e.source, p.at))
}

// node is a part of a script.
type node interface {
	// walk takes the node's decisions and writes its text where there is something to
	// write to. It returns the frame for what follows.
	walk(w *walk, f *frame, out *rendering) (*frame, error)
}

// walk is one way through a script.
type walk struct {
	form  *myBatis
	state state
	// key gets what was decided.
	key   []byte
	steps int
}

func (w *walk) all(nodes []node, f *frame, out *rendering) error {
	var err error
	for _, n := range nodes {
		if w.steps++; w.steps > maxSteps {
			return valueError("", "The lists are too long: the script goes through more than %d tags and texts.", maxSteps)
		}
		if f, err = n.walk(w, f, out); err != nil {
			return err
		}
		if out != nil && (len(out.text) > maxShapeLength || len(out.marks) > maxMarkers) {
			return valueError("", "The lists are too long: the statement has more than %d bytes or %d values.", maxShapeLength, maxMarkers)
		}
	}
	return nil
}

func (m *myBatis) choose(key []byte, values []any) ([]byte, error) {
	w := walk{form: m, state: state{values: values}, key: chooseLists(key, m.lists, values)}
	err := w.all(m.nodes, nil, nil)
	return w.key, err
}

func (m *myBatis) shape(values []any) (*Shape, error) {
	w := walk{form: m, state: state{values: values}}
	out := &rendering{}
	if err := w.all(m.nodes, nil, out); err != nil {
		return nil, err
	}
	text := string(out.text)
	s := script{sql: text, engine: m.engine, parameters: m.declared, marks: out.marks, marked: true}
	tokens, problems := scan(text, m.engine, out.marks, true)
	s.tokens = tokens
	if len(problems) == 0 {
		problems = append(s.shape(), s.placeholders()...)
	}
	if len(problems) > 0 {
		for i := range problems {
			problems[i].at, _ = offset(out.segments, problems[i].at)
		}
		return nil, &brokenShape{m.source, problems}
	}
	shape := s.compile(newBuilder(m.engine, m.parameters, m.declared, values))
	shape.rendered = out.segments
	return shape, nil
}

// rendering is the text that a script makes, before its placeholders are bound.
type rendering struct {
	text []byte
	// marks are the placeholders, in the order of the text.
	marks    []mark
	segments []segment
}

// mark is a placeholder in a text, at a place that is known: what only looks like one is
// none.
type mark struct {
	start, end int
	marker     Marker
}

// gap keeps what was written apart from what follows, as MyBatis does.
func (r *rendering) gap() {
	if n := len(r.text); n > 0 && !isSpace(r.text[n-1]) {
		r.text = append(r.text, ' ')
	}
}

func (r *rendering) write(text string, at int) {
	r.segments = appendSegment(r.segments, segment{len(r.text), at})
	r.text = append(r.text, text...)
}

// part writes a part of another rendering.
func (r *rendering) part(o *rendering, from, to int) {
	shift := len(r.text) - from
	for i, g := range o.segments {
		if i+1 < len(o.segments) && o.segments[i+1].text <= from || g.text >= to {
			continue
		}
		if g.text < from {
			g.script, g.text = g.script+from-g.text, from
		}
		r.segments = appendSegment(r.segments, segment{g.text + shift, g.script})
	}
	for _, m := range o.marks {
		if m.start >= from && m.end <= to {
			m.start, m.end = m.start+shift, m.end+shift
			r.marks = append(r.marks, m)
		}
	}
	r.text = append(r.text, o.text[from:to]...)
}

// bounds returns the text without white space around it.
func (r *rendering) bounds() (from, to int) {
	to = len(r.text)
	for from < to && isSpace(r.text[from]) {
		from++
	}
	for to > from && isSpace(r.text[to-1]) {
		to--
	}
	return from, to
}

// textNode is a text with placeholders.
type textNode struct{ pieces []piece }

// piece is a text, or a placeholder where name is not "".
type piece struct {
	text sourced
	name string
	// parameter is the index of the request parameter; -1 for a name that a tag declared.
	parameter int
}

func (n *textNode) walk(w *walk, f *frame, out *rendering) (*frame, error) {
	if out == nil {
		return f, nil
	}
	out.gap()
	for i := range n.pieces {
		p := &n.pieces[i]
		start := len(out.text)
		for k, g := range p.text.segments {
			end := len(p.text.text)
			if k+1 < len(p.text.segments) {
				end = p.text.segments[k+1].text
			}
			out.write(p.text.text[g.text:end], g.script)
		}
		if p.name == "" {
			continue
		}
		var marker Marker
		if p.parameter >= 0 {
			marker = Marker{Parameter: p.name, Type: w.form.declared[p.name].Type, value: p.parameter}
		} else {
			marker = f.find(p.name)
		}
		out.marks = append(out.marks, mark{start, len(out.text), marker})
	}
	return f, nil
}

type ifNode struct {
	test  expression
	nodes []node
}

// holds takes the decision of a test.
func (n *ifNode) holds(w *walk, f *frame) (bool, error) {
	v, err := n.test(&w.state, f)
	if err != nil {
		return false, err
	}
	decision := byte(0)
	if truth(v) {
		decision = 1
	}
	w.key = append(w.key, decision)
	return truth(v), nil
}

func (n *ifNode) walk(w *walk, f *frame, out *rendering) (*frame, error) {
	holds, err := n.holds(w, f)
	if err != nil || !holds {
		return f, err
	}
	return f, w.all(n.nodes, f, out)
}

type chooseNode struct {
	whens     []*ifNode
	otherwise []node
}

func (n *chooseNode) walk(w *walk, f *frame, out *rendering) (*frame, error) {
	for _, when := range n.whens {
		holds, err := when.holds(w, f)
		if err != nil {
			return f, err
		}
		if holds {
			return f, w.all(when.nodes, f, out)
		}
	}
	return f, w.all(n.otherwise, f, out)
}

// trimNode takes words off the ends of a text, and puts others there.
type trimNode struct {
	at             int
	prefix, suffix string
	// before and behind are what is taken off, in whatever letters.
	before, behind []string
	nodes          []node
}

func (n *trimNode) walk(w *walk, f *frame, out *rendering) (*frame, error) {
	if out == nil {
		return f, w.all(n.nodes, f, nil)
	}
	inside := &rendering{}
	if err := w.all(n.nodes, f, inside); err != nil {
		return f, err
	}
	from, to := inside.bounds()
	if from == to {
		return f, nil
	}
	// A placeholder is never taken off.
	first, last := to, from
	if len(inside.marks) > 0 {
		first, last = inside.marks[0].start, inside.marks[len(inside.marks)-1].end
	}
	text := string(inside.text[:to])
	for _, word := range n.before {
		if cut := len(strings.TrimSpace(word)); from+len(word) <= to && strings.EqualFold(text[from:from+len(word)], word) && from+cut <= first {
			from += cut
			break
		}
	}
	for _, word := range n.behind {
		if cut := len(strings.TrimSpace(word)); to-len(word) >= from && strings.EqualFold(text[to-len(word):to], word) && to-cut >= last {
			to -= cut
			break
		}
	}
	out.gap()
	if n.prefix != "" {
		out.write(n.prefix, n.at)
		out.gap()
	}
	out.part(inside, from, to)
	if n.suffix != "" {
		out.gap()
		out.write(n.suffix, n.at)
	}
	return f, nil
}

// forEachNode repeats its text for each element of a list.
type forEachNode struct {
	at          int
	collection  string
	list        int
	element     service.ParameterType
	item, index string
	// open, separator and close are what is written around and between.
	open, separator, close string
	nodes                  []node
}

func (n *forEachNode) walk(w *walk, f *frame, out *rendering) (*frame, error) {
	count := max(lengthOf(w.state.values[n.list]), 0)
	w.key = binary.BigEndian.AppendUint16(w.key, uint16(min(count, maxSteps)))
	if count == 0 {
		if out != nil && endsWithIn(out.text) {
			return f, valueError(n.collection, "The list %s is empty, and the script looks for one of its elements: ask first, as in <if test=\"%s != null and %s.size() > 0\">.", n.collection, n.collection, n.collection)
		}
		return f, nil
	}
	if out != nil {
		out.gap()
		out.write(n.open, n.at)
	}
	written := false
	for i := range count {
		inner := f
		if n.index != "" {
			inner = &frame{inner, n.index, Marker{Type: service.TypeLong, source: sourcePosition, element: i}}
		}
		if n.item != "" {
			inner = &frame{inner, n.item, Marker{Parameter: n.collection, Type: n.element, source: sourceElement, value: n.list, element: i}}
		}
		if out == nil {
			if err := w.all(n.nodes, inner, nil); err != nil {
				return f, err
			}
			continue
		}
		one := &rendering{}
		if err := w.all(n.nodes, inner, one); err != nil {
			return f, err
		}
		from, to := one.bounds()
		if from == to {
			continue
		}
		if written && n.separator != "" {
			out.gap()
			out.write(n.separator, n.at)
		}
		written = true
		out.gap()
		out.part(one, from, to)
		if len(out.text) > maxShapeLength {
			break
		}
	}
	if out != nil && n.close != "" {
		out.gap()
		out.write(n.close, n.at)
	}
	return f, nil
}

// endsWithIn reports whether the word IN is the last in the text.
func endsWithIn(text []byte) bool {
	words := strings.TrimRight(string(text[max(0, len(text)-16):]), " \t\r\n\f")
	n := len(words)
	return n >= 3 && strings.EqualFold(words[n-2:], "IN") && !isWordPart(words[n-3])
}

// bindNode gives a name to a value.
type bindNode struct {
	name  string
	value expression
}

func (n *bindNode) walk(_ *walk, f *frame, _ *rendering) (*frame, error) {
	return &frame{f, n.name, Marker{source: sourceBinding, binding: &binding{n.name, n.value, f}}}, nil
}

func (m *myBatis) refuse(at int, format string, args ...any) {
	m.problems = append(m.problems, problem{at, fmt.Sprintf(format, args...)})
}

// compile compiles elements that stand beside each other. A bind is seen by those behind
// it.
func (m *myBatis) compile(elements []element, s *scope) []node {
	var nodes []node
	for i := range elements {
		e := &elements[i]
		for _, name := range tags[e.tag].required {
			if _, given := e.attributes[name]; e.tag != "" && !given {
				m.refuse(e.at, "The tag <%s> needs the attribute %s.", e.tag, name)
			}
		}
		for _, name := range []string{"prefix", "suffix", "open", "separator", "close"} {
			if a := e.attributes[name]; strings.Contains(a.value, "#{") || strings.Contains(a.value, "${") {
				m.refuse(a.at, "The attribute %s of <%s> is only text: a placeholder stands between tags.", name, e.tag)
			}
		}
		switch e.tag {
		case "":
			nodes = append(nodes, m.text(e, s))
		case "if":
			nodes = append(nodes, m.test(e, s))
		case "choose":
			nodes = append(nodes, m.choice(e, s))
		case "where":
			words := []string{"AND ", "OR ", "AND\n", "OR\n", "AND\r", "OR\r", "AND\t", "OR\t"}
			nodes = append(nodes, &trimNode{at: e.at, prefix: "WHERE", before: words, nodes: m.compile(e.children, s)})
		case "trim":
			nodes = append(nodes, &trimNode{
				at: e.at, prefix: e.attributes["prefix"].value, suffix: e.attributes["suffix"].value,
				before: overrides(e.attributes["prefixOverrides"].value), behind: overrides(e.attributes["suffixOverrides"].value),
				nodes: m.compile(e.children, s),
			})
		case "foreach":
			nodes = append(nodes, m.forEach(e, s))
		case "bind":
			name := m.name(e, "name")
			value, sort := m.expression(e, "value", s)
			if sort == sortList {
				m.refuse(e.attributes["value"].at, "A bind is one value, and this is a list: use the list itself.")
			}
			if len(e.children) > 0 {
				m.refuse(e.at, "The tag <bind> has nothing inside: write <bind name=\"…\" value=\"…\"/>.")
			}
			s = &scope{s, name, declaration{parameter: -1, sort: sort, list: -1}}
			nodes = append(nodes, &bindNode{name, value})
		default:
			m.refuse(e.at, "The tag <%s> stands directly in <choose>, and nowhere else.", e.tag)
		}
	}
	return nodes
}

func overrides(value string) []string {
	var words []string
	for word := range strings.SplitSeq(value, "|") {
		if strings.TrimSpace(word) != "" {
			words = append(words, word)
		}
	}
	return words
}

// expression compiles an attribute.
func (m *myBatis) expression(e *element, attribute string, s *scope) (expression, sort) {
	a, given := e.attributes[attribute]
	if !given {
		return nil, sortUnknown
	}
	x, sort, err := compiler{m, s}.compile(a.value)
	if err != nil {
		m.refuse(a.at, "The %s of <%s> cannot be evaluated: %s.", attribute, e.tag, err)
	}
	return x, sort
}

// name returns the name that stands in an attribute; "" where there is none.
func (m *myBatis) name(e *element, attribute string) string {
	a, given := e.attributes[attribute]
	if given && !plainNamePattern.MatchString(a.value) {
		m.refuse(a.at, "%q is not a name: use letters, digits and underscores, not starting with a digit.", a.value)
	}
	return a.value
}

var plainNamePattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

func (m *myBatis) test(e *element, s *scope) *ifNode {
	m.decides = true
	test, _ := m.expression(e, "test", s)
	return &ifNode{test, m.compile(e.children, s)}
}

func (m *myBatis) choice(e *element, s *scope) node {
	n := &chooseNode{}
	for i := range e.children {
		switch c := &e.children[i]; {
		case c.tag == "when":
			if n.otherwise != nil {
				m.refuse(c.at, "The tag <otherwise> is the last in <choose>.")
			}
			if _, given := c.attributes["test"]; !given {
				m.refuse(c.at, "The tag <when> needs the attribute test.")
			}
			n.whens = append(n.whens, m.test(c, s))
		case c.tag == "otherwise":
			if n.otherwise != nil {
				m.refuse(c.at, "There is more than one <otherwise> in <choose>.")
			}
			n.otherwise = append([]node{}, m.compile(c.children, s)...)
		case c.tag != "" || strings.TrimSpace(c.text.text) != "":
			m.refuse(c.at, "There is nothing but <when> and <otherwise> in <choose>.")
		}
	}
	return n
}

func (m *myBatis) forEach(e *element, s *scope) node {
	m.decides = true
	n := &forEachNode{
		at: e.at, list: -1, collection: e.attributes["collection"].value,
		item: m.name(e, "item"), index: m.name(e, "index"),
		open: e.attributes["open"].value, separator: e.attributes["separator"].value, close: e.attributes["close"].value,
	}
	if m.name(e, "collection"); !plainNamePattern.MatchString(n.collection) {
		return n
	}
	// The name of another tag is no list, even where a parameter has it too.
	d, known := m.resolve(s, n.collection)
	switch {
	case !known:
		m.refuse(e.attributes["collection"].at, "The collection %q is not declared: add it to request_parameters as a list.", n.collection)
	case d.sort != sortList && !m.open:
		m.refuse(e.attributes["collection"].at, "The collection %q is no list: declare it as one, such as STRING_LIST.", n.collection)
	default:
		n.list = d.parameter
		n.element, _ = m.declared[n.collection].Type.Element()
	}
	if n.index != "" {
		s = &scope{s, n.index, declaration{parameter: -1, sort: sortNumber, list: -1}}
	}
	if n.item != "" {
		s = &scope{s, n.item, declaration{parameter: -1, sort: sortOf(n.element), list: n.list}}
	}
	n.nodes = m.compile(e.children, s)
	return n
}

// myBatisPlaceholder finds #{name} and ${name}. What stands behind a comma, such as
// jdbcType=VARCHAR, means nothing here.
var myBatisPlaceholder = regexp.MustCompile(`^[#$]\{\s*([A-Za-z_][A-Za-z0-9_]{0,63})\s*(?:,[^{}]*)?\}`)

// text cuts a text into its placeholders and what is between.
func (m *myBatis) text(e *element, s *scope) node {
	n := &textNode{}
	text := e.text.text
	from := 0
	for at := 0; at+1 < len(text); at++ {
		if text[at] != '#' && text[at] != '$' || text[at+1] != '{' {
			continue
		}
		place, _ := offset(e.text.segments, at)
		found := myBatisPlaceholder.FindStringSubmatch(text[at:])
		if found == nil {
			m.refuse(place, "A placeholder is written #{name}, with the name of a request parameter, of an item or of a bind.")
			return n
		}
		name := found[1]
		d, known := m.resolve(s, name)
		if !known {
			m.refuse(place, "The placeholder #{%s} is not declared: add %q to request_parameters.", name, name)
		}
		if d.parameter >= 0 && d.sort == sortList && m.engine == service.EngineMySQL && !slices.Contains(m.lists, d.parameter) {
			m.lists = append(m.lists, d.parameter)
		}
		n.pieces = append(n.pieces, piece{text: e.text.part(from, at)}, piece{sourced{"#{" + name + "}", []segment{{0, place}}}, name, d.parameter})
		at += len(found[0]) - 1
		from = at + 1
	}
	n.pieces = append(n.pieces, piece{text: e.text.part(from, len(text))})
	return n
}

// part returns a part of the text.
func (t sourced) part(from, to int) sourced {
	var r rendering
	r.part(&rendering{text: []byte(t.text), segments: t.segments}, from, to)
	return sourced{string(r.text), r.segments}
}
