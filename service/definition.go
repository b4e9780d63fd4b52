// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"maps"
	"reflect"
	"slices"
)

// Mode is how an API gets its answer.
type Mode string

// The modes. Source: dataworks-create-api, ApiMode.
const (
	// ModeWizard answers with rows of a table, chosen by its columns.
	ModeWizard Mode = "WIZARD"
	// ModeScript answers with the rows of a SQL script.
	ModeScript Mode = "SCRIPT"
	// ModeRegistration answers with what an HTTP backend answers.
	ModeRegistration Mode = "REGISTRATION"
)

// Modes lists every mode, in the order of the source document's numbers 0 to 2.
var Modes = []Mode{ModeWizard, ModeScript, ModeRegistration}

// Method is the HTTP method of an API.
type Method string

// The methods. Source: dataworks-create-api, RequestMethod.
const (
	MethodGet    Method = "GET"
	MethodPost   Method = "POST"
	MethodPut    Method = "PUT"
	MethodDelete Method = "DELETE"
)

// Methods lists every method, in the order of the source document's numbers 0 to 3.
var Methods = []Method{MethodGet, MethodPost, MethodPut, MethodDelete}

// sqlMethods are those of APIs that read from a connection.
var sqlMethods = []Method{MethodGet, MethodPost}

// HasBody reports whether a call with the method carries a body.
func (m Method) HasBody() bool { return m == MethodPost || m == MethodPut }

// Protocol is what an API may be called over.
type Protocol string

// The protocols. Source: dataworks-create-api, Protocols.
const (
	ProtocolHTTP  Protocol = "HTTP"
	ProtocolHTTPS Protocol = "HTTPS"
)

// Protocols lists every protocol, in the order of the source document's numbers 0 and 1.
var Protocols = []Protocol{ProtocolHTTP, ProtocolHTTPS}

// ContentType is a format of requests or answers.
type ContentType string

// The content types. Source: dataworks-create-api, ResponseContentType and RequestContentType.
const (
	ContentJSON ContentType = "JSON"
	ContentXML  ContentType = "XML"
	ContentForm ContentType = "FORM"
)

var (
	// RequestContentTypes lists what the body of a call can be.
	RequestContentTypes = []ContentType{ContentXML, ContentJSON, ContentForm}
	// ResponseContentTypes lists what an answer can be.
	ResponseContentTypes = []ContentType{ContentJSON, ContentXML}
)

// SQLMode is the language of a script.
type SQLMode string

// The SQL modes. Source: dataworks-create-api, SqlMode.
const (
	SQLBasic   SQLMode = "BASIC"
	SQLMyBatis SQLMode = "MYBATIS"
)

// SQLModes lists every SQL mode, in the order of the source document's numbers 0 and 1.
var SQLModes = []SQLMode{SQLBasic, SQLMyBatis}

// AuthType is how callers of an API prove who they are. There is no default: an
// open API must be said to be one.
type AuthType string

// The ways to authenticate.
const (
	// AuthApp asks for the signature of an authorized app's key and secret, or its AppCode
	// where the API allows that.
	AuthApp AuthType = "APP"
	// AuthIAM asks for the token of a member whose app is authorized.
	AuthIAM AuthType = "IAM"
	// AuthNone lets everybody call.
	AuthNone AuthType = "NONE"
)

// AuthTypes lists what an API may ask for.
var AuthTypes = []AuthType{AuthApp, AuthIAM, AuthNone}

// AppType returns the type of the apps that can be authorized for the API; "" where
// anybody may call.
func (t AuthType) AppType() AppType {
	switch t {
	case AuthApp:
		return AppTypeApp
	case AuthIAM:
		return AppTypeIAM
	}
	return ""
}

