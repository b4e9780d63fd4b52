// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/controlplane"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

const signInRoute = "/console/sign-in"

// TestNoPageElsewhereSendsAForm walks through every route, so that one without the check fails.
func TestNoPageElsewhereSendsAForm(t *testing.T) {
	d := newDesk(t)
	vera, other := d.in("admin"), d.in("admin")
	before := d.trailLength()
	for _, route := range d.consoleRoutes(http.MethodPost) {
		path := d.fill(route)
		if path == "" {
			t.Errorf("%s has a parameter that desk.fill does not know", route)
			continue
		}
		own := "Origin " + d.server.URL
		for name, attack := range map[string]struct {
			key     string
			headers string
			by      *person
		}{
			"without the key":                 {"", own, vera},
			"with the key of another session": {other.key, own, vera},
			"from another site":               {vera.key, "Sec-Fetch-Site cross-site", vera},
			"from another host of the site":   {vera.key, "Sec-Fetch-Site same-site", vera},
			"from another origin":             {vera.key, "Origin https://evil.example.com", vera},
			"from a page without an origin":   {vera.key, "Origin null", vera},
		} {
			form := url.Values{"key": {attack.key}}
			if route == signInRoute {
				if !strings.Contains(attack.headers, "site") && !strings.Contains(attack.headers, "evil") && !strings.Contains(attack.headers, "null") {
					continue // who signs in has no key yet
				}
				form.Set("token", d.tokens["vera"])
			}
			answer := attack.by.send(http.MethodPost, path, form, strings.Fields(attack.headers)...)
			if answer.StatusCode != http.StatusForbidden || !strings.Contains(answer.body, "This was not sent from") {
				t.Errorf("%s %s: %d %s", route, name, answer.StatusCode, answer.body)
			}
			if c := answer.session(); c != nil {
				t.Errorf("%s %s sets the cookie %s", route, name, c)
			}
		}
		if route != signInRoute {
			stranger := d.out().send(http.MethodPost, path, url.Values{"key": {vera.key}})
			if stranger.StatusCode != http.StatusSeeOther || stranger.Header.Get("Location") != signInRoute {
				t.Errorf("%s without a session: %d %s", route, stranger.StatusCode, stranger.Header.Get("Location"))
			}
		}
	}
	if after := d.trailLength(); after != before {
		t.Errorf("%d things have happened", after-before)
	}
	// And a page of the console does.
	vera.post("/console/apps/"+d.app.ID+"/rotate").wants(t, http.StatusSeeOther)
	if after := d.trailLength(); after != before+1 {
		t.Errorf("a form of an own page did %d things", after-before)
	}
}

func (d *desk) trailLength() int {
	d.t.Helper()
	return len(must(d.Events(d.ctx, d.as("admin"), lifecycle.EventFilter{}, 0, 500))(d.t).Items)
}

// The policies of pages: that of all, and that of those which fetch an OpenAPI document.
const (
	pagePolicy   = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	viewerPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)

// inline finds script and style that stand in a page itself.
var inline = regexp.MustCompile(`(?i)<script(?:\s+[^>]*)?>[^<]|<style|\sstyle=|\son[a-z]+\s*=|javascript:`)

