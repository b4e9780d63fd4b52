// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/wire/signature"
)

// Headers that credentials come in, in their canonical form.
const (
	authorizationHeader = "Authorization"
	appCodeHeader       = "X-Apig-Appcode"
	tokenHeader         = "X-Auth-Token" //nolint:gosec // It is the name of a header.
)

const (
	appCodeScheme = "APPCODE"
	tokenScheme   = "Bearer"
)

// guard lets those call an API who may.
type guard struct {
	auth service.AuthType
	// appCodes says that an AppCode will do in place of a signature.
	appCodes bool
	// challenge is the header WWW-Authenticate of a 401.
	challenge []string
	// accepted names in a sentence what a call is authenticated by.
	accepted string
	grants   atomic.Pointer[grants]
}

// newGuard returns nil where anybody may call.
func newGuard(d service.Definition, g grants) *guard {
	made := &guard{auth: d.AuthType, appCodes: d.AllowAppCode}
	switch {
	case d.AuthType == service.AuthNone:
		return nil
	case d.AuthType == service.AuthIAM:
		made.challenge = []string{tokenScheme}
		made.accepted = "a member's token in X-Auth-Token, or in Authorization behind " + tokenScheme
	case d.AllowAppCode:
		made.challenge = []string{signature.SDKScheme, appCodeScheme}
		made.accepted = "a signature in Authorization (" + signature.SDKScheme + " Access=…, SignedHeaders=…, Signature=…), or an AppCode in X-Apig-AppCode"
	default:
		made.challenge = []string{signature.SDKScheme}
		made.accepted = "a signature in Authorization (" + signature.SDKScheme + " Access=…, SignedHeaders=…, Signature=…)"
	}
	made.grants.Store(&g)
	return made
}

// pass makes sure that the call is that of an app that may make it, and notes the app.
func (a *answerer) pass(rt *route, w http.ResponseWriter, r *http.Request, c *call) (*grant, *failure) {
	now := a.wall()
	var who *app
	var f *failure
	if rt.guard.auth == service.AuthIAM {
		who, f = a.byToken(rt.guard, r, now)
	} else {
		who, f = a.byApp(rt, w, r, c, now)
	}
	if f != nil {
		if f.code != nil && f.code.Status == http.StatusUnauthorized {
			f.challenge = rt.guard.challenge
		}
		return nil, f
	}
	c.app = who
	return rt.guard.grants.Load().authorize(rt, who, now)
}

func (g *guard) missing() *failure {
	return failf(errNoCredentials, "", "The call does not say who makes it. This API takes %s.", g.accepted)
}

func (g *guard) malformed(what string) *failure {
	return failf(errMalformedCredentials, "", "%s This API takes %s.", what, g.accepted)
}

// credentials returns scheme and text of the header Authorization, "" where it is absent.
func (g *guard) credentials(r *http.Request) (scheme, text string, f *failure) {
	values := r.Header[authorizationHeader]
	if len(values) > 1 {
		return "", "", g.malformed("There is more than one header Authorization.")
	}
	if len(values) == 0 {
		return "", "", nil
	}
	scheme, text, _ = strings.Cut(strings.TrimSpace(values[0]), " ")
	return scheme, strings.TrimSpace(text), nil
}

// byToken finds the app of the member whose token came.
func (a *answerer) byToken(g *guard, r *http.Request, now time.Time) (*app, *failure) {
	scheme, token, f := g.credentials(r)
	if f != nil {
		return nil, f
	}
	if sent := r.Header[tokenHeader]; len(sent) > 1 {
		return nil, g.malformed("There is more than one header X-Auth-Token.")
	} else if len(sent) == 1 {
		token = sent[0]
	} else if scheme != "" && !strings.EqualFold(scheme, tokenScheme) {
		return nil, g.malformed("The header Authorization has another scheme than " + tokenScheme + ".")
	}
	if token == "" {
		return nil, g.missing()
	}
	known, ok := a.registry.Load().tokens.get(fingerprintOf(token))
	switch {
	case !ok:
		return nil, failf(errUnknownToken, "", "The token is unknown, or its member has no app of type IAM: check that it is whole, or get a new one.")
	case known.revoked != nil:
		return nil, failf(errTokenRevoked, "", "The token was revoked at %s: get a new one.", known.revoked.UTC().Format(time.RFC3339))
	case known.over(now):
		return nil, failf(errTokenExpired, "", "The token expired at %s: get a new one.", known.at.UTC().Format(time.RFC3339))
	}
	return known.app, nil
}

