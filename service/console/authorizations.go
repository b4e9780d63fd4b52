// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console

import (
	"cmp"
	"slices"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func (c *console) authorizationPages(r chi.Router) {
	r.Get("/apps/authorize", c.page("authorize-form", c.askToAuthorize))
	r.Post("/apps/authorize", c.act("authorize", c.authorize))
	r.Post("/apps/{app}/authorizations/{authorization}/cancel", c.act("authorization-cancel", c.cancelAuthorization))
	r.Get("/apps/{app}/authorizations/{authorization}/end", c.page("authorization-end-form", c.askToEndAuthorization))
	r.Post("/apps/{app}/authorizations/{authorization}/end", c.act("authorization-end", c.endAuthorization))
	r.Post("/apps/{app}/notices/{notice}/confirm", c.act("notice-confirm", c.confirmNotice))
	r.Post("/apps/{app}/notices/{notice}/schedule", c.act("notice-schedule", c.scheduleNotice))
}

// authorizationRow is an authorization, and what the member may do with it.
type authorizationRow struct {
	service.Authorization
	// Cancel is what can be taken back, as a button says it; "" where nothing can.
	Cancel string
	// Renew says that more can be asked for, GiveUp and TakeAway that the app's and the API's
	// side can end it.
	Renew, GiveUp, TakeAway bool
}

// noticeRow is a notice, and whether the member may confirm it.
type noticeRow struct {
	service.Notice
	Confirm bool
}

// authorizationRows are those of the app that the member is shown.
func (c *console) authorizationRows(v *visit, app service.App) (rows []authorizationRow, next string, err error) {
	environments, err := c.environments(v)
	if err != nil {
		return nil, "", err
	}
	l, err := c.Service.Authorizations(v, v.caller, lifecycle.AuthorizationFilter{AppID: app.ID}, v.list())
	if err != nil {
		return nil, "", err
	}
	m := v.caller.Member
	for _, z := range l.Items {
		row := authorizationRow{Authorization: z, Renew: z.OpenReview == nil && m.SpeaksFor(app.OwnerID), GiveUp: z.Status.Holds() && m.SpeaksFor(app.OwnerID)}
		if i := slices.IndexFunc(environments, func(e service.Environment) bool { return e.ID == z.EnvironmentID }); i >= 0 {
			e := environments[i]
			row.Renew = z.OpenReview == nil && (m.SpeaksFor(app.OwnerID) || e.Grants(m, app))
			row.TakeAway = z.Status == service.AuthorizationActive && e.Rights(m).Revoke.Way == service.WayDirect && m.MayChange(z.PrivateTo)
			switch {
			case service.CheckCancelAuthorization(z, e, m) != nil:
			case z.OpenReview != nil:
				row.Cancel = "Withdraw the application"
			default:
				row.Cancel = "Take the notice back"
			}
		}
		rows = append(rows, row)
	}
	return rows, v.next(l.Next), nil
}

// authorizeForm is the form to let an app call an API, or to apply for that.
type authorizeForm struct {
	refusal
	App, API, Until, Remark string
	// Environment is an id or a name; "" is RELEASE.
	Environment, EnvironmentName string
	Apps                         []service.App
	APIs                         []service.PublishedAPI
	Environments                 []environmentChoice
}

// environmentChoice is an environment, and what becomes there of a request for an app of
// one's own.
type environmentChoice struct {
	service.Environment
	AtOnce bool
}

// choices fills in what can be chosen.
func (f *authorizeForm) choices(v *visit, c *console) error {
	m := v.caller.Member
	owner := m.ID
	if v.may(service.OpAllApps) || v.may(service.OpDecide) {
		owner = ""
	}
	apps, err := c.Service.Apps(v, v.caller, owner, lifecycle.Page{Limit: maxChoices})
	if err != nil {
		return err
	}
	f.Apps = apps.Items
	if f.App != "" && !slices.ContainsFunc(f.Apps, func(a service.App) bool { return a.ID == f.App }) {
		if app, err := c.Service.App(v, v.caller, f.App); err == nil {
			f.Apps = append(f.Apps, app)
		}
	}
	environments, err := c.environments(v)
	if err != nil {
		return err
	}
	f.EnvironmentName = cmp.Or(f.Environment, service.ReleaseEnvironmentName)
	for _, e := range environments {
		if e.ID == f.Environment {
			f.EnvironmentName = e.Name
		}
		f.Environments = append(f.Environments, environmentChoice{e, e.Rights(m).AuthorizeOwn.Way == service.WayDirect})
	}
	// What is shown as suggestions is what can be called there; others can be named too.
	l, err := c.Service.Catalog(v, v.caller, lifecycle.CatalogFilter{Environment: f.Environment}, lifecycle.Page{Limit: maxChoices})
	if err != nil && service.ErrorCode(err) != service.CodeNotFound && service.ErrorCode(err) != service.CodeInvalid {
		return err
	}
	for _, api := range l.Items {
		if api.Definition.AuthType != service.AuthNone {
			f.APIs = append(f.APIs, api)
		}
	}
	return nil
}

func (c *console) askToAuthorize(v *visit) error {
	f := &authorizeForm{App: v.query("app"), API: v.query("api"), Environment: v.query("environment"), Until: v.query("until")}
	if err := f.choices(v, c); err != nil {
		return err
	}
	return c.show(v, "authorize", "apps", "Let an app call an API", f)
}

func (c *console) authorize(v *visit) error {
	f := &authorizeForm{App: v.field("app"), API: v.field("api"), Environment: v.field("environment"), Until: v.field("until"), Remark: v.field("remark")}
	until, err := parseTime("until", f.Until)
	var z service.Authorization
	if err == nil {
		z, err = c.Service.Authorize(v, v.caller, service.AuthorizeInput{APIID: f.API, EnvironmentID: f.Environment, AppID: f.App, Until: until, Remark: f.Remark})
	}
	if err != nil {
		if err := f.choices(v, c); err != nil {
			return err
		}
		return c.showAgain(v, err, "authorize", "apps", "Let an app call an API", f)
	}
	if z.OpenReview != nil {
		return v.backTo(z.AppID, "applied")
	}
	return v.backTo(z.AppID, "authorized")
}

func (c *console) cancelAuthorization(v *visit) error {
	z, err := c.Service.CancelAuthorization(v, v.caller, v.param("authorization"), service.ActionInput{Remark: v.field("remark")})
	if err != nil {
		return err
	}
	return v.backTo(z.AppID, "withdrawn")
}

// authorizationEnd is the form to end an authorization for one of its sides.
type authorizationEnd struct {
	refusal
	service.Authorization
	Side         service.Side
	NoticeHours  int
	Earliest     time.Time
	Time, Remark string
}

func (c *console) authorizationEnd(v *visit, side service.Side) (*authorizationEnd, error) {
	z, err := c.Service.Authorization(v, v.caller, v.param("authorization"), 0)
	if err != nil {
		return nil, err
	}
	env, err := c.Service.Environment(v, v.caller, z.EnvironmentID)
	if err != nil {
		return nil, err
	}
	return &authorizationEnd{
		Authorization: z, Side: side, NoticeHours: env.NoticeHours, Earliest: service.EarliestDeadline(env.NoticeHours, time.Now()),
		Time: v.field("time"), Remark: v.field("remark"),
	}, nil
}

func (c *console) askToEndAuthorization(v *visit) error {
	f, err := c.authorizationEnd(v, service.Side(cmp.Or(v.query("as"), string(service.SideApp))))
	if err != nil {
		return err
	}
	return c.show(v, "authorization-end", "apps", "End what "+f.AppName+" may call", f)
}

func (c *console) endAuthorization(v *visit) error {
	f, err := c.authorizationEnd(v, service.Side(v.field("as")))
	if err != nil {
		return err
	}
	deadline, err := parseTime("time", f.Time)
	in := service.RevokeInput{RevokeAs: f.Side, Remark: f.Remark}
	if deadline != nil {
		in.Time = deadline.Format(time.RFC3339)
	}
	var z service.Authorization
	if err == nil {
		z, err = c.Service.RevokeAuthorization(v, v.caller, f.ID, in)
	}
	if err != nil {
		return c.showAgain(v, err, "authorization-end", "apps", "End what "+f.AppName+" may call", f)
	}
	if z.RevokeAt != nil {
		return v.backTo(z.AppID, "announced")
	}
	return v.backTo(z.AppID, "given-up")
}

func (c *console) confirmNotice(v *visit) error {
	n, err := c.Service.ConfirmNotice(v, v.caller, v.param("notice"))
	if err != nil {
		return err
	}
	return v.backTo(n.AppID, "confirmed")
}

func (c *console) scheduleNotice(v *visit) error {
	at, err := parseTime("time", v.field("time"))
	if err != nil {
		return err
	}
	if at == nil {
		return service.Errorf(service.CodeInvalid, "Say when it is to be confirmed, or confirm it now.")
	}
	n, err := c.Service.ScheduleConfirmation(v, v.caller, v.param("notice"), *at)
	if err != nil {
		return err
	}
	return v.backTo(n.AppID, "scheduled")
}