// TestEveryPageIsGuarded walks through every route, for those who may and for those who may not.
func TestEveryPageIsGuarded(t *testing.T) {
	d := newDesk(t)
	somebody := map[string]*person{"nobody": d.out(), "the admin": d.in("admin"), "a visitor": d.in("vera")}
	for _, route := range append(d.consoleRoutes(http.MethodGet), "/console/nowhere", "/console/apps/nothing", "/console/catalog?environment=nowhere", "/console/audit?since=never") {
		path := d.fill(route)
		if path == "" {
			t.Errorf("%s has a parameter that desk.fill does not know", route)
			continue
		}
		for name, p := range somebody {
			answer := p.get(path)
			h := answer.Header
			if answer.StatusCode >= http.StatusInternalServerError {
				t.Errorf("%s for %s: %d %s", route, name, answer.StatusCode, answer.body)
			}
			policy := pagePolicy
			if strings.HasSuffix(route, "/openapi") && answer.StatusCode == http.StatusOK {
				policy = viewerPolicy
			}
			cache := "no-store"
			if strings.HasPrefix(path, "/console/static/") || strings.HasPrefix(path, "/console/viewer/") {
				cache = "public, max-age=31536000, immutable"
			}
			for header, want := range map[string]string{
				"Content-Security-Policy": policy, "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff",
				"Cross-Origin-Opener-Policy": "same-origin", "Referrer-Policy": "same-origin", "Cache-Control": cache,
			} {
				if got := h.Get(header); got != want {
					t.Errorf("%s for %s: %s is %q, want %q", route, name, header, got, want)
				}
			}
			if strings.HasPrefix(h.Get("Content-Type"), "text/html") {
				if found := inline.FindString(stripped(answer.body)); found != "" {
					t.Errorf("%s for %s has %q in itself:\n%s", route, name, found, answer.body)
				}
				if len(answer.body) > 100<<10 {
					t.Errorf("%s has %d bytes", route, len(answer.body))
				}
			}
			open := cache != "no-store" || route == signInRoute || route == "/console/" || route == "/console/nowhere"
			if name == "nobody" && !open && (answer.StatusCode != http.StatusSeeOther || !strings.HasPrefix(answer.Header.Get("Location"), signInRoute+"?next=")) {
				t.Errorf("%s shows nobody %d %s", route, answer.StatusCode, answer.body)
			}
		}
	}
}

// TestEveryPageIsGuardedBesideAProvider walks through the routes that there are with a provider
// to sign in at, as somebody who has not signed in.
func TestEveryPageIsGuardedBesideAProvider(t *testing.T) {
	d, _ := withProvider(t)
	providers := 0
	for _, route := range d.consoleRoutes(http.MethodGet) {
		path := d.fill(route)
		if path == "" {
			t.Errorf("%s has a parameter that desk.fill does not know", route)
			continue
		}
		answer := d.out().get(path)
		for header, want := range map[string]string{"Content-Security-Policy": pagePolicy, "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"} {
			if got := answer.Header.Get(header); got != want {
				t.Errorf("%s: %s is %q, want %q", route, header, got, want)
			}
		}
		if strings.HasPrefix(route, signInRoute+"/oidc") {
			providers++
			if answer.StatusCode >= http.StatusInternalServerError || answer.session() != nil {
				t.Errorf("%s answers %d, and the session %v", route, answer.StatusCode, answer.session())
			}
			continue
		}
		open := strings.HasPrefix(path, "/console/static/") || strings.HasPrefix(path, "/console/viewer/") || route == signInRoute || route == "/console/"
		if !open && (answer.StatusCode != http.StatusSeeOther || !strings.HasPrefix(answer.Header.Get("Location"), signInRoute+"?next=")) {
			t.Errorf("%s shows nobody %d %s", route, answer.StatusCode, answer.body)
		}
	}
	if providers != 2 {
		t.Errorf("there are %d routes to a provider", providers)
	}
}

// stripped is a page without what is text in it: our own markup as text has such words too.
func stripped(body string) string {
	return regexp.MustCompile(`&#39;|&#34;|&lt;[^>]*?&gt;`).ReplaceAllString(body, "")
}

