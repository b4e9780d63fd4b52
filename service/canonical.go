// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// canonicalMembers reads one JSON object and returns its members, each value in the
// canonical form: no white space, members in the order of their names' bytes, characters
// as they are but for those that JSON demands to be escaped, numbers as they are written.
// An object that has a name twice is refused: readers would not agree on what it says.
func canonicalMembers(object []byte) (map[string]string, error) {
	d := json.NewDecoder(bytes.NewReader(object))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("it is no JSON object")
	}
	members, err := readMembers(d)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON object")
	}
	return members, nil
}

// readMembers reads the rest of an object that has begun.
func readMembers(d *json.Decoder) (map[string]string, error) {
	members := map[string]string{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, notJSON(err)
		}
		name, _ := t.(string)
		if _, twice := members[name]; twice {
			return nil, fmt.Errorf("it has the member %q twice", name)
		}
		if members[name], err = readCanonical(d); err != nil {
			return nil, err
		}
	}
	_, err := d.Token() // the closing brace
	return members, notJSON(err)
}

// readCanonical reads one value and returns its canonical form.
func readCanonical(d *json.Decoder) (string, error) {
	t, err := d.Token()
	if err != nil {
		return "", notJSON(err)
	}
	switch v := t.(type) {
	case json.Delim:
		if v == '{' {
			members, err := readMembers(d)
			return joinMembers(members), err
		}
		var elements []string
		for d.More() {
			e, err := readCanonical(d)
			if err != nil {
				return "", err
			}
			elements = append(elements, e)
		}
		_, err := d.Token() // the closing bracket
		return "[" + strings.Join(elements, ",") + "]", notJSON(err)
	case string:
		return quoteCanonical(v), nil
	case json.Number:
		return v.String(), nil
	case bool:
		if v {
			return "true", nil
		}
		return "false", nil
	}
	return "null", nil
}

func joinMembers(members map[string]string) string {
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	b.WriteByte('{')
	for i, name := range names {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quoteCanonical(name))
		b.WriteByte(':')
		b.WriteString(members[name])
	}
	b.WriteByte('}')
	return b.String()
}

// quoteCanonical writes a text with the escapes of RFC 8785, section 3.2.2.2.
func quoteCanonical(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch r {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '\b':
			b.WriteString(`\b`)
		case '\t':
			b.WriteString(`\t`)
		case '\n':
			b.WriteString(`\n`)
		case '\f':
			b.WriteString(`\f`)
		case '\r':
			b.WriteString(`\r`)
		default:
			if r < ' ' {
				fmt.Fprintf(&b, `\u%04x`, r)
				continue
			}
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// notJSON words the decoder's errors for people; nil stays nil.
func notJSON(err error) error {
	if err == nil {
		return nil
	}
	return errors.New("it is no complete JSON object")
}
