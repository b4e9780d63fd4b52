// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/negotiation"

	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/openapi"
)

// The formats of a contract.
const (
	jsonType = "application/json"
	yamlType = "application/yaml"
)

// yamlTypes are the names that clients ask for YAML by. Source: RFC 9512, section 2.1.
var yamlTypes = []string{yamlType, "application/openapi+yaml", "application/x-yaml", "text/yaml", "text/x-yaml"}

func (a *api) registerContracts() {
	formats := []string{jsonType, yamlType}
	register(a, operation{
		method: http.MethodGet, path: base + "/environments/{ref}/openapi", id: "describe-environment", tag: tagCatalog,
		summary:     "Describe the APIs that are published in an environment as OpenAPI",
		description: "An OpenAPI 3.1 document of what the gateway serves there: the APIs that the catalog shows, as they are live. It is the same, byte for byte, until one of them is another one.",
		produces:    formats,
	}, a.describeEnvironment)
	register(a, operation{
		method: http.MethodGet, path: base + "/publications/{id}/openapi", id: "describe-publication", tag: tagCatalog,
		summary:     "Describe an API as it is live in an environment as OpenAPI",
		description: "An OpenAPI 3.1 document of the live version. Who may read the catalog may read it; of what is suspended, who may read drafts.",
		produces:    formats,
	}, a.describePublication)
	register(a, operation{
		method: http.MethodGet, path: base + "/apis/{ref}/openapi", id: "describe-api", tag: tagAPIs,
		summary:     "Describe the current revision of an API as OpenAPI",
		description: "What its callers could rely on if it were published. The document has no servers.",
		produces:    formats,
	}, a.describeAPI)
}

// FormatInput chooses the format of a document. huma sees exported types alone.
type FormatInput struct {
	Format string `query:"format" enum:"json,yaml" doc:"Where absent, what the header Accept prefers, and JSON where it says nothing."`
	Accept string `header:"Accept" hidden:"true"`
}

// text answers a text in a format.
type text struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (a *api) describeEnvironment(ctx context.Context, c lifecycle.Caller, in *struct {
	RefInput
	CatalogFilterInput
	FormatInput
},
) (*text, error) {
	contract, err := a.Service.Contract(ctx, c, in.filter(in.Ref))
	if err != nil {
		return nil, err
	}
	return in.write(openapi.OfEnvironment(contract))
}

func (a *api) describePublication(ctx context.Context, c lifecycle.Caller, in *struct {
	IDInput
	FormatInput
},
) (*text, error) {
	contract, err := a.Service.PublicationContract(ctx, c, in.ID)
	if err != nil {
		return nil, err
	}
	return in.write(openapi.OfAPI(contract))
}

func (a *api) describeAPI(ctx context.Context, c lifecycle.Caller, in *struct {
	RefInput
	FormatInput
},
) (*text, error) {
	contract, err := a.Service.DraftContract(ctx, c, in.Ref)
	if err != nil {
		return nil, err
	}
	return in.write(openapi.OfAPI(contract))
}

// write writes the document in the format that is asked for.
func (in FormatInput) write(document *huma.OpenAPI) (*text, error) {
	if in.Format == "yaml" || in.Format == "" && slices.Contains(yamlTypes, negotiation.SelectQValue(in.Accept, append([]string{jsonType}, yamlTypes...))) {
		body, err := document.YAML()
		if err != nil {
			return nil, fmt.Errorf("writing an OpenAPI document as YAML: %w", err)
		}
		return &text{yamlType, body}, nil
	}
	body, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing an OpenAPI document as JSON: %w", err)
	}
	return &text{jsonType, append(body, '\n')}, nil
}
