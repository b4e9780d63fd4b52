// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package auth

import (
	"net/http"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire/signature"
)

// Headers of Huawei Cloud's clients, in their canonical form.
const (
	tokenHeader         = "X-Auth-Token" //nolint:gosec // It is the name of a header.
	securityTokenHeader = "X-Security-Token"
)

// Huawei returns who made a request of a client for Huawei Cloud, or for a cloud of its
// kind: by a signature in Authorization, or else by a member's token in X-Auth-Token.
func (v *Verifier) Huawei(w http.ResponseWriter, r *http.Request) (lifecycle.Caller, error) {
	scheme, text, err := credentials(r)
	if err != nil {
		return lifecycle.Caller{}, err
	}
	if strings.EqualFold(scheme, signature.SDKScheme) {
		s, ok := signature.ParseSDK(text)
		return v.sdk(w, r, s, ok)
	}
	if strings.EqualFold(scheme, signature.SDKDerivedScheme) {
		s, ok := signature.ParseDerivedSDK(text)
		return v.sdk(w, r, s, ok)
	}
	tokens := r.Header[tokenHeader]
	switch {
	case len(tokens) > 1:
		return lifecycle.Caller{}, failf(Malformed, "There is more than one header X-Auth-Token: send it once.")
	case len(tokens) == 1 && tokens[0] != "":
		return v.Token(r, tokens[0])
	case scheme != "":
		return lifecycle.Caller{}, failf(Malformed, "The header Authorization has another scheme than %s.", signature.SDKScheme)
	}
	return lifecycle.Caller{}, failf(Missing, "The request does not say who makes it: sign it with an access key (%s), or send a token in X-Auth-Token.", signature.SDKScheme)
}

// sdk checks a signature. What costs little is checked first: the body of a request that
// is refused anyway is not read.
func (v *Verifier) sdk(w http.ResponseWriter, r *http.Request, s signature.SDK, parsed bool) (none lifecycle.Caller, err error) {
	if !parsed {
		return none, failf(Malformed, "The header Authorization is not a signature as it has to be: Access=…, or Credential=… with a scope, SignedHeaders=…, Signature=…, the signed headers in lower case, the signature 64 hexadecimal digits.")
	}
	date, err := v.sdkDate(r, s)
	if err != nil {
		return none, err
	}
	if r.Header[securityTokenHeader] != nil {
		return none, failf(UnknownKey, "There are no temporary access keys here: sign with one of a member, without X-Security-Token.")
	}
	signer, err := v.signer(r.Context(), s.Access)
	if err != nil {
		return none, err
	}
	body, err := readBody(w, r)
	if err != nil {
		return none, err
	}
	hash := hashOf(body)
	if stated := r.Header[signature.SDKBodyHashHeader]; len(stated) > 1 || len(stated) == 1 && !strings.EqualFold(stated[0], hash) {
		return none, failf(WrongSignature, "The body is not the one that was signed: its SHA-256 is not what %s says.", signature.SDKBodyHashHeader)
	}
	c, done := v.canonical()
	defer done()
	if !c.Build(r, s.Headers, hash) {
		return none, failf(Malformed, "The query string is not percent-encoded, so that its signature cannot be checked.")
	}
	if !s.HoldsWith([]byte(signer.Secret.Reveal()), date, c) {
		return none, wrongSignature(s.Access, c.String())
	}
	return admit(r, signer.Member, signer.Workspace)
}

// sdkDate returns the date of signing, as it was sent.
func (v *Verifier) sdkDate(r *http.Request, s signature.SDK) (string, error) {
	sent := r.Header[signature.SDKDateHeader]
	if len(sent) != 1 || !s.Signs("x-sdk-date") {
		return "", failf(Malformed, "The header %s must be there once, and among the signed ones.", signature.SDKDateHeader)
	}
	date := strings.TrimSpace(sent[0])
	at, err := signature.ParseSDKDate(date)
	if err != nil {
		return "", failf(Malformed, "The header %s is not a time in UTC such as 20260131T235959Z.", signature.SDKDateHeader)
	}
	return date, v.fresh(at)
}
