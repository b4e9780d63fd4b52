// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/tracing"
)

// sample is a call of a published API.
type sample struct {
	method  service.Method
	url     string
	headers [][2]string
	body    string
}

// The headers of a call, as the gateway reads them.
const (
	headerStage   = "X-Stage"
	headerAppCode = "X-Apig-AppCode"
	headerToken   = "X-Auth-Token" //nolint:gosec // The name of a header is no credential.
)

// sampleCall is a call with the parameters' examples.
func sampleCall(api service.PublishedAPI) sample {
	values := map[string]string{}
	for name, p := range api.Definition.RequestParameters {
		if v := valueOf(p); v != "" || p.Required {
			values[name] = v
		}
	}
	s := callWith(api, values, "")
	switch d := api.Definition; {
	case d.AuthType == service.AuthIAM:
		s.headers = append(s.headers, [2]string{headerToken, "$TOKEN"})
	case d.AuthType == service.AuthApp && d.AllowAppCode:
		s.headers = append(s.headers, [2]string{headerAppCode, "$APP_CODE"})
	}
	return s
}

// callWith is a call with these values of the parameters, or with this body where the body
// has no parameters of its own.
func callWith(api service.PublishedAPI, values map[string]string, body string) sample {
	d := api.Definition.WithDefaults()
	s := sample{method: d.Method, url: api.URL, body: body}
	if api.EnvironmentName != service.ReleaseEnvironmentName {
		s.headers = append(s.headers, [2]string{headerStage, api.EnvironmentName})
	}
	query, fields := url.Values{}, map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		switch p := d.RequestParameters[name]; {
		case p.Operator == service.OperatorConst:
		case p.Position == service.PositionHeader:
			s.headers = append(s.headers, [2]string{name, values[name]})
		case p.Position == service.PositionBody:
			fields[name] = values[name]
		default:
			query.Set(name, values[name])
		}
	}
	if len(query) > 0 {
		s.url += "?" + query.Encode()
	}
	if !d.Method.HasBody() || d.ReadsConnection() {
		return s
	}
	switch d.RequestContentType {
	case service.ContentForm:
		form := url.Values{}
		for name, value := range fields {
			form.Set(name, value)
		}
		s.headers = append(s.headers, [2]string{"Content-Type", "application/x-www-form-urlencoded"})
		if len(fields) > 0 {
			s.body = form.Encode()
		}
	case service.ContentXML:
		s.headers = append(s.headers, [2]string{"Content-Type", "application/xml"})
	default:
		s.headers = append(s.headers, [2]string{"Content-Type", "application/json"})
		if len(fields) > 0 {
			s.body = jsonOf(d, fields)
		}
	}
	return s
}

// jsonOf writes the fields of a body: texts as texts, and the rest as it was entered.
func jsonOf(d service.Definition, fields map[string]string) string {
	object := map[string]json.RawMessage{}
	for name, value := range fields {
		raw := json.RawMessage(value)
		if list, isList := d.RequestParameters[name].Type.Element(); isList {
			if !json.Valid(raw) && list != service.TypeString {
				raw = json.RawMessage("[" + value + "]")
			} else if !json.Valid(raw) {
				raw = marshalled(strings.Split(value, ","))
			}
		} else if d.RequestParameters[name].Type == service.TypeString || !json.Valid(raw) {
			raw = marshalled(value)
		}
		if !json.Valid(raw) {
			raw = marshalled(value)
		}
		object[name] = raw
	}
	return string(marshalled(object))
}

func marshalled(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		return json.RawMessage("null") // No text fails.
	}
	return data
}

// curl is the command that makes the call.
func (s sample) curl() string {
	var b strings.Builder
	b.WriteString("curl")
	if s.method != service.MethodGet {
		b.WriteString(" -X " + string(s.method))
	}
	for _, h := range s.headers {
		if name, isVariable := strings.CutPrefix(h[1], "$"); isVariable {
			b.WriteString(` -H "` + h[0] + `: $` + name + `"`)
			continue
		}
		b.WriteString(" -H " + quoted(h[0]+": "+h[1]))
	}
	if s.body != "" {
		b.WriteString(" --data " + quoted(s.body))
	}
	b.WriteString(" " + quoted(s.url))
	return b.String()
}

