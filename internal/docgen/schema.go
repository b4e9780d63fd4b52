// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/dataservice/terraform-provider-dataservice/provider"
)

// These types are the JSON of `terraform providers schema -json`, as far as
// tfplugindocs reads it.
type (
	schemas struct {
		FormatVersion string                     `json:"format_version"`
		Providers     map[string]providerSchemas `json:"provider_schemas"`
	}
	providerSchemas struct {
		Provider           schema               `json:"provider"`
		Resources          map[string]schema    `json:"resource_schemas"`
		DataSources        map[string]schema    `json:"data_source_schemas"`
		EphemeralResources map[string]schema    `json:"ephemeral_resource_schemas"`
		Actions            map[string]schema    `json:"action_schemas"`
		Functions          map[string]signature `json:"functions,omitempty"`
		ListResources      map[string]schema    `json:"list_resource_schemas"`
		// Identities are those of the resources.
		Identities map[string]identitySchema `json:"resource_identity_schemas"`
	}
	identitySchema struct {
		Version    int64                        `json:"version"`
		Attributes map[string]identityAttribute `json:"attributes"`
	}
	identityAttribute struct {
		Type              json.RawMessage `json:"type"`
		Description       string          `json:"description,omitempty"`
		RequiredForImport bool            `json:"required_for_import,omitempty"`
		OptionalForImport bool            `json:"optional_for_import,omitempty"`
	}
	signature struct {
		Description string          `json:"description,omitempty"`
		Summary     string          `json:"summary,omitempty"`
		ReturnType  json.RawMessage `json:"return_type"`
		Parameters  []parameter     `json:"parameters,omitempty"`
		Variadic    *parameter      `json:"variadic_parameter,omitempty"`
	}
	parameter struct {
		Name        string          `json:"name,omitempty"`
		Description string          `json:"description,omitempty"`
		IsNullable  bool            `json:"is_nullable,omitempty"`
		Type        json.RawMessage `json:"type"`
	}
	schema struct {
		Version int64 `json:"version"`
		Block   block `json:"block"`
	}
	block struct {
		Attributes      map[string]attribute   `json:"attributes,omitempty"`
		Blocks          map[string]nestedBlock `json:"block_types,omitempty"`
		Description     string                 `json:"description,omitempty"`
		DescriptionKind string                 `json:"description_kind"`
		Deprecated      bool                   `json:"deprecated,omitempty"`
	}
	nestedBlock struct {
		NestingMode string `json:"nesting_mode"`
		Block       block  `json:"block"`
		MinItems    int64  `json:"min_items,omitempty"`
		MaxItems    int64  `json:"max_items,omitempty"`
	}
	attribute struct {
		Type            json.RawMessage `json:"type,omitempty"`
		NestedType      *nestedType     `json:"nested_type,omitempty"`
		Description     string          `json:"description,omitempty"`
		DescriptionKind string          `json:"description_kind"`
		Deprecated      bool            `json:"deprecated,omitempty"`
		Required        bool            `json:"required,omitempty"`
		Optional        bool            `json:"optional,omitempty"`
		Computed        bool            `json:"computed,omitempty"`
		Sensitive       bool            `json:"sensitive,omitempty"`
		WriteOnly       bool            `json:"write_only,omitempty"`
	}
	nestedType struct {
		Attributes  map[string]attribute `json:"attributes"`
		NestingMode string               `json:"nesting_mode"`
	}
)

