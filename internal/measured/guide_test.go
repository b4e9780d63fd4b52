// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package measured_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/internal/measured"
)

const guide = "../../templates/guides/metrics.md.tmpl"

func TestTheGuideNamesEveryMetric(t *testing.T) {
	text, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	var written []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(dataservice_[a-z_]+)` \\| ([a-z]+) \\| (.*?) \\| (.*) \\|$").FindAllStringSubmatch(string(text), -1) {
		written = append(written, row[1]+" "+row[2]+" "+row[3]+" "+row[4])
	}
	var declared []string
	for _, m := range measured.Metrics() {
		labels := ""
		if len(m.Labels) > 0 {
			labels = "`" + strings.Join(m.Labels, "`, `") + "`"
		}
		declared = append(declared, m.Name+" "+m.Type+" "+labels+" "+m.Meaning)
	}
	if !slices.Equal(written, declared) {
		t.Errorf("run `make generate`: the guide has\n%s\nand the code\n%s", strings.Join(written, "\n"), strings.Join(declared, "\n"))
	}
}
