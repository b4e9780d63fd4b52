// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
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

// Position is where a caller passes a parameter.
// Source: dataworks-get-published-api, ParameterPosition.
type Position string

// The positions.
const (
	// PositionPath is for registered APIs: the parameter fills the placeholder [name] in
	// the backend's path. As the path of an API itself has no placeholders, the caller
	// passes it in the query string.
	PositionPath   Position = "PATH"
	PositionQuery  Position = "QUERY"
	PositionHeader Position = "HEADER"
	PositionBody   Position = "BODY"
)

// Positions lists every position, in the order of the source document's numbers 0 to 3.
var Positions = []Position{PositionPath, PositionQuery, PositionHeader, PositionBody}

// positionsOf returns where an API's parameters can be. Source:
// dataworks-get-published-api, ParameterPosition; PATH is left to registered APIs,
// whose backends have placeholders.
func positionsOf(mode Mode, method Method) []Position {
	switch {
	case mode != ModeRegistration:
		return []Position{PositionQuery}
	case method.HasBody():
		return Positions
	default:
		return []Position{PositionPath, PositionQuery, PositionHeader}
	}
}

// Operator is what is done with the value of a parameter.
// Source: dataworks-get-published-api, ParameterOperator.
type Operator string

// The operators.
const (
	// OperatorEqual: the column equals the value; in scripts and for backends, the value itself.
	OperatorEqual Operator = "EQUAL"
	// OperatorLike: the column is like the value, in which % stands for any text and _ for any character.
	OperatorLike Operator = "LIKE"
	// OperatorConst: the backend gets the default, and callers cannot pass anything else.
	OperatorConst Operator = "CONST"
	// OperatorIn: the column is one of the list's elements.
	OperatorIn Operator = "IN"
)

// Operators lists every operator, in the order of the source document's numbers 0 to 3.
var Operators = []Operator{OperatorEqual, OperatorLike, OperatorConst, OperatorIn}

// operatorsOf returns the operators of a mode. Source: dataworks-get-published-api,
// ParameterOperator.
func operatorsOf(mode Mode) []Operator {
	switch mode {
	case ModeWizard:
		return []Operator{OperatorEqual, OperatorLike, OperatorIn}
	case ModeRegistration:
		return []Operator{OperatorEqual, OperatorConst}
	default:
		return []Operator{OperatorEqual}
	}
}

// RequestParameter is a parameter that a caller passes.
type RequestParameter struct {
	Type     ParameterType `json:"type"`
	Position Position      `json:"position,omitempty" enum:"PATH,QUERY,HEADER,BODY" doc:"QUERY where absent. WIZARD and SCRIPT: QUERY alone. REGISTRATION: PATH (fills [name] in the backend's path), QUERY, HEADER and, with POST and PUT, BODY."`
	Operator Operator      `json:"operator,omitempty" enum:"EQUAL,LIKE,CONST,IN" doc:"EQUAL where absent. WIZARD: EQUAL, LIKE or IN. SCRIPT: EQUAL. REGISTRATION: EQUAL or CONST."`
	Required bool          `json:"required,omitempty"`
	// Column is the column that a wizard API compares; "" means the one of the parameter's name.
	Column string `json:"column,omitempty" doc:"WIZARD: the column that it is compared with; absent: the one with the parameter's name."`
	// Default is used where the caller passes nothing. Lists are written as in a call: "1,2,3".
	Default     *string `json:"default,omitempty"`
	Example     *string `json:"example,omitempty"`
	Description string  `json:"description,omitempty"`
}

// ResponseParameter is a column that is answered.
type ResponseParameter struct {
	Type ParameterType `json:"type"`
	// Column is the column of a wizard API's table; "" means the one of the parameter's name.
	Column      string  `json:"column,omitempty" doc:"WIZARD: the column that is answered; absent: the one with the parameter's name."`
	Example     *string `json:"example,omitempty"`
	Description string  `json:"description,omitempty"`
}

// ColumnFor returns the column that a wizard API compares with its parameter of that name.
func (p RequestParameter) ColumnFor(name string) string { return cmp.Or(p.Column, name) }

// ColumnFor returns the column that a wizard API answers as its parameter of that name.
func (p ResponseParameter) ColumnFor(name string) string { return cmp.Or(p.Column, name) }

func (p RequestParameter) withDefaults() RequestParameter {
	if p.Position == "" {
		p.Position = PositionQuery
	}
	if p.Operator == "" {
		p.Operator = OperatorEqual
	}
	return p
}

