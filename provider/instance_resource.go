// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

const instanceType = "dataservice_instance"

type instanceResource struct {
	record[instanceModel, service.InstanceInput, service.Instance, *instanceModel]
}

func newInstanceResource() resource.Resource {
	r := &instanceResource{}
	r.typeName, r.noun, r.kind = instanceType, "instance", service.KindInstances
	r.create, r.read = (*client.Client).CreateInstance, (*client.Client).Instance
	r.update, r.remove = (*client.Client).UpdateInstance, (*client.Client).DeleteInstance
	r.etag = service.Instance.ETag
	return r
}

type instanceModel struct {
	ID                   types.String `tfsdk:"id"`
	Number               types.Int64  `tfsdk:"number"`
	Name                 types.String `tfsdk:"name"`
	Description          types.String `tfsdk:"description"`
	HostNames            types.Set    `tfsdk:"host_names"`
	ReleaseEnvironmentID types.String `tfsdk:"release_environment_id"`
}

func (r *instanceResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A gateway cluster: callers reach the APIs that are published to its environments by its host names. It comes with an environment `RELEASE`. " +
			"One that still has publications, or environments beside `RELEASE`, is not destroyed; the instance `default` stays, and is imported.",
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				MarkdownDescription: "Id of the instance.",
				Computed:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"number": schema.Int64Attribute{
				MarkdownDescription: "Sequential number of the instance, from 100001.",
				Computed:            true,
				PlanModifiers:       []planmodifier.Int64{int64planmodifier.UseStateForUnknown()},
			},
			"name": schema.StringAttribute{
				MarkdownDescription: "2 to 64 letters, digits, underscores and hyphens, starting with a letter; unique in the workspace. `default` keeps its name.",
				Required:            true,
			},
			"description": schema.StringAttribute{
				MarkdownDescription: "At most 2000 characters.",
				Optional:            true,
			},
			"host_names": schema.SetAttribute{
				MarkdownDescription: fmt.Sprintf("DNS names, in lower case and without a port, that callers send as the host; at most %d, each of one instance of the service alone. Calls to any other host reach the instance `default` of the workspace `default`.", service.MaxHostNames),
				Optional:            true,
				ElementType:         types.StringType,
			},
			"release_environment_id": schema.StringAttribute{
				MarkdownDescription: "Id of the instance's environment `RELEASE`.",
				Computed:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
		},
	}
}

func (m *instanceModel) idAndName() (id, name types.String) { return m.ID, m.Name }

// input leaves out host names that are not known yet.
func (m *instanceModel) input() service.InstanceInput {
	in := service.InstanceInput{InstanceSpec: service.InstanceSpec{Name: m.Name.ValueString(), Description: m.Description.ValueString()}}
	for _, element := range m.HostNames.Elements() {
		if s, ok := element.(types.String); ok && !s.IsUnknown() {
			in.HostNames = append(in.HostNames, s.ValueString())
		}
	}
	return in
}

// take makes the model say what the service answered. None reads as null, unless an empty
// set is what was written there.
func (m *instanceModel) take(i service.Instance) {
	m.ID, m.Number = types.StringValue(i.ID), types.Int64Value(i.Number)
	m.Name, m.Description = types.StringValue(i.Name), optional(m.Description, i.Description)
	m.ReleaseEnvironmentID = types.StringValue(i.ReleaseEnvironmentID)
	if len(i.HostNames) == 0 && (m.HostNames.IsNull() || m.HostNames.IsUnknown() || len(m.HostNames.Elements()) > 0) {
		m.HostNames = types.SetNull(types.StringType)
		return
	}
	hosts := make([]attr.Value, len(i.HostNames))
	for n, host := range i.HostNames {
		hosts[n] = types.StringValue(host)
	}
	m.HostNames = types.SetValueMust(types.StringType, hosts)
}

func (r *instanceResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config instanceModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if !resp.Diagnostics.HasError() {
		addFieldErrors(ctx, &resp.Diagnostics, req.Config, config.input().Validate())
	}
}