// Limits of a definition.
const (
	// MaxScriptLength is in bytes.
	MaxScriptLength = 64 << 10
	// MaxParameters bounds the request parameters and, separately, the response parameters.
	MaxParameters = 200
	// MaxErrorCodes bounds the documented error codes.
	MaxErrorCodes = 100
	// MaxSampleLength bounds each sample of an answer, in characters.
	MaxSampleLength = 16 << 10
	// MaxOrderBy bounds the columns that a wizard API sorts by.
	MaxOrderBy = 16
	// MaxCacheTTLSeconds is a day.
	MaxCacheTTLSeconds = 86400
	// DefaultTimeoutMS is in milliseconds.
	DefaultTimeoutMS = 10000
)

// Wizard is the detail of an API in wizard mode: rows of a table, chosen and
// sorted by columns.
type Wizard struct {
	Table string `json:"table" doc:"Table or view to read: a name, or schema.name. Letters count as they are written in the database."`
	// Paged answers pages with a total instead of all rows.
	Paged bool `json:"paged,omitempty"`
	// SkipTotal leaves the total of a paged answer out.
	SkipTotal bool          `json:"skip_total,omitempty" doc:"Paged: leave the total out (totalNum is null), which spares the database the counting."`
	OrderBy   []WizardOrder `json:"order_by,omitempty"`
}

// WizardOrder is a column that a wizard API sorts by.
type WizardOrder struct {
	Column     string `json:"column"`
	Descending bool   `json:"descending,omitempty"`
}

// Script is the detail of an API in script mode.
type Script struct {
	// SQL is one statement that returns rows. `${name}` binds a request parameter.
	SQL     string  `json:"sql"`
	SQLMode SQLMode `json:"sql_mode,omitempty" enum:"BASIC,MYBATIS" doc:"BASIC where absent; MYBATIS adds #{name} and the tags if, choose, where, trim, foreach and bind."`
	// Table is for people and for the vendors' formats: the table that the script is mostly about.
	Table string `json:"table,omitempty" doc:"Name of the table that the script is about, for documentation alone."`
	// Paged answers pages with a total instead of all rows.
	Paged bool `json:"paged,omitempty"`
	// SkipTotal leaves the total of a paged answer out.
	SkipTotal bool `json:"skip_total,omitempty" doc:"Paged: leave the total out (totalNum is null), which spares the database the counting."`
}

// Registration is the detail of an API that an HTTP backend answers.
type Registration struct {
	// Host is the backend's base URL: scheme, host and maybe a port.
	Host string `json:"host" doc:"Base URL of the backend: http:// or https://, a host and maybe a port."`
	// Path may have placeholders, [name], that request parameters fill.
	Path        string      `json:"path" doc:"Path at the backend, starting with a slash. [name] is filled with the request parameter of that name."`
	ContentType ContentType `json:"content_type,omitempty" enum:"JSON,XML" doc:"Format of the backend's answers; JSON where absent."`
	// RequestBodyDescription tells callers what the body is, where it has no declared parameters.
	RequestBodyDescription string `json:"request_body_description,omitempty"`
}

// ErrorDescription documents an error code of an API: what it means and what to do.
type ErrorDescription struct {
	Message  string `json:"message"`
	Solution string `json:"solution,omitempty"`
}

