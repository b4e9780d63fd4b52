// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// listPageSize is how many things one call asks for.
const listPageSize = 100

// listing is what `terraform query` asks for the things that a resource could manage: each
// of them can be imported by the identity that it is listed with.
//
// F is the model of the filter, T a thing as the service answers it.
type listing[F, T any] struct {
	identified
	// typeName is the name of the resource, things the word for many in sentences.
	typeName, things string
	// description says what is listed, beside the filter's attributes.
	description string
	filter      map[string]schema.Attribute
	page        func(context.Context, *client.Client, F, client.Page) (service.List[T], error)
	// has reports whether a thing that the service listed belongs to the list: what the
	// service does not filter, and what no resource can manage, does not. All do where nil.
	has func(F, T) bool
	// about returns the id that imports the thing, and what people call it.
	about func(T) (id, name string)
	// show makes the resource, in which nothing is set, say what a refresh after an import reads.
	show func(context.Context, *backend, *tfsdk.Resource, T) diag.Diagnostics
}

func (l *listing[F, T]) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = l.typeName
}

func (l *listing[F, T]) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = schema.Schema{MarkdownDescription: l.description, Attributes: l.filter}
}

// List asks for the next page when Terraform has taken the one before. An error comes as a
// result of its own, after what was found until then.
func (l *listing[F, T]) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	stream.Results = func(push func(list.ListResult) bool) {
		var diags diag.Diagnostics
		var filter F
		diags.Append(req.Config.Get(ctx, &filter)...)
		if diags.HasError() || !l.backend.ready(ctx, &diags) {
			push(list.ListResult{Diagnostics: diags})
			return
		}
		var pushed int64
		for item, err := range client.Each(ctx, listPageSize, func(ctx context.Context, page client.Page) (service.List[T], error) {
			return l.page(ctx, l.backend.client, filter, page)
		}) {
			if err != nil {
				addError(&diags, nil, "Cannot list "+l.things, err)
				push(list.ListResult{Diagnostics: diags})
				return
			}
			if l.has != nil && !l.has(filter, item) {
				continue
			}
			pushed++
			if !push(l.result(ctx, req, item)) || pushed == req.Limit {
				return
			}
		}
	}
}

func (l *listing[F, T]) result(ctx context.Context, req list.ListRequest, item T) list.ListResult {
	result := req.NewListResult(ctx)
	id, name := l.about(item)
	result.DisplayName = name
	result.Diagnostics.Append(l.identifyAnew(ctx, result.Identity, types.StringValue(id))...)
	if req.IncludeResource {
		result.Resource.Raw = unset(result.Resource.Raw.Type())
		result.Diagnostics.Append(l.show(ctx, l.backend, result.Resource, item)...)
	}
	return result
}

// unset is an object of which nothing is set; models are read from one, and from none not.
func unset(typ tftypes.Type) tftypes.Value {
	values := map[string]tftypes.Value{}
	if object, ok := typ.(tftypes.Object); ok {
		for name, attribute := range object.AttributeTypes {
			values[name] = tftypes.NewValue(attribute, nil)
		}
	}
	return tftypes.NewValue(typ, values)
}

// showRecord is the show of a resource that is a record.
func showRecord[M, In, T any, P recordModel[M, In, T]](ctx context.Context, _ *backend, shown *tfsdk.Resource, item T) diag.Diagnostics {
	m := P(new(M))
	diags := shown.Get(ctx, m)
	if diags.HasError() {
		return diags
	}
	m.take(item)
	diags.Append(shown.Set(ctx, m)...)
	return diags
}

// nameFilter is the part that the filters of named things share.
type nameFilter struct {
	NameContains types.String `tfsdk:"name_contains"`
}

// admits reports whether the name is one of those that are listed.
func (f nameFilter) admits(name string) bool {
	return strings.Contains(strings.ToLower(name), strings.ToLower(f.NameContains.ValueString()))
}

// byName are the attributes of a filter by name, and the more of one kind of thing.
func byName(more map[string]schema.Attribute) map[string]schema.Attribute {
	attributes := map[string]schema.Attribute{
		"name_contains": listFilter("Those alone whose name contains this text, in whatever case."),
	}
	maps.Copy(attributes, more)
	return attributes
}

// listFilter is an attribute of a filter.
func listFilter(description string, validators ...validator.String) schema.Attribute {
	return schema.StringAttribute{MarkdownDescription: description, Optional: true, Validators: validators}
}

// listFilterOneOf is an attribute of a filter that has one of these values.
func listFilterOneOf[T ~string](description string, values []T) schema.Attribute {
	names := texts(values)
	last := len(names) - 1
	return listFilter(fmt.Sprintf("%s`%s` or `%s`.", description, strings.Join(names[:last], "`, `"), names[last]), stringvalidator.OneOf(names...))
}

// same reports whether a filter, which may be left out, admits the value.
func same(filter types.String, value string) bool {
	return filter.IsNull() || filter.ValueString() == value
}

// listed is the description of a list of what is in the workspace.
func listed(things, more string) string {
	return strings.TrimSpace(fmt.Sprintf("Finds the %s of the provider's workspace that the token's member sees, with the identity that each is imported by. %s", things, more))
}

// The records that are filtered by nothing but their name.

func newGroupList() list.ListResource {
	return &listing[nameFilter, service.Group]{
		typeName: groupType, things: "groups", description: listed("groups", ""), filter: byName(nil),
		page: func(ctx context.Context, c *client.Client, _ nameFilter, page client.Page) (service.List[service.Group], error) {
			return c.Groups(ctx, page)
		},
		has:   func(f nameFilter, g service.Group) bool { return f.admits(g.Name) },
		about: func(g service.Group) (id, name string) { return g.ID, g.Name },
		show:  showRecord[groupModel, service.GroupInput, service.Group],
	}
}

func newWorkspaceList() list.ListResource {
	return &listing[nameFilter, service.Workspace]{
		identified: identified{everywhere: true}, typeName: workspaceType, things: "workspaces", filter: byName(nil),
		description: "Finds the workspaces that the token's member sees, with the identity that each is imported by: all of them for an admin of the workspace `default`, the own one for everybody else.",
		page: func(ctx context.Context, c *client.Client, _ nameFilter, page client.Page) (service.List[service.Workspace], error) {
			return c.Workspaces(ctx, page)
		},
		has:   func(f nameFilter, w service.Workspace) bool { return f.admits(w.Name) },
		about: func(w service.Workspace) (id, name string) { return w.ID, w.Name },
		show:  showRecord[workspaceModel, service.WorkspaceInput, service.Workspace],
	}
}

func newInstanceList() list.ListResource {
	return &listing[nameFilter, service.Instance]{
		typeName: instanceType, things: "instances", description: listed("instances", ""), filter: byName(nil),
		page: func(ctx context.Context, c *client.Client, _ nameFilter, page client.Page) (service.List[service.Instance], error) {
			return c.Instances(ctx, page)
		},
		has:   func(f nameFilter, i service.Instance) bool { return f.admits(i.Name) },
		about: func(i service.Instance) (id, name string) { return i.ID, i.Name },
		show:  showRecord[instanceModel, service.InstanceInput, service.Instance],
	}
}
