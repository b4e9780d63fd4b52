// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// definitionModel is a definition as Terraform sees it. Its nested objects are
// converted by hand: an API may have hundreds of parameters, and reflection over each
// costs more than the request.
type definitionModel struct {
	Path                types.String `tfsdk:"path"`
	Method              types.String `tfsdk:"method"`
	Mode                types.String `tfsdk:"mode"`
	Protocols           types.Set    `tfsdk:"protocols"`
	RequestContentType  types.String `tfsdk:"request_content_type"`
	ResponseContentType types.String `tfsdk:"response_content_type"`
	AuthType            types.String `tfsdk:"auth_type"`
	AllowAppCode        types.Bool   `tfsdk:"allow_app_code"`
	TimeoutMS           types.Int64  `tfsdk:"timeout_ms"`
	ConnectionID        types.String `tfsdk:"connection_id"`
	Wizard              types.Object `tfsdk:"wizard"`
	Script              types.Object `tfsdk:"script"`
	Registration        types.Object `tfsdk:"registration"`
	RequestParameters   types.Map    `tfsdk:"request_parameters"`
	ResponseParameters  types.Map    `tfsdk:"response_parameters"`
	ErrorCodes          types.Map    `tfsdk:"error_codes"`
	SuccessSample       types.String `tfsdk:"success_sample"`
	FailureSample       types.String `tfsdk:"failure_sample"`
	RateLimit           types.Object `tfsdk:"rate_limit"`
	CallerRateLimit     types.Object `tfsdk:"caller_rate_limit"`
	CacheTTLSeconds     types.Int64  `tfsdk:"cache_ttl_seconds"`
}

// definition is what the model says; what is unknown reads as empty.
func (m *definitionModel) definition() service.Definition {
	return service.Definition{
		Path: m.Path.ValueString(), Method: service.Method(m.Method.ValueString()), Mode: service.Mode(m.Mode.ValueString()),
		Protocols:          protocolsOf(m.Protocols),
		RequestContentType: service.ContentType(m.RequestContentType.ValueString()), ResponseContentType: service.ContentType(m.ResponseContentType.ValueString()),
		AuthType: service.AuthType(m.AuthType.ValueString()), AllowAppCode: m.AllowAppCode.ValueBool(), TimeoutMS: int(m.TimeoutMS.ValueInt64()), ConnectionID: m.ConnectionID.ValueString(),
		Wizard: wizardOf(m.Wizard), Script: scriptOf(m.Script), Registration: registrationOf(m.Registration),
		RequestParameters: requestParametersOf(m.RequestParameters), ResponseParameters: responseParametersOf(m.ResponseParameters),
		ErrorCodes:    errorCodesOf(m.ErrorCodes),
		SuccessSample: m.SuccessSample.ValueString(), FailureSample: m.FailureSample.ValueString(),
		RateLimit: rateLimitOf(m.RateLimit), CallerRateLimit: rateLimitOf(m.CallerRateLimit),
		CacheTTLSeconds: int(m.CacheTTLSeconds.ValueInt64()),
	}
}

// takeDefinition makes the model say what the service answered.
func (m *definitionModel) takeDefinition(d service.Definition) {
	d = d.WithDefaults()
	m.takeDetails(d)
	m.Path, m.Method, m.Mode = types.StringValue(d.Path), types.StringValue(string(d.Method)), types.StringValue(string(d.Mode))
	m.Protocols = protocolsValue(d.Protocols)
	m.RequestContentType, m.ResponseContentType = types.StringValue(string(d.RequestContentType)), types.StringValue(string(d.ResponseContentType))
	m.AuthType, m.AllowAppCode = types.StringValue(string(d.AuthType)), types.BoolValue(d.AllowAppCode)
	m.TimeoutMS, m.ConnectionID = types.Int64Value(int64(d.TimeoutMS)), optional(m.ConnectionID, d.ConnectionID)
	m.RequestParameters = requestParametersValue(m.RequestParameters, d.RequestParameters)
	m.ResponseParameters = responseParametersValue(m.ResponseParameters, d.ResponseParameters)
	m.ErrorCodes = errorCodesValue(m.ErrorCodes, d.ErrorCodes)
	m.SuccessSample, m.FailureSample = optional(m.SuccessSample, d.SuccessSample), optional(m.FailureSample, d.FailureSample)
	m.RateLimit, m.CallerRateLimit = rateLimitValue(d.RateLimit), rateLimitValue(d.CallerRateLimit)
	m.CacheTTLSeconds = types.Int64Value(int64(d.CacheTTLSeconds))
}

// takeDetails takes the details of the definition's mode. Those of other modes the
// service does not keep: what is written of them stays, unless they were the ones that
// counted, which shows that somebody changed the mode.
func (m *definitionModel) takeDetails(d service.Definition) {
	counted := service.Mode(m.Mode.ValueString())
	ignored := func(mode service.Mode) bool { return d.Mode != mode && counted != mode && counted != "" }
	if !ignored(service.ModeWizard) {
		m.Wizard = wizardValue(m.Wizard, d.Wizard)
	}
	if !ignored(service.ModeScript) {
		m.Script = scriptValue(m.Script, d.Script)
	}
	if !ignored(service.ModeRegistration) {
		m.Registration = registrationValue(m.Registration, d.Registration)
	}
}

