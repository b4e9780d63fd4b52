// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package datasource

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// The messages of the extended query protocol that a call sends, written into one
// buffer. Formats are all text, portals all unnamed.

// beginMessage starts a message; endMessage fills in its length.
func beginMessage(out []byte, kind byte) ([]byte, int) {
	out = append(out, kind, 0, 0, 0, 0)
	return out, len(out) - 4
}

func endMessage(out []byte, at int) []byte {
	binary.BigEndian.PutUint32(out[at:], uint32(len(out)-at))
	return out
}

func appendCString(out []byte, s string) []byte {
	return append(append(out, s...), 0)
}

// appendParse prepares a statement; the unnamed one lasts until the next.
func appendParse(out []byte, name, sql string) []byte {
	out, at := beginMessage(out, 'P')
	out = appendCString(appendCString(out, name), sql)
	return endMessage(append(out, 0, 0), at)
}

// appendDescribe asks for the description of a prepared statement.
func appendDescribe(out []byte, name string) []byte {
	out, at := beginMessage(out, 'D')
	return endMessage(appendCString(append(out, 'S'), name), at)
}

// appendClose forgets a prepared statement.
func appendClose(out []byte, name string) []byte {
	out, at := beginMessage(out, 'C')
	return endMessage(appendCString(append(out, 'S'), name), at)
}

// appendClosePortal closes the unnamed portal.
func appendClosePortal(out []byte) []byte { return append(out, 'C', 0, 0, 0, 6, 'P', 0) }

// beginBind starts the message that binds n values, which follow; endBind ends it
// and executes the statement.
func beginBind(out []byte, name string, n int) ([]byte, int) {
	out, at := beginMessage(out, 'B')
	out = appendCString(append(out, 0), name)
	out = append(out, 0, 0)
	return binary.BigEndian.AppendUint16(out, uint16(n)), at
}

func endBind(out []byte, at int) []byte {
	out = endMessage(append(out, 0, 0), at)
	return append(out, 'E', 0, 0, 0, 9, 0, 0, 0, 0, 0)
}

func appendSync(out []byte) []byte { return append(out, 'S', 0, 0, 0, 4) }

// appendFunctionCall calls a function by its OID, with values as text and an answer as text.
func appendFunctionCall(out []byte, oid uint32, args ...string) []byte {
	out, at := beginMessage(out, 'F')
	out = binary.BigEndian.AppendUint32(out, oid)
	out = append(out, 0, 0)
	out = binary.BigEndian.AppendUint16(out, uint16(len(args)))
	for _, arg := range args {
		out = append(binary.BigEndian.AppendUint32(out, uint32(len(arg))), arg...)
	}
	return endMessage(append(out, 0, 0), at)
}

// frameOf prepares statements without values as the unnamed one, and executes them.
func frameOf(statements ...string) []byte {
	var out []byte
	for _, sql := range statements {
		var at int
		out, at = beginBind(appendParse(out, "", sql), "", 0)
		out = endBind(out, at)
	}
	return out
}

// appendParameter appends a value with its length, as text.
func appendParameter(out []byte, value any, t service.ParameterType) ([]byte, error) {
	if value == nil {
		return append(out, 0xff, 0xff, 0xff, 0xff), nil
	}
	at := len(out)
	out = append(out, 0, 0, 0, 0)
	switch v := value.(type) {
	case string:
		out = append(out, v...)
	case int64:
		out = strconv.AppendInt(out, v, 10)
	case float64:
		out = formatFloat(out, v, floatBits(t))
	case bool:
		out = strconv.AppendBool(out, v)
	default:
		var ok bool
		if out, ok = appendArrayLiteral(out, v, floatBits(t)); !ok {
			return out[:at], fmt.Errorf("a %T is no value of type %s", value, t)
		}
	}
	binary.BigEndian.PutUint32(out[at:], uint32(len(out)-at-4))
	return out, nil
}

// appendArrayLiteral appends a list as PostgreSQL reads an array: {1,2} or {"a","b"}.
func appendArrayLiteral(out []byte, value any, bits int) ([]byte, bool) {
	out = append(out, '{')
	switch list := value.(type) {
	case []string:
		for i, s := range list {
			out = append(comma(out, i), '"')
			for k := range len(s) {
				if s[k] == '"' || s[k] == '\\' {
					out = append(out, '\\')
				}
				out = append(out, s[k])
			}
			out = append(out, '"')
		}
	case []int64:
		for i, n := range list {
			out = strconv.AppendInt(comma(out, i), n, 10)
		}
	case []float64:
		for i, f := range list {
			out = formatFloat(comma(out, i), f, bits)
		}
	case []bool:
		for i, b := range list {
			out = strconv.AppendBool(comma(out, i), b)
		}
	default:
		return out, false
	}
	return append(out, '}'), true
}

// appendIntParameter appends an integer with its length, as text.
func appendIntParameter(out []byte, n int64) []byte {
	at := len(out)
	out = strconv.AppendInt(append(out, 0, 0, 0, 0), n, 10)
	binary.BigEndian.PutUint32(out[at:], uint32(len(out)-at-4))
	return out
}
