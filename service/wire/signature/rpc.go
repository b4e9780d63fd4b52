// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package signature

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // The vendor's clients sign with HMAC-SHA1, which is not broken by what broke SHA-1.
	"encoding/base64"
	"net/url"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service/percent"
)

// ACSDate is the layout of dates in signed requests to Alibaba Cloud, in UTC: of the
// parameter Timestamp and of the header X-Acs-Date.
const ACSDate = "2006-01-02T15:04:05Z"

// ParseACSDate reads a date of a signed request.
func ParseACSDate(text string) (time.Time, error) { return time.Parse(ACSDate, text) }

// rpcSignature is the parameter that is left out of what is signed.
const rpcSignature = "Signature"

// RPC is what the parameters of a request say of its signature.
type RPC struct {
	// Access is the access key's id.
	Access, Nonce, Timestamp string
	signature                [sha1.Size]byte
}

// ParseRPC reads the parameters of a request, of its query string and of its form
// together. ok is false where one of them is there more than once, where a part of the
// signature is missing, or where it is of another kind than HMAC-SHA1, version 1.0.
func ParseRPC(params url.Values) (s RPC, ok bool) {
	for _, values := range params {
		if len(values) != 1 {
			return RPC{}, false
		}
	}
	if params.Get("SignatureMethod") != "HMAC-SHA1" || params.Get("SignatureVersion") != "1.0" || params.Get("SignatureType") != "" {
		return RPC{}, false
	}
	sum, err := base64.StdEncoding.DecodeString(params.Get(rpcSignature))
	if err != nil || len(sum) != len(s.signature) {
		return RPC{}, false
	}
	s = RPC{
		Access: params.Get("AccessKeyId"), Nonce: params.Get("SignatureNonce"), Timestamp: params.Get("Timestamp"),
		signature: [sha1.Size]byte(sum),
	}
	return s, s.Access != "" && s.Nonce != "" && s.Timestamp != ""
}

// StringToSign is what the signature is made of: the method and the parameters, sorted,
// empty ones included. The path of RPC calls is /, always.
func (s RPC) StringToSign(method string, params url.Values) string {
	var c Canonical
	for name, values := range params {
		if name != rpcSignature {
			c.pairs = append(c.pairs, pair{name, values[0]})
		}
	}
	c.appendPairs()
	return string(percent.Append(append([]byte(method), "&%2F&"...), c.text))
}

// HoldsWith reports whether the signature is the one that the secret makes of the string
// to sign.
func (s RPC) HoldsWith(secret []byte, stringToSign string) bool {
	mac := hmac.New(sha1.New, append(append([]byte{}, secret...), '&'))
	_, _ = mac.Write([]byte(stringToSign)) // it never fails
	return hmac.Equal(mac.Sum(nil), s.signature[:])
}
