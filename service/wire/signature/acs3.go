// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// ACS3Scheme is the scheme of the header Authorization that Alibaba Cloud's newer SDKs sign with.
const ACS3Scheme = "ACS3-HMAC-SHA256"

// Headers of requests that are signed with ACS3Scheme, in their canonical form.
const (
	ACS3ActionHeader   = "X-Acs-Action"
	ACS3VersionHeader  = "X-Acs-Version"
	ACS3DateHeader     = "X-Acs-Date"
	ACS3NonceHeader    = "X-Acs-Signature-Nonce"
	ACS3BodyHashHeader = "X-Acs-Content-Sha256"
	ACS3TokenHeader    = "X-Acs-Security-Token" //nolint:gosec // It is the name of a header.
)

// ACS3 is what the header Authorization of a request says that is signed with ACS3Scheme.
type ACS3 struct {
	// Access is the access key's id.
	Access string
	// Headers is the list of signed headers as it was sent, in lower case with semicolons.
	Headers   string
	signature [sha256.Size]byte
}

// ParseACS3 reads what follows the scheme: Credential=…,SignedHeaders=…,Signature=….
func ParseACS3(text string) (s ACS3, ok bool) {
	signature := ""
	seen, ok := readParts(text, func(name string) *string {
		switch name {
		case "Credential":
			return &s.Access
		case "SignedHeaders":
			return &s.Headers
		case "Signature":
			return &signature
		}
		return nil
	})
	if !ok || seen != 3 || !decodeHex(s.signature[:], signature) || !listsHeaders(s.Headers) {
		return ACS3{}, false
	}
	return s, true
}

// Signs reports whether the header, in lower case, is among the signed ones.
func (s ACS3) Signs(name string) bool { return inList(s.Headers, name) }

// StringToSign is what the signature is made of, with the canonical form of the request.
// RPC calls are all at the path /, whose canonical form is that of [Canonical].
func (s ACS3) StringToSign(c *Canonical) string {
	hash := sha256.Sum256(c.text)
	return ACS3Scheme + "\n" + hex.EncodeToString(hash[:])
}

// HoldsWith reports whether the signature is the one that the secret makes of the string
// to sign.
func (s ACS3) HoldsWith(secret []byte, stringToSign string) bool {
	return hmac.Equal(hmacSHA256(nil, secret, []byte(stringToSign)), s.signature[:])
}
