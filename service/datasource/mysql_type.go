// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"bytes"
	"database/sql/driver"
	"strconv"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// mysqlClass says how the driver gives the values of a type.
type mysqlClass uint8

const (
	// mysqlOther is what converts to STRING only: DATE and TIME, as text.
	mysqlOther mysqlClass = iota
	// mysqlInteger is an int64, or the digits of what is larger than that.
	mysqlInteger
	// mysqlDecimal is the digits of an exact number.
	mysqlDecimal
	// mysqlReal is a float32 or a float64.
	mysqlReal
	// mysqlText is text in UTF-8.
	mysqlText
	// mysqlBytes is what is no text.
	mysqlBytes
	// mysqlBit is a whole number in bytes, the most significant first.
	mysqlBit
	// mysqlTime is a date with a time, as text.
	mysqlTime
	// mysqlNull is the type of NULL, which has no other value.
	mysqlNull
)

var mysqlClasses = map[string]mysqlClass{
	"TINYINT": mysqlInteger, "UNSIGNED TINYINT": mysqlInteger,
	"SMALLINT": mysqlInteger, "UNSIGNED SMALLINT": mysqlInteger,
	"MEDIUMINT": mysqlInteger, "UNSIGNED MEDIUMINT": mysqlInteger,
	"INT": mysqlInteger, "UNSIGNED INT": mysqlInteger,
	"BIGINT": mysqlInteger, "UNSIGNED BIGINT": mysqlInteger,
	"YEAR":    mysqlInteger,
	"DECIMAL": mysqlDecimal,
	"FLOAT":   mysqlReal, "DOUBLE": mysqlReal,
	"CHAR": mysqlText, "VARCHAR": mysqlText, "ENUM": mysqlText, "SET": mysqlText, "JSON": mysqlText,
	"TINYTEXT": mysqlText, "TEXT": mysqlText, "MEDIUMTEXT": mysqlText, "LONGTEXT": mysqlText,
	"BINARY": mysqlBytes, "VARBINARY": mysqlBytes, "GEOMETRY": mysqlBytes, "VECTOR": mysqlBytes,
	"TINYBLOB": mysqlBytes, "BLOB": mysqlBytes, "MEDIUMBLOB": mysqlBytes, "LONGBLOB": mysqlBytes,
	"BIT":      mysqlBit,
	"DATETIME": mysqlTime, "TIMESTAMP": mysqlTime,
	"DATE": mysqlOther, "TIME": mysqlOther,
	"NULL": mysqlNull,
}

// mysqlEncoder appends a value of the driver, which is not nil, as JSON.
type mysqlEncoder func(dst []byte, value driver.Value) ([]byte, bool)

// neverConverts is the encoder of a column whose values, but for NULL, do not convert.
func neverConverts(dst []byte, _ driver.Value) ([]byte, bool) { return dst, false }

// mysqlEncoderOf returns how a column of the type, in the driver's words, is answered
// as the declared type; nil where it never converts.
func mysqlEncoderOf(declared service.ParameterType, typeName string) mysqlEncoder {
	class := mysqlClasses[typeName]
	if class == mysqlNull {
		return neverConverts
	}
	if element, list := declared.Element(); list {
		if class != mysqlText {
			return nil
		}
		return func(dst []byte, value driver.Value) ([]byte, bool) {
			text, ok := value.([]byte)
			if !ok {
				return dst, false
			}
			return appendJSONList(dst, text, element)
		}
	}
	switch class {
	case mysqlInteger:
		return func(dst []byte, value driver.Value) ([]byte, bool) { return appendMySQLInteger(dst, value, declared) }
	case mysqlDecimal:
		return func(dst []byte, value driver.Value) ([]byte, bool) {
			text, ok := value.([]byte)
			if !ok {
				return dst, false
			}
			return appendText(dst, plainDigits(text), declared)
		}
	case mysqlReal:
		return func(dst []byte, value driver.Value) ([]byte, bool) { return appendMySQLReal(dst, value, declared) }
	case mysqlText:
		return func(dst []byte, value driver.Value) ([]byte, bool) {
			text, ok := value.([]byte)
			if !ok {
				return dst, false
			}
			return appendText(dst, text, declared)
		}
	case mysqlBit:
		return func(dst []byte, value driver.Value) ([]byte, bool) { return appendMySQLBit(dst, value, declared) }
	}
	if declared != service.TypeString {
		return nil
	}
	switch class {
	case mysqlBytes:
		return func(dst []byte, value driver.Value) ([]byte, bool) {
			data, ok := value.([]byte)
			if !ok {
				return dst, false
			}
			return appendBase64(dst, data), true
		}
	case mysqlTime:
		return func(dst []byte, value driver.Value) ([]byte, bool) {
			text, ok := value.([]byte)
			if !ok {
				return dst, false
			}
			return appendMySQLTime(dst, text), true
		}
	default:
		return func(dst []byte, value driver.Value) ([]byte, bool) {
			text, ok := value.([]byte)
			if !ok {
				return dst, false
			}
			return appendString(dst, text), true
		}
	}
}

