// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package auth

import (
	"context"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire/signature"
)

// maxNonceLength is in bytes.
const maxNonceLength = 128

// RPC is a request of a client for Alibaba Cloud, whose caller is known.
type RPC struct {
	Caller lifecycle.Caller
	// Action and Version are what is called, of headers or of parameters, as it is signed.
	Action, Version string
	// Params are the parameters of the query string and of the form. No parameter is in both.
	Params url.Values
}

// Alibaba returns who made a request of a client for Alibaba Cloud, and what it asks for:
// by a signature in Authorization, or else by one in parameters.
func (v *Verifier) Alibaba(w http.ResponseWriter, r *http.Request) (RPC, error) {
	scheme, text, err := credentials(r)
	if err != nil {
		return RPC{}, err
	}
	if r.URL.Path != "/" && r.URL.Path != "" {
		return RPC{}, failf(Malformed, "Calls of this kind are made at the path /.")
	}
	if scheme != "" && !strings.EqualFold(scheme, signature.ACS3Scheme) {
		return RPC{}, failf(Malformed, "The header Authorization has another scheme than %s.", signature.ACS3Scheme)
	}
	body, err := readBody(w, r)
	if err != nil {
		return RPC{}, err
	}
	params, err := paramsOf(r, body)
	if err != nil {
		return RPC{}, err
	}
	if scheme != "" {
		return v.acs3(r, text, hashOf(body), params)
	}
	return v.rpc(r, params)
}

// paramsOf returns the parameters of the query string and of the form. A body that is not
// said to be something else is a form.
func paramsOf(r *http.Request, body []byte) (url.Values, error) {
	params, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, failf(Malformed, "The query string is not percent-encoded.")
	}
	if len(body) == 0 {
		return params, nil
	}
	if contentType := r.Header.Get("Content-Type"); contentType != "" {
		if mediaType, _, err := mime.ParseMediaType(contentType); err != nil || mediaType != "application/x-www-form-urlencoded" {
			return nil, failf(Malformed, "The request body is no form: send Content-Type: application/x-www-form-urlencoded.")
		}
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, failf(Malformed, "The request body is not a form as it has to be.")
	}
	for name := range form {
		if params.Has(name) {
			return nil, failf(Malformed, "The parameter %q is in the query string and in the form: send it in one of them.", name)
		}
	}
	maps.Copy(params, form)
	return params, nil
}

// rpc checks a signature in parameters.
func (v *Verifier) rpc(r *http.Request, params url.Values) (RPC, error) {
	if !params.Has("AccessKeyId") && !params.Has("Signature") {
		return RPC{}, failf(Missing, "The request does not say who makes it: sign it with an access key (%s, or HMAC-SHA1 in parameters).", signature.ACS3Scheme)
	}
	s, ok := signature.ParseRPC(params)
	if !ok {
		return RPC{}, failf(Malformed, "The parameters of the signature are not as they have to be: AccessKeyId, Signature, SignatureNonce and Timestamp, SignatureMethod HMAC-SHA1 and SignatureVersion 1.0, and every parameter once.")
	}
	return v.accept(r, s, s.Access, s.Timestamp, s.Nonce, s.StringToSign(r.Method, params), params.Get("SecurityToken"), RPC{
		Action: params.Get("Action"), Version: params.Get("Version"), Params: params,
	})
}

// acs3 checks a signature in the header Authorization.
func (v *Verifier) acs3(r *http.Request, text, hash string, params url.Values) (RPC, error) {
	s, ok := signature.ParseACS3(text)
	if !ok {
		return RPC{}, failf(Malformed, "The header Authorization is not a signature as it has to be: Credential=…,SignedHeaders=…,Signature=…, the signed headers in lower case, the signature 64 hexadecimal digits.")
	}
	for _, name := range []string{signature.ACS3ActionHeader, signature.ACS3VersionHeader, signature.ACS3DateHeader, signature.ACS3NonceHeader, signature.ACS3BodyHashHeader} {
		if len(r.Header[name]) != 1 || !s.Signs(strings.ToLower(name)) {
			return RPC{}, failf(Malformed, "The header %s must be there once, and among the signed ones.", strings.ToLower(name))
		}
	}
	if !s.Signs("host") {
		return RPC{}, failf(Malformed, "The header host is not among the signed ones.")
	}
	if !strings.EqualFold(r.Header.Get(signature.ACS3BodyHashHeader), hash) {
		return RPC{}, failf(WrongSignature, "The body is not the one that was signed: its SHA-256 is not what x-acs-content-sha256 says.")
	}
	c, done := v.canonical()
	defer done()
	if !c.Build(r, s.Headers, hash) {
		return RPC{}, failf(Malformed, "The query string is not percent-encoded.")
	}
	return v.accept(r, s, s.Access, r.Header.Get(signature.ACS3DateHeader), r.Header.Get(signature.ACS3NonceHeader), s.StringToSign(c), r.Header.Get(signature.ACS3TokenHeader), RPC{
		Action: r.Header.Get(signature.ACS3ActionHeader), Version: r.Header.Get(signature.ACS3VersionHeader), Params: params,
	})
}

// accept checks what both kinds of signature have: the date, the secret, and that the
// nonce is new.
func (v *Verifier) accept(r *http.Request, s interface {
	HoldsWith(secret []byte, stringToSign string) bool
}, access, date, nonce, stringToSign, securityToken string, call RPC,
) (RPC, error) {
	at, err := signature.ParseACSDate(date)
	if err != nil {
		return RPC{}, failf(Malformed, "The date of signing is not a time in UTC such as 2026-01-31T23:59:59Z.")
	}
	if err := v.fresh(at); err != nil {
		return RPC{}, err
	}
	if !isNonce(nonce) {
		return RPC{}, failf(Malformed, "The nonce is not 1 to %d printable ASCII characters.", maxNonceLength)
	}
	if securityToken != "" {
		return RPC{}, failf(UnknownKey, "There are no temporary access keys here: sign with one of a member, without a security token.")
	}
	signer, err := v.signer(r.Context(), access)
	if err != nil {
		return RPC{}, err
	}
	if !s.HoldsWith([]byte(signer.Secret.Reveal()), stringToSign) {
		return RPC{}, wrongSignature(access, stringToSign)
	}
	if call.Caller, err = admit(r, signer.Member, signer.Workspace); err != nil {
		return RPC{}, err
	}
	if err := v.useNonce(r.Context(), access, nonce, at); err != nil {
		return RPC{}, err
	}
	return call, nil
}

func isNonce(text string) bool {
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' {
			return false
		}
	}
	return text != "" && len(text) <= maxNonceLength
}

// useNonce refuses a nonce that was used already, for as long as its request would not be
// refused for its date.
func (v *Verifier) useNonce(ctx context.Context, access, nonce string, at time.Time) error {
	fresh, err := v.service.UseNonce(ctx, access, nonce, at.Add(signature.MaxSkew))
	switch {
	case err != nil:
		return unavailable(err)
	case !fresh:
		return failf(ReplayedNonce, "A request with the nonce %q was answered already: sign each request anew, with a nonce of its own.", nonce)
	}
	return nil
}