// byApp finds the app that signed the call, or whose AppCode came. Where both are there,
// the signature counts.
func (a *answerer) byApp(rt *route, w http.ResponseWriter, r *http.Request, c *call, now time.Time) (*app, *failure) {
	g := rt.guard
	scheme, text, f := g.credentials(r)
	if f != nil {
		return nil, f
	}
	if strings.EqualFold(scheme, signature.SDKScheme) {
		return a.bySignature(rt, w, r, c, text, now)
	}
	code, sent := "", r.Header[appCodeHeader]
	switch {
	case len(sent) > 1, len(sent) == 1 && strings.EqualFold(scheme, appCodeScheme):
		return nil, g.malformed("There is more than one AppCode.")
	case len(sent) == 1:
		code = strings.TrimSpace(sent[0])
	case strings.EqualFold(scheme, appCodeScheme):
		code = text
	case scheme != "":
		return nil, g.malformed("The header Authorization has a scheme that is not for apps.")
	}
	if code == "" {
		return nil, g.missing()
	}
	if !g.appCodes {
		return nil, failf(errAppCodeNotAllowed, "", "This API does not take an AppCode: sign the call with %s, or ask the API's owner to allow AppCodes.", signature.SDKScheme)
	}
	known, ok := a.registry.Load().codes.get(fingerprintOf(code))
	switch {
	case !ok:
		return nil, failf(errUnknownAppCode, "", "No app has this AppCode: check it, and that the app was not deleted.")
	case known.over(now):
		return nil, ended(known.at)
	}
	return known.app, nil
}

func ended(at time.Time) *failure {
	return failf(errSecretEnded, "", "The app's credentials were replaced, and those of this call ended at %s: use the present ones.", at.UTC().Format(time.RFC3339))
}

// bySignature finds the app that signed the call. What costs little is checked first: the
// body of a call that is refused anyway is not read.
func (a *answerer) bySignature(rt *route, w http.ResponseWriter, r *http.Request, c *call, text string, now time.Time) (*app, *failure) {
	g := rt.guard
	s, ok := signature.ParseSDK(text)
	if !ok {
		return nil, g.malformed("The header Authorization is not a signature as it has to be: the signed headers in lower case, the signature 64 hexadecimal digits.")
	}
	date, f := signedDate(r, s, now)
	if f != nil {
		return nil, f
	}
	who, ok := a.registry.Load().keys.get(s.Access)
	if !ok {
		return nil, failf(errUnknownKey, "", "No app has the key %s: check it, and that the app was not deleted.", echo(s.Access))
	}
	if len(r.URL.RawQuery) > MaxQueryLength {
		return nil, longQuery(r.URL.RawQuery)
	}
	stated := r.Header[signature.SDKBodyHashHeader]
	var hash string
	switch {
	case len(stated) > 1, len(stated) == 1 && len(stated[0]) != len(signature.EmptyBodyHash):
		return nil, failf(errBodyHash, "", "The header %s must be the SHA-256 of the body, 64 hexadecimal digits, once: a body cannot be left unsigned.", signature.SDKBodyHashHeader)
	case len(stated) == 1:
		hash = stated[0]
	default:
		if hash, f = a.hashBody(rt, w, r, c); f != nil {
			return nil, f
		}
	}
	if f := verify(&c.canonical, r, s, who, date, hash, now); f != nil {
		return nil, f
	}
	if f := signsParameters(rt, r, s); f != nil {
		return nil, f
	}
	if len(stated) == 1 {
		is, f := a.hashBody(rt, w, r, c)
		if f != nil {
			return nil, f
		}
		if !strings.EqualFold(is, hash) {
			return nil, failf(errBodyHash, "", "The body is not the one that was signed: its SHA-256 is not what %s says.", signature.SDKBodyHashHeader)
		}
	}
	return who, nil
}

