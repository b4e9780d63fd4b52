// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package remote

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// Output says how results are written.
type Output struct {
	Output string `short:"o" help:"How results are written: table for people, json for programs. Notes and errors go to standard error the same way." enum:"table,json" default:"table" env:"DATASERVICE_OUTPUT"`
}

// JSON reports whether results are written as JSON.
func (o Output) JSON() bool { return o.Output == "json" }

// terminal is what a command calls and writes with.
type terminal struct {
	Streams
	*client.Client
	json bool
}

// print writes the value as JSON where that is asked for, and else calls show.
func (t terminal) print(value any, show func() error) error {
	if t.json {
		return WriteJSON(t.Streams, value)
	}
	return show()
}

// WriteJSON writes the value to standard output, indented, as the service would.
func WriteJSON(s Streams, value any) error {
	encoder := json.NewEncoder(s.Out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// writeLine writes the value as one line of JSON. What it tells beside a result may be lost.
func writeLine(w io.Writer, value any) {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value)
}

// list makes an empty list of none, which is [] in JSON and not null.
func list[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

// notef tells a person something beside the result: a line on standard error, which is a
// JSON object where results are JSON.
func (t terminal) notef(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if t.json {
		writeLine(t.Err, map[string]string{"note": text})
		return
	}
	fmt.Fprintln(t.Err, Visible(text))
}

// sayf writes a line of a result for people.
func (t terminal) sayf(format string, args ...any) error {
	return t.line(Visible(fmt.Sprintf(format, args...)))
}

// line writes a line as it is.
func (t terminal) line(text string) error {
	_, err := fmt.Fprintln(t.Out, text)
	return err
}

// Visible shows what a terminal would obey: texts that others wrote must not hide or
// disguise what stands beside them.
func Visible(text string) string {
	obeyed := func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\t' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
	}
	if strings.IndexFunc(text, obeyed) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if obeyed(r) {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// column is one of a table.
type column struct {
	head string
	// shrink says when its cells are cut where the table is too wide: never where 0, else
	// those with 1 before those with 2.
	shrink int
}

const (
	gap = 2
	// leastWidth is what a cell is cut to at the most.
	leastWidth = 8
	// usualWidth is that of a terminal which does not tell.
	usualWidth = 80
)

// table writes rows below their heads.
func (t terminal) table(columns []column, rows [][]string) error {
	for _, r := range rows {
		for i, cell := range r {
			r[i] = Visible(strings.Join(strings.Fields(cell), " "))
		}
	}
	widths := make([]int, len(columns))
	total := gap * (len(columns) - 1)
	for i, c := range columns {
		widths[i] = len(c.head)
		for _, r := range rows {
			widths[i] = max(widths[i], utf8.RuneCountInString(r[i]))
		}
		total += widths[i]
	}
	for turn := 1; turn <= 2; turn++ {
		for total > t.width() {
			widest := -1
			for i, c := range columns {
				if c.shrink > 0 && c.shrink <= turn && widths[i] > leastWidth && (widest < 0 || widths[i] > widths[widest]) {
					widest = i
				}
			}
			if widest < 0 {
				break
			}
			widths[widest]--
			total--
		}
	}
	heads := make([]string, len(columns))
	for i, c := range columns {
		heads[i] = c.head
	}
	coloured := t.coloured()
	for n, row := range append([][]string{heads}, rows...) {
		var line strings.Builder
		for i, cell := range row {
			cell = cut(cell, widths[i])
			padding := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+gap)
			if coloured && n > 0 {
				cell = paint(cell)
			}
			line.WriteString(cell)
			if i < len(row)-1 {
				line.WriteString(padding)
			}
		}
		if err := t.line(strings.TrimRight(line.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}

// cut shortens a text to that many characters.
func cut(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:max(width-1, 0)]) + "…"
}

// facts writes names and values below each other; those without a value are left out.
func (t terminal) facts(pairs ...string) error {
	width := 0
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			width = max(width, len(pairs[i]))
		}
	}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			continue
		}
		value := Visible(pairs[i+1])
		if t.coloured() {
			value = paint(value)
		}
		if err := t.line(fmt.Sprintf("%-*s  %s", width, pairs[i], value)); err != nil {
			return err
		}
	}
	return nil
}

// width is how many characters a line of a table may have.
func (t terminal) width() int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if f, ok := t.Out.(*os.File); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
			return n
		}
	}
	return usualWidth
}

// coloured reports whether statuses are painted: at a terminal alone, and not where
// NO_COLOR asks for none.
func (t terminal) coloured() bool {
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isTerminal(t.Out)
}

// paint gives a status its colour, and other texts none.
func paint(text string) string {
	const green, yellow, red = "32", "33", "31"
	var colour string
	switch text {
	case "PUBLISHED", "APPROVED", "SUCCESS", "CONFIRMED":
		colour = green
	case "PENDING", "PUBLISH_WAIT_REVIEW", "RECOVER_WAIT_REVIEW", "WAITING_STOP", "WAITING_OFFLINE", "WAITING", "STOPPED", "OPEN":
		colour = yellow
	case "REJECTED", "PUBLISH_REJECT", "FAILED", "refused":
		colour = red
	default:
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// at writes a time in UTC; "" for none.
func at(when time.Time) string {
	if when.IsZero() {
		return ""
	}
	return when.UTC().Format(time.RFC3339)
}

// minute writes a time in UTC as short as a table needs it.
func minute(when time.Time) string { return when.UTC().Format("2006-01-02 15:04Z") }

func atOrNever(when *time.Time) string {
	if when == nil {
		return ""
	}
	return at(*when)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// by joins who did something with when.
func by(who string, when time.Time) string {
	if who == "" {
		return at(when)
	}
	return fmt.Sprintf("%s by %s", at(when), who)
}

// number writes n; "" for 0.
func number(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// count writes how many things there are: "1 app", "2 apps".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// Confirmation says whether a person is asked before something is cut off.
type Confirmation struct {
	Yes bool `short:"y" help:"Do it without asking; needed where nobody can be asked."`
}

// confirm asks a person, unless the command line has answered.
func (t terminal) confirm(ctx context.Context, answered Confirmation, question string) error {
	if answered.Yes {
		return nil
	}
	if !isTerminal(t.In) {
		return usage("Nothing was done: nobody can be asked here. Say --yes where it is meant.")
	}
	fmt.Fprintf(t.Err, "%s [y/N] ", question)
	answer, err := readLine(ctx, t.In)
	if ctx.Err() != nil {
		fmt.Fprintln(t.Err)
		return &failure{exit: ExitInterrupted, message: "Nothing was done: interrupted.", cause: ctx.Err()}
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return &failure{exit: ExitUsage, message: "Nothing was done: it was not confirmed.", cause: cmp.Or(err, errors.New("not confirmed"))}
}
