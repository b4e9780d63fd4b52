// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console_test

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

func TestAPublicationIsSuspendedWithNoticeAndRestored(t *testing.T) {
	w := newWorld(t)
	app, err := w.dev.CreateApp(t.Context(), service.AppInput{AppSpec: service.AppSpec{Name: "shop"}})
	if err != nil {
		t.Fatal(err)
	}
	z, err := w.rev.Authorize(t.Context(), service.AuthorizeInput{APIID: w.countries.ID, AppID: app.ID})
	if err != nil {
		t.Fatal(err)
	}
	review := w.applyFor(t, upperNames, "Louder.", nil).OpenReview
	if _, err := w.rev.Approve(t.Context(), review.ID, service.DecisionInput{Digest: review.Digest}); err != nil {
		t.Fatal(err)
	}
	b := openBrowser(t, w.Service)
	b.signIn(w.revToken)
	b.open("/publications")
	b.wants("countries", "RELEASE", "V2", "by rex")
	b.picture("publications")
	b.press("countries")
	b.wants("Authorized apps", "1 app is authorized to call it, and is told.", "It is suspended as soon as all have confirmed", "It is offline as soon as all have confirmed", "the earliest that the 48 hours of notice in RELEASE allow", "the first one", "Louder.")

	b.wants("The last hour", "Nobody has called it here since")
	for _, query := range []string{"?continent=Europe", "?continent=Americas", ""} {
		want := http.StatusOK
		if query == "" {
			want = http.StatusBadRequest
		}
		w.WantCall("/countries"+query, want)
	}
	b.press("Compare")
	b.wants("/script/sql", "UPPER(name)", "3 calls in", "1 error of callers", "0 errors of the service", "the gateway of this process answered, on", "since it started")
	b.picture("publication")

	b.do(chromedp.SetValue("#suspend-time", "2020-01-01T00:00", chromedp.ByID), chromedp.Evaluate(`document.querySelector("[action$=suspend]").noValidate = true`, nil))
	b.press("Suspend")
	b.wants("2020-01-01T00:00:00Z is past")
	b.do(chromedp.SetValue("#suspend-remark", "The table is rebuilt.", chromedp.ByID))
	b.press("Suspend")
	b.wants("It is announced", "waiting stop", "open", "The table is rebuilt.", "Take back what is announced")
	b.picture("publication-announced")
	l, err := w.dev.Notices(t.Context(), client.NoticeFilter{PublicationID: z.PublicationID}, client.Page{})
	if err != nil || len(l.Items) != 1 {
		t.Fatalf("the notices are %v, %v", l.Items, err)
	}
	if _, err := w.dev.ConfirmNotice(t.Context(), l.Items[0].ID); err != nil {
		t.Fatal(err)
	}
	b.open("/publications/" + z.PublicationID)
	b.wants("stopped", "confirmed", "by dora")
	w.WantCall("/countries?continent=Europe", http.StatusForbidden)
	b.press("Restore")
	b.wants("It answers calls again", "published")
	w.WantCall("/countries?continent=Europe", http.StatusOK)

	b.press("Make it live again")
	b.wants("That version is live again", "V1, revision 1")
	if body := w.WantCall("/countries?continent=Europe", http.StatusOK); !strings.Contains(body, "France") {
		t.Errorf("the older version answers %s", body)
	}
}

