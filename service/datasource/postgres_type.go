// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"bytes"
	"encoding/hex"
	"fmt"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// class says how a type of PostgreSQL writes its values as text.
type class uint8

const (
	// classText is text, and every type that is not known: it converts to what its text is.
	classText class = iota
	classInteger
	// classNumber may have a fraction, an exponent, or be NaN or infinite.
	classNumber
	classBoolean
	classTimestamp
	classTimestampTZ
	classBytes
	// classJSON is json and jsonb.
	classJSON
	// classOther is none of these: it converts to STRING only.
	classOther
)

// pgType is what is known of one of the server's own types.
type pgType struct {
	name  string
	class class
	// array is the type's array; 0 where it is of no interest.
	array uint32
}

var pgTypes = map[uint32]pgType{
	pgtype.BoolOID:        {"boolean", classBoolean, pgtype.BoolArrayOID},
	pgtype.ByteaOID:       {"bytea", classBytes, pgtype.ByteaArrayOID},
	pgtype.Int8OID:        {"bigint", classInteger, pgtype.Int8ArrayOID},
	pgtype.Int2OID:        {"smallint", classInteger, pgtype.Int2ArrayOID},
	pgtype.Int4OID:        {"integer", classInteger, pgtype.Int4ArrayOID},
	pgtype.OIDOID:         {"oid", classInteger, pgtype.OIDArrayOID},
	pgtype.Float4OID:      {"real", classNumber, pgtype.Float4ArrayOID},
	pgtype.Float8OID:      {"double precision", classNumber, pgtype.Float8ArrayOID},
	pgtype.NumericOID:     {"numeric", classNumber, pgtype.NumericArrayOID},
	pgtype.TextOID:        {"text", classText, pgtype.TextArrayOID},
	pgtype.VarcharOID:     {"character varying", classText, pgtype.VarcharArrayOID},
	pgtype.BPCharOID:      {"character", classText, pgtype.BPCharArrayOID},
	pgtype.NameOID:        {"name", classText, pgtype.NameArrayOID},
	pgtype.UnknownOID:     {"unknown", classText, 0},
	pgtype.JSONOID:        {"json", classJSON, pgtype.JSONArrayOID},
	pgtype.JSONBOID:       {"jsonb", classJSON, pgtype.JSONBArrayOID},
	pgtype.TimestampOID:   {"timestamp", classTimestamp, pgtype.TimestampArrayOID},
	pgtype.TimestamptzOID: {"timestamp with time zone", classTimestampTZ, pgtype.TimestamptzArrayOID},
	pgtype.DateOID:        {"date", classOther, pgtype.DateArrayOID},
	pgtype.TimeOID:        {"time", classOther, pgtype.TimeArrayOID},
	pgtype.TimetzOID:      {"time with time zone", classOther, pgtype.TimetzArrayOID},
	pgtype.IntervalOID:    {"interval", classOther, pgtype.IntervalArrayOID},
	pgtype.UUIDOID:        {"uuid", classOther, pgtype.UUIDArrayOID},
	pgtype.InetOID:        {"inet", classOther, pgtype.InetArrayOID},
	pgtype.CIDROID:        {"cidr", classOther, pgtype.CIDRArrayOID},
	pgtype.MacaddrOID:     {"macaddr", classOther, pgtype.MacaddrArrayOID},
	pgtype.PointOID:       {"point", classOther, 0},
	pgtype.RecordOID:      {"record", classOther, 0},
	pgtype.BitOID:         {"bit", classOther, pgtype.BitArrayOID},
	pgtype.VarbitOID:      {"bit varying", classOther, pgtype.VarbitArrayOID},
	// A multirange has braces and commas as an array has, and is none.
	pgtype.Int4multirangeOID: {"int4multirange", classOther, pgtype.Int4multirangeArrayOID},
	pgtype.Int8multirangeOID: {"int8multirange", classOther, pgtype.Int8multirangeArrayOID},
	pgtype.NummultirangeOID:  {"nummultirange", classOther, pgtype.NummultirangeArrayOID},
	pgtype.TsmultirangeOID:   {"tsmultirange", classOther, pgtype.TsmultirangeArrayOID},
	pgtype.TstzmultirangeOID: {"tstzmultirange", classOther, pgtype.TstzmultirangeArrayOID},
	pgtype.DatemultirangeOID: {"datemultirange", classOther, pgtype.DatemultirangeArrayOID},
}

