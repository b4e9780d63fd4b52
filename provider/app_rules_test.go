// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

func TestABadAppFailsThePlanOnItsAttribute(t *testing.T) {
	p := newProtocol(t, appType)
	full := object{
		"name": "shop", "description": "Sells.", "type": "APP", "webhook_url": "https://shop.example.com/notices?from=dataservice",
		"owner": "dev", "rotation": "2026-11", "rotation_overlap_hours": 48,
	}
	if found := p.validate(full); len(found) > 0 {
		t.Fatalf("a full app is not valid: %v", found)
	}
	for name, c := range map[string]struct {
		changes  object
		at, says string
	}{
		"a name with a space":             {object{"name": "the shop"}, "name", `"the shop" is not a valid name`},
		"a description that is too long":  {object{"description": strings.Repeat("x", 2001)}, "description", "2000"},
		"another type":                    {object{"type": "KEY"}, "type", `use "APP" or "IAM"`},
		"a webhook that is no address":    {object{"webhook_url": "shop.example.com"}, "webhook_url", "is not the address of a webhook"},
		"a webhook with a password":       {object{"webhook_url": "https://me:secret@shop.example.com"}, "webhook_url", "without a user"},
		"an empty rotation":               {object{"rotation": ""}, "rotation", "length must be at least 1"},
		"an IAM app that rotates":         {object{"type": "IAM"}, "rotation", "has no credentials to rotate"},
		"an overlap that is negative":     {object{"rotation_overlap_hours": -1}, "rotation_overlap_hours", "between 0 and 720"},
		"an overlap of more than 30 days": {object{"rotation_overlap_hours": 721}, "rotation_overlap_hours", "between 0 and 720"},
		"an overlap of no rotation":       {object{"rotation": nil}, "rotation_overlap_hours", `"rotation" must be specified`},
	} {
		t.Run(name, func(t *testing.T) {
			found := p.validate(with(full, c.changes))
			if len(found) != 1 || found[0].at != c.at || !strings.Contains(found[0].text, c.says) {
				t.Errorf("found is %v, want one at %s that says %q", found, c.at, c.says)
			}
		})
	}
	for attribute := range full {
		if found := p.validate(with(full, object{attribute: unknown{}})); len(found) > 0 {
			t.Errorf("with %s unknown found is %v", attribute, found)
		}
	}
}

func TestThePlanOfAnAppTellsWhatItCanKnow(t *testing.T) {
	p := newProtocol(t, appType)
	attributes := func(t *testing.T, planned tftypes.Value) map[string]tftypes.Value {
		t.Helper()
		var values map[string]tftypes.Value
		if err := planned.As(&values); err != nil {
			t.Fatal(err)
		}
		return values
	}
	made, found := p.plan(object{"name": "shop", "type": "IAM"})
	if key := attributes(t, made)["key"]; len(found) > 0 || !key.IsNull() {
		t.Errorf("the key of an IAM app is planned as %s (%v), want none", key, found)
	}
	made, _ = p.plan(object{"name": "shop", "type": "APP", "rotation": "1"})
	if key := attributes(t, made)["key"]; key.IsKnown() {
		t.Errorf("the key of a new app is planned as %s", key)
	}
	changed, _ := p.update(p.applied(made), object{"name": "shop", "type": "APP", "rotation": "2", "description": "Sells."})
	for _, attribute := range []string{"id", "key", "owner"} {
		if v := attributes(t, changed)[attribute]; !v.IsKnown() {
			t.Errorf("%s is unknown in the plan of a rotation", attribute)
		}
	}
}
