// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"time"
)

// Mode is how an API gets its answer.
type Mode string

// ModeScript answers with the rows of a SQL script.
// Source: dataworks-create-api, ApiMode.
const ModeScript Mode = "SCRIPT"

// Method is the HTTP method of an API.
type Method string

// The methods of script APIs. Source: dataworks-create-api, RequestMethod.
const (
	MethodGet  Method = "GET"
	MethodPost Method = "POST"
)

var scriptMethods = []Method{MethodGet, MethodPost}

// AuthType is how callers of an API prove who they are. There is no default: an
// open API must be said to be one.
type AuthType string

// AuthNone lets everybody call.
const AuthNone AuthType = "NONE"

// AuthTypes lists what an API may ask for.
var AuthTypes = []AuthType{AuthNone}

// Limits of a definition.
const (
	// MaxScriptLength is in bytes.
	MaxScriptLength = 64 << 10
	// MaxParameters bounds the request parameters and, separately, the response parameters.
	MaxParameters = 200
	// DefaultTimeoutMS is in milliseconds.
	DefaultTimeoutMS = 10000
)

// Script is the detail of an API in script mode.
type Script struct {
	// SQL is one statement that returns rows. `${name}` binds a request parameter.
	SQL string `json:"sql"`
	// Paged answers pages with a total instead of all rows.
	Paged bool `json:"paged,omitempty"`
}

// Definition is what makes an API behave as it does. Changing it counts the API's
// revision up; name and description stand beside it and do not.
type Definition struct {
	Path     string   `json:"path" doc:"At most 200 letters, digits, underscores, hyphens and slashes, starting with a slash."`
	Method   Method   `json:"method" enum:"GET,POST"`
	AuthType AuthType `json:"auth_type" enum:"NONE"`
	// TimeoutMS bounds one call, in milliseconds.
	TimeoutMS          int                          `json:"timeout_ms,omitempty" doc:"Milliseconds, 1 to 30000; 10000 where absent."`
	ConnectionID       string                       `json:"connection_id"`
	Script             *Script                      `json:"script"`
	RequestParameters  map[string]RequestParameter  `json:"request_parameters,omitempty"`
	ResponseParameters map[string]ResponseParameter `json:"response_parameters"`
}

// Mode returns the definition's mode.
func (d Definition) Mode() Mode { return ModeScript }

// WithDefaults fills in what a user may leave out.
func (d Definition) WithDefaults() Definition {
	if d.TimeoutMS == 0 {
		d.TimeoutMS = DefaultTimeoutMS
	}
	if len(d.RequestParameters) == 0 {
		d.RequestParameters = nil
	}
	return d
}

// Equal reports whether both definitions behave alike.
func (d Definition) Equal(o Definition) bool {
	return reflect.DeepEqual(d.WithDefaults(), o.WithDefaults())
}

// DebugStatus is what is known of a revision's test call.
type DebugStatus string

// The debug statuses. A revision can be published once it reads SUCCESS.
const (
	DebugWaiting DebugStatus = "WAITING"
	DebugFailed  DebugStatus = "FAILED"
	DebugSuccess DebugStatus = "SUCCESS"
)

// APISpec is what a user says about an API.
type APISpec struct {
	Name        string `json:"name" doc:"4 to 50 letters, digits and underscores, starting with a letter; unique in the workspace."`
	Description string `json:"description,omitempty" doc:"At most 2000 characters."`
	Definition
}

// API is a definition that can change.
type API struct {
	ID          string `json:"id"`
	Number      int64  `json:"number"`
	WorkspaceID string `json:"workspace_id"`
	APISpec
	// Revision counts the changes of the definition, from 1.
	Revision int64 `json:"revision"`
	// DebugStatus is that of the current revision.
	DebugStatus DebugStatus `json:"debug_status" enum:"WAITING,FAILED,SUCCESS"`
	// DebugMessage says why the current revision was not debugged, or how that failed.
	DebugMessage string    `json:"debug_message,omitempty"`
	OwnerID      string    `json:"owner_id"`
	OwnerName    string    `json:"owner_name"`
	CreatedAt    time.Time `json:"created_at"`
	UpdatedAt    time.Time `json:"updated_at"`

	// RowVersion counts every change of the record; it makes the ETag.
	RowVersion int64 `json:"-"`
}

// Revision is one state that an API's definition had.
type Revision struct {
	APIID        string
	Number       int64
	Definition   Definition
	DebugStatus  DebugStatus
	DebugMessage string
	CreatedAt    time.Time
}

// Validate checks everything about the API that can be known without its
// connection and without parsing the SQL (service/query does that).
func (a APISpec) Validate() error {
	var v Invalid
	checkName(&v, "/name", a.Name)
	checkMaxLength(&v, "/description", "description", a.Description, MaxDescriptionLength)
	a.Definition.validate(&v)
	return v.Err("The API")
}

