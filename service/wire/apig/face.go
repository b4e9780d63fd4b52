// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package apig

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
	"github.com/dataservice/terraform-provider-dataservice/service/wire/auth"
)

// Register makes the calls of the package at /v2.
func Register(r chi.Router, s *lifecycle.Service, v *auth.Verifier) {
	f := &face{service: s, verifier: v}
	r.Route("/v2/{project_id}/apigw", func(r chi.Router) {
		r.Use(wire.AnswerPanics(broken), wire.TakeTurns(refuse))
		unsupported := f.handle("apig.Unsupported", http.StatusOK, f.unsupported)
		r.NotFound(unsupported)
		r.MethodNotAllowed(unsupported)
		r.Get("/instances", f.handle("apig.ListInstancesV2", http.StatusOK, f.listInstances))
		r.Route("/instances/{instance_id}", f.registerInstance)
	})
}

// registerInstance makes the calls at an instance.
func (f *face) registerInstance(r chi.Router) {
	r.Get("/", f.handle("apig.ShowDetailsOfInstanceV2", http.StatusOK, f.readInstance))
	r.Post("/apis/action", f.handle("apig.CreateOrDeletePublishRecordForApiV2", http.StatusCreated, f.act))
	r.Post("/apis/publish", f.handle("apig.BatchPublishOrOfflineApiV2", http.StatusOK, f.batch))
	r.Get("/apis/publish/{api_id}", f.handle("apig.ListApiVersionsV2", http.StatusOK, f.listVersions))
	r.Put("/apis/publish/{api_id}", f.handle("apig.ChangeApiVersionV2", http.StatusOK, f.switchVersion))
	r.Get("/apis/versions/{version_id}", f.handle("apig.ListApiVersionDetailV2", http.StatusOK, f.version))
	r.Delete("/apis/versions/{version_id}", f.handle("apig.DeleteApiByVersionIdV2", http.StatusNoContent, f.deleteVersion))
	r.Get("/apis/runtime/{api_id}", f.handle("apig.ListApiRuntimeDefinitionV2", http.StatusOK, f.runtime))
	r.Post("/apis/debug/{api_id}", f.handle("apig.DebugApiV2", http.StatusOK, f.debug))
	r.Get("/apis", f.handle("apig.ListApisV2", http.StatusOK, f.listAPIs))
	r.Post("/apis", f.handle("apig.CreateApiV2", http.StatusCreated, f.createAPI))
	r.Get("/apis/{api_id}", f.handle("apig.ShowDetailsOfApiV2", http.StatusOK, f.detail))
	r.Put("/apis/{api_id}", f.handle("apig.UpdateApiV2", http.StatusOK, f.updateAPI))
	r.Delete("/apis/{api_id}", f.handle("apig.DeleteApiV2", http.StatusNoContent, f.deleteAPI))
	r.Get("/api-groups", f.handle("apig.ListApiGroupsV2", http.StatusOK, f.listGroups))
	r.Post("/api-groups", f.handle("apig.CreateApiGroupV2", http.StatusCreated, f.createGroup))
	r.Get("/api-groups/{group_id}", f.handle("apig.ShowDetailsOfApiGroupV2", http.StatusOK, f.readGroup))
	r.Put("/api-groups/{group_id}", f.handle("apig.UpdateApiGroupV2", http.StatusOK, f.updateGroup))
	r.Delete("/api-groups/{group_id}", f.handle("apig.DeleteApiGroupV2", http.StatusNoContent, f.deleteGroup))
	r.Get("/apps", f.handle("apig.ListAppsV2", http.StatusOK, f.listApps))
	r.Post("/apps", f.handle("apig.CreateAnAppV2", http.StatusCreated, f.createApp))
	r.Get("/apps/{app_id}", f.handle("apig.ShowDetailsOfAppV2", http.StatusOK, f.readApp))
	r.Put("/apps/{app_id}", f.handle("apig.UpdateAppV2", http.StatusOK, f.updateApp))
	r.Delete("/apps/{app_id}", f.handle("apig.DeleteAppV2", http.StatusNoContent, f.deleteApp))
	r.Post("/app-auths", f.handle("apig.CreateAuthorizingAppsV2", http.StatusCreated, f.authorize))
	r.Get("/app-auths/binded-apis", f.handle("apig.ListApisBindedToAppV2", http.StatusOK, f.listAuthorizedAPIs))
	r.Get("/app-auths/binded-apps", f.handle("apig.ListAppsBindedToApiV2", http.StatusOK, f.listAuthorizedApps))
	r.Delete("/app-auths/{app_auth_id}", f.handle("apig.CancelingAuthorizationV2", http.StatusNoContent, f.revoke))
	r.Get("/envs", f.handle("apig.ListEnvironmentsV2", http.StatusOK, f.listEnvironments))
	r.Post("/envs", f.handle("apig.CreateEnvironmentV2", http.StatusCreated, f.createEnvironment))
	r.Put("/envs/{env_id}", f.handle("apig.UpdateEnvironmentV2", http.StatusOK, f.updateEnvironment))
	r.Delete("/envs/{env_id}", f.handle("apig.DeleteEnvironmentV2", http.StatusNoContent, f.deleteEnvironment))
}

