// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// member is one of a JSON object, its value in canonical form.
type member struct {
	name, value []byte
}

// members are those of one JSON object, in the order of their names' bytes.
type members []member

// of returns the value of a member, nil where the object has none of that name.
func (m members) of(name string) []byte {
	i, found := slices.BinarySearchFunc(m, name, func(m member, name string) int { return strings.Compare(string(m.name), name) })
	if !found {
		return nil
	}
	return m[i].value
}

// appendTo writes the object.
func (m members) appendTo(b []byte) []byte {
	size := 2
	for _, each := range m {
		size += len(each.name) + len(each.value) + len(`"":,`)
	}
	b = append(slices.Grow(b, size), '{')
	for i, each := range m {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendCanonicalText(b, each.name), ':')
		b = append(b, each.value...)
	}
	return append(b, '}')
}

// canonicalMembers reads one JSON object and returns its members, each value in the
// canonical form: no white space, members in the order of their names' bytes, characters
// as they are but for those that JSON demands to be escaped, numbers as they are written.
// An object that has a name twice is refused: readers would not agree on what it says.
func canonicalMembers(object []byte) (members, error) {
	if !bytes.HasPrefix(bytes.TrimLeft(object, " \t\r\n"), []byte("{")) {
		return nil, errors.New("it is no JSON object")
	}
	if !json.Valid(object) {
		return nil, errors.New("it is not one complete JSON object")
	}
	r := canonicalReader{rest: object}
	r.next()
	return r.members()
}

// canonicalReader goes through JSON that is known to be valid.
type canonicalReader struct{ rest []byte }

// next skips white space and returns the byte that follows, which stays.
func (r *canonicalReader) next() byte {
	for i, c := range r.rest {
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			r.rest = r.rest[i:]
			return c
		}
	}
	panic("service: valid JSON does not end there")
}

// take returns the first n bytes that are left.
func (r *canonicalReader) take(n int) []byte {
	taken := r.rest[:n:n]
	r.rest = r.rest[n:]
	return taken
}

// members reads an object.
func (r *canonicalReader) members() (members, error) {
	read := make(members, 0, 16)
	for r.take(1); r.next() != '}'; {
		if r.next() == ',' {
			r.take(1)
			r.next()
		}
		name := r.text()
		r.next()
		r.take(1) // the colon
		value, err := r.value()
		if err != nil {
			return nil, err
		}
		read = append(read, member{name, value})
	}
	r.take(1)
	slices.SortFunc(read, func(a, b member) int { return bytes.Compare(a.name, b.name) })
	for i := 1; i < len(read); i++ {
		if bytes.Equal(read[i].name, read[i-1].name) {
			return nil, fmt.Errorf("it has the member %q twice", read[i].name)
		}
	}
	return read, nil
}

// value reads a value and returns its canonical form: where it is written in that form,
// the very bytes.
func (r *canonicalReader) value() ([]byte, error) {
	switch r.next() {
	case '{':
		read, err := r.members()
		if err != nil {
			return nil, err
		}
		return read.appendTo(nil), nil
	case '[':
		return r.elements()
	case '"':
		quoted := r.quoted()
		if isPlain(quoted) {
			return quoted, nil
		}
		return appendCanonicalText(nil, unquoted(quoted)), nil
	}
	end := bytes.IndexAny(r.rest, ",]} \t\r\n")
	if end < 0 {
		end = len(r.rest)
	}
	return r.take(end), nil
}

// elements reads an array.
func (r *canonicalReader) elements() ([]byte, error) {
	array := []byte{'['}
	for r.take(1); r.next() != ']'; {
		if r.next() == ',' {
			array = append(array, r.take(1)...)
		}
		value, err := r.value()
		if err != nil {
			return nil, err
		}
		array = append(array, value...)
	}
	return append(array, r.take(1)...), nil
}

// text reads a string.
func (r *canonicalReader) text() []byte { return unquoted(r.quoted()) }

// quoted reads a string and returns it as it is written.
func (r *canonicalReader) quoted() []byte {
	end := 1
	for ; r.rest[end] != '"'; end++ {
		if r.rest[end] == '\\' {
			end++
		}
	}
	return r.take(end + 1)
}

// isPlain reports whether a quoted string holds nothing but its characters.
func isPlain(quoted []byte) bool { return bytes.IndexByte(quoted, '\\') < 0 && utf8.Valid(quoted) }

// unquoted returns the text of a quoted string.
func unquoted(quoted []byte) []byte {
	if isPlain(quoted) {
		return quoted[1 : len(quoted)-1]
	}
	var s string
	if err := json.Unmarshal(quoted, &s); err != nil {
		panic("service: a string of valid JSON can be read: " + err.Error())
	}
	return []byte(s)
}

// appendCanonicalText writes a text with the escapes of RFC 8785, section 3.2.2.2.
func appendCanonicalText(b, text []byte) []byte {
	b = append(b, '"')
	for _, c := range text {
		if c >= ' ' && c != '"' && c != '\\' {
			b = append(b, c)
			continue
		}
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, `\b`...)
		case '\t':
			b = append(b, `\t`...)
		case '\n':
			b = append(b, `\n`...)
		case '\f':
			b = append(b, `\f`...)
		case '\r':
			b = append(b, `\r`...)
		default:
			b = fmt.Appendf(b, `\u%04x`, c)
		}
	}
	return append(b, '"')
}
