// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package openapi

import (
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// operation is one API while it is described.
type operation struct {
	document *huma.OpenAPI
	contract service.Contract
	api      service.PublishedAPI
	// definition is that of the API, with its defaults filled in.
	definition service.Definition
	id         string
}

func (o operation) describe() *huma.Operation {
	described := &huma.Operation{
		OperationID: o.id,
		Summary:     o.api.Name,
		Description: o.api.Description,
		Servers:     o.servers(),
		Parameters:  o.parameters(),
		RequestBody: o.requestBody(),
		Responses:   o.responses(),
		Security:    o.security(),
		Extensions:  map[string]any{extensionAPI: o.api.APIID, extensionRevision: o.api.Revision},
	}
	if o.api.PublicationID != "" {
		described.Extensions[extensionPublication], described.Extensions[extensionVersion] = o.api.PublicationID, o.api.Version
	}
	if len(o.definition.ErrorCodes) > 0 {
		described.Extensions[extensionErrorCodes] = o.definition.ErrorCodes
	}
	if o.definition.FailureSample != "" {
		described.Extensions[extensionFailureSample] = sample(o.definition.FailureSample)
	}
	if o.ends() {
		described.Deprecated = true
		described.Extensions[extensionSunset] = o.api.Deadline.UTC().Format(time.RFC3339)
	}
	return described
}

// ends reports whether the end of the API was announced.
func (o operation) ends() bool {
	return o.api.Deadline != nil && (o.api.Status == service.StatusWaitingStop || o.api.Status == service.StatusWaitingOffline)
}

// servers are the addresses that the API may be called at; nil where they are those of the
// whole document.
func (o operation) servers() []*huma.Server {
	var permitted []*huma.Server
	for _, s := range o.document.Servers {
		scheme, _, _ := strings.Cut(s.URL, "://")
		if slices.Contains(o.definition.Protocols, service.Protocol(strings.ToUpper(scheme))) {
			permitted = append(permitted, s)
		}
	}
	if len(permitted) == len(o.document.Servers) {
		return nil
	}
	return permitted
}
