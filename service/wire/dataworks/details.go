// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataworks

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

// detailNames are the parameters that hold the details of each mode, and the members that
// answer them.
var detailNames = map[service.Mode]string{
	service.ModeWizard: "WizardDetails", service.ModeScript: "ScriptDetails", service.ModeRegistration: "RegistrationDetails",
}

// The details of each mode as a request has them. Those that a call leaves out stay as they
// are where they are pointers.
type (
	wizardDetails struct {
		IsPagedResponse          bool               `json:"isPagedResponse"`
		WizardConnection         connection         `json:"wizardConnection"`
		WizardRequestParameters  []requestParameter `json:"wizardRequestParameters"`
		WizardResponseParameters []parameter        `json:"wizardResponseParameters"`
		WizardErrorCodes         *[]errorCode       `json:"wizardErrorCodes"`
		samples
	}
	scriptDetails struct {
		IsPagedResponse          bool               `json:"isPagedResponse"`
		Script                   string             `json:"script"`
		ScriptConnection         connection         `json:"scriptConnection"`
		ScriptRequestParameters  []requestParameter `json:"scriptRequestParameters"`
		ScriptResponseParameters []parameter        `json:"scriptResponseParameters"`
		ScriptErrorCodes         *[]errorCode       `json:"scriptErrorCodes"`
		samples
	}
	registrationDetails struct {
		ServiceHost                   string             `json:"serviceHost"`
		ServicePath                   string             `json:"servicePath"`
		ServiceContentType            int                `json:"serviceContentType"`
		ServiceRequestBodyDescription string             `json:"serviceRequestBodyDescription"`
		RegistrationRequestParameters []requestParameter `json:"registrationRequestParameters"`
		RegistrationErrorCodes        *[]errorCode       `json:"registrationErrorCodes"`
		samples
	}
)

type samples struct {
	SuccessfulResultSample *string `json:"successfulResultSample"`
	FailedResultSample     *string `json:"failedResultSample"`
}

type connection struct {
	ConnectionID int64  `json:"connectionId"`
	TableName    string `json:"tableName"`
}

type errorCode struct {
	ErrorCode     string `json:"errorCode"`
	ErrorMessage  string `json:"errorMessage"`
	ErrorSolution string `json:"errorSolution"`
}

// parameter is a response parameter.
type parameter struct {
	ColumnName           string `json:"columnName"`
	ExampleValue         string `json:"exampleValue"`
	ParameterDataType    int    `json:"parameterDataType"`
	ParameterDescription string `json:"parameterDescription"`
	ParameterName        string `json:"parameterName"`
}

type requestParameter struct {
	parameter
	DefaultValue        string `json:"defaultValue"`
	IsRequiredParameter bool   `json:"isRequiredParameter"`
	ParameterOperator   int    `json:"parameterOperator"`
	// ParameterPosition is the query string where it is absent.
	ParameterPosition *int `json:"parameterPosition"`
}

// reader reads the details of one mode into a definition.
type reader struct {
	face *face
	call *call
	// name is the parameter that holds them.
	name string
	d    *service.Definition
}

// readDetails reads the details of the definition's mode, where the call has them.
func (f *face) readDetails(c *call, d *service.Definition) error {
	r := reader{f, c, detailNames[d.Mode], d}
	if text := c.text(r.name); text == "" || c.err != nil {
		return c.err
	}
	switch d.Mode {
	case service.ModeWizard:
		return r.wizard()
	case service.ModeScript:
		return r.script()
	default:
		return r.registration()
	}
}

func (r reader) wizard() error {
	var in wizardDetails
	if err := r.decode(&in); err != nil {
		return err
	}
	w := service.Wizard{}
	if r.d.Wizard != nil {
		w = *r.d.Wizard
	}
	w.Table, w.Paged = in.WizardConnection.TableName, in.IsPagedResponse
	w.SkipTotal = w.SkipTotal && w.Paged
	r.d.Wizard = &w
	r.samples(in.samples)
	return errors.Join(r.requests(in.WizardRequestParameters), r.responses(in.WizardResponseParameters), r.errorCodes(in.WizardErrorCodes), r.connection(in.WizardConnection))
}

