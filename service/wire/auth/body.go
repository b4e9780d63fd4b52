// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package auth

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"

	"github.com/dataservice/terraform-provider-dataservice/service/wire/signature"
)

// MaxBodyBytes bounds the body of a request.
const MaxBodyBytes = 1 << 20

// readBody reads the body, and puts it back for whoever comes next.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBodyBytes))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, failf(TooLarge, "The request body is larger than %d bytes, which is the most.", MaxBodyBytes)
	case err != nil:
		return nil, &Failure{Reason: Malformed, Message: "The request body did not arrive whole.", Cause: err}
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body, nil
}

// hashOf is the SHA-256 of the body, in hex.
func hashOf(body []byte) string {
	if len(body) == 0 {
		return signature.EmptyBodyHash
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
