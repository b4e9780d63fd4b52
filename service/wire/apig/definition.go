// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package apig

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// The vendor's words.
const (
	matchNormal    = "NORMAL"
	protocolBoth   = "BOTH"
	backendHTTP    = "HTTP"
	appCodeHeader  = "HEADER"
	appCodeOff     = "DISABLE"
	kindString     = "STRING"
	kindNumber     = "NUMBER"
	originRequest  = "REQUEST"
	originConstant = "CONSTANT"
	// yes and no are how many of its flags are written.
	yes = 1
	no  = 2
)

// apiRequest is the body of POST /apis and PUT /apis/{api_id}.
type apiRequest struct {
	Name                string         `json:"name"`
	Type                int            `json:"type"`
	ReqProtocol         string         `json:"req_protocol"`
	ReqMethod           string         `json:"req_method"`
	ReqURI              string         `json:"req_uri"`
	AuthType            string         `json:"auth_type"`
	AuthOpt             authOpt        `json:"auth_opt"`
	MatchMode           string         `json:"match_mode"`
	BackendType         string         `json:"backend_type"`
	Remark              string         `json:"remark"`
	GroupID             string         `json:"group_id"`
	BodyRemark          string         `json:"body_remark"`
	ContentType         string         `json:"content_type"`
	ResultNormalSample  string         `json:"result_normal_sample"`
	ResultFailureSample string         `json:"result_failure_sample"`
	BackendAPI          backendAPI     `json:"backend_api"`
	ReqParams           []reqParam     `json:"req_params"`
	BackendParams       []backendParam `json:"backend_params"`
}

type authOpt struct {
	AppCodeAuthType string `json:"app_code_auth_type"`
}

// backendAPI is what answers the calls of an API. Of an API that SQL answers, Remark and
// Timeout are all that there is.
type backendAPI struct {
	Remark           string `json:"remark,omitempty"`
	URLDomain        string `json:"url_domain,omitempty"`
	ReqProtocol      string `json:"req_protocol,omitempty"`
	ReqMethod        string `json:"req_method,omitempty"`
	ReqURI           string `json:"req_uri,omitempty"`
	Timeout          int    `json:"timeout"`
	RetryCount       string `json:"retry_count,omitempty"`
	VPCChannelStatus int    `json:"vpc_channel_status,omitempty"`
}

// reqParam is a parameter that callers pass.
type reqParam struct {
	Name         string `json:"name"`
	Type         string `json:"type"`
	Location     string `json:"location"`
	DefaultValue string `json:"default_value,omitempty"`
	SampleValue  string `json:"sample_value,omitempty"`
	Required     int    `json:"required"`
	ValidEnable  int    `json:"valid_enable"`
	PassThrough  int    `json:"pass_through,omitempty"`
	Remark       string `json:"remark,omitempty"`
}

// backendParam is a parameter that the backend gets.
type backendParam struct {
	Origin   string `json:"origin"`
	Name     string `json:"name"`
	Location string `json:"location"`
	Value    string `json:"value"`
	Remark   string `json:"remark,omitempty"`
}