// TestMarkupStaysText looks at every page that shows what somebody has written.
func TestMarkupStaysText(t *testing.T) {
	d := newDesk(t)
	shown := 0
	for _, name := range []string{"admin", "rex", "dora", "vera"} {
		p := d.in(name)
		pages := []page{
			p.get("/console/catalog?search=" + url.QueryEscape(markup) + "&group=" + url.QueryEscape(markup)),
			p.get("/console/audit?actor=" + url.QueryEscape(markup) + "&action=" + url.QueryEscape(markup) + "&thing=" + url.QueryEscape(markup) + "&since=" + url.QueryEscape(markup)),
			p.get("/console/audit?actor=" + url.QueryEscape(markup) + "&after=" + url.QueryEscape(markup)),
			p.get("/console/apps?all=yes&done=" + url.QueryEscape(markup)),
			p.get("/console/apps/" + url.PathEscape(markup)),
			p.get("/console/members/" + url.PathEscape(markup)),
			p.get("/console/apps/authorize?app=" + url.QueryEscape(markup) + "&api=" + url.QueryEscape(markup) + "&environment=" + url.QueryEscape(markup) + "&until=" + url.QueryEscape(markup)),
			p.get("/console/sign-in?next=" + url.QueryEscape("/console/catalog?"+markup)),
			p.post("/console/apps", "name", markup, "description", markup, "webhook_url", markup, "type", markup, "owner_id", markup),
			p.post("/console/apps/"+d.app.ID, "name", markup, "description", markup, "webhook_url", markup, "owner_id", markup),
			p.post("/console/apps/authorize", "app", markup, "api", markup, "environment", markup, "until", markup, "remark", markup),
			p.post("/console/apps/"+d.app.ID+"/authorizations/"+d.authorization.ID+"/end", "as", markup, "time", markup, "remark", markup),
			p.post("/console/apps/"+d.app.ID+"/notices/"+d.notice.ID+"/schedule", "time", markup),
			p.post("/console/apps/"+d.app.ID+"/rotate", "overlap_hours", markup),
			p.post("/console/members", "name", markup, "role", markup),
			p.post("/console/members/"+d.as("vera").Member.ID, "role", markup),
			p.post("/console/members/"+d.as("vera").Member.ID+"/delete", "hand_over_to", markup),
			p.post("/console/members/"+d.as("vera").Member.ID+"/tokens", "description", markup, "hours", "2"),
			p.post("/console/members/"+d.as("vera").Member.ID+"/tokens", "description", markup, "hours", markup),
			p.post("/console/catalog/"+d.env.ID+"/"+d.api.ID+"/try", "p.code", markup, "body", markup, "app", d.app.ID),
		}
		for _, route := range d.consoleRoutes(http.MethodGet) {
			pages = append(pages, p.get(d.fill(route)))
		}
		for _, a := range pages {
			if a.StatusCode >= http.StatusInternalServerError {
				t.Errorf("%s for %s answers %d: %s", a.path, name, a.StatusCode, a.body)
			}
			if !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
				continue
			}
			a.lacks(t, "<b data-xss", "<script>", `"'>`)
			shown += strings.Count(a.body, "&lt;b data-xss")
		}
	}
	if shown < 100 {
		t.Errorf("the markup is shown %d times: the pages do not show what they are to be tested with", shown)
	}
}

func TestASessionIsItsOwn(t *testing.T) {
	d := newDesk(t)
	// Somebody plants a cookie before the victim signs in.
	planted := d.in("dora")
	victim := &person{d: d, cookie: planted.cookie}
	signedIn := victim.send(http.MethodPost, signInRoute, url.Values{"token": {d.tokens["admin"]}}).wants(t, http.StatusSeeOther)
	fresh := signedIn.session()
	if fresh == nil || fresh.Value == planted.cookie.Value {
		t.Fatalf("signing in keeps the cookie that was there: %v", fresh)
	}
	planted.get("/console/catalog").wants(t, http.StatusOK, "dora")
	victim.cookie = fresh
	victim.get("/console/catalog").wants(t, http.StatusOK, "admin")
	// One that nobody was given is not taken over.
	made := &person{d: d, cookie: &http.Cookie{Name: planted.cookie.Name, Value: "id.secret"}}
	made.get("/console/catalog").wants(t, http.StatusSeeOther)
	if c := made.send(http.MethodPost, signInRoute, url.Values{"token": {d.tokens["vera"]}}).session(); c == nil || c.Value == "id.secret" {
		t.Errorf("the session is %v", c)
	}
	if again := d.in("dora"); again.cookie.Value == planted.cookie.Value || again.key == planted.key {
		t.Error("two sessions of a member are one")
	}
	// What one signs in with is not what is kept.
	if strings.Contains(planted.cookie.Value, d.tokens["dora"]) {
		t.Error("the cookie holds the token that was entered")
	}
}

