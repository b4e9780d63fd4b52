// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataworks

import (
	"context"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
	"github.com/dataservice/terraform-provider-dataservice/service/wire/auth"
	"github.com/dataservice/terraform-provider-dataservice/service/wire/signature"
)

// version is the only one of the vendor's API that is answered.
const version = "2020-05-18"

// shape says what an answer looks like.
type shape int

const (
	// enveloped: the result is Data beside HttpStatusCode, Success, ErrorCode and ErrorMessage.
	enveloped shape = iota
	// bare: the members of the result stand beside RequestId, and nothing says whether it
	// is one.
	bare
)

// operation is one action.
type operation struct {
	shape  shape
	answer func(*face, *call) (any, error)
	// anyProject: the action has no ProjectId, and means the workspace of the access key.
	anyProject bool
}

// operations holds the actions that are answered.
var operations = map[string]operation{
	"CreateDataServiceApi":          {answer: (*face).createAPI},
	"GetDataServiceApi":             {answer: (*face).getAPI},
	"UpdateDataServiceApi":          {answer: (*face).updateAPI},
	"DeleteDataServiceApi":          {answer: (*face).deleteAPI},
	"ListDataServiceApis":           {answer: (*face).listAPIs},
	"SubmitDataServiceApi":          {answer: (*face).submit},
	"PublishDataServiceApi":         {answer: (*face).publish},
	"AbolishDataServiceApi":         {answer: (*face).abolish},
	"GetDataServicePublishedApi":    {answer: (*face).getPublished},
	"ListDataServicePublishedApis":  {answer: (*face).listPublished},
	"TestDataServiceApi":            {answer: (*face).startTest, shape: bare, anyProject: true},
	"GetDataServiceApiTest":         {answer: (*face).getTest, shape: bare, anyProject: true},
	"ListDataServiceApiTest":        {answer: (*face).listTests, shape: bare, anyProject: true},
	"SaveDataServiceApiTestResult":  {answer: (*face).saveTestResult},
	"CreateDataServiceGroup":        {answer: (*face).createGroup, shape: bare},
	"GetDataServiceGroup":           {answer: (*face).getGroup, shape: bare},
	"ListDataServiceGroups":         {answer: (*face).listGroups, shape: bare},
	"CreateDataServiceFolder":       {answer: (*face).createFolder, shape: bare},
	"GetDataServiceFolder":          {answer: (*face).getFolder, shape: bare},
	"ListDataServiceFolders":        {answer: (*face).listFolders, shape: bare},
	"ListDataServiceApplications":   {answer: (*face).listApplications, anyProject: true},
	"GetDataServiceApplication":     {answer: (*face).getApplication},
	"CreateDataServiceApiAuthority": {answer: (*face).createAuthority, shape: bare},
	"DeleteDataServiceApiAuthority": {answer: (*face).deleteAuthority, shape: bare},
	"ListDataServiceApiAuthorities": {answer: (*face).listAuthorities},
	"ListDataServiceAuthorizedApis": {answer: (*face).listAuthorized},
}

// Register makes the calls of the package at /. A request there that names no action is
// answered by otherwise, but for a POST: nothing else is sent there.
func Register(r chi.Router, s *lifecycle.Service, v *auth.Verifier, otherwise http.HandlerFunc) {
	f := &face{service: s, verifier: v}
	serve := wire.TakeTurns(refuse)(http.HandlerFunc(f.serve)).ServeHTTP
	r.Post("/", serve)
	r.Get("/", func(w http.ResponseWriter, r *http.Request) {
		if !named(r) {
			otherwise(w, r)
			return
		}
		serve(w, r)
	})
}

// refuse answers an error before anything of the call is looked at but the format that it
// asks for in its query string.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	reply{id: wire.CallOf(r.Context()).RequestID(), host: r.Host, format: formatOf(r, nil)}.write(w, nil, err)
}

// named reports whether a request names an action.
func named(r *http.Request) bool {
	return r.Header.Get(signature.ACS3ActionHeader) != "" || r.URL.Query().Has("Action")
}

type face struct {
	service  *lifecycle.Service
	verifier *auth.Verifier
}

// call is one call, of a caller who belongs to the workspace, with what it was sent.
type call struct {
	context.Context
	lifecycle.Caller
	*form
	action string
	// changed is the publication that the call has changed, where it has one.
	changed []service.Publication
}

func (f *face) serve(w http.ResponseWriter, r *http.Request) {
	answered := reply{id: wire.CallOf(r.Context()).RequestID(), host: r.Host, format: formatOf(r, nil)}
	result, err := f.answer(w, r, &answered)
	operation := "dataworks.Unsupported"
	if _, known := operations[answered.action]; known {
		operation = "dataworks." + answered.action
	}
	wire.CallOf(r.Context()).Note(operation, err)
	answered.write(w, result, err)
}

// answer finds out who calls and what for, and answers the call.
func (f *face) answer(w http.ResponseWriter, r *http.Request, answered *reply) (any, error) {
	rpc, err := f.verifier.Alibaba(w, r)
	if err != nil {
		return nil, err
	}
	params := &form{values: rpc.Params}
	answered.action, answered.format = rpc.Action, formatOf(r, rpc.Params)
	op, known := operations[rpc.Action]
	switch {
	case rpc.Action == "":
		return nil, missingParameter("Action")
	case rpc.Version == "":
		return nil, missingParameter("Version")
	case !known:
		return nil, unsupported(rpc.Action)
	case rpc.Version != version:
		return nil, invalid("Version", "use "+version+".")
	case answered.format == "":
		answered.format = formatJSON
		return nil, invalid("Format", "use JSON or XML.")
	}
	answered.shape = op.shape
	if err := params.inWorkspace(rpc.Caller, op); err != nil {
		return nil, err
	}
	c := &call{Context: r.Context(), Caller: rpc.Caller, form: params, action: rpc.Action}
	result, err := op.answer(f, c)
	f.service.AwaitGatewaysBriefly(r.Context(), c.changed...)
	return result, err
}

// inWorkspace makes sure that the project which a request names is the caller's workspace.
// The tenant is not looked at: all workspaces are of one.
func (p *form) inWorkspace(c lifecycle.Caller, op operation) error {
	p.maybeInteger("TenantId")
	project := p.maybeInteger("ProjectId")
	if project == nil && !op.anyProject {
		p.fail(missingParameter("ProjectId"))
	}
	if p.err != nil {
		return p.err
	}
	if project == nil {
		return nil
	}
	return auth.InWorkspace(c, decimal(*project))
}