// What the vendor's APIs have and ours have not, by where it is written.
var (
	notOfAPIs = map[string]string{
		"cors": "CORS is not answered here: leave it out", "trace_enabled": "calls are traced for all APIs or for none: leave it out",
		"sampling_strategy": "calls are traced for all APIs or for none: leave it out", "sampling_param": "calls are traced for all APIs or for none: leave it out",
		"authorizer_id": "there are no custom authorizers here: leave it out", "tags": noTags, "tag": noTags,
		"response_id": "groups have no responses of their own here: leave it out", "roma_app_id": "APIs belong to no integration application here: leave it out",
		"domain_name": "host names belong to the instance here: leave it out", "version": "versions are made by publishing: leave it out",
		"is_send_fg_body_base64": "there are no functions here: leave it out", "mock_info": "there are no mocks here: leave it out", "func_info": "there are no functions here: leave it out",
		"policy_mocks": noPolicies, "policy_functions": noPolicies, "policy_https": noPolicies,
	}
	notOfBackends = map[string]string{
		"authorizer_id": "there are no custom authorizers here: leave it out", "enable_client_ssl": "the service has no certificate to show to backends: leave it out",
		"enable_sm_channel": "there are no channels of that kind here: leave it out", "member_group_url_infos": noChannels, "vpc_channel_info": noChannels,
		"version": "backends have no versions here: leave it out",
	}
	notOfParameters = map[string]string{
		"enumerations": noRules, "min_num": noRules, "max_num": noRules, "min_size": noRules, "max_size": noRules, "regular": noRules, "json_schema": noRules,
		"orchestrations": "parameters are not orchestrated here: leave it out",
	}
)

const (
	noPolicies = "an API has one backend here: leave it out"
	noRules    = "values are checked by their type alone here: leave it out"
)

// refuseRest refuses what the request has and this service has not.
func (in apiRequest) refuseRest(raw json.RawMessage) error {
	if err := refuseSet(raw, "", notOfAPIs); err != nil {
		return err
	}
	var parts struct {
		BackendAPI json.RawMessage   `json:"backend_api"`
		ReqParams  []json.RawMessage `json:"req_params"`
	}
	if err := json.Unmarshal(raw, &parts); err != nil {
		return err // It was decoded already.
	}
	if err := refuseSet(parts.BackendAPI, "backend_api.", notOfBackends); err != nil {
		return err
	}
	for _, p := range parts.ReqParams {
		if err := refuseSet(p, "req_params.", notOfParameters); err != nil {
			return err
		}
	}
	return nil
}

// spec is what the request says of an API that was so before; its group is not looked up.
func (in apiRequest) spec(before service.APISpec) (service.APISpec, error) {
	if err := in.check(before); err != nil {
		return before, err
	}
	host, err := in.BackendAPI.host()
	if err != nil {
		return before, err
	}
	s := before
	s.Name, s.Description, s.Visibility = in.Name, in.Remark, service.VisibilityWorkspace
	if in.Type == typePrivate {
		s.Visibility = service.VisibilityPrivate
	}
	s.Path, s.Method, s.Mode, s.AuthType = in.ReqURI, service.Method(in.ReqMethod), service.ModeRegistration, service.AuthType(in.AuthType)
	s.Protocols = protocols(in.ReqProtocol)
	s.AllowAppCode = in.AuthOpt.AppCodeAuthType == appCodeHeader && s.AuthType == service.AuthApp
	s.SuccessSample, s.FailureSample, s.TimeoutMS = in.ResultNormalSample, in.ResultFailureSample, in.BackendAPI.Timeout
	registration := service.Registration{}
	if before.Registration != nil {
		registration = *before.Registration
	}
	registration.Host, registration.Path = host, fromBraces(in.BackendAPI.ReqURI)
	if before.Registration == nil || in.BodyRemark != bodyRemarkOf(before.Definition.WithDefaults()) {
		registration.RequestBodyDescription = in.BodyRemark
	}
	s.Registration = &registration
	if in.ContentType != "" {
		s.RequestContentType = contentTypes[in.ContentType]
	}
	s.RequestParameters, err = in.parameters(before.RequestParameters)
	return s, err
}

// contentTypes holds those that a body can have here.
var contentTypes = map[string]service.ContentType{"application/json": service.ContentJSON, "application/xml": service.ContentXML}

