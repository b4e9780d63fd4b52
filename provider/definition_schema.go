// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	datasource "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/setdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// What a definition may have is said by the domain ([service.APIInput.Validate]), in
// sentences of its own: the schema repeats none of its rules. It refuses only "" and 0
// where the service takes them for left out.
//
// Every attribute that has a default is computed with it, in nested objects too: it
// costs the framework nothing beyond the attribute itself, and an imported API needs no
// change whether its configuration writes a default or leaves it out.

// definitionAttributes are those that count an API's revision up.
func definitionAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"path": schema.StringAttribute{
			MarkdownDescription: "Path below the gateway's address: at most 200 letters, digits, underscores, hyphens and slashes, starting with a slash. In an environment each method and path belongs to one published API.",
			Required:            true,
		},
		"method": textOr(service.MethodGet,
			"HTTP method of a call: `GET` (where absent) or `POST`; a registered API can also be called with `PUT` or `DELETE`."),
		"mode": schema.StringAttribute{
			MarkdownDescription: "How the API gets its answer: `WIZARD`, `SCRIPT` or `REGISTRATION`. Where absent, it is that of the block that is given. Where several are given, it says which one counts; the others are ignored, with a warning.",
			Optional:            true,
			Computed:            true,
			Validators:          []validator.String{writtenValidator{}},
		},
		"protocols": schema.SetAttribute{
			MarkdownDescription: "What the API may be called over: `HTTP`, `HTTPS` or both, which is what absent means.",
			ElementType:         types.StringType,
			Optional:            true,
			Computed:            true,
			Default:             setdefault.StaticValue(protocolsValue(service.Protocols)),
			Validators:          []validator.Set{writtenValidator{}},
		},
		"request_content_type": textOr(service.ContentJSON,
			"Format of the body that a caller sends to a registered API with `POST` or `PUT`: `JSON` (where absent), `XML` or `FORM`."),
		"response_content_type": textOr(service.ContentJSON,
			"Format of the answer: `JSON` (where absent); a registered API can also answer `XML`."),
		"auth_type": schema.StringAttribute{
			MarkdownDescription: "How callers prove who they are: `APP` asks for the signature of an authorized `dataservice_app`, `IAM` for the token of a member whose app of the type `IAM` is authorized, and `NONE` lets everybody call. There is no default, so that an open API is one on purpose.",
			Required:            true,
		},
		"allow_app_code": flag("`APP`: whether an app's AppCode in a header will do in place of a signature; `false` where absent. It is easier to send, and to steal."),
		"timeout_ms": schema.Int64Attribute{
			MarkdownDescription: "How long one call may take, 1 to 30000 milliseconds; 10000 where absent. The database cancels the statement when it is over, and the call of a backend is broken off.",
			Optional:            true,
			Computed:            true,
			Default:             int64default.StaticInt64(service.DefaultTimeoutMS),
			Validators:          []validator.Int64{writtenValidator{}},
		},
		"connection_id": text("Id of the `dataservice_connection` to read from. `WIZARD` and `SCRIPT` need it; `REGISTRATION` has none."),
		"wizard": schema.SingleNestedAttribute{
			MarkdownDescription: "Answer rows of a table, chosen and sorted by its columns.",
			Optional:            true,
			Attributes:          wizardAttributes(),
		},
		"script": schema.SingleNestedAttribute{
			MarkdownDescription: "Answer the rows of a SQL statement.",
			Optional:            true,
			Attributes:          scriptAttributes(),
		},
		"registration": schema.SingleNestedAttribute{
			MarkdownDescription: "Answer what an HTTP backend answers.",
			Optional:            true,
			Attributes:          registrationAttributes(),
		},
		"request_parameters": schema.MapNestedAttribute{
			MarkdownDescription: "What a caller passes, by name: 1 to 64 letters, digits and underscores, not starting with a digit. Names of headers may have hyphens too. At most 200.",
			Optional:            true,
			NestedObject:        schema.NestedAttributeObject{Attributes: requestParameterAttributes()},
		},
		"response_parameters": schema.MapNestedAttribute{
			MarkdownDescription: "`WIZARD` and `SCRIPT`: the columns to answer, by name, 1 to 200; other columns are not answered. `REGISTRATION`: what the answer has, for documentation.",
			Optional:            true,
			NestedObject:        schema.NestedAttributeObject{Attributes: responseParameterAttributes()},
		},
		"error_codes": schema.MapNestedAttribute{
			MarkdownDescription: "The error codes that the API answers, for documentation: by code, 1 to 64 letters, digits, dots, underscores and hyphens. At most 100.",
			Optional:            true,
			NestedObject:        schema.NestedAttributeObject{Attributes: errorCodeAttributes()},
		},
		"success_sample": text("A successful answer, for documentation; at most 16384 characters."),
		"failure_sample": text("A failed answer, for documentation; at most 16384 characters."),
		"rate_limit": schema.SingleNestedAttribute{
			MarkdownDescription: "How often all callers together may call the API. What exceeds it is answered with the status 429.",
			Optional:            true,
			Attributes:          rateLimitAttributes(),
		},
		"caller_rate_limit": schema.SingleNestedAttribute{
			MarkdownDescription: "How often each caller may call the API.",
			Optional:            true,
			Attributes:          rateLimitAttributes(),
		},
		"cache_ttl_seconds": schema.Int64Attribute{
			MarkdownDescription: "`WIZARD` and `SCRIPT`: how long an answer may be given again to the same call, at most 86400 seconds; `0` (where absent): never.",
			Optional:            true,
			Computed:            true,
			Default:             int64default.StaticInt64(0),
		},
	}
}

func wizardAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"table": schema.StringAttribute{
			MarkdownDescription: "Table or view to read: a name, or `schema.name`. Letters count as they are written in the database.",
			Required:            true,
		},
		"paged":      flag(pagedDescription),
		"skip_total": flag(skipTotalDescription),
		"order_by": schema.ListNestedAttribute{
			MarkdownDescription: "Columns to sort by, the first one first; at most 16. Without them the database chooses the order, which may differ from page to page.",
			Optional:            true,
			NestedObject:        schema.NestedAttributeObject{Attributes: orderAttributes()},
		},
	}
}

const (
	pagedDescription     = "Answer one page with the total number of rows, instead of all rows. The caller chooses it with `pageNum` and `pageSize`. `false` where absent."
	skipTotalDescription = "Paged: leave the total out (`totalNum` is null), which spares the database the counting. `false` where absent."
)

func orderAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"column":     schema.StringAttribute{MarkdownDescription: "Name of the column.", Required: true},
		"descending": flag("From the greatest to the least; `false` where absent."),
	}
}

func scriptAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"sql": schema.StringAttribute{
			MarkdownDescription: "One statement that returns rows, at most 65536 bytes. `${name}` binds the request parameter `name`, and never becomes a part of the statement's text. In Terraform it is written `$${name}`, or stands in a file: `file(\"${path.module}/orders.sql\")`.",
			Required:            true,
		},
		"sql_mode": textOr(service.SQLBasic,
			"`BASIC` (where absent), or `MYBATIS`, which adds `#{name}` and the tags `if`, `choose`, `where`, `trim`, `foreach` and `bind`."),
		"table":      text("Name of the table that the script is mostly about, for documentation alone."),
		"paged":      flag(pagedDescription),
		"skip_total": flag(skipTotalDescription),
	}
}

func registrationAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"host": schema.StringAttribute{
			MarkdownDescription: "Base URL of the backend: `http://` or `https://`, a host and maybe a port.",
			Required:            true,
		},
		"path": schema.StringAttribute{
			MarkdownDescription: "Path at the backend, starting with a slash, at most 200 characters. `[name]` is filled with the request parameter of that name and the position `PATH`.",
			Required:            true,
		},
		"content_type":             textOr(service.ContentJSON, "Format of the backend's answers: `JSON` (where absent) or `XML`."),
		"request_body_description": text("What the body of a call is, where it has no declared parameters; at most 2000 characters."),
	}
}

func requestParameterAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"type": schema.StringAttribute{
			MarkdownDescription: typesText() + ". `INT` has 32 bits, `LONG` 64. Lists are passed as `1,2,3` or as a JSON array.",
			Required:            true,
		},
		"position": textOr(service.PositionQuery,
			"Where the value is passed: `QUERY` (where absent). A registered API also has `PATH`, which fills `[name]` in the backend's path and is passed in the query string, `HEADER` and, with `POST` and `PUT`, `BODY`."),
		"operator": textOr(service.OperatorEqual,
			"What is done with the value. `EQUAL` (where absent) compares the column in a wizard, and is the value itself elsewhere. A wizard also has `LIKE`, with `%` and `_` in the value, and `IN`, with a list. A registered API also has `CONST`: the backend always gets `default`, and callers cannot pass anything."),
		"required":    flag("Whether a call without the parameter is refused; `false` where absent."),
		"column":      text("`WIZARD`: the column that is compared; the one with the parameter's name where absent."),
		"default":     text("Value of a call that does not pass the parameter, written as in a call. Without it, the parameter is NULL in a script, its condition is left out in a wizard, and nothing is sent to a backend."),
		"example":     text("Value for documentation, and for the debug where nothing else is given."),
		"description": text("At most 2000 characters."),
	}
}

func responseParameterAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"type": schema.StringAttribute{
			MarkdownDescription: "Type of the values in the answer: " + typesText() + ".",
			Required:            true,
		},
		"column":      text("`WIZARD`: the column that is answered; the one with the parameter's name where absent."),
		"example":     text("Value for documentation."),
		"description": text("At most 2000 characters."),
	}
}

func errorCodeAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"message":  schema.StringAttribute{MarkdownDescription: "What the code means; at most 2000 characters.", Required: true},
		"solution": text("What a caller does about it; at most 2000 characters."),
	}
}

func rateLimitAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"requests": schema.Int64Attribute{
			MarkdownDescription: "Calls per period, 1 to 1000000; as many may come at once.",
			Required:            true,
		},
		"period_seconds": schema.Int64Attribute{
			MarkdownDescription: "Length of the period, 1 to 86400 seconds; `1` where absent.",
			Optional:            true,
			Computed:            true,
			Default:             int64default.StaticInt64(1),
			Validators:          []validator.Int64{writtenValidator{}},
		},
	}
}

func typesText() string { return "`" + strings.Join(texts(service.ParameterTypes), "`, `") + "`" }

// text is an optional text without a default.
func text(description string) schema.StringAttribute {
	return schema.StringAttribute{MarkdownDescription: description, Optional: true}
}

// textOr is an optional text with its default.
func textOr[T ~string](value T, description string) schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: description,
		Optional:            true,
		Computed:            true,
		Default:             stringdefault.StaticString(string(value)),
		Validators:          []validator.String{writtenValidator{}},
	}
}

// flag is false where absent.
func flag(description string) schema.BoolAttribute {
	return schema.BoolAttribute{MarkdownDescription: description, Optional: true, Computed: true, Default: booldefault.StaticBool(false)}
}

// typesOf are the types of nested attributes.
func typesOf(attributes map[string]schema.Attribute) map[string]attr.Type {
	t := make(map[string]attr.Type, len(attributes))
	for name, a := range attributes {
		t[name] = a.GetType()
	}
	return t
}

// readOnly are the attributes of a resource as a data source shows them.
func readOnly(attributes map[string]schema.Attribute) map[string]datasource.Attribute {
	shown := make(map[string]datasource.Attribute, len(attributes))
	for name, a := range attributes {
		shown[name] = readOnlyAttribute(a)
	}
	return shown
}

func readOnlyAttribute(a schema.Attribute) datasource.Attribute {
	description := a.GetMarkdownDescription()
	switch a := a.(type) {
	case schema.BoolAttribute:
		return datasource.BoolAttribute{MarkdownDescription: description, Computed: true}
	case schema.Int64Attribute:
		return datasource.Int64Attribute{MarkdownDescription: description, Computed: true}
	case schema.SetAttribute:
		return datasource.SetAttribute{MarkdownDescription: description, Computed: true, ElementType: a.ElementType}
	case schema.SingleNestedAttribute:
		return datasource.SingleNestedAttribute{MarkdownDescription: description, Computed: true, Attributes: readOnly(a.Attributes)}
	case schema.MapNestedAttribute:
		return datasource.MapNestedAttribute{MarkdownDescription: description, Computed: true, NestedObject: datasource.NestedAttributeObject{Attributes: readOnly(a.NestedObject.Attributes)}}
	case schema.ListNestedAttribute:
		return datasource.ListNestedAttribute{MarkdownDescription: description, Computed: true, NestedObject: datasource.NestedAttributeObject{Attributes: readOnly(a.NestedObject.Attributes)}}
	default:
		return datasource.StringAttribute{MarkdownDescription: description, Computed: true}
	}
}
