// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-chi/chi/v5"
	"golang.org/x/oauth2"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

// OIDC is an OpenID Connect provider that people sign in at.
type OIDC struct {
	Issuer, ClientID string
	ClientSecret     service.Secret
	// Groups says what members of each group of the provider are here.
	Groups map[string]GroupRole
}

// GroupRole is what a group's members are.
type GroupRole struct {
	Role     service.Role
	Reviewer bool
}

// ParseGroupRole reads GROUP=ROLE, or GROUP=ROLE+reviewer.
func ParseGroupRole(text string) (group string, r GroupRole, err error) {
	i := strings.LastIndex(text, "=")
	if i <= 0 {
		return "", r, fmt.Errorf("%q names no group and role: write GROUP=ROLE, or GROUP=ROLE+reviewer", text)
	}
	role, reviewer := strings.CutSuffix(text[i+1:], "+reviewer")
	r = GroupRole{service.Role(strings.ToUpper(role)), reviewer}
	if err := (service.Member{Name: "anybody", Role: r.Role, Reviewer: r.Reviewer}).Validate(); err != nil {
		var e *service.Error
		if errors.As(err, &e) && len(e.Fields) > 0 {
			return "", r, fmt.Errorf("%q is no right of a group: %s", text, strings.TrimSuffix(strings.ReplaceAll(e.Fields[0].Message, `; "anybody" is a member with the role`, ", not"), "."))
		}
		return "", r, err
	}
	return text[:i], r, nil
}

const (
	oidcPath = "/sign-in/oidc"
	// oidcCookie holds what belongs to one attempt to sign in, for as long as that may take.
	oidcCookie = "dataservice_console_oidc"
	oidcLasts  = 10 * time.Minute
	// oidcTimeout bounds each request to the provider.
	oidcTimeout = 10 * time.Second
)

// identity is the provider as the console asks it.
type identity struct {
	*OIDC
	redirectURL string
	client      *http.Client

	mu    sync.Mutex
	found *oidc.Provider
}

func newIdentity(o *OIDC, publicURL string) *identity {
	if o == nil {
		return nil
	}
	return &identity{OIDC: o, redirectURL: strings.TrimSuffix(publicURL, "/") + Path + oidcPath + "/callback", client: &http.Client{Timeout: oidcTimeout}}
}

func (c *console) oidcPages(r chi.Router) {
	if c.identity == nil {
		return
	}
	r.Get(oidcPath, c.askProvider)
	r.Get(oidcPath+"/callback", c.backFromProvider)
}

// provider is what the issuer says of itself. It is asked when it is needed first, so that the
// service starts without it, and again where it did not answer.
func (i *identity) provider(ctx context.Context) (*oidc.Provider, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.found == nil {
		p, err := oidc.NewProvider(oidc.ClientContext(ctx, i.client), i.Issuer)
		if err != nil {
			return nil, &service.Error{Code: service.CodeUnavailable, Message: "The provider that people sign in at does not answer as it should. Try again in a moment, or sign in with a token.", Cause: err}
		}
		i.found = p
	}
	return i.found, nil
}

func (i *identity) config(p *oidc.Provider) *oauth2.Config {
	scopes := []string{oidc.ScopeOpenID, "email"}
	// Some providers refuse a scope that they do not know.
	var says struct {
		Scopes []string `json:"scopes_supported"`
	}
	if p.Claims(&says) == nil && slices.Contains(says.Scopes, "groups") {
		scopes = append(scopes, "groups")
	}
	return &oauth2.Config{ClientID: i.ClientID, ClientSecret: i.ClientSecret.Reveal(), Endpoint: p.Endpoint(), RedirectURL: i.redirectURL, Scopes: scopes}
}

