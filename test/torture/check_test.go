// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package torture

import (
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

const second = time.Second

var published = state{service.StatusPublished, "V1"}

func op(k kind, called, returned time.Duration, o outcome) operation {
	return operation{kind: k, called: called, returned: returned, outcome: o, version: "V2", remark: string(k)}
}

func read(called, returned time.Duration, seen state) operation {
	return operation{client: 1, kind: kindRead, called: called, returned: returned, outcome: acknowledged, seen: seen}
}

func TestAHistoryFitsIntoAnOrderOrNot(t *testing.T) {
	stopped, switched := state{service.StatusStopped, "V1"}, state{service.StatusPublished, "V2"}
	illegal := op(kindRestore, 0, 1, refused)
	illegal.code = service.CodeIllegalAction
	for name, test := range map[string]struct {
		history []operation
		fits    bool
	}{
		"a read sees what was acknowledged":            {[]operation{op(kindSuspend, 0, 1, acknowledged), read(2, 3, stopped)}, true},
		"what was acknowledged is lost":                {[]operation{op(kindSuspend, 0, 1, acknowledged), read(2, 3, published)}, false},
		"at the same time either may be first":         {[]operation{op(kindSuspend, 0, 3, acknowledged), read(1, 2, published)}, true},
		"what is unknown may have happened":            {[]operation{op(kindSwitch, 0, forever, unknown), read(2, 3, switched)}, true},
		"what is unknown may not have happened":        {[]operation{op(kindSwitch, 0, forever, unknown), read(2, 3, published)}, true},
		"it may happen late, and not be undone":        {[]operation{op(kindSwitch, 0, forever, unknown), read(2, 3, switched), read(4, 5, published)}, false},
		"what was refused has not happened":            {[]operation{op(kindSwitch, 0, 1, refused), read(2, 3, switched)}, false},
		"what is published cannot be restored":         {[]operation{op(kindRestore, 0, 1, acknowledged)}, false},
		"it is refused":                                {[]operation{illegal}, true},
		"two suspensions after each other both happen": {[]operation{op(kindSuspend, 0, 1, acknowledged), op(kindSuspend, 2, 3, acknowledged)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if fits := ordered(published, test.history); fits != test.fits {
				t.Errorf("it fits: %v, want %v", fits, test.fits)
			}
		})
	}
}

func TestWhatIsOnRecordContradictsOrNot(t *testing.T) {
	for name, test := range map[string]struct {
		outcome outcome
		times   int
		wrong   bool
	}{
		"acknowledged and there":         {acknowledged, 1, false},
		"acknowledged and lost":          {acknowledged, 0, true},
		"acknowledged and done twice":    {acknowledged, 2, true},
		"refused and not there":          {refused, 0, false},
		"refused and done all the same":  {refused, 1, true},
		"unknown and there":              {unknown, 1, false},
		"unknown and not there":          {unknown, 0, false},
		"unknown and done twice by then": {unknown, 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRecord()
			r.times["suspend"] = test.times
			if wrong := r.check([]operation{op(kindSuspend, 0, 1, test.outcome)}); (len(wrong) > 0) != test.wrong {
				t.Errorf("%v", wrong)
			}
		})
	}
}

func TestEventsFollowFromEachOther(t *testing.T) {
	event := func(detail string) []service.Event {
		return []service.Event{{Action: "publication.suspend", ThingID: "p", Detail: []byte(detail)}}
	}
	r := newRecord()
	if wrong := r.add(event(`{"from": "PUBLISHED", "to": "STOPPED", "comment": "a"}`)); len(wrong) > 0 {
		t.Error(wrong)
	}
	if wrong := r.add(event(`{"from": "PUBLISHED", "to": "STOPPED", "comment": "b"}`)); len(wrong) != 1 {
		t.Errorf("an update that was lost is not seen: %v", wrong)
	}
}

func TestAGatewayMayAnswerSoOrNot(t *testing.T) {
	everywhere := op(kindSuspend, 10*second, 11*second, acknowledged)
	everywhere.everywhere = true
	suspended := op(kindSuspend, 10*second, 11*second, acknowledged)
	restored := op(kindRestore, 14*second, 15*second, acknowledged)
	switched := op(kindSwitch, 10*second, 11*second, acknowledged)
	lost := op(kindSwitch, 10*second, forever, unknown)
	lost.remark = "lost"
	at := func(from time.Duration, status int, live string) call {
		return call{began: from, ended: from + second/10, status: status, live: live}
	}
	for name, test := range map[string]struct {
		history []operation
		call    call
		blinds  []blind
		may     bool
	}{
		"before":                                   {[]operation{suspended}, at(5*second, 200, "V1"), nil, true},
		"before the suspension nothing refuses":    {[]operation{suspended}, at(5*second, 403, ""), nil, false},
		"while it is under way":                    {[]operation{suspended}, at(10*second+second/2, 403, ""), nil, true},
		"as long as a change takes":                {[]operation{suspended}, at(12*second, 200, "V1"), nil, true},
		"longer than a change takes":               {[]operation{suspended}, at(14*second, 200, "V1"), nil, false},
		"all were said to serve it":                {[]operation{everywhere}, at(11*second+second/2, 200, "V1"), nil, false},
		"it cannot follow":                         {[]operation{suspended}, at(20*second, 200, "V1"), []blind{{from: 9 * second, to: 30 * second}}, true},
		"it could follow until after the change":   {[]operation{suspended}, at(20*second, 200, "V1"), []blind{{from: 16 * second, to: 30 * second}}, false},
		"it could not follow, and can again":       {[]operation{suspended}, at(20*second, 200, "V1"), []blind{{from: 9 * second, to: 12 * second}}, false},
		"it was ended, and had not kept the last":  {[]operation{suspended}, at(20*second, 200, "V1"), []blind{{from: 16 * second, to: 30 * second, ended: true}}, true},
		"it was ended long after":                  {[]operation{suspended}, at(20*second, 200, "V1"), []blind{{from: 19 * second, to: 30 * second, ended: true}}, false},
		"it is restored meanwhile":                 {[]operation{suspended, restored}, at(20*second, 200, "V1"), nil, true},
		"it is restored, and refused all the same": {[]operation{suspended, restored}, at(20*second, 403, ""), nil, false},
		"the version before":                       {[]operation{switched}, at(20*second, 200, "V1"), nil, false},
		"the version after":                        {[]operation{switched}, at(20*second, 200, "V2"), nil, true},
		"a switch that never happened":             {[]operation{lost}, at(20*second, 200, "V2"), nil, false},
		"no such API":                              {nil, at(20*second, 404, ""), nil, false},
		"no answer":                                {nil, at(20*second, 0, ""), nil, true},
		"a server error":                           {nil, at(20*second, 500, ""), nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			e := effectsOf(published, test.history, func(o operation) bool { return o.remark != "lost" }, 40*second)
			if may := e.permitted(test.call, test.blinds); may != test.may {
				t.Errorf("it may: %v, want %v", may, test.may)
			}
		})
	}
}
