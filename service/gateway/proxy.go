// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/backend"
	"github.com/dataservice/terraform-provider-dataservice/service/percent"
)

// proxy is what a registered API does, compiled: where its calls go, and which
// parameter goes where. It never changes.
type proxy struct {
	client *backend.Client
	base   backend.Base
	method string
	// path is the path at the backend in pieces.
	path []pathPiece
	// query, sentHeaders and body are the parameters that are sent there, by index.
	query, sentHeaders, body []int
	// headers and bodyIndex find the parameters that callers pass there.
	headers   []headerParameter
	bodyIndex map[string]int
	// reads says that the body has declared parameters, and is read for them.
	reads       bool
	requestType service.ContentType
	// passedOn are the headers of the caller that go to the backend as they are.
	passedOn []string
	// ownTrace says that the API declares the headers of traces as its own parameters.
	ownTrace bool
}

// pathPiece is text of a path, or where parameter is not -1 the value of one.
type pathPiece struct {
	text      string
	parameter int
}

// passedOn are the headers that are not the gateway's business. Range and its
// precondition let a backend answer with a part, which is passed on like all else.
var passedOn = []string{
	"Accept", "Accept-Language", "User-Agent",
	"If-None-Match", "If-Modified-Since", "Range", "If-Range",
}

// register compiles a definition in registration mode.
func (rt *route) register(client *backend.Client, d service.Definition) error {
	if client == nil {
		return errors.New("registered APIs are not served here")
	}
	base, err := backend.ParseBase(d.Registration.Host)
	if err != nil {
		return err
	}
	p := &proxy{client: client, base: base, method: string(d.Method), bodyIndex: map[string]int{}, requestType: d.RequestContentType}
	rt.index = map[string]int{}
	at := map[string]int{}
	taken := map[string]bool{}
	for i, name := range slices.Sorted(maps.Keys(d.RequestParameters)) {
		declared := d.RequestParameters[name]
		parameter := parameter{name: name, kind: declared.Type, required: d.Requires(name), position: declared.Position}
		if declared.Default != nil {
			if parameter.value, err = declared.Type.Parse(*declared.Default); err != nil {
				return err
			}
		}
		at[name] = i
		rt.parameters = append(rt.parameters, parameter)
		if declared.Position == service.PositionHeader {
			taken[http.CanonicalHeaderKey(name)] = true
		}
		if declared.Position == service.PositionBody {
			p.reads = true
		}
		if declared.Operator == service.OperatorConst {
			continue // callers have no way to pass it
		}
		switch declared.Position {
		case service.PositionHeader:
			p.headers = append(p.headers, headerParameter{i, http.CanonicalHeaderKey(name)})
		case service.PositionBody:
			p.bodyIndex[name] = i
		default:
			rt.index[name] = i
		}
	}
	p.path = pathPieces(d.Registration.Path, at)
	inPath := map[int]bool{}
	for _, piece := range p.path {
		if piece.parameter >= 0 {
			inPath[piece.parameter] = true
		}
	}
	for i := range rt.parameters {
		switch position := rt.parameters[i].position; {
		case inPath[i]:
		case position == service.PositionHeader:
			p.sentHeaders = append(p.sentHeaders, i)
		case position == service.PositionBody:
			p.body = append(p.body, i)
		default:
			p.query = append(p.query, i)
		}
	}
	for _, name := range passedOn {
		if !taken[name] {
			p.passedOn = append(p.passedOn, name)
		}
	}
	p.ownTrace = taken[traceparentHeader] || taken[tracestateHeader]
	rt.proxy = p
	return nil
}

// pathPieces cuts the path at its placeholders; at has the index of each parameter. A
// placeholder without a parameter is sent as it is, in percent-encoding.
func pathPieces(path string, at map[string]int) []pathPiece {
	var pieces []pathPiece
	for {
		before, rest, found := strings.Cut(path, "[")
		if before != "" {
			pieces = append(pieces, pathPiece{before, -1})
		}
		if !found {
			return pieces
		}
		name, after, _ := strings.Cut(rest, "]")
		if i, declared := at[name]; declared {
			pieces = append(pieces, pathPiece{"", i})
		} else {
			pieces = append(pieces, pathPiece{"%5B" + name + "%5D", -1})
		}
		path = after
	}
}

// appendTarget appends the path at the backend with the values in it, and the query
// string. A value stays within its segment, whatever it is.
func (p *proxy) appendTarget(dst []byte, rt *route, values []any) ([]byte, *failure) {
	filled := false
	for _, piece := range p.path {
		if piece.parameter < 0 {
			dst = append(dst, piece.text...)
			continue
		}
		filled = true
		parameter := &rt.parameters[piece.parameter]
		from := len(dst)
		dst = appendText(dst, parameter.kind, values[piece.parameter])
		if !fitsSegment(dst[from:]) {
			return dst, failf(errInvalidParameter, parameter.name, "The value of parameter %q must not be empty, and no part of it \".\" or \"..\", since it stands in a path.", parameter.name)
		}
		value := string(dst[from:])
		dst = percent.Append(dst[:from], value)
	}
	if filled && service.HasDotSegment(string(dst)) {
		// Values that are harmless by themselves may add up.
		return dst, failf(errInvalidParameter, "", "The values in the path add up to a segment \".\" or \"..\": send other ones.")
	}
	separator := byte('?')
	for _, i := range p.query {
		if values[i] == nil {
			continue
		}
		dst = append(dst, separator)
		separator = '&'
		parameter := &rt.parameters[i]
		dst = append(dst, parameter.name...)
		dst = append(dst, '=')
		dst = appendEscapedValue(dst, parameter.kind, values[i])
	}
	return dst, nil
}

// appendEscapedValue appends a value in percent-encoding.
func appendEscapedValue(dst []byte, kind service.ParameterType, value any) []byte {
	switch v := value.(type) {
	case string:
		return percent.Append(dst, v)
	case int64, bool:
		return appendText(dst, kind, v)
	}
	var room [64]byte
	return percent.Append(dst, appendText(room[:0], kind, value))
}

// fitsSegment reports whether a value may stand in a path. Slashes in it are encoded;
// but there are backends that decode before they look for "..", so that no part between
// slashes may be one.
func fitsSegment(value []byte) bool {
	if len(value) == 0 {
		return false
	}
	for part := range strings.FieldsFuncSeq(string(value), func(r rune) bool { return r == '/' || r == '\\' }) {
		if part == "." || part == ".." {
			return false
		}
	}
	return true
}

// appendBody appends the declared parameters as the body that the backend gets.
func (p *proxy) appendBody(dst []byte, rt *route, values []any) []byte {
	if p.requestType == service.ContentForm {
		for _, i := range p.body {
			if values[i] == nil {
				continue
			}
			if len(dst) > 0 {
				dst = append(dst, '&')
			}
			parameter := &rt.parameters[i]
			dst = append(dst, parameter.name...)
			dst = append(dst, '=')
			dst = appendEscapedValue(dst, parameter.kind, values[i])
		}
		return dst
	}
	dst = append(dst, '{')
	for _, i := range p.body {
		if values[i] == nil {
			continue
		}
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		parameter := &rt.parameters[i]
		dst = append(appendJSONString(dst, parameter.name), ':')
		dst = appendJSON(dst, parameter.kind, values[i])
	}
	return append(dst, '}')
}
