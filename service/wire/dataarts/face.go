// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataarts

import (
	"net/http"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
	"github.com/dataservice/terraform-provider-dataservice/service/wire/auth"
)

// Register makes the calls of the package at /v1.
func Register(r chi.Router, s *lifecycle.Service, v *auth.Verifier) {
	f := &face{service: s, verifier: v}
	r.Route("/v1/{project_id}/service", func(r chi.Router) {
		r.Use(wire.AnswerPanics(broken), wire.TakeTurns(refuse))
		unsupported := f.handle("Unsupported", http.StatusOK, f.unsupported)
		r.NotFound(unsupported)
		r.MethodNotAllowed(unsupported)
		f.registerAPIs(r)
		f.registerPublications(r)
		f.registerAuthorizations(r)
		f.registerCatalogs(r)
		f.registerInstances(r)
	})
}

func (f *face) registerAPIs(r chi.Router) {
	r.Get("/apis", f.handle("ListApis", http.StatusOK, f.listAPIs))
	r.Post("/apis", f.handle("CreateApi", http.StatusOK, f.createAPI))
	r.Get("/apis/{api_id}", f.handle("ShowApi", http.StatusOK, f.showAPI))
	r.Put("/apis/{api_id}", f.handle("UpdateApi", http.StatusNoContent, f.updateAPI))
	r.Post("/apis/batch-delete", f.handle("DeleteApi", http.StatusNoContent, f.deleteAPIs))
	r.Post("/apis/{api_id}/instances/{instance_id}/test", f.handle("DebugApi", http.StatusOK, f.debug))
	r.Post("/market", f.handle("ListDataServiceMarketApis", http.StatusOK, f.market))
}

func (f *face) registerPublications(r chi.Router) {
	r.Post("/apis/{api_id}/instances/{instance_id}/publish", f.handle("PublishApiToInstance", http.StatusNoContent, f.publish))
	r.Post("/apis/{api_id}/instances/{instance_id}/action", f.handle("ExecuteApiToInstance", http.StatusNoContent, f.act))
	r.Get("/apis/{api_id}/publish-info", f.handle("SearchPublishInfo", http.StatusOK, f.publishInfo))
	r.Get("/apis/{api_id}/debug-info", f.handle("SearchDebugInfo", http.StatusOK, f.debugInfo))
	r.Get("/apis/{api_id}/instances", f.handle("ListInstanceList", http.StatusOK, f.listAllowed))
	r.Get("/applys", f.handle("ListApply", http.StatusOK, f.listApplications))
	r.Post("/applys", f.handle("BatchApproveApply", http.StatusNoContent, f.decide))
	r.Get("/applys/{apply_id}", f.handle("ShowApplyDetail", http.StatusOK, f.application))
	r.Get("/messages", f.handle("ListMessage", http.StatusOK, f.listMessages))
	r.Post("/messages", f.handle("ConfirmMessage", http.StatusNoContent, f.confirm))
	r.Get("/messages/{message_id}", f.handle("ShowMessageDetail", http.StatusOK, f.message))
	r.Get("/authorizeapply/approver", f.handle("ListApprovers", http.StatusOK, f.listApprovers))
}

func (f *face) registerAuthorizations(r chi.Router) {
	r.Post("/apis/{api_id}/instances/{instance_id}/authorize", f.handle("AuthorizeApiToInstance", http.StatusNoContent, f.authorize))
	r.Post("/apis/authorize/action", f.handle("AuthorizeActionApiToInstance", http.StatusNoContent, f.authorizeAction))
	r.Get("/authorize/apis/{api_id}", f.handle("SearchAuthorizeApp", http.StatusOK, f.appsOfAPI))
	r.Get("/authorize/apps/{app_id}", f.handle("SearchBindApi", http.StatusOK, f.apisOfApp))
	r.Get("/apps", f.handle("ListApps", http.StatusOK, f.listApps))
	r.Post("/apps", f.handle("CreateApp", http.StatusOK, f.createApp))
	r.Get("/apps/{app_id}", f.handle("ShowAppInfo", http.StatusOK, f.showApp))
	r.Put("/apps/{app_id}", f.handle("UpdateApp", http.StatusOK, f.updateApp))
	r.Delete("/apps/{app_id}", f.handle("DeleteApp", http.StatusNoContent, f.deleteApp))
}

