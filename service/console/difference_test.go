// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// written is what a line says, without its colours.
func written(l diffLine) string {
	if l.Number == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d ", l.Number)
	for _, t := range l.Tokens {
		b.WriteString(t.Text)
	}
	return b.String()
}

func TestLinesStandSideBySide(t *testing.T) {
	rows := sideBySide("SELECT a\nFROM t\nWHERE b\nORDER BY a", "SELECT a, c\nFROM t\nORDER BY a\nLIMIT 3\n", true, false)
	var got []string
	for _, r := range rows {
		got = append(got, fmt.Sprintf("%t|%s|%s", r.Changed, written(r.Before), written(r.After)))
	}
	want := []string{
		"true|1 SELECT a|1 SELECT a, c",
		"false|2 FROM t|2 FROM t",
		"true|3 WHERE b|",
		"false|4 ORDER BY a|3 ORDER BY a",
		"true||4 LIMIT 3",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOfALongTextOnlyWhatIsNearAChangeIsShown(t *testing.T) {
	lines := strings.Split(strings.Repeat("same\n", 100), "\n")[:100]
	before := strings.Join(lines, "\n")
	lines[50] = "another"
	rows := sideBySide(before, strings.Join(lines, "\n"), false, false)
	if len(rows) != 2+2*contextLines+1 || rows[0].Skipped != 47 || rows[len(rows)-1].Skipped != 46 || written(rows[4].After) != "51 another" {
		t.Errorf("%d rows: %+v", len(rows), rows)
	}
}

// Colours change no character, whatever the text, and every line of both sides is there once.
func TestNoLineIsLost(t *testing.T) {
	text := rapid.StringMatching(`([a-z'"/*$#{}<>=. -]|--|\n|SELECT |\$\{a\}|<if test="a">|é){0,60}`)
	rapid.Check(t, func(t *rapid.T) {
		before, after := text.Draw(t, "before"), text.Draw(t, "after")
		for sql := range 2 {
			var left, right strings.Builder
			for _, r := range sideBySide(before, after, sql == 1, false) {
				for side, l := range map[*strings.Builder]diffLine{&left: r.Before, &right: r.After} {
					if l.Number > 0 {
						_, line, _ := strings.Cut(written(l), " ")
						side.WriteString(line + "\n")
					}
				}
			}
			if left.String() != ended(before) || right.String() != ended(after) {
				t.Fatalf("%q and %q became %q and %q", before, after, left.String(), right.String())
			}
		}
	})
}

func TestPlaceholdersAreToldFromSQL(t *testing.T) {
	classes := map[string]string{}
	for _, line := range sqlLines("select a from t -- why\n where b = ${name} and c in (#{other}) <if test=\"d > 1\">and e = 'it''s ${no}'</if> limit 10") {
		for _, token := range line {
			classes[strings.TrimSpace(token.Text)] = token.Class
		}
	}
	for text, want := range map[string]string{
		"select": "k", "where": "k", "t": "n", "-- why": "c1", "${name}": "nv", "#{other}": "nv", `<if test="d > 1">`: "nt", "</if>": "nt", "'it''s ${no}'": "s", "10": "m",
	} {
		if classes[text] != want {
			t.Errorf("%s is of the class %q, want %q", text, classes[text], want)
		}
	}
}

// However long a text is, its difference comes in parts that fit on a page, and no line is lost.
func TestALongDifferenceComesInParts(t *testing.T) {
	all := textChange{Pointer: "/script/sql"}
	for i := range 3000 {
		all.Rows = append(all.Rows, diffRow{Changed: true, Before: diffLine{i + 1, []token{{"s", "'<before>'"}}}, After: diffLine{i + 1, []token{{Text: "after"}}}})
	}
	seen := 0
	for part := 1; ; part++ {
		d := difference{Fields: []fieldChange{{Pointer: "/path", Before: "/a", After: strings.Repeat("<", 100_000)}}, Texts: []textChange{all}}
		d.leaf(part)
		if d.Parts < 10 || d.Part != part {
			t.Fatalf("part %d is part %d of %d", part, d.Part, d.Parts)
		}
		if (part == 1) != (len(d.Fields) == 1) {
			t.Errorf("part %d has %d fields", part, len(d.Fields))
		}
		size := 0
		for _, f := range d.Fields {
			size += markupSize(f.After)
		}
		for _, text := range d.Texts {
			for _, row := range text.Rows {
				if seen++; row.Before.Number != seen {
					t.Fatalf("part %d has line %d where %d is next", part, row.Before.Number, seen)
				}
				size += weight(row.Before.Tokens) + weight(row.After.Tokens)
			}
		}
		if size > shownDifference {
			t.Errorf("part %d has %d bytes", part, size)
		}
		if part == d.Parts {
			break
		}
	}
	if seen != 3000 {
		t.Errorf("%d lines are shown", seen)
	}
	far := difference{Texts: []textChange{all}}
	far.leaf(1000)
	if far.Part != far.Parts || len(far.Texts) != 1 {
		t.Errorf("after the last part comes %d of %d", far.Part, far.Parts)
	}
	short := difference{Fields: []fieldChange{{Pointer: "/path", Before: "/a", After: "/b"}}}
	short.leaf(1)
	if short.Leafed() || len(short.Fields) != 1 {
		t.Errorf("a short difference is cut: %+v", short)
	}
}

func TestAnExcerptEndsBetweenTwoCharacters(t *testing.T) {
	for _, tt := range []struct {
		text string
		most int
		want string
	}{{"short", 10, "short"}, {"ééé", 5, "éé"}, {"<<<", 5, "<"}, {"", 0, ""}, {"a", 0, ""}} {
		if got, cut := excerpt(tt.text, tt.most); got != tt.want || cut != (tt.want != tt.text) {
			t.Errorf("of %q in %d bytes %q is shown, cut: %t", tt.text, tt.most, got, cut)
		}
	}
}
