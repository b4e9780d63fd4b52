// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console_test

import (
	"encoding/xml"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/console"
	"github.com/dataservice/terraform-provider-dataservice/service/controlplane"
)

var (
	plotted  = regexp.MustCompile(`(?s)<svg .*?</svg>`)
	barsOf   = regexp.MustCompile(`<path class="(\w+)" d="([^"]*)"/>`)
	styledBy = regexp.MustCompile(`(?i)<[^>]+\sstyle=`)
)

func TestAPublicationTellsOfItsLastHour(t *testing.T) {
	var minutes []service.Minute
	now := time.Now().UTC().Truncate(time.Minute)
	d := newDesk(t, func(o *controlplane.Options) {
		o.Traffic = &console.Traffic{
			Gateway: service.Gateway{Name: markup, Addresses: []string{"127.0.0.1:8081", "127.0.0.1:8443"}, StartedAt: now.Add(-10 * time.Hour)},
			History: func(apiID, environmentID string) []service.Minute {
				if apiID == "" || environmentID == "" {
					t.Errorf("the calls of %q in %q are asked for", apiID, environmentID)
				}
				return minutes
			},
		}
	})
	rex, path := d.in("rex"), "/console/publications/"+d.publication.ID
	rex.get(path).wants(t, http.StatusOK, "The last hour", "Nobody has called it here since").lacks(t, "<svg", "since it started")

	minutes = []service.Minute{
		{At: now.Add(-30 * time.Minute), Calls: 100, ClientErrors: 10, ServerErrors: 5, Durations: service.Durations{4: 90, 13: 10}},
		{At: now.Add(-time.Minute), Calls: 50, Durations: service.Durations{2: 40, 8: 10}},
	}
	page := rex.get(path).wants(t, http.StatusOK,
		"150 calls in 2 minutes of the last hour, at most 100 in one.",
		"10 errors of callers, with a status from 400 on, and 5 errors of the service or its backend",
		"In the hour half of the calls took at most 1.4 ms, and 99 of 100 at most 947 ms.", "1.6 ms and 973 ms", "<dt>p99</dt><dd>947 ms</dd>",
		"<td>50</td><td>0</td><td>0</td><td>0.41 ms</td><td>31 ms</td>",
		"the gateway of this process answered", " at 127.0.0.1:8081 and at 127.0.0.1:8443")
	page.lacks(t, "<b data-xss", "since it started", "Nobody has called")
	if found := styledBy.FindString(page.body); found != "" {
		t.Errorf("the policy of the page forbids its style: %s", found)
	}
	plots := plotted.FindAllString(page.body, -1)
	if len(plots) != 3 {
		t.Fatalf("there are %d plots", len(plots))
	}
	bars := map[string]string{}
	for _, plot := range plots {
		if err := xml.Unmarshal([]byte(plot), new(struct{})); err != nil {
			t.Errorf("%s is no picture: %v", plot, err)
		}
		if !strings.Contains(plot, "<title ") || !strings.Contains(plot, "<desc ") || !strings.Contains(plot, `role="img"`) {
			t.Errorf("%s has no text in its place", plot)
		}
		for _, found := range barsOf.FindAllStringSubmatch(plot, -1) {
			bars[found[1]] = found[2]
		}
	}
	for class, want := range map[string]string{
		"calls": "M116 60v-60.0h3v60.0zM232 60v-30.0h3v30.0z", "client": "M116 60v-60.0h3v60.0z", "fault": "M116 60v-20.0h3v20.0z",
		"p99": "M116 60v-60.0h3v60.0zM232 60v-1.9h3v1.9z", "p50": "M116 60v-1.0h3v1.0zM232 60v-1.0h3v1.0z",
	} {
		// The minute may have ended since the test began.
		if earlier := strings.NewReplacer("M116", "M112", "M232", "M228").Replace(want); bars[class] != want && bars[class] != earlier {
			t.Errorf("the bars of %s are %q, want %q", class, bars[class], want)
		}
	}
}

func TestABusyHourFitsOnThePage(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Minute)
	var minutes []service.Minute
	for i := range 60 {
		minutes = append(minutes, service.Minute{At: now.Add(time.Duration(i-59) * time.Minute), Calls: 4294967295, ClientErrors: 4000000000, ServerErrors: 4000000000, Durations: service.Durations{4: 90, 19: 10}})
	}
	d := newDesk(t, func(o *controlplane.Options) {
		o.Traffic = &console.Traffic{History: func(string, string) []service.Minute { return minutes }}
	})
	page := d.in("rex").get("/console/publications/"+d.publication.ID).wants(t, http.StatusOK, "in 60 minutes of the last hour")
	if n := len(page.body); n > 40<<10 {
		t.Errorf("the page has %d bytes", n)
	}
}

func TestWithoutAMemoryOfCallsThereAreNoPlots(t *testing.T) {
	d := newDesk(t)
	d.in("rex").get("/console/publications/"+d.publication.ID).wants(t, http.StatusOK).lacks(t, "The last hour", "<svg")
}
