// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service/gateway"
	"github.com/dataservice/terraform-provider-dataservice/service/turnstile"
)

// surface is what users of one version rely on: what a configuration, a client, a dashboard
// or a service manager names, and in what manner. Its keys are such as
//
//	resource dataservice_api: path           string required
//	GET /api/v1/whoami                       a call of the native API
//	json APIInput: path                      string sent:required
//	metric dataservice_calls_total           counter api, environment, status
//	errCode 40401                            its name and HTTP status
//	code NOT_FOUND                           the HTTP status of a code of the native API
//	serve --listen                           DATASERVICE_LISTEN
//
// The guide "Upgrading" says which of them a minor version may change.
type surface map[string]string

// text writes it in lines, sorted.
func (p surface) text() []byte {
	var b bytes.Buffer
	for _, key := range slices.Sorted(maps.Keys(p)) {
		fmt.Fprintf(&b, "%s\t%s\n", key, p[key])
	}
	return b.Bytes()
}

func parseSurface(text []byte) surface {
	p := surface{}
	for line := range strings.Lines(string(text)) {
		if key, value, found := strings.Cut(strings.TrimSuffix(line, "\n"), "\t"); found {
			p[key] = value
		}
	}
	return p
}

// promised collects the surface of this program.
func promised(provider *providerSchemas, document openAPI) (surface, error) {
	p := surface{}
	p.addSchemas(provider)
	if err := p.addOpenAPI(document.text); err != nil {
		return nil, fmt.Errorf("the OpenAPI document: %w", err)
	}
	for _, m := range gateway.Metrics() {
		p["metric "+m.Name] = m.Type + " " + strings.Join(m.Labels, ", ")
	}
	for _, m := range turnstile.Metrics() {
		p["metric "+m.Name] = m.Type + " " + strings.Join(m.Labels, ", ")
	}
	for _, e := range gateway.Errors() {
		p[fmt.Sprintf("errCode %d", e.Code)] = fmt.Sprintf("%s HTTP-%d", e.Name, e.Status)
	}
	codes, err := errorCodes()
	if err != nil {
		return nil, err
	}
	for _, c := range codes {
		p["code "+string(c.code)] = "HTTP-" + strings.ReplaceAll(c.status, " ", "")
	}
	for _, program := range []string{"serve", "gateway"} {
		rows, err := flagsOf(program + "Command")
		if err != nil {
			return nil, err
		}
		for _, m := range flagRow.FindAllStringSubmatch(rows, -1) {
			p[program+" "+m[1]] = m[2]
		}
	}
	return p, nil
}

var flagRow = regexp.MustCompile("(?m)^\\| `(--[^`]+)` \\| `([^`]*)` \\|")

func (p surface) addSchemas(s *providerSchemas) {
	p.addBlock("provider", s.Provider.Block)
	for kind, all := range map[string]map[string]schema{
		"resource": s.Resources, "data": s.DataSources, "ephemeral": s.EphemeralResources, "action": s.Actions, "list": s.ListResources,
	} {
		for name, schema := range all {
			p[kind+" "+name] = "there"
			p.addBlock(kind+" "+name, schema.Block)
		}
	}
	for name, identity := range s.Identities {
		for attribute, a := range identity.Attributes {
			p["identity "+name+": "+attribute] = compact(a.Type) + " " + map[bool]string{true: "required", false: "optional"}[a.RequiredForImport]
		}
	}
	for name, f := range s.Functions {
		types := make([]string, 0, len(f.Parameters))
		for _, parameter := range f.Parameters {
			types = append(types, compact(parameter.Type))
		}
		p["function "+name] = strings.Join(types, ",") + "->" + compact(f.ReturnType)
	}
}

func (p surface) addBlock(owner string, b block) {
	p.addAttributes(owner, "", b.Attributes)
	for name, inner := range b.Blocks {
		p[owner+": "+name] = "block:" + inner.NestingMode + " " + map[bool]string{true: "required", false: "optional"}[inner.MinItems > 0]
		p.addBlock(owner+": "+name, inner.Block)
	}
}

