// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ParameterType is the type of a request or response parameter.
// Source: dataworks-get-published-api, ParameterDataType.
type ParameterType string

// The twelve parameter types. INT has 32 bits, LONG 64; FLOAT and DOUBLE are IEEE 754.
const (
	TypeString      ParameterType = "STRING"
	TypeInt         ParameterType = "INT"
	TypeLong        ParameterType = "LONG"
	TypeFloat       ParameterType = "FLOAT"
	TypeDouble      ParameterType = "DOUBLE"
	TypeBoolean     ParameterType = "BOOLEAN"
	TypeStringList  ParameterType = "STRING_LIST"
	TypeIntList     ParameterType = "INT_LIST"
	TypeLongList    ParameterType = "LONG_LIST"
	TypeFloatList   ParameterType = "FLOAT_LIST"
	TypeDoubleList  ParameterType = "DOUBLE_LIST"
	TypeBooleanList ParameterType = "BOOLEAN_LIST"
)

// ParameterTypes lists every type, in the order of the source document's numbers 0 to 11.
var ParameterTypes = []ParameterType{
	TypeString, TypeInt, TypeLong, TypeFloat, TypeDouble, TypeBoolean,
	TypeStringList, TypeIntList, TypeLongList, TypeFloatList, TypeDoubleList, TypeBooleanList,
}

// MaxListElements bounds the elements of one list value.
const MaxListElements = 1000

// Element returns the type of a list's elements, and whether t is a list at all.
func (t ParameterType) Element() (ParameterType, bool) {
	e, ok := strings.CutSuffix(string(t), "_LIST")
	return ParameterType(e), ok
}

// RequestParameter is a parameter that a caller passes in the query string.
type RequestParameter struct {
	Type     ParameterType `json:"type"`
	Required bool          `json:"required,omitempty"`
	// Default is used where the caller passes nothing. Lists are written as in a call: "1,2,3".
	Default     *string `json:"default,omitempty"`
	Example     *string `json:"example,omitempty"`
	Description string  `json:"description,omitempty"`
}

// ResponseParameter is a column that is answered.
type ResponseParameter struct {
	Type        ParameterType `json:"type"`
	Example     *string       `json:"example,omitempty"`
	Description string        `json:"description,omitempty"`
}

// ReservedParameters are names that the gateway uses itself for paging.
var ReservedParameters = []string{"pageNum", "pageSize"}

// Parse reads a value as a caller writes it in a query string. The result is a
// string, int64, float64 or bool, or a slice of one of these for a list, which is
// written with commas ("1,2,3") or as a JSON array (`["a,b","c"]`).
// The error is a phrase that continues "The value …".
func (t ParameterType) Parse(text string) (any, error) {
	element, list := t.Element()
	if !list {
		return t.parseScalar(text)
	}
	texts, err := splitList(text)
	if err != nil {
		return nil, err
	}
	if len(texts) > MaxListElements {
		return nil, fmt.Errorf("has %d elements; %d is the most", len(texts), MaxListElements)
	}
	switch element {
	case TypeInt, TypeLong:
		return parseList[int64](element, texts)
	case TypeFloat, TypeDouble:
		return parseList[float64](element, texts)
	case TypeBoolean:
		return parseList[bool](element, texts)
	default:
		return parseList[string](element, texts)
	}
}

func parseList[T any](element ParameterType, texts []string) ([]T, error) {
	values := make([]T, len(texts))
	for i, text := range texts {
		v, err := element.parseScalar(text)
		if err != nil {
			return nil, fmt.Errorf("at position %d %w", i+1, err)
		}
		values[i] = v.(T) //nolint:forcetypeassert // parseScalar returns T for this element type.
	}
	return values, nil
}

var (
	errNotInt     = errors.New("must be a whole number from -2147483648 to 2147483647")
	errNotLong    = errors.New("must be a whole number of 64 bits")
	errNotNumber  = errors.New("must be a number")
	errNotBoolean = errors.New(`must be "true" or "false"`)
	errNUL        = errors.New("must not contain the character U+0000")
	errNotArray   = errors.New("must be a list with commas or a JSON array")
)

func (t ParameterType) parseScalar(text string) (any, error) {
	switch t {
	case TypeInt:
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return nil, errNotInt
		}
		return n, nil
	case TypeLong:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, errNotLong
		}
		return n, nil
	case TypeFloat, TypeDouble:
		bits := 64
		if t == TypeFloat {
			bits = 32
		}
		f, err := strconv.ParseFloat(text, bits)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, errNotNumber
		}
		return f, nil
	case TypeBoolean:
		switch text {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
		return nil, errNotBoolean
	default:
		if strings.IndexByte(text, 0) >= 0 {
			return nil, errNUL
		}
		return text, nil
	}
}

// splitList returns the elements of a list as texts.
func splitList(text string) ([]string, error) {
	if !strings.HasPrefix(text, "[") {
		if text == "" {
			return nil, nil
		}
		return strings.Split(text, ","), nil
	}
	var raw []json.RawMessage
	if json.Unmarshal([]byte(text), &raw) != nil {
		return nil, errNotArray
	}
	texts := make([]string, len(raw))
	for i, r := range raw {
		if len(r) > 0 && r[0] == '"' {
			if err := json.Unmarshal(r, &texts[i]); err != nil {
				return nil, errNotArray
			}
			continue
		}
		texts[i] = string(r)
	}
	return texts, nil
}