func TestSigningOutEndsTheSession(t *testing.T) {
	d := newDesk(t)
	dora, elsewhere := d.in("dora"), d.in("dora")
	answer := dora.post("/console/sign-out").wants(t, http.StatusSeeOther)
	if c := answer.session(); c == nil || c.MaxAge >= 0 || c.Value != "" || c.Path != "/console/" {
		t.Errorf("the cookie that is left is %v", c)
	}
	// Who has kept the cookie has nothing.
	dora.get("/console/catalog").wants(t, http.StatusSeeOther)
	_, secret, _ := strings.Cut(dora.cookie.Value, ".")
	if _, _, err := d.Authenticate(d.ctx, secret); service.ErrorCode(err) != service.CodeUnauthenticated {
		t.Errorf("the session's token still opens something: %v", err)
	}
	elsewhere.get("/console/catalog").wants(t, http.StatusOK)
	d.as("dora") // and what was signed in with is as good as before
}

func TestASessionEndsWithItsMember(t *testing.T) {
	d := newDesk(t)
	dora := d.in("dora")
	must(d.UpdateMember(d.ctx, d.as("admin"), "dora", "", service.MemberInput{Name: "dora", Role: service.RoleVisitor}))(t)
	dora.get("/console/audit").wants(t, http.StatusForbidden) // at once
	if err := d.DeleteMember(d.ctx, d.as("admin"), "dora", "", "rex"); err != nil {
		t.Fatal(err)
	}
	if answer := dora.get("/console/catalog"); answer.StatusCode != http.StatusSeeOther || !strings.HasPrefix(answer.Header.Get("Location"), signInRoute) {
		t.Errorf("a removed member is answered %d %s", answer.StatusCode, answer.body)
	}
	if answer := dora.post("/console/apps", "name", "left_over"); answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != signInRoute {
		t.Errorf("a removed member does something: %d %s", answer.StatusCode, answer.body)
	}
}

func TestTheCookieIsForTheConsoleAlone(t *testing.T) {
	d := newDesk(t)
	dora := d.in("dora")
	c := dora.cookie
	if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/console/" || c.Domain != "" || c.Secure || c.MaxAge != 12*60*60 {
		t.Errorf("the cookie is %s", c)
	}
	// Neither the native API nor a vendor's takes it, even where it is sent.
	for _, path := range []string{"/api/v1/whoami", "/api/v1/workspaces/default/apis", "/v3/auth/tokens", "/v2/p/apic/instances/i/apis"} {
		if answer := dora.get(path); answer.StatusCode < http.StatusBadRequest {
			t.Errorf("the cookie opens %s: %d %s", path, answer.StatusCode, answer.body)
		}
	}
	dora.send(http.MethodPost, "/api/v1/workspaces/default/tokens", url.Values{}).wants(t, http.StatusUnauthorized)
	// And no token opens the console but by signing in.
	for _, header := range []string{"Authorization", "X-Auth-Token"} {
		value := d.tokens["admin"]
		if header == "Authorization" {
			value = "Bearer " + value
		}
		d.out().get("/console/audit", header, value).wants(t, http.StatusSeeOther)
		if answer := d.out().send(http.MethodPost, "/console/apps", url.Values{"name": {"headers"}}, header, value); answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != signInRoute {
			t.Errorf("%s opens a form: %d %s", header, answer.StatusCode, answer.body)
		}
	}
}

func TestTheCookieIsSecureWhereTheAddressIs(t *testing.T) {
	d := newDesk(t, func(o *controlplane.Options) { o.Secure = true })
	if c := d.in("vera").cookie; !c.Secure {
		t.Errorf("behind HTTPS the cookie is %s", c)
	}
	plain := newDesk(t)
	tls := httptest.NewTLSServer(plain.server.Config.Handler)
	defer tls.Close()
	client := tls.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.PostForm(tls.URL+signInRoute, url.Values{"token": {plain.tokens["vera"]}})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if c := (page{Response: resp}).session(); c == nil || !c.Secure {
		t.Errorf("over TLS the cookie is %v", c)
	}
	if got := resp.Header.Get("Strict-Transport-Security"); got == "" {
		t.Error("over TLS there is no Strict-Transport-Security")
	}
}