// check refuses what is missing, what the vendor does not know, and what it knows and this
// service does not.
func (in apiRequest) check(before service.APISpec) error {
	kind := ""
	if in.Type != 0 {
		kind = fmt.Sprint(in.Type)
	}
	err := required("name", in.Name, "type", kind, "req_protocol", in.ReqProtocol, "req_method", in.ReqMethod, "req_uri", in.ReqURI,
		"auth_type", in.AuthType, "backend_type", in.BackendType, "group_id", in.GroupID)
	if err != nil {
		return err
	}
	for _, p := range []struct {
		name, value string
		values      []string
		otherwise   string
	}{
		{"type", kind, []string{"1", "2"}, "use 1 or 2"},
		{"backend_type", in.BackendType, []string{backendHTTP}, "an API is answered by an HTTP backend here: use HTTP. MOCK, FUNCTION and GRPC are not supported"},
		{"req_protocol", in.ReqProtocol, []string{"HTTP", "HTTPS", protocolBoth}, "use HTTP, HTTPS or BOTH"},
		{"req_method", in.ReqMethod, []string{"GET", "POST", "PUT", "DELETE"}, "use GET, POST, PUT or DELETE"},
		{"auth_type", in.AuthType, []string{"APP", "IAM", "NONE"}, "use APP, IAM or NONE. There are no custom authorizers here"},
		{"auth_opt.app_code_auth_type", in.AuthOpt.AppCodeAuthType, []string{"", appCodeOff, appCodeHeader}, "use DISABLE or HEADER"},
		{"match_mode", in.MatchMode, []string{"", matchNormal}, "a path is matched as a whole here: use NORMAL"},
		{"content_type", in.ContentType, append([]string{""}, slices.Collect(maps.Keys(contentTypes))...), "use application/json or application/xml"},
	} {
		if !slices.Contains(p.values, p.value) {
			return invalid(p.name, p.otherwise)
		}
	}
	if before.Mode != "" && before.ReadsConnection() {
		return invalid("backend_type", "the API is answered by SQL, which this call has no words for: change it with Terraform or the native API")
	}
	return in.checkBackend()
}

func (in apiRequest) checkBackend() error {
	b := in.BackendAPI
	switch {
	case b.URLDomain == "":
		return invalid("backend_api.url_domain", "it is missing")
	case b.ReqMethod != "" && b.ReqMethod != in.ReqMethod:
		return invalid("backend_api.req_method", "the backend is called with the method that the API is called with: use "+in.ReqMethod)
	case b.VPCChannelStatus != 0 && b.VPCChannelStatus != no:
		return invalid("backend_api.vpc_channel_status", noChannels)
	case b.RetryCount != "" && b.RetryCount != "0" && b.RetryCount != "-1":
		return invalid("backend_api.retry_count", "calls are not repeated here: use 0")
	case b.Timeout < 1:
		return invalid("backend_api.timeout", "use 1 to 30000 milliseconds")
	}
	return nil
}

// host is the base URL of the backend.
func (b backendAPI) host() (string, error) {
	switch b.ReqProtocol {
	case "HTTP", "HTTPS":
		return strings.ToLower(b.ReqProtocol) + "://" + b.URLDomain, nil
	}
	return "", invalid("backend_api.req_protocol", "use HTTP or HTTPS")
}

// protocols reads what an API may be called over.
func protocols(name string) []service.Protocol {
	if name == protocolBoth {
		return nil
	}
	return []service.Protocol{service.Protocol(name)}
}

// parameters reads what callers pass and what the backend gets. Those that the vendor has no
// words for stay as they were before.
func (in apiRequest) parameters(before map[string]service.RequestParameter) (map[string]service.RequestParameter, error) {
	found := map[string]service.RequestParameter{}
	for name, p := range before {
		if p.Position == service.PositionBody {
			found[name] = p
		}
	}
	for _, r := range in.ReqParams {
		p, err := r.parameter(before[r.Name])
		if err != nil {
			return nil, err
		}
		if _, twice := found[r.Name]; twice {
			return nil, invalid("req_params.name", r.Name+" is there more than once")
		}
		found[r.Name] = p
	}
	passed := map[string]bool{}
	for _, b := range in.BackendParams {
		p, err := b.parameter(found, before[b.Name])
		if err != nil {
			return nil, err
		}
		found[b.Name], passed[b.Name] = p, true
	}
	for _, r := range in.ReqParams {
		if r.PassThrough == no && !passed[r.Name] {
			return nil, invalid("req_params.pass_through", "every parameter is passed on to the backend here: use 1 for "+r.Name)
		}
	}
	return found, nil
}

