// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataarts

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

const debugPrefix = "API_DEBUG_"

// overview is an API in a list.
type overview struct {
	ID                  string      `json:"id"`
	Name                string      `json:"name"`
	GroupID             string      `json:"group_id"`
	Description         string      `json:"description"`
	Status              string      `json:"status"`
	DebugStatus         string      `json:"debug_status"`
	PublishMessages     []published `json:"publish_messages,omitempty"`
	Type                string      `json:"type"`
	Manager             string      `json:"manager"`
	CreateUser          string      `json:"create_user"`
	CreateTime          int64       `json:"create_time"`
	AuthorizationStatus string      `json:"authorization_status"`
}

// detail is an API as it is defined, and where it is published.
type detail struct {
	ID              string            `json:"id"`
	Name            string            `json:"name"`
	CatalogID       string            `json:"catalog_id"`
	GroupID         string            `json:"group_id"`
	Description     string            `json:"description"`
	Protocol        string            `json:"protocol"`
	PublishType     string            `json:"publish_type"`
	Visibility      string            `json:"visibility"`
	LogFlag         bool              `json:"log_flag"`
	AuthType        string            `json:"auth_type"`
	Path            string            `json:"path"`
	Host            string            `json:"host"`
	Hosts           any               `json:"hosts"`
	RequestType     string            `json:"request_type"`
	CreateUser      string            `json:"create_user"`
	CreateTime      int64             `json:"create_time"`
	UpdateTime      int64             `json:"update_time"`
	Manager         string            `json:"manager"`
	Status          string            `json:"status"`
	Type            string            `json:"type"`
	DebugStatus     string            `json:"debug_status"`
	PublishMessages []published       `json:"publish_messages"`
	Body            string            `json:"body,omitempty"`
	RequestParas    []requestPara     `json:"request_paras"`
	Source          *datasourceConfig `json:"datasource_config"`
	Backend         any               `json:"backend_config"`
}

// host is where an API is called in a cluster.
type host struct {
	InstanceID   string   `json:"instance_id"`
	InstanceName string   `json:"instance_name"`
	IntranetHost string   `json:"intranet_host"`
	ExternalHost string   `json:"external_host"`
	Domains      []string `json:"domains"`
}

// createAPI defines an API.
func (f *face) createAPI(c *call) (any, error) {
	var in apiRequest
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if err := in.mandatory(); err != nil {
		return nil, err
	}
	var spec service.APISpec
	if err := f.define(c, in, &spec); err != nil {
		return nil, err
	}
	api, err := f.service.CreateAPI(c.Context(), c.Caller, service.APIInput{APISpec: spec, AnswerAll: true})
	if err != nil {
		return nil, err
	}
	return map[string]string{"id": api.ID}, nil
}

// updateAPI changes an API. What somebody else changes meanwhile is not lost.
func (f *face) updateAPI(c *call) (any, error) {
	var in apiRequest
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	api, err := f.api(c, c.param("api_id"))
	if err != nil {
		return nil, err
	}
	spec := api.APISpec
	if err := f.define(c, in, &spec); err != nil {
		return nil, err
	}
	_, err = f.service.UpdateAPI(c.Context(), c.Caller, api.ID, api.ETag(), service.APIInput{APISpec: spec, AnswerAll: true})
	return nil, wire.OrMissing(err, apiMissing(api.ID))
}

// maxBatch bounds the things of one call.
const maxBatch = 1000

// checkBatch makes sure that a request names things, and not too many.
func checkBatch(parameter string, ids []string) error {
	switch {
	case len(ids) == 0:
		return missing(parameter)
	case len(ids) > maxBatch:
		return invalid(parameter, "there are %d of them; %d is the most", len(ids), maxBatch)
	case slices.Contains(ids, ""):
		return invalid(parameter, "one of them is empty")
	}
	return nil
}

// deleteAPIs removes APIs: all of them, or none.
func (f *face) deleteAPIs(c *call) (any, error) {
	var ids []string
	if err := c.decode(&ids); err != nil {
		return nil, err
	}
	if err := checkBatch("api_ids", ids); err != nil {
		return nil, err
	}
	err := f.service.DeleteAPIs(c.Context(), c.Caller, ids...)
	if service.ErrorCode(err) == service.CodeNotFound {
		return nil, noSuch(codeAPIToDeleteMissing, "%s", err)
	}
	return nil, err
}

