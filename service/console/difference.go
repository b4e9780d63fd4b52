// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aymanbagabas/go-udiff"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// difference is what is not the same in two states of an API, side by side.
type difference struct {
	// Before and After name the two.
	Before, After string
	// Fields are those that one looks at as a whole, Texts those of several lines.
	Fields []fieldChange
	Texts  []textChange
	// Breaking is what the change takes from callers.
	Breaking []service.BreakingChange
	// Part of Parts is what is shown of a long one, and Earlier, Later and Whole are the
	// addresses of its other parts and of all of it; "" where there are none.
	Part, Parts           int
	Earlier, Later, Whole string
}

// Same reports that there is none.
func (d difference) Same() bool { return len(d.Fields)+len(d.Texts) == 0 && !d.Leafed() }

type fieldChange struct {
	Pointer       string
	Before, After string
	Breaking      bool
}

type textChange struct {
	Pointer  string
	Rows     []diffRow
	Breaking bool
}

// diffRow is a line of a text before and after.
type diffRow struct {
	// Skipped is how many lines, which are the same, the row stands for; 0 where it is lines.
	Skipped       int
	Changed       bool
	Before, After diffLine
}

// diffLine is one side of a row; its number is 0 where the line is not there.
type diffLine struct {
	Number int
	Tokens []token
}

// differ says how two states of an API are different. names writes what stands for
// something else, as the ids of connections do. Of long texts what is the same is left out,
// unless the whole is asked for.
func differ(before, after service.Version, whole bool, names func(pointer, value string) string) (difference, error) {
	c, err := service.Compare(before, after)
	if err != nil {
		return difference{}, err
	}
	d := difference{Breaking: c.BreakingChanges}
	changes := c.Differences
	for _, own := range []service.Difference{{Pointer: "/description", Before: before.Description, After: after.Description}, {Pointer: "/name", Before: before.APIName, After: after.APIName}} {
		if own.Before != own.After {
			changes = slices.Insert(changes, 0, own)
		}
	}
	for _, change := range changes {
		breaks := slices.ContainsFunc(c.BreakingChanges, func(b service.BreakingChange) bool {
			return within(b.Pointer, change.Pointer) || within(change.Pointer, b.Pointer)
		})
		b, a := shown(change.Before), shown(change.After)
		if sql := change.Pointer == "/script/sql"; sql || strings.Contains(b+a, "\n") {
			d.Texts = append(d.Texts, textChange{Pointer: change.Pointer, Rows: sideBySide(b, a, sql, whole), Breaking: breaks})
			continue
		}
		d.Fields = append(d.Fields, fieldChange{Pointer: change.Pointer, Before: names(change.Pointer, b), After: names(change.Pointer, a), Breaking: breaks})
	}
	return d, nil
}

// leaf keeps of a long difference the part that is asked for, each of which is as much as a
// page can have.
func (d *difference) leaf(part int) {
	var fields []fieldChange
	var texts []textChange
	left, at := shownDifference, 1
	// turn counts a thing in, and reports whether it is on the page that is asked for.
	turn := func(size int) bool {
		if left -= size; left < 0 {
			at, left = at+1, shownDifference-size
		}
		return at == part
	}
	var cut bool
	for _, f := range d.Fields {
		var b, a bool
		f.Before, b = excerpt(f.Before, shownText)
		f.After, a = excerpt(f.After, shownText)
		cut = cut || a || b
		if turn(cellsMarkup + markupSize(f.Pointer) + markupSize(f.Before) + markupSize(f.After)) {
			fields = append(fields, f)
		}
	}
	for _, t := range d.Texts {
		rows := t.Rows
		t.Rows = nil
		for _, row := range rows {
			cut = cut || weight(row.Before.Tokens) > shownLine || weight(row.After.Tokens) > shownLine
			row.Before.Tokens, row.After.Tokens = cutLine(row.Before.Tokens, shownLine), cutLine(row.After.Tokens, shownLine)
			if turn(rowMarkup + weight(row.Before.Tokens) + weight(row.After.Tokens)) {
				t.Rows = append(t.Rows, row)
			}
		}
		if len(t.Rows) > 0 {
			texts = append(texts, t)
		}
	}
	if part > at {
		d.leaf(at)
		return
	}
	d.Fields, d.Texts, d.Part, d.Parts = fields, texts, part, at
	if cut && at == 1 {
		d.Parts = 0 // One part, and not all of it.
	}
}

// Leafed reports whether not all of it is shown.
func (d difference) Leafed() bool { return d.Part > 0 && d.Parts != 1 }

// within reports whether one pointer is the other, or of something in it.
func within(pointer, outer string) bool {
	return pointer == outer || strings.HasPrefix(pointer, outer+"/")
}

// shown writes the value of a field for people.
func shown(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return strings.ReplaceAll(value, "\r\n", "\n")
	case map[string]any, []any:
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(value); err == nil {
			return strings.TrimSuffix(b.String(), "\n")
		}
	}
	return fmt.Sprint(value)
}

const (
	// maxWholeDiff is how many lines are shown, whether they changed or not; of a longer text
	// those that did, with contextLines around them.
	maxWholeDiff = 60
	contextLines = 3
)

// sideBySide sets the lines of two texts against each other: all of them where the whole is
// asked for.
func sideBySide(before, after string, sql, whole bool) []diffRow {
	lines := plainLines
	if sql {
		lines = sqlLines
	}
	left, right := lines(before), lines(after)
	var rows []diffRow
	l, r := 0, 0
	side := func(lines [][]token, at *int, there bool) diffLine {
		if !there {
			return diffLine{}
		}
		*at++
		return diffLine{Number: *at, Tokens: lines[*at-1]}
	}
	same := func(until int) {
		for l < until {
			rows = append(rows, diffRow{Before: side(left, &l, true), After: side(right, &r, true)})
		}
	}
	b, a := ended(before), ended(after)
	for _, e := range udiff.Lines(b, a) {
		same(strings.Count(b[:e.Start], "\n"))
		removed, added := strings.Count(b[e.Start:e.End], "\n"), strings.Count(e.New, "\n")
		for i := range max(removed, added) {
			rows = append(rows, diffRow{Changed: true, Before: side(left, &l, i < removed), After: side(right, &r, i < added)})
		}
	}
	same(len(left))
	if whole {
		return rows
	}
	return shorten(rows)
}

// ended is a text whose last line ends as the others do.
func ended(text string) string {
	if text == "" || strings.HasSuffix(text, "\n") {
		return text
	}
	return text + "\n"
}

// shorten leaves out what is the same in a long text, but for what stands near a change.
func shorten(rows []diffRow) []diffRow {
	if len(rows) <= maxWholeDiff {
		return rows
	}
	near := make([]bool, len(rows))
	for i, row := range rows {
		if row.Changed {
			for j := max(0, i-contextLines); j <= min(len(rows)-1, i+contextLines); j++ {
				near[j] = true
			}
		}
	}
	var short []diffRow
	for i, row := range rows {
		switch last := len(short) - 1; {
		case near[i]:
			short = append(short, row)
		case last >= 0 && short[last].Skipped > 0:
			short[last].Skipped++
		default:
			short = append(short, diffRow{Skipped: 1})
		}
	}
	return short
}
