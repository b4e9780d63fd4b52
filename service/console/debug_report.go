// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console

import (
	"maps"
	"slices"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// debugReport is what the last test call of a revision was answered, as a page shows it.
type debugReport struct {
	service.DebugReport
	Values []debugValue
	// Whole is the address of the page that shows all that is kept; "" where this one does.
	Whole string
}

type debugValue struct {
	Name, Value string
	Hidden      bool
}

// debugReport is what is kept of the last test call of a revision; nil where that is nothing,
// or nothing that the member is shown.
func (c *console) debugReport(v *visit, apiID string, revision int64) *debugReport {
	kept, err := c.Service.DebugReport(v, v.caller, apiID, revision)
	if err != nil {
		return nil
	}
	r := &debugReport{DebugReport: kept}
	shown := 0
	for _, name := range slices.Sorted(maps.Keys(kept.Parameters)) {
		value, cut := kept.Parameters[name], false
		if !v.whole() {
			if value, cut = excerpt(value, shownText/8); shown > shownText {
				r.Whole = v.sameWith("whole", "yes")
				break
			}
			shown += cellsMarkup + markupSize(name+value)
		}
		if cut {
			r.Whole = v.sameWith("whole", "yes")
		}
		r.Values = append(r.Values, debugValue{name, value, value == service.HiddenValue})
	}
	if !v.whole() {
		var body, sample bool
		r.RequestBody, body = excerpt(r.RequestBody, shownText)
		r.Sample, sample = excerpt(r.Sample, shownSample)
		if body || sample {
			r.Whole = v.sameWith("whole", "yes")
		}
	}
	r.Cut = r.Cut || r.Whole != ""
	return r
}