// quoted is a text as one word of a shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// tried is what a try was answered.
type tried struct {
	Status   int
	Text     string
	Headers  []string
	Body     string
	Cut      bool
	Duration time.Duration
	OK       bool
}

// maxShown is how much of an answer is shown, in bytes.
const maxShown = 32 << 10

// try calls the API through the gateway of this process, as its callers do, and shows the
// answer. The member's rights to call are those of the app that they choose.
func (c *console) try(v *visit) error {
	p, err := c.apiPage(v)
	if err != nil {
		return err
	}
	if !p.Tryable {
		return service.Errorf(service.CodeUnavailable, "%s cannot be tried out here: its instance has no host name.", p.Name)
	}
	values := map[string]string{}
	for i := range p.Parameters {
		row := &p.Parameters[i]
		row.Value = v.r.PostFormValue("p." + row.Name)
		if row.Value != "" {
			values[row.Name] = row.Value
		}
	}
	call := callWith(p.PublishedAPI, values, v.r.PostFormValue("body"))
	header, err := c.proof(v, p)
	if err != nil {
		return err
	}
	if p.Tried, err = c.send(v, call, header); err != nil {
		return err
	}
	return c.show(v, "api", "catalog", p.Name, p)
}

// proof is the header by which the call proves who makes it.
func (c *console) proof(v *visit, p apiPage) (header [2]string, err error) {
	switch {
	case p.Definition.AuthType == service.AuthIAM:
		return [2]string{headerToken, v.secret}, nil
	case p.Definition.AuthType != service.AuthApp || v.field("app") == "":
		return header, nil
	}
	app, err := c.Service.App(v, v.caller, v.field("app"))
	if err != nil {
		return header, err
	}
	if app.OwnerID != v.caller.Member.ID {
		return header, service.Errorf(service.CodeForbidden, "Only an app of your own can be used to try an API out, and %s is not.", app.Name)
	}
	credentials, err := c.Service.AppCredentials(v, v.caller, app.ID)
	return [2]string{headerAppCode, credentials.AppCode}, err
}

// send makes the call at the gateway.
func (c *console) send(v *visit, s sample, proof [2]string) (*tried, error) {
	r, err := http.NewRequestWithContext(v, string(s.method), s.url, strings.NewReader(s.body))
	if err != nil {
		return nil, service.Errorf(service.CodeInvalid, "This is no call that can be made: %s.", err)
	}
	for _, h := range append(slices.Clone(s.headers), proof) {
		if h[0] != "" {
			r.Header.Set(h[0], h[1])
		}
	}
	if id := tracing.RequestID(v); id != "" {
		r.Header.Set("X-Request-Id", id)
	}
	if parent := tracing.Traceparent(v); parent != "" {
		r.Header.Set("Traceparent", parent)
	}
	// As the gateway's listeners would have it.
	r.RequestURI, r.RemoteAddr = r.URL.RequestURI(), v.r.RemoteAddr
	if r.URL.Scheme == "https" {
		r.TLS = v.r.TLS
	}
	answer := &recorder{header: http.Header{}}
	began := time.Now()
	c.Gateway.ServeHTTP(answer, r)
	took := time.Since(began)
	answer.WriteHeader(http.StatusOK) // where nothing was written
	body := answer.body.Bytes()
	t := &tried{Status: answer.status, Text: http.StatusText(answer.status), Duration: took.Round(10 * time.Microsecond), OK: answer.status < http.StatusMultipleChoices}
	for _, name := range slices.Sorted(maps.Keys(answer.header)) {
		t.Headers = append(t.Headers, name+": "+strings.Join(answer.header[name], ", "))
	}
	var indented bytes.Buffer
	if json.Indent(&indented, body, "", "  ") == nil {
		body = indented.Bytes()
	}
	if t.Cut = answer.cut || len(body) > maxShown; t.Cut {
		body = body[:maxShown]
	}
	t.Body = strings.ToValidUTF8(string(body), "\uFFFD")
	return t, nil
}

// recorder keeps an answer of the gateway, as far as it is shown.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
	cut    bool
}

func (a *recorder) Header() http.Header { return a.header }

func (a *recorder) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *recorder) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	kept := p[:min(len(p), maxShown-min(maxShown, a.body.Len()))]
	a.cut = a.cut || len(kept) < len(p)
	a.body.Write(kept)
	return len(p), nil
}