func (r reader) script() error {
	var in scriptDetails
	if err := r.decode(&in); err != nil {
		return err
	}
	s := service.Script{}
	if r.d.Script != nil {
		s = *r.d.Script
	}
	s.SQL, s.Table, s.Paged = in.Script, in.ScriptConnection.TableName, in.IsPagedResponse
	s.SkipTotal = s.SkipTotal && s.Paged
	r.d.Script = &s
	r.samples(in.samples)
	return errors.Join(r.requests(in.ScriptRequestParameters), r.responses(in.ScriptResponseParameters), r.errorCodes(in.ScriptErrorCodes), r.connection(in.ScriptConnection))
}

func (r reader) registration() error {
	var in registrationDetails
	if err := r.decode(&in); err != nil {
		return err
	}
	format, err := numbered(in.ServiceContentType, r.name, service.ResponseContentTypes)
	if err != nil {
		return err
	}
	r.d.Registration = &service.Registration{
		Host: in.ServiceHost, Path: in.ServicePath, ContentType: format, RequestBodyDescription: in.ServiceRequestBodyDescription,
	}
	r.samples(in.samples)
	return errors.Join(r.requests(in.RegistrationRequestParameters), r.errorCodes(in.RegistrationErrorCodes))
}

// decode reads the JSON that the parameter holds. What is not known there would be lost,
// and is refused.
func (r reader) decode(into any) error {
	d := json.NewDecoder(strings.NewReader(r.call.text(r.name)))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrongType) && wrongType.Field != "":
		return invalid(r.name, fmt.Sprintf("%s is a %s, which it cannot be.", wrongType.Field, wrongType.Value))
	case err != nil && strings.HasPrefix(err.Error(), "json: unknown field "):
		return invalid(r.name, strings.TrimPrefix(err.Error(), "json: unknown field ")+" is not known here.")
	case err != nil:
		return invalid(r.name, "it is not the JSON object that it has to be.")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return invalid(r.name, "something stands behind its JSON object.")
	}
	return nil
}

func (r reader) samples(in samples) {
	if in.SuccessfulResultSample != nil {
		r.d.SuccessSample = *in.SuccessfulResultSample
	}
	if in.FailedResultSample != nil {
		r.d.FailureSample = *in.FailedResultSample
	}
}

// connection finds the connection that is named by its number.
func (r reader) connection(in connection) error {
	if in.ConnectionID == 0 {
		return invalid(r.name, "connectionId is missing: give the number of a connection.")
	}
	conn, err := r.face.service.Connection(r.call, r.call.Caller, decimal(in.ConnectionID))
	if err != nil {
		return wire.OrMissing(err, refused(http.StatusBadRequest, codeConnectionMissing, "%s There is no connection %d in the workspace %q.", connectionMissing, in.ConnectionID, r.call.Workspace.Name))
	}
	r.d.ConnectionID = conn.ID
	return nil
}

func (r reader) errorCodes(in *[]errorCode) error {
	if in == nil {
		return nil
	}
	r.d.ErrorCodes = map[string]service.ErrorDescription{}
	for _, e := range *in {
		if _, twice := r.d.ErrorCodes[e.ErrorCode]; twice {
			return r.twice("error code", e.ErrorCode)
		}
		r.d.ErrorCodes[e.ErrorCode] = service.ErrorDescription{Message: e.ErrorMessage, Solution: e.ErrorSolution}
	}
	return nil
}

func (r reader) twice(what, name string) error {
	return invalid(r.name, fmt.Sprintf("there are two %ss %q.", what, name))
}

func (r reader) requests(in []requestParameter) error {
	r.d.RequestParameters = map[string]service.RequestParameter{}
	for _, p := range in {
		at := r.name + ": " + p.ParameterName
		kind, err := numbered(p.ParameterDataType, at+".parameterDataType", service.ParameterTypes)
		if err != nil {
			return err
		}
		operator, err := numbered(p.ParameterOperator, at+".parameterOperator", service.Operators)
		if err != nil {
			return err
		}
		position := service.PositionQuery
		if p.ParameterPosition != nil {
			if position, err = numbered(*p.ParameterPosition, at+".parameterPosition", service.Positions); err != nil {
				return err
			}
		}
		if _, twice := r.d.RequestParameters[p.ParameterName]; twice {
			return r.twice("request parameter", p.ParameterName)
		}
		r.d.RequestParameters[p.ParameterName] = service.RequestParameter{
			Type: kind, Position: position, Operator: operator, Required: p.IsRequiredParameter, Column: p.column(),
			Default: given(p.DefaultValue), Example: given(p.ExampleValue), Description: p.ParameterDescription,
		}
	}
	return nil
}

