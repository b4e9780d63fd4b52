// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"context"
	"errors"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unique"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/query"
	"github.com/dataservice/terraform-provider-dataservice/service/tracing"
)

// Parameter is a request parameter of a [Plan].
type Parameter struct {
	Name     string
	Type     service.ParameterType
	Required bool
	// Default is the parsed default value; nil where there is none.
	Default any
}

// Plan is a definition compiled for its connection: immutable but for a bounded cache,
// and safe for concurrent use. It holds no connection of its own.
type Plan struct {
	source     source
	query      *query.Query
	parameters []Parameter
	columns    []column
	paged      bool
	// skipTotal says that no rows are counted.
	skipTotal bool
	// fixed is what every call runs; nil where that depends on the call's values.
	fixed *shape
	// shapes has what calls ran lately where there is no fixed one.
	shapes shapeCache
	// answered, where not nil, is told the columns of each shape that is prepared to
	// validate the definition.
	answered func([]answeredColumn)
}

// shape is what a plan runs for one shape of its query.
type shape struct {
	*query.Shape
	// rows is the query itself; where the plan is paged it takes a limit and an offset
	// behind its own arguments. count is what counts its rows, where these are counted.
	rows, count statement
	// locks says that the query may name advisory locks, which outlive a transaction.
	locks bool
}

// statement is a text with what is to be made of its result.
type statement struct {
	text string
	// key tells statements apart that need a prepared statement of their own: the
	// text, and the columns with their types.
	key string
	// shared keeps the memory of text and key that of equal statements of other plans: of
	// thousands of APIs, many differ in little, and calls find their statement by the key.
	shared unique.Handle[string]
	// markers are the text's bind markers. Where page says so, the most rows and how many
	// to leave out before follow them.
	markers []query.Marker
	page    bool
	// columns are what is answered of each row; none where the statement counts.
	columns []column
}

// column is a response parameter.
type column struct {
	name string
	typ  service.ParameterType
	// prefix is what stands before the value in a row: `{"a":` or `,"b":`.
	prefix []byte
}

// Call is what one run of a [Plan] takes.
type Call struct {
	// Values are those of [Plan.Parameters], in that order: nil for NULL, or what
	// service.ParameterType.Parse returns.
	Values []any
	// PageNum (from 1) and PageSize choose the page; ignored where the plan is not paged.
	PageNum, PageSize int
	// MaxRows is the most rows that may be answered; more are an error, or are left
	// out where Truncate says so. 0 sets no bound. A page is bounded by PageSize alone.
	MaxRows  int
	Truncate bool
}

func newPlan(d service.Definition, s source, engine service.Engine) (*Plan, error) {
	d = d.WithDefaults()
	q, err := query.Compile(d, engine)
	if err != nil {
		return nil, err
	}
	p := &Plan{source: s, query: q, columns: columnsOf(d), paged: d.Paged(), skipTotal: d.SkipsTotal()}
	for _, name := range q.Parameters() {
		declared := d.RequestParameters[name]
		parameter := Parameter{Name: name, Type: declared.Type, Required: declared.Required}
		if declared.Default != nil {
			if parameter.Default, err = declared.Type.Parse(*declared.Default); err != nil {
				var v service.Invalid
				v.Addf(service.Pointer("request_parameters", name, "default"), "The default %q of %s %s.", *declared.Default, name, err)
				return nil, v.Err("The API")
			}
		}
		p.parameters = append(p.parameters, parameter)
	}
	if fixed := q.Fixed(); fixed != nil {
		p.fixed = p.newShape(fixed)
	}
	return p, nil
}

// newShape makes what runs the shape of the plan's query.
func (p *Plan) newShape(q *query.Shape) *shape {
	s := &shape{Shape: q, locks: mayLock(q.Text)}
	s.rows = statement{text: q.Text, markers: q.Markers, columns: p.columns}
	if p.paged {
		s.rows.text, s.rows.page = q.Page(), true
	}
	if p.counts() {
		s.count = statement{text: q.Count(), markers: q.Markers}
		s.count.key = s.count.text
	}
	s.rows.key = s.rows.text
	for _, c := range p.columns {
		s.rows.key += "\x00" + c.name + "\x00" + string(c.typ)
	}
	s.rows.share()
	s.count.share()
	return s
}

func (s *statement) share() {
	s.shared = unique.Make(s.key)
	s.key = s.shared.Value()
	// The key begins with the text.
	s.text = s.key[:len(s.text)]
}

// counts reports whether a call counts the rows of all pages.
func (p *Plan) counts() bool { return p.paged && !p.skipTotal }

// statements returns how many statements a call runs.
func (p *Plan) statements() int {
	if p.counts() {
		return 2
	}
	return 1
}

const (
	// maxShapes bounds the shapes that a plan remembers.
	maxShapes = 128
	// maxCachedShape bounds the text of such a shape and its key, in bytes: longer ones come
	// of long lists, and hardly come again.
	maxCachedShape = 32 << 10
)

// shapeCache keeps the shapes that were used last, by what [query.Query.Choose] says.
type shapeCache struct {
	mu     sync.Mutex
	shapes map[string]*cachedShape
	// clock counts uses, to find the shape that was not used for longest.
	clock uint64
}

