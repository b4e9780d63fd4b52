// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// KeptDebugReports is of how many revisions of an API, counted from the newest, it is
	// kept what their last test call was answered.
	KeptDebugReports = 10
	// MaxDebugSample is how many bytes of the answer are kept, and of the body of the request.
	MaxDebugSample = 16 << 10
	// HiddenValue stands in a report for a value that is not kept.
	HiddenValue = "(hidden)"
)

// DebugReport is what the last test call of a revision was made with, and what it was answered.
type DebugReport struct {
	APIID    string      `json:"api_id"`
	Revision int64       `json:"api_revision"`
	Status   DebugStatus `json:"debug_status" enum:"FAILED,SUCCESS" doc:"How this call went. What was debugged successfully once stays fit for publishing."`
	// Failure says why the call failed; "" where it did not.
	Failure string `json:"failure,omitempty" doc:"Why the call failed."`
	// Parameters are the values that it was made with, but for those of credentials.
	Parameters map[string]string `json:"parameters,omitempty" doc:"The values that the call was made with. Those of credentials, by the name of their parameter, read (hidden)."`
	// RequestBody is the beginning of the body that was sent.
	RequestBody string `json:"request_body,omitempty" doc:"The beginning of the request body, at most 16 KiB."`
	// HTTPStatus is the status of the answer; 0 where there was none.
	HTTPStatus int `json:"http_status,omitempty" doc:"HTTP status of the answer; absent where there was none."`
	// Sample is the beginning of the answer, and Cut says that there was more.
	Sample     string  `json:"sample,omitempty" doc:"The beginning of the answer, at most 16 KiB."`
	Cut        bool    `json:"sample_cut" doc:"Whether the answer was longer than the sample."`
	Rows       int     `json:"rows"`
	DurationMS float64 `json:"duration_ms"`
	// By is the name of who made the call.
	By string    `json:"made_by"`
	At time.Time `json:"made_at"`
}

// NewDebugReport is the report of a call of the API, to which failure says why it failed, ""
// where it did not.
func NewDebugReport(call DebugInput, result DebugResult, failure string) DebugReport {
	r := DebugReport{Status: DebugSuccess, Failure: failure, HTTPStatus: result.Status, Rows: result.Rows, DurationMS: result.DurationMS}
	if failure != "" {
		r.Status = DebugFailed
	}
	if len(call.Parameters) > 0 {
		r.Parameters = make(map[string]string, len(call.Parameters))
		for name, value := range call.Parameters {
			if namesCredential(name) {
				value = HiddenValue
			}
			r.Parameters[name] = value
		}
	}
	r.RequestBody, _ = beginningOf(call.Body)
	if r.Sample, r.Cut = beginningOf(string(result.Body)); r.Sample == "" {
		r.Sample, r.Cut = beginningOf(result.Text)
	}
	return r
}

// credentialWords are in the names of parameters whose values are nobody else's business.
var credentialWords = []string{"password", "passwd", "pwd", "secret", "token", "authorization", "credential", "apikey", "accesskey", "appcode", "cookie", "signature", "session"}

func namesCredential(parameter string) bool {
	name := strings.NewReplacer("-", "", "_", "", ".", "").Replace(strings.ToLower(parameter))
	for _, word := range credentialWords {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// beginningOf cuts a text to what a report keeps of it, between two characters.
func beginningOf(text string) (beginning string, cut bool) {
	if len(text) <= MaxDebugSample {
		return text, false
	}
	end := MaxDebugSample
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end], true
}
