// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package torture

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// record is what the audit trail has of the operations on publications.
type record struct {
	// times is how often each remark is there.
	times map[string]int
	// status is where each publication stands by its last event.
	status map[string]service.Status
}

func newRecord() *record {
	return &record{times: map[string]int{}, status: map[string]service.Status{}}
}

// add reads more events, and returns what does not follow from those before.
func (r *record) add(events []service.Event) (wrong []string) {
	for _, e := range events {
		if !strings.HasPrefix(e.Action, "publication.") {
			continue
		}
		var detail struct {
			From, To service.Status
			Comment  string
		}
		if err := json.Unmarshal(e.Detail, &detail); err != nil {
			wrong = append(wrong, fmt.Sprintf("event %d of %s cannot be read: %v", e.Sequence, e.ThingName, err))
			continue
		}
		if before, known := r.status[e.ThingID]; known && detail.From != before {
			wrong = append(wrong, fmt.Sprintf("event %d, %s of %s, is from %s, and the one before it ended with %s", e.Sequence, e.Action, e.ThingName, detail.From, before))
		}
		r.status[e.ThingID] = detail.To
		if detail.Comment != "" {
			r.times[detail.Comment]++
		}
	}
	return wrong
}

// check compares the operations with the record, and returns what contradicts it.
func (r *record) check(history []operation) (wrong []string) {
	for _, o := range history {
		if o.kind == kindRead {
			continue
		}
		least, most := 0, 1
		switch {
		case o.outcome == acknowledged && o.kind != kindSwitch: // to switch to what is live changes nothing
			least = 1
		case o.outcome == refused:
			most = 0
		}
		if n := r.times[o.remark]; n < least || n > most {
			wrong = append(wrong, fmt.Sprintf("it happened %d times: %s", n, o))
		}
	}
	return wrong
}

// happened reports whether the operation is on record.
func (r *record) happened(o operation) bool { return r.times[o.remark] > 0 }
