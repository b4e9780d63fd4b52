// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

// Problem is an error on the wire: an RFC 9457 problem document.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	// Code is the stable code of the error.
	Code      Code         `json:"code"`
	RequestID string       `json:"request_id"`
	Errors    []FieldError `json:"errors,omitempty"`
}

// Error returns the problem's sentence with its [Problem.Reference].
func (p *Problem) Error() string { return p.Detail + p.Reference() }

// Reference is what the problem can be looked up by, in the service's log and in the
// documentation: " (request ID, code CODE)".
func (p *Problem) Reference() string {
	return " (request " + p.RequestID + ", code " + string(p.Code) + ")"
}