// providerSchema asks the provider for its schema over the plugin protocol.
func providerSchema(ctx context.Context) (*providerSchemas, error) {
	server, err := providerserver.NewProtocol6WithError(provider.New("0")())()
	if err != nil {
		return nil, err
	}
	answer, err := server.GetProviderSchema(ctx, &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		return nil, err
	}
	for _, d := range answer.Diagnostics {
		if d.Severity == tfprotov6.DiagnosticSeverityError {
			return nil, fmt.Errorf("%s: %s", d.Summary, d.Detail)
		}
	}
	p := &providerSchemas{
		Resources: map[string]schema{}, DataSources: map[string]schema{}, EphemeralResources: map[string]schema{},
		ListResources: map[string]schema{}, Actions: map[string]schema{}, Identities: map[string]identitySchema{}, Functions: map[string]signature{},
	}
	if p.Provider, err = newSchema(answer.Provider); err != nil {
		return nil, err
	}
	for name, s := range answer.ResourceSchemas {
		if p.Resources[name], err = newSchema(s); err != nil {
			return nil, fmt.Errorf("resource %s: %w", name, err)
		}
	}
	for name, s := range answer.DataSourceSchemas {
		if p.DataSources[name], err = newSchema(s); err != nil {
			return nil, fmt.Errorf("data source %s: %w", name, err)
		}
	}
	for name, s := range answer.EphemeralResourceSchemas {
		if p.EphemeralResources[name], err = newSchema(s); err != nil {
			return nil, fmt.Errorf("ephemeral resource %s: %w", name, err)
		}
	}
	for name, a := range answer.ActionSchemas {
		if p.Actions[name], err = newSchema(a.Schema); err != nil {
			return nil, fmt.Errorf("action %s: %w", name, err)
		}
	}
	for name, s := range answer.ListResourceSchemas {
		if p.ListResources[name], err = newSchema(s); err != nil {
			return nil, fmt.Errorf("list resource %s: %w", name, err)
		}
	}
	identities, err := server.GetResourceIdentitySchemas(ctx, &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err != nil {
		return nil, err
	}
	for name, s := range identities.IdentitySchemas {
		if p.Identities[name], err = newIdentitySchema(s); err != nil {
			return nil, fmt.Errorf("identity of resource %s: %w", name, err)
		}
	}
	for name, f := range answer.Functions {
		if p.Functions[name], err = newSignature(f); err != nil {
			return nil, fmt.Errorf("function %s: %w", name, err)
		}
	}
	return p, nil
}

func newSignature(f *tfprotov6.Function) (signature, error) {
	result := signature{Description: f.Description, Summary: f.Summary}
	var err error
	if result.ReturnType, err = json.Marshal(f.Return.Type); err != nil {
		return signature{}, err
	}
	for _, p := range f.Parameters {
		described, err := newParameter(p)
		if err != nil {
			return signature{}, err
		}
		result.Parameters = append(result.Parameters, described)
	}
	if f.VariadicParameter != nil {
		described, err := newParameter(f.VariadicParameter)
		if err != nil {
			return signature{}, err
		}
		result.Variadic = &described
	}
	return result, nil
}

func newParameter(p *tfprotov6.FunctionParameter) (parameter, error) {
	text, err := json.Marshal(p.Type)
	return parameter{Name: p.Name, Description: p.Description, IsNullable: p.AllowNullValue, Type: text}, err
}

// json writes the schema as Terraform would.
func (p providerSchemas) json() ([]byte, error) {
	return json.MarshalIndent(schemas{FormatVersion: "1.0", Providers: map[string]providerSchemas{"dataservice": p}}, "", "  ")
}

// desiredStatusTable returns the table status × desired_status, which the provider
// renders from its own data into the description of the resource.
func (p providerSchemas) desiredStatusTable() (string, error) {
	var b strings.Builder
	for line := range strings.Lines(p.Resources["dataservice_publication"].Block.Description) {
		if strings.HasPrefix(line, "|") {
			b.WriteString(line)
		}
	}
	if b.Len() == 0 {
		return "", errors.New("the description of dataservice_publication holds no table")
	}
	return b.String(), nil
}

func newSchema(s *tfprotov6.Schema) (schema, error) {
	b, err := newBlock(s.Block)
	return schema{Version: s.Version, Block: b}, err
}

func newIdentitySchema(s *tfprotov6.ResourceIdentitySchema) (identitySchema, error) {
	result := identitySchema{Version: s.Version, Attributes: map[string]identityAttribute{}}
	for _, a := range s.IdentityAttributes {
		text, err := json.Marshal(a.Type)
		if err != nil {
			return result, fmt.Errorf("%s: %w", a.Name, err)
		}
		result.Attributes[a.Name] = identityAttribute{Type: text, Description: a.Description, RequiredForImport: a.RequiredForImport, OptionalForImport: a.OptionalForImport}
	}
	return result, nil
}

func newBlock(b *tfprotov6.SchemaBlock) (block, error) {
	if b == nil {
		return block{DescriptionKind: "plain"}, nil
	}
	attributes, err := newAttributes(b.Attributes)
	if err != nil {
		return block{}, err
	}
	result := block{
		Attributes: attributes, Blocks: map[string]nestedBlock{},
		Description: b.Description, DescriptionKind: kind(b.DescriptionKind), Deprecated: b.Deprecated,
	}
	for _, n := range b.BlockTypes {
		inner, err := newBlock(n.Block)
		if err != nil {
			return block{}, fmt.Errorf("%s: %w", n.TypeName, err)
		}
		mode, known := blockModes[n.Nesting]
		if !known {
			return block{}, fmt.Errorf("%s has the unknown nesting %s", n.TypeName, n.Nesting)
		}
		result.Blocks[n.TypeName] = nestedBlock{NestingMode: mode, Block: inner, MinItems: n.MinItems, MaxItems: n.MaxItems}
	}
	return result, nil
}

func newAttributes(list []*tfprotov6.SchemaAttribute) (map[string]attribute, error) {
	attributes := make(map[string]attribute, len(list))
	for _, a := range list {
		result := attribute{
			Description: a.Description, DescriptionKind: kind(a.DescriptionKind), Deprecated: a.Deprecated,
			Required: a.Required, Optional: a.Optional, Computed: a.Computed, Sensitive: a.Sensitive, WriteOnly: a.WriteOnly,
		}
		if a.NestedType != nil {
			inner, err := newAttributes(a.NestedType.Attributes)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", a.Name, err)
			}
			mode, known := objectModes[a.NestedType.Nesting]
			if !known {
				return nil, fmt.Errorf("%s has the unknown nesting %s", a.Name, a.NestedType.Nesting)
			}
			result.NestedType = &nestedType{Attributes: inner, NestingMode: mode}
		} else {
			text, err := json.Marshal(a.Type)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", a.Name, err)
			}
			result.Type = text
		}
		attributes[a.Name] = result
	}
	return attributes, nil
}

var blockModes = map[tfprotov6.SchemaNestedBlockNestingMode]string{
	tfprotov6.SchemaNestedBlockNestingModeSingle: "single",
	tfprotov6.SchemaNestedBlockNestingModeList:   "list",
	tfprotov6.SchemaNestedBlockNestingModeSet:    "set",
	tfprotov6.SchemaNestedBlockNestingModeMap:    "map",
	tfprotov6.SchemaNestedBlockNestingModeGroup:  "group",
}

var objectModes = map[tfprotov6.SchemaObjectNestingMode]string{
	tfprotov6.SchemaObjectNestingModeSingle: "single",
	tfprotov6.SchemaObjectNestingModeList:   "list",
	tfprotov6.SchemaObjectNestingModeSet:    "set",
	tfprotov6.SchemaObjectNestingModeMap:    "map",
}

func kind(k tfprotov6.StringKind) string {
	if k == tfprotov6.StringKindMarkdown {
		return "markdown"
	}
	return "plain"
}
