// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console

import (
	"html"
	"strconv"
	"unicode/utf8"
)

// What long things of one API take of a page, in bytes of markup, so that the whole of it
// stays below 100 KB. The page that is asked for with whole=yes has all of them.
const (
	shownDifference = 24 << 10
	shownLine       = 6 << 10
	shownSQL        = 14 << 10
	shownTables     = 14 << 10
	shownText       = 3 << 10
	shownSample     = 8 << 10
	// shownBreaking is how many breaking changes are told of.
	shownBreaking = 50
)

// The markup of one piece of text, one line and one row, roughly.
const (
	tokenMarkup = 28
	rowMarkup   = 160
	cellsMarkup = 220
)

// whole reports whether all of what is long is asked for.
func (v *visit) whole() bool { return v.query("whole") == "yes" }

// sameWith is the address of the page with a parameter, and without those that it replaces.
func (v *visit) sameWith(name, value string) string {
	q := v.r.URL.Query()
	q.Del("part")
	q.Del("whole")
	q.Del("done")
	q.Set(name, value)
	return v.r.URL.Path + "?" + q.Encode()
}

// part is which part of a difference is looked at, from 1.
func (v *visit) part() int {
	n, err := strconv.Atoi(v.query("part"))
	if err != nil {
		return 1
	}
	return max(n, 1)
}

// markupSize is how many bytes a text takes in a page.
func markupSize(text string) int { return len(html.EscapeString(text)) }

// excerpt is the beginning of a text that takes at most so many bytes in a page, and whether
// it is not all.
func excerpt(text string, most int) (string, bool) {
	if markupSize(text) <= most {
		return text, false
	}
	end := 0
	for i, r := range text {
		size := markupSize(string(r))
		if most -= size; most < 0 {
			break
		}
		end = i + utf8.RuneLen(r)
	}
	return text[:end], true
}

// weight is how many bytes a line takes in a page.
func weight(line []token) int {
	sum := 0
	for _, t := range line {
		sum += tokenMarkup + markupSize(t.Text)
	}
	return sum
}

// cutLine is the beginning of a line.
func cutLine(line []token, most int) []token {
	if weight(line) <= most {
		return line
	}
	var cut []token
	for _, t := range line {
		if most -= tokenMarkup + markupSize(t.Text); most >= 0 {
			cut = append(cut, t)
			continue
		}
		text, _ := excerpt(t.Text, max(0, most+markupSize(t.Text)))
		return append(cut, token{t.Class, text + "…"})
	}
	return cut
}

// cutLines are the first lines of a text, and whether they are not all.
func cutLines(lines [][]token, most int) ([][]token, bool) {
	for i, line := range lines {
		if w := weight(line) + 1; w <= most {
			most -= w
			continue
		}
		if i == 0 {
			return [][]token{cutLine(line, most)}, true
		}
		return lines[:i], true
	}
	return lines, false
}

// fit takes rows from a table while they fit into what is left of a page.
func fit[T any](rows []T, left *int, size func(T) int) (kept []T, cut bool) {
	for i, row := range rows {
		if *left -= cellsMarkup + size(row); *left < 0 {
			return rows[:i], true
		}
	}
	return rows, false
}
