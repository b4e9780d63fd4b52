// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"io"

	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// openAPICommand prints what callers can rely on. It is a client of the running service
// like any other.
type openAPICommand struct {
	connectFlags
	Environment string `help:"Describe the APIs that are live in this environment: id or name; RELEASE where nothing is named." xor:"what" placeholder:"REF"`
	Publication string `help:"Describe what is live of the publication with this id." xor:"what" placeholder:"ID"`
	API         string `name:"api" help:"Describe the current revision of this API, live or not: id, number or name." xor:"what" placeholder:"REF"`
	Format      string `help:"Format of the document: json or yaml." enum:"json,yaml" default:"json"`
}

// Run prints the document, alone, on standard output.
func (c openAPICommand) Run(ctx context.Context, s streams) error {
	api, err := c.connect()
	if err != nil {
		return err
	}
	document, err := c.document(ctx, api)
	if err != nil {
		return err
	}
	text := document.JSON()
	if c.Format == "yaml" {
		if text, err = document.YAML(); err != nil {
			return err
		}
	}
	_, err = io.WriteString(s.out, text)
	return err
}

func (c openAPICommand) document(ctx context.Context, api *client.Client) (client.OpenAPI, error) {
	switch {
	case c.API != "":
		return api.DraftOpenAPI(ctx, c.API)
	case c.Publication != "":
		return api.PublicationOpenAPI(ctx, c.Publication)
	default:
		return api.EnvironmentOpenAPI(ctx, client.CatalogFilter{Environment: c.Environment})
	}
}
