// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestAReportKeepsNoCredential(t *testing.T) {
	r := NewDebugReport(DebugInput{Parameters: map[string]string{
		"country": "DE", "X-Auth-Token": "t", "api_key": "k", "Password": "p", "client.secret": "s", "keyword": "w",
	}}, DebugResult{Status: 200, Body: json.RawMessage(`{"a":1}`), Rows: 1, DurationMS: 2.5}, "")
	want := map[string]string{
		"country": "DE", "X-Auth-Token": HiddenValue, "api_key": HiddenValue, "Password": HiddenValue, "client.secret": HiddenValue, "keyword": "w",
	}
	if diff := cmp.Diff(want, r.Parameters); diff != "" {
		t.Errorf("the values (-want +got):\n%s", diff)
	}
	if r.Status != DebugSuccess || r.Sample != `{"a":1}` || r.Cut || r.HTTPStatus != 200 || r.DurationMS != 2.5 {
		t.Errorf("the report is %+v", r)
	}
}

func TestAReportIsBounded(t *testing.T) {
	long := "x" + strings.Repeat("é", MaxDebugSample)
	r := NewDebugReport(DebugInput{Body: long}, DebugResult{Status: 502, Text: long}, "The backend failed.")
	if r.Status != DebugFailed || !r.Cut || len(r.Sample) > MaxDebugSample || len(r.Sample) < MaxDebugSample-1 || !utf8.ValidString(r.Sample) || len(r.RequestBody) > MaxDebugSample {
		t.Errorf("the report is %s with %d and %d bytes", r.Status, len(r.Sample), len(r.RequestBody))
	}
}
