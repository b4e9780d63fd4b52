// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console

import (
	"cmp"
	"maps"
	"slices"

	"github.com/go-chi/chi/v5"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func (c *console) catalogPages(r chi.Router) {
	r.Get("/catalog", c.page("catalog", c.catalog))
	r.Get("/catalog/{environment}/openapi.json", c.page("catalog-openapi", c.contract))
	r.Get("/catalog/{environment}/{api}/openapi.json", c.page("catalog-api-openapi", c.contractOfAPI))
	r.Get("/catalog/{environment}/{api}", c.page("catalog-api", c.catalogAPI))
	r.Post("/catalog/{environment}/{api}/try", c.act("try", c.try))
}

// catalogPage is the list of what can be called in an environment.
type catalogPage struct {
	Environments []service.Environment
	Environment  string // its name
	Groups       []service.Group
	Group        string // its id
	Search       string
	APIs         []service.PublishedAPI
	Next         string
}

// catalog lists what can be called in an environment.
// Source: dataarts-service-catalogs.
func (c *console) catalog(v *visit) error {
	p := catalogPage{
		Environment: cmp.Or(v.query("environment"), service.ReleaseEnvironmentName),
		Group:       v.query("group"), Search: v.query("search"),
	}
	var err error
	if p.Environments, err = c.environments(v); err != nil {
		return err
	}
	if v.may(service.OpReadDrafts) {
		groups, err := c.Service.Groups(v, v.caller, lifecycle.Page{Limit: maxChoices})
		if err != nil {
			return err
		}
		p.Groups = groups.Items
	}
	l, err := c.Service.Catalog(v, v.caller, lifecycle.CatalogFilter{Environment: p.Environment, GroupID: p.Group, Search: p.Search}, v.list())
	if err != nil {
		return err
	}
	p.APIs, p.Next = l.Items, v.next(l.Next)
	return c.show(v, "catalog", "catalog", "Catalog", p)
}

// maxChoices is how many things a choice offers.
const maxChoices = 200

// environments are those of the workspace, for a choice.
func (c *console) environments(v *visit) ([]service.Environment, error) {
	l, err := c.Service.Environments(v, v.caller, lifecycle.Page{Limit: maxChoices})
	return l.Items, err
}

// apiPage is one API as it is live in an environment.
type apiPage struct {
	service.PublishedAPI
	Parameters []parameterRow
	Responses  []responseRow
	Errors     []errorRow
	// Curl is a command that calls it.
	Curl string
	// Versions is the history, and Debug what the last test call of the revision was answered;
	// nil for who may not read it.
	Versions []service.Version
	Debug    *debugReport
	// Apps are those that the member can try it with; Tryable says whether it can be tried.
	Apps    []service.App
	Tryable bool
	// Tried is what a try was answered; nil before.
	Tried *tried
}

type parameterRow struct {
	Name string
	service.RequestParameter
	// Value is what the form to try it has in the field.
	Value string
}

type responseRow struct {
	Name string
	service.ResponseParameter
}

type errorRow struct {
	Code string
	service.ErrorDescription
}

// catalogAPI shows one API.
func (c *console) catalogAPI(v *visit) error {
	p, err := c.apiPage(v)
	if err != nil {
		return err
	}
	return c.show(v, "api", "catalog", p.Name, p)
}

func (c *console) apiPage(v *visit) (apiPage, error) {
	published, err := c.Service.PublishedAPI(v, v.caller, v.param("api"), v.param("environment"))
	if err != nil {
		return apiPage{}, err
	}
	p := apiPage{PublishedAPI: published, Tryable: c.Gateway != nil && published.URL != ""}
	d := published.Definition.WithDefaults()
	for _, name := range slices.Sorted(maps.Keys(d.RequestParameters)) {
		r := d.RequestParameters[name]
		p.Parameters = append(p.Parameters, parameterRow{Name: name, RequestParameter: r, Value: valueOf(r)})
	}
	for _, name := range slices.Sorted(maps.Keys(d.ResponseParameters)) {
		p.Responses = append(p.Responses, responseRow{name, d.ResponseParameters[name]})
	}
	for _, code := range slices.Sorted(maps.Keys(d.ErrorCodes)) {
		p.Errors = append(p.Errors, errorRow{code, d.ErrorCodes[code]})
	}
	p.Curl = sampleCall(published).curl()
	if v.may(service.OpReadDrafts) {
		if p.Versions, err = c.Service.Versions(v, v.caller, published.PublicationID); err != nil {
			return p, err
		}
		p.Debug = c.debugReport(v, published.APIID, published.Revision)
	}
	if d.AuthType == service.AuthApp && d.AllowAppCode {
		apps, err := c.Service.Apps(v, v.caller, v.caller.Member.ID, lifecycle.Page{Limit: maxChoices})
		if err != nil {
			return p, err
		}
		p.Apps = apps.Items
	}
	return p, nil
}

// valueOf is the value that a parameter is tried with: its example, else its default.
func valueOf(p service.RequestParameter) string {
	switch {
	case p.Example != nil:
		return *p.Example
	case p.Default != nil:
		return *p.Default
	}
	return ""
}
