// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package measured_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/dataservice/terraform-provider-dataservice/internal/measured"
	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service/gateway"
)

const (
	dashboardFile = "../../deploy/grafana/dataservice.json"
	rulesFile     = "../../deploy/prometheus/dataservice.rules.yml"
	rulesTestFile = "dataservice.rules.test.yml"
)

// dashboard is what the tests look at of one of Grafana.
type dashboard struct {
	Title  string `json:"title"`
	Panels []struct {
		ID      int    `json:"id"`
		Type    string `json:"type"`
		Title   string `json:"title"`
		GridPos struct{ X, Y, W, H int }
		Targets []struct {
			Expr string `json:"expr"`
		} `json:"targets"`
	} `json:"panels"`
	Templating struct {
		List []struct {
			Name, Type, Definition string
		} `json:"list"`
	} `json:"templating"`
}

// rules are what Prometheus reads.
type rules struct {
	Groups []struct {
		Name  string `yaml:"name"`
		Rules []struct {
			Alert       string            `yaml:"alert"`
			Expr        string            `yaml:"expr"`
			Labels      map[string]string `yaml:"labels"`
			Annotations map[string]string `yaml:"annotations"`
		} `yaml:"rules"`
	} `yaml:"groups"`
}

func readDashboard(t *testing.T) (d dashboard) {
	t.Helper()
	data, err := os.ReadFile(dashboardFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func readRules(t *testing.T) (r rules) {
	t.Helper()
	data, err := os.ReadFile(rulesFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// queries are all expressions, by where they stand.
func queries(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	d := readDashboard(t)
	for _, p := range d.Panels {
		for i, target := range p.Targets {
			all[fmt.Sprintf("panel %q, query %d", p.Title, i+1)] = target.Expr
		}
	}
	for _, v := range d.Templating.List {
		if selector, found := strings.CutPrefix(v.Definition, "label_values("); found {
			selector = selector[:strings.LastIndex(selector, ",")]
			all["variable "+v.Name] = selector
		}
	}
	for _, g := range readRules(t).Groups {
		for _, r := range g.Rules {
			all["alert "+r.Alert] = r.Expr
		}
	}
	return all
}

// known are the labels of each metric that a query may name.
func known() map[string][]string {
	all := map[string][]string{
		// Those of Prometheus itself, of the process and of the Go runtime.
		"up": nil, "process_start_time_seconds": nil, "process_resident_memory_bytes": nil, "process_cpu_seconds_total": nil,
		"process_open_fds": nil, "process_max_fds": nil, "go_goroutines": nil, "go_memstats_heap_inuse_bytes": nil,
	}
	for _, m := range measured.Metrics() {
		if m.Type != "histogram" {
			all[m.Name] = m.Labels
			continue
		}
		all[m.Name+"_bucket"] = append(slices.Clone(m.Labels), "le")
		all[m.Name+"_count"], all[m.Name+"_sum"] = m.Labels, m.Labels
	}
	for name, labels := range all {
		all[name] = append(slices.Clone(labels), "job", "instance")
	}
	return all
}

var (
	stringPattern   = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	selectorPattern = regexp.MustCompile(`\b((?:dataservice|process|go)_[a-z0-9_]+|up)\b(?:\{([^}]*)\})?`)
	matcherPattern  = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!~|!=|=)`)
	groupingPattern = regexp.MustCompile(`\b(?:by|without|on|ignoring)\s*\(([^)]*)\)`)
	codePattern     = regexp.MustCompile(`\bcode!?=~?"([^"]*)"`)
)

// unknownIn returns what a query names that is not measured.
func unknownIn(query string, known map[string][]string) (unknown []string) {
	bare := stringPattern.ReplaceAllString(query, `""`)
	var labels []string
	for _, found := range selectorPattern.FindAllStringSubmatch(groupingPattern.ReplaceAllString(bare, ""), -1) {
		has, there := known[found[1]]
		if !there {
			unknown = append(unknown, "the metric "+found[1])
			continue
		}
		labels = append(labels, has...)
		for _, matcher := range matcherPattern.FindAllStringSubmatch(found[2], -1) {
			if !slices.Contains(has, matcher[1]) {
				unknown = append(unknown, "the label "+matcher[1]+" of "+found[1])
			}
		}
	}
	for _, grouping := range groupingPattern.FindAllStringSubmatch(bare, -1) {
		for label := range strings.SplitSeq(grouping[1], ",") {
			if label = strings.TrimSpace(label); !slices.Contains(labels, label) {
				unknown = append(unknown, "the label "+label)
			}
		}
	}
	return unknown
}

func TestTheDashboardAndTheAlertsAskForWhatIsMeasured(t *testing.T) {
	known, asked := known(), map[string]bool{}
	for where, query := range queries(t) {
		for _, unknown := range unknownIn(query, known) {
			t.Errorf("%s asks for %s, which there is not: %s", where, unknown, query)
		}
		for _, found := range selectorPattern.FindAllStringSubmatch(query, -1) {
			for _, end := range []string{"", "_bucket", "_count", "_sum"} {
				asked[strings.TrimSuffix(found[1], end)] = true
			}
		}
		for _, found := range codePattern.FindAllStringSubmatch(query, -1) {
			for code := range strings.SplitSeq(found[1], "|") {
				if code != "OK" && !slices.ContainsFunc(gateway.Errors(), func(e gateway.ErrorCode) bool { return e.Name == code }) {
					t.Errorf("%s asks for the code %s, which there is not", where, code)
				}
			}
		}
	}
	for _, m := range measured.Metrics() {
		if !asked[m.Name] {
			t.Errorf("%s is measured, and neither the dashboard nor an alert shows it", m.Name)
		}
	}
}

