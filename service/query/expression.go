// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package query

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// expression is a test or a value of MyBatis, compiled. The parser is expr-lang's; what
// it parses is evaluated here, since OGNL, which these expressions were written for, has
// other ideas of null and of truth, and since nothing here can loop: the work is bounded
// by the length of the expression.
type expression func(s *state, f *frame) (any, error)

const (
	// maxExpression bounds the length of an expression in bytes.
	maxExpression = 2000
	// maxValue bounds the length of a text that an expression puts together, in bytes.
	maxValue = 64 << 10
)

// sort is what is known of a value before there is one.
type sort uint8

const (
	sortUnknown sort = iota
	sortNull
	sortText
	sortNumber
	sortBoolean
	sortList
)

var sortNames = map[sort]string{sortNull: "null", sortText: "a text", sortNumber: "a number", sortBoolean: "a truth value", sortList: "a list"}

func sortOf(t service.ParameterType) sort {
	switch t {
	case service.TypeString:
		return sortText
	case service.TypeBoolean:
		return sortBoolean
	case service.TypeInt, service.TypeLong, service.TypeFloat, service.TypeDouble:
		return sortNumber
	}
	if isList(t) {
		return sortList
	}
	return sortUnknown
}

// state is what expressions of one call share.
type state struct {
	values []any
	// results are those of the binds that were evaluated.
	results map[*binding]result
}

type result struct {
	value any
	err   error
}

// binding is the value of a bind tag, evaluated where it is used.
type binding struct {
	name  string
	value expression
	frame *frame
}

func (s *state) result(b *binding) (any, error) {
	r, known := s.results[b]
	if !known {
		r.value, r.err = b.value(s, b.frame)
		if s.results == nil {
			s.results = map[*binding]result{}
		}
		s.results[b] = r
	}
	return r.value, r.err
}

// frame is a name that a tag gave a value, seen from what is inside or behind it.
type frame struct {
	parent *frame
	name   string
	// marker takes the value.
	marker Marker
}

func (f *frame) find(name string) Marker {
	for ; f != nil; f = f.parent {
		if f.name == name {
			return f.marker
		}
	}
	panic("query: a name that was resolved has no value: " + name)
}

// arg returns the value for a marker.
func (s *state) arg(m *Marker) (any, error) {
	switch m.source {
	case sourceElement:
		return elementOf(s.values[m.value], m.element), nil
	case sourcePosition:
		return int64(m.element), nil
	case sourceBinding:
		v, err := s.result(m.binding)
		if err == nil && lengthOf(v) >= 0 {
			err = valueError("", "The bind %s is a list, which cannot be bound as a value: use the list itself.", m.binding.name)
		}
		return v, err
	default:
		return s.values[m.value], nil
	}
}

func valueError(parameter, format string, args ...any) error {
	return &ValueError{Parameter: parameter, Message: fmt.Sprintf(format, args...)}
}

// words are OGNL's words for operators, as expr-lang writes them, in the same length so
// that places stay what they are.
var words = map[string]string{
	"null": "nil ", "eq": "==", "neq": "!= ", "gt": "> ", "gte": ">= ", "lt": "< ", "lte": "<= ",
}

// ognl rewrites OGNL's words where they are not names.
func ognl(text string, isName func(string) bool) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '\'' || c == '"' || c == '`':
			end := i + 1
			for end < len(text) && text[end] != c {
				if text[end] == '\\' && c != '`' {
					end++
				}
				end++
			}
			end = min(end+1, len(text))
			b.WriteString(text[i:end])
			i = end
		case isWordStart(c) || isDigit(c):
			end := i + 1
			for end < len(text) && isWordPart(text[end]) {
				end++
			}
			word := text[i:end]
			if symbol, known := words[word]; known && !isName(word) && !strings.HasSuffix(strings.TrimRight(text[:i], " "), ".") {
				word = symbol
			}
			b.WriteString(word)
			i = end
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String()
}

// compiler compiles the expressions that stand where these names can be seen.
type compiler struct {
	form  *myBatis
	scope *scope
}

// compile compiles the text of an expression. The error is a phrase.
func (c compiler) compile(text string) (expression, sort, error) {
	if strings.TrimSpace(text) == "" {
		return nil, 0, errors.New("it is empty")
	}
	if len(text) > maxExpression {
		return nil, 0, fmt.Errorf("it has %d bytes; %d is the most", len(text), maxExpression)
	}
	tree, err := parser.Parse(ognl(text, func(name string) bool { _, known := c.form.find(c.scope, name); return known }))
	if err != nil {
		var e *file.Error
		if errors.As(err, &e) {
			return nil, 0, fmt.Errorf("%s, at character %d of it", e.Message, e.Column+1)
		}
		return nil, 0, err
	}
	return c.node(tree.Node)
}

