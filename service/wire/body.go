// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// BodyFault is what keeps a body from being read.
type BodyFault string

// The faults.
const (
	// BodyTooLarge: it has more bytes than are read.
	BodyTooLarge BodyFault = "too large"
	// BodyBroken: it did not arrive whole.
	BodyBroken BodyFault = "broken"
	// BodyMalformed: it is no JSON, or has another outermost value than the call's.
	BodyMalformed BodyFault = "malformed"
	// BodyWrongType: a parameter has a value that it cannot have.
	BodyWrongType BodyFault = "wrong type"
)

// BodyError says why a body was not read.
type BodyError struct {
	Fault BodyFault
	// Parameter is the outermost field that has the wrong type.
	Parameter string
	// Message is a sentence for the person at the client, or continues one that begins with
	// the parameter.
	Message string
	Cause   error
}

// Error returns the message.
func (e *BodyError) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *BodyError) Unwrap() error { return e.Cause }

// ReadJSON reads a body, which [http.MaxBytesReader] bounds. What is not known is passed
// over, as vendors do. It returns the body as it was sent. The error is a [BodyError].
func ReadJSON(body io.Reader, into any) ([]byte, error) {
	data, err := io.ReadAll(body)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return data, &BodyError{Fault: BodyTooLarge, Message: fmt.Sprintf("The request body is too large: %d bytes are the most.", tooLarge.Limit), Cause: err}
	case err != nil:
		return data, &BodyError{Fault: BodyBroken, Message: "The request body did not arrive whole.", Cause: err}
	}
	err = json.Unmarshal(data, into)
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrongType) && wrongType.Field != "":
		parameter, _, _ := strings.Cut(wrongType.Field, ".")
		return data, &BodyError{Fault: BodyWrongType, Parameter: parameter, Message: "it is a " + wrongType.Value + ", which it cannot be", Cause: err}
	case err != nil:
		return data, &BodyError{Fault: BodyMalformed, Message: "The request body is not the JSON that this call has.", Cause: err}
	}
	return data, nil
}

// WriteJSON answers with a body, nil for none.
func WriteJSON(w http.ResponseWriter, status int, body any) {
	if body == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client is gone where this fails
}
