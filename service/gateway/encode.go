// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"math"
	"strconv"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// appendText appends a value as a caller writes it in a query string, before any
// percent-encoding: a list with commas, or as a JSON array where commas would not do.
func appendText(dst []byte, kind service.ParameterType, value any) []byte {
	switch v := value.(type) {
	case string:
		return append(dst, v...)
	case []string:
		if needsArray(v) {
			return appendJSON(dst, kind, value)
		}
		return append(dst, strings.Join(v, ",")...)
	case []int64:
		return appendElements(dst, kind, v)
	case []float64:
		return appendElements(dst, kind, v)
	case []bool:
		return appendElements(dst, kind, v)
	}
	return appendJSON(dst, kind, value)
}

// needsArray reports whether the texts, joined by commas, would be read as other ones.
func needsArray(texts []string) bool {
	if len(texts) == 1 && texts[0] == "" || len(texts) > 0 && strings.HasPrefix(texts[0], "[") {
		return true
	}
	for _, text := range texts {
		if strings.IndexByte(text, ',') >= 0 {
			return true
		}
	}
	return false
}

// appendJSON appends a value of what service.ParameterType.Parse returns as JSON.
func appendJSON(dst []byte, kind service.ParameterType, value any) []byte {
	switch v := value.(type) {
	case string:
		return appendJSONString(dst, v)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case bool:
		return strconv.AppendBool(dst, v)
	case float64:
		return appendJSONFloat(dst, kind, v)
	case []string:
		return append(appendElements(append(dst, '['), kind, v), ']')
	case []int64:
		return append(appendElements(append(dst, '['), kind, v), ']')
	case []float64:
		return append(appendElements(append(dst, '['), kind, v), ']')
	case []bool:
		return append(appendElements(append(dst, '['), kind, v), ']')
	}
	return append(dst, "null"...)
}

func appendElements[T any](dst []byte, kind service.ParameterType, values []T) []byte {
	element, _ := kind.Element()
	for i, v := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendJSON(dst, element, v)
	}
	return dst
}

// appendJSONFloat appends the shortest number that reads as the same.
func appendJSONFloat(dst []byte, kind service.ParameterType, f float64) []byte {
	bits := 64
	if kind == service.TypeFloat {
		bits = 32
	}
	format := byte('f')
	if size := math.Abs(f); size != 0 && (size < 1e-6 || size >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, f, format, -1, bits)
}

// appendJSONString appends valid UTF-8 as a JSON string.
func appendJSONString(dst []byte, text string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := range len(text) {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, text[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		default:
			dst = append(dst, '\\', 'u', '0', '0', upperHex[c>>4], upperHex[c&15])
		}
	}
	return append(append(dst, text[start:]...), '"')
}

const upperHex = "0123456789ABCDEF"
