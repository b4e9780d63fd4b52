// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// identified is the part that all resources share: what Terraform knows a thing of the
// service by. That is its id and its workspace's, of which neither ever changes, while
// names and what somebody applied for do.
//
// Terraform takes an identity that differs from the one before as a fault of the provider.
// So what is there stays: an identity is given to what has none yet, be it new or from a
// state that was written without, and to what was imported, whose id may be a name till then.
type identified struct {
	configured
	// everywhere says that the things lie in no workspace.
	everywhere bool
}

func (r *identified) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{Attributes: map[string]identityschema.Attribute{
		"id": identityschema.StringAttribute{
			Description:       "The id, as `terraform import` takes it.",
			RequiredForImport: true,
		},
	}}
	if !r.everywhere {
		resp.IdentitySchema.Attributes["workspace_id"] = identityschema.StringAttribute{
			Description:       "Id of the workspace that it is in, which must be the provider's; the provider's where absent.",
			OptionalForImport: true,
		}
	}
}

// identify gives an identity to what has none.
func (r *identified) identify(ctx context.Context, identity *tfsdk.ResourceIdentity, id types.String) diag.Diagnostics {
	if !identity.Raw.IsFullyNull() {
		return nil
	}
	return r.identifyAnew(ctx, identity, id)
}

// identifyAnew gives an identity to what was imported or listed. The workspace is left out
// while the provider's configuration is unknown.
func (r *identified) identifyAnew(ctx context.Context, identity *tfsdk.ResourceIdentity, id types.String) diag.Diagnostics {
	diags := identity.SetAttribute(ctx, path.Root("id"), id)
	if own := r.backend.known(); own != nil && !r.everywhere {
		diags.Append(identity.SetAttribute(ctx, path.Root("workspace_id"), own.Workspace.ID)...)
	}
	return diags
}

// imported returns what an import names: an id as `terraform import` takes it, or that of
// an identity, whose workspace must be the provider's.
func (r *identified) imported(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) (id string, ok bool) {
	if req.ID != "" {
		return req.ID, true
	}
	var named, workspace types.String
	resp.Diagnostics.Append(req.Identity.GetAttribute(ctx, path.Root("id"), &named)...)
	if !r.everywhere {
		resp.Diagnostics.Append(req.Identity.GetAttribute(ctx, path.Root("workspace_id"), &workspace)...)
	}
	if resp.Diagnostics.HasError() {
		return "", false
	}
	if named.ValueString() == "" {
		resp.Diagnostics.AddAttributeError(path.Root("id"), "Nothing to import", "The id of the identity is empty: write that of the thing to import.")
		return "", false
	}
	if workspace.ValueString() == "" {
		return named.ValueString(), true
	}
	if !r.backend.ready(ctx, &resp.Diagnostics) {
		return "", false
	}
	own, err := r.backend.whoAmI(ctx)
	if err != nil {
		addError(&resp.Diagnostics, nil, "Cannot import "+named.ValueString(), err)
		return "", false
	}
	if !own.Workspace.Named(workspace.ValueString()) {
		resp.Diagnostics.AddAttributeError(path.Root("workspace_id"), "Another workspace",
			fmt.Sprintf("The identity to import is in the workspace %s, and the provider is in %s (%s). Import it with a provider whose token belongs to that workspace, or leave workspace_id out.",
				workspace.ValueString(), own.Workspace.Name, own.Workspace.ID))
		return "", false
	}
	return named.ValueString(), true
}

// ImportState takes over what is named; the read that follows finds it, and its identity.
func (r *identified) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	if id, ok := r.imported(ctx, req, resp); ok {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), id)...)
	}
}
