// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// transaction is a [lifecycle.Tx]. It is used by one goroutine.
type transaction struct {
	store *Store
	sql   querier
	write bool
	// broken is the failure after which the transaction can only end. PostgreSQL has it
	// so; SQLite is made to, lest code that works on one fails on the other.
	broken error
	// events wait for the end of the transaction, see flushEvents.
	events []service.Event
	// changes do so too, see flushChanges.
	changes []lifecycle.Change
	// sealer is kept once it was read.
	sealer *sealer
	// traced has the span of the transaction, which its statements are recorded below; nil
	// where it is not recorded. What runs in the transaction has the context of its caller.
	traced context.Context
}

var _ lifecycle.Tx = (*transaction)(nil)

// querier runs statements: a transaction of the database, or what [engine] glances with.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// because returns err, fn's own, with the mark of the failure that ended the
// transaction where err itself does not tell of it.
func (t *transaction) because(err error) error {
	var r *repeatable
	if t.broken == nil || errors.As(err, &r) || !errors.As(t.broken, &r) {
		return err
	}
	return &repeatable{cause: err, once: r.once}
}

// fail translates err and ends the transaction.
func (t *transaction) fail(err error, b blame) error {
	t.broken = t.store.translate(err, b)
	return t.broken
}

// ready returns why no statement can be run any more, or none that writes.
func (t *transaction) ready(ctx context.Context, writes bool) error {
	if t.broken != nil {
		return t.broken
	}
	if err := ctx.Err(); err != nil {
		return t.fail(err, blame{})
	}
	if writes && !t.write {
		return t.fail(service.Errorf(service.CodeInternal, "The store was asked to change something where it only reads."), blame{})
	}
	return nil
}

// check refuses texts that one of the databases cannot keep.
func check(args []any) error {
	for _, a := range args {
		if s, ok := a.(string); ok && !storable(s) {
			return service.Errorf(service.CodeInvalid, "A text holds the character U+0000 or is no valid UTF-8, and cannot be stored: %q.", shorten(s))
		}
	}
	return nil
}

func shorten(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}

// exec runs a statement that changes rows, and returns how many.
func (t *transaction) exec(ctx context.Context, b blame, query string, args ...any) (affected int64, err error) {
	if err := t.ready(ctx, true); err != nil {
		return 0, err
	}
	if err := check(args); err != nil {
		return 0, t.fail(err, b)
	}
	span := t.statementSpan(query)
	defer func() { endStatement(span, err) }()
	result, err := t.sql.ExecContext(t.store.engine.statement(ctx), t.store.engine.rebind(query), args...)
	if err != nil {
		return 0, t.fail(err, b)
	}
	n, err := result.RowsAffected()
	if err != nil {
		return 0, t.fail(err, b)
	}
	return n, nil
}

// rowsAtATime bounds the parameters of one statement.
const rowsAtATime = 500

// insert adds rows of the same kind, many with each statement. into is the statement up
// to its VALUES.
func (t *transaction) insert(ctx context.Context, b blame, into string, rows [][]any) error {
	for some := range slices.Chunk(rows, rowsAtATime) {
		one := "(" + marks(len(some[0])) + ")"
		if _, err := t.exec(ctx, b, into+strings.Repeat(one+", ", len(some)-1)+one, slices.Concat(some...)...); err != nil {
			return err
		}
	}
	return nil
}

// texts are strings as arguments.
func texts(list []string) []any {
	args := make([]any, len(list))
	for i, s := range list {
		args[i] = s
	}
	return args
}

// row is what a scan function reads its columns from.
type row interface{ Scan(dest ...any) error }

// many runs a query and reads every row. It reads them all before it returns: the
// connection has to be free for the next statement.
func many[T any](ctx context.Context, t *transaction, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	return rowsOf(ctx, t, false, scan, query, args...)
}

// one runs a query for at most one row.
func one[T any](ctx context.Context, t *transaction, scan func(row) (T, error), query string, args ...any) (value T, found bool, err error) {
	values, err := many(ctx, t, scan, query, args...)
	if err != nil || len(values) == 0 {
		return value, false, err
	}
	return values[0], true, nil
}

