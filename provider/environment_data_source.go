// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/datasourcevalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

type environmentDataSource struct {
	configuredSource
}

func newEnvironmentDataSource() datasource.DataSource { return &environmentDataSource{} }

type environmentSourceModel struct {
	environmentModel
	InstanceName types.String `tfsdk:"instance_name"`
}

func (d *environmentDataSource) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = environmentType
}

func (d *environmentDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A stage of an instance, and what it demands of what is published there.",
		Attributes: map[string]schema.Attribute{
			"id":               askedText("Id of the environment; or ask by `name`.", environmentID),
			"name":             askedText("Name of the environment: what callers send in `X-Stage`. It is looked for in the instance that is given, else in the workspace's instance `default`.", stringvalidator.LengthAtLeast(1)),
			"instance_id":      askedText("Id of the instance.", idValidator{"instance"}, stringvalidator.ConflictsWith(path.MatchRoot("id"), path.MatchRoot("instance_name"))),
			"instance_name":    askedText("Name of the instance.", stringvalidator.LengthAtLeast(1), stringvalidator.ConflictsWith(path.MatchRoot("id"), path.MatchRoot("instance_id"))),
			"description":      shownText("Description of the environment."),
			"review_required":  shownFlag("Whether publications of members without the reviewer right go to review."),
			"four_eyes":        shownFlag("Whether nobody approves an own application, and a reviewer's own publication goes to review too."),
			"notice_hours":     shownNumber("How many hours before a suspension, an unpublishing or a revocation the authorized apps are told."),
			"breaking_changes": shownText("What becomes of a change that breaks callers of what is live here: `warn` or `forbid`."),
			"rate_limit": schema.SingleNestedAttribute{
				MarkdownDescription: "How often all APIs of the environment together may be called; null where there is no bound.",
				Computed:            true,
				Attributes:          readOnly(rateLimitAttributes()),
			},
		},
	}
}

func (d *environmentDataSource) ConfigValidators(context.Context) []datasource.ConfigValidator {
	return []datasource.ConfigValidator{datasourcevalidator.ExactlyOneOf(path.MatchRoot("id"), path.MatchRoot("name"))}
}

func (d *environmentDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var config environmentSourceModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	asked, attribute := config.Name.ValueString(), "name"
	if !config.ID.IsNull() {
		asked, attribute = config.ID.ValueString(), "id"
	}
	if !d.ready(ctx, &resp.Diagnostics, "environment "+asked) {
		return
	}
	instance, err := d.instance(ctx, config)
	if client.IsNotFound(err) {
		attribute = "instance_id"
		if !config.InstanceName.IsNull() {
			attribute = "instance_name"
		}
		resp.Diagnostics.AddAttributeError(path.Root(attribute), "There is no such instance", err.Error())
		return
	}
	var e service.Environment
	if err == nil {
		e, err = d.find(ctx, config, instance)
	}
	if err == nil && instance.ID == "" {
		instance, err = d.backend.client.Instance(ctx, e.InstanceID)
	}
	switch {
	case client.IsNotFound(err):
		resp.Diagnostics.AddAttributeError(path.Root(attribute), "There is no environment "+asked, err.Error())
	case err != nil:
		addError(&resp.Diagnostics, nil, "Cannot read environment "+asked, err)
	default:
		written := config.ID
		config.take(e)
		if !written.IsNull() {
			config.ID = written
		}
		config.InstanceName = types.StringValue(instance.Name)
		resp.Diagnostics.Append(resp.State.Set(ctx, &config)...)
	}
}

// instance is the one in which a name is looked for; empty where an id is.
func (d *environmentDataSource) instance(ctx context.Context, m environmentSourceModel) (service.Instance, error) {
	id, name := m.InstanceID.ValueString(), m.InstanceName.ValueString()
	switch {
	case !m.ID.IsNull():
		return service.Instance{}, nil
	case id != "":
		return d.backend.client.Instance(ctx, id)
	case name == "":
		name = service.DefaultInstance
	}
	found, err := d.backend.client.Instance(ctx, name)
	if err == nil && found.Name != name {
		// It is the number of another one.
		err = service.NotFound("instance", name)
	}
	return found, err
}

// find returns the environment that the configuration asks for.
func (d *environmentDataSource) find(ctx context.Context, m environmentSourceModel, instance service.Instance) (service.Environment, error) {
	if !m.ID.IsNull() {
		return d.backend.client.Environment(ctx, m.ID.ValueString())
	}
	var none service.Environment
	var others []string
	for e, err := range client.Each(ctx, client.MaxPage, d.backend.client.Environments) {
		switch {
		case err != nil:
			return none, err
		case e.InstanceID != instance.ID:
		case e.Name == m.Name.ValueString():
			return e, nil
		default:
			others = append(others, e.Name)
		}
	}
	return none, service.Errorf(service.CodeNotFound, "The instance %s has no environment %q, but %s. Use one of these, or name another instance.", instance.Name, m.Name.ValueString(), strings.Join(others, ", "))
}