func (p RequestParameter) validate(v *Invalid, name string, d Definition) {
	at := func(field string) string { return Pointer("request_parameters", name, field) }
	pattern, rule := parameterPattern, "use 1 to 64 letters, digits and underscores, not starting with a digit"
	if p.Position == PositionHeader {
		pattern, rule = headerPattern, "use 1 to 64 letters, digits, underscores and hyphens, as the name of a header"
	}
	if !pattern.MatchString(name) {
		v.Addf(Pointer("request_parameters", name), "%q is not a valid parameter name: %s.", name, rule)
	}
	if oneOf(name, ReservedParameters) && d.ReadsConnection() {
		v.Addf(Pointer("request_parameters", name), "%q is reserved for paging: choose another name.", name)
	}
	if p.Position == PositionHeader && !mayDeclareHeader(name) {
		v.Addf(Pointer("request_parameters", name), "The header %q belongs to the connection or to the gateway and is no parameter: choose another name.", name)
	}
	checkMaxLength(v, at("description"), "description", p.Description, MaxDescriptionLength)
	if positions := positionsOf(d.Mode, d.Method); !oneOf(p.Position, positions) {
		v.Addf(at("position"), "%q is not a position in a %s API with %s: use %s.", p.Position, lower(d.Mode), d.Method, quoted(positions))
	}
	if p.Position == PositionBody && d.RequestContentType == ContentXML {
		v.Addf(at("position"), "An XML body has no parameters: describe it in request_body_description, or set request_content_type to %s.", quoted([]ContentType{ContentJSON, ContentForm}))
	}
	if r := d.Registration; p.Position == PositionPath && r != nil && !oneOf(name, backendPlaceholders(r.Path)) {
		v.Addf(at("position"), "The backend's path has no placeholder [%s]: write it there, or pass the parameter in another position.", name)
	}
	switch {
	case p.Column != "" && d.Mode != ModeWizard:
		v.Addf(at("column"), "Only a parameter of a wizard API has a column: remove it.")
	case p.Column != "":
		checkIdentifier(v, at("column"), "column", p.Column)
	}
	if !oneOf(p.Type, ParameterTypes) {
		v.Addf(at("type"), "%q is not a parameter type: use %s.", p.Type, quoted(ParameterTypes))
		return
	}
	p.validateOperator(v, name, d.Mode)
	p.validateValues(v, name)
}

func (p RequestParameter) validateOperator(v *Invalid, name string, mode Mode) {
	at := Pointer("request_parameters", name, "operator")
	if operators := operatorsOf(mode); !oneOf(p.Operator, operators) {
		v.Addf(at, "%q is not an operator of a %s API: use %s.", p.Operator, lower(mode), quoted(operators))
		return
	}
	_, list := p.Type.Element()
	switch {
	case p.Operator == OperatorIn && !list:
		v.Addf(at, "IN looks for one of several values: give %s the type %s_LIST, or use EQUAL.", name, p.Type)
	case p.Operator == OperatorLike && p.Type != TypeString:
		v.Addf(at, "LIKE compares texts: give %s the type STRING, or use another operator.", name)
	case p.Operator == OperatorEqual && mode == ModeWizard && list:
		v.Addf(at, "A column does not equal a list: use IN for %s, or a type that is no list.", name)
	case p.Operator == OperatorConst && p.Default == nil:
		v.Addf(Pointer("request_parameters", name, "default"), "A constant needs its value: give %s a default.", name)
	}
}

func (p RequestParameter) validateValues(v *Invalid, name string) {
	for _, f := range []struct {
		field string
		value *string
	}{{"default", p.Default}, {"example", p.Example}} {
		if f.value == nil {
			continue
		}
		at := Pointer("request_parameters", name, f.field)
		if _, err := p.Type.Parse(*f.value); err != nil {
			v.Addf(at, "The %s %q of %s %s.", f.field, *f.value, name, err)
		} else if p.Position == PositionHeader && !FitsHeader(*f.value) {
			v.Addf(at, "The %s %q of %s has characters that a header cannot have.", f.field, *f.value, name)
		}
	}
}

// FitsHeader reports whether a header can have the text as it is: ASCII without control
// characters.
func FitsHeader(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' && c != '\t' || c > '~' {
			return false
		}
	}
	return true
}

// ownHeaders are headers of the connection, of the gateway, or of who calls: no
// parameter stands for them. Credentials are not passed on, so that a backend does not
// get what lets somebody call the gateway.
var ownHeaders = []string{
	"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
	"transfer-encoding", "upgrade", "host", "content-length", "content-type", "content-encoding", "expect", "x-stage", "x-request-id",
	"authorization", "cookie", "x-auth-token", "x-apig-appcode", "x-sdk-date", "x-sdk-content-sha256", "forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
}

func mayDeclareHeader(name string) bool { return !oneOf(strings.ToLower(name), ownHeaders) }

func (p ResponseParameter) validate(v *Invalid, name string, mode Mode) {
	at := func(field string) string { return Pointer("response_parameters", name, field) }
	if name == "" || len(name) > 64 || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		v.Addf(Pointer("response_parameters", name), "A response parameter has the name of a column, 1 to 64 bytes without control characters.")
	}
	checkMaxLength(v, at("description"), "description", p.Description, MaxDescriptionLength)
	switch {
	case p.Column != "" && mode != ModeWizard:
		v.Addf(at("column"), "Only a parameter of a wizard API has a column: remove it.")
	case p.Column != "":
		checkIdentifier(v, at("column"), "column", p.Column)
	}
	if !oneOf(p.Type, ParameterTypes) {
		v.Addf(at("type"), "%q is not a parameter type: use %s.", p.Type, quoted(ParameterTypes))
	}
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
