// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// What the schemas of data sources are made of. A shown attribute is what the service
// answers. A filter narrows a list, and is what the configuration says. What is asked for
// by one of several attributes is shown in the others.

// everyModel is the whole of a list, as the models of a data source.
func everyModel[T, M any](ctx context.Context, list func(context.Context, client.Page) (service.List[T], error), model func(T) M) ([]M, error) {
	models := []M{}
	for item, err := range client.Each(ctx, client.MaxPage, list) {
		if err != nil {
			return nil, err
		}
		models = append(models, model(item))
	}
	return models, nil
}

func shownText(description string) schema.StringAttribute {
	return schema.StringAttribute{MarkdownDescription: description, Computed: true}
}

func shownNumber(description string) schema.Int64Attribute {
	return schema.Int64Attribute{MarkdownDescription: description, Computed: true}
}

func shownFlag(description string) schema.BoolAttribute {
	return schema.BoolAttribute{MarkdownDescription: description, Computed: true}
}

func shownTexts(description string) schema.ListAttribute {
	return schema.ListAttribute{MarkdownDescription: description, Computed: true, ElementType: types.StringType}
}

func shownList(description string, attributes map[string]schema.Attribute) schema.ListNestedAttribute {
	return schema.ListNestedAttribute{MarkdownDescription: description, Computed: true, NestedObject: schema.NestedAttributeObject{Attributes: attributes}}
}

func askedText(description string, validators ...validator.String) schema.StringAttribute {
	return schema.StringAttribute{MarkdownDescription: description, Optional: true, Computed: true, Validators: validators}
}

func filterText(description string, validators ...validator.String) schema.StringAttribute {
	return schema.StringAttribute{MarkdownDescription: description, Optional: true, Validators: validators}
}

// filterOf is a filter that takes the values of an enumeration.
func filterOf[T ~string](description string, values []T) schema.StringAttribute {
	return filterText(description, stringvalidator.OneOf(texts(values)...))
}

// maxSearchLength is what the service takes at the most, in characters.
const maxSearchLength = 200

func filterSearch(description string) schema.StringAttribute {
	return filterText(description, stringvalidator.UTF8LengthBetween(1, maxSearchLength))
}

var environmentID = stringvalidator.RegexMatches(environmentIDPattern, "must be the id of an environment: use the id of a dataservice_environment")