// signedDate returns the date of a signed call, and makes sure that it, and what chooses
// the environment, cannot be changed under way.
func signedDate(r *http.Request, s signature.SDK, now time.Time) (string, *failure) {
	for _, h := range []struct{ key, name string }{{signature.SDKDateHeader, "x-sdk-date"}, {stageHeader, "x-stage"}} {
		switch sent := r.Header[h.key]; {
		case len(sent) == 0:
		case len(sent) > 1:
			// Signed are the values, in any order.
			return "", failf(errHeaderNotSigned, "", "The header %s is there more than once: send it once.", h.key)
		case !s.Signs(h.name):
			return "", failf(errHeaderNotSigned, "", "The header %s is not among the signed ones: add %s to SignedHeaders, and sign it.", h.key, h.name)
		}
	}
	sent := r.Header[signature.SDKDateHeader]
	if len(sent) == 0 {
		return "", failf(errNoDate, "", "The header %s is missing: send the time of signing in UTC, such as 20260131T235959Z.", signature.SDKDateHeader)
	}
	date := strings.TrimSpace(sent[0])
	at, err := signature.ParseSDKDate(date)
	if err != nil {
		return "", failf(errNoDate, "", "The header %s is %s, and not a time in UTC such as 20260131T235959Z.", signature.SDKDateHeader, echo(date))
	}
	if signature.Skewed(at, now) {
		return "", failf(errDateSkewed, "", "The call was signed at %s, and it is %s here: more than %d minutes lie between. Set the caller's clock right, and sign each call anew.",
			at.Format(time.RFC3339), now.UTC().Format(time.RFC3339), int(signature.MaxSkew.Minutes()))
	}
	return date, nil
}

// signsParameters makes sure that whoever got hold of a signature makes no other call with
// it: the parameters in headers are signed when they are sent, as the query string and the
// body always are, and no signed header is said to be for the gateway alone.
func signsParameters(rt *route, r *http.Request, s signature.SDK) *failure {
	if rt.proxy != nil {
		for _, p := range rt.proxy.headers {
			if name := strings.ToLower(p.key); r.Header[p.key] != nil && !s.Signs(name) {
				return failf(errHeaderNotSigned, rt.parameters[p.at].name, "The header %s is a parameter and not among the signed headers: add %s to SignedHeaders, and sign it.", p.key, name)
			}
		}
	}
	if r.Header["Connection"] == nil {
		return nil
	}
	for name := range strings.SplitSeq(s.Headers, ";") {
		if isHopByHop(r.Header, name) {
			return failf(errHeaderNotSigned, "", "The header Connection names the signed header %s, which would not count: leave that out.", echo(name))
		}
	}
	return nil
}

// verify compares the signature with those of the app's secrets.
func verify(b *signature.Canonical, r *http.Request, s signature.SDK, who *app, date, bodyHash string, now time.Time) *failure {
	if !b.Build(r, s.Headers, bodyHash) {
		return failf(errMalformedQuery, "", "The query string is not percent-encoded, so that its signature cannot be checked.")
	}
	for _, secret := range who.secrets {
		if !s.HoldsWith(secret.text, date, b) {
			continue
		}
		if secret.over(now) {
			return ended(secret.at)
		}
		return nil
	}
	for name := range strings.SplitSeq(s.Headers, ";") {
		if name != "host" && r.Header[http.CanonicalHeaderKey(name)] == nil {
			return failf(errSignatureMismatch, "", "The signature is not that of this call: the signed header %s did not arrive.", echo(name))
		}
	}
	return failf(errSignatureMismatch, "", "The signature is not that of this call and the secret of the key %s: check the secret, and that method, path, query string, signed headers and body are sent as they were signed.", s.Access)
}

// hashBody returns the SHA-256 of the body, which is kept for whoever sends it on.
func (a *answerer) hashBody(rt *route, w http.ResponseWriter, r *http.Request, c *call) (string, *failure) {
	if rt.proxy == nil || !rt.method.HasBody() {
		if hasBody(r) {
			return "", bodyNotAllowed(rt)
		}
		return signature.EmptyBodyHash, nil
	}
	if f := a.readSigned(rt, w, r, &c.proxied); f != nil {
		return "", f
	}
	hash := sha256.Sum256(c.proxied.payload)
	return hex.EncodeToString(hash[:]), nil
}
