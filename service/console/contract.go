// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console

import (
	"encoding/json"
	"fmt"

	"github.com/danielgtaylor/huma/v2"

	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/openapi"
)

// contract answers the OpenAPI document of an environment.
func (c *console) contract(v *visit) error {
	contract, err := c.Service.Contract(v, v.caller, lifecycle.CatalogFilter{Environment: v.param("environment")})
	if err != nil {
		return err
	}
	return v.document(openapi.OfEnvironment(contract))
}

// contractOfAPI answers that of an API as it is live in an environment.
func (c *console) contractOfAPI(v *visit) error {
	published, err := c.Service.PublishedAPI(v, v.caller, v.param("api"), v.param("environment"))
	if err != nil {
		return err
	}
	contract, err := c.Service.PublicationContract(v, v.caller, published.PublicationID)
	if err != nil {
		return err
	}
	return v.document(openapi.OfAPI(contract))
}

func (v *visit) document(d *huma.OpenAPI) error {
	body, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return fmt.Errorf("writing an OpenAPI document: %w", err)
	}
	v.w.Header().Set("Content-Type", "application/json")
	_, _ = v.w.Write(append(body, '\n')) // who asked is gone where this fails
	return nil
}
