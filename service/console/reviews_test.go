// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// applyFor has the developer change the countries and apply for the change.
func (w *world) applyFor(t testing.TB, sql, remark string, change func(*service.APISpec)) service.Publication {
	t.Helper()
	spec := w.countries.APISpec
	script := *spec.Script
	script.SQL = sql
	spec.Script = &script
	if change != nil {
		change(&spec)
	}
	api, err := w.dev.UpdateAPI(t.Context(), w.countries.ID, service.APIInput{APISpec: spec})
	if err != nil {
		t.Fatal(err)
	}
	p, err := w.dev.Publish(t.Context(), service.PublishInput{APIID: api.ID, Revision: api.Revision, Remark: remark})
	if err != nil {
		t.Fatal(err)
	}
	if p.OpenReview == nil {
		t.Fatalf("the developer's publication is %s and has no review", p.Status)
	}
	return p
}

const upperNames = "SELECT code, UPPER(name) AS name\n  FROM countries -- and not the regions\n WHERE continent = ${continent}\n ORDER BY code"

// onlyCodes takes the names from the answer, which breaks callers.
func onlyCodes(spec *service.APISpec) {
	spec.ResponseParameters = map[string]service.ResponseParameter{"code": {Type: service.TypeString, Description: "ISO 3166-1 alpha-2."}}
}

// pageOf is the path of an address that the service told of.
func pageOf(t testing.TB, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil || !strings.HasPrefix(u.Path, "/console/") {
		t.Fatalf("%s is no page of the console: %v", address, err)
	}
	return strings.TrimPrefix(u.Path, "/console")
}

func TestAReviewerSeesTheDifferenceAndDecides(t *testing.T) {
	w := newWorld(t)
	p := w.applyFor(t, "SELECT code FROM countries\n WHERE continent = ${continent} -- no names\n ORDER BY code", "Nobody reads the names.", onlyCodes)
	b := openBrowser(t, w.Service)

	// From the link of a plan's warning, over the page to sign in, to the application.
	b.open(pageOf(t, p.OpenReview.URL))
	b.enter("Token", w.revToken)
	b.press("Sign in")
	b.wants("Publish countries in RELEASE", "pending", "dora", "Nobody reads the names.", "breaks callers", "The response parameter name is removed.",
		"V1, live now", "/script/sql", "SELECT code, name FROM countries WHERE continent", "-- no names", "/response_parameters/name")
	b.picture("review")
	b.enter("Comment", "Good riddance.")
	b.press("Approve")
	b.wants("It is approved", "approved by rex", "Good riddance.", "The difference to V1")
	if body := w.WantCall("/countries?continent=Europe", 200); strings.Contains(body, "name") {
		t.Errorf("after the approval it still answers names: %s", body)
	}

	p = w.applyFor(t, upperNames, "Louder.", nil)
	b.open("/reviews")
	b.wants("Waits for me", "countries: publish revision 3", "Louder.")
	b.picture("reviews")
	b.press("countries")
	b.enter("Reason", " ")
	b.press("Reject")
	b.wants("A rejection needs a comment", "pending")
	b.enter("Reason", "Do not shout.")
	b.press("Reject")
	b.wants("It is rejected", "Do not shout.")
	r, err := w.dev.Review(t.Context(), p.OpenReview.ID, 0)
	if err != nil || r.Status != service.ReviewRejected || r.Comment != "Do not shout." {
		t.Errorf("the review is %s with the comment %q, %v", r.Status, r.Comment, err)
	}
	b.open("/reviews?tab=decided")
	b.wants("rejected", "approved", "Good riddance.")
	b.picture("reviews-decided")
}

func TestAReviewIsApprovedByKeyboardAlone(t *testing.T) {
	w := newWorld(t)
	p := w.applyFor(t, upperNames, "", nil)
	b := openBrowser(t, w.Service)
	b.open("/reviews")
	b.tabToField("token")
	b.do(chromedp.KeyEvent(w.revToken+kb.Enter), chromedp.WaitVisible(`nav[aria-label="Sections"]`))
	b.tabTo("countries")
	b.keyEnter("Publish countries in RELEASE")
	b.tabTo("Approve")
	b.keyEnter("It is approved")
	r, err := w.rev.Review(t.Context(), p.OpenReview.ID, 0)
	if err != nil || r.Status != service.ReviewApproved {
		t.Errorf("the review is %s, %v", r.Status, err)
	}
}

