// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"maps"
	"slices"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Everything that a configuration says may come from something that is not there yet: a
// plan then defers, and never fails.
func TestEveryResourceIsPlannedWhileItsInputsAreUnknown(t *testing.T) {
	server := providerserver.NewProtocol6(New("test")())()
	schemas, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(schemas.ResourceSchemas)) {
		t.Run(name, func(t *testing.T) {
			p := newProtocol(t, name)
			config := map[string]any{}
			for _, a := range schemas.ResourceSchemas[name].Block.Attributes {
				if (a.Required || a.Optional) && a.Name != "timeouts" {
					config[a.Name] = unknown{}
				}
			}
			if found := p.validate(config); len(found) > 0 {
				t.Errorf("validate finds %s", found)
			}
			planned, found := p.plan(config)
			if len(found) > 0 {
				t.Errorf("the plan finds %s", found)
			}
			var values map[string]tftypes.Value
			if err := planned.As(&values); err != nil {
				t.Fatal(err)
			}
			for input := range config {
				if v := values[input]; v.IsKnown() && !v.IsNull() {
					t.Errorf("%s, which is not known yet, is planned as %s", input, v)
				}
			}
		})
	}
}