func (c compiler) node(n ast.Node) (expression, sort, error) {
	constant := func(v any, s sort) (expression, sort, error) {
		return func(*state, *frame) (any, error) { return v, nil }, s, nil
	}
	switch n := n.(type) {
	case *ast.NilNode:
		return constant(nil, sortNull)
	case *ast.IntegerNode:
		return constant(int64(n.Value), sortNumber)
	case *ast.FloatNode:
		return constant(n.Value, sortNumber)
	case *ast.BoolNode:
		return constant(n.Value, sortBoolean)
	case *ast.StringNode:
		return constant(n.Value, sortText)
	case *ast.IdentifierNode:
		return c.identifier(n.Value)
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.ConditionalNode:
		return c.conditional(n)
	case *ast.CallNode:
		return c.call(n)
	}
	return nil, 0, fmt.Errorf("%s is not supported: use names, texts, numbers, comparisons, and, or, not, +, and calls such as name.length()", n)
}

func (c compiler) identifier(name string) (expression, sort, error) {
	d, known := c.form.resolve(c.scope, name)
	if !known {
		return nil, 0, fmt.Errorf("the name %s is not known: declare the request parameter", name)
	}
	if d.parameter >= 0 {
		return func(s *state, _ *frame) (any, error) { return s.values[d.parameter], nil }, d.sort, nil
	}
	return func(s *state, f *frame) (any, error) {
		m := f.find(name)
		if m.source == sourceBinding {
			return s.result(m.binding)
		}
		return s.arg(&m)
	}, d.sort, nil
}

func (c compiler) unary(n *ast.UnaryNode) (expression, sort, error) {
	value, s, err := c.node(n.Node)
	if err != nil {
		return nil, 0, err
	}
	switch n.Operator {
	case "!", "not":
		return func(s *state, f *frame) (any, error) {
			v, err := value(s, f)
			return !truth(v), err
		}, sortBoolean, nil
	case "-", "+":
		if s != sortNumber && s != sortUnknown {
			return nil, 0, fmt.Errorf("%s needs a number, not %s", n.Operator, sortNames[s])
		}
		zero := func(*state, *frame) (any, error) { return int64(0), nil }
		return calculation(n.Operator, zero, value), sortNumber, nil
	}
	return nil, 0, fmt.Errorf("the operator %q is not supported", n.Operator)
}

func (c compiler) conditional(n *ast.ConditionalNode) (expression, sort, error) {
	condition, _, err := c.node(n.Cond)
	if err != nil {
		return nil, 0, err
	}
	then, s1, err := c.node(n.Exp1)
	if err != nil {
		return nil, 0, err
	}
	otherwise, s2, err := c.node(n.Exp2)
	if err != nil {
		return nil, 0, err
	}
	if s1 != s2 {
		s1 = sortUnknown
	}
	return func(s *state, f *frame) (any, error) {
		v, err := condition(s, f)
		if err != nil {
			return nil, err
		}
		if truth(v) {
			return then(s, f)
		}
		return otherwise(s, f)
	}, s1, nil
}

func (c compiler) binary(n *ast.BinaryNode) (expression, sort, error) {
	left, s1, err := c.node(n.Left)
	if err != nil {
		return nil, 0, err
	}
	right, s2, err := c.node(n.Right)
	if err != nil {
		return nil, 0, err
	}
	c.form.notice(c.scope, n.Left, n.Right)
	c.form.notice(c.scope, n.Right, n.Left)
	known := func(s sort) bool { return s != sortUnknown && s != sortNull }
	differ := known(s1) && known(s2) && s1 != s2
	switch n.Operator {
	case "&&", "and", "||", "or":
		return logical(n.Operator, left, right), sortBoolean, nil
	case "==", "!=":
		if differ {
			return nil, 0, fmt.Errorf("%s compares %s with %s, which are never equal", n, sortNames[s1], sortNames[s2])
		}
		negate := n.Operator == "!="
		return func(s *state, f *frame) (any, error) {
			a, b, err := both(s, f, left, right)
			return equal(a, b) != negate, err
		}, sortBoolean, nil
	case "<", "<=", ">", ">=":
		if differ || s1 == sortNull || s2 == sortNull || s1 == sortList || s1 == sortBoolean {
			return nil, 0, fmt.Errorf("%s does not compare two numbers or two texts", n)
		}
		return comparison(n, left, right), sortBoolean, nil
	case "+":
		if s1 == sortText || s2 == sortText {
			return calculation("+", left, right), sortText, nil
		}
		return calculation("+", left, right), sortUnknown, nil
	case "-", "*", "/", "%":
		for _, s := range []sort{s1, s2} {
			if s != sortNumber && s != sortUnknown {
				return nil, 0, fmt.Errorf("%s calculates with %s, which is no number", n, sortNames[s])
			}
		}
		return calculation(n.Operator, left, right), sortNumber, nil
	case "contains", "startsWith", "endsWith":
		if differ || known(s1) && s1 != sortText {
			return nil, 0, fmt.Errorf("%s looks for a text in something else", n)
		}
		return method(methods[n.Operator], n.Operator, left, []expression{right}), sortBoolean, nil
	}
	return nil, 0, fmt.Errorf("the operator %q is not supported", n.Operator)
}