type cachedShape struct {
	shape *shape
	used  uint64
}

// shape returns what the plan runs for the values.
func (p *Plan) shape(values []any) (*shape, error) {
	if p.fixed != nil {
		return p.fixed, nil
	}
	var buffer [64]byte
	key, err := p.query.Choose(buffer[:0], values)
	if err != nil {
		return nil, err
	}
	c := &p.shapes
	c.mu.Lock()
	c.clock++
	if known := c.shapes[string(key)]; known != nil {
		known.used = c.clock
		c.mu.Unlock()
		return known.shape, nil
	}
	c.mu.Unlock()
	q, err := p.query.Shape(values)
	if err != nil {
		return nil, err
	}
	made := p.newShape(q)
	if len(q.Text)+len(key) > maxCachedShape {
		return made, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shapes == nil {
		c.shapes = map[string]*cachedShape{}
	}
	if len(c.shapes) >= maxShapes {
		delete(c.shapes, leastUsed(c.shapes, func(s *cachedShape) uint64 { return s.used }))
	}
	c.shapes[string(key)] = &cachedShape{made, c.clock}
	return made, nil
}

// mayLock reports whether the script takes advisory locks, or could without saying
// so: in a name that is spelt with escapes, or in a query that it puts together.
func mayLock(text string) bool {
	text = strings.ToLower(text)
	for _, sign := range []string{"advisory", `u&"`, "query_to_xml", "ts_stat", "ts_rewrite"} {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return false
}

func columnsOf(d service.Definition) []column {
	columns := make([]column, 0, len(d.ResponseParameters))
	for _, name := range slices.Sorted(maps.Keys(d.ResponseParameters)) {
		prefix := []byte{','}
		if len(columns) == 0 {
			prefix[0] = '{'
		}
		prefix = append(appendString(prefix, []byte(name)), ':')
		columns = append(columns, column{name: name, typ: d.ResponseParameters[name].Type, prefix: prefix})
	}
	return columns
}

// Parameters returns the request parameters in the order of [Call.Values], sorted
// by name. The slice must not be changed.
func (p *Plan) Parameters() []Parameter { return p.parameters }

// Paged reports whether a call answers one page with the total.
func (p *Plan) Paged() bool { return p.paged }

var errValues = errors.New("the call does not have a value per parameter")

// Run appends the JSON of the call's data to dst: an array with an object per row,
// or, where the plan is paged, an object with totalNum, pageNum, pageSize and rows.
// The context's end stops the statement. On an error, an [Error], it returns dst as
// it was given.
func (p *Plan) Run(ctx context.Context, dst []byte, call Call) ([]byte, error) {
	if len(call.Values) != len(p.parameters) {
		return dst, &Error{Kind: Failed, Err: errValues}
	}
	if ctx.Err() != nil {
		return dst, &Error{Kind: Timeout, Err: context.Cause(ctx)}
	}
	if p.paged {
		if call.PageNum < 1 || call.PageSize < 1 || call.PageNum-1 > math.MaxInt64/call.PageSize {
			return dst, &Error{Kind: BadValue, Parameter: "pageNum", Err: errors.New("there is no such page")}
		}
	}
	if call.MaxRows <= 0 {
		call.MaxRows = math.MaxInt
	}
	start := len(dst)
	sh, err := p.shape(call.Values)
	if err != nil {
		return dst, shapeFailure(err)
	}
	var out []byte
	if tracing.Recording(ctx) {
		out, err = p.runTraced(ctx, sh, dst, call)
	} else {
		out, err = p.source.run(ctx, p, sh, dst, call)
	}
	if err != nil {
		return dst[:start], err
	}
	return out, nil
}

// shapeFailure is the error for values that make no statement.
func shapeFailure(err error) error {
	var e *Error
	var v *query.ValueError
	switch {
	case errors.As(err, &e):
		return e
	case errors.As(err, &v):
		return &Error{Kind: BadValue, Parameter: v.Parameter, Err: v}
	default:
		return &Error{Kind: Failed, Err: err}
	}
}

// Statement returns the text of the statement that the call runs for its rows; "" where
// its values make none.
func (p *Plan) Statement(call Call) string {
	if len(call.Values) != len(p.parameters) {
		return ""
	}
	sh, err := p.shape(call.Values)
	if err != nil {
		return ""
	}
	return sh.rows.text
}

// noTotal stands for the total of a page where the rows are not counted.
const noTotal = -1

func (c Call) offset() int64 { return int64(c.PageNum-1) * int64(c.PageSize) }

// appendPage appends what stands before the rows of a page.
func (c Call) appendPage(dst []byte, total int64) []byte {
	dst = append(dst, `{"totalNum":`...)
	if total == noTotal {
		dst = append(dst, "null"...)
	} else {
		dst = strconv.AppendInt(dst, total, 10)
	}
	dst = append(dst, `,"pageNum":`...)
	dst = strconv.AppendInt(dst, int64(c.PageNum), 10)
	dst = append(dst, `,"pageSize":`...)
	dst = strconv.AppendInt(dst, int64(c.PageSize), 10)
	return append(dst, `,"rows":`...)
}
