// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console_test

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func TestSomebodyReadsTheAuditTrail(t *testing.T) {
	d := newDeskWith(t, "For the web shop of the northern countries.")
	b := d.browser()
	b.signIn(d.tokens["admin"])
	b.press("Audit")
	b.wants("authorization.apply", "publication.publish", "dora")
	b.enter("Who", "rex")
	b.enter("Action begins with", "publication.")
	b.press("Find")
	b.wants("publication.publish", "countries")
	if strings.Contains(b.text(), "authorization.apply") {
		t.Errorf("the filter keeps what it should not:\n%s", b.text())
	}
	b.do(chromedp.Click("details summary", chromedp.ByQuery))
	b.wants(`"to": "PUBLISHED"`, "Hash")
	b.picture("audit")
	b.press("Verify the whole trail")
	b.wants("The trail is whole")
	b.picture("audit-verified")
}

var eventNumber = regexp.MustCompile(`<small>number (\d+)</small>`)

func TestTheAuditTrailIsLeafedThroughNewestFirst(t *testing.T) {
	d := newDesk(t)
	for range 60 {
		must(d.RotateApp(d.ctx, d.as("vera"), d.app.ID, service.RotateInput{}))(t)
	}
	admin := d.in("admin")
	var numbers []string
	for next := "/console/audit"; next != ""; {
		shown := admin.get(next).wants(t, http.StatusOK)
		for _, found := range eventNumber.FindAllStringSubmatch(shown.body, -1) {
			numbers = append(numbers, found[1])
		}
		next = ""
		if found := regexp.MustCompile(`href="([^"]+)" rel="next"`).FindStringSubmatch(shown.body); found != nil {
			next = strings.ReplaceAll(found[1], "&amp;", "&")
		}
	}
	trail := must(d.Events(d.ctx, d.as("admin"), lifecycle.EventFilter{}, 0, 500))(t).Items
	if len(numbers) != len(trail) {
		t.Fatalf("%d of %d events are shown: %v", len(numbers), len(trail), numbers)
	}
	for i, e := range trail {
		if got := numbers[len(numbers)-1-i]; got != jsonNumber(e.Number) {
			t.Fatalf("event %d is at the place of %s", e.Number, got)
		}
	}
}

func jsonNumber(n int64) string {
	data, _ := json.Marshal(n) // No number fails.
	return string(data)
}

func TestTheAuditTrailIsExported(t *testing.T) {
	d := newDesk(t)
	admin := d.in("admin")
	file := admin.get("/console/audit/export").wants(t, http.StatusOK)
	if got := file.Header.Get("Content-Disposition"); !regexp.MustCompile(`^attachment; filename="audit-default-\d{8}-\d{6}\.jsonl"$`).MatchString(got) {
		t.Errorf("the file is %s", got)
	}
	trail := service.NewTrail()
	lines := strings.Split(strings.TrimSpace(file.body), "\n")
	for _, line := range lines {
		var e service.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if err := trail.Add(e); err != nil {
			t.Errorf("the export does not verify: %v", err)
		}
	}
	table, err := csv.NewReader(strings.NewReader(admin.get("/console/audit/export?format=csv").wants(t, http.StatusOK).body)).ReadAll()
	if err != nil || len(table) != len(lines)+1 || table[0][0] != "number" || table[1][0] != "1" {
		t.Errorf("the table has %d lines for %d events: %v", len(table), len(lines), err)
	}
	// A spreadsheet takes no name for a formula.
	groups := must(d.Groups(d.ctx, d.as("rex"), lifecycle.Page{}))(t).Items
	must(d.CreateFolder(d.ctx, d.as("rex"), service.FolderInput{FolderSpec: service.FolderSpec{Name: "-1 and more", GroupID: groups[0].ID}}))(t)
	admin.get("/console/audit/export?format=csv&action=folder.").wants(t, http.StatusOK, ",'-1 and more,")
	one := admin.get("/console/audit/export?actor=rex&action=publication.publish").wants(t, http.StatusOK)
	if got := strings.Count(one.body, "\n"); got != 1 {
		t.Errorf("the filter keeps %d events: %s", got, one.body)
	}
	admin.get("/console/audit/export?since=never").wants(t, http.StatusUnprocessableEntity, "is not a time")
	admin.get("/console/audit?since=2026-02-01T00:00&until=2026-01-01T00:00").wants(t, http.StatusUnprocessableEntity, "swap the times")
}
