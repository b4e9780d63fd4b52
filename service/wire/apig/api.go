// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package apig

import (
	"slices"
	"strconv"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

// Types of an API.
const (
	typePublic  = 1
	typePrivate = 2
)

func typeOf(api service.API) int {
	if api.Visibility == service.VisibilityPrivate {
		return typePrivate
	}
	return typePublic
}

// apiBody is an API as it is answered, as far as it is the same at the vendor.
type apiBody struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Type        int      `json:"type"`
	Version     string   `json:"version,omitempty"`
	VersionID   string   `json:"version_id,omitempty"`
	ReqProtocol string   `json:"req_protocol"`
	ReqMethod   string   `json:"req_method"`
	ReqURI      string   `json:"req_uri"`
	AuthType    string   `json:"auth_type"`
	AuthOpt     *authOpt `json:"auth_opt,omitempty"`
	Cors        bool     `json:"cors"`
	MatchMode   string   `json:"match_mode"`
	// BackendType is HTTP for all: the vendor has no name for an API that SQL answers.
	BackendType         string     `json:"backend_type"`
	GroupID             string     `json:"group_id"`
	GroupName           string     `json:"group_name,omitempty"`
	GroupInfo           *groupBody `json:"api_group_info,omitempty"`
	Remark              string     `json:"remark"`
	Status              int        `json:"status"`
	RegisterTime        string     `json:"register_time"`
	UpdateTime          string     `json:"update_time"`
	BodyRemark          string     `json:"body_remark,omitempty"`
	ContentType         string     `json:"content_type,omitempty"`
	ResultNormalSample  string     `json:"result_normal_sample,omitempty"`
	ResultFailureSample string     `json:"result_failure_sample,omitempty"`
	// What answers, and what it is given; lists of APIs leave it out.
	BackendAPI    *backendAPI    `json:"backend_api,omitempty"`
	ReqParams     []reqParam     `json:"req_params,omitempty"`
	BackendParams []backendParam `json:"backend_params,omitempty"`
	// The rest says where it is published: lists in one order, joined with |, newest first.
	RunEnvID    string `json:"run_env_id,omitempty"`
	RunEnvName  string `json:"run_env_name,omitempty"`
	PublishID   string `json:"publish_id,omitempty"`
	PublishTime string `json:"publish_time,omitempty"`
}

// bodyOfAPI describes the API with a definition that it has or had, without its parameters
// and backend.
func bodyOfAPI(api service.API, d service.Definition) apiBody {
	d = d.WithDefaults()
	body := apiBody{
		ID: api.ID, Name: api.Name, Type: typeOf(api), ReqProtocol: protocolOf(d), ReqMethod: string(d.Method), ReqURI: d.Path,
		AuthType: string(d.AuthType), MatchMode: matchNormal, BackendType: backendHTTP, GroupID: api.GroupID, Remark: api.Description, Status: 1,
		RegisterTime: wire.Zulu(api.CreatedAt), UpdateTime: wire.Zulu(api.UpdatedAt),
		BodyRemark: bodyRemarkOf(d), ContentType: contentTypeOf(d), ResultNormalSample: d.SuccessSample, ResultFailureSample: d.FailureSample,
	}
	if d.AuthType == service.AuthApp {
		body.AuthOpt = authOptOf(d)
	}
	return body
}

// describe is bodyOfAPI with parameters, backend and group.
func (f *face) describe(c *call, api service.API, d service.Definition) (apiBody, error) {
	d = d.WithDefaults()
	body := bodyOfAPI(api, d)
	body.BackendAPI, body.ReqParams, body.BackendParams = backendOf(d), reqParamsOf(d), backendParamsOf(d)
	if api.GroupID == "" {
		return body, nil
	}
	g, err := f.service.Group(c.Context(), c.Caller, api.GroupID)
	if service.ErrorCode(err) == service.CodeNotFound {
		return body, nil // It is filed elsewhere since.
	}
	info := c.bodyOfGroup(g)
	body.GroupName, body.GroupInfo = g.Name, &info
	return body, err
}

// detail returns an API as it is defined now, and where it is published.
func (f *face) detail(c *call) (any, error) {
	api, err := f.api(c, "api_id", c.param("api_id"))
	if err != nil {
		return nil, err
	}
	return f.defined(c, api)
}