// showAPI returns an API as it is defined now.
func (f *face) showAPI(c *call) (any, error) {
	api, err := f.api(c, c.param("api_id"))
	if err != nil {
		return nil, err
	}
	placed, err := f.publications(c, api.ID)
	if err != nil {
		return nil, err
	}
	manager, err := f.manager(c)
	if err != nil {
		return nil, err
	}
	d := api.WithDefaults().Definition
	source, err := f.sourceOf(c, d)
	if err != nil {
		return nil, err
	}
	body := detail{
		ID: api.ID, Name: api.Name, CatalogID: catalogIDOf(api.APISpec), GroupID: api.GroupID, Description: api.Description, Protocol: protocolOf(d),
		PublishType: publishTypeOf(api.Visibility), Visibility: "WORKSPACE", LogFlag: true, AuthType: string(d.AuthType), Path: d.Path, RequestType: methodPrefix + string(d.Method),
		CreateUser: api.OwnerName, CreateTime: wire.Millis(api.CreatedAt), UpdateTime: wire.Millis(api.UpdatedAt), Manager: manager,
		Status: sharedStatus(placed), Type: apiTypeOf(d), DebugStatus: debugPrefix + string(api.DebugStatus), PublishMessages: messagesOf(placed, api),
		RequestParas: requestParasOf(d), Source: source, Backend: one(c, backendOf(d)),
	}
	if d.Registration != nil {
		body.Body = d.Registration.RequestBodyDescription
	}
	hosts := hostsOf(placed)
	if len(hosts) > 0 {
		body.Host, body.Hosts = hosts[0].ExternalHost, hosts
		if c.wantsObjects() {
			body.Hosts = hosts[0]
		}
	}
	return body, nil
}

// wantsObjects reports whether the client cannot read a list where the vendor's format has
// one thing, or several.
func (c *call) wantsObjects() bool { return strings.Contains(c.UserAgent(), "huaweicloud-usdk-") }

// one is a thing as the client can read it: by itself, or as a list. Both read null for none.
func one[T any](c *call, thing *T) any {
	switch {
	case thing == nil:
		return nil
	case c.wantsObjects():
		return thing
	}
	return []*T{thing}
}

// hostsOf is where an API is called, in the order of the clusters.
func hostsOf(placed []placed) []host {
	hosts := []host{}
	for _, p := range placed {
		if p.Live == nil {
			continue
		}
		h := host{InstanceID: p.instance.ID, InstanceName: p.instance.Name, Domains: p.instance.HostNames}
		if u, err := url.Parse(p.URL); err == nil {
			h.IntranetHost, h.ExternalHost = u.Host, u.Host
		}
		if h.Domains == nil {
			h.Domains = []string{}
		}
		hosts = append(hosts, h)
	}
	return hosts
}

// Whether a caller's apps may call an API.
const (
	needsNone    = "NO_AUTHORIZATION_REQUIRED"
	authorized   = "AUTHORIZED"
	unauthorized = "UNAUTHORIZED"
)

// listAPIs lists those that match, oldest first.
func (f *face) listAPIs(c *call) (any, error) {
	matches, err := c.apiFilter()
	if err != nil {
		return nil, err
	}
	apis, err := wire.All(func(p lifecycle.Page) (service.List[service.API], error) {
		return f.service.APIs(c.Context(), c.Caller, c.roughly(), p)
	})
	if err != nil {
		return nil, err
	}
	all, err := f.publications(c, "")
	if err != nil {
		return nil, err
	}
	byAPI := byAPI(all)
	apis = slices.DeleteFunc(apis, func(a service.API) bool { return !matches(a, byAPI[a.ID]) })
	some, err := page(c, apis)
	if err != nil {
		return nil, err
	}
	records, err := f.overviews(c, some, byAPI, strings.EqualFold(c.Header.Get("x-return-publish-messages"), "true"))
	if err != nil {
		return nil, err
	}
	return map[string]any{"total": len(apis), "records": records}, nil
}

