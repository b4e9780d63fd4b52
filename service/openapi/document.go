// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package openapi describes published APIs to their callers: as an OpenAPI 3.1 document
// of what the gateway serves. It does no I/O, and the same contract gives the same
// document, byte for byte.
//
// What an API takes and answers is read from the definition that is live; what stands
// around every call (paging, the envelope, errors, credentials) is that of service/gateway.
package openapi

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

const (
	specification = "3.1.0"
	schemasPrefix = "#/components/schemas/"
)

// Names of what the document has beyond the specification.
const (
	extensionWorkspace     = "x-dataservice-workspace"
	extensionInstance      = "x-dataservice-instance"
	extensionEnvironment   = "x-dataservice-environment"
	extensionAPI           = "x-dataservice-api-id"
	extensionPublication   = "x-dataservice-publication-id"
	extensionVersion       = "x-dataservice-version"
	extensionRevision      = "x-dataservice-revision"
	extensionErrorCodes    = "x-dataservice-error-codes"
	extensionFailureSample = "x-dataservice-failure-sample"
	// extensionSunset is when a deprecated operation ends at the latest, RFC 3339 in UTC.
	extensionSunset = "x-sunset"
)

// OfEnvironment describes every API of the contract. The version of the document is a
// hash of what it says: another one means that something is different for callers.
func OfEnvironment(c service.Contract) *huma.OpenAPI {
	d := describe(c)
	d.Info.Title = fmt.Sprintf("APIs of %s in %s", c.Workspace, c.Environment)
	d.Info.Description = place(c)
	text, err := json.Marshal(d)
	if err != nil {
		panic("openapi: a document is always JSON: " + err.Error())
	}
	hash := sha256.Sum256(text)
	d.Info.Version = hex.EncodeToString(hash[:6])
	return d
}

// OfAPI describes the one API of the contract, under its own name and version.
func OfAPI(c service.Contract) *huma.OpenAPI {
	d := describe(c)
	api := c.APIs[0]
	d.Info.Title, d.Info.Version = api.Name, api.Version
	d.Info.Description = strings.TrimPrefix(api.Description+"\n\n"+place(c), "\n\n")
	if api.Version == "" {
		d.Info.Version = fmt.Sprintf("revision-%d", api.Revision)
	}
	return d
}

// place tells where the APIs of the contract are called.
func place(c service.Contract) string {
	switch {
	case c.Environment == "":
		return "This is a draft: it is called nowhere before it is published."
	case len(c.Addresses) == 0:
		return fmt.Sprintf("No host name leads to the instance %s: whoever manages it gives it one.", c.Instance)
	case c.Environment == service.ReleaseEnvironmentName:
		return fmt.Sprintf("Called in the environment %s, which a call without the header %s goes to.", c.Environment, stageHeader)
	default:
		return fmt.Sprintf("Called in the environment %s, which the header %s names.", c.Environment, stageHeader)
	}
}

// describe makes a document without title and version.
func describe(c service.Contract) *huma.OpenAPI {
	d := &huma.OpenAPI{
		OpenAPI: specification,
		Info:    &huma.Info{Extensions: map[string]any{extensionWorkspace: c.Workspace}},
		Paths:   map[string]*huma.PathItem{},
		Components: &huma.Components{
			Schemas:         huma.NewMapRegistry(schemasPrefix, huma.DefaultSchemaNamer),
			Responses:       map[string]*huma.Response{},
			SecuritySchemes: map[string]*huma.SecurityScheme{},
		},
	}
	if c.Environment != "" {
		d.Info.Extensions[extensionInstance], d.Info.Extensions[extensionEnvironment] = c.Instance, c.Environment
	}
	for _, address := range c.Addresses {
		d.Servers = append(d.Servers, &huma.Server{URL: address})
	}
	if len(c.APIs) == 0 {
		// Without any, huma leaves the field out, which tools look for.
		d.Extensions = map[string]any{"paths": map[string]any{}}
	}
	apis := slices.SortedFunc(slices.Values(c.APIs), func(a, b service.PublishedAPI) int { return cmp.Compare(a.Number, b.Number) })
	ids := operationIDs(apis)
	for i, api := range apis {
		api.Definition = api.Definition.WithDefaults()
		o := operation{document: d, contract: c, api: api, definition: api.Definition, id: ids[i]}
		item := d.Paths[api.Definition.Path]
		if item == nil {
			item = &huma.PathItem{}
			d.Paths[api.Definition.Path] = item
		}
		switch api.Definition.Method {
		case service.MethodGet:
			item.Get = o.describe()
		case service.MethodPost:
			item.Post = o.describe()
		case service.MethodPut:
			item.Put = o.describe()
		case service.MethodDelete:
			item.Delete = o.describe()
		}
	}
	return d
}

// operationIDs are the names of the APIs, which client generators make functions of. Names
// that are live twice, since one of the APIs was renamed afterwards, have the number behind them.
func operationIDs(apis []service.PublishedAPI) []string {
	named, taken := map[string]int{}, map[string]bool{}
	for _, api := range apis {
		named[api.Name]++
	}
	ids := make([]string, len(apis))
	for i, api := range apis {
		id := api.Name
		if named[id] > 1 {
			id = fmt.Sprintf("%s_%d", id, api.Number)
		}
		for taken[id] {
			id += "_"
		}
		ids[i], taken[id] = id, true
	}
	return ids
}
