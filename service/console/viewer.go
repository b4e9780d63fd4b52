// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"

	"github.com/go-chi/chi/v5"
	"github.com/swaggest/swgui/v5/static"
	"github.com/vearutop/statigz"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// viewerPolicy is that of the pages that show an OpenAPI document: beyond [policy], their
// script fetches the document. They send no form.
const viewerPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

// viewerFiles are those of Swagger UI that the pages load, as they lie in its module.
var viewerFiles = statigz.FileServer(static.FS)

func (c *console) viewerPages(r chi.Router) {
	r.Get("/viewer/{file:swagger-ui-bundle\\.js|swagger-ui\\.css}", serveViewer)
	r.Get("/catalog/{environment}/openapi", c.page("catalog-openapi-viewer", c.viewContract))
	r.Get("/catalog/{environment}/{api}/openapi", c.page("catalog-api-openapi-viewer", c.viewContractOfAPI))
}

// viewerAsset is the address of a file of Swagger UI, which may be kept for long.
func viewerAsset(name string) (string, error) {
	data, err := static.FS.ReadFile(name + ".gz")
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return Path + "/viewer/" + name + "?v=" + hex.EncodeToString(sum[:6]), nil
}

func serveViewer(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	http.StripPrefix(Path+"/viewer", viewerFiles).ServeHTTP(w, r)
}

// viewerPage shows an OpenAPI document.
type viewerPage struct {
	// Document is where it is, and Back the page of the catalog that is about the same.
	Document, Back, BackText string
}

// viewContract shows the document of an environment.
func (c *console) viewContract(v *visit) error {
	if err := v.caller.Member.Authorize(service.OpReadCatalog); err != nil {
		return err
	}
	env, err := c.Service.Environment(v, v.caller, v.param("environment"))
	if err != nil {
		return err
	}
	return c.showDocument(v, "OpenAPI of "+env.Name, viewerPage{
		Document: Path + "/catalog/" + url.PathEscape(env.ID) + "/openapi.json",
		Back:     Path + "/catalog?" + url.Values{"environment": {env.Name}}.Encode(), BackText: "Catalog of " + env.Name,
	})
}

// viewContractOfAPI shows that of an API as it is live in an environment.
func (c *console) viewContractOfAPI(v *visit) error {
	published, err := c.Service.PublishedAPI(v, v.caller, v.param("api"), v.param("environment"))
	if err != nil {
		return err
	}
	page := Path + "/catalog/" + url.PathEscape(published.EnvironmentID) + "/" + url.PathEscape(published.APIID)
	return c.showDocument(v, "OpenAPI of "+published.Name, viewerPage{Document: page + "/openapi.json", Back: page, BackText: published.Name + " in the catalog"})
}

func (c *console) showDocument(v *visit, title string, p viewerPage) error {
	v.w.Header().Set("Content-Security-Policy", viewerPolicy)
	return c.show(v, "openapi", "catalog", title, p)
}
