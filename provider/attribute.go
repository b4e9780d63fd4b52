// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// renamed holds the fields whose attribute has another name: because it is write-only,
// because a name does as well as an id, or because one word of a request says too little
// among all attributes of a resource.
var renamed = map[string]string{"password": "password_wo", "owner_id": "owner", "overlap_hours": "rotation_overlap_hours", "time": "notice_time"}

// attributePath turns the JSON pointer of a field into the path of the attribute
// that it comes from. It follows the schema's type: objects have attributes, maps
// have keys, lists have positions. A pointer that leads further than the schema
// stops at the last attribute; ok is false where not even the first one exists.
func attributePath(schemaType attr.Type, pointer string) (at path.Path, ok bool) {
	at = path.Empty()
	for i, element := range pointerElements(pointer) {
		switch t := schemaType.(type) {
		case attr.TypeWithAttributeTypes:
			if name, isRenamed := renamed[element]; isRenamed && i == 0 {
				element = name
			}
			next, exists := t.AttributeTypes()[element]
			if !exists {
				return at, i > 0
			}
			at, schemaType = at.AtName(element), next
		case types.MapType:
			at, schemaType = at.AtMapKey(element), t.ElementType()
		case types.ListType:
			n, err := strconv.Atoi(element)
			if err != nil {
				return at, true
			}
			at, schemaType = at.AtListIndex(n), t.ElementType()
		default:
			return at, i > 0
		}
	}
	return at, true
}

// pointerElements are the names, keys and positions of a JSON pointer.
func pointerElements(pointer string) []string {
	elements := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, element := range elements {
		elements[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(element)
	}
	return elements
}

// addFieldErrors reports what a check of the domain found in a configuration, each
// on its attribute, but for what cannot be judged yet because it is unknown.
func addFieldErrors(ctx context.Context, diags *diag.Diagnostics, config tfsdk.Config, err error) {
	if err == nil {
		return
	}
	fields := fieldErrors(err)
	if len(fields) == 0 {
		diags.AddError("Invalid configuration", err.Error())
		return
	}
	for _, f := range fields {
		at, ok := attributePath(config.Schema.Type(), f.Pointer)
		switch {
		case !ok:
			diags.AddError("Invalid configuration", f.Message)
		case !unknownAt(ctx, config, at):
			// Terraform shows the line of a top-level attribute, and of a nested one only the
			// resource's: the headline says which it is.
			diags.AddAttributeError(at, "Invalid "+at.String(), f.Message)
		}
	}
}

// unknownAt reports whether the value at the path, or one that holds it, is unknown.
func unknownAt(ctx context.Context, config tfsdk.Config, at path.Path) bool {
	for ; len(at.Steps()) > 0; at = at.ParentPath() {
		var value attr.Value
		if diags := config.GetAttribute(ctx, at, &value); !diags.HasError() && value != nil && value.IsUnknown() {
			return true
		}
	}
	return false
}

// leftOut reports whether the configuration leaves the attribute out, which is not
// the same as giving a value that is not known yet.
func leftOut(ctx context.Context, config tfsdk.Config, at path.Path) bool {
	var value attr.Value
	diags := config.GetAttribute(ctx, at, &value)
	return !diags.HasError() && (value == nil || value.IsNull())
}

// fullyKnown reports whether nothing in the values is unknown.
func fullyKnown(values ...attr.Value) bool {
	for _, v := range values {
		if v.IsUnknown() {
			return false
		}
		switch v := v.(type) {
		case interface{ Attributes() map[string]attr.Value }:
			if !fullyKnown(slices.Collect(maps.Values(v.Attributes()))...) {
				return false
			}
		case interface{ Elements() map[string]attr.Value }:
			if !fullyKnown(slices.Collect(maps.Values(v.Elements()))...) {
				return false
			}
		case interface{ Elements() []attr.Value }:
			if !fullyKnown(v.Elements()...) {
				return false
			}
		}
	}
	return true
}

// optional is the value of an optional text: "" reads as null, unless "" is what
// was written there.
func optional(prior types.String, got string) types.String {
	if got == "" && (prior.IsNull() || prior.IsUnknown() || prior.ValueString() != "") {
		return types.StringNull()
	}
	return types.StringValue(got)
}

// orNull is the value of a computed text that may be missing.
func orNull(got string) types.String {
	if got == "" {
		return types.StringNull()
	}
	return types.StringValue(got)
}

// revisionOrNull is the value of a computed revision that may be missing.
func revisionOrNull(n int64) types.Int64 {
	if n == 0 {
		return types.Int64Null()
	}
	return types.Int64Value(n)
}

// fieldErrors returns the fields that an error of the domain blames.
func fieldErrors(err error) []service.FieldError {
	var e *service.Error
	if errors.As(err, &e) {
		return e.Fields
	}
	return nil
}

// texts are the values of an enumeration as validators take them.
func texts[T ~string](values []T) []string {
	t := make([]string, len(values))
	for i, v := range values {
		t[i] = string(v)
	}
	return t
}

// idValidator refuses a name where an id of that kind of thing is asked for: the service
// answers ids, and a name would be planned anew for ever.
type idValidator struct{ kind string }

func (v idValidator) Description(context.Context) string { return "must be the id of the " + v.kind }

func (v idValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (v idValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if text := req.ConfigValue; !text.IsNull() && !text.IsUnknown() && !service.IsID(text.ValueString()) {
		resp.Diagnostics.AddAttributeError(req.Path, "Not an id",
			fmt.Sprintf("%q is not an id: use the id of the %s, 32 hexadecimal digits, such as dataservice_%s.example.id.", text.ValueString(), v.kind, v.kind))
	}
}
