// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console_test

import (
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// snippet is the configuration that a page shows and that says that.
func snippet(t testing.TB, page, says string) string {
	t.Helper()
	for _, found := range regexp.MustCompile(`(?s)<pre><code>(.*?)</code></pre>`).FindAllStringSubmatch(page, -1) {
		if text := html.UnescapeString(found[1]); strings.Contains(text, says) {
			return text + "\n"
		}
	}
	t.Fatalf("the page shows no configuration that says %s:\n%s", says, page)
	return ""
}

// From the warning of an apply to the page of the review, and from what the pages show back
// into configurations, which do what the pages say of them.
func TestAWarningLeadsToTheReviewAndTheConfigurationShownWorks(t *testing.T) {
	w := newWorld(t)
	spec := w.countries.APISpec
	spec.TimeoutMS = 5000
	api, err := w.dev.UpdateAPI(t.Context(), w.countries.ID, service.APIInput{APISpec: spec})
	if err != nil {
		t.Fatal(err)
	}
	rev := visitor(t, w.Service, w.revToken)

	developers := w.Workdir(w.devToken)
	developers.Write("main.tf", `resource "dataservice_publication" "countries" {
  api_id       = "`+api.ID+`"
  api_revision = 2
}
`)
	out := developers.Apply().Succeeds(t).Output
	link := regexp.MustCompile(regexp.QuoteMeta(w.ControlPlane) + `/console(/reviews/[0-9a-f]{32})`).FindStringSubmatch(out)
	if link == nil {
		t.Fatalf("the apply leads to no review in the console:\n%s", out)
	}
	_, review := rev.get(link[1])
	wantAll(t, review, "Publish countries in RELEASE", `<span class="status terraform">`, "/timeout_ms")

	reviewers := w.Workdir(w.revToken)
	reviewers.Write("main.tf", snippet(t, review, "dataservice_review"))
	reviewers.Apply().Succeeds(t)
	if _, text := rev.get(link[1]); !strings.Contains(text, "Looks good.") {
		t.Errorf("the configuration that the page shows does not approve the review:\n%s", text)
	}

	p, err := w.rev.Publication(t.Context(), developers.State("dataservice_publication.countries")["id"].(string), 0)
	if err != nil || p.Status != service.StatusPublished || p.Live.Revision != 2 {
		t.Fatalf("the publication is %s, %v", p.Status, err)
	}
	_, publication := rev.get("/publications/" + p.ID)
	keepers := w.Workdir(w.revToken)
	keepers.Write("main.tf", snippet(t, publication, "import {")+"\n"+snippet(t, publication, "STOPPED"))
	keepers.Apply().Succeeds(t)
	if p, err = w.rev.Publication(t.Context(), p.ID, 0); err != nil || p.Status != service.StatusStopped {
		t.Errorf("the configuration that the page shows does not suspend it: it is %s, %v", p.Status, err)
	}
	// Restored by hand, the plan shows drift, as the page says.
	if _, err := w.rev.Restore(t.Context(), p.ID, service.ActionInput{}); err != nil {
		t.Fatal(err)
	}
	if out := keepers.Plan().Output; !strings.Contains(out, "desired_status") {
		t.Errorf("the plan shows no drift:\n%s", out)
	}
}
