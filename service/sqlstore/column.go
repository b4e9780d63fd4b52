// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// timeLayout has a fixed width, so that times sort as text. Times are cut to the
// microsecond, which is what PostgreSQL could keep too.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// stamp is a time as it is stored.
func stamp(t time.Time) string { return t.UTC().Format(timeLayout) }

// asStored is a time as it is read again.
func asStored(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// stampFrom is the first time that is stored at or after t.
func stampFrom(t time.Time) string {
	if at := asStored(t); at.Before(t) {
		t = at.Add(time.Microsecond)
	}
	return stamp(t)
}

// maybeStamp is a time that may be absent, as it is stored.
func maybeStamp(t *time.Time) any {
	if t == nil {
		return nil
	}
	return stamp(*t)
}

// flag is a truth value as it is stored.
func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// orNull stores "" as NULL, for references to what is absent.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// document is a value as JSON text.
func document(v any) (string, error) {
	data, err := json.Marshal(v)
	return string(data), err
}

// storable reports whether both databases can keep the text: PostgreSQL takes
// neither U+0000 nor what is no UTF-8.
func storable(s string) bool {
	return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0
}

// column reads one column into what dest points to. NULL, which outer joins make of
// every column, leaves dest as it is.
type column[T any] struct{ dest *T }

// into reads a column of text or a number.
func into[T any](dest *T) sql.Scanner { return column[T]{dest} }

func (c column[T]) Scan(src any) error {
	var v sql.Null[T]
	if err := v.Scan(src); err != nil || !v.Valid {
		return err
	}
	*c.dest = v.V
	return nil
}

// timeColumn reads a stored time.
type timeColumn struct {
	dest  *time.Time
	maybe **time.Time
}

// intoTime reads a time.
func intoTime(dest *time.Time) sql.Scanner { return timeColumn{dest: dest} }

// intoMaybe reads a time that may be absent.
func intoMaybe(dest **time.Time) sql.Scanner { return timeColumn{maybe: dest} }

func (c timeColumn) Scan(src any) error {
	var text sql.NullString
	if err := text.Scan(src); err != nil || !text.Valid {
		return err
	}
	t, err := time.Parse(timeLayout, text.String)
	if err != nil {
		return err
	}
	if c.maybe != nil {
		*c.maybe = &t
		return nil
	}
	*c.dest = t
	return nil
}

// flagColumn reads a stored truth value.
type flagColumn struct{ dest *bool }

func intoFlag(dest *bool) sql.Scanner { return flagColumn{dest} }

func (c flagColumn) Scan(src any) error {
	var n sql.NullInt64
	if err := n.Scan(src); err != nil {
		return err
	}
	*c.dest = n.Int64 != 0
	return nil
}

// definitionColumn reads a stored definition; "" is none and leaves dest as it is. What was stored before a field existed says
// nothing of it, and reads as what leaving it out means.
type definitionColumn struct{ dest *service.Definition }

func intoDefinition(dest *service.Definition) sql.Scanner { return definitionColumn{dest} }

func (c definitionColumn) Scan(src any) error {
	var text sql.NullString
	if err := text.Scan(src); err != nil || text.String == "" {
		return err
	}
	if err := json.Unmarshal([]byte(text.String), c.dest); err != nil {
		return fmt.Errorf("a stored definition cannot be read: %w", err)
	}
	*c.dest = c.dest.WithDefaults()
	return nil
}

// versionColumn reads the number of a version as its name; 0 is none.
type versionColumn struct{ dest *string }

func (c versionColumn) Scan(src any) error {
	var n sql.NullInt64
	if err := n.Scan(src); err != nil || n.Int64 == 0 {
		return err
	}
	*c.dest = versionName(n.Int64)
	return nil
}

// documentColumn reads what [document] wrote; ” stands for nothing.
type documentColumn[T any] struct{ dest *T }

func intoDocument[T any](dest *T) sql.Scanner { return documentColumn[T]{dest} }

func (c documentColumn[T]) Scan(src any) error {
	var text sql.NullString
	if err := text.Scan(src); err != nil || text.String == "" {
		return err
	}
	return json.Unmarshal([]byte(text.String), c.dest)
}