// Definition is what makes an API behave as it does. Changing it counts the API's
// revision up; what stands beside it in [APISpec] does not.
// Source: dataworks-create-api and dataworks-get-published-api.
type Definition struct {
	Path   string `json:"path" doc:"At most 200 letters, digits, underscores, hyphens and slashes, starting with a slash."`
	Method Method `json:"method" enum:"GET,POST,PUT,DELETE" doc:"WIZARD and SCRIPT: GET or POST. REGISTRATION: all four."`
	// Mode says whose details count. Absent: that of the one that is given.
	Mode                Mode        `json:"mode,omitempty" enum:"WIZARD,SCRIPT,REGISTRATION" doc:"Absent: the one whose details are given. Details of other modes are ignored."`
	Protocols           []Protocol  `json:"protocols,omitempty" doc:"HTTP, HTTPS or both, which is what absent means."`
	RequestContentType  ContentType `json:"request_content_type,omitempty" enum:"XML,JSON,FORM" doc:"Format of the request body of a REGISTRATION with POST or PUT; JSON where absent."`
	ResponseContentType ContentType `json:"response_content_type,omitempty" enum:"JSON,XML" doc:"WIZARD and SCRIPT answer JSON; JSON where absent."`
	AuthType            AuthType    `json:"auth_type" enum:"APP,IAM,NONE" doc:"APP: the signature of an authorized app. IAM: a token of a member whose app is authorized. NONE: anybody may call."`
	// AllowAppCode lets apps send their AppCode in place of a signature.
	AllowAppCode bool `json:"allow_app_code,omitempty" doc:"APP: an AppCode in a header will do in place of a signature. It is easier to send, and to steal."`
	// TimeoutMS bounds one call, in milliseconds.
	TimeoutMS int `json:"timeout_ms,omitempty" doc:"Milliseconds, 1 to 30000; 10000 where absent."`
	// ConnectionID is "" in registration mode.
	ConnectionID       string                       `json:"connection_id,omitempty" doc:"WIZARD and SCRIPT: the connection to read from."`
	Wizard             *Wizard                      `json:"wizard,omitempty"`
	Script             *Script                      `json:"script,omitempty"`
	Registration       *Registration                `json:"registration,omitempty"`
	RequestParameters  map[string]RequestParameter  `json:"request_parameters,omitempty"`
	ResponseParameters map[string]ResponseParameter `json:"response_parameters,omitempty" doc:"WIZARD and SCRIPT: the columns to answer, by name."`
	// ErrorCodes documents, by code, what an API answers where it fails.
	ErrorCodes    map[string]ErrorDescription `json:"error_codes,omitempty"`
	SuccessSample string                      `json:"success_sample,omitempty" doc:"A successful answer, for documentation."`
	FailureSample string                      `json:"failure_sample,omitempty" doc:"A failed answer, for documentation."`
	// RateLimit bounds the calls of the API by everybody together.
	RateLimit *RateLimit `json:"rate_limit,omitempty"`
	// CallerRateLimit bounds those of each caller.
	CallerRateLimit *RateLimit `json:"caller_rate_limit,omitempty"`
	// CacheTTLSeconds is how long an answer may be given again; 0 means never.
	CacheTTLSeconds int `json:"cache_ttl_seconds,omitempty" doc:"WIZARD and SCRIPT: how long an answer may be given again to the same call, 1 to 86400 seconds; absent: never."`
}

// Paged reports whether a call answers one page.
func (d Definition) Paged() bool {
	switch d.Mode {
	case ModeWizard:
		return d.Wizard != nil && d.Wizard.Paged
	case ModeScript:
		return d.Script != nil && d.Script.Paged
	}
	return false
}

// SkipsTotal reports whether the pages come without the total.
func (d Definition) SkipsTotal() bool {
	switch d.Mode {
	case ModeWizard:
		return d.Wizard != nil && d.Wizard.SkipTotal
	case ModeScript:
		return d.Script != nil && d.Script.SkipTotal
	}
	return false
}

// ReadsConnection reports whether the API reads from a connection.
func (d Definition) ReadsConnection() bool { return d.Mode != ModeRegistration }