// Whether an API is published, in a filter.
const (
	isPublished  = "PUBLISHED"
	notPublished = "NOT_PUBLISHED"
)

// roughly narrows the list to APIs of which some are asked for.
func (c *call) roughly() lifecycle.APIFilter {
	query := c.URL.Query()
	modes := map[string]service.Mode{typeConfiguration: service.ModeWizard, typeScript: service.ModeScript, typeMyBatis: service.ModeScript, typeRegister: service.ModeRegistration}
	return lifecycle.APIFilter{Mode: modes[query.Get("api_type")], Search: cmp.Or(query.Get("name"), query.Get("description"))}
}

// apiFilter reads which APIs a request asks for.
func (c *call) apiFilter() (func(service.API, []placed) bool, error) {
	query := c.URL.Query()
	since, err := moment("start_time", query.Get("start_time"))
	if err != nil {
		return nil, err
	}
	until, err := moment("end_time", query.Get("end_time"))
	if err != nil {
		return nil, err
	}
	status, apiType := query.Get("publish_status"), query.Get("api_type")
	switch {
	case query.Get("tags") != "":
		return nil, notHere("tags", "APIs have no tags")
	case !slices.Contains([]string{"", isPublished, notPublished}, status):
		return nil, invalid("publish_status", "use %s or %s", isPublished, notPublished)
	case apiType != "" && !slices.Contains([]string{typeConfiguration, typeScript, typeMyBatis, typeRegister}, apiType) && !slices.Contains(foreignTypes, apiType):
		return nil, invalid("api_type", "use %s, %s, %s or %s", typeConfiguration, typeScript, typeMyBatis, typeRegister)
	}
	return func(a service.API, placed []placed) bool {
		return like(a.Name, query.Get("name")) && like(a.Description, query.Get("description")) && like(a.OwnerName, query.Get("create_user")) &&
			like(tableOf(a.Definition), query.Get("table_name")) &&
			(since == nil || !a.CreatedAt.Before(*since)) && (until == nil || !a.CreatedAt.After(*until)) &&
			(apiType == "" || apiTypeOf(a.Definition) == apiType) &&
			(status == "" || (status == isPublished) == slices.ContainsFunc(placed, placedAndLive))
	}, nil
}

func placedAndLive(p placed) bool { return p.Live != nil }

func tableOf(d service.Definition) string {
	switch {
	case d.Wizard != nil:
		return d.Wizard.Table
	case d.Script != nil:
		return d.Script.Table
	}
	return ""
}

// overviews are APIs as they are listed.
func (f *face) overviews(c *call, apis []service.API, byAPI map[string][]placed, messages bool) ([]overview, error) {
	records := []overview{}
	if len(apis) == 0 {
		return records, nil
	}
	manager, err := f.manager(c)
	if err != nil {
		return nil, err
	}
	own, err := f.ownAPIs(c)
	if err != nil {
		return nil, err
	}
	for _, a := range apis {
		r := overview{
			ID: a.ID, Name: a.Name, GroupID: a.GroupID, Description: a.Description, Status: sharedStatus(byAPI[a.ID]), DebugStatus: debugPrefix + string(a.DebugStatus),
			Type: apiTypeOf(a.Definition), Manager: manager, CreateUser: a.OwnerName, CreateTime: wire.Millis(a.CreatedAt), AuthorizationStatus: unauthorized,
		}
		switch {
		case a.AuthType.AppType() == "":
			r.AuthorizationStatus = needsNone
		case own[a.ID]:
			r.AuthorizationStatus = authorized
		}
		if messages {
			r.PublishMessages = messagesOf(byAPI[a.ID], a)
		}
		records = append(records, r)
	}
	return records, nil
}

// ownAPIs are those, by id, that an app of the caller may call.
func (f *face) ownAPIs(c *call) (map[string]bool, error) {
	held, err := wire.All(func(p lifecycle.Page) (service.List[service.Authorization], error) {
		return f.service.Authorizations(c.Context(), c.Caller, lifecycle.AuthorizationFilter{AppOwnerID: c.Member.ID, Statuses: holding}, p)
	})
	own := map[string]bool{}
	for _, z := range held {
		own[z.APIID] = true
	}
	return own, err
}
