// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// events returns the whole audit trail.
func (p *plane) events(query string) []service.Event {
	p.t.Helper()
	var l service.List[service.Event]
	p.must(200, "admin", "GET", "/events?limit=500"+query, nil).decode(&l)
	if l.Next != "" {
		p.t.Fatal("there are more events than a page holds")
	}
	return l.Items
}

// exported returns the lines of an export.
func (p *plane) exported(member, query string) [][]byte {
	p.t.Helper()
	got := p.must(200, member, "GET", "/events/export"+query, nil)
	if media := got.header.Get("Content-Type"); media != "application/x-ndjson" {
		p.t.Errorf("the export is %q", media)
	}
	return slices.Collect(bytes.Lines(got.body))
}

// silent are the calls that change nothing, though they are sent like those that do.
var silent = []string{"validate-api", "validate-connection"}

// wantEveryChangeTold checks that each call of the document that changes something has
// told the audit trail of it: who, from where, and for an update what was there before.
func (p *plane) wantEveryChangeTold() {
	p.t.Helper()
	told := map[string]service.Event{}
	for _, e := range p.events("") {
		// The first is of the call itself; more may tell of what it led the service to.
		if _, ok := told[e.RequestID]; !ok {
			told[e.RequestID] = e
		}
	}
	found := map[string]bool{}
	for _, line := range p.log.lines(p.t) {
		id, _ := line["operation"].(string)
		e, ok := told[line["request_id"].(string)]
		if !ok || line["status"].(float64) >= 300 {
			continue
		}
		found[id] = true
		if e.ActorName != line["member"] || e.RemoteAddress != line["remote"] || e.RemoteAddress == "" {
			p.t.Errorf("%s by %v from %v is told as that of %s from %q", id, line["member"], line["remote"], e.ActorName, e.RemoteAddress)
		}
		var detail map[string]json.RawMessage
		if len(e.Detail) > 0 {
			if err := json.Unmarshal(e.Detail, &detail); err != nil {
				p.t.Errorf("%s: %v", id, err)
			}
		}
		_, before := detail["before"]
		_, after := detail["after"]
		if strings.HasSuffix(e.Action, ".update") && (!before || !after) {
			p.t.Errorf("%s is told without what was there before and after it: %s", id, e.Detail)
		}
	}
	operations(document(p.t), func(method, path string, o map[string]any) {
		id := o["operationId"].(string)
		if method != http.MethodGet && !found[id] && !slices.Contains(silent, id) {
			p.t.Errorf("the audit trail tells of no %s (%s %s)", id, method, path)
		}
	})
}

func TestTheAuditTrailIsFiltered(t *testing.T) {
	p := newPlane(t)
	a, pub := p.apply()
	p.must(200, "rev", "POST", "/reviews/"+pub.OpenReview.ID+"/approve", service.DecisionInput{})
	whole := p.events("")
	middle := whole[len(whole)/2]
	at := middle.At.Format(time.RFC3339Nano)
	for name, test := range map[string]struct {
		query string
		keep  func(service.Event) bool
	}{
		"by name":         {"&actor=dev", func(e service.Event) bool { return e.ActorName == "dev" }},
		"by id":           {"&actor=" + whole[0].ActorID, func(e service.Event) bool { return e.ActorID == whole[0].ActorID }},
		"by action":       {"&action=publication.", func(e service.Event) bool { return strings.HasPrefix(e.Action, "publication.") }},
		"by thing":        {"&thing_id=" + a.ID, func(e service.Event) bool { return e.ThingID == a.ID }},
		"from a time on":  {"&since=" + at, func(e service.Event) bool { return !e.At.Before(middle.At) }},
		"before a time":   {"&until=" + at, func(e service.Event) bool { return e.At.Before(middle.At) }},
		"after a number":  {"&after=" + at[:0] + "3", func(e service.Event) bool { return e.Sequence > 3 }},
		"by all together": {"&actor=dev&action=api.&thing_id=" + a.ID, func(e service.Event) bool { return e.Action == "api.create" }},
	} {
		t.Run(name, func(t *testing.T) {
			var want, got []int64
			for _, e := range whole {
				if test.keep(e) {
					want = append(want, e.Number)
				}
			}
			for _, e := range p.events(test.query) {
				got = append(got, e.Number)
			}
			if len(want) == 0 || len(want) == len(whole) && !strings.HasPrefix(name, "by id") || !slices.Equal(got, want) {
				t.Errorf("got %v, want %v of %d", got, want, len(whole))
			}
			if lines := p.exported("admin", "?"+test.query[1:]); len(lines) != len(want) {
				t.Errorf("exported %d lines, want %d", len(lines), len(want))
			}
		})
	}
	wrong := p.must(422, "admin", "GET", "/events?since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", nil).problem()
	if wrong.Code != service.CodeInvalid || !strings.Contains(wrong.Detail, "is not before") {
		t.Errorf("%+v", wrong)
	}
	for _, call := range []string{"/events?since=yesterday", "/events?until=2026-03-01", "/events/export?since=yesterday"} {
		wrong := p.must(422, "admin", "GET", call, nil).problem()
		if !strings.HasSuffix(wrong.Detail, "such as 2030-01-31T08:00:00Z.") || strings.Contains(wrong.Detail, "2006") {
			t.Errorf("%s answers %q", call, wrong.Detail)
		}
	}
	p.must(422, "admin", "GET", "/events?actr=dev", nil)
}