func both(s *state, f *frame, left, right expression) (any, any, error) {
	a, err := left(s, f)
	if err != nil {
		return nil, nil, err
	}
	b, err := right(s, f)
	return a, b, err
}

func logical(operator string, left, right expression) expression {
	stop := operator == "||" || operator == "or"
	return func(s *state, f *frame) (any, error) {
		a, err := left(s, f)
		if err != nil || truth(a) == stop {
			return stop, err
		}
		b, err := right(s, f)
		return truth(b), err
	}
}

// truth is OGNL's: null and 0 are false, and so is false.
func truth(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case int64:
		return v != 0
	case float64:
		return v != 0
	}
	return lengthOf(v) != -1 || isText(v)
}

func isText(v any) bool {
	_, text := v.(string)
	return text
}

func equal(a, b any) bool {
	if x, y, ok := floats(a, b); ok {
		i, whole := a.(int64)
		j, both := b.(int64)
		if whole && both {
			return i == j
		}
		return x == y
	}
	switch a := a.(type) {
	case nil:
		return b == nil
	case string:
		s, ok := b.(string)
		return ok && a == s
	case bool:
		t, ok := b.(bool)
		return ok && a == t
	}
	return false
}

// floats returns both numbers.
func floats(a, b any) (x, y float64, ok bool) {
	x, ok1 := float(a)
	y, ok2 := float(b)
	return x, y, ok1 && ok2
}

