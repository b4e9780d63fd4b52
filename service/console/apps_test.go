// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// TestAnAppFromItsBeginningToItsEnd is what a visitor does with an app, in a real browser.
func TestAnAppFromItsBeginningToItsEnd(t *testing.T) {
	d := newDeskWith(t, "For the web shop of the northern countries.")
	b := d.browser()
	b.signIn(d.tokens["vera"])
	b.press("Apps")
	b.wants("shop", "Your apps")
	b.press("New app")
	b.enter("Name", "kio")
	b.press("Make the app")
	b.wants("4 to 50 letters")
	b.picture("app-form")
	b.enter("Name", "kiosk")
	b.enter("Description", "The screens at the entrance.")
	b.press("Make the app")
	b.wants("The app is made", "kiosk", "The screens at the entrance.", "Nothing yet.")
	b.press("Apply for an API")
	b.enter("API", "nothing")
	b.press("Apply")
	b.wants("nothing")
	b.enter("API", "countries")
	b.enter("What for", "The map on the third screen.")
	b.picture("authorize")
	b.press("Apply")
	b.wants("It is applied for", "wait review", "The map on the third screen.", "Withdraw the application")

	kiosk := must(d.App(d.ctx, d.as("vera"), "kiosk"))(t)
	applied := must(d.Authorizations(d.ctx, d.as("vera"), lifecycle.AuthorizationFilter{AppID: kiosk.ID}, lifecycle.Page{}))(t).Items[0]
	must(d.Approve(d.ctx, d.as("rex"), applied.OpenReview.ID, service.DecisionInput{}))(t)
	b.open("/apps/" + kiosk.ID)
	b.wants("active", "by rex", "Renew", "Give up")
	credentials := must(d.AppCredentials(d.ctx, d.as("vera"), kiosk.ID))(t)
	if strings.Contains(b.text(), credentials.Secret) {
		t.Error("the secret is shown unasked")
	}
	b.press("Show")
	b.wants(credentials.Secret, credentials.AppCode, credentials.WebhookSecret, credentials.Key)
	b.picture("app-credentials")
	b.enter("The present ones", "48")
	b.press("Rotate")
	b.wants("The app has a new secret")
	if rotated := must(d.AppCredentials(d.ctx, d.as("vera"), kiosk.ID))(t); rotated.Secret == credentials.Secret || rotated.PreviousValidUntil == nil {
		t.Errorf("after the rotation there is %+v", rotated)
	}

	d.announce()
	b.press("Apps")
	b.wants("To confirm", "the API is suspended", "countries")
	b.picture("apps")
	b.press("kiosk") // the notice's
	b.wants("Notices", "Confirm by itself", "open")
	b.picture("app")
	b.press("Confirm")
	b.wants("It is confirmed", "confirmed", "by vera")
	b.press("Give up")
	b.wants("It ends at once")
	b.picture("authorization-end")
	b.press("Give it up")
	b.wants("The app may call it no more", "unlinked")
	b.press("Delete")
	b.wants("Delete kiosk?", "cannot be undone")
	b.picture("app-delete")
	b.press("Delete the app")
	b.wants("The app is deleted", "shop")
	if _, err := d.App(d.ctx, d.as("vera"), "kiosk"); service.ErrorCode(err) != service.CodeNotFound {
		t.Errorf("the app is still there: %v", err)
	}
}

func TestSecretsOfAnAppAreShownToItsOwnerWhoAsks(t *testing.T) {
	d := newDesk(t)
	c := must(d.AppCredentials(d.ctx, d.as("vera"), d.app.ID))(t)
	path := "/console/apps/" + d.app.ID
	vera := d.in("vera")
	for _, shown := range []page{vera.get(path), vera.get("/console/apps"), vera.get(path + "/edit"), vera.get(path + "/credentials"), d.in("admin").get(path)} {
		shown.lacks(t, c.Secret, c.AppCode, c.WebhookSecret)
	}
	answer := vera.post(path+"/credentials").wants(t, http.StatusOK, c.Secret, c.AppCode, c.WebhookSecret)
	if got := answer.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("the answer may be kept: %q", got)
	}
	d.in("admin").post(path+"/credentials").wants(t, http.StatusForbidden, "who alone may read").lacks(t, c.Secret, c.AppCode, c.WebhookSecret)
}

