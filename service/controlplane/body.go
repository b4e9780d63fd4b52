// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// checkBody reads the body of a call that has one and holds it against the schema
// that the OpenAPI document shows: every field must be known, stand there once and
// have the right type, and required fields must be there. All that is wrong is
// answered at once, with an exact JSON pointer each. What the values may be is the
// domain's business.
//
// Huma could do much of this, but its locations are ambiguous where a name in a map
// holds a dot, and it lets fields pass that stand twice or differ in case.
func checkBody(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		schema := bodySchema(ctx.Operation())
		if schema == nil {
			next(ctx)
			return
		}
		body, err := readBody(ctx)
		if err == nil {
			err = conforms(api.OpenAPI().Components.Schemas, schema, body)
		}
		if err != nil {
			writeProblemTo(ctx, err)
			return
		}
		next(bodyContext{ctx, body})
	}
}

func bodySchema(op *huma.Operation) *huma.Schema {
	if op.RequestBody == nil {
		return nil
	}
	if content := op.RequestBody.Content["application/json"]; content != nil {
		return content.Schema
	}
	return nil
}

// requestContext lets a huma.Context be embedded, whose method Context would hide it.
type requestContext huma.Context

// bodyContext gives huma the body that was read already.
type bodyContext struct {
	requestContext
	body []byte
}

// BodyReader returns the body.
func (c bodyContext) BodyReader() io.Reader { return bytes.NewReader(c.body) }

// Unwrap lets humachi find the request.
func (c bodyContext) Unwrap() huma.Context { return c.requestContext }

func readBody(ctx huma.Context) ([]byte, error) {
	r, w := humachi.Unwrap(ctx)
	if contentType := r.Header.Get("Content-Type"); contentType != "" {
		if mediaType, _, err := mime.ParseMediaType(contentType); err != nil || mediaType != "application/json" {
			return nil, service.Errorf(service.CodeUnsupportedMediaType,
				"This call takes JSON, not %q: send Content-Type: application/json.", contentType)
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBodyBytes))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, service.Errorf(service.CodeTooLarge, "The request body is larger than %d bytes, which is the most.", MaxBodyBytes)
	case err != nil:
		return nil, bodyFault(err)
	case len(bytes.TrimSpace(body)) == 0:
		return nil, service.Errorf(service.CodeMalformed, "This call needs a JSON object as its body; {} is the least.")
	case !utf8.Valid(body):
		return nil, service.Errorf(service.CodeMalformed, "The request body is not UTF-8.")
	}
	return body, nil
}

// bodyFault is the error of a body that broke off.
func bodyFault(err error) error {
	message := "The request body did not arrive whole."
	if errors.Is(err, os.ErrDeadlineExceeded) {
		message = fmt.Sprintf("The request body did not arrive whole within %s.", ReadTimeout)
	}
	return &service.Error{Code: service.CodeMalformed, Message: message, Cause: err}
}

// conforms holds a body against its schema.
func conforms(registry huma.Registry, schema *huma.Schema, body []byte) error {
	// The decoder below reads token by token; this finds syntax errors and bounds the depth.
	var anything json.RawMessage
	if err := json.Unmarshal(body, &anything); err != nil {
		return service.Errorf(service.CodeMalformed, "The request body is not valid JSON%s: %s.", position(body, err), err)
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	c := conformance{registry: registry, decoder: decoder}
	if err := c.value("", schema); err != nil {
		return service.Errorf(service.CodeMalformed, "The request body is not valid JSON: %s.", err)
	}
	return c.faults.Err("The request body")
}

// position says where a syntax error is.
func position(body []byte, err error) string {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return ""
	}
	before := body[:min(int(syntax.Offset), len(body))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - (bytes.LastIndexByte(before, '\n') + 1)
	return fmt.Sprintf(" at line %d, column %d", line, column)
}

// conformance walks a body and its schema side by side.
type conformance struct {
	registry huma.Registry
	decoder  *json.Decoder
	faults   service.Invalid
}

// value checks the next value. The error is one of syntax.
func (c *conformance) value(pointer string, schema *huma.Schema) error {
	for schema.Ref != "" {
		schema = c.registry.SchemaFromRef(schema.Ref)
	}
	token, err := c.decoder.Token()
	if err != nil {
		return err
	}
	found := kindOf(token)
	if expected := schema.Type; expected != "" && !fits(expected, token) {
		c.faults.Addf(pointer, "This must be %s, not %s.", article(expected), article(found))
		return c.skipRest(token)
	}
	switch found {
	case huma.TypeObject:
		return c.object(pointer, schema)
	case huma.TypeArray:
		return c.array(pointer, schema)
	case huma.TypeNumber:
		c.integer(pointer, schema, token)
	case huma.TypeString:
		c.time(pointer, schema, token)
	}
	return nil
}

func (c *conformance) object(pointer string, schema *huma.Schema) error {
	seen := map[string]bool{}
	for c.decoder.More() {
		token, err := c.decoder.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string) // the key of an object always is one
		at := pointer + service.Pointer(name)
		if seen[name] {
			c.faults.Addf(at, "%q stands here twice.", name)
		}
		seen[name] = true
		field := schema.Properties[name]
		if of, ok := schema.AdditionalProperties.(*huma.Schema); ok && field == nil {
			field = of
		}
		switch {
		case field == nil && schema.AdditionalProperties == false:
			c.faults.Addf(at, "There is no field %q here; the fields are %s.", name, strings.Join(slices.Sorted(maps.Keys(schema.Properties)), ", "))
			err = c.skip()
		case field == nil:
			err = c.skip()
		case schema.Properties[name] != nil && !slices.Contains(schema.Required, name):
			err = c.optional(at, field)
		default:
			err = c.value(at, field)
		}
		if err != nil {
			return err
		}
	}
	for _, name := range schema.Required {
		if !seen[name] {
			c.faults.Addf(pointer+service.Pointer(name), "%q is required.", name)
		}
	}
	_, err := c.decoder.Token() // the closing brace
	return err
}