func TestAnAdminsExportIsAWholeChainAndAnotherMembersIsNot(t *testing.T) {
	p := newPlane(t)
	c, _ := p.define()
	hidden := capitals(c.ID)
	hidden.Name, hidden.Path, hidden.Visibility = "hidden", "/hidden", service.VisibilityPrivate
	p.must(201, "dev", "POST", "/apis", hidden)
	p.must(201, "dev", "POST", "/groups", service.GroupInput{GroupSpec: service.GroupSpec{Name: "geography"}})

	var report service.TrailReport
	p.must(200, "op", "GET", "/events/verification", nil).decode(&report)
	trail := service.NewTrail()
	for _, line := range p.exported("admin", "") {
		if err := trail.AddLine(line); err != nil {
			t.Fatal(err)
		}
	}
	if err := trail.EndsWith(service.TrailHead{Number: report.HeadNumber, Hash: report.HeadHash}); err != nil || !report.Intact || report.Events != trail.Last {
		t.Errorf("%v; the export ends with %d, the service says %+v", err, trail.Last, report)
	}

	partly := service.NewTrail()
	var err error
	for _, line := range p.exported("op", "") {
		if bytes.Contains(line, []byte("hidden")) {
			t.Errorf("the operator is shown %s", line)
		}
		if e := partly.AddLine(line); err == nil {
			err = e
		}
	}
	if err == nil || !strings.Contains(err.Error(), "is missing") {
		t.Errorf("without the private line the chain is said to be %v", err)
	}
	for _, path := range []string{"/events/export", "/events/verification", "/events"} {
		p.must(403, "guest", "GET", path, nil)
	}
}

func TestAnExportLongerThanAPageIsWhole(t *testing.T) {
	p := newPlane(t)
	for range 260 {
		for _, description := range []string{"a", "b"} {
			p.must(200, "admin", "PUT", "/environments/RELEASE", service.EnvironmentInput{Name: "RELEASE", Description: description})
		}
	}
	lines := p.exported("admin", "")
	var report service.TrailReport
	p.must(200, "admin", "GET", "/events/verification", nil).decode(&report)
	if len(lines) < 520 || int64(len(lines)) != report.HeadNumber || !report.Intact {
		t.Errorf("%d lines, %+v", len(lines), report)
	}
}

func TestAnExportThatIsCutOffByAStopIsNotTakenForAWholeOne(t *testing.T) {
	p := newPlane(t)
	close(p.drain)
	got := p.must(503, "admin", "GET", "/events/export", nil).problem()
	if got.Code != service.CodeUnavailable {
		t.Errorf("%+v", got)
	}
}