func TestAnAppIsChanged(t *testing.T) {
	d := newDesk(t)
	path := "/console/apps/" + d.app.ID
	vera, admin := d.in("vera"), d.in("admin")
	etag := d.app.ETag()
	vera.post(path, "etag", etag, "name", "shop2", "description", "New.", "webhook_url", "ftp://x").wants(t, http.StatusUnprocessableEntity, "is not the address of a webhook", `value="shop2"`)
	vera.post(path, "etag", etag, "name", "shop2", "description", "New.").wants(t, http.StatusSeeOther)
	if app := must(d.App(d.ctx, d.as("vera"), d.app.ID))(t); app.Name != "shop2" || app.Description != "New." || app.WebhookURL != "" || app.OwnerName != "vera" {
		t.Errorf("the app is %+v", app)
	}
	// What somebody else has changed meanwhile is not overwritten.
	vera.post(path, "etag", etag, "name", "shop3").wants(t, http.StatusConflict, "changed")
	// An admin hands it over.
	app := must(d.App(d.ctx, d.as("vera"), d.app.ID))(t)
	admin.post(path, "etag", app.ETag(), "name", "shop2", "owner_id", "dora").wants(t, http.StatusSeeOther)
	vera.get(path).wants(t, http.StatusNotFound)
}

func TestAReviewerLetsAppsInAndTakesThemOut(t *testing.T) {
	d := newDeskWith(t, "x")
	rex, path := d.in("rex"), "/console/apps/"+d.app.ID
	rex.get(path).wants(t, http.StatusOK, "Take away").lacks(t, "Give up", "Rotate", ">Delete<")
	end := path + "/authorizations/" + d.authorization.ID + "/end"
	rex.get(end+"?as=API").wants(t, http.StatusOK, "is told 48 hours ahead")
	rex.post(end, "as", "API", "time", "2026-01-01T00:30").wants(t, http.StatusUnprocessableEntity, "The earliest allowed is")
	rex.post(end, "as", "API", "remark", "No more.").wants(t, http.StatusSeeOther)
	rex.get(path).wants(t, http.StatusOK, "waiting revoke", "Take the notice back", "No more.")
	rex.post(path+"/authorizations/"+d.authorization.ID+"/cancel").wants(t, http.StatusSeeOther)
	rex.get(path).wants(t, http.StatusOK, "Take away")
	// At once, for another API's right of an app of somebody else.
	other := must(d.CreateApp(d.ctx, d.as("vera"), service.AppInput{AppSpec: service.AppSpec{Name: "kiosk"}}))(t)
	answer := rex.post("/console/apps/authorize", "app", other.ID, "api", "countries", "until", "2036-01-01T00:00", "remark", "ok").wants(t, http.StatusSeeOther)
	rex.get(answer.Header.Get("Location")).wants(t, http.StatusOK, "The app may call it.", "2036-01-01 00:00 UTC")
	// Which can be made longer, and not shorter.
	vera := d.in("vera")
	vera.post("/console/apps/authorize", "app", other.ID, "api", "countries", "until", "2035-01-01T00:00").wants(t, http.StatusUnprocessableEntity, "renewing only extends", `value="2035-01-01T00:00"`)
	vera.post("/console/apps/authorize", "app", other.ID, "api", "countries", "until", "soon").wants(t, http.StatusUnprocessableEntity, "is not a time")
	vera.post("/console/apps/authorize", "app", other.ID, "api", "countries").wants(t, http.StatusSeeOther)
	vera.get("/console/apps/"+other.ID).wants(t, http.StatusOK, "vera asks for no end", "Withdraw the application")
}

func TestAConfirmationIsScheduled(t *testing.T) {
	d := newDesk(t)
	path := "/console/apps/" + d.app.ID + "/notices/" + d.notice.ID + "/schedule"
	vera := d.in("vera")
	vera.post(path, "time", "").wants(t, http.StatusUnprocessableEntity, "Say when")
	vera.post(path, "time", "2020-01-01T00:00").wants(t, http.StatusUnprocessableEntity, "is past")
	vera.post(path, "time", "2036-01-01T10:30").wants(t, http.StatusSeeOther)
	vera.get("/console/apps/"+d.app.ID).wants(t, http.StatusOK, "2036-01-01 10:30 UTC", "unless somebody does it sooner")
	vera.get("/console/apps").wants(t, http.StatusOK, "confirmed by itself at")
}