// returning runs a statement that changes exactly one row and returns a number of it.
func returning(ctx context.Context, t *transaction, query string, args ...any) (int64, error) {
	values, err := rowsOf(ctx, t, true, scanNumber, query, args...)
	if err != nil {
		return 0, err
	}
	if len(values) != 1 {
		return 0, t.fail(service.Errorf(service.CodeInternal, "The store lacks a record that it was made with."), blame{})
	}
	return values[0], nil
}

func rowsOf[T any](ctx context.Context, t *transaction, writes bool, scan func(row) (T, error), query string, args ...any) (_ []T, err error) {
	if err := t.ready(ctx, writes); err != nil {
		return nil, err
	}
	values := []T{}
	if check(args) != nil {
		return values, nil // What cannot be stored is not there.
	}
	span := t.statementSpan(query)
	defer func() { endStatement(span, err) }()
	rows, err := t.sql.QueryContext(t.store.engine.statement(ctx), t.store.engine.rebind(query), args...)
	if err != nil {
		return nil, t.fail(err, blame{})
	}
	defer rows.Close()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, t.fail(err, blame{})
		}
		values = append(values, v)
	}
	if err := rows.Err(); err != nil {
		return nil, t.fail(err, blame{})
	}
	return values, nil
}

func scanText(r row) (s string, err error)  { return s, r.Scan(&s) }
func scanNumber(r row) (n int64, err error) { return n, r.Scan(&n) }

func scanTime(r row) (at time.Time, err error) { return at, r.Scan(intoTime(&at)) }

// exists reports whether the query finds a row.
func (t *transaction) exists(ctx context.Context, query string, args ...any) (bool, error) {
	_, found, err := one(ctx, t, scanNumber, query+" LIMIT 1", args...)
	return found, err
}

// number takes the next sequential number of a kind.
func (t *transaction) number(ctx context.Context, kind string) (int64, error) {
	return returning(ctx, t, `UPDATE counters SET next = next + 1 WHERE kind = ? RETURNING next - 1`, kind)
}

// affects turns "no row was changed" into CodeNotFound.
func affects(n int64, err error, kind, ref string) error {
	if err == nil && n == 0 {
		return service.NotFound(kind, ref)
	}
	return err
}

// guarded tells why a guarded update of a record changed no row: the record is gone,
// or it has another row version. thing begins the sentence that says so.
func (t *transaction) guarded(ctx context.Context, n int64, err error, table, kind, workspaceID, id, thing string) error {
	if err != nil || n > 0 {
		return err
	}
	found, err := t.exists(ctx, `SELECT 1 FROM `+table+` WHERE workspace_id = ? AND id = ?`, workspaceID, id)
	if err != nil {
		return err
	}
	if !found {
		return service.NotFound(kind, id)
	}
	return changedMeanwhile(thing)
}

// changedMeanwhile says that a record has another row version than the one that was read.
func changedMeanwhile(thing string) error {
	return service.Errorf(service.CodeConflict, "%s was changed by another request at the same time. Read it again and try again.", thing)
}

// lock locks the row with that id until the transaction ends; on SQLite whoever may write
// holds it already. The clause is the engine's rowLock or keyLock.
func (t *transaction) lock(ctx context.Context, clause, kind, table, id string) error {
	if err := t.ready(ctx, true); err != nil {
		return err
	}
	_, found, err := one(ctx, t, scanText, `SELECT id FROM `+table+` WHERE id = ?`+clause, id)
	if err == nil && !found {
		err = service.NotFound(kind, id)
	}
	return err
}

// taken says that a name is not free.
func taken(kind, name string) blame {
	return blame{duplicate: service.Errorf(service.CodeAlreadyExists, "There is %s %s named %q already.", article(kind), kind, name)}
}

func article(kind string) string {
	if strings.ContainsRune("AEIOUaeiou", rune(kind[0])) {
		return "an"
	}
	return "a"
}