// TestWithoutAScriptAllButTheViewerWorks does with the browser's scripts turned off what
// reviewers and consumers come for.
func TestWithoutAScriptAllButTheViewerWorks(t *testing.T) {
	w := newWorld(t)
	p := w.applyFor(t, upperNames, "", nil)
	b := openBrowser(t, w.Service)
	b.do(emulation.SetScriptExecutionDisabled(true))
	b.signIn(w.revToken)
	b.enter("Name or description", "countr")
	b.press("Find")
	b.press("countries")
	b.wants("Call it", "continent", "curl")
	b.open("/reviews/" + p.OpenReview.ID)
	b.wants("The difference to V1", "UPPER(name)", "The test call")
	b.press("Approve")
	b.wants("It is approved")
	r, err := w.rev.Review(t.Context(), p.OpenReview.ID, 0)
	if err != nil || r.Status != service.ReviewApproved {
		t.Errorf("the review is %s, %v", r.Status, err)
	}
}

// tabTo presses the tabulator until the focus is on what has that text, and checks that it
// can be seen there.
func (b *browser) tabTo(text string) {
	b.t.Helper()
	b.do(chromedp.WaitReady("main"))
	var at string
	for range 80 {
		b.do(chromedp.KeyEvent(kb.Tab), chromedp.Evaluate(`document.activeElement?.innerText || ""`, &at))
		if strings.TrimSpace(at) == text {
			var outline string
			b.do(chromedp.Evaluate(`getComputedStyle(document.activeElement).outlineStyle`, &outline))
			if outline == "none" {
				b.t.Errorf("nothing shows that the focus is on %s", text)
			}
			return
		}
	}
	b.t.Fatalf("the tabulator does not lead to %s:\n%s", text, b.text())
}

// tabToField presses the tabulator until the focus is in the field, which has it from the
// start where the page asks the browser for that in time.
func (b *browser) tabToField(id string) {
	b.t.Helper()
	b.do(chromedp.WaitVisible("#"+id, chromedp.ByQuery))
	var at string
	for range 10 {
		b.do(chromedp.Evaluate(`document.activeElement?.id || ""`, &at))
		if at == id {
			return
		}
		b.do(chromedp.KeyEvent(kb.Tab))
	}
	b.t.Fatalf("the tabulator does not lead to the field %s:\n%s", id, b.text())
}

// keyEnter presses Enter and waits for the page that says so.
func (b *browser) keyEnter(wants string) {
	b.t.Helper()
	if _, err := chromedp.RunResponse(b.ctx, chromedp.KeyEvent(kb.Enter)); err != nil {
		b.t.Fatalf("Enter leads nowhere: %v\n%s", err, b.text())
	}
	b.wants(wants)
}

func TestSeveralReviewsAreApprovedAtOnce(t *testing.T) {
	w := newWorld(t)
	spec := w.countries.APISpec
	spec.Name, spec.Path = "continents", "/continents"
	other, err := w.dev.CreateAPI(t.Context(), service.APIInput{APISpec: spec})
	if err != nil {
		t.Fatal(err)
	}
	b := openBrowser(t, w.Service)
	b.signIn(w.devToken)
	b.open("/publish")
	b.wants("continents", "nowhere", "RELEASE: a reviewer decides", "V1, revision 1")
	b.picture("publish")
	b.do(chromedp.Click(`[id="a.`+other.ID+`"]`, chromedp.ByQuery))
	b.enter("Remark", "The second one.")
	b.press("Publish what is chosen")
	b.wants("All of it is done: 1 of 1", "continents in RELEASE", "publish wait review")
	changed := w.applyFor(t, upperNames, "", nil)
	b.press("Sign out")

	b.signIn(w.revToken)
	b.open("/reviews")
	b.wants("The second one.")
	// What the list shows is overtaken before it is approved.
	w.applyFor(t, upperNames+", name", "", nil)
	b.do(chromedp.Evaluate(`for (const box of document.querySelectorAll("[name=review]")) box.click()`, nil))
	b.press("Approve what is chosen")
	b.wants("1 of 2 are done", "approved", "superseded and can no longer be decided")
	b.picture("outcomes")
	for id, want := range map[string]service.Status{other.ID: service.StatusPublished, w.countries.ID: service.StatusPublished} {
		l, err := w.rev.Publications(t.Context(), client.PublicationFilter{APIID: id}, client.Page{})
		if err != nil || len(l.Items) != 1 || l.Items[0].Status != want {
			t.Errorf("the publications of %s are %v, %v", id, l.Items, err)
		}
	}
	if p, err := w.rev.Publication(t.Context(), changed.ID, 0); err != nil || p.OpenReview == nil || p.Live.Revision != 1 {
		t.Errorf("the candidate that took the place of what was shown is live, or gone: %v, %v", p, err)
	}
}

