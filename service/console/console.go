// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package console is the web pages of the service: the catalog, the review center, the
// publications, the apps, the audit trail and the members.
//
// It is a face of the use cases in service/lifecycle, like the native API: a page reads and
// acts with the rights of the member who signed in. Each noun has its own file, and its
// pages are in pages/, which are whole without a script.
//
// console.go says which pages there are, session.go who looks at them, page.go how a page
// is written, and form.go how what is sent from one is read.
package console

import (
	"context"
	"net/http"
	"sync"

	"github.com/go-chi/chi/v5"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
)

// Path is where the console is.
const Path = "/console"

// Options says what a console is made of.
type Options struct {
	// Service answers.
	Service *lifecycle.Service
	// Gateway answers the calls that are tried out; nil where nothing can be tried out.
	Gateway http.Handler
	// Traffic is what became of calls; nil where nobody remembers it.
	Traffic *Traffic
	// Secure says that people reach the console over HTTPS, so that its cookie travels over
	// nothing else. It does so too where the service itself speaks TLS.
	Secure bool
	// OIDC is a provider that people sign in at besides; nil for none. PublicURL is where it
	// sends them back to: the base of the addresses of the control plane.
	OIDC      *OIDC
	PublicURL string
}

// Register makes the console's pages, below [Path].
func Register(r chi.Router, o Options) {
	c := &console{Options: o, origin: http.NewCrossOriginProtection(), pages: sync.OnceValue(parsePages), identity: newIdentity(o.OIDC, o.PublicURL)}
	r.Route(Path, func(r chi.Router) {
		r.Use(guarded, wire.AnswerPanics(c.panicked), wire.TakeTurns(c.showErrorTo))
		r.NotFound(c.noSuchPage)
		r.MethodNotAllowed(c.noSuchPage)
		r.Get("/", func(w http.ResponseWriter, r *http.Request) { redirect(w, r, "/catalog") })
		r.Get("/static/{file}", serveStatic)
		r.Get("/sign-in", c.askWho)
		r.Post("/sign-in", c.signIn)
		r.Post("/sign-out", c.act("sign-out", c.signOut))

		c.catalogPages(r)
		c.reviewPages(r)
		c.publicationPages(r)
		c.publishPages(r)
		c.appPages(r)
		c.authorizationPages(r)
		c.auditPages(r)
		c.memberPages(r)
		c.viewerPages(r)
		c.oidcPages(r)
	})
}

// Welcome leads who opens the service's address in a browser to the console.
func Welcome(otherwise http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" && r.Method == http.MethodGet && acceptsPages(r) {
			redirect(w, r, "/")
			return
		}
		otherwise(w, r)
	}
}

// console is the console behind its router.
type console struct {
	Options
	origin *http.CrossOriginProtection
	// pages are read when the first of them is shown: many processes show none, and start
	// sooner and smaller without.
	pages    func() pages
	identity *identity
}

// visit is one request of somebody who signed in.
type visit struct {
	context.Context
	*session
	w http.ResponseWriter
	r *http.Request
}

// param is a part of the path.
func (v *visit) param(name string) string { return chi.URLParam(v.r, name) }

// query is a parameter of the address.
func (v *visit) query(name string) string { return v.r.URL.Query().Get(name) }

// may reports whether the member may do it.
func (v *visit) may(op service.Operation) bool { return v.caller.Member.May(op) }

// page answers with a page that shows something.
func (c *console) page(operation string, show func(*visit) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s, err := c.sessionOf(r)
		if s == nil {
			c.turnAway(w, r, operation, err)
			return
		}
		v := &visit{r.Context(), s, w, r}
		err = show(v)
		wire.CallOf(r.Context()).Note("console-"+operation, err)
		if err != nil {
			c.showError(v, err)
		}
	}
}

// act answers what somebody sent from a form of a page, and from nowhere else.
func (c *console) act(operation string, do func(*visit) error) http.HandlerFunc {
	return c.page(operation, func(v *visit) error {
		v.r.Body = http.MaxBytesReader(v.w, v.r.Body, maxForm)
		if err := v.r.ParseForm(); err != nil {
			return service.Errorf(service.CodeMalformed, "What was sent cannot be read. Go back and try again.")
		}
		if err := c.fromOwnPage(v); err != nil {
			return err
		}
		return do(v)
	})
}
