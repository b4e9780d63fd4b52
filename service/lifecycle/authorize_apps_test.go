// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var firstPage = lifecycle.Page{}

func lifecycleFilter(apiID string) lifecycle.PublicationFilter {
	return lifecycle.PublicationFilter{APIID: apiID}
}

// statuses are those of the authorizations for the API, by the name of the app.
func (c *consumer) statuses(t *testing.T) map[string]service.AuthorizationStatus {
	t.Helper()
	found := map[string]service.AuthorizationStatus{}
	for _, z := range must(c.Authorizations(c.ctx, c.rev, lifecycle.AuthorizationFilter{APIID: c.api.ID}, firstPage))(t).Items {
		found[z.AppName] = z.Status
	}
	return found
}

func TestAllAppsOfAWorkspaceAreAuthorizedOrNone(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		c := newConsumer(t, h)
		c.publish(t)
		till := h.app(t, c.dev, "till")
		must(h.CreateApp(h.ctx, c.dev, service.AppInput{AppSpec: service.AppSpec{Name: "myself", Type: service.AppTypeIAM}}))(t)
		in := service.AuthorizeInput{APIID: c.api.ID, Until: c.hours(5)}

		_, err := h.AuthorizeApps(h.ctx, c.dev, in)
		wantCode(t, err, service.CodeForbidden, "dev may not")
		if got := c.statuses(t); len(got) != 0 {
			t.Errorf("after a refusal there are %v", got)
		}
		granted := must(h.AuthorizeApps(h.ctx, c.rev, in))(t)
		if got := c.statuses(t); len(granted) != 2 || len(got) != 2 || got["shop"] != service.AuthorizationActive || got["till"] != service.AuthorizationActive {
			t.Errorf("authorized are %v: %+v", got, granted)
		}
		must(h.AuthorizeApps(h.ctx, c.rev, in))(t) // the same once more

		// One that may call longer already keeps all from a shorter time.
		must(h.Authorize(h.ctx, c.rev, service.AuthorizeInput{APIID: c.api.ID, AppID: till.ID, Until: c.hours(50)}))(t)
		in.Until = c.hours(20)
		_, err = h.AuthorizeApps(h.ctx, c.rev, in)
		wantCode(t, err, service.CodeInvalid, "till")
		for _, z := range must(h.Authorizations(h.ctx, c.rev, lifecycle.AuthorizationFilter{AppID: c.shop.ID}, firstPage))(t).Items {
			if !z.Until.Equal(*c.hours(5)) {
				t.Errorf("the shop may call until %s", z.Until)
			}
		}
		in.Until = new(c.now.at.Add(-time.Hour))
		_, err = h.AuthorizeApps(h.ctx, c.rev, in)
		wantCode(t, err, service.CodeInvalid, "past")

		// Their rights end as one's does: after the notice.
		_, err = h.RevokeApps(h.ctx, c.dev, c.api.ID, "", service.RevokeInput{})
		wantCode(t, err, service.CodeForbidden, "dev")
		ended := must(h.RevokeApps(h.ctx, c.rev, c.api.ID, "", service.RevokeInput{}))(t)
		if got := c.statuses(t); len(ended) != 2 || got["shop"] != service.AuthorizationWaitingRevoke || got["till"] != service.AuthorizationWaitingRevoke || ended[0].RevokeAt == nil {
			t.Errorf("revoked are %v: %+v", got, ended)
		}
		_, err = h.RevokeApps(h.ctx, c.rev, c.api.ID, "", service.RevokeInput{})
		wantCode(t, err, service.CodeNotFound, "announced already")
	})
}

func TestAuthorizingAppsNeedsApps(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		rev := h.member(t, "rev", service.RoleAdmin, true)
		open := h.api(t, rev, "open_api")
		_, err := h.AuthorizeApps(h.ctx, rev, service.AuthorizeInput{APIID: open.ID})
		wantCode(t, err, service.CodeIllegalAction, "Everybody may call")
		in := h.definition("closed_api", 1)
		in.AuthType = service.AuthApp
		closed := must(h.CreateAPI(h.ctx, rev, in))(t)
		_, err = h.AuthorizeApps(h.ctx, rev, service.AuthorizeInput{APIID: closed.ID})
		wantCode(t, err, service.CodeIllegalAction, "has no app")
		_, err = h.RevokeApps(h.ctx, rev, closed.ID, "", service.RevokeInput{})
		wantCode(t, err, service.CodeNotFound, "No app is authorized")
		_, err = h.AuthorizeApps(h.ctx, rev, service.AuthorizeInput{APIID: "none"})
		wantCode(t, err, service.CodeNotFound, "none")
	})
}