func TestAnAppsAccessIsReviewed(t *testing.T) {
	w := newWorld(t)
	app, err := w.dev.CreateApp(t.Context(), service.AppInput{AppSpec: service.AppSpec{Name: "shop"}})
	if err != nil {
		t.Fatal(err)
	}
	z, err := w.dev.Authorize(t.Context(), service.AuthorizeInput{APIID: w.countries.ID, AppID: app.ID, Remark: "For the checkout."})
	if err != nil || z.OpenReview == nil {
		t.Fatalf("the authorization is %s, %v", z.Status, err)
	}
	v := visitor(t, w.Service, w.revToken)
	_, text := v.get(pageOf(t, z.OpenReview.URL))
	wantAll(t, text, "Let shop call countries in RELEASE", "For the checkout.", "without an end", `resource &#34;dataservice_authorization&#34; &#34;countries&#34;`)
	// Whoever applied sees it too, also without the right to read drafts.
	admin := w.Client(w.AdminToken())
	m, err := admin.CreateMember(t.Context(), service.MemberInput{Name: "vera", Role: service.RoleVisitor})
	if err != nil {
		t.Fatal(err)
	}
	token, err := admin.IssueToken(t.Context(), service.TokenInput{Member: m.ID})
	if err != nil {
		t.Fatal(err)
	}
	own, err := w.Client(token.Secret).CreateApp(t.Context(), service.AppInput{AppSpec: service.AppSpec{Name: "kiosk"}})
	if err != nil {
		t.Fatal(err)
	}
	asked, err := w.Client(token.Secret).Authorize(t.Context(), service.AuthorizeInput{APIID: w.countries.ID, AppID: own.ID})
	if err != nil {
		t.Fatal(err)
	}
	vera := visitor(t, w.Service, token.Secret)
	_, text = vera.get(pageOf(t, asked.OpenReview.URL))
	wantAll(t, text, "Let kiosk call countries in RELEASE", "Take the application back")
	if strings.Contains(text, ">Approve</button>") {
		t.Error("an applicant without the right is offered to approve")
	}
	if status, text := vera.post("/reviews/"+asked.OpenReview.ID+"/cancel", url.Values{}); status != http.StatusOK || !strings.Contains(text, "The application is taken back.") {
		t.Errorf("taking it back answers %d", status)
	}
	if status, _ := v.post("/reviews/"+z.OpenReview.ID+"/approve", url.Values{"digest": {z.OpenReview.Digest}}); status != http.StatusOK {
		t.Errorf("the approval answers %d", status)
	}
	if z, err = w.dev.Authorization(t.Context(), z.ID, 0); err != nil || z.Status != service.AuthorizationActive {
		t.Errorf("the authorization is %s, %v", z.Status, err)
	}
}

// signedIn is somebody who signed in, without a browser: for what no browser sends.
type signedIn struct {
	t    testing.TB
	http *http.Client
	base string
	key  string
}

func visitor(t testing.TB, s *servicetest.Service, token string) *signedIn {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &signedIn{t: t, http: &http.Client{Jar: jar}, base: s.ControlPlane + "/console"}
	if status, text := p.send(http.MethodPost, "/sign-in", url.Values{"token": {token}}); status != http.StatusOK {
		t.Fatalf("signing in answers %d\n%s", status, text)
	}
	_, text := p.get("/catalog")
	if found := regexp.MustCompile(`name="key" value="([^"]+)"`).FindStringSubmatch(text); found != nil {
		p.key = found[1]
	}
	return p
}

func (p *signedIn) get(page string) (int, string) { return p.send(http.MethodGet, page, nil) }

// post sends a form of the console, with its key.
func (p *signedIn) post(page string, form url.Values) (int, string) {
	form.Set("key", p.key)
	return p.send(http.MethodPost, page, form)
}

func (p *signedIn) send(method, page string, form url.Values) (int, string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.base+page, strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/html")
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := p.http.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	if len(body) > 100<<10 {
		p.t.Errorf("%s has %d bytes; 100 KB is the most", page, len(body))
	}
	return resp.StatusCode, string(body)
}

func wantAll(t testing.TB, text string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q:\n%s", want, text)
		}
	}
}

