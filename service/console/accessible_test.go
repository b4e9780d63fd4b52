// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console_test

import (
	_ "embed"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/console"
	"github.com/dataservice/terraform-provider-dataservice/service/controlplane"
)

// accessible looks for what keeps somebody from using a page.
//
//go:embed testdata/accessible.js
var accessible string

// wantAccessible checks the page that is open, in light and in dark.
func (b *browser) wantAccessible(page string) {
	b.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		var faults []string
		b.do(
			emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}),
			chromedp.KeyEvent(kb.Tab),
			chromedp.Evaluate(accessible, &faults),
		)
		for _, f := range faults {
			b.t.Errorf("%s in %s: %s", page, scheme, f)
		}
	}
}

// newBusyDesk has something of everything: also plots, two versions, an application to publish.
func newBusyDesk(t *testing.T) *desk {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Minute)
	d := newDeskWith(t, markup, func(o *controlplane.Options) {
		o.Traffic = &console.Traffic{
			Gateway: service.Gateway{Name: "machine", Addresses: []string{"127.0.0.1:8081"}, StartedAt: now.Add(-time.Minute)},
			History: func(string, string) []service.Minute {
				return []service.Minute{{At: now, Calls: 9, ClientErrors: 3, ServerErrors: 2, Durations: service.Durations{4: 8, 13: 1}}}
			},
		}
	})
	change := func(who, sql string) {
		t.Helper()
		spec := d.api.APISpec
		script := *spec.Script
		script.SQL = sql
		spec.Script = &script
		d.api = must(d.UpdateAPI(d.ctx, d.as("rex"), d.api.ID, "", service.APIInput{APISpec: spec}))(t)
		d.publication = must(d.Publish(d.ctx, d.as(who), service.PublishInput{APIID: d.api.ID, Revision: d.api.Revision, Remark: markup}))(t)
	}
	change("rex", "SELECT code, UPPER(name) AS name -- louder\nFROM countries\nWHERE code = ${code} AND name <> 'x' AND 1 = 1")
	change("dora", "SELECT code, LOWER(name) AS name -- quieter\nFROM countries\nWHERE code = ${code}")
	d.announce()
	return d
}

// TestEveryPageIsAccessible looks at each page as who may do most sees it, at those that a
// visitor sees otherwise, and at what forms lead to.
func TestEveryPageIsAccessible(t *testing.T) {
	d := newBusyDesk(t)
	for name, pages := range map[string][]string{
		"admin": append(d.consoleRoutes(http.MethodGet), "/console/nowhere", "/console/catalog?search=nothing+is+like+that", "/console/apps?all=yes",
			"/console/reviews/"+d.publication.OpenReview.ID, "/console/reviews?tab=decided", "/console/reviews?tab=mine", "/console/publications/{publication}?from=V1&to=V2", "/console/audit?since=never"),
		"vera": {"/console/catalog", "/console/catalog/{environment}/{api}", "/console/apps", "/console/apps/{app}", "/console/members"},
	} {
		t.Run(name, func(t *testing.T) {
			p := d.in(name)
			b := openBrowser(t, d.browserSees())
			b.open("/sign-in")
			b.wantAccessible("/console/sign-in")
			b.signIn(d.tokens[name])
			looked := 0
			for _, route := range pages {
				path := d.fill(route)
				if answer := p.get(path); !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") || answer.StatusCode == http.StatusSeeOther {
					continue
				}
				looked++
				b.open(strings.TrimPrefix(path, console.Path))
				b.wantAccessible(route)
			}
			if looked < len(pages)/2 {
				t.Errorf("only %d of %d routes are pages", looked, len(pages))
			}
		})
	}
	t.Run("what forms lead to", func(t *testing.T) {
		b := openBrowser(t, d.browserSees())
		b.open("/sign-in")
		b.enter("Token", "nonsense")
		b.press("Sign in")
		b.wants("unknown")
		b.wantAccessible("a sign-in that is refused")
		b.signIn(d.tokens["admin"])
		for _, step := range []struct{ page, button, says string }{
			{"/catalog/{environment}/{api}", "Call", "The answer"},
			{"/audit", "Verify the whole trail", "The trail is whole"},
			{"/members/{member}", "Issue", "The new token"},
			{"/apps/new", "Make the app", "letters"},
		} {
			b.open(d.fill(step.page))
			b.do(chromedp.Evaluate(`for (const f of document.forms) f.noValidate = true`, nil))
			b.press(step.button)
			b.wants(step.says)
			b.wantAccessible(step.button + " on " + step.page)
		}
	})
}