// WithDefaults fills in what a user may leave out, and drops the details of modes
// that are not the definition's.
func (d Definition) WithDefaults() Definition {
	if d.Mode == "" {
		d.Mode = d.givenMode()
	}
	switch d.Mode {
	case ModeWizard:
		d.Script, d.Registration = nil, nil
	case ModeScript:
		d.Wizard, d.Registration = nil, nil
	case ModeRegistration:
		d.Wizard, d.Script = nil, nil
	}
	if d.Script != nil && d.Script.SQLMode == "" {
		s := *d.Script
		s.SQLMode = SQLBasic
		d.Script = &s
	}
	if d.Registration != nil && d.Registration.ContentType == "" {
		r := *d.Registration
		r.ContentType = ContentJSON
		d.Registration = &r
	}
	if w := d.Wizard; w != nil && len(w.OrderBy) == 0 {
		c := *w
		c.OrderBy = nil
		d.Wizard = &c
	}
	if d.TimeoutMS == 0 {
		d.TimeoutMS = DefaultTimeoutMS
	}
	if len(d.Protocols) == 0 {
		d.Protocols = Protocols
	}
	// The order means nothing.
	d.Protocols = slices.Compact(slices.Sorted(slices.Values(d.Protocols)))
	if d.RequestContentType == "" {
		d.RequestContentType = ContentJSON
	}
	if d.ResponseContentType == "" {
		d.ResponseContentType = ContentJSON
	}
	d.RequestParameters = withDefaults(d.RequestParameters, RequestParameter.withDefaults)
	d.RateLimit, d.CallerRateLimit = d.RateLimit.withDefaults(), d.CallerRateLimit.withDefaults()
	if len(d.ResponseParameters) == 0 {
		d.ResponseParameters = nil
	}
	if len(d.ErrorCodes) == 0 {
		d.ErrorCodes = nil
	}
	return d
}

func withDefaults[T any](values map[string]T, fill func(T) T) map[string]T {
	if len(values) == 0 {
		return nil
	}
	filled := make(map[string]T, len(values))
	for name, v := range values {
		filled[name] = fill(v)
	}
	return filled
}

// givenMode is the mode of the one detail that is given; "" where there is none, or
// more than one.
func (d Definition) givenMode() Mode {
	modes := d.givenModes()
	if len(modes) != 1 {
		return ""
	}
	return modes[0]
}

func (d Definition) givenModes() []Mode {
	var modes []Mode
	if d.Wizard != nil {
		modes = append(modes, ModeWizard)
	}
	if d.Script != nil {
		modes = append(modes, ModeScript)
	}
	if d.Registration != nil {
		modes = append(modes, ModeRegistration)
	}
	return modes
}

// Equal reports whether both definitions behave alike.
func (d Definition) Equal(o Definition) bool {
	return reflect.DeepEqual(d.WithDefaults(), o.WithDefaults())
}

// validate notes everything about the definition, with its defaults filled in, that
// breaks a rule and can be known without its connection and without parsing SQL.
func (d Definition) validate(v *Invalid) {
	checkPath(v, "/path", d.Path)
	d.validateMode(v)
	for _, p := range d.Protocols {
		if !oneOf(p, Protocols) {
			v.Addf("/protocols", "%q is not a protocol: use %s.", p, quoted(Protocols))
		}
	}
	if !oneOf(d.RequestContentType, RequestContentTypes) {
		v.Addf("/request_content_type", "%q is not a format of requests: use %s.", d.RequestContentType, quoted(RequestContentTypes))
	}
	if !oneOf(d.AuthType, AuthTypes) {
		v.Addf("/auth_type", "%q is not a way to authenticate: use %s.", d.AuthType, quoted(AuthTypes))
	}
	if d.AllowAppCode && d.AuthType != AuthApp {
		v.Addf("/allow_app_code", "Only an API with auth_type %q can allow an AppCode: remove it.", AuthApp)
	}
	if d.TimeoutMS < 1 || d.TimeoutMS > MaxTimeoutMS {
		v.Addf("/timeout_ms", "%d is not a timeout: use 1 to %d milliseconds.", d.TimeoutMS, MaxTimeoutMS)
	}
	d.validateParameters(v)
	d.validateDocumentation(v)
	d.RateLimit.validate(v, "/rate_limit")
	d.CallerRateLimit.validate(v, "/caller_rate_limit")
	if d.CacheTTLSeconds < 0 || d.CacheTTLSeconds > MaxCacheTTLSeconds {
		v.Addf("/cache_ttl_seconds", "%d is not a time to keep answers: use 1 to %d seconds, or leave it out.", d.CacheTTLSeconds, MaxCacheTTLSeconds)
	}
}