// modeKnown reports whether it can be told which details count.
func (m *definitionModel) modeKnown() bool {
	if !m.Mode.IsNull() {
		return !m.Mode.IsUnknown()
	}
	return !m.Wizard.IsUnknown() && !m.Script.IsUnknown() && !m.Registration.IsUnknown()
}

// modeOfDetails is the mode where none is written: that of the details that are given.
func (m *definitionModel) modeOfDetails() types.String {
	left := *m
	left.Mode = types.StringNull()
	if d := left.definition().WithDefaults(); left.modeKnown() && d.Mode != "" {
		return types.StringValue(string(d.Mode))
	}
	return types.StringUnknown()
}

// details are those that count: the ones of the mode.
func (m *definitionModel) details() attr.Value {
	switch service.Mode(m.Mode.ValueString()) {
	case service.ModeWizard:
		return m.Wizard
	case service.ModeScript:
		return m.Script
	default:
		return m.Registration
	}
}

// known reports whether everything that makes the definition is known.
func (m *definitionModel) known() bool {
	return fullyKnown(m.Mode, m.details(), m.Path, m.Method, m.Protocols, m.RequestContentType, m.ResponseContentType, m.AuthType, m.AllowAppCode, m.TimeoutMS,
		m.ConnectionID, m.RequestParameters, m.ResponseParameters, m.ErrorCodes, m.SuccessSample, m.FailureSample, m.RateLimit, m.CallerRateLimit, m.CacheTTLSeconds)
}

// knownButConnection reports whether the connection is all that is unknown of the definition.
func (m *definitionModel) knownButConnection() bool {
	rest := *m
	rest.ConnectionID = types.StringNull()
	return m.ConnectionID.IsUnknown() && rest.known()
}

// The types of the nested objects.
var (
	wizardType       = typesOf(wizardAttributes())
	orderType        = types.ObjectType{AttrTypes: typesOf(orderAttributes())}
	scriptType       = typesOf(scriptAttributes())
	registrationType = typesOf(registrationAttributes())
	errorCodeType    = types.ObjectType{AttrTypes: typesOf(errorCodeAttributes())}
	rateLimitType    = typesOf(rateLimitAttributes())
)

// Each …Value is what the service answered as Terraform sees it, where prior tells null
// from "" and from empty where the service does not. Each …Of is the reverse, in which
// what is unknown reads as empty.

func protocolsValue(protocols []service.Protocol) types.Set {
	elements := make([]attr.Value, len(protocols))
	for i, p := range protocols {
		elements[i] = types.StringValue(string(p))
	}
	return types.SetValueMust(types.StringType, elements)
}

func protocolsOf(v types.Set) []service.Protocol {
	var protocols []service.Protocol
	for _, element := range v.Elements() {
		if !element.IsUnknown() {
			protocols = append(protocols, service.Protocol(stringOf(element)))
		}
	}
	return protocols
}

func wizardValue(prior types.Object, w *service.Wizard) types.Object {
	if w == nil {
		return types.ObjectNull(wizardType)
	}
	return types.ObjectValueMust(wizardType, map[string]attr.Value{
		"table": types.StringValue(w.Table), "paged": types.BoolValue(w.Paged), "skip_total": types.BoolValue(w.SkipTotal),
		"order_by": orderValue(prior.Attributes()["order_by"], w.OrderBy),
	})
}

func wizardOf(v types.Object) *service.Wizard {
	if v.IsNull() || v.IsUnknown() {
		return nil
	}
	a := v.Attributes()
	return &service.Wizard{Table: stringOf(a["table"]), Paged: boolOf(a["paged"]), SkipTotal: boolOf(a["skip_total"]), OrderBy: orderOf(a["order_by"])}
}

func orderValue(prior attr.Value, order []service.WizardOrder) types.List {
	if list, ok := prior.(types.List); len(order) == 0 && (!ok || list.IsNull() || list.IsUnknown() || len(list.Elements()) > 0) {
		return types.ListNull(orderType)
	}
	elements := make([]attr.Value, len(order))
	for i, o := range order {
		elements[i] = types.ObjectValueMust(orderType.AttrTypes, map[string]attr.Value{"column": types.StringValue(o.Column), "descending": types.BoolValue(o.Descending)})
	}
	return types.ListValueMust(orderType, elements)
}

func orderOf(v attr.Value) []service.WizardOrder {
	list, ok := v.(types.List)
	if !ok {
		return nil
	}
	var order []service.WizardOrder
	for _, element := range list.Elements() {
		a := attributesOf(element)
		order = append(order, service.WizardOrder{Column: stringOf(a["column"]), Descending: boolOf(a["descending"])})
	}
	return order
}