func TestSigningInLeadsNowhereElse(t *testing.T) {
	d := newDesk(t)
	const first = "/console/"
	for next, want := range map[string]string{
		"":                                    first,
		"/console/apps?all=yes":               "/console/apps?all=yes",
		"/console/audit?actor=a%20b&action=x": "/console/audit?actor=a%20b&action=x",
		"https://evil.example.com/":           first,
		"https://evil.example.com/console/":   first,
		"//evil.example.com/console/":         first,
		"///evil.example.com/console/":        first,
		"////evil.example.com":                first,
		`/\evil.example.com/console/`:         first,
		`\\evil.example.com`:                  first,
		"/%5cevil.example.com/console/":       first,
		"/%2f/evil.example.com/console/":      first,
		"/console//../../evil":                first,
		"/console/../api/v1/whoami":           first,
		"/console/%2e%2e/api/v1/whoami":       first,
		"/console/./../api":                   first,
		"/console/..":                         first,
		"/console/%2e%2e":                     first,
		"/console":                            first,
		"/consolex/":                          first,
		"console/apps":                        first,
		"javascript:alert(1)":                 first,
		"javascript:/console/":                first,
		"data:text/html,/console/":            first,
		"http:/console/":                      first,
		"http:console/":                       first,
		"https:///console/":                   first,
		"/console/\r\nSet-Cookie: x=y":        first,
		"/console/\tx":                        first,
		" /console/apps":                      first,
		"/console/\\@evil.example.com":        first,
		"@evil.example.com/console/":          first,
		"http://user@evil.example.com":        first,
		"/api/v1/whoami":                      first,
		"%2f%2fevil.example.com":              first,
	} {
		answer := d.out().send(http.MethodPost, signInRoute, url.Values{"token": {d.tokens["vera"]}, "next": {next}}).wants(t, http.StatusSeeOther)
		got := answer.Header.Get("Location")
		if got != want {
			t.Errorf("next=%q leads to %q, want %q", next, got, want)
		}
		shown := d.out().get(signInRoute+"?next="+url.QueryEscape(next)).wants(t, http.StatusOK)
		field := regexp.MustCompile(`name="next" value="([^"]*)"`).FindStringSubmatch(shown.body)
		if field == nil || !strings.HasPrefix(field[1], first) {
			t.Errorf("next=%q stands in the page as %q", next, field)
		}
	}
}