// validateMode checks what each mode has, and what only another one can have.
// Source: dataworks-create-api, RequestMethod and ResponseContentType.
func (d Definition) validateMode(v *Invalid) {
	switch d.Mode {
	case ModeWizard, ModeScript:
		d.validateSQLMode(v)
	case ModeRegistration:
		d.validateRegistration(v)
	case "":
		if given := d.givenModes(); len(given) > 1 {
			v.Addf("/mode", "There are details of several modes: say with mode which one it is, %s.", quoted(given))
		} else {
			v.Addf("/mode", "There is nothing to answer with: give wizard, script or registration.")
		}
	default:
		v.Addf("/mode", "%q is not a mode: use %s.", d.Mode, quoted(Modes))
	}
}

func (d Definition) validateSQLMode(v *Invalid) {
	what := "A " + lower(d.Mode) + " API"
	if !oneOf(d.Method, sqlMethods) {
		v.Addf("/method", "%q is not a method of a %s API: use %s.", d.Method, lower(d.Mode), quoted(sqlMethods))
	}
	if d.ResponseContentType != ContentJSON {
		v.Addf("/response_content_type", "%s answers %q: only a registered API can answer %q.", what, ContentJSON, ContentXML)
	}
	if d.ConnectionID == "" {
		v.Addf("/connection_id", "%s needs the connection that it reads from.", what)
	}
	if d.Mode == ModeWizard {
		d.validateWizard(v)
	} else {
		d.validateScript(v)
	}
	switch n := len(d.ResponseParameters); {
	case n == 0:
		v.Addf("/response_parameters", "Declare the columns to answer: only declared response parameters are answered.")
	case n > MaxParameters:
		v.Addf("/response_parameters", "There are %d response parameters; %d is the most.", n, MaxParameters)
	}
}

func (d Definition) validateWizard(v *Invalid) {
	w := d.Wizard
	if w == nil {
		v.Addf("/wizard", "A wizard API needs its table: give wizard, or set another mode.")
		return
	}
	checkIdentifier(v, "/wizard/table", "table", w.Table)
	if len(w.OrderBy) > MaxOrderBy {
		v.Addf("/wizard/order_by", "There are %d columns to sort by; %d is the most.", len(w.OrderBy), MaxOrderBy)
	}
	for i, o := range w.OrderBy {
		checkIdentifier(v, Pointer("wizard", "order_by", itoa(i), "column"), "column", o.Column)
	}
	if w.SkipTotal && !w.Paged {
		v.Addf("/wizard/skip_total", "Only a paged answer has a total: set paged, or remove skip_total.")
	}
}

func (d Definition) validateScript(v *Invalid) {
	s := d.Script
	if s == nil {
		v.Addf("/script", "A script API needs its SQL: give script, or set another mode.")
		return
	}
	switch {
	case s.SQL == "":
		v.Addf("/script/sql", "A script API needs its SQL.")
	case len(s.SQL) > MaxScriptLength:
		v.Addf("/script/sql", "The SQL has %d bytes; %d is the most.", len(s.SQL), MaxScriptLength)
	}
	if !oneOf(s.SQLMode, SQLModes) {
		v.Addf("/script/sql_mode", "%q is not a SQL mode: use %s.", s.SQLMode, quoted(SQLModes))
	}
	if s.Table != "" {
		checkIdentifier(v, "/script/table", "table", s.Table)
	}
	if s.SkipTotal && !s.Paged {
		v.Addf("/script/skip_total", "Only a paged answer has a total: set paged, or remove skip_total.")
	}
}