func (d Definition) validate(v *Invalid) {
	checkPath(v, "/path", d.Path)
	if !oneOf(d.Method, scriptMethods) {
		v.Addf("/method", "%q is not a method of a script API: use %s.", d.Method, quoted(scriptMethods))
	}
	if !oneOf(d.AuthType, AuthTypes) {
		v.Addf("/auth_type", "%q is not a way to authenticate: use %s.", d.AuthType, quoted(AuthTypes))
	}
	if d.TimeoutMS < 1 || d.TimeoutMS > MaxTimeoutMS {
		v.Addf("/timeout_ms", "%d is not a timeout: use 1 to %d milliseconds.", d.TimeoutMS, MaxTimeoutMS)
	}
	if d.ConnectionID == "" {
		v.Addf("/connection_id", "A script API needs the connection that it reads from.")
	}
	switch {
	case d.Script == nil || d.Script.SQL == "":
		v.Addf("/script/sql", "A script API needs its SQL.")
	case len(d.Script.SQL) > MaxScriptLength:
		v.Addf("/script/sql", "The SQL has %d bytes; %d is the most.", len(d.Script.SQL), MaxScriptLength)
	}
	if len(d.RequestParameters) > MaxParameters {
		v.Addf("/request_parameters", "There are %d request parameters; %d is the most.", len(d.RequestParameters), MaxParameters)
	}
	for _, name := range slices.Sorted(maps.Keys(d.RequestParameters)) {
		d.RequestParameters[name].validate(v, name)
	}
	switch n := len(d.ResponseParameters); {
	case n == 0:
		v.Addf("/response_parameters", "Declare the columns to answer: only declared response parameters are answered.")
	case n > MaxParameters:
		v.Addf("/response_parameters", "There are %d response parameters; %d is the most.", n, MaxParameters)
	}
	for _, name := range slices.Sorted(maps.Keys(d.ResponseParameters)) {
		d.ResponseParameters[name].validate(v, name)
	}
}

func (p RequestParameter) validate(v *Invalid, name string) {
	at := func(field string) string { return Pointer("request_parameters", name, field) }
	if !parameterPattern.MatchString(name) {
		v.Addf(Pointer("request_parameters", name), "%q is not a valid parameter name: use 1 to 64 letters, digits and underscores, not starting with a digit.", name)
	}
	if oneOf(name, ReservedParameters) {
		v.Addf(Pointer("request_parameters", name), "%q is reserved for paging: choose another name.", name)
	}
	checkMaxLength(v, at("description"), "description", p.Description, MaxDescriptionLength)
	if !oneOf(p.Type, ParameterTypes) {
		v.Addf(at("type"), "%q is not a parameter type: use %s.", p.Type, quoted(ParameterTypes))
		return
	}
	for _, f := range []struct {
		field string
		value *string
	}{{"default", p.Default}, {"example", p.Example}} {
		if f.value == nil {
			continue
		}
		if _, err := p.Type.Parse(*f.value); err != nil {
			v.Addf(at(f.field), "The %s %q of %s %s.", f.field, *f.value, name, err)
		}
	}
}

func (p ResponseParameter) validate(v *Invalid, name string) {
	at := func(field string) string { return Pointer("response_parameters", name, field) }
	if name == "" || len(name) > 64 {
		v.Addf(Pointer("response_parameters", name), "A response parameter has the name of a column, 1 to 64 bytes.")
	}
	checkMaxLength(v, at("description"), "description", p.Description, MaxDescriptionLength)
	if !oneOf(p.Type, ParameterTypes) {
		v.Addf(at("type"), "%q is not a parameter type: use %s.", p.Type, quoted(ParameterTypes))
	}
}

// DebugParameters returns the values with which a revision can be called: those
// given, else each parameter's default, else its example. missing names the
// required parameters that have none of these.
func (d Definition) DebugParameters(given map[string]string) (values map[string]string, missing []string) {
	values = maps.Clone(given)
	if values == nil {
		values = map[string]string{}
	}
	for name, p := range d.RequestParameters {
		if _, ok := values[name]; ok {
			continue
		}
		switch {
		case p.Default != nil:
			values[name] = *p.Default
		case p.Example != nil:
			values[name] = *p.Example
		case p.Required:
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	return values, missing
}

// CandidateDigest names exactly what an application asks to put live: the API with
// the name and description that the catalog will show, the revision and definition,
// and the source that it reads from. An approval holds
// for one digest.
func CandidateDigest(a API, revision int64, d Definition, c Connection) string {
	data, err := json.Marshal(struct {
		APIID       string
		Name        string
		Description string
		Revision    int64
		Definition  Definition
		Connection  string
		Engine      Engine
		Source      [4]any
	}{a.ID, a.Name, a.Description, revision, d.WithDefaults(), c.ID, c.Engine, [4]any{c.File, c.Host, c.Port, c.Database}})
	if err != nil {
		panic("service: a definition is always JSON: " + err.Error())
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
