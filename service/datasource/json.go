// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Every append function here returns false, with dst in an undefined state behind
// its old length, where the value does not convert.

const hexDigits = "0123456789abcdef"

// plain has the bytes that stand for themselves in a JSON string.
var plain = func() (table [256]bool) {
	for c := 0x20; c < 0x80; c++ {
		table[c] = c != '"' && c != '\\'
	}
	return table
}()

// appendString appends text as a JSON string. What is not UTF-8 becomes U+FFFD.
func appendString(dst, text []byte) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(text); {
		c := text[i]
		if plain[c] {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			if r, n := utf8.DecodeRune(text[i:]); r != utf8.RuneError || n > 1 {
				i += n
				continue
			}
			dst = append(dst, text[from:i]...)
			dst = append(dst, "\ufffd"...)
			i++
			from = i
			continue
		}
		dst = append(dst, text[from:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		from = i
	}
	dst = append(dst, text[from:]...)
	return append(dst, '"')
}

// appendQuoted appends text that needs no escapes as a JSON string.
func appendQuoted(dst, text []byte) []byte {
	dst = append(dst, '"')
	dst = append(dst, text...)
	return append(dst, '"')
}

// appendBase64 appends bytes as a JSON string in Base64.
func appendBase64(dst, data []byte) []byte {
	dst = append(dst, '"')
	dst = base64.StdEncoding.AppendEncode(dst, data)
	return append(dst, '"')
}

// appendFloat appends a number in the shortest form that reads back as the same
// float64, just as encoding/json does.
func appendFloat(dst []byte, f float64) ([]byte, bool) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return dst, false
	}
	return formatFloat(dst, f, 64), true
}

// formatFloat writes a float as JSON and SQL read it: without an exponent wherever
// a person would write none, so that 1000000 is still a whole number to the reader.
func formatFloat(dst []byte, f float64, bits int) []byte {
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, f, format, -1, bits)
}

// appendInt appends text that is a whole number of so many bits: digits, maybe with
// a sign and a fraction of zeros.
func appendInt(dst, text []byte, bits int) ([]byte, bool) {
	digits := text
	negative := len(digits) > 0 && digits[0] == '-'
	if negative {
		digits = digits[1:]
	}
	if i := bytes.IndexByte(digits, '.'); i >= 0 {
		for _, c := range digits[i+1:] {
			if c != '0' {
				return dst, false
			}
		}
		digits = digits[:i]
	}
	if len(digits) == 0 {
		return dst, false
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return dst, false
		}
	}
	for len(digits) > 1 && digits[0] == '0' {
		digits = digits[1:]
	}
	if len(digits) > 18 || bits == 32 && len(digits) > 9 {
		n, err := strconv.ParseUint(string(digits), 10, 64)
		most := uint64(1)<<(bits-1) - 1
		if negative {
			most++
		}
		if err != nil || n > most {
			return dst, false
		}
	}
	if negative && digits[0] != '0' {
		dst = append(dst, '-')
	}
	return append(dst, digits...), true
}

// appendNumber appends text that is a JSON number as it is.
func appendNumber(dst, text []byte) ([]byte, bool) {
	i := 0
	digits := func() bool {
		from := i
		for i < len(text) && text[i] >= '0' && text[i] <= '9' {
			i++
		}
		return i > from
	}
	if i < len(text) && text[i] == '-' {
		i++
	}
	switch {
	case i < len(text) && text[i] == '0':
		i++
	case !digits():
		return dst, false
	}
	if i < len(text) && text[i] == '.' {
		i++
		if !digits() {
			return dst, false
		}
	}
	if i < len(text) && (text[i] == 'e' || text[i] == 'E') {
		i++
		if i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		if !digits() {
			return dst, false
		}
	}
	if i != len(text) {
		return dst, false
	}
	return append(dst, text...), true
}

// appendBool appends text that is a truth value in one of its usual forms.
func appendBool(dst, text []byte) ([]byte, bool) {
	switch string(text) {
	case "t", "true", "1":
		return append(dst, "true"...), true
	case "f", "false", "0":
		return append(dst, "false"...), true
	}
	return dst, false
}

// appendText appends text as a value of the declared type, which is no list.
func appendText(dst, text []byte, t service.ParameterType) ([]byte, bool) {
	switch t {
	case service.TypeInt:
		return appendInt(dst, text, 32)
	case service.TypeLong:
		return appendInt(dst, text, 64)
	case service.TypeFloat, service.TypeDouble:
		return appendNumber(dst, text)
	case service.TypeBoolean:
		return appendBool(dst, text)
	default:
		return appendString(dst, text), true
	}
}

// appendJSONList appends text that is a JSON array as a list of the element type.
func appendJSONList(dst, text []byte, element service.ParameterType) ([]byte, bool) {
	text = bytes.TrimSpace(text)
	if len(text) == 0 || text[0] != '[' {
		return dst, false
	}
	var raw []json.RawMessage
	if json.Unmarshal(text, &raw) != nil {
		return dst, false
	}
	dst = append(dst, '[')
	for i, r := range raw {
		if i > 0 {
			dst = append(dst, ',')
		}
		var ok bool
		switch {
		case r[0] == '[' || r[0] == '{':
			return dst, false
		case string(r) == "null":
			dst = append(dst, r...)
			continue
		case r[0] == '"':
			var s string
			if json.Unmarshal(r, &s) != nil {
				return dst, false
			}
			dst, ok = appendText(dst, []byte(s), element)
		default:
			dst, ok = appendText(dst, r, element)
		}
		if !ok {
			return dst, false
		}
	}
	return append(dst, ']'), true
}

// appendListValue appends a list parameter's value as a JSON array.
func appendListValue(dst []byte, value any, bits int) ([]byte, bool) {
	dst = append(dst, '[')
	switch list := value.(type) {
	case []string:
		for i, s := range list {
			dst = appendString(comma(dst, i), []byte(s))
		}
	case []int64:
		for i, n := range list {
			dst = strconv.AppendInt(comma(dst, i), n, 10)
		}
	case []float64:
		for i, f := range list {
			dst = formatFloat(comma(dst, i), f, bits)
		}
	case []bool:
		for i, b := range list {
			dst = strconv.AppendBool(comma(dst, i), b)
		}
	default:
		return dst, false
	}
	return append(dst, ']'), true
}

func comma(dst []byte, i int) []byte {
	if i > 0 {
		return append(dst, ',')
	}
	return dst
}

// floatBits returns the precision in which values of the type were read.
func floatBits(t service.ParameterType) int {
	if t == service.TypeFloat || t == service.TypeFloatList {
		return 32
	}
	return 64
}