// noun says how one kind of record is read: found by a ref and listed.
type noun[T any] struct {
	kind string
	// query is the SELECT up to its FROM and joins; alias names the record's own table.
	query string
	alias string
	scan  func(row) (T, error)
	// numbered kinds are found by their number too, named ones by their name.
	numbered, named bool
	// nameHolds narrows a search by name, as another condition, and holds every search.
	nameHolds, holds string
}

// find returns the record with that id, number or name. An id goes before a number
// and a number before a name, so that what looks like two of them means one thing.
func (n noun[T]) find(ctx context.Context, t *transaction, workspaceID, ref string) (T, error) {
	within := condition{}
	if workspaceID != "" {
		within.add(n.alias+".workspace_id = ?", workspaceID)
	}
	search := func(column string, value any, more string) (T, bool, error) {
		w := within.and(n.alias+"."+column+" = ?"+more+n.holds, value)
		return one(ctx, t, n.scan, n.query+w.where(), w.args...)
	}
	value, found, err := search("id", ref, "")
	if number, parseErr := strconv.ParseInt(ref, 10, 64); n.numbered && !found && err == nil && parseErr == nil {
		value, found, err = search("number", number, "")
	}
	if n.named && !found && err == nil {
		value, found, err = search("name", ref, n.nameHolds)
	}
	if err == nil && !found {
		err = service.NotFound(n.kind, ref)
	}
	return value, err
}

// MaxPage is the most records that one page of a list holds. A page whose limit is 0
// or larger gets as many.
const MaxPage = 1000

// list returns one page in the order of the ids.
func (n noun[T]) list(ctx context.Context, t *transaction, c condition, page lifecycle.Page) ([]T, error) {
	if page.After != "" {
		c = c.and(n.alias+".id > ?", page.After)
	}
	return n.page(ctx, t, c, " ORDER BY "+n.alias+".id", page.Limit)
}

// newest returns one page in the reverse order of the ids, which is that of their making.
func (n noun[T]) newest(ctx context.Context, t *transaction, c condition, page lifecycle.Page) ([]T, error) {
	if page.After != "" {
		c = c.and(n.alias+".id < ?", page.After)
	}
	return n.page(ctx, t, c, " ORDER BY "+n.alias+".id DESC", page.Limit)
}

func (n noun[T]) page(ctx context.Context, t *transaction, c condition, order string, limit int) ([]T, error) {
	return many(ctx, t, n.scan, n.query+c.where()+order+" LIMIT ?", append(c.args, pageLimit(limit))...)
}

func pageLimit(limit int) int64 {
	if limit <= 0 || limit > MaxPage {
		limit = MaxPage
	}
	return int64(limit)
}

// condition is a WHERE clause in the making.
type condition struct {
	terms []string
	args  []any
}

func where(term string, args ...any) condition { return condition{}.and(term, args...) }

// and returns the condition with one more term.
func (c condition) and(term string, args ...any) condition {
	return condition{
		terms: append(c.terms[:len(c.terms):len(c.terms)], term),
		args:  append(c.args[:len(c.args):len(c.args)], args...),
	}
}

// search keeps records that have the text in one of the columns, in whatever case.
func (c condition) search(text string, columns ...string) condition {
	terms := make([]string, len(columns))
	args := make([]any, len(columns))
	for i, column := range columns {
		terms[i], args[i] = `LOWER(`+column+`) LIKE LOWER(?) ESCAPE '!'`, "%"+likeEscaper.Replace(text)+"%"
	}
	return c.and("("+strings.Join(terms, " OR ")+")", args...)
}

var likeEscaper = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

// mode keeps definitions of that mode; v is the alias of the table that has them. The
// member cannot stand inside a text, where its quotes would be escaped, and no other
// object of a definition has a text under this name.
func (c condition) mode(m service.Mode) condition {
	return c.and(`v.definition LIKE ? ESCAPE '!'`, `%"mode":"`+likeEscaper.Replace(string(m))+`"%`)
}

func (c *condition) add(term string, args ...any) { *c = c.and(term, args...) }

func (c condition) where() string {
	if len(c.terms) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.terms, " AND ")
}
