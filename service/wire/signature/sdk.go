// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package signature

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// Schemes of the header Authorization that Huawei Cloud's SDKs sign with.
const (
	SDKScheme = "SDK-HMAC-SHA256"
	// SDKDerivedScheme is what they sign with where they are told to derive keys.
	SDKDerivedScheme = "V11-HMAC-SHA256"
)

// Headers of requests that are signed with SDKScheme, in their canonical form.
const (
	SDKDateHeader     = "X-Sdk-Date"
	SDKBodyHashHeader = "X-Sdk-Content-Sha256"
)

const (
	// sdkDate is the layout of the header X-Sdk-Date, in UTC.
	sdkDate = "20060102T150405Z"
	// sdkDay is how that begins: the day that the derived key of a scoped signature is for.
	sdkDay = len("20060102")
	// sdkScopeEnd is what every scope ends in.
	sdkScopeEnd = "sdk_request"
)

// SDK is what the header Authorization of a request says that is signed with SDKScheme or
// SDKDerivedScheme.
type SDK struct {
	// scheme is which of them.
	scheme string
	// Access is the key.
	Access string
	// Scope is "" in the plain variant, else DATE/REGION/SERVICE/sdk_request: the signature
	// is then made with a key that is derived for it. Region and service may be "". With
	// SDKDerivedScheme it is DATE/REGION/SERVICE, each of them there.
	Scope string
	// Headers is the list of signed headers as it was sent, in lower case with semicolons.
	Headers   string
	signature [sha256.Size]byte
}

// ParseSDK reads what follows the scheme: Access=…, SignedHeaders=…, Signature=…, or, in
// the scoped variant, Credential=ACCESS/SCOPE in place of the first.
func ParseSDK(text string) (s SDK, ok bool) {
	signature, credential := "", ""
	seen, ok := readParts(text, func(name string) *string {
		switch name {
		case "Access":
			return &s.Access
		case "Credential":
			return &credential
		case "SignedHeaders":
			return &s.Headers
		case "Signature":
			return &signature
		}
		return nil
	})
	if !ok || seen != 3 || !decodeHex(s.signature[:], signature) {
		return SDK{}, false
	}
	if credential != "" && !s.scoped(credential) {
		return SDK{}, false
	}
	s.scheme = SDKScheme
	return s, s.Access != "" && listsHeaders(s.Headers)
}

// ParseDerivedSDK reads what follows the scheme: Credential=ACCESS/SCOPE,
// SignedHeaders=…, Signature=….
func ParseDerivedSDK(text string) (s SDK, ok bool) {
	signature, credential := "", ""
	seen, ok := readParts(text, func(name string) *string {
		switch name {
		case "Credential":
			return &credential
		case "SignedHeaders":
			return &s.Headers
		case "Signature":
			return &signature
		}
		return nil
	})
	if !ok || seen != 3 || !decodeHex(s.signature[:], signature) {
		return SDK{}, false
	}
	s.scheme = SDKDerivedScheme
	s.Access, s.Scope, _ = strings.Cut(credential, "/")
	day, rest, _ := strings.Cut(s.Scope, "/")
	region, service, _ := strings.Cut(rest, "/")
	whole := s.Access != "" && day != "" && region != "" && service != "" && !strings.Contains(service, "/")
	return s, whole && listsHeaders(s.Headers)
}

// readParts reads parts NAME=VALUE, with commas between, into the targets, each once, and says how
// many there are.
func readParts(text string, target func(name string) *string) (seen int, ok bool) {
	for text != "" {
		var part string
		part, text, _ = strings.Cut(text, ",")
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		into := target(name)
		if into == nil || *into != "" || value == "" {
			return seen, false
		}
		*into = value
		seen++
	}
	return seen, true
}

// decodeHex fills dst with what the text says, which has no byte more or less.
func decodeHex(dst []byte, text string) bool {
	if len(text) != hex.EncodedLen(len(dst)) {
		return false
	}
	_, err := hex.Decode(dst, []byte(text))
	return err == nil
}

// scoped takes a credential apart.
func (s *SDK) scoped(credential string) bool {
	if s.Access != "" {
		return false
	}
	s.Access, s.Scope, _ = strings.Cut(credential, "/")
	return strings.Count(s.Scope, "/") == 3 && strings.HasSuffix(s.Scope, "/"+sdkScopeEnd)
}

// Signs reports whether the header, in lower case, is among the signed ones.
func (s SDK) Signs(name string) bool { return inList(s.Headers, name) }

// ParseSDKDate reads the header X-Sdk-Date.
func ParseSDKDate(text string) (time.Time, error) { return time.Parse(sdkDate, text) }

// FormatSDKDate writes a time as the header X-Sdk-Date has it.
func FormatSDKDate(at time.Time) string { return at.UTC().Format(sdkDate) }

// HoldsWith reports whether the signature is the one that the secret makes of a request:
// of its canonical form, and of its date as it was sent. A scope of another day than the
// date's holds never.
func (s SDK) HoldsWith(secret []byte, date string, c *Canonical) bool {
	hash := sha256.Sum256(c.text)
	text := make([]byte, 0, 192)
	text = append(append(text, s.scheme...), '\n')
	text = append(append(text, date...), '\n')
	key := secret
	if s.Scope != "" {
		day, _, _ := strings.Cut(s.Scope, "/")
		if len(date) < sdkDay || day != date[:sdkDay] {
			return false
		}
		text = append(append(text, s.Scope...), '\n')
		key = s.derivedKey(secret)
		if key == nil {
			return false
		}
	}
	text = hex.AppendEncode(text, hash[:])
	return hmac.Equal(hmacSHA256(hash[:0], key, text), s.signature[:])
}

// derivedKey makes the key of a scope: part by part, or, with SDKDerivedScheme, of all of
// it at once (RFC 5869), written in hex.
func (s SDK) derivedKey(secret []byte) []byte {
	if s.scheme == SDKDerivedScheme {
		key, err := hkdf.Key(sha256.New, secret, []byte(s.Access), s.Scope, sha256.Size)
		if err != nil {
			return nil // Where the platform forbids so short a secret.
		}
		return hex.AppendEncode(nil, key)
	}
	key := append([]byte("SDK"), secret...)
	for part := range strings.SplitSeq(s.Scope, "/") {
		key = hmacSHA256(nil, key, []byte(part))
	}
	return key
}

// hmacSHA256 appends the HMAC-SHA256 of the text to dst.
func hmacSHA256(dst, key, text []byte) []byte {
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write(text) // it never fails
	return mac.Sum(dst)
}