// defined describes an API as it is defined now, and where it is published.
func (f *face) defined(c *call, api service.API) (any, error) {
	publications, environments, err := f.publications(c, lifecycle.PublicationFilter{APIID: api.ID})
	if err != nil {
		return nil, err
	}
	body, err := f.describe(c, api, api.Definition)
	body.published(publications, environments)
	return body, err
}

// published says where the API is published: where something of it is live.
func (b *apiBody) published(publications []service.Publication, environments map[string]service.Environment) {
	live := slices.DeleteFunc(slices.Clone(publications), func(p service.Publication) bool { return p.Live == nil || p.APIID != b.ID })
	slices.SortStableFunc(live, func(a, b service.Publication) int { return b.Live.LiveSince.Compare(a.Live.LiveSince) })
	b.RunEnvID = joined(live, func(p service.Publication) string { return environmentID(environments[p.EnvironmentID]) })
	b.RunEnvName = joined(live, func(p service.Publication) string { return p.EnvironmentName })
	b.PublishID = joined(live, func(p service.Publication) string { return p.ID })
	b.PublishTime = joined(live, func(p service.Publication) string { return wire.Zulu(p.Live.LiveSince) })
}

func joined(publications []service.Publication, text func(service.Publication) string) string {
	texts := make([]string, len(publications))
	for i, p := range publications {
		texts[i] = text(p)
	}
	return strings.Join(texts, "|")
}

// createAPI registers the backend of a request as an API. It is called once, where it is
// called with GET and there are values for its parameters.
func (f *face) createAPI(c *call) (any, error) {
	spec, err := f.specified(c, service.APISpec{})
	if err != nil {
		return nil, err
	}
	api, err := f.service.CreateAPI(c.Context(), c.Caller, service.APIInput{APISpec: spec})
	if err != nil {
		return nil, orTaken(err, codeAPITaken, "The API name already exists")
	}
	return f.defined(c, api)
}

// updateAPI replaces an API whose backend is registered. What the vendor has no words for
// stays as it is.
func (f *face) updateAPI(c *call) (any, error) {
	id := c.param("api_id")
	before, err := f.api(c, "api_id", id)
	if err != nil {
		return nil, err
	}
	spec, err := f.specified(c, before.APISpec)
	if err != nil {
		return nil, err
	}
	api, err := f.service.UpdateAPI(c.Context(), c.Caller, before.ID, before.ETag(), service.APIInput{APISpec: spec})
	if err != nil {
		return nil, orTaken(wire.OrMissing(err, apiMissing(id)), codeAPITaken, "The API name already exists")
	}
	return f.defined(c, api)
}

// specified reads what a request says of an API that was so before.
func (f *face) specified(c *call, before service.APISpec) (service.APISpec, error) {
	var in apiRequest
	if err := c.decode(&in); err != nil {
		return before, err
	}
	spec, err := in.spec(before)
	if err != nil {
		return before, err
	}
	if err := in.refuseRest(c.raw); err != nil {
		return before, err
	}
	g, err := f.group(c, in.GroupID)
	spec.GroupID = g.ID
	if spec.GroupID != before.GroupID {
		spec.FolderID = "" // A folder is one of its group.
	}
	return spec, err
}

// deleteAPI removes an API that is published nowhere.
func (f *face) deleteAPI(c *call) (any, error) {
	id := c.param("api_id")
	err := f.service.DeleteAPI(c.Context(), c.Caller, id, "")
	return nil, orInUse(wire.OrMissing(err, apiMissing(id)), codeAPIInUse)
}

const (
	noTags     = "APIs have no tags here: leave it out"
	noChannels = "there are no load balance channels here: leave it out"
)

// What a list of APIs is asked to tell of each beside the usual.
const (
	includeGroup   = "include_group"
	includeBackend = "include_group_backend"
)