func scriptValue(prior types.Object, s *service.Script) types.Object {
	if s == nil {
		return types.ObjectNull(scriptType)
	}
	return types.ObjectValueMust(scriptType, map[string]attr.Value{
		"sql": types.StringValue(s.SQL), "sql_mode": types.StringValue(string(s.SQLMode)), "table": optional(textAt(prior, "table"), s.Table),
		"paged": types.BoolValue(s.Paged), "skip_total": types.BoolValue(s.SkipTotal),
	})
}

func scriptOf(v types.Object) *service.Script {
	if v.IsNull() || v.IsUnknown() {
		return nil
	}
	a := v.Attributes()
	return &service.Script{
		SQL: stringOf(a["sql"]), SQLMode: service.SQLMode(stringOf(a["sql_mode"])), Table: stringOf(a["table"]),
		Paged: boolOf(a["paged"]), SkipTotal: boolOf(a["skip_total"]),
	}
}

func registrationValue(prior types.Object, r *service.Registration) types.Object {
	if r == nil {
		return types.ObjectNull(registrationType)
	}
	return types.ObjectValueMust(registrationType, map[string]attr.Value{
		"host": types.StringValue(r.Host), "path": types.StringValue(r.Path), "content_type": types.StringValue(string(r.ContentType)),
		"request_body_description": optional(textAt(prior, "request_body_description"), r.RequestBodyDescription),
	})
}

func registrationOf(v types.Object) *service.Registration {
	if v.IsNull() || v.IsUnknown() {
		return nil
	}
	a := v.Attributes()
	return &service.Registration{
		Host: stringOf(a["host"]), Path: stringOf(a["path"]), ContentType: service.ContentType(stringOf(a["content_type"])),
		RequestBodyDescription: stringOf(a["request_body_description"]),
	}
}

func errorCodesValue(prior types.Map, codes map[string]service.ErrorDescription) types.Map {
	if len(codes) == 0 && !isEmpty(prior) {
		return types.MapNull(errorCodeType)
	}
	before := prior.Elements()
	elements := make(map[string]attr.Value, len(codes))
	for code, e := range codes {
		elements[code] = types.ObjectValueMust(errorCodeType.AttrTypes, map[string]attr.Value{
			"message": types.StringValue(e.Message), "solution": optional(textAt(before[code], "solution"), e.Solution),
		})
	}
	return types.MapValueMust(errorCodeType, elements)
}

func errorCodesOf(v types.Map) map[string]service.ErrorDescription {
	if len(v.Elements()) == 0 {
		return nil
	}
	codes := make(map[string]service.ErrorDescription, len(v.Elements()))
	for code, element := range v.Elements() {
		a := attributesOf(element)
		codes[code] = service.ErrorDescription{Message: stringOf(a["message"]), Solution: stringOf(a["solution"])}
	}
	return codes
}

func rateLimitValue(l *service.RateLimit) types.Object {
	if l == nil {
		return types.ObjectNull(rateLimitType)
	}
	return types.ObjectValueMust(rateLimitType, map[string]attr.Value{
		"requests": types.Int64Value(int64(l.Requests)), "period_seconds": types.Int64Value(int64(l.Period())),
	})
}

func rateLimitOf(v types.Object) *service.RateLimit {
	if v.IsNull() || v.IsUnknown() {
		return nil
	}
	a := v.Attributes()
	return &service.RateLimit{Requests: int(int64Of(a["requests"])), PeriodSeconds: int(int64Of(a["period_seconds"]))}
}

// textsOf is a map of texts; what is unknown is left out.
func textsOf(v types.Map) map[string]string {
	texts := make(map[string]string, len(v.Elements()))
	for name, element := range v.Elements() {
		if s, ok := element.(types.String); ok && !s.IsUnknown() && !s.IsNull() {
			texts[name] = s.ValueString()
		}
	}
	return texts
}

// isEmpty reports whether the map is known to be {}, which is not the same as null.
func isEmpty(v types.Map) bool { return !v.IsNull() && !v.IsUnknown() && len(v.Elements()) == 0 }

func attributesOf(v attr.Value) map[string]attr.Value {
	if o, ok := v.(types.Object); ok {
		return o.Attributes()
	}
	return nil
}

// textAt is the text of that name in an object; null where there is none.
func textAt(v attr.Value, name string) types.String {
	if s, ok := attributesOf(v)[name].(types.String); ok {
		return s
	}
	return types.StringNull()
}

func stringOf(v attr.Value) string {
	if s, ok := v.(types.String); ok {
		return s.ValueString()
	}
	return ""
}

// pointerOf is nil for null and for unknown.
func pointerOf(v attr.Value) *string {
	if s, ok := v.(types.String); ok && !s.IsUnknown() {
		return s.ValueStringPointer()
	}
	return nil
}

func boolOf(v attr.Value) bool {
	b, ok := v.(types.Bool)
	return ok && b.ValueBool()
}

func int64Of(v attr.Value) int64 {
	if n, ok := v.(types.Int64); ok {
		return n.ValueInt64()
	}
	return 0
}
