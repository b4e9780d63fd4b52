// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package dataworks

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

// testNames are the vendor's names of what a test call is made with.
var testNames = names{"parameters": "QueryParam", "body": "BodyContent"}

// places are the lists of parameters of a test call, with the positions that may be in them.
var places = []struct {
	name      string
	positions []service.Position
}{
	{"PathParams", []service.Position{service.PositionPath}},
	{"QueryParam", []service.Position{service.PositionQuery, service.PositionPath}},
	{"HeadParams", []service.Position{service.PositionHeader}},
	{"BodyParams", []service.Position{service.PositionBody}},
}

// startTest makes a test call of the API as it is defined now, which is answered later.
func (f *face) startTest(c *call) (any, error) {
	api, err := f.api(c)
	if err != nil {
		return nil, err
	}
	in := service.DebugInput{Parameters: map[string]string{}, Body: c.text("BodyContent")}
	for _, place := range places {
		for _, pair := range c.pairs(place.name) {
			name := pair[0]
			if _, twice := in.Parameters[name]; twice {
				c.fail(invalid(place.name, fmt.Sprintf("the parameter %q is given twice.", name)))
			}
			if p, declared := api.RequestParameters[name]; declared && !slices.Contains(place.positions, p.Position) {
				c.fail(invalid(place.name, fmt.Sprintf("the parameter %q is passed elsewhere, in the position %s.", name, p.Position)))
			}
			in.Parameters[name] = pair[1]
		}
	}
	if c.err != nil {
		return nil, c.err
	}
	run, err := f.service.StartDebug(c, c.Caller, api.ID, in)
	if err != nil {
		return nil, testNames.named(wire.OrMissing(err, apiMissing(decimal(api.Number))))
	}
	return object{{"Data", object{{"TestId", decimal(run.Number)}}}}, nil
}

// getTest tells how a test call went, or that it is under way.
func (f *face) getTest(c *call) (any, error) {
	number := c.number("TestId")
	if c.err != nil {
		return nil, c.err
	}
	run, err := f.service.DebugRun(c, c.Caller, number)
	if err != nil {
		return nil, wire.OrMissing(err, refused(http.StatusNotFound, codeTestMissing, "The test %s does not exist, or not any more.", number))
	}
	o := object{{"ApiId", run.APINumber}, {"ParamMap", paramMapOf(run)}}
	if run.Status == service.DebugFinished {
		o = append(o, member{"RetCode", retCodeOf(run)}, member{"RetResult", resultOf(run)}, member{"DebugInfo", infoOf(run)},
			member{"CostTime", decimal(costOf(run))}, member{"NodesDebugInfo", ""})
	}
	return object{{"Data", append(o, member{"Status", run.Status})}}, nil
}

// listTests lists the test calls of an API, newest first.
func (f *face) listTests(c *call) (any, error) {
	number, size := c.number("ApiId"), c.within("PageSize", usualPage, mostPage)
	if c.err != nil {
		return nil, c.err
	}
	l, err := f.service.DebugRuns(c, c.Caller, number, lifecycle.Page{Limit: int(size)})
	if err != nil {
		return nil, wire.OrMissing(err, apiMissing(number))
	}
	tests := make([]object, len(l.Items))
	for i, run := range l.Items {
		tests[i] = object{{"TestId", run.Number}, {"ApiId", run.APINumber}, {"ParamMap", paramMapOf(run)}}
		if run.Status == service.DebugFinished {
			tests[i] = append(tests[i], member{"RetCode", retCodeOf(run)}, member{"RetResult", resultOf(run)}, member{"CostTime", costOf(run)})
		}
		tests[i] = append(tests[i], member{"Status", run.Status}, member{"CreateTime", wire.Millis(run.CreatedAt)})
	}
	return object{{"Data", tests}}, nil
}

// saveTestResult keeps samples of answers with the API: those that are given, or else what
// the last test calls answered. As that makes another revision of it, the API is tested
// once more, as it was the last time.
func (f *face) saveTestResult(c *call) (any, error) {
	success, failure, generate := c.text("ResultSample"), c.text("FailResultSample"), c.flag("AutoGenerate")
	api, err := f.api(c)
	if err != nil {
		return nil, err
	}
	l, err := f.service.DebugRuns(c, c.Caller, api.ID, lifecycle.Page{Limit: mostPage})
	if err != nil {
		return nil, wire.OrMissing(err, apiMissing(decimal(api.Number)))
	}
	passed, failed := lastOf(l.Items, true), lastOf(l.Items, false)
	if generate || success == "" && failure == "" {
		if passed == nil && failed == nil {
			return nil, refused(http.StatusNotFound, codeTestMissing, "There is no test of the API %d whose result could be saved: test it first, or give the samples.", api.Number)
		}
		success, failure = sampleOf(passed, success), sampleOf(failed, failure)
	}
	in := service.APIInput{APISpec: api.APISpec}
	if success != "" {
		in.SuccessSample = success
	}
	if failure != "" {
		in.FailureSample = failure
	}
	if passed != nil && passed.Input.Validate(api.Definition) == nil {
		in.Debug = &passed.Input
	}
	if _, err := f.service.UpdateAPI(c, c.Caller, api.ID, api.ETag(), in); err != nil {
		return nil, names{"success_sample": "ResultSample", "failure_sample": "FailResultSample"}.named(err)
	}
	return true, nil
}

// lastOf is the last finished call that succeeded, or did not, and was answered.
func lastOf(runs []service.DebugRun, succeeded bool) *service.DebugRun {
	i := slices.IndexFunc(runs, func(r service.DebugRun) bool {
		return r.Status == service.DebugFinished && r.Result != nil && r.Succeeded() == succeeded
	})
	if i < 0 {
		return nil
	}
	return &runs[i]
}

func sampleOf(run *service.DebugRun, otherwise string) string {
	if run == nil {
		return otherwise
	}
	return resultOf(*run)
}

func paramMapOf(run service.DebugRun) string {
	data, _ := json.Marshal(run.Input.Parameters) // texts are always JSON
	return string(data)
}

// resultOf is what the call answered.
func resultOf(run service.DebugRun) string {
	if run.Result == nil {
		return ""
	}
	if len(run.Result.Body) > 0 {
		return string(run.Result.Body)
	}
	return run.Result.Text
}

// noAnswer is the code of a call that nothing was answered to.
const noAnswer = -1

// retCodeOf is the code in the answer of an API that reads a database; of a backend's, 0 or
// the HTTP status.
func retCodeOf(run service.DebugRun) int64 {
	var body struct {
		ErrCode *int64 `json:"errCode"`
	}
	switch {
	case run.Result != nil && json.Unmarshal(run.Result.Body, &body) == nil && body.ErrCode != nil && (run.Succeeded() || *body.ErrCode != 0):
		return *body.ErrCode
	case run.Succeeded():
		return 0
	case run.Result != nil && run.Result.Status >= http.StatusBadRequest:
		return int64(run.Result.Status)
	}
	return noAnswer
}

// infoOf is why the call failed, or the statement that was run.
func infoOf(run service.DebugRun) string {
	switch {
	case run.Failure != "":
		return run.Failure
	case run.Result != nil:
		return run.Result.Statement
	}
	return ""
}

// costOf is how long the call took, in milliseconds.
func costOf(run service.DebugRun) int64 {
	if run.Result != nil {
		return int64(math.Round(run.Result.DurationMS))
	}
	return run.FinishedAt.Sub(run.CreatedAt).Milliseconds()
}