func (r reader) responses(in []parameter) error {
	r.d.ResponseParameters = map[string]service.ResponseParameter{}
	for _, p := range in {
		kind, err := numbered(p.ParameterDataType, r.name+": "+p.ParameterName+".parameterDataType", service.ParameterTypes)
		if err != nil {
			return err
		}
		if _, twice := r.d.ResponseParameters[p.ParameterName]; twice {
			return r.twice("response parameter", p.ParameterName)
		}
		r.d.ResponseParameters[p.ParameterName] = service.ResponseParameter{Type: kind, Column: p.column(), Example: given(p.ExampleValue), Description: p.ParameterDescription}
	}
	return nil
}

// column is the column that is not called as the parameter.
func (p parameter) column() string {
	if p.ColumnName == p.ParameterName {
		return ""
	}
	return p.ColumnName
}

// given is a text that says nothing where it is empty.
func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// detailsOf are the details of a definition as they are answered. Parameters and error
// codes come in the order of their names.
func detailsOf(d service.Definition, connection int64) member {
	o := object{}
	samples := []member{{"SuccessfulResultSample", d.SuccessSample}, {"FailedResultSample", d.FailureSample}}
	source := func(table string) object { return object{{"TableName", table}, {"ConnectionId", connection}} }
	switch {
	case d.Wizard != nil:
		o = append(o, member{"IsPagedResponse", d.Wizard.Paged})
		o = append(o, samples...)
		o = append(o, member{"WizardErrorCodes", errorCodesOf(d)}, member{"WizardRequestParameters", requestsOf(d)},
			member{"WizardResponseParameters", responsesOf(d)}, member{"WizardConnection", source(d.Wizard.Table)})
	case d.Script != nil:
		o = append(o, member{"IsPagedResponse", d.Script.Paged})
		o = append(o, samples...)
		o = append(o, member{"Script", d.Script.SQL}, member{"ScriptErrorCodes", errorCodesOf(d)}, member{"ScriptRequestParameters", requestsOf(d)},
			member{"ScriptResponseParameters", responsesOf(d)}, member{"ScriptConnection", source(d.Script.Table)})
	case d.Registration != nil:
		b := d.Registration
		o = append(o, member{"ServiceHost", b.Host}, member{"ServiceContentType", slices.Index(service.ResponseContentTypes, b.ContentType)}, member{"ServicePath", b.Path})
		o = append(o, samples...)
		o = append(o, member{"ServiceRequestBodyDescription", b.RequestBodyDescription}, member{"RegistrationErrorCodes", errorCodesOf(d)},
			member{"RegistrationRequestParameters", requestsOf(d)})
	}
	return member{detailNames[d.Mode], o}
}

func errorCodesOf(d service.Definition) []object {
	shown := []object{}
	for _, code := range slices.Sorted(maps.Keys(d.ErrorCodes)) {
		e := d.ErrorCodes[code]
		shown = append(shown, object{{"ErrorMessage", e.Message}, {"ErrorCode", code}, {"ErrorSolution", e.Solution}})
	}
	return shown
}

func requestsOf(d service.Definition) []object {
	shown := []object{}
	for _, name := range slices.Sorted(maps.Keys(d.RequestParameters)) {
		p := d.RequestParameters[name]
		o := object{
			{"ParameterName", name},
			{"ParameterPosition", slices.Index(service.Positions, p.Position)},
			{"ParameterDescription", p.Description},
			{"DefaultValue", orEmpty(p.Default)},
			{"ParameterOperator", slices.Index(service.Operators, p.Operator)},
			{"ExampleValue", orEmpty(p.Example)},
			{"ParameterDataType", slices.Index(service.ParameterTypes, p.Type)},
			{"IsRequiredParameter", p.Required},
		}
		if d.Mode == service.ModeWizard {
			o = append(o, member{"ColumnName", p.ColumnFor(name)})
		}
		shown = append(shown, o)
	}
	return shown
}

func responsesOf(d service.Definition) []object {
	shown := []object{}
	for _, name := range slices.Sorted(maps.Keys(d.ResponseParameters)) {
		p := d.ResponseParameters[name]
		o := object{
			{"ParameterDescription", p.Description},
			{"ParameterName", name},
			{"ExampleValue", orEmpty(p.Example)},
			{"ParameterDataType", slices.Index(service.ParameterTypes, p.Type)},
		}
		if d.Mode == service.ModeWizard {
			o = append(o, member{"ColumnName", p.ColumnFor(name)})
		}
		shown = append(shown, o)
	}
	return shown
}

func orEmpty(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