// pgArrays has the element type of each known array type.
var pgArrays = func() map[uint32]uint32 {
	arrays := map[uint32]uint32{}
	for oid, t := range pgTypes {
		if t.array != 0 {
			arrays[t.array] = oid
		}
	}
	return arrays
}()

func typeName(oid uint32) string {
	if t, known := pgTypes[oid]; known {
		return t.name
	}
	if element, array := pgArrays[oid]; array {
		return pgTypes[element].name + "[]"
	}
	return fmt.Sprintf("a type of its own (oid %d)", oid)
}

// elementType is the type of an array's elements, and every other type itself.
func elementType(oid uint32) uint32 {
	if element, array := pgArrays[oid]; array {
		return element
	}
	return oid
}

// acceptsParameter reports whether the server takes values of the declared type as
// text where it inferred the type. What is not known is taken to work.
func acceptsParameter(declared service.ParameterType, oid uint32) bool {
	element, list := declared.Element()
	if list {
		inner, array := pgArrays[oid]
		if array {
			return acceptsParameter(element, inner)
		}
		t, known := pgTypes[oid]
		return !known || t.class == classText
	}
	t, known := pgTypes[oid]
	if !known {
		_, array := pgArrays[oid]
		return !array || declared == service.TypeString
	}
	switch declared {
	case service.TypeString:
		return true
	case service.TypeBoolean:
		return t.class == classBoolean || t.class == classText || t.class == classJSON
	default:
		return t.class == classInteger || t.class == classNumber || t.class == classText || t.class == classJSON
	}
}

// encoder appends a value, which the server wrote as text, as JSON.
type encoder func(dst, text []byte) ([]byte, bool)

// encoderOf returns how a column of the server's type is answered as the declared
// type; nil where it never converts.
func encoderOf(declared service.ParameterType, oid uint32) encoder {
	if element, list := declared.Element(); list {
		return listEncoder(element, oid)
	}
	t, known := pgTypes[oid]
	if !known {
		if _, array := pgArrays[oid]; array {
			t.class = classOther
		}
	}
	switch declared {
	case service.TypeString:
		return stringEncoder(t.class)
	case service.TypeInt, service.TypeLong:
		bits := 64
		if declared == service.TypeInt {
			bits = 32
		}
		switch t.class {
		case classInteger:
			if bits == 64 || oid == pgtype.Int4OID || oid == pgtype.Int2OID {
				return func(dst, text []byte) ([]byte, bool) { return append(dst, text...), true }
			}
			fallthrough
		case classNumber, classText, classJSON:
			return func(dst, text []byte) ([]byte, bool) { return appendInt(dst, text, bits) }
		}
	case service.TypeFloat, service.TypeDouble:
		switch t.class {
		case classInteger:
			return func(dst, text []byte) ([]byte, bool) { return append(dst, text...), true }
		case classNumber, classText, classJSON:
			return appendNumber
		}
	case service.TypeBoolean:
		switch t.class {
		case classBoolean, classInteger, classNumber, classText, classJSON:
			return appendBool
		}
	}
	return nil
}

func stringEncoder(c class) encoder {
	switch c {
	case classInteger, classNumber:
		return func(dst, text []byte) ([]byte, bool) { return appendQuoted(dst, text), true }
	case classBoolean:
		return func(dst, text []byte) ([]byte, bool) {
			if string(text) == "t" {
				return append(dst, `"true"`...), true
			}
			return append(dst, `"false"`...), true
		}
	case classTimestamp:
		return func(dst, text []byte) ([]byte, bool) { return appendTimestamp(dst, text, true), true }
	case classTimestampTZ:
		return func(dst, text []byte) ([]byte, bool) { return appendTimestamp(dst, text, false), true }
	case classBytes:
		return appendBytea
	default:
		return func(dst, text []byte) ([]byte, bool) { return appendString(dst, text), true }
	}
}

