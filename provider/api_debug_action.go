// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// apiDebugAction calls an API as it is defined now, published or not.
type apiDebugAction struct {
	configuredAction
}

func newAPIDebugAction() action.Action { return &apiDebugAction{} }

type apiDebugModel struct {
	APIID      types.String      `tfsdk:"api_id"`
	Parameters map[string]string `tfsdk:"parameters"`
	Body       types.String      `tfsdk:"body"`
}

func (a *apiDebugAction) Metadata(_ context.Context, _ action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = "dataservice_api_debug"
}

func (a *apiDebugAction) Schema(_ context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Calls an API as its definition is now, whether it is published or not, and shows the statement, the rows and the time. A call that is not answered with success is an error. A success counts as the debug that publishing needs.",
		Attributes: map[string]schema.Attribute{
			"api_id": schema.StringAttribute{
				MarkdownDescription: "Id of the API.",
				Required:            true,
				Validators:          []validator.String{stringvalidator.RegexMatches(idPattern, "must be the id of an API: use the id of a dataservice_api")},
			},
			"parameters": schema.MapAttribute{
				MarkdownDescription: "Values to call it with, by parameter; each parameter's default or example where absent.",
				ElementType:         types.StringType,
				Optional:            true,
			},
			"body": schema.StringAttribute{
				MarkdownDescription: "Request body, for a registered API whose body has no declared parameters.",
				Optional:            true,
			},
		},
	}
}

func (a *apiDebugAction) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	var config apiDebugModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() || !a.backend.ready(ctx, &resp.Diagnostics) {
		return
	}
	id := config.APIID.ValueString()
	api, err := a.backend.client.API(ctx, id)
	if err != nil {
		resp.Diagnostics.AddAttributeError(path.Root("api_id"), summary("debug", "API", "", id), err.Error())
		return
	}
	sendProgress(resp, "Calling revision %d of %s: %s %s", api.Revision, api.Name, api.Definition.Method, api.Definition.Path)
	result, err := a.backend.client.DebugAPI(ctx, id, service.DebugInput{Parameters: config.Parameters, Body: config.Body.ValueString()})
	if err != nil {
		addError(&resp.Diagnostics, req.Config.Schema.Type(), summary("debug", "API", api.Name, id), err)
		return
	}
	if result.Statement != "" {
		sendProgress(resp, "It ran: %s", result.Statement)
	}
	took := time.Duration(result.DurationMS * float64(time.Millisecond)).Round(100 * time.Microsecond)
	if result.Status < 200 || result.Status > 299 {
		resp.Diagnostics.AddError(summary("debug", "API", api.Name, id),
			fmt.Sprintf("The call was answered with HTTP %d after %s: %s%s", result.Status, took, result.Body, result.Text))
		return
	}
	answer := fmt.Sprintf("It answered HTTP %d after %s", result.Status, took)
	if api.Definition.Mode != service.ModeRegistration {
		answer += fmt.Sprintf(" with %d rows", result.Rows)
	}
	sendProgress(resp, "%s", answer)
}
