// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console_test

import (
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
)

// TestAnOpenAPIDocumentIsRead is in a real browser, which fails the test for what breaks the
// policy of the page.
func TestAnOpenAPIDocumentIsRead(t *testing.T) {
	d := newDeskWith(t, "Countries with their codes.")
	b := d.browser()
	b.signIn(d.tokens["vera"])
	b.press("read it")
	b.do(chromedp.WaitVisible(".opblock-summary", chromedp.ByQuery))
	b.wants("APIs of default in RELEASE", "/countries", "GET")
	b.do(chromedp.Click(".opblock-summary button", chromedp.ByQuery), chromedp.WaitVisible(".parameters", chromedp.ByQuery))
	b.wants("code", "Countries with their codes.")
	b.picture("openapi")
	b.press("Catalog of RELEASE")
	b.press("countries")
	b.press("read it")
	b.do(chromedp.WaitVisible(".opblock-summary", chromedp.ByQuery))
	b.wants("countries", "Countries with their codes.")
	b.press("countries in the catalog")
	b.do(chromedp.WaitVisible("#call", chromedp.ByQuery))
	b.wants("Call it")
}

// TestMarkupStaysTextInTheViewer has a document full of it, which Swagger UI reads as Markdown.
func TestMarkupStaysTextInTheViewer(t *testing.T) {
	d := newDesk(t)
	b := d.browser()
	b.signIn(d.tokens["vera"])
	b.open("/catalog/" + d.env.ID + "/" + d.api.ID + "/openapi")
	b.do(chromedp.WaitVisible(".opblock-summary", chromedp.ByQuery), chromedp.Click(".opblock-summary button", chromedp.ByQuery), chromedp.WaitVisible(".parameters", chromedp.ByQuery))
	var scripts int
	b.do(chromedp.Evaluate(`document.querySelectorAll("#openapi script, #openapi [onerror], #openapi iframe").length`, &scripts))
	if scripts != 0 {
		t.Errorf("%d scripts came with the document", scripts)
	}
}

// TestOpenAPIDocumentsHoldAgainstTheSpecification asks a linter that is not ours.
func TestOpenAPIDocumentsHoldAgainstTheSpecification(t *testing.T) {
	d := newDesk(t)
	vera := d.in("vera")
	for _, path := range []string{"/console/catalog/RELEASE/openapi.json", "/console/catalog/" + d.env.ID + "/" + d.api.ID + "/openapi.json"} {
		document, err := libopenapi.NewDocument([]byte(vera.get(path).wants(t, http.StatusOK).body))
		if err != nil {
			t.Fatal(err)
		}
		checks, errs := validator.NewValidator(document)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		if valid, faults := checks.ValidateDocument(); !valid {
			t.Errorf("%s breaks the specification: %v", path, faults)
		}
	}
}
