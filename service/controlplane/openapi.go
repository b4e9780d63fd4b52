// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"encoding/json"
	"net/http"
	"reflect"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Names of the ways to authenticate.
const (
	bearerScheme = "bearer"
	headerScheme = "authToken"
)

// Tags group the calls in the document.
const (
	tagWhoAmI         = "whoami"
	tagConnections    = "connections"
	tagGroups         = "groups"
	tagFolders        = "folders"
	tagAPIs           = "apis"
	tagPublications   = "publications"
	tagReviews        = "reviews"
	tagApps           = "apps"
	tagAuthorizations = "authorizations"
	tagNotices        = "notices"
	tagEnvironments   = "environments"
	tagInstances      = "instances"
	tagMembers        = "members"
	tagWorkspaces     = "workspaces"
	tagTokens         = "tokens"
	tagAccessKeys     = "access-keys"
	tagCatalog        = "catalog"
	tagEvents         = "events"
)

const description = `The native API of dataservice: connections, APIs and where they are filed, publications and their reviews.

**Authentication.** Send ` + "`Authorization: Bearer TOKEN`" + ` or ` + "`X-Auth-Token: TOKEN`" + `.

**Errors** are problem documents (RFC 9457, ` + "`application/problem+json`" + `) with a stable ` + "`code`" + `, the ` + "`request_id`" + `
that the log has too, and for bad input a JSON pointer and a sentence per field.

**Safe repetition.** A POST with an ` + "`Idempotency-Key`" + ` acts at most once for the same key and body within 24 hours.
` + "`ETag`" + ` and ` + "`If-Match`" + ` guard changes of everything that ` + "`PUT`" + ` replaces. ` + "`Retry-After`" + ` says when to try again.

**Lists** come in pages: pass ` + "`next`" + ` of one as ` + "`after`" + ` of the following. **Long polls**: ` + "`?wait=30s`" + `.`

// configuration is that of huma. Its pages and its schema links are left out: they
// load scripts from elsewhere and add fields to answers.
func configuration(version string) huma.Config {
	format := huma.DefaultJSONFormat
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "dataservice", Version: version, Description: description,
				License: &huma.License{Name: "MPL-2.0", Identifier: "MPL-2.0"},
			},
			Tags: []*huma.Tag{
				{Name: tagWhoAmI, Description: "Who a token belongs to."},
				{Name: tagConnections, Description: "Databases that APIs read from."},
				{Name: tagGroups, Description: "What APIs are filed under."},
				{Name: tagFolders, Description: "Places for APIs in a group."},
				{Name: tagAPIs, Description: "Definitions, their validation and their test calls."},
				{Name: tagPublications, Description: "An API in an environment, and what is done to it."},
				{Name: tagReviews, Description: "Applications and their decisions."},
				{Name: tagApps, Description: "Consumers of APIs, and their credentials."},
				{Name: tagAuthorizations, Description: "Which app may call which API, and until when."},
				{Name: tagNotices, Description: "What each authorized app is told before an API ends for it, and its confirmation."},
				{Name: tagEnvironments, Description: "Stages and what they demand."},
				{Name: tagInstances, Description: "Gateway clusters."},
				{Name: tagMembers, Description: "Who acts in the workspace."},
				{Name: tagWorkspaces, Description: "Tenants. Admins of the workspace \"default\" manage all of them, everybody else sees the own one."},
				{Name: tagTokens, Description: "Credentials of members."},
				{Name: tagAccessKeys, Description: "What members sign with, through clients of cloud vendors."},
				{Name: tagCatalog, Description: "What is published."},
				{Name: tagEvents, Description: "The audit trail."},
			},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					bearerScheme: {Type: "http", Scheme: "bearer", Description: "A member's token."},
					headerScheme: {Type: "apiKey", In: "header", Name: "X-Auth-Token", Description: "A member's token."},
				},
				Parameters: map[string]*huma.Param{
					"workspace": {
						Name: "workspace", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString},
						Description: "Id, number or name of the workspace that the token belongs to.", Example: service.DefaultWorkspace,
					},
					"idempotencyKey": {
						Name: "Idempotency-Key", In: "header", Schema: &huma.Schema{Type: huma.TypeString, MaxLength: ptr(maxIdempotencyKey)},
						Description: "A key of the client's choice. The same key with the same body gives the same answer for 24 hours and never acts twice; secrets are left out of a repeated answer.",
					},
				},
			},
		},
		Formats:                      map[string]huma.Format{"application/json": format, "json": format},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{problemFromHuma},
	}
	schemas := config.Components.Schemas
	config.Components.Responses = map[string]*huma.Response{
		"Problem": {
			Description: "The call failed; nothing was changed.",
			Headers: map[string]*huma.Param{
				"X-Request-Id": {Description: "Names the call in the log.", Schema: &huma.Schema{Type: huma.TypeString}},
				"Retry-After":  {Description: "Seconds to wait before another try; with OPERATION_IN_PROGRESS, RATE_LIMITED, OVERLOADED and UNAVAILABLE.", Schema: &huma.Schema{Type: huma.TypeInteger}},
			},
			Content: map[string]*huma.MediaType{
				problemType: {Schema: schemas.Schema(reflect.TypeFor[service.Problem](), true, "")},
			},
		},
	}
	return config
}

// describe completes the document with what huma cannot know from the Go types.
func describe(document *huma.OpenAPI) {
	for _, schema := range document.Components.Schemas.Map() {
		for _, property := range schema.Properties {
			// Lists are answered as [] where they are empty, never as null.
			if property.Type == huma.TypeArray {
				property.Nullable = false
			}
		}
	}
	codes := document.Components.Schemas.Map()["Problem"].Properties["code"]
	for _, code := range service.Codes {
		codes.Enum = append(codes.Enum, string(code))
	}
}

// openAPI answers the document. It is the same for everybody and for all time of the process,
// and large: it is encoded when somebody asks for it first.
func openAPI(document *huma.OpenAPI) http.HandlerFunc {
	encoded := sync.OnceValue(func() []byte {
		data, err := json.MarshalIndent(document, "", "  ")
		if err != nil {
			panic("controlplane: the OpenAPI document cannot be encoded: " + err.Error())
		}
		return data
	})
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(encoded()) // the client is gone where this fails
	}
}

func ptr[T any](v T) *T { return &v }
