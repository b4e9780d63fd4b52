// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// screen prints the story. It uses colour on a terminal only.
type screen struct {
	out    io.Writer
	colour bool
	number int
	step   string // the heading of the step under way
	fresh  bool   // the last line is blank
}

func newScreen(out *os.File) *screen {
	info, err := out.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	return &screen{out: out, colour: terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

const (
	bold = "\x1b[1m"
	dim  = "\x1b[2m"
)

func (s *screen) styled(style, text string) string {
	if !s.colour {
		return text
	}
	return style + text + "\x1b[0m"
}

// heading begins a step.
func (s *screen) heading(text string) {
	s.number++
	s.step = text
	fmt.Fprintf(s.out, "\n%s\n\n", s.styled(bold, fmt.Sprintf("%2d. %s", s.number, text)))
	s.fresh = true
}

// paragraph begins one, behind a blank line.
func (s *screen) paragraph() {
	if !s.fresh {
		fmt.Fprintln(s.out)
	}
	s.fresh = false
}

// say prints a sentence or two of explanation.
func (s *screen) say(format string, args ...any) {
	s.paragraph()
	fmt.Fprintf(s.out, "    %s\n", fmt.Sprintf(format, args...))
}

// command prints what somebody types.
func (s *screen) command(who, format string, args ...any) {
	s.paragraph()
	fmt.Fprintf(s.out, "    %s%s\n", s.styled(dim, who+" $ "), s.styled(bold, fmt.Sprintf(format, args...)))
}

// output prints what a program answered, each line marked.
func (s *screen) output(text string) {
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		fmt.Fprintf(s.out, "    %s\n", strings.TrimRight(s.styled(dim, "| ")+line, " "))
	}
}

// pretty lays a JSON answer out for reading: objects one field a line, but each row
// of a list on a line of its own. What is not JSON comes back as it is.
func pretty(body []byte) string {
	var b strings.Builder
	if !json.Valid(body) || !layOut(&b, body, "") {
		return string(body)
	}
	return b.String()
}

func layOut(b *strings.Builder, raw json.RawMessage, indent string) bool {
	deeper := indent + "  "
	switch raw = bytes.TrimSpace(raw); {
	case bytes.HasPrefix(raw, []byte("[")):
		var elements []json.RawMessage
		if json.Unmarshal(raw, &elements) != nil {
			return false
		}
		b.WriteString("[")
		for i, e := range elements {
			fmt.Fprintf(b, "\n%s%s%s", deeper, spaced(e), comma(i, len(elements)))
		}
		if len(elements) > 0 {
			b.WriteString("\n" + indent)
		}
		b.WriteString("]")
	case bytes.HasPrefix(raw, []byte("{")):
		d := json.NewDecoder(bytes.NewReader(raw))
		if _, err := d.Token(); err != nil {
			return false
		}
		b.WriteString("{")
		for first := true; d.More(); first = false {
			key, err := d.Token()
			var value json.RawMessage
			if err != nil || d.Decode(&value) != nil {
				return false
			}
			if !first {
				b.WriteString(",")
			}
			fmt.Fprintf(b, "\n%s%q: ", deeper, key)
			if !layOut(b, value, deeper) {
				return false
			}
		}
		b.WriteString("\n" + indent + "}")
	default:
		b.Write(raw)
	}
	return true
}

// spaced writes JSON on one line with a space behind commas and colons.
func spaced(raw json.RawMessage) string {
	var b strings.Builder
	inString, escaped := false, false
	for _, c := range string(raw) {
		b.WriteRune(c)
		switch {
		case escaped:
			escaped = false
		case c == '\\' && inString:
			escaped = true
		case c == '"':
			inString = !inString
		case (c == ',' || c == ':') && !inString:
			b.WriteByte(' ')
		}
	}
	return b.String()
}

func comma(i, n int) string {
	if i == n-1 {
		return ""
	}
	return ","
}