// TestTheKeyboardSkipsToTheContent presses the first two keys of who uses no mouse.
func TestTheKeyboardSkipsToTheContent(t *testing.T) {
	d := newDeskWith(t, "Countries.")
	b := openBrowser(t, d.browserSees())
	b.signIn(d.tokens["vera"])
	b.open("/catalog")
	focused := func() (text string) {
		b.do(chromedp.Evaluate(`(() => { const e = document.activeElement, r = e.getBoundingClientRect(); return e.localName + " " + e.className + " " + (r.left >= 0 && r.top >= 0 && r.width > 10); })()`, &text))
		return text
	}
	b.do(chromedp.KeyEvent(kb.Tab))
	if got := focused(); got != "a skip true" {
		t.Errorf("the first stop is %q, want the link to the content, to be seen", got)
	}
	b.do(chromedp.KeyEvent(kb.Enter))
	if got := focused(); !strings.HasPrefix(got, "main") {
		t.Errorf("the link leads to %q", got)
	}
	b.do(chromedp.KeyEvent(kb.Tab))
	var inside bool
	b.do(chromedp.Evaluate(`document.querySelector("main").contains(document.activeElement)`, &inside))
	if !inside {
		t.Error("the stop after that is not in the content")
	}
}

// TestTheChecksFindFaults breaks a page in each of the ways that the checks look for.
func TestTheChecksFindFaults(t *testing.T) {
	d := newDeskWith(t, "Countries.")
	b := openBrowser(t, d.browserSees())
	b.signIn(d.tokens["vera"])
	for change, want := range map[string]string{
		`document.documentElement.lang = ""`:                                               "no language",
		`document.querySelector("main").append(document.createElement("h1"))`:              "not one h1",
		`document.querySelector("main").append(document.createElement("h4"))`:              "comes below a heading of level",
		`document.querySelector("label").remove()`:                                         "has no label",
		`document.querySelector("img").removeAttribute("alt")`:                             "image without a text",
		`document.querySelector("th").removeAttribute("scope")`:                            "without a scope",
		`document.querySelector("main button").textContent = ""`:                           "has no text",
		`document.querySelector("h1").id = "main"`:                                         "an id that another",
		`document.querySelector("h1").style.color = "#888"`:                                "a text with a contrast of 3.",
		`document.querySelector("main a").style.outline = "none"`:                          "does not show that it has the focus",
		`document.querySelector("main a").tabIndex = 3`:                                    "before its turn",
		`document.querySelector("nav").removeAttribute("aria-label")`:                      "navigation without a name",
		`document.querySelector("h1").setAttribute("aria-describedby", "nothing")`:         "which is not there",
		`document.querySelector("main a").style.outlineColor = "rgba(128, 128, 128, 0.1)"`: "hardly shows",
	} {
		var faults []string
		b.open("/catalog")
		b.do(chromedp.KeyEvent(kb.Tab), chromedp.Evaluate(change+"; 0", nil), chromedp.Evaluate(accessible, &faults))
		if !strings.Contains(strings.Join(faults, "\n"), want) {
			t.Errorf("after %s the checks find %s, want %q", change, fmt.Sprint(faults), want)
		}
	}
}
