// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

const (
	cookieName = "dataservice_console"
	// sessionLasts is how long somebody stays signed in.
	sessionLasts = 12 * time.Hour
	// sessionToken describes the token of a session among the member's tokens.
	sessionToken = "Signed in to the console"
)

// session is somebody who signed in. It is a token of its own, made when they did, and
// revoked when they leave: what they signed in with is not kept, an admin sees the session
// among the tokens and can end it, and any replica knows it.
type session struct {
	caller lifecycle.Caller
	// tokenID and secret are of the session's token.
	tokenID, secret string
	// formKey is sent with each form, so that no other page can send one.
	formKey string
}

// sessionOf returns who sent the request; nil, and maybe why, where nobody is signed in.
func (c *console) sessionOf(r *http.Request) (*session, error) {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return nil, nil //nolint:nilnil,nilerr // To have no cookie is no error.
	}
	id, secret, _ := strings.Cut(cookie.Value, ".")
	member, workspace, err := c.Service.Authenticate(r.Context(), secret)
	if err != nil {
		return nil, err
	}
	call := wire.CallOf(r.Context())
	s := &session{
		caller:  lifecycle.Caller{Member: member, Workspace: workspace, RequestID: call.RequestID(), RemoteAddress: r.RemoteAddr},
		tokenID: id, secret: secret, formKey: formKey(secret),
	}
	if wait := call.Admit(s.caller); wait > 0 {
		return nil, service.Errorf(service.CodeRateLimited, "%s sends more requests than the service takes. Wait a moment, and load the page again.", member.Name)
	}
	return s, nil
}

// formKey is bound to the session: nobody who does not know its secret can make it.
func formKey(secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("dataservice console form"))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// fromOwnPage refuses a form that another page has sent.
func (c *console) fromOwnPage(v *visit) error {
	if c.origin.Check(v.r) != nil || !hmac.Equal([]byte(v.r.PostFormValue("key")), []byte(v.formKey)) {
		return service.Errorf(service.CodeForbidden, "This was not sent from a page of the console, or from one of an earlier session. Open the page again and try it from there.")
	}
	return nil
}

// turnAway sends who is not signed in to where they can, and back afterwards.
func (c *console) turnAway(w http.ResponseWriter, r *http.Request, operation string, err error) {
	wire.CallOf(r.Context()).Note("console-"+operation, err)
	if err != nil && service.ErrorCode(err) != service.CodeUnauthenticated {
		c.showErrorTo(w, r, err)
		return
	}
	if r.Method != http.MethodGet {
		redirect(w, r, "/sign-in")
		return
	}
	redirect(w, r, "/sign-in?next="+url.QueryEscape(r.URL.RequestURI()))
}

// signInForm is what the page to sign in shows.
type signInForm struct {
	// Next is the page that is shown then.
	Next string
	// Provider is where signing in at an identity provider begins; "" where there is none.
	Provider string
	// Problem says why it did not work.
	Problem string
}

// askWho shows the page to sign in.
func (c *console) askWho(w http.ResponseWriter, r *http.Request) {
	next := ownPage(r.URL.Query().Get("next"))
	c.write(w, r, http.StatusOK, "sign-in", frame{Title: "Sign in"}, signInForm{Next: next, Provider: c.providerLink(next)})
}

// signIn makes a session for who has a token.
func (c *console) signIn(w http.ResponseWriter, r *http.Request) {
	call := wire.CallOf(r.Context())
	if c.origin.Check(r) != nil {
		err := service.Errorf(service.CodeForbidden, "This was not sent from the page to sign in. Open that page and try it from there.")
		call.Note("console-sign-in", err)
		c.showErrorTo(w, r, err)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	form := signInForm{Next: ownPage(r.PostFormValue("next"))}
	form.Provider = c.providerLink(form.Next)
	issued, err := c.begin(r, strings.TrimSpace(r.PostFormValue("token")))
	call.Note("console-sign-in", err)
	if err != nil {
		form.Problem = sentence(err)
		c.write(w, r, statusOf(err), "sign-in", frame{Title: "Sign in"}, form)
		return
	}
	c.setCookie(w, r, issued.ID+"."+issued.Secret, int(sessionLasts.Seconds()))
	http.Redirect(w, r, form.Next, http.StatusSeeOther)
}

// begin exchanges the token for one of the session.
func (c *console) begin(r *http.Request, token string) (service.IssuedToken, error) {
	if token == "" {
		return service.IssuedToken{}, service.Errorf(service.CodeUnauthenticated, "Enter a token.")
	}
	member, workspace, err := c.Service.Authenticate(r.Context(), token)
	if err != nil {
		return service.IssuedToken{}, err
	}
	call := wire.CallOf(r.Context())
	caller := lifecycle.Caller{Member: member, Workspace: workspace, RequestID: call.RequestID(), RemoteAddress: r.RemoteAddr}
	if call.Admit(caller) > 0 {
		return service.IssuedToken{}, service.Errorf(service.CodeRateLimited, "%s sends more requests than the service takes. Wait a moment, and try again.", member.Name)
	}
	return c.Service.IssueToken(r.Context(), caller, service.TokenInput{Description: sessionToken, ExpiresInSeconds: int(sessionLasts.Seconds())})
}

// signOut ends the session.
func (c *console) signOut(v *visit) error {
	if err := c.Service.RevokeToken(v, v.caller, v.tokenID); err != nil && service.ErrorCode(err) != service.CodeNotFound {
		return err
	}
	c.setCookie(v.w, v.r, "", -1)
	redirect(v.w, v.r, "/sign-in")
	return nil
}

func (c *console) setCookie(w http.ResponseWriter, r *http.Request, value string, maxAge int) {
	c.keep(w, r, cookieName, Path+"/", value, maxAge)
}

// keep has the browser keep a cookie for as many seconds; forget it where there are less than 0.
func (c *console) keep(w http.ResponseWriter, r *http.Request, name, path, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure wherever the console is reached over HTTPS.
		Name: name, Value: value, Path: path, MaxAge: maxAge,
		HttpOnly: true, Secure: c.Secure || r.TLS != nil, SameSite: http.SameSiteLaxMode,
	})
}

// ownPage is the address where it is a page of the console, and else its first page: nobody
// is led elsewhere.
func ownPage(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" ||
		!strings.HasPrefix(u.Path, Path+"/") || strings.ContainsAny(address, "\\\r\n\t") || strings.Contains(u.Path+"/", "/../") {
		return Path + "/"
	}
	return u.RequestURI()
}
