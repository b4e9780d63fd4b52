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
	rows := sideBySide("SELECT a\nFROM t\nWHERE b\nORDER BY a", "SELECT a, c\nFROM t\nORDER BY a\nLIMIT 3\n", true)
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
	rows := sideBySide(before, strings.Join(lines, "\n"), false)
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
			for _, r := range sideBySide(before, after, sql == 1) {
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