type face struct {
	service  *lifecycle.Service
	verifier *auth.Verifier
}

// call is one call, of a caller who belongs to the workspace, at an instance of it, but for
// the list of instances.
type call struct {
	*http.Request
	lifecycle.Caller
	instance service.Instance
	// raw is the body that was decoded.
	raw []byte
	// changed are the publications that the call has changed.
	changed []service.Publication
}

// param returns a part of the path.
func (c *call) param(name string) string { return chi.URLParam(c.Request, name) }

// handle makes the handler of an operation: answer returns the body, nil for none, or the
// error that is answered in its place.
func (f *face) handle(operation string, status int, answer func(*call) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		wire.CallOf(r.Context()).Note(operation, nil) // for the log of a panic
		body, err := f.answer(w, r, answer)
		wire.CallOf(r.Context()).Note(operation, err)
		if err != nil {
			refuse(w, r, err)
			return
		}
		wire.WriteJSON(w, status, body)
	}
}

// refuse answers an error.
func refuse(w http.ResponseWriter, _ *http.Request, err error) {
	refusal := failureOf(err)
	refusal.headers(w.Header())
	wire.WriteJSON(w, refusal.status, refusal)
}

// broken answers a panic.
func broken(w http.ResponseWriter, _ *http.Request) {
	refusal := internal()
	wire.WriteJSON(w, refusal.status, refusal)
}

// answer finds out who calls and where, and answers the call.
func (f *face) answer(w http.ResponseWriter, r *http.Request, answer func(*call) (any, error)) (any, error) {
	caller, err := f.verifier.Huawei(w, r)
	if err != nil {
		return nil, err
	}
	if err := auth.InWorkspace(caller, r.Header.Get("workspace"), chi.URLParam(r, "project_id")); err != nil {
		return nil, err
	}
	c := &call{Request: r, Caller: caller}
	c.Body = http.MaxBytesReader(w, r.Body, auth.MaxBodyBytes)
	if id := c.param("instance_id"); id != "" {
		if c.instance, err = wire.Instance(r.Context(), f.service, caller, id); err != nil {
			return nil, wire.OrMissing(err, missing(codeInstanceMissing, "The instance does not exist;id:%s", id))
		}
	}
	body, err := answer(c)
	f.service.AwaitGatewaysBriefly(r.Context(), c.changed...)
	return body, err
}

// unsupported answers a call that there is at the vendor, or nowhere. Not with 404, which
// clients take for a thing that is gone.
func (f *face) unsupported(c *call) (any, error) {
	return nil, &failure{
		status: http.StatusNotImplemented, Code: codeUnsupported,
		Message: "This service does not answer " + c.Method + " " + c.URL.Path + ". The guide \"Using vendor SDKs\" lists the calls of API Gateway that it answers.",
	}
}

// environment finds the environment of the instance that a request names by its id. RELEASE
// has the same id in every instance.
func (f *face) environment(c *call, id string) (service.Environment, error) {
	if id == "" {
		return service.Environment{}, invalid("env_id", "it is missing")
	}
	ref := id
	if id == service.ReleaseEnvironmentID {
		ref = c.instance.ReleaseEnvironmentID
	}
	e, err := f.service.EnvironmentAt(c.Context(), c.Caller, ref)
	if err == nil && e.InstanceID != c.instance.ID {
		err = service.NotFound("environment", id)
	}
	return e, wire.OrMissing(err, environmentMissing(id))
}

// environmentID is the id that clients know the environment by.
func environmentID(e service.Environment) string {
	if e.Release() {
		return service.ReleaseEnvironmentID
	}
	return e.ID
}

// api finds an API.
func (f *face) api(c *call, parameter, id string) (service.API, error) {
	if id == "" {
		return service.API{}, invalid(parameter, "it is missing")
	}
	api, err := f.service.APIAt(c.Context(), c.Caller, id)
	return api, wire.OrMissing(err, apiMissing(id))
}
