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

// Error returns the problem's sentence with its request id.
func (p *Problem) Error() string { return p.Detail + " (request " + p.RequestID + ")" }
