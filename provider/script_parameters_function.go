// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/query"
)

type scriptParameters struct{}

func newScriptParameters() function.Function { return scriptParameters{} }

func (scriptParameters) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "script_parameters"
}

func (scriptParameters) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "The request parameters that a script uses",
		MarkdownDescription: "Returns the names of the request parameters that a SQL script uses, each once, in the order of their first use: so that `request_parameters` of a `dataservice_api` need not repeat them. " +
			"What stands in comments is not used. In a script with tags of MyBatis, names in tests, binds and collections count too, and those that its tags declare do not. " +
			"A script that cannot be read, such as one with a string that is not closed, is an error.",
		Parameters: []function.Parameter{
			function.StringParameter{Name: "sql", MarkdownDescription: "The script, as `sql` of `script` takes it."},
		},
		VariadicParameter: function.StringParameter{
			Name:                "sql_mode",
			MarkdownDescription: "`BASIC` (where absent): placeholders are `${name}`. `MYBATIS`: they are `#{name}` too, and there are tags.",
		},
		Return: function.ListReturn{ElementType: types.StringType},
	}
}

func (scriptParameters) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var sql string
	var modes []string
	if resp.Error = req.Arguments.Get(ctx, &sql, &modes); resp.Error != nil {
		return
	}
	mode := service.SQLBasic
	switch {
	case len(modes) > 1:
		resp.Error = function.NewArgumentFuncError(2, "A script has one sql_mode: leave out what stands behind it.")
		return
	case len(modes) == 1:
		if mode = service.SQLMode(modes[0]); !slices.Contains(service.SQLModes, mode) {
			resp.Error = function.NewArgumentFuncError(1, fmt.Sprintf("%q is not a sql_mode: use %s.", modes[0], strings.Join(texts(service.SQLModes), " or ")))
			return
		}
	}
	names, err := query.ScriptParameters(sql, mode)
	if err != nil {
		resp.Error = function.NewArgumentFuncError(0, err.Error())
		return
	}
	resp.Error = resp.Result.Set(ctx, names)
}