// optional checks a field that may be left out, for which null stands as well.
func (c *conformance) optional(pointer string, schema *huma.Schema) error {
	var raw json.RawMessage
	if err := c.decoder.Decode(&raw); err != nil {
		return err
	}
	if string(raw) == "null" {
		return nil
	}
	outer := c.decoder
	defer func() { c.decoder = outer }()
	c.decoder = json.NewDecoder(bytes.NewReader(raw))
	c.decoder.UseNumber()
	return c.value(pointer, schema)
}

func (c *conformance) array(pointer string, schema *huma.Schema) error {
	items := schema.Items
	if items == nil {
		items = &huma.Schema{} // anything
	}
	for i := 0; c.decoder.More(); i++ {
		if err := c.value(pointer+service.Pointer(strconv.Itoa(i)), items); err != nil {
			return err
		}
	}
	_, err := c.decoder.Token() // the closing bracket
	return err
}

// integer checks that a number fits the Go type behind the schema.
func (c *conformance) integer(pointer string, schema *huma.Schema, token json.Token) {
	if schema.Type != huma.TypeInteger {
		return
	}
	bits := 64
	if schema.Format == "int32" {
		bits = 32
	}
	number, _ := token.(json.Number)
	if _, err := strconv.ParseInt(number.String(), 10, bits); err != nil {
		c.faults.Addf(pointer, "This must be a whole number of %d bits, written with digits alone, not %s.", bits, number)
	}
}

// time checks that a text is a time where the Go type behind the schema is one.
func (c *conformance) time(pointer string, schema *huma.Schema, token json.Token) {
	if schema.Format != "date-time" {
		return
	}
	text, _ := token.(string)
	if _, err := time.Parse(time.RFC3339, text); err != nil {
		c.faults.Addf(pointer, "%q is not a time: write it as RFC 3339 has it, such as 2026-01-31T18:00:00Z.", text)
	}
}

// skip passes over the next value.
func (c *conformance) skip() error {
	var ignored json.RawMessage
	return c.decoder.Decode(&ignored)
}

// skipRest passes over what follows the first token of a value.
func (c *conformance) skipRest(first json.Token) error {
	if _, opens := first.(json.Delim); !opens {
		return nil
	}
	for depth := 1; depth > 0; {
		token, err := c.decoder.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
	return nil
}

const typeNull = "null"

// kindOf names the JSON type of a value's first token.
func kindOf(token json.Token) string {
	switch t := token.(type) {
	case json.Delim:
		if t == '[' {
			return huma.TypeArray
		}
		return huma.TypeObject
	case string:
		return huma.TypeString
	case json.Number:
		return huma.TypeNumber
	case bool:
		return huma.TypeBoolean
	default:
		return typeNull
	}
}

func fits(expected string, token json.Token) bool {
	found := kindOf(token)
	return found == expected || expected == huma.TypeInteger && found == huma.TypeNumber
}

func article(jsonType string) string {
	switch jsonType {
	case typeNull:
		return typeNull
	case huma.TypeInteger:
		return "a whole number"
	case huma.TypeObject, huma.TypeArray:
		return "an " + jsonType
	default:
		return "a " + jsonType
	}
}