// listAPIs lists those of the workspace, and where each is published in the instance.
func (f *face) listAPIs(c *call) (any, error) {
	if err := c.checkAPIFilter(); err != nil {
		return nil, err
	}
	query := c.URL.Query()
	apis, err := wire.All(func(p lifecycle.Page) (service.List[service.API], error) {
		return f.service.APIs(c.Context(), c.Caller, lifecycle.APIFilter{GroupID: query.Get("group_id")}, p)
	})
	if err != nil {
		return nil, err
	}
	apis = slices.DeleteFunc(apis, func(api service.API) bool { return !c.keeps(api) })
	if id := query.Get("env_id"); id != "" {
		if apis, err = f.livingIn(c, id, apis); err != nil {
			return nil, err
		}
	}
	part, err := page(c, apis)
	if err != nil {
		return nil, err
	}
	bodies, err := f.listed(c, part)
	return map[string]any{"total": len(apis), "size": len(bodies), "apis": bodies}, err
}

// checkAPIFilter refuses values of the query that mean nothing.
func (c *call) checkAPIFilter() error {
	query := c.URL.Query()
	for _, f := range []struct {
		parameter string
		values    []string
	}{
		{"req_protocol", []string{"HTTP", "HTTPS", protocolBoth}}, {"auth_type", []string{"NONE", "APP", "IAM", "AUTHORIZER"}}, {"type", []string{"1", "2"}},
	} {
		if value := query.Get(f.parameter); value != "" && !slices.Contains(f.values, value) {
			return invalidQuery(f.parameter, "use "+strings.Join(f.values, ", "))
		}
	}
	if query.Get("tags") != "" {
		return invalidQuery("tags", noTags)
	}
	if query.Get("vpc_channel_name") != "" {
		return invalidQuery("vpc_channel_name", noChannels)
	}
	for mode := range strings.SplitSeq(query.Get("return_data_mode"), ",") {
		if !slices.Contains([]string{"", "brief", includeGroup, includeBackend}, mode) {
			return invalidQuery("return_data_mode", "use brief, "+includeGroup+" or "+includeBackend)
		}
	}
	return nil
}

// keeps reports whether the query asks for the API.
func (c *call) keeps(api service.API) bool {
	d := api.Definition.WithDefaults()
	return c.is("id", api.ID) && c.has("name", api.Name) && c.is("req_protocol", protocolOf(d)) && c.is("req_method", string(d.Method)) &&
		c.has("req_uri", d.Path) && c.is("auth_type", string(d.AuthType)) && c.is("type", strconv.Itoa(typeOf(api)))
}

// livingIn keeps the APIs of which something is live in the environment.
func (f *face) livingIn(c *call, envID string, apis []service.API) ([]service.API, error) {
	env, err := f.environment(c, envID)
	if err != nil {
		return nil, err
	}
	publications, _, err := f.publications(c, lifecycle.PublicationFilter{EnvironmentID: env.ID})
	if err != nil {
		return nil, err
	}
	live := map[string]bool{}
	for _, p := range publications {
		live[p.APIID] = p.Live != nil
	}
	return slices.DeleteFunc(apis, func(api service.API) bool { return !live[api.ID] }), nil
}

// listed describes a page of APIs.
func (f *face) listed(c *call, apis []service.API) ([]apiBody, error) {
	bodies := []apiBody{}
	if len(apis) == 0 {
		return bodies, nil
	}
	filter := lifecycle.PublicationFilter{}
	for _, api := range apis {
		filter.APIIDs = append(filter.APIIDs, api.ID)
	}
	publications, environments, err := f.publications(c, filter)
	if err != nil {
		return nil, err
	}
	groups, err := f.groups(c)
	if err != nil {
		return nil, err
	}
	mode := strings.Split(c.URL.Query().Get("return_data_mode"), ",")
	for _, api := range apis {
		body := bodyOfAPI(api, api.Definition)
		body.published(publications, environments)
		if at := slices.IndexFunc(groups, func(g service.Group) bool { return g.ID == api.GroupID }); at >= 0 {
			info := c.bodyOfGroup(groups[at])
			body.GroupName = info.Name
			if slices.Contains(mode, includeGroup) {
				body.GroupInfo = &info
			}
		}
		if slices.Contains(mode, includeBackend) {
			body.BackendAPI = backendOf(api.Definition.WithDefaults())
		}
		bodies = append(bodies, body)
	}
	return bodies, nil
}