func (p surface) addAttributes(owner, within string, attributes map[string]attribute) {
	for name, a := range attributes {
		kind := compact(a.Type)
		if a.NestedType != nil {
			kind = "nested:" + a.NestedType.NestingMode
			p.addAttributes(owner, within+name+".", a.NestedType.Attributes)
		}
		manner := "computed"
		switch {
		case a.Required:
			manner = "required"
		case a.Optional && a.Computed:
			manner = "optional+computed"
		case a.Optional:
			manner = "optional"
		}
		if a.WriteOnly {
			kind += ",write-only"
		}
		p[owner+": "+within+name] = kind + " " + manner
	}
}

// compact writes a type without spaces.
func compact(text json.RawMessage) string {
	return strings.NewReplacer(" ", "", "\n", "", `"`, "").Replace(string(text))
}

// jsonSchema is as much of a schema of the OpenAPI document as the promise is about.
type jsonSchema struct {
	Ref                  string                `json:"$ref"`
	Type                 json.RawMessage       `json:"type"`
	Enum                 []string              `json:"enum"`
	Items                *jsonSchema           `json:"items"`
	Properties           map[string]jsonSchema `json:"properties"`
	Required             []string              `json:"required"`
	AdditionalProperties json.RawMessage       `json:"additionalProperties"`
}

// name is that of the schema in the document which it refers to, directly or as a list or map of it.
func (s jsonSchema) names() (names []string) {
	if s.Ref != "" {
		return []string{s.Ref[strings.LastIndex(s.Ref, "/")+1:]}
	}
	if s.Items != nil {
		names = s.Items.names()
	}
	var values jsonSchema
	if json.Unmarshal(s.AdditionalProperties, &values) == nil {
		names = append(names, values.names()...)
	}
	return names
}

// kind writes its type.
func (s jsonSchema) kind() string {
	switch {
	case s.Ref != "":
		return "#" + s.names()[0]
	case s.Items != nil:
		return "list:" + s.Items.kind()
	case len(s.names()) > 0:
		return "map:#" + s.names()[0]
	}
	return cmp.Or(compact(s.Type), "any")
}

func (p surface) addOpenAPI(text []byte) error {
	type content map[string]struct {
		Schema jsonSchema `json:"schema"`
	}
	type param struct {
		Ref      string     `json:"$ref"`
		Name     string     `json:"name"`
		In       string     `json:"in"`
		Required bool       `json:"required"`
		Schema   jsonSchema `json:"schema"`
	}
	var d struct {
		Paths map[string]map[string]struct {
			Parameters  []param `json:"parameters"`
			RequestBody struct {
				Content content `json:"content"`
			} `json:"requestBody"`
			Responses map[string]struct {
				Content content `json:"content"`
			} `json:"responses"`
		} `json:"paths"`
		Components struct {
			Schemas    map[string]jsonSchema `json:"schemas"`
			Parameters map[string]param      `json:"parameters"`
		} `json:"components"`
	}
	if err := json.Unmarshal(text, &d); err != nil {
		return err
	}
	sent, answered := map[string]bool{}, map[string]bool{}
	var reach func(seen map[string]bool, s jsonSchema)
	reach = func(seen map[string]bool, s jsonSchema) {
		for _, name := range s.names() {
			if !seen[name] {
				seen[name] = true
				for _, property := range d.Components.Schemas[name].Properties {
					reach(seen, property)
				}
				reach(seen, jsonSchema{Items: d.Components.Schemas[name].Items})
			}
		}
		for _, property := range s.Properties {
			reach(seen, property)
		}
	}
	for path, methods := range d.Paths {
		for method, call := range methods {
			key := strings.ToUpper(method) + " " + path
			p[key] = "there"
			for _, q := range call.Parameters {
				if q.Ref != "" {
					q = d.Components.Parameters[q.Ref[strings.LastIndex(q.Ref, "/")+1:]]
				}
				p[key+": "+q.In+" "+q.Name] = q.Schema.kind() + " " + map[bool]string{true: "required", false: "optional"}[q.Required]
			}
			for kind, body := range call.RequestBody.Content {
				reach(sent, body.Schema)
				p[key+" takes "+kind] = body.Schema.kind()
			}
			for status, answer := range call.Responses {
				for kind, body := range answer.Content {
					reach(answered, body.Schema)
					p[key+" answers "+status+" "+kind] = body.Schema.kind()
				}
			}
		}
	}
	for name, s := range d.Components.Schemas {
		for property, of := range s.Properties {
			required := slices.Contains(s.Required, property)
			manner := "-"
			if sent[name] {
				manner = map[bool]string{true: "required", false: "optional"}[required]
			}
			answers := "-"
			if answered[name] {
				answers = map[bool]string{true: "always", false: "maybe"}[required]
			}
			p["json "+name+": "+property] = of.kind() + " " + manner + "/" + answers
			for _, value := range of.Enum {
				if sent[name] {
					p["json "+name+": "+property+" = "+value] = "there"
				}
			}
		}
	}
	return nil
}

