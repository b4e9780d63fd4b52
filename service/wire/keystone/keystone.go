// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package keystone is as much of OpenStack's Identity API v3 as clients of Huawei Cloud, and
// of clouds of its kind, ask for before their first call: a token for a user's password, the
// id of a project by its name, and the domains. Users are members. Workspaces are projects,
// each of them in a domain of its own that has the same id and name.
package keystone

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
	"github.com/dataservice/terraform-provider-dataservice/service/wire/auth"
)

const (
	// tokenHours is the life of a token, as long as the vendor's.
	tokenHours = 24
	// maxBodyBytes bounds the body of a request for a token.
	maxBodyBytes = 64 << 10
	// subjectTokenHeader is what a new token is answered in.
	subjectTokenHeader = "X-Subject-Token"
)

// Register makes the calls of the package at /v3.
func Register(r chi.Router, s *lifecycle.Service, v *auth.Verifier) {
	k := &keystone{service: s, verifier: v}
	r.Group(func(r chi.Router) {
		r.Use(wire.AnswerPanics(broken), wire.TakeTurns(func(w http.ResponseWriter, r *http.Request, err error) { refuse(w, r, "", err) }))
		r.Post("/v3/auth/tokens", k.issueToken)
		r.Get("/v3/auth/domains", k.domains)
		r.Get("/v3/projects", k.projects)
	})
}

type keystone struct {
	service  *lifecycle.Service
	verifier *auth.Verifier
}

// named is a domain, a project or a user by id or name.
type named struct {
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

func (n named) ref() string {
	if n.ID != "" {
		return n.ID
	}
	return n.Name
}

// tokenRequest is the body of POST /v3/auth/tokens. What is not known is passed over.
type tokenRequest struct {
	Auth struct {
		Identity struct {
			Methods  []string `json:"methods"`
			Password struct {
				User struct {
					named
					Domain   named  `json:"domain"`
					Password string `json:"password"`
				} `json:"user"`
			} `json:"password"`
			Token struct {
				ID string `json:"id"`
			} `json:"token"`
		} `json:"identity"`
		Scope struct {
			Project named `json:"project"`
			Domain  named `json:"domain"`
		} `json:"scope"`
	} `json:"auth"`
}

// scope is the workspace that the token is to be for; "" where the request names none.
func (in tokenRequest) scope() string {
	if ref := in.Auth.Scope.Project.ref(); ref != "" {
		return ref
	}
	return in.Auth.Scope.Domain.ref()
}

// workspace is where the user is looked for.
func (in tokenRequest) workspace() string {
	for _, ref := range []string{in.scope(), in.Auth.Identity.Password.User.Domain.ref()} {
		if ref != "" {
			return ref
		}
	}
	return service.DefaultWorkspace
}

// issueToken gives a member a token for its password, or for another token of it.
func (k *keystone) issueToken(w http.ResponseWriter, r *http.Request) {
	const operation = "keystone.CreateToken"
	var in tokenRequest
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBodyBytes)).Decode(&in); err != nil {
		refuse(w, r, operation, &auth.Failure{Reason: auth.Malformed, Message: "The request body is not the JSON object that a request for a token has.", Cause: err})
		return
	}
	c, method, err := k.identify(r, in)
	if err != nil {
		refuse(w, r, operation, err)
		return
	}
	issued, err := k.service.IssueToken(r.Context(), c, service.TokenInput{Description: "issued at /v3/auth/tokens", ExpiresInHours: tokenHours})
	if err != nil {
		refuse(w, r, operation, err)
		return
	}
	w.Header().Set(subjectTokenHeader, issued.Secret)
	answer(w, r, operation, http.StatusCreated, map[string]any{"token": tokenOf(c, method, issued.Token)})
}

// identify returns who asks for a token, and by which method.
func (k *keystone) identify(r *http.Request, in tokenRequest) (c lifecycle.Caller, method string, err error) {
	methods := in.Auth.Identity.Methods
	if len(methods) != 1 {
		return c, "", &auth.Failure{Reason: auth.Malformed, Message: `auth.identity.methods must name one method: ["password"] or ["token"].`}
	}
	switch methods[0] {
	case "password":
		user := in.Auth.Identity.Password.User
		c, err = k.verifier.LogIn(r, in.workspace(), user.ref(), user.Password)
		return c, methods[0], err
	case "token":
		if c, err = k.verifier.Token(r, in.Auth.Identity.Token.ID); err == nil {
			err = auth.InWorkspace(c, in.scope())
		}
		return c, methods[0], err
	}
	return c, "", &auth.Failure{Reason: auth.Malformed, Message: "The method is neither password nor token."}
}