func TestNobodyDecidesWithoutTheRightOrFromElsewhere(t *testing.T) {
	w := newWorld(t)
	p := w.applyFor(t, upperNames, "", nil)
	review, publication := "/reviews/"+p.OpenReview.ID, "/publications/"+p.ID
	admin := w.Client(w.AdminToken())
	tokens := map[service.Role]string{}
	for _, role := range []service.Role{service.RoleOperator, service.RoleVisitor} {
		m, err := admin.CreateMember(t.Context(), service.MemberInput{Name: strings.ToLower(string(role)), Role: role})
		if err != nil {
			t.Fatal(err)
		}
		token, err := admin.IssueToken(t.Context(), service.TokenInput{Member: m.ID})
		if err != nil {
			t.Fatal(err)
		}
		tokens[role] = token.Secret
	}

	forms := regexp.MustCompile(`<form method="post" action="/console/(reviews|publications|publish)`)
	operator := visitor(t, w.Service, tokens[service.RoleOperator])
	for _, page := range []string{"/reviews?tab=decided", review, "/publications", publication, "/publish"} {
		status, text := operator.get(page)
		if status != http.StatusOK {
			t.Errorf("%s answers an operator %d", page, status)
		}
		if strings.Contains(text, `type="checkbox"`) || forms.MatchString(text) && page != "/publish" && page != "/reviews?tab=decided" {
			t.Errorf("%s offers an operator to do something:\n%s", page, text)
		}
	}
	member := visitor(t, w.Service, tokens[service.RoleVisitor])
	for _, page := range []string{"/reviews", review, "/publications", publication, "/publish"} {
		if status, text := member.get(page); status != http.StatusForbidden || forms.MatchString(text) {
			t.Errorf("%s answers a visitor %d", page, status)
		}
	}
	form := func() url.Values {
		return url.Values{"comment": {"Because."}, "remark": {"Because."}, "api": {p.APIID + ".1"}, "review": {p.OpenReview.ID}}
	}
	dev := visitor(t, w.Service, w.devToken)
	for who, v := range map[string]*signedIn{"operator": operator, "visitor": member, "developer": dev} {
		for _, action := range []string{review + "/approve", review + "/reject", publication + "/suspend", publication + "/unpublish"} {
			if status, _ := v.post(action, form()); status != http.StatusForbidden {
				t.Errorf("%s of the %s answers %d, want 403", action, who, status)
			}
		}
	}

	rev := visitor(t, w.Service, w.revToken)
	for _, action := range []string{
		review + "/approve", review + "/reject", review + "/cancel", "/reviews/approve", "/publish",
		publication + "/suspend", publication + "/unpublish", publication + "/restore", publication + "/cancel", publication + "/switch",
	} {
		for what, key := range map[string][]string{"no key": nil, "the key of somebody else": {dev.key}} {
			in := form()
			in["key"] = key
			if status, _ := rev.send(http.MethodPost, action, in); status != http.StatusForbidden {
				t.Errorf("%s with %s answers %d, want 403", action, what, status)
			}
		}
	}
	if status, text := rev.post(review+"/reject", url.Values{"comment": {"  "}}); status != http.StatusUnprocessableEntity || !strings.Contains(text, "A rejection needs a comment") {
		t.Errorf("a rejection without a reason answers %d", status)
	}
	if status, text := rev.post(review+"/approve", url.Values{"digest": {"of-another"}}); status != http.StatusConflict || !strings.Contains(text, "another candidate") {
		t.Errorf("the approval of another candidate answers %d", status)
	}
	if _, text := rev.post("/reviews/approve", url.Values{"review": {p.OpenReview.ID + ".of-another"}}); !strings.Contains(text, "another candidate") {
		t.Error("the list approves another candidate than it showed")
	}
	if r, err := w.rev.Review(t.Context(), p.OpenReview.ID, 0); err != nil || r.Status != service.ReviewPending {
		t.Errorf("after all of this the review is %s, %v", r.Status, err)
	}
}

func TestWithFourEyesOnesOwnApplicationWaitsForSomebodyElse(t *testing.T) {
	w := newWorld(t)
	admin := w.Client(w.AdminToken())
	if _, err := admin.UpdateEnvironment(t.Context(), service.ReleaseEnvironmentName, service.EnvironmentInput{Name: service.ReleaseEnvironmentName, FourEyes: true}); err != nil {
		t.Fatal(err)
	}
	spec := w.countries.APISpec
	spec.TimeoutMS = 5000
	api, err := w.dev.UpdateAPI(t.Context(), w.countries.ID, service.APIInput{APISpec: spec})
	if err != nil {
		t.Fatal(err)
	}
	p, err := w.rev.Publish(t.Context(), service.PublishInput{APIID: api.ID, Revision: api.Revision})
	if err != nil || p.OpenReview == nil {
		t.Fatalf("the publication is %s, %v", p.Status, err)
	}
	rev, review := visitor(t, w.Service, w.revToken), "/reviews/"+p.OpenReview.ID
	for list, shown := range map[string]bool{"/reviews": false, "/reviews?tab=mine": true} {
		if _, text := rev.get(list); strings.Contains(text, p.OpenReview.ID) != shown {
			t.Errorf("%s shows one's own application: want %t", list, shown)
		}
	}
	_, text := rev.get(review)
	wantAll(t, text, "demands four eyes", ">Reject</button>")
	if strings.Contains(text, ">Approve</button>") {
		t.Error("with four eyes an own application is offered for approval")
	}
	if status, text := rev.post(review+"/approve", url.Values{"digest": {p.OpenReview.Digest}}); status != http.StatusForbidden || !strings.Contains(text, "demands four eyes") {
		t.Errorf("approving it answers %d", status)
	}
}