func (d Definition) validateRegistration(v *Invalid) {
	if !oneOf(d.Method, Methods) {
		v.Addf("/method", "%q is not a method: use %s.", d.Method, quoted(Methods))
	}
	if !oneOf(d.ResponseContentType, ResponseContentTypes) {
		v.Addf("/response_content_type", "%q is not a format of answers: use %s.", d.ResponseContentType, quoted(ResponseContentTypes))
	}
	if d.ConnectionID != "" {
		v.Addf("/connection_id", "A registered API has a backend and no connection: remove connection_id.")
	}
	if d.CacheTTLSeconds != 0 {
		v.Addf("/cache_ttl_seconds", "Answers of a backend are not kept: remove cache_ttl_seconds.")
	}
	if len(d.ResponseParameters) > MaxParameters {
		v.Addf("/response_parameters", "There are %d response parameters; %d is the most.", len(d.ResponseParameters), MaxParameters)
	}
	r := d.Registration
	if r == nil {
		v.Addf("/registration", "A registered API needs its backend: give registration, or set another mode.")
		return
	}
	checkBackendHost(v, "/registration/host", r.Host)
	checkBackendPath(v, "/registration/path", r.Path)
	if !oneOf(r.ContentType, ResponseContentTypes) {
		v.Addf("/registration/content_type", "%q is not a format of answers: use %s.", r.ContentType, quoted(ResponseContentTypes))
	}
	checkMaxLength(v, "/registration/request_body_description", "description", r.RequestBodyDescription, MaxDescriptionLength)
}

func (d Definition) validateParameters(v *Invalid) {
	if len(d.RequestParameters) > MaxParameters {
		v.Addf("/request_parameters", "There are %d request parameters; %d is the most.", len(d.RequestParameters), MaxParameters)
	}
	if !oneOf(d.Mode, Modes) {
		// Their rules are those of the mode.
		return
	}
	for _, name := range slices.Sorted(maps.Keys(d.RequestParameters)) {
		d.RequestParameters[name].validate(v, name, d)
	}
	for _, name := range slices.Sorted(maps.Keys(d.ResponseParameters)) {
		d.ResponseParameters[name].validate(v, name, d.Mode)
	}
}

func (d Definition) validateDocumentation(v *Invalid) {
	if len(d.ErrorCodes) > MaxErrorCodes {
		v.Addf("/error_codes", "There are %d error codes; %d is the most.", len(d.ErrorCodes), MaxErrorCodes)
	}
	for _, code := range slices.Sorted(maps.Keys(d.ErrorCodes)) {
		e := d.ErrorCodes[code]
		if !errorCodePattern.MatchString(code) {
			v.Addf(Pointer("error_codes", code), "%q is not an error code: use 1 to 64 letters, digits, dots, underscores and hyphens.", code)
		}
		if e.Message == "" {
			v.Addf(Pointer("error_codes", code, "message"), "Say what the error code %s means.", code)
		}
		checkMaxLength(v, Pointer("error_codes", code, "message"), "message", e.Message, MaxDescriptionLength)
		checkMaxLength(v, Pointer("error_codes", code, "solution"), "solution", e.Solution, MaxDescriptionLength)
	}
	checkMaxLength(v, "/success_sample", "sample", d.SuccessSample, MaxSampleLength)
	checkMaxLength(v, "/failure_sample", "sample", d.FailureSample, MaxSampleLength)
}

// Warnings are what is legal and probably not meant.
func (d Definition) Warnings() []FieldError {
	var v Invalid
	for _, mode := range d.givenModes() {
		if d.Mode != "" && mode != d.Mode {
			v.Addf("/"+lower(mode), "The mode is %s, so that these details are ignored.", d.Mode)
		}
	}
	d = d.WithDefaults()
	if r := d.Registration; r != nil {
		for _, name := range backendPlaceholders(r.Path) {
			if _, declared := d.RequestParameters[name]; !declared {
				v.Addf("/registration/path", "No request parameter is called %s, so that [%s] is sent to the backend as it is: declare it, or correct its spelling.", name, name)
			}
		}
		if r.ContentType != d.ResponseContentType {
			v.Addf("/response_content_type", "The backend answers %s and the API is said to answer %s: answers are passed on as they are.", r.ContentType, d.ResponseContentType)
		}
	}
	return v.fields
}