// parameter reads a parameter that callers pass, and keeps the type that it had before
// where the vendor has the same word for both.
func (r reqParam) parameter(before service.RequestParameter) (service.RequestParameter, error) {
	p := service.RequestParameter{Operator: service.OperatorEqual, Required: r.Required == yes, Description: r.Remark, Default: given(r.DefaultValue), Example: given(r.SampleValue)}
	switch r.Location {
	case "QUERY", "HEADER":
		p.Position = service.Position(r.Location)
	case "PATH":
		return p, invalid("req_params.location", "the path of an API has no placeholders here: use QUERY or HEADER for "+r.Name)
	default:
		return p, invalid("req_params.location", "use QUERY or HEADER for "+r.Name)
	}
	switch {
	case r.Name == "":
		return p, invalid("req_params.name", "it is missing")
	case r.Type != kindString && r.Type != kindNumber:
		return p, invalid("req_params.type", "use STRING or NUMBER for "+r.Name)
	case r.ValidEnable != 0 && r.ValidEnable != no:
		return p, invalid("req_params.valid_enable", noRules)
	case before.Type != "" && kindOf(before.Type) == r.Type:
		p.Type = before.Type
	case r.Type == kindNumber:
		p.Type = service.TypeDouble
	default:
		p.Type = service.TypeString
	}
	return p, nil
}

// given is nil for a text that is empty.
func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// parameter reads a parameter that the backend gets: one that callers pass, under its own
// name, or a constant.
func (b backendParam) parameter(passed map[string]service.RequestParameter, before service.RequestParameter) (service.RequestParameter, error) {
	p, known := passed[b.Name]
	switch b.Origin {
	case originRequest:
		switch {
		case b.Value != b.Name:
			return p, invalid("backend_params.name", fmt.Sprintf("a parameter has one name here: call it %s at the backend too", b.Value))
		case !known:
			return p, invalid("backend_params.value", "there is no "+b.Value+" in req_params")
		case b.Location == "PATH" && p.Position == service.PositionQuery:
			p.Position = service.PositionPath
		case b.Location != string(p.Position):
			return p, invalid("backend_params.location", fmt.Sprintf("%s is passed on where it is: use %s", b.Name, p.Position))
		}
		return p, nil
	case originConstant:
		if known {
			return p, invalid("backend_params.name", b.Name+" is a parameter that callers pass: a constant has another name")
		}
		p = service.RequestParameter{
			Type: service.TypeString, Position: service.Position(b.Location), Operator: service.OperatorConst, Default: &b.Value, Description: b.Remark,
		}
		if before.Operator == service.OperatorConst {
			p.Type = before.Type
		}
		return p, nil
	}
	return p, invalid("backend_params.origin", "use REQUEST or CONSTANT. System parameters are not supported")
}

// The other way round: how a definition is shown.

func protocolOf(d service.Definition) string {
	if len(d.Protocols) == 1 {
		return string(d.Protocols[0])
	}
	return protocolBoth
}

func authOptOf(d service.Definition) *authOpt {
	if d.AllowAppCode {
		return &authOpt{appCodeHeader}
	}
	return &authOpt{appCodeOff}
}

func contentTypeOf(d service.Definition) string {
	for name, t := range contentTypes {
		if d.Method.HasBody() && d.RequestContentType == t {
			return name
		}
	}
	return ""
}