func appendMySQLInteger(dst []byte, value driver.Value, t service.ParameterType) ([]byte, bool) {
	switch v := value.(type) {
	case int64:
		if t == service.TypeString {
			return append(strconv.AppendInt(append(dst, '"'), v, 10), '"'), true
		}
		return appendInteger(dst, v, t)
	case []byte:
		return appendText(dst, v, t)
	}
	return dst, false
}

func appendMySQLBit(dst []byte, value driver.Value, t service.ParameterType) ([]byte, bool) {
	data, ok := value.([]byte)
	if !ok || len(data) > 8 {
		return dst, false
	}
	var n uint64
	for _, b := range data {
		n = n<<8 | uint64(b)
	}
	var digits [20]byte
	return appendText(dst, strconv.AppendUint(digits[:0], n, 10), t)
}

func appendMySQLReal(dst []byte, value driver.Value, t service.ParameterType) ([]byte, bool) {
	var f float64
	bits := 64
	switch v := value.(type) {
	case float32:
		f, bits = float64(v), 32
	case float64:
		f = v
	default:
		return dst, false
	}
	switch t {
	case service.TypeString:
		return append(formatFloat(append(dst, '"'), f, bits), '"'), true
	case service.TypeFloat, service.TypeDouble:
		return formatFloat(dst, f, bits), true
	default:
		return appendReal(dst, f, t)
	}
}

// plainDigits drops the zeros that a ZEROFILL column has in front, which JSON does
// not take.
func plainDigits(text []byte) []byte {
	for len(text) > 1 && text[0] == '0' && text[1] != '.' {
		text = text[1:]
	}
	return text
}

// appendMySQLTime appends "2024-05-06 07:08:09.123" as RFC 3339 in UTC, which is the
// session's time zone. What no calendar has (a month or a day of 00) stays as it is.
func appendMySQLTime(dst, text []byte) []byte {
	const day = len("2024-05-06")
	if len(text) <= day || text[day] != ' ' || bytes.Contains(text[4:day], []byte("-00")) {
		return appendString(dst, text)
	}
	dst = append(dst, '"')
	dst = append(dst, text[:day]...)
	dst = append(dst, 'T')
	dst = append(dst, text[day+1:]...)
	return append(dst, 'Z', '"')
}

// mysqlTypeName is the type as people write it.
func mysqlTypeName(typeName string) string {
	if plain, unsigned := strings.CutPrefix(typeName, "UNSIGNED "); unsigned {
		return plain + " UNSIGNED"
	}
	return typeName
}

// mysqlValue returns what the driver binds for a value of the type.
func mysqlValue(value any, t service.ParameterType) (driver.Value, bool) {
	switch v := value.(type) {
	case nil, string, int64:
		return value, true
	case bool:
		if v {
			return int64(1), true
		}
		return int64(0), true
	case float64:
		if t == service.TypeFloat {
			// 0.1 as a FLOAT is the number that people write as 0.1, not the float64
			// nearest to the float32.
			return widen(v), true
		}
		return value, true
	default:
		text, ok := appendListValue(nil, v, floatBits(t))
		return string(text), ok
	}
}