// appendTimestamp appends a time in ISO style, "2024-05-06 07:08:09.123+00", as
// RFC 3339. What is no such time (infinity, before Christ) stays as it is.
func appendTimestamp(dst, text []byte, utc bool) []byte {
	const length = len("2024-05-06 07:08:09")
	if len(text) < length || text[4] != '-' || text[10] != ' ' || text[len(text)-1] == 'C' {
		return appendString(dst, text)
	}
	dst = append(dst, '"')
	dst = append(dst, text[:10]...)
	dst = append(dst, 'T')
	zone := bytes.LastIndexAny(text[length:], "+-")
	switch {
	case utc || zone < 0:
		dst = append(dst, text[11:]...)
		dst = append(dst, 'Z')
	case string(text[length+zone:]) == "+00":
		dst = append(dst, text[11:length+zone]...)
		dst = append(dst, 'Z')
	default:
		// The script set another time zone for itself.
		dst = append(dst, text[11:]...)
		if len(text)-length-zone == len("+05") {
			dst = append(dst, ":00"...)
		}
	}
	return append(dst, '"')
}

// appendBytea appends bytes in PostgreSQL's hex form as Base64.
func appendBytea(dst, text []byte) ([]byte, bool) {
	if len(text) < 2 || text[0] != '\\' || text[1] != 'x' {
		return dst, false
	}
	data := make([]byte, hex.DecodedLen(len(text)-2))
	if _, err := hex.Decode(data, text[2:]); err != nil {
		return dst, false
	}
	return appendBase64(dst, data), true
}

func listEncoder(element service.ParameterType, oid uint32) encoder {
	if inner, array := pgArrays[oid]; array {
		encode := encoderOf(element, inner)
		if encode == nil {
			return nil
		}
		return func(dst, text []byte) ([]byte, bool) { return appendArray(dst, text, encode) }
	}
	t, known := pgTypes[oid]
	switch {
	case !known:
		// An array of a type of its own, such as an enumeration, or a domain's.
		encode := encoderOf(element, pgtype.TextOID)
		return func(dst, text []byte) ([]byte, bool) {
			if len(text) > 0 && text[0] == '{' {
				return appendArray(dst, text, encode)
			}
			return appendJSONList(dst, text, element)
		}
	case t.class == classText || t.class == classJSON:
		return func(dst, text []byte) ([]byte, bool) { return appendJSONList(dst, text, element) }
	default:
		return nil
	}
}

// appendArray appends a one-dimensional array in PostgreSQL's text form, {1,NULL,"a b"}.
func appendArray(dst, text []byte, encode encoder) ([]byte, bool) {
	if len(text) > 0 && text[0] == '[' {
		// Bounds that do not start at 1: [0:2]={1,2,3}
		i := bytes.IndexByte(text, '=')
		if i < 0 {
			return dst, false
		}
		text = text[i+1:]
	}
	if len(text) < 2 || text[0] != '{' || text[len(text)-1] != '}' {
		return dst, false
	}
	text = text[1 : len(text)-1]
	dst = append(dst, '[')
	var unescaped []byte
	for n := 0; len(text) > 0; n++ {
		if n > 0 {
			if text[0] != ',' {
				return dst, false
			}
			text = text[1:]
		}
		dst = comma(dst, n)
		var value []byte
		quoted := len(text) > 0 && text[0] == '"'
		switch {
		case quoted:
			unescaped = unescaped[:0]
			i := 1
			for ; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					if i++; i == len(text) {
						return dst, false
					}
				}
				unescaped = append(unescaped, text[i])
			}
			if i == len(text) {
				return dst, false
			}
			value, text = unescaped, text[i+1:]
		default:
			i := bytes.IndexByte(text, ',')
			if i < 0 {
				i = len(text)
			}
			value, text = text[:i], text[i:]
			if len(value) == 0 || value[0] == '{' {
				return dst, false
			}
		}
		if !quoted && string(value) == "NULL" {
			dst = append(dst, "null"...)
			continue
		}
		var ok bool
		if dst, ok = encode(dst, value); !ok {
			return dst, false
		}
	}
	return append(dst, ']'), true
}