// tokenBody is a token as it is answered, without its secret.
type tokenBody struct {
	Methods   []string `json:"methods"`
	IssuedAt  string   `json:"issued_at"`
	ExpiresAt string   `json:"expires_at"`
	User      scoped   `json:"user"`
	Project   scoped   `json:"project"`
	Roles     []named  `json:"roles"`
	// Catalog is empty: every service is at the address that the client has.
	Catalog []any `json:"catalog"`
}

// scoped is something in a domain.
type scoped struct {
	named
	Domain named `json:"domain"`
}

func tokenOf(c lifecycle.Caller, method string, t service.Token) tokenBody {
	domain := named{c.Workspace.ID, c.Workspace.Name}
	body := tokenBody{
		Methods: []string{method}, IssuedAt: stamp(t.CreatedAt),
		User: scoped{named{c.Member.ID, c.Member.Name}, domain}, Project: scoped{domain, domain},
		Roles: []named{{string(c.Member.Role), string(c.Member.Role)}}, Catalog: []any{},
	}
	if t.ExpiresAt != nil {
		body.ExpiresAt = stamp(*t.ExpiresAt)
	}
	return body
}

// stamp is a time as Keystone writes it.
func stamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000000Z") }

// links are those of a list.
type links struct {
	Self     string  `json:"self"`
	Previous *string `json:"previous"`
	Next     *string `json:"next"`
}

type project struct {
	named
	Description string `json:"description"`
	DomainID    string `json:"domain_id"`
	ParentID    string `json:"parent_id"`
	Enabled     bool   `json:"enabled"`
	IsDomain    bool   `json:"is_domain"`
}

// projects lists the caller's workspace, unless the name is another one.
func (k *keystone) projects(w http.ResponseWriter, r *http.Request) {
	const operation = "keystone.ListProjects"
	c, err := k.verifier.Huawei(w, r)
	if err != nil {
		refuse(w, r, operation, err)
		return
	}
	found := []project{}
	if auth.InWorkspace(c, r.URL.Query().Get("name")) == nil {
		own := c.Workspace
		found = append(found, project{named: named{own.ID, own.Name}, Description: own.Description, DomainID: own.ID, ParentID: own.ID, Enabled: true})
	}
	answer(w, r, operation, http.StatusOK, map[string]any{"projects": found, "links": links{Self: r.URL.Path}})
}

type domain struct {
	named
	Description string `json:"description"`
	Enabled     bool   `json:"enabled"`
}

// domains lists the domain of the caller's workspace.
func (k *keystone) domains(w http.ResponseWriter, r *http.Request) {
	const operation = "keystone.ListDomains"
	c, err := k.verifier.Huawei(w, r)
	if err != nil {
		refuse(w, r, operation, err)
		return
	}
	own := domain{named: named{c.Workspace.ID, c.Workspace.Name}, Description: c.Workspace.Description, Enabled: true}
	answer(w, r, operation, http.StatusOK, map[string]any{"domains": []domain{own}, "links": links{Self: r.URL.Path}})
}

func answer(w http.ResponseWriter, r *http.Request, operation string, status int, body any) {
	wire.CallOf(r.Context()).Note(operation, nil)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client is gone where this fails
}

// refuse answers an error as Keystone does.
func refuse(w http.ResponseWriter, r *http.Request, operation string, err error) {
	status, message := http.StatusServiceUnavailable, "The service cannot answer just now. Try again in a moment."
	var f *auth.Failure
	if errors.As(err, &f) {
		status, message = statusOf(f.Reason), f.Message
		if f.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds()))))
		}
	}
	if f == nil {
		w.Header().Set("Retry-After", "1")
	}
	wire.CallOf(r.Context()).Note(operation, err)
	writeError(w, status, message)
}

// broken answers a panic.
func broken(w http.ResponseWriter, _ *http.Request) {
	writeError(w, http.StatusInternalServerError, "The service failed at this. Try again, or tell its operator.")
}

func writeError(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"code": status, "title": http.StatusText(status), "message": message}}) // as above
}

func statusOf(reason auth.Reason) int {
	switch reason {
	case auth.Malformed:
		return http.StatusBadRequest
	case auth.TooLarge:
		return http.StatusRequestEntityTooLarge
	case auth.RateLimited:
		return http.StatusTooManyRequests
	case auth.Unavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusUnauthorized
	}
}
