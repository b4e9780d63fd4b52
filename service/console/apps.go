// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console

import (
	"net/http"
	"net/url"

	"github.com/go-chi/chi/v5"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func (c *console) appPages(r chi.Router) {
	r.Get("/apps", c.page("apps", c.apps))
	r.Post("/apps", c.act("app-create", c.createApp))
	r.Get("/apps/new", c.page("app-form", c.newApp))
	r.Get("/apps/{app}", c.page("app", c.app))
	r.Post("/apps/{app}", c.act("app-update", c.updateApp))
	r.Get("/apps/{app}/edit", c.page("app-form", c.editApp))
	r.Post("/apps/{app}/credentials", c.act("app-credentials", c.appCredentials))
	r.Post("/apps/{app}/rotate", c.act("app-rotate", c.rotateApp))
	r.Get("/apps/{app}/delete", c.page("app-delete-form", c.askToDeleteApp))
	r.Post("/apps/{app}/delete", c.act("app-delete", c.deleteApp))
	r.Post("/apps/{app}/deliveries/{delivery}/redeliver", c.act("redeliver", c.redeliver))
}

// appsPage is the list of apps, and what their owners are asked to confirm.
type appsPage struct {
	// All says that those of others are listed too, which MayAll says one is shown.
	All, MayAll bool
	Apps        []service.App
	Next        string
	// Notices are open, to apps that the member speaks for.
	Notices []service.Notice
}

// apps lists the member's apps.
func (c *console) apps(v *visit) error {
	p := appsPage{MayAll: v.may(service.OpAllApps) || v.may(service.OpDecide)}
	p.All = p.MayAll && v.query("all") != ""
	owner := v.caller.Member.ID
	if p.All {
		owner = ""
	}
	l, err := c.Service.Apps(v, v.caller, owner, v.list())
	if err != nil {
		return err
	}
	p.Apps, p.Next = l.Items, v.next(l.Next)
	notices, err := c.Service.Notices(v, v.caller, lifecycle.NoticeFilter{AppOwnerID: owner, Status: service.NoticeOpen}, lifecycle.Page{Limit: perPage})
	if err != nil {
		return err
	}
	for _, n := range notices.Items {
		if v.caller.Member.SpeaksFor(n.AppOwnerID) {
			p.Notices = append(p.Notices, n)
		}
	}
	return c.show(v, "apps", "apps", "Apps", p)
}

// appForm is the form to make an app, or to change the one with the ID.
type appForm struct {
	refusal
	ID, ETag string
	service.AppInput
	// Action is where it is sent.
	Action string
}

func (c *console) newApp(v *visit) error {
	return c.show(v, "app-form", "apps", "New app", &appForm{Action: Path + "/apps"})
}

// enteredApp is the app as it was entered.
func (v *visit) enteredApp() service.AppInput {
	return service.AppInput{
		AppSpec: service.AppSpec{
			Name: v.field("name"), Description: v.field("description"), Type: service.AppType(v.field("type")), WebhookURL: v.field("webhook_url"),
		},
		OwnerID: v.field("owner_id"),
	}
}

func (c *console) createApp(v *visit) error {
	form := &appForm{AppInput: v.enteredApp(), Action: Path + "/apps"}
	app, err := c.Service.CreateApp(v, v.caller, form.AppInput)
	if err != nil {
		return c.showAgain(v, err, "app-form", "apps", "New app", form)
	}
	return v.backTo(app.ID, "app-created")
}

func (c *console) editApp(v *visit) error {
	app, err := c.ownApp(v)
	if err != nil {
		return err
	}
	return c.show(v, "app-form", "apps", "Change "+app.Name, &appForm{
		ID: app.ID, ETag: app.ETag(), AppInput: service.AppInput{AppSpec: app.AppSpec, OwnerID: app.OwnerName}, Action: appPath(app.ID),
	})
}

// ownApp is the app of the address, for those who may change it.
func (c *console) ownApp(v *visit) (service.App, error) {
	app, err := c.Service.App(v, v.caller, v.param("app"))
	if err == nil && !v.caller.Member.SpeaksFor(app.OwnerID) {
		err = service.Errorf(service.CodeForbidden, "The app %s belongs to %s: its owner, operators and admins alone may change it.", app.Name, app.OwnerName)
	}
	return app, err
}

func appPath(id string) string { return Path + "/apps/" + url.PathEscape(id) }

func (c *console) updateApp(v *visit) error {
	app, err := c.Service.App(v, v.caller, v.param("app"))
	if err != nil {
		return err
	}
	form := &appForm{ID: app.ID, ETag: v.field("etag"), AppInput: v.enteredApp(), Action: appPath(app.ID)}
	form.Type = app.Type
	// An owner that is named as before is no wish to hand the app over.
	in := form.AppInput
	if in.OwnerID == app.OwnerName {
		in.OwnerID = ""
	}
	if _, err := c.Service.UpdateApp(v, v.caller, app.ID, form.ETag, in); err != nil {
		return c.showAgain(v, err, "app-form", "apps", "Change "+app.Name, form)
	}
	return v.backTo(app.ID, "app-changed")
}

// appPage is one app.
type appPage struct {
	service.App
	// Speaks says that the member acts for the app; Owns, that it is theirs.
	Speaks, Owns bool
	// Credentials are shown to who asked for them; nil else.
	Credentials    *service.Credentials
	Authorizations []authorizationRow
	NextPage       string
	Notices        []noticeRow
	Deliveries     []service.Delivery
	OverlapHours   int
	MaxOverlap     int
}

// recent is how many notices and deliveries of an app are shown.
const recent = 20

// app shows one app.
func (c *console) app(v *visit) error {
	p, err := c.appPage(v)
	if err != nil {
		return err
	}
	return c.show(v, "app", "apps", p.Name, p)
}

func (c *console) appPage(v *visit) (p appPage, err error) {
	if p.App, err = c.Service.App(v, v.caller, v.param("app")); err != nil {
		return p, err
	}
	m := v.caller.Member
	p.Speaks, p.Owns = m.SpeaksFor(p.OwnerID), m.ID == p.OwnerID
	p.OverlapHours, p.MaxOverlap = service.DefaultOverlapHours, service.MaxOverlapHours
	if p.Authorizations, p.NextPage, err = c.authorizationRows(v, p.App); err != nil {
		return p, err
	}
	notices, err := c.Service.Notices(v, v.caller, lifecycle.NoticeFilter{AppID: p.ID}, lifecycle.Page{Limit: recent})
	if err != nil {
		return p, err
	}
	for _, n := range notices.Items {
		p.Notices = append(p.Notices, noticeRow{n, p.Speaks && n.Status == service.NoticeOpen})
	}
	if p.Speaks {
		deliveries, err := c.Service.Deliveries(v, v.caller, p.ID, lifecycle.DeliveryFilter{}, lifecycle.Page{Limit: recent})
		if err != nil {
			return p, err
		}
		p.Deliveries = deliveries.Items
	}
	return p, nil
}

// appCredentials shows the app with what it signs with. Nothing but this answer has it, which
// nobody keeps.
func (c *console) appCredentials(v *visit) error {
	p, err := c.appPage(v)
	if err != nil {
		return err
	}
	credentials, err := c.Service.AppCredentials(v, v.caller, p.ID)
	if err != nil {
		return err
	}
	p.Credentials = &credentials
	return c.show(v, "app", "apps", p.Name, p)
}

func (c *console) rotateApp(v *visit) error {
	hours, err := v.number("overlap_hours", service.DefaultOverlapHours)
	if err != nil {
		return err
	}
	if _, err := c.Service.RotateApp(v, v.caller, v.param("app"), service.RotateInput{OverlapHours: &hours}); err != nil {
		return err
	}
	return v.backTo(v.param("app"), "app-rotated")
}

// appEnd is what ends with an app.
type appEnd struct {
	service.App
	ETag           string
	Authorizations []service.Authorization
	// More says that there are others than those that are listed.
	More bool
}

func (c *console) askToDeleteApp(v *visit) error {
	app, err := c.ownApp(v)
	if err != nil {
		return err
	}
	l, err := c.Service.Authorizations(v, v.caller, lifecycle.AuthorizationFilter{AppID: app.ID, Statuses: []service.AuthorizationStatus{
		service.AuthorizationActive, service.AuthorizationWaitingRevoke, service.AuthorizationWaitReview,
	}}, lifecycle.Page{Limit: perPage})
	if err != nil {
		return err
	}
	return c.show(v, "app-delete", "apps", "Delete "+app.Name, appEnd{app, app.ETag(), l.Items, l.Next != ""})
}

func (c *console) deleteApp(v *visit) error {
	if err := c.Service.DeleteApp(v, v.caller, v.param("app"), v.field("etag")); err != nil {
		return err
	}
	redirect(v.w, v.r, "/apps?done=app-deleted")
	return nil
}

func (c *console) redeliver(v *visit) error {
	if _, err := c.Service.Redeliver(v, v.caller, v.param("app"), v.param("delivery")); err != nil {
		return err
	}
	return v.backTo(v.param("app"), "delivery-again")
}

// backTo leads to the app after something of it was done.
func (v *visit) backTo(appID, word string) error {
	http.Redirect(v.w, v.r, appPath(appID)+"?done="+url.QueryEscape(word), http.StatusSeeOther)
	return nil
}