func TestWhatIsNotMeasuredIsFoundInAQuery(t *testing.T) {
	known := known()
	for query, want := range map[string]string{
		`sum by (api) (rate(dataservice_calls_total{status="5xx"}[5m]))`:             "",
		`sum by (path) (rate(dataservice_calls_total[5m]))`:                          "the label path",
		`dataservice_nothing > 0`:                                                    "the metric dataservice_nothing",
		`dataservice_calls_total{path="up"}`:                                         "the label path of dataservice_calls_total",
		`dataservice_call_duration_seconds > 1`:                                      "the metric dataservice_call_duration_seconds",
		`sum by (le) (rate(dataservice_call_duration_seconds_bucket{job="up"}[5m]))`: "",
	} {
		if got := strings.Join(unknownIn(query, known), ", "); got != want {
			t.Errorf("of %s it says %q, want %q", query, got, want)
		}
	}
}

func TestEachAlertSaysWhatToDo(t *testing.T) {
	text, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for _, part := range strings.Split("\n"+string(text), "\n#")[1:] {
		title, body, _ := strings.Cut(part, "\n")
		title = strings.ToLower(strings.TrimLeft(title, "# "))
		sections[strings.ReplaceAll(regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(title, ""), " ", "-")] = body
	}
	seen := map[string]bool{}
	for _, g := range readRules(t).Groups {
		for _, r := range g.Rules {
			if seen[r.Alert] {
				t.Errorf("there are two alerts %s", r.Alert)
			}
			seen[r.Alert] = true
			if !slices.Contains([]string{"critical", "warning", "info"}, r.Labels["severity"]) {
				t.Errorf("%s has the severity %q", r.Alert, r.Labels["severity"])
			}
			for _, name := range []string{"summary", "description"} {
				if r.Annotations[name] == "" {
					t.Errorf("%s has no %s", r.Alert, name)
				}
			}
			section, found := strings.CutPrefix(r.Annotations["guide"], "docs/guides/metrics.md#")
			body, there := sections[section]
			if !found || !there {
				t.Errorf("%s leads to %q, and the guide has the sections %v", r.Alert, r.Annotations["guide"], slices.Sorted(maps.Keys(sections)))
			} else if !strings.Contains(body, "`"+r.Alert+"`") {
				t.Errorf("the section %s of the guide says nothing of %s", section, r.Alert)
			}
		}
	}
	for _, named := range regexp.MustCompile("`(Dataservice[A-Za-z]+)`").FindAllStringSubmatch(string(text), -1) {
		if !seen[named[1]] {
			t.Errorf("the guide tells of the alert %s, which there is not", named[1])
		}
	}
}

func TestTheDashboardCanBeImported(t *testing.T) {
	d := readDashboard(t)
	ids := map[int]bool{}
	var variables, rows []string
	for _, v := range d.Templating.List {
		variables = append(variables, v.Name+" of "+v.Type)
	}
	if want := []string{"datasource of datasource", "job of query", "instance of query"}; !slices.Equal(variables, want) {
		t.Errorf("the variables are %q, want %q", variables, want)
	}
	for i, p := range d.Panels {
		if ids[p.ID] {
			t.Errorf("two panels have the id %d", p.ID)
		}
		ids[p.ID] = true
		if p.Type == "row" {
			rows = append(rows, p.Title)
		}
		for _, other := range d.Panels[:i] {
			a, b := p.GridPos, other.GridPos
			if a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
				t.Errorf("the panels %q and %q lie on each other", p.Title, other.Title)
			}
		}
	}
	if want := []string{"Callers", "Limits", "Databases and backends", "Reviews, notices and deadlines", "Gateways", "Control plane", "Store", "Process"}; !slices.Equal(rows, want) {
		t.Errorf("the rows are %q, want %q", rows, want)
	}
}

func TestPrometheusUnderstandsEveryQuery(t *testing.T) {
	type rule struct {
		Record string `yaml:"record"`
		Expr   string `yaml:"expr"`
	}
	type group struct {
		Name  string `yaml:"name"`
		Rules []rule `yaml:"rules"`
	}
	g := group{Name: "queries"}
	all := queries(t)
	for i, where := range slices.Sorted(maps.Keys(all)) {
		expr := strings.NewReplacer("$__rate_interval", "5m", "$job", ".*", "$instance", ".*").Replace(all[where])
		g.Rules = append(g.Rules, rule{fmt.Sprintf("query:%d", i), expr})
	}
	text, err := yaml.Marshal(map[string]any{"groups": []group{g}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "queries.yml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, arguments := range [][]string{{"check", "rules", file}, {"check", "rules", rulesFile}} {
		if out, err := exec.CommandContext(t.Context(), servicetest.Program(t, "promtool"), arguments...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(arguments, " "), err, out)
		}
	}
}

func TestTheAlertsFireWhenTheyShould(t *testing.T) {
	tests, err := os.ReadFile(filepath.Join(filepath.Dir(rulesFile), rulesTestFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range readRules(t).Groups {
		for _, r := range g.Rules {
			if !strings.Contains(string(tests), `alertname="`+r.Alert+`"`) {
				t.Errorf("no test has %s fire", r.Alert)
			}
		}
	}
	cmd := exec.CommandContext(t.Context(), servicetest.Program(t, "promtool"), "test", "rules", rulesTestFile)
	cmd.Dir = filepath.Dir(rulesFile)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool test rules: %v\n%s", err, out)
	}
}