func TestWhatTerraformKeepsIsMarked(t *testing.T) {
	w := newWorld(t)
	terraform, err := client.New(client.Config{Endpoint: w.ControlPlane, Token: w.revToken, Workspace: service.DefaultWorkspace, UserAgent: service.TerraformAgent + "0.1.0"})
	if err != nil {
		t.Fatal(err)
	}
	v := visitor(t, w.Service, w.revToken)
	l, err := w.rev.Publications(t.Context(), client.PublicationFilter{}, client.Page{})
	if err != nil || len(l.Items) != 1 {
		t.Fatalf("the publications are %v, %v", l.Items, err)
	}
	publication := "/publications/" + l.Items[0].ID
	const marked = "Terraform keeps this publication"
	if _, text := v.get(publication); strings.Contains(text, marked) {
		t.Error("a publication that Terraform never saw is marked as its own")
	}
	api, err := w.dev.UpdateAPI(t.Context(), w.countries.ID, service.APIInput{APISpec: func() service.APISpec {
		spec := w.countries.APISpec
		spec.TimeoutMS = 5000
		return spec
	}()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := terraform.Publish(t.Context(), service.PublishInput{APIID: api.ID, Revision: api.Revision}); err != nil {
		t.Fatal(err)
	}
	_, text := v.get(publication)
	wantAll(t, text, marked, "the next plan shows drift", "desired_status = &#34;STOPPED&#34;", "Remove the resource dataservice_publication.countries")
	for _, list := range []string{"/publications", "/publish"} {
		if _, text := v.get(list); !strings.Contains(text, `<span class="status terraform">`) {
			t.Errorf("%s does not mark what Terraform keeps", list)
		}
	}
	// By hand it is done all the same, and it stays Terraform's.
	if status, text := v.post(publication+"/suspend", url.Values{}); status != http.StatusOK || !strings.Contains(text, "stopped") || !strings.Contains(text, marked) {
		t.Errorf("suspending it by hand answers %d\n%s", status, text)
	}
	if _, err := terraform.Unpublish(t.Context(), l.Items[0].ID, service.ActionInput{}); err != nil {
		t.Fatal(err)
	}
	if _, text := v.get(publication); strings.Contains(text, marked) {
		t.Error("what Terraform took offline is still marked as its own")
	}
}

// Whatever people write is text: on no page of reviews and publications does any of it
// become markup.
func TestMarkupIsText(t *testing.T) {
	const evil = `"'><script>alert(1)</script><img src=x onerror=alert(2)>`
	w := newWorld(t)
	says := func(where string) string { return where + evil }
	value := says("default")
	hostile := func(spec *service.APISpec) {
		spec.Description = says("description")
		spec.RequestParameters = map[string]service.RequestParameter{"continent": {Type: service.TypeString, Default: &value, Example: &value, Description: says("parameter")}}
		spec.ResponseParameters = map[string]service.ResponseParameter{"code": {Type: service.TypeString, Description: says("response")}}
		spec.ErrorCodes = map[string]service.ErrorDescription{"E1": {Message: says("message"), Solution: says("solution")}}
		spec.SuccessSample, spec.FailureSample = says("success"), says("failure")
		spec.RateLimit, spec.CallerRateLimit, spec.CacheTTLSeconds = &service.RateLimit{Requests: 1000}, &service.RateLimit{Requests: 7, PeriodSeconds: 60}, 60
	}
	sql := func(n int) string {
		return fmt.Sprintf("SELECT code, '<script>alert(%d)</script>' AS name /* %s */\n FROM countries -- %s\n WHERE continent = ${continent}", n, evil, evil)
	}
	first := w.applyFor(t, sql(1), says("remark"), hostile)
	if _, err := w.rev.Reject(t.Context(), first.OpenReview.ID, service.DecisionInput{Comment: says("comment")}); err != nil {
		t.Fatal(err)
	}
	second := w.applyFor(t, sql(2), says("remark again"), hostile)
	if _, err := w.rev.Approve(t.Context(), second.OpenReview.ID, service.DecisionInput{Comment: says("approval")}); err != nil {
		t.Fatal(err)
	}
	app, err := w.dev.CreateApp(t.Context(), service.AppInput{AppSpec: service.AppSpec{Name: "shop", Description: says("app")}})
	if err != nil {
		t.Fatal(err)
	}
	z, err := w.dev.Authorize(t.Context(), service.AuthorizeInput{APIID: w.countries.ID, AppID: app.ID, Remark: says("authorize")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.rev.Approve(t.Context(), z.OpenReview.ID, service.DecisionInput{Comment: says("granted")}); err != nil {
		t.Fatal(err)
	}
	third := w.applyFor(t, sql(3)+"\n ORDER BY code", says("remark thrice"), hostile)
	if _, err := w.rev.Suspend(t.Context(), third.ID, service.ActionInput{Remark: says("notice")}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.rev.Cancel(t.Context(), third.ID, service.ActionInput{}); err != nil {
		t.Fatal(err)
	}
	fourth := w.applyFor(t, sql(4), says("pending"), hostile)

	v := visitor(t, w.Service, w.revToken)
	seen := map[string]bool{}
	for _, page := range []string{
		"/reviews", "/reviews?tab=decided", "/reviews?environment=" + url.QueryEscape(evil), "/reviews?tab=" + url.QueryEscape(evil),
		"/reviews/" + first.OpenReview.ID, "/reviews/" + second.OpenReview.ID, "/reviews/" + z.OpenReview.ID, "/reviews/" + fourth.OpenReview.ID,
		"/publications?search=" + url.QueryEscape(evil), "/publications", "/publications/" + third.ID, "/publications/" + third.ID + "?from=V1&to=V2",
		"/publications/" + third.ID + "?from=" + url.QueryEscape(evil) + "&to=V2", "/publish", "/publish?search=" + url.QueryEscape(evil) + "&environment=" + url.QueryEscape(evil),
	} {
		_, text := v.get(page)
		checkText(t, page, text)
		for _, where := range []string{"description", "parameter", "response", "message", "solution", "success", "failure", "default", "remark", "comment", "approval", "authorize", "granted", "remark thrice", "notice", "pending"} {
			seen[where] = seen[where] || strings.Contains(text, where+"&#34;&#39;&gt;&lt;script&gt;")
		}
		seen["sql"] = seen["sql"] || strings.Contains(text, "&#39;&lt;script&gt;alert(4)&lt;/script&gt;&#39;")
	}
	for where, shown := range seen {
		if !shown && where != "default" {
			t.Errorf("what was written as %s is on none of the pages, so that nothing is tested with it", where)
		}
	}
	for page, form := range map[string]url.Values{
		"/reviews/" + fourth.OpenReview.ID + "/approve": {"digest": {evil}, "comment": {says("typed")}},
		"/reviews/approve":                       {"review": {evil}},
		"/publish":                               {"api": {evil + ".1"}, "environment": {evil}},
		"/publications/" + third.ID + "/suspend": {"time": {evil}},
		"/publications/" + third.ID + "/switch":  {"version": {evil}},
	} {
		status, text := v.post(page, form)
		if status == http.StatusInternalServerError {
			t.Errorf("%s answers %d", page, status)
		}
		checkText(t, page, text)
	}
}

func checkText(t testing.TB, page, text string) {
	t.Helper()
	for _, markup := range []string{"<script>", "<img src=x", "onerror=alert(2)>"} {
		if strings.Contains(text, markup) {
			at := strings.Index(text, markup)
			t.Errorf("%s has markup that somebody wrote: …%s…", page, text[max(0, at-80):min(len(text), at+80)])
		}
	}
}

// However much there is, a page has its fill and leads to the next one.
func TestLongListsComePageByPage(t *testing.T) {
	w := newWorld(t)
	long := strings.Repeat("Words about it. ", 120)
	const many = 60
	for i := range many {
		spec := w.countries.APISpec
		spec.Name, spec.Path, spec.Description = fmt.Sprintf("countries_%02d", i), fmt.Sprintf("/countries/%02d", i), long
		api, err := w.dev.CreateAPI(t.Context(), service.APIInput{APISpec: spec})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.dev.Publish(t.Context(), service.PublishInput{APIID: api.ID, Revision: api.Revision, Remark: long[:255]}); err != nil {
			t.Fatal(err)
		}
	}
	v := visitor(t, w.Service, w.revToken)
	name := regexp.MustCompile(`>(countries_\d\d)<`)
	next := regexp.MustCompile(`<a href="/console([^"]+)" rel="next">`)
	for _, list := range []string{"/reviews", "/reviews?tab=waiting&environment=" + service.ReleaseEnvironmentID, "/publications", "/publications?status=PUBLISH_WAIT_REVIEW&search=COUNTRIES_", "/publish"} {
		seen, pages := map[string]bool{}, 0
		for page := list; page != ""; pages++ {
			status, text := v.get(page)
			if status != http.StatusOK {
				t.Fatalf("%s answers %d", page, status)
			}
			if len(text) > 100<<10 {
				t.Errorf("%s has %d bytes", page, len(text))
			}
			for _, found := range name.FindAllStringSubmatch(text, -1) {
				seen[found[1]] = true
			}
			page = ""
			if found := next.FindStringSubmatch(text); found != nil {
				page = html.UnescapeString(found[1])
			}
		}
		if len(seen) != many || pages != 2 {
			t.Errorf("%s tells of %d APIs on %d pages, want %d on 2", list, len(seen), pages, many)
		}
	}
	// As many as a page shows are approved at once.
	_, text := v.get("/reviews")
	chosen := url.Values{}
	for _, found := range regexp.MustCompile(`name="review" value="([^"]+)"`).FindAllStringSubmatch(text, -1) {
		chosen.Add("review", found[1])
	}
	if _, text := v.post("/reviews/approve", chosen); !strings.Contains(text, "All of it is done: 50 of 50.") {
		t.Errorf("approving a page of reviews says\n%s", text)
	}
	for i := range 50 {
		if _, err := w.rev.CreateApp(t.Context(), service.AppInput{AppSpec: service.AppSpec{Name: fmt.Sprintf("shop_%02d", i), Description: long}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, list := range []string{"/catalog", "/apps", "/audit", "/reviews?tab=decided", "/publications", "/apps/authorize"} {
		if status, text := v.get(list); status != http.StatusOK || len(text) > 100<<10 {
			t.Errorf("%s answers %d with %d bytes", list, status, len(text))
		}
	}
	// What a list cuts is said to be cut, and found as a whole.
	_, text = v.get("/audit")
	rest := regexp.MustCompile(`href="/console(/audit/export\?thing=[^"]+)"`).FindStringSubmatch(text)
	if rest == nil {
		t.Fatalf("the trail does not lead to the rest of a long detail:\n%s", text)
	}
	if _, all := v.get(html.UnescapeString(rest[1])); !strings.Contains(all, long) {
		t.Errorf("%s has not all of it:\n%s", rest[1], all)
	}
}