// bodyRemarkOf is what is said of the body, or what its parameters are: the vendor has them
// nowhere else.
func bodyRemarkOf(d service.Definition) string {
	if d.Registration == nil {
		return ""
	}
	if d.Registration.RequestBodyDescription != "" {
		return d.Registration.RequestBodyDescription
	}
	var members []string
	for _, name := range slices.Sorted(maps.Keys(d.RequestParameters)) {
		if p := d.RequestParameters[name]; p.Position == service.PositionBody && p.Operator != service.OperatorConst {
			members = append(members, fmt.Sprintf("%s (%s)", name, p.Type))
		}
	}
	if len(members) == 0 {
		return ""
	}
	return fmt.Sprintf("%s with %s", d.RequestContentType, strings.Join(members, ", "))
}

func backendOf(d service.Definition) *backendAPI {
	if d.Registration == nil {
		return &backendAPI{Remark: "A SQL statement of this service on the connection " + d.ConnectionID, Timeout: d.TimeoutMS}
	}
	b := &backendAPI{ReqMethod: string(d.Method), ReqURI: toBraces(d.Registration.Path), Timeout: d.TimeoutMS, VPCChannelStatus: no}
	if u, err := url.Parse(d.Registration.Host); err == nil {
		b.URLDomain, b.ReqProtocol = u.Host, strings.ToUpper(u.Scheme)
	}
	return b
}

func kindOf(t service.ParameterType) string {
	switch t {
	case service.TypeInt, service.TypeLong, service.TypeFloat, service.TypeDouble:
		return kindNumber
	}
	return kindString
}

func reqParamsOf(d service.Definition) []reqParam {
	var shown []reqParam
	for _, name := range slices.Sorted(maps.Keys(d.RequestParameters)) {
		p := d.RequestParameters[name]
		if !isShown(p) {
			continue
		}
		r := reqParam{Name: name, Type: kindOf(p.Type), Location: locationOf(p), Required: no, ValidEnable: no, Remark: p.Description, DefaultValue: text(p.Default), SampleValue: text(p.Example)}
		if d.Requires(name) {
			r.Required = yes
		}
		if d.Registration != nil {
			r.PassThrough = yes
		}
		shown = append(shown, r)
	}
	if d.Paged() {
		for _, name := range service.ReservedParameters {
			shown = append(shown, reqParam{Name: name, Type: kindNumber, Location: string(service.PositionQuery), Required: no, ValidEnable: no})
		}
	}
	return shown
}

// isShown reports whether callers pass the parameter where the vendor has a word for it.
func isShown(p service.RequestParameter) bool {
	return p.Operator != service.OperatorConst && p.Position != service.PositionBody
}

// locationOf is where callers pass the parameter.
func locationOf(p service.RequestParameter) string {
	if p.Position == service.PositionPath {
		return string(service.PositionQuery)
	}
	return string(p.Position)
}

func text(value *string) string {
	if value == nil {
		return ""
	}
	return *value
}

func backendParamsOf(d service.Definition) []backendParam {
	if d.Registration == nil {
		return nil
	}
	var shown []backendParam
	for _, name := range slices.Sorted(maps.Keys(d.RequestParameters)) {
		p := d.RequestParameters[name]
		switch {
		case p.Operator == service.OperatorConst && p.Position != service.PositionBody:
			shown = append(shown, backendParam{Origin: originConstant, Name: name, Location: string(p.Position), Value: text(p.Default), Remark: p.Description})
		case isShown(p):
			shown = append(shown, backendParam{Origin: originRequest, Name: name, Location: string(p.Position), Value: name})
		}
	}
	return shown
}

// Placeholders in a backend's path: {name} at the vendor, [name] here.
var (
	inBraces   = regexp.MustCompile(`\{([A-Za-z_][A-Za-z0-9_]*)\}`)
	inBrackets = regexp.MustCompile(`\[([A-Za-z_][A-Za-z0-9_]*)\]`)
)

func fromBraces(path string) string { return inBraces.ReplaceAllString(path, "[$1]") }
func toBraces(path string) string   { return inBrackets.ReplaceAllString(path, "{$1}") }
