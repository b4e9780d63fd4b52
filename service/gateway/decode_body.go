// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// checkMediaType makes sure that the body is in the route's format. read says that the
// gateway reads it itself, for which it must be UTF-8.
func checkMediaType(want service.ContentType, contentType string, read bool) *failure {
	said := contentType
	if i := strings.IndexByte(said, ';'); i >= 0 {
		said = said[:i]
	}
	said = strings.ToLower(strings.TrimSpace(said))
	fits := false
	switch want {
	case service.ContentJSON:
		fits = said == "application/json" || strings.HasPrefix(said, "application/") && strings.HasSuffix(said, "+json")
	case service.ContentXML:
		fits = said == "application/xml" || said == "text/xml" || strings.HasPrefix(said, "application/") && strings.HasSuffix(said, "+xml")
	case service.ContentForm:
		fits = said == formType
	}
	switch {
	case said == "":
		return failf(errMediaType, "", "The body has no Content-Type: send it with Content-Type: %s.", mediaType(want))
	case !fits:
		return failf(errMediaType, "", "The body has the Content-Type %s, and this API takes %s.", echo(contentType), mediaType(want))
	case !read || len(said) == len(contentType):
		return nil
	}
	_, parameters, err := mime.ParseMediaType(contentType)
	if charset := parameters["charset"]; err != nil || charset != "" && !strings.EqualFold(charset, "utf-8") && !strings.EqualFold(charset, "us-ascii") {
		return failf(errMediaType, "", "The body has the Content-Type %s, and this API takes UTF-8.", echo(contentType))
	}
	return nil
}

const formType = "application/x-www-form-urlencoded"

// mediaType is the usual media type of a format.
func mediaType(t service.ContentType) string {
	switch t {
	case service.ContentXML:
		return "application/xml"
	case service.ContentForm:
		return formType
	default:
		return "application/json"
	}
}

// decodeForm reads a form as the route's body parameters.
func (a *arguments) decodeForm(rt *route, body []byte) *failure {
	for rest := string(body); rest != ""; {
		var pair string
		pair, rest, _ = strings.Cut(rest, "&")
		if pair == "" {
			continue
		}
		rawName, rawText, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(rawName)
		if err != nil || !utf8.ValidString(name) {
			return failf(errMalformedBody, "", "The field %s of the form is not percent-encoded UTF-8.", echo(rawName))
		}
		i, declared := rt.proxy.bodyIndex[name]
		if !declared {
			return unknownField(name)
		}
		text, err := url.QueryUnescape(rawText)
		if err != nil || !utf8.ValidString(text) {
			return failf(errMalformedBody, name, "The value of parameter %q in the form is not percent-encoded UTF-8.", name)
		}
		if f := a.set(rt, i, text); f != nil {
			return f
		}
	}
	return nil
}

func unknownField(name string) *failure {
	return failf(errUnknownParameter, name, "This API has no parameter %s in the body: remove it, or check its spelling.", echo(name))
}

// decodeJSON reads a JSON object as the route's body parameters.
func (a *arguments) decodeJSON(rt *route, body []byte) *failure {
	const noObject = "The body is not one JSON object in UTF-8"
	if !utf8.Valid(body) {
		return failf(errMalformedBody, "", noObject+".")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if begin, err := d.Token(); err != nil || begin != json.Delim('{') {
		return failf(errMalformedBody, "", noObject+": it does not begin with a brace.")
	}
	for d.More() {
		token, err := d.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return failf(errMalformedBody, "", noObject+": something is wrong behind byte %d.", d.InputOffset())
		}
		i, declared := rt.proxy.bodyIndex[name]
		if !declared {
			return unknownField(name)
		}
		if a.has(i) {
			return repeatedParameter(name)
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return failf(errMalformedBody, name, noObject+": the value of parameter %q is no JSON.", name)
		}
		a.seen[i/64] |= 1 << (i % 64)
		if len(raw) > MaxValueLength {
			return failf(errLongParameter, name, "The value of parameter %q has %d bytes; %d is the most.", name, len(raw), MaxValueLength)
		}
		if a.values[i], err = valueOfJSON(rt.parameters[i].kind, raw); err != nil {
			return failf(errInvalidParameter, name, "The value of parameter %q %s.", name, err)
		}
	}
	if end, err := d.Token(); err != nil || end != json.Delim('}') {
		return failf(errMalformedBody, "", noObject+": it does not end.")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return failf(errMalformedBody, "", noObject+": there is something behind it.")
	}
	return nil
}

// valueOfJSON reads a JSON value as service.ParameterType.Parse reads a text. The error
// is a phrase that continues "The value …".
func valueOfJSON(kind service.ParameterType, raw json.RawMessage) (any, error) {
	element, list := kind.Element()
	if !list {
		return scalarOfJSON(kind, raw)
	}
	var elements []json.RawMessage
	if raw[0] != '[' || json.Unmarshal(raw, &elements) != nil {
		return nil, errors.New("must be a JSON array")
	}
	if len(elements) > service.MaxListElements {
		return nil, fmt.Errorf("has %d elements; %d is the most", len(elements), service.MaxListElements)
	}
	switch element {
	case service.TypeInt, service.TypeLong:
		return listOfJSON[int64](element, elements)
	case service.TypeFloat, service.TypeDouble:
		return listOfJSON[float64](element, elements)
	case service.TypeBoolean:
		return listOfJSON[bool](element, elements)
	default:
		return listOfJSON[string](element, elements)
	}
}

func listOfJSON[T any](element service.ParameterType, elements []json.RawMessage) ([]T, error) {
	values := make([]T, len(elements))
	for i, raw := range elements {
		v, err := scalarOfJSON(element, raw)
		if err != nil {
			return nil, fmt.Errorf("at position %d %w", i+1, err)
		}
		values[i] = v.(T) //nolint:forcetypeassert // scalarOfJSON returns T for this element type.
	}
	return values, nil
}

func scalarOfJSON(kind service.ParameterType, raw json.RawMessage) (any, error) {
	text := string(raw)
	switch {
	case kind == service.TypeString && raw[0] != '"':
		return nil, errors.New("must be a text in quotation marks")
	case kind == service.TypeString:
		if err := json.Unmarshal(raw, &text); err != nil {
			return nil, errors.New("must be a text in quotation marks")
		}
	case raw[0] == '"':
		if _, err := kind.Parse("x"); err != nil {
			return nil, fmt.Errorf("%w, without quotation marks", err)
		}
	}
	return kind.Parse(text)
}