// attempt is one attempt to sign in, kept by the browser that makes it: who comes back without
// it did not begin here.
type attempt struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`
	Next     string `json:"next"`
}

// askProvider sends somebody to the provider.
func (c *console) askProvider(w http.ResponseWriter, r *http.Request) {
	p, err := c.identity.provider(r.Context())
	if err != nil {
		c.notSignedIn(w, r, err)
		return
	}
	a := attempt{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Next: ownPage(r.URL.Query().Get("next"))}
	kept, err := json.Marshal(a)
	if err != nil {
		c.notSignedIn(w, r, err)
		return
	}
	c.keepAttempt(w, r, base64.RawURLEncoding.EncodeToString(kept), int(oidcLasts.Seconds()))
	wire.CallOf(r.Context()).Note("console-oidc", nil)
	http.Redirect(w, r, c.identity.config(p).AuthCodeURL(a.State, oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)), http.StatusSeeOther)
}

func (c *console) keepAttempt(w http.ResponseWriter, r *http.Request, value string, maxAge int) {
	c.keep(w, r, oidcCookie, Path+oidcPath, value, maxAge)
}

// attemptOf is the attempt that the browser began.
func attemptOf(r *http.Request) (a attempt, ok bool) {
	cookie, err := r.Cookie(oidcCookie)
	if err != nil {
		return a, false
	}
	kept, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil || json.Unmarshal(kept, &a) != nil || a.State == "" || a.Nonce == "" || a.Verifier == "" {
		return a, false
	}
	return a, true
}

// backFromProvider signs somebody in who comes back from the provider.
func (c *console) backFromProvider(w http.ResponseWriter, r *http.Request) {
	a, began := attemptOf(r)
	c.keepAttempt(w, r, "", -1) // An attempt is good for one return.
	if !began || !hmac.Equal([]byte(a.State), []byte(r.URL.Query().Get("state"))) {
		c.notSignedIn(w, r, service.Errorf(service.CodeForbidden, "This return from the provider belongs to no attempt to sign in that was begun here. Sign in again."))
		return
	}
	issued, err := c.signOn(r, a)
	if err != nil {
		c.notSignedIn(w, r, err)
		return
	}
	wire.CallOf(r.Context()).Note("console-oidc-return", nil)
	c.setCookie(w, r, issued.ID+"."+issued.Secret, int(sessionLasts.Seconds()))
	http.Redirect(w, r, ownPage(a.Next), http.StatusSeeOther)
}

// notSignedIn shows the page to sign in again, with why it did not work.
func (c *console) notSignedIn(w http.ResponseWriter, r *http.Request, err error) {
	wire.CallOf(r.Context()).Note("console-oidc-return", err)
	c.write(w, r, statusOf(err), "sign-in", frame{Title: "Sign in"}, signInForm{Next: Path + "/", Provider: c.providerLink(Path + "/"), Problem: sentence(err)})
}

// providerLink is where signing in at the provider begins; "" where there is none.
func (c *console) providerLink(next string) string {
	if c.identity == nil {
		return ""
	}
	return Path + oidcPath + "?" + url.Values{"next": {next}}.Encode()
}

// claims are what the provider vouches for.
type claims struct {
	Email    string   `json:"email"`
	Verified bool     `json:"email_verified"`
	Groups   []string `json:"groups"`
}

// signOn makes a session for whom the provider vouches for.
func (c *console) signOn(r *http.Request, a attempt) (service.IssuedToken, error) {
	said, err := c.identity.vouched(r, a)
	if err != nil {
		return service.IssuedToken{}, err
	}
	// A name without a host could be that of a member who signs in otherwise, and an address
	// that is not verified that of somebody else.
	name := strings.ToLower(said.Email)
	switch {
	case !strings.Contains(name, "@"):
		return service.IssuedToken{}, service.Errorf(service.CodeForbidden, "The provider does not tell your e-mail address, which is your name here. Ask whoever runs the provider to add the claim email to its tokens.")
	case !said.Verified:
		return service.IssuedToken{}, service.Errorf(service.CodeForbidden, "The provider has not verified that %s is yours, which is your name here. Have it verified, and sign in again.", name)
	}
	role, found := c.identity.role(said.Groups)
	if !found {
		return service.IssuedToken{}, service.Errorf(service.CodeForbidden, "%s is in no group that is let in here. Ask an admin which groups are.", name)
	}
	call := wire.CallOf(r.Context())
	of := lifecycle.Caller{RequestID: call.RequestID(), RemoteAddress: r.RemoteAddr}
	return c.Service.SignOn(r.Context(), of, service.MemberInput{Name: name, Role: role.Role, Reviewer: role.Reviewer},
		service.TokenInput{Description: sessionToken, ExpiresInSeconds: int(sessionLasts.Seconds())})
}

// vouched exchanges the code for what the provider vouches for.
func (i *identity) vouched(r *http.Request, a attempt) (said claims, err error) {
	q := r.URL.Query()
	if q.Get("error") != "" || q.Get("code") == "" {
		return said, service.Errorf(service.CodeForbidden, "The provider did not let you in. Sign in again, and if that goes on, ask whoever runs the provider.")
	}
	p, err := i.provider(r.Context())
	if err != nil {
		return said, err
	}
	refused := func(err error) error {
		return &service.Error{Code: service.CodeForbidden, Message: "What the provider answered cannot be relied on, or is too late. Sign in again.", Cause: err}
	}
	ctx := oidc.ClientContext(r.Context(), i.client)
	token, err := i.config(p).Exchange(ctx, q.Get("code"), oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return said, refused(err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return said, refused(errors.New("the answer has no id_token"))
	}
	verified, err := p.Verifier(&oidc.Config{ClientID: i.ClientID}).Verify(ctx, raw)
	if err != nil {
		return said, refused(err)
	}
	if !hmac.Equal([]byte(verified.Nonce), []byte(a.Nonce)) {
		return said, refused(errors.New("the id_token is of another attempt"))
	}
	if err := verified.Claims(&said); err != nil {
		return said, refused(err)
	}
	return said, nil
}

// role is the most powerful of those that the groups bring, and the reviewer right where one
// of that role has it.
func (i *identity) role(groups []string) (most GroupRole, found bool) {
	for _, group := range slices.Sorted(maps.Keys(i.Groups)) {
		r := i.Groups[group]
		if !slices.Contains(groups, group) {
			continue
		}
		switch rank, best := slices.Index(service.Roles, r.Role), slices.Index(service.Roles, most.Role); {
		case !found || rank < best:
			most = r
		case rank == best:
			most.Reviewer = most.Reviewer || r.Reviewer
		}
		found = true
	}
	return most, found
}
