// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// What reads as absent, and what is still to be decided, is imported by nobody: it is not
// listed, and no filter asks for it.

type publicationFilter struct {
	APIID         types.String `tfsdk:"api_id"`
	EnvironmentID types.String `tfsdk:"environment_id"`
	Status        types.String `tfsdk:"status"`
}

func newPublicationList() list.ListResource {
	absent := func(status service.Status) bool {
		row, err := rowOf(&service.Publication{Status: status})
		return err == nil && row.desired == readAbsent
	}
	return &listing[publicationFilter, service.Publication]{
		typeName: publicationType, things: "publications",
		description: listed("publications", "What is `CREATED` or `OFFLINE` is not among them: a resource takes it over when it is created."),
		filter: map[string]schema.Attribute{
			"api_id":         listFilter("Id of the API that is published.", idValidator{"api"}),
			"environment_id": listFilter("Id of the environment that it is published to."),
			"status":         listFilterOneOf("Status of the publications: ", allBut(service.Statuses, absent)),
		},
		page: func(ctx context.Context, c *client.Client, f publicationFilter, page client.Page) (service.List[service.Publication], error) {
			return c.Publications(ctx, client.PublicationFilter{
				APIID: f.APIID.ValueString(), EnvironmentID: f.EnvironmentID.ValueString(), Status: service.Status(f.Status.ValueString()),
			}, page)
		},
		has:   func(_ publicationFilter, p service.Publication) bool { return p.OpenReview != nil || !absent(p.Status) },
		about: func(p service.Publication) (id, name string) { return p.ID, p.APIName + " in " + p.EnvironmentName },
		show: func(ctx context.Context, b *backend, shown *tfsdk.Resource, p service.Publication) diag.Diagnostics {
			var m publicationModel
			diags := shown.Get(ctx, &m)
			r := &publicationResource{identified{configured: configured{b}}}
			if _, err := r.show(ctx, &m, p, ""); err != nil {
				addError(&diags, nil, r.failed("read", m, p), err)
			}
			diags.Append(shown.Set(ctx, &m)...)
			return diags
		},
	}
}

type reviewFilter struct {
	PublicationID types.String `tfsdk:"publication_id"`
	APIRevision   types.Int64  `tfsdk:"api_revision"`
	Kind          types.String `tfsdk:"kind"`
	Status        types.String `tfsdk:"status"`
}

func newReviewList() list.ListResource {
	undecided := func(status service.ReviewStatus) bool {
		return status != service.ReviewApproved && status != service.ReviewRejected
	}
	return &listing[reviewFilter, service.Review]{
		typeName: reviewType, things: "reviews",
		description: listed("decisions on applications", "They come with the newest first. What is pending, or was closed without a decision, is not among them."),
		filter: map[string]schema.Attribute{
			"publication_id": listFilter("Id of the publication that was applied for.", idValidator{"publication"}),
			"api_revision": schema.Int64Attribute{
				MarkdownDescription: "Revision of the API that was applied for.",
				Optional:            true,
				Validators:          []validator.Int64{int64validator.AtLeast(1)},
			},
			"kind":   listFilterOneOf("What was applied for: ", service.ReviewKinds),
			"status": listFilterOneOf("How it was decided: ", []service.ReviewStatus{service.ReviewApproved, service.ReviewRejected}),
		},
		page: func(ctx context.Context, c *client.Client, f reviewFilter, page client.Page) (service.List[service.Review], error) {
			return c.Reviews(ctx, client.ReviewFilter{
				PublicationID: f.PublicationID.ValueString(), Revision: f.APIRevision.ValueInt64(),
				Kind: service.ReviewKind(f.Kind.ValueString()), Status: service.ReviewStatus(f.Status.ValueString()),
			}, page)
		},
		has: func(_ reviewFilter, r service.Review) bool { return !undecided(r.Status) },
		about: func(r service.Review) (id, name string) {
			return r.ID, fmt.Sprintf("%s in %s, %s by %s", subject(r), r.EnvironmentName, strings.ToLower(string(r.Status)), r.DeciderName)
		},
		show: func(ctx context.Context, _ *backend, shown *tfsdk.Resource, r service.Review) diag.Diagnostics {
			var m reviewModel
			diags := shown.Get(ctx, &m)
			m.take(r)
			diags.Append(shown.Set(ctx, &m)...)
			return diags
		},
	}
}

type authorizationFilter struct {
	PublicationID types.String `tfsdk:"publication_id"`
	APIID         types.String `tfsdk:"api_id"`
	EnvironmentID types.String `tfsdk:"environment_id"`
	AppID         types.String `tfsdk:"app_id"`
	Status        types.String `tfsdk:"status"`
}

func newAuthorizationList() list.ListResource {
	return &listing[authorizationFilter, service.Authorization]{
		typeName: authorizationType, things: "authorizations",
		description: listed("authorizations of apps", "What has ended is not among them."),
		filter: map[string]schema.Attribute{
			"publication_id": listFilter("Id of the publication that may be called.", idValidator{"publication"}),
			"api_id":         listFilter("Id of the API that may be called.", idValidator{"api"}),
			"environment_id": listFilter("Id of the environment that it may be called in."),
			"app_id":         listFilter("Id of the app that may call.", idValidator{"app"}),
			"status":         listFilterOneOf("Status of the authorizations: ", allBut(service.AuthorizationStatuses, gone)),
		},
		page: func(ctx context.Context, c *client.Client, f authorizationFilter, page client.Page) (service.List[service.Authorization], error) {
			return c.Authorizations(ctx, client.AuthorizationFilter{
				PublicationID: f.PublicationID.ValueString(), APIID: f.APIID.ValueString(), EnvironmentID: f.EnvironmentID.ValueString(),
				AppID: f.AppID.ValueString(), Status: service.AuthorizationStatus(f.Status.ValueString()),
			}, page)
		},
		has: func(_ authorizationFilter, a service.Authorization) bool { return !gone(a.Status) },
		about: func(a service.Authorization) (id, name string) {
			return a.ID, fmt.Sprintf("%s for %s in %s", a.AppName, a.APIName, a.EnvironmentName)
		},
		show: func(ctx context.Context, b *backend, shown *tfsdk.Resource, a service.Authorization) diag.Diagnostics {
			var m authorizationModel
			diags := shown.Get(ctx, &m)
			r := &authorizationResource{identified{configured: configured{b}}}
			if err := r.show(ctx, &m, a); err != nil {
				addError(&diags, nil, r.failed("read", m, a), err)
			}
			diags.Append(shown.Set(ctx, &m)...)
			return diags
		},
	}
}

// allBut are the values of an enumeration but for some.
func allBut[T any](all []T, but func(T) bool) []T { return slices.DeleteFunc(slices.Clone(all), but) }