func (f *face) registerCatalogs(r chi.Router) {
	r.Post("/servicecatalogs", f.handle("CreateServiceCatalog", http.StatusOK, f.createCatalog))
	r.Get("/servicecatalogs/ids", f.handle("SearchIdByPath", http.StatusOK, f.catalogOfPath))
	r.Get("/servicecatalogs/{catalog_id}", f.handle("ShowCatalogDetail", http.StatusOK, f.showCatalog))
	r.Put("/servicecatalogs/{catalog_id}", f.handle("UpdateCatalog", http.StatusOK, f.updateCatalog))
	r.Post("/servicecatalogs/{catalog_id}/move", f.handle("MigrateCatalog", http.StatusNoContent, f.moveCatalog))
	r.Post("/servicecatalogs/batch-delete", f.handle("DeleteServiceCatalog", http.StatusNoContent, f.deleteCatalogs))
	r.Post("/servicecatalogs/apis/batch-move", f.handle("MigrateApi", http.StatusNoContent, f.moveAPIs))
	r.Get("/servicecatalogs/{catalog_id}/catalogs", f.handle("ListCatalogList", http.StatusOK, f.listCatalogs))
	r.Get("/servicecatalogs/{catalog_id}/apis", f.handle("ListApiCatalogList", http.StatusOK, f.listAPIsOfCatalog))
	r.Get("/servicecatalogs/{catalog_id}/detail", f.handle("ListAllCatalogList", http.StatusOK, f.listAllOfCatalog))
	r.Get("/servicecatalogs/{catalog_id}/paths", f.handle("ShowPathById", http.StatusOK, f.pathOfCatalog))
	r.Get("/servicecatalogs/{catalog_id}/layerpaths", f.handle("ShowPathObjectById", http.StatusOK, f.layersOfCatalog))
}

func (f *face) registerInstances(r chi.Router) {
	r.Get("/instances", f.handle("ListDataServiceInstancesDetail", http.StatusOK, f.listInstances))
	r.Get("/instances/overview", f.handle("ListDataServiceInstancesOverview", http.StatusOK, f.listInstances))
	r.Get("/instances/{instance_id}", f.handle("ShowDataServiceInstance", http.StatusOK, f.showInstance))
}

type face struct {
	service  *lifecycle.Service
	verifier *auth.Verifier
}

// call is one call, of a caller who belongs to the workspace.
type call struct {
	*http.Request
	lifecycle.Caller
	// changed is the publication that the call has changed, where it has one.
	changed []service.Publication
}

// param returns a part of the path.
func (c *call) param(name string) string { return chi.URLParam(c.Request, name) }

// handle makes the handler of an operation: answer returns the body, nil for none, or the
// error that is answered in its place.
func (f *face) handle(operation string, status int, answer func(*call) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		wire.CallOf(r.Context()).Note("dataarts."+operation, nil) // for the log of a panic
		body, err := f.answer(w, r, answer)
		wire.CallOf(r.Context()).Note("dataarts."+operation, err)
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

// editions are the values of the header Dlm-Type. Both editions are answered alike.
var editions = []string{"", "SHARED", "EXCLUSIVE"}

// answer finds out who calls and where, and answers the call.
func (f *face) answer(w http.ResponseWriter, r *http.Request, answer func(*call) (any, error)) (any, error) {
	caller, err := f.verifier.Huawei(w, r)
	if err != nil {
		return nil, err
	}
	if err := auth.InWorkspace(caller, r.Header.Get("workspace"), chi.URLParam(r, "project_id")); err != nil {
		return nil, err
	}
	if !slices.Contains(editions, strings.ToUpper(r.Header.Get("Dlm-Type"))) {
		return nil, invalid("Dlm-Type", "use SHARED or EXCLUSIVE, or leave the header out")
	}
	c := &call{Request: r, Caller: caller}
	c.Body = http.MaxBytesReader(w, r.Body, auth.MaxBodyBytes)
	body, err := answer(c)
	f.service.AwaitGatewaysBriefly(r.Context(), c.changed...)
	return body, err
}

// decode reads the body of a call.
func (c *call) decode(into any) error {
	_, err := wire.ReadJSON(c.Body, into)
	return bodyFailure(err)
}

// unsupported answers a call that there is at the vendor, or nowhere.
func (f *face) unsupported(c *call) (any, error) {
	return nil, &failure{
		status: http.StatusNotImplemented, Code: codeUnsupported,
		Message: "This service does not answer " + c.Method + " " + c.URL.Path + ". The guide \"Using vendor SDKs\" lists the calls of DataArts DataService that it answers.",
	}
}

// api finds the API that a request names by its id.
func (f *face) api(c *call, id string) (service.API, error) {
	if id == "" {
		return service.API{}, missing("api_id")
	}
	api, err := f.service.APIAt(c.Context(), c.Caller, id)
	return api, wire.OrMissing(err, apiMissing(id))
}

// instance finds the cluster that a request names.
func (f *face) instance(c *call, id string) (service.Instance, error) {
	if id == "" {
		return service.Instance{}, missing("instance_id")
	}
	i, err := wire.Instance(c.Context(), f.service, c.Caller, id)
	return i, wire.OrMissing(err, noSuch(codeClusterMissing, "The cluster %s does not exist.", id))
}

// apiInInstance finds both that are in the path.
func (f *face) apiInInstance(c *call) (service.API, service.Instance, error) {
	instance, err := f.instance(c, c.param("instance_id"))
	if err != nil {
		return service.API{}, instance, err
	}
	api, err := f.api(c, c.param("api_id"))
	return api, instance, err
}