// TestEachRoleSeesItsPages has, for each page, who is shown it.
func TestEachRoleSeesItsPages(t *testing.T) {
	d := newDesk(t)
	vera := d.as("vera").Member.ID
	app, api := "/console/apps/"+d.app.ID, "/console/catalog/"+d.env.ID+"/"+d.api.ID
	names := []string{"admin", "dora", "rex", "olli", "vera"}
	const ok, no, none = http.StatusOK, http.StatusForbidden, http.StatusNotFound
	for path, want := range map[string][]int{
		"/console/catalog":                      {ok, ok, ok, ok, ok},
		api:                                     {ok, ok, ok, ok, ok},
		api + "/openapi":                        {ok, ok, ok, ok, ok},
		api + "/openapi.json":                   {ok, ok, ok, ok, ok},
		"/console/catalog/RELEASE/openapi":      {ok, ok, ok, ok, ok},
		"/console/catalog/RELEASE/openapi.json": {ok, ok, ok, ok, ok},
		"/console/catalog/NOWHERE/openapi":      {none, none, none, none, none},
		"/console/apps":                         {ok, ok, ok, ok, ok},
		"/console/apps?all=yes":                 {ok, ok, ok, ok, ok},
		"/console/apps/new":                     {ok, ok, ok, ok, ok},
		"/console/apps/authorize":               {ok, ok, ok, ok, ok},
		app:                                     {ok, none, ok, ok, ok},
		app + "/edit":                           {ok, none, no, ok, ok},
		app + "/delete":                         {ok, none, no, ok, ok},
		app + "/authorizations/" + d.authorization.ID + "/end": {ok, ok, ok, ok, ok},
		app + "/authorizations/" + d.asked.ID + "/end":         {ok, ok, ok, ok, none},
		"/console/reviews":                          {ok, ok, ok, ok, no},
		"/console/reviews?tab=mine":                 {ok, ok, ok, ok, no},
		"/console/reviews/" + d.asked.OpenReview.ID: {ok, ok, ok, ok, no},
		"/console/publications":                     {ok, ok, ok, ok, no},
		"/console/publications/" + d.publication.ID: {ok, ok, ok, ok, no},
		"/console/publish":                          {ok, ok, ok, ok, no},
		"/console/audit":                            {ok, ok, ok, ok, no},
		"/console/audit/export":                     {ok, ok, ok, ok, no},
		"/console/audit/export?format=csv":          {ok, ok, ok, ok, no},
		"/console/members":                          {ok, ok, ok, ok, no},
		"/console/members/new":                      {ok, no, no, no, no},
		"/console/members/" + vera:                  {ok, ok, ok, ok, ok},
		"/console/members/" + d.as("rex").Member.ID: {ok, ok, ok, ok, no},
		"/console/members/" + vera + "/delete":      {ok, no, no, no, no},
	} {
		for i, name := range names {
			if got := d.in(name).get(path).StatusCode; got != want[i] {
				t.Errorf("%s is answered %d on %s, want %d", name, got, path, want[i])
			}
		}
	}
	// What those do who may not: nothing.
	before := d.trailLength()
	sessions := 0
	for path, refused := range map[string]map[string]int{
		app + "/credentials": {"admin": no, "olli": no, "rex": no, "dora": none},
		app + "/rotate":      {"rex": no, "dora": none},
		app + "/delete":      {"rex": no, "dora": none},
		app + "/notices/" + d.notice.ID + "/confirm":           {"rex": no, "dora": no},
		app + "/authorizations/" + d.authorization.ID + "/end": {"dora": no},
		app + "/authorizations/" + d.asked.ID + "/cancel":      {"vera": none, "olli": no},
		"/console/members":                                                  {"dora": no, "rex": no, "olli": no, "vera": no},
		"/console/members/" + vera:                                          {"dora": no, "rex": no, "olli": no, "vera": no},
		"/console/members/" + vera + "/delete":                              {"dora": no, "rex": no, "olli": no, "vera": no},
		"/console/members/" + vera + "/tokens":                              {"dora": no, "rex": no, "olli": no},
		"/console/audit/verify":                                             {"vera": no},
		"/console/reviews/" + d.asked.OpenReview.ID + "/approve":            {"dora": no, "olli": no, "vera": no},
		"/console/reviews/" + d.asked.OpenReview.ID + "/reject":             {"dora": no, "olli": no, "vera": no},
		"/console/publications/" + d.publication.ID + "/suspend":            {"dora": no, "olli": no, "vera": no},
		"/console/publications/" + d.publication.ID + "/unpublish":          {"dora": no, "olli": no, "vera": no},
		"/console/members/" + vera + "/access-keys/" + d.app.ID + "/delete": {"dora": none, "rex": none},
	} {
		for name, status := range refused {
			sessions++
			answer := d.in(name).post(path, "name", "intruder", "role", "ADMIN", "as", "APP", "hours", "1", "overlap_hours", "0")
			if answer.StatusCode != status {
				t.Errorf("%s is answered %d when sending %s, want %d: %s", name, answer.StatusCode, path, status, answer.body)
			}
		}
	}
	if happened := d.trailLength() - before - sessions; happened != 0 {
		t.Errorf("%d things have happened", happened)
	}
	// A visitor is offered what a visitor may.
	catalog := d.in("vera").get("/console/catalog").body
	for section, offered := range map[string]bool{"catalog": true, "apps": true, "reviews": false, "publications": false, "audit": false, "members": false} {
		if got := strings.Contains(catalog, `href="/console/`+section+`"`); got != offered {
			t.Errorf("a visitor is offered %s: %t", section, got)
		}
	}
}