// broken tells what of an earlier promise this one does not keep.
func (p surface) broken(earlier surface) (sentences []string) {
	for _, key := range slices.Sorted(maps.Keys(earlier)) {
		was := earlier[key]
		is, there := p[key]
		switch {
		case !there:
			sentences = append(sentences, key+" is gone")
		case !kept(was, is):
			sentences = append(sentences, fmt.Sprintf("%s was %q and is %q", key, was, is))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(p)) {
		owner, _, found := strings.Cut(key, ": ")
		if _, old := earlier[key]; old || !found || !demanded(p[key]) {
			continue
		}
		// In what was not there before, anything may be demanded.
		if i := strings.LastIndex(key, "."); i > 0 && strings.Contains(key[len(owner):i], ": ") {
			if _, known := earlier[key[:i]]; known {
				sentences = append(sentences, key+" is new, and must be given")
			}
			continue
		}
		if slices.ContainsFunc(slices.Collect(maps.Keys(earlier)), func(k string) bool { return k == owner || strings.HasPrefix(k, owner+": ") }) {
			sentences = append(sentences, key+" is new, and must be given")
		}
	}
	return sentences
}

// demanded reports whether somebody must give it.
func demanded(value string) bool {
	_, manner, _ := strings.Cut(value, " ")
	sent, _, _ := strings.Cut(manner, "/")
	return sent == "required"
}

// loosened are the changes of the manner of something that break nobody.
var loosened = map[[2]string]bool{
	{"required", "optional"}: true, {"required", "optional+computed"}: true, {"optional", "optional+computed"}: true,
	{"computed", "optional+computed"}: true, {"-", "optional"}: true, {"maybe", "always"}: true, {"-", "always"}: true, {"-", "maybe"}: true,
}

// kept reports whether what is now serves whoever relied on what was.
func kept(was, is string) bool {
	if was == is {
		return true
	}
	kindWas, mannerWas, _ := strings.Cut(was, " ")
	kindIs, mannerIs, _ := strings.Cut(is, " ")
	if kindWas == "counter" || kindWas == "gauge" || kindWas == "histogram" { // labels may be added
		for label := range strings.SplitSeq(mannerWas, ", ") {
			if label != "" && !slices.Contains(strings.Split(mannerIs, ", "), label) {
				return false
			}
		}
		return kindWas == kindIs
	}
	if kindWas != kindIs {
		return false
	}
	sentWas, answeredWas, _ := strings.Cut(mannerWas, "/")
	sentIs, answeredIs, _ := strings.Cut(mannerIs, "/")
	ok := func(was, is string) bool { return was == is || loosened[[2]string{was, is}] }
	return ok(sentWas, sentIs) && ok(answeredWas, answeredIs)
}