func float(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func comparison(n *ast.BinaryNode, left, right expression) expression {
	text := n.String()
	return func(s *state, f *frame) (any, error) {
		a, b, err := both(s, f, left, right)
		if err != nil {
			return nil, err
		}
		var order int
		if x, y, ok := floats(a, b); ok {
			i, whole := a.(int64)
			j, both := b.(int64)
			switch {
			case whole && both && i < j, !(whole && both) && x < y:
				order = -1
			case whole && both && i > j, !(whole && both) && x > y:
				order = 1
			}
		} else if isText(a) && isText(b) {
			order = strings.Compare(a.(string), b.(string)) //nolint:forcetypeassert // isText says that they are.
		} else {
			return nil, valueError("", "The expression %s compares %s with %s: ask first whether there is a value, as in a != null.", text, described(a), described(b))
		}
		switch n.Operator {
		case "<":
			return order < 0, nil
		case "<=":
			return order <= 0, nil
		case ">":
			return order > 0, nil
		default:
			return order >= 0, nil
		}
	}
}

func described(v any) string {
	switch v.(type) {
	case nil:
		return sortNames[sortNull]
	case string:
		return sortNames[sortText]
	case bool:
		return sortNames[sortBoolean]
	case int64, float64:
		return sortNames[sortNumber]
	}
	return sortNames[sortList]
}

func calculation(operator string, left, right expression) expression {
	return func(s *state, f *frame) (any, error) {
		a, b, err := both(s, f, left, right)
		if err != nil {
			return nil, err
		}
		return calculate(operator, a, b)
	}
}

// calculate joins texts and calculates as Java does: of whole numbers with 64 bits, else
// in floating point.
func calculate(operator string, a, b any) (any, error) {
	if operator == "+" && (isText(a) || isText(b)) {
		x, ok1 := textOf(a)
		y, ok2 := textOf(b)
		if !ok1 || !ok2 {
			return nil, valueError("", "An expression joins %s and %s: ask first whether there is a value, as in a != null.", described(a), described(b))
		}
		if len(x)+len(y) > maxValue {
			return nil, valueError("", "An expression makes a text of more than %d bytes.", maxValue)
		}
		return x + y, nil
	}
	x, y, ok := floats(a, b)
	if !ok {
		return nil, valueError("", "An expression calculates with %s and %s: ask first whether there is a value, as in a != null.", described(a), described(b))
	}
	i, whole := a.(int64)
	j, both := b.(int64)
	if !whole || !both {
		return calculateFloat(operator, x, y), nil
	}
	switch operator {
	case "+":
		return i + j, nil
	case "-":
		return i - j, nil
	case "*":
		return i * j, nil
	}
	if j == 0 {
		return nil, valueError("", "An expression divides by 0.")
	}
	if operator == "/" {
		return i / j, nil
	}
	return i % j, nil
}

func calculateFloat(operator string, x, y float64) float64 {
	switch operator {
	case "+":
		return x + y
	case "-":
		return x - y
	case "*":
		return x * y
	case "/":
		return x / y
	default:
		return math.Mod(x, y)
	}
}

// textOf returns what joining writes; false where there is no value.
func textOf(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

// aMethod is a method of texts, or of lists.
type aMethod struct {
	arguments int
	result    sort
	list      bool
	call      func(value any, text string, arguments []any) any
}

var methods = map[string]aMethod{
	"size":             {0, sortNumber, true, func(v any, _ string, _ []any) any { return int64(lengthOf(v)) }},
	"length":           {0, sortNumber, false, func(_ any, s string, _ []any) any { return int64(len([]rune(s))) }},
	"isEmpty":          {0, sortBoolean, false, func(v any, s string, _ []any) any { return s == "" && lengthOf(v) <= 0 }},
	"trim":             {0, sortText, false, func(_ any, s string, _ []any) any { return strings.TrimSpace(s) }},
	"toString":         {0, sortText, false, func(_ any, s string, _ []any) any { return s }},
	"toUpperCase":      {0, sortText, false, func(_ any, s string, _ []any) any { return strings.ToUpper(s) }},
	"toLowerCase":      {0, sortText, false, func(_ any, s string, _ []any) any { return strings.ToLower(s) }},
	"contains":         {1, sortBoolean, false, func(v any, s string, a []any) any { return containsValue(v, s, a[0]) }},
	"startsWith":       {1, sortBoolean, false, func(_ any, s string, a []any) any { return isText(a[0]) && strings.HasPrefix(s, a[0].(string)) }}, //nolint:forcetypeassert // isText says that it is.
	"endsWith":         {1, sortBoolean, false, func(_ any, s string, a []any) any { return isText(a[0]) && strings.HasSuffix(s, a[0].(string)) }}, //nolint:forcetypeassert // isText says that it is.
	"equals":           {1, sortBoolean, false, func(v any, _ string, a []any) any { return equal(v, a[0]) }},
	"equalsIgnoreCase": {1, sortBoolean, false, func(_ any, s string, a []any) any { return isText(a[0]) && strings.EqualFold(s, a[0].(string)) }}, //nolint:forcetypeassert // isText says that it is.
}

func containsValue(v any, text string, what any) bool {
	if s, is := what.(string); is && isText(v) {
		return strings.Contains(text, s)
	}
	for i := range lengthOf(v) {
		if equal(elementOf(v, i), what) {
			return true
		}
	}
	return false
}

func (c compiler) call(n *ast.CallNode) (expression, sort, error) {
	member, ok := n.Callee.(*ast.MemberNode)
	if !ok || member.Optional {
		return nil, 0, fmt.Errorf("%s is not supported: there are methods, such as name.length(), and no functions", n)
	}
	property, ok := member.Property.(*ast.StringNode)
	if !ok {
		return nil, 0, fmt.Errorf("%s is not supported", n)
	}
	m, known := methods[property.Value]
	if !known || len(n.Arguments) != m.arguments {
		return nil, 0, fmt.Errorf("there is no method %s with %d arguments: there are size(), length(), isEmpty(), trim(), toString(), toUpperCase(), toLowerCase(), and contains, startsWith, endsWith, equals and equalsIgnoreCase with one", property.Value, len(n.Arguments))
	}
	value, s, err := c.node(member.Node)
	if err != nil {
		return nil, 0, err
	}
	lists := m.list || property.Value == "isEmpty" || property.Value == "contains"
	if s == sortList && !lists || m.list && s != sortList && s != sortUnknown {
		return nil, 0, fmt.Errorf("%s asks %s, which has no %s()", n, sortNames[s], property.Value)
	}
	arguments := make([]expression, len(n.Arguments))
	for i, a := range n.Arguments {
		if arguments[i], _, err = c.node(a); err != nil {
			return nil, 0, err
		}
		c.form.notice(c.scope, member.Node, a)
	}
	return method(m, property.Value, value, arguments), m.result, nil
}

func method(m aMethod, name string, value expression, arguments []expression) expression {
	return func(s *state, f *frame) (any, error) {
		v, err := value(s, f)
		if err != nil {
			return nil, err
		}
		text, ok := textOf(v)
		if n := lengthOf(v); v == nil || !ok && n < 0 || m.list && n < 0 {
			return nil, valueError("", "An expression asks %s for its %s: ask first whether there is a value, as in a != null.", described(v), name)
		}
		values := make([]any, len(arguments))
		for i, a := range arguments {
			if values[i], err = a(s, f); err != nil {
				return nil, err
			}
		}
		return m.call(v, text, values), nil
	}
}
