// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/backend"
	"github.com/dataservice/terraform-provider-dataservice/service/dialguard"
)

// Limits of what a debug keeps of a backend's answer.
const (
	// maxDebugJSON bounds an answer that is shown as JSON; a longer one is shown as text.
	maxDebugJSON = 1 << 20
	// maxDebugText bounds one that is shown as text.
	maxDebugText = 64 << 10
	// maxDebugQuote bounds what an error quotes of it.
	maxDebugQuote = 500
)

// validateBackend checks what only the gateway knows of a registered API. It does not
// call the backend.
func (r *runner) validateBackend(ctx context.Context, d service.Definition) error {
	var v service.Invalid
	if d.Registration == nil {
		v.Addf("/registration", "A registered API needs its backend.")
		return v.Err("The API")
	}
	const pointer = "/registration/host"
	base, err := backend.ParseBase(d.Registration.Host)
	if err != nil {
		v.Addf(pointer, "It cannot be called: %s.", err)
	} else if err := r.backends.Check(ctx, base); err != nil {
		var refusal *dialguard.Refusal
		if errors.As(err, &refusal) {
			v.Addf(pointer, "The backend %s cannot be called: %s. An operator can open its range with --allow-backend-cidr.", d.Registration.Host, refusal)
		} else {
			v.Addf(pointer, "The backend %s cannot be called: %s.", d.Registration.Host, err)
		}
	}
	headers := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(d.RequestParameters)) {
		if d.RequestParameters[name].Position != service.PositionHeader {
			continue
		}
		key := http.CanonicalHeaderKey(name)
		if other, taken := headers[key]; taken {
			v.Addf(service.Pointer("request_parameters", name), "It is the same header as %s, since the case of a header's name means nothing: remove one.", other)
		}
		headers[key] = name
	}
	return v.Err("The API")
}

// debugBackend makes the test call of a registered API.
func (r *runner) debugBackend(ctx context.Context, rt *route, call service.DebugInput) (service.DebugResult, error) {
	answer := &answerWriter{header: http.Header{}, most: maxDebugJSON}
	start := time.Now()
	out := r.answerer.serve(emptyTable.replace(nil, []*route{rt}), answer, backendDebugRequest(ctx, rt, call))
	took := time.Since(start)
	if err := ctx.Err(); err != nil {
		return service.DebugResult{}, fmt.Errorf("the test call was given up: %w", err)
	}
	result := service.DebugResult{Status: out.status, DurationMS: float64(took.Microseconds()) / 1000}
	if out.aborted {
		// What came of it is no answer, whatever status it began with.
		result.Status, out.status = out.code.Status, out.code.Status
		result.Text = cutText(answer.body, maxDebugText)
		return result, debugFailed(out)
	}
	if !answer.cut && json.Valid(answer.body) {
		result.Body = json.RawMessage(answer.body)
	} else {
		result.Text = cutText(answer.body, maxDebugText)
	}
	switch {
	case out.failure != nil:
		return result, debugFailed(out)
	case out.status < http.StatusOK || out.status >= http.StatusMultipleChoices:
		message := fmt.Sprintf("The backend answered the test call with the status %d", out.status)
		if to := answer.header.Get("Location"); to != "" {
			message += fmt.Sprintf(", a redirect to %s, which is not followed", cutText([]byte(to), maxDebugQuote))
		}
		if len(answer.body) > 0 {
			message += ": " + cutText(answer.body, maxDebugQuote)
		}
		return result, service.Errorf(service.CodeDebugFailed, "%s", message)
	}
	return result, nil
}

// cutText returns the beginning of a body as text.
func cutText(body []byte, most int) string {
	if len(body) <= most {
		return strings.ToValidUTF8(string(body), "\uFFFD")
	}
	for most > 0 && !utf8.RuneStart(body[most]) {
		most--
	}
	return strings.ToValidUTF8(string(body[:most]), "\uFFFD") + "…"
}

// backendDebugRequest passes each value where a caller would.
func backendDebugRequest(ctx context.Context, rt *route, call service.DebugInput) *http.Request {
	r := debugRequest(ctx, rt, nil)
	query, form := url.Values{}, url.Values{}
	object := map[string]json.RawMessage{}
	for name, text := range call.Parameters {
		i := slices.IndexFunc(rt.parameters, func(p parameter) bool { return p.name == name })
		if i < 0 {
			query.Set(name, text)
			continue
		}
		switch rt.parameters[i].position {
		case service.PositionHeader:
			r.Header.Set(name, text)
		case service.PositionBody:
			form.Set(name, text)
			object[name] = debugJSON(rt.parameters[i].kind, text)
		default:
			query.Set(name, text)
		}
	}
	r.URL.RawQuery = query.Encode()
	body := []byte(call.Body)
	if rt.proxy.reads && len(body) == 0 && len(object) > 0 {
		body = []byte(form.Encode())
		if rt.proxy.requestType != service.ContentForm {
			// Texts and what was read from texts are always JSON.
			body, _ = json.Marshal(object)
		}
	}
	if len(body) > 0 {
		r.Header.Set("Content-Type", mediaType(rt.proxy.requestType))
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	return r
}

// debugJSON writes a text as the JSON that a caller would send for it. One that is not
// of the type goes as a text, and is refused like any other.
func debugJSON(kind service.ParameterType, text string) json.RawMessage {
	value, err := kind.Parse(text)
	if err != nil {
		value = text
	}
	return appendJSON(nil, kind, value)
}
