// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package auth

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/wire"
	"github.com/dataservice/terraform-provider-dataservice/service/wire/signature"
)

const authorizationHeader = "Authorization"

// Verifier finds out who makes requests. It is safe for concurrent use.
type Verifier struct {
	service *lifecycle.Service
	// canonicals holds a buffer for each request that is being checked.
	canonicals sync.Pool
}

// New returns a verifier that knows the service's members and goes by its clock.
func New(s *lifecycle.Service) *Verifier {
	return &Verifier{service: s, canonicals: sync.Pool{New: func() any { return new(signature.Canonical) }}}
}

// maxPooledCanonical is the largest buffer that is kept, in bytes.
const maxPooledCanonical = 64 << 10

// canonical lends a buffer until done is called.
func (v *Verifier) canonical() (c *signature.Canonical, done func()) {
	c = v.canonicals.Get().(*signature.Canonical) //nolint:forcetypeassert // nothing else is put in.
	return c, func() {
		c.Forget(maxPooledCanonical)
		v.canonicals.Put(c)
	}
}

// credentials returns scheme and text of the header Authorization, "" where it is absent.
func credentials(r *http.Request) (scheme, text string, err error) {
	values := r.Header[authorizationHeader]
	if len(values) > 1 {
		return "", "", failf(Malformed, "There is more than one header Authorization: send it once.")
	}
	if len(values) == 0 {
		return "", "", nil
	}
	scheme, text, _ = strings.Cut(strings.TrimSpace(values[0]), " ")
	return scheme, strings.TrimSpace(text), nil
}

// fresh makes sure that the date of signing is near enough.
func (v *Verifier) fresh(at time.Time) error {
	now := v.service.Clock.Now()
	if !signature.Skewed(at, now) {
		return nil
	}
	return failf(SkewedClock, "The request was signed at %s, and it is %s here: more than %d minutes lie between. Set the client's clock right, and sign each request anew.",
		at.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339), int(signature.MaxSkew.Minutes()))
}

// signer finds whose access key it is.
func (v *Verifier) signer(ctx context.Context, accessKeyID string) (lifecycle.Signer, error) {
	signer, err := v.service.Signer(ctx, accessKeyID)
	if service.ErrorCode(err) == service.CodeUnauthenticated {
		return signer, &Failure{Reason: UnknownKey, Message: err.Error(), Cause: err}
	}
	if err != nil {
		return signer, unavailable(err)
	}
	return signer, nil
}

func unavailable(err error) *Failure {
	return &Failure{Reason: Unavailable, Message: "The service cannot find out just now who makes this request. Try again in a moment.", RetryAfter: time.Second, Cause: err}
}

func wrongSignature(access, stringToSign string) *Failure {
	f := failf(WrongSignature, "The signature is not that of this request and the secret of the access key %s: check the secret, and that method, path, query string, signed headers and body are sent as they were signed.", access)
	f.StringToSign = stringToSign
	return f
}

// admit makes the member the caller, unless it calls too often.
func admit(r *http.Request, m service.Member, w service.Workspace) (lifecycle.Caller, error) {
	call := wire.CallOf(r.Context())
	c := lifecycle.Caller{Member: m, Workspace: w, RequestID: call.RequestID(), RemoteAddress: r.RemoteAddr}
	if wait := call.Admit(c); wait > 0 {
		f := failf(RateLimited, "%s made too many calls. Try again in %s.", m.Name, wait.Round(time.Millisecond))
		f.RetryAfter = wait
		return lifecycle.Caller{}, f
	}
	return c, nil
}

// Token returns whose token it is.
func (v *Verifier) Token(r *http.Request, token string) (lifecycle.Caller, error) {
	m, w, err := v.service.Authenticate(r.Context(), token)
	switch {
	case errors.Is(err, lifecycle.ErrTokenEnded):
		return lifecycle.Caller{}, &Failure{Reason: EndedToken, Message: err.Error(), Cause: err}
	case service.ErrorCode(err) == service.CodeUnauthenticated:
		return lifecycle.Caller{}, &Failure{Reason: UnknownToken, Message: err.Error(), Cause: err}
	case err != nil:
		return lifecycle.Caller{}, unavailable(err)
	}
	return admit(r, m, w)
}

// LogIn returns who the member of the workspace is whose password it is: a token of it, or
// the secret of one of its access keys.
func (v *Verifier) LogIn(r *http.Request, workspace, member, password string) (lifecycle.Caller, error) {
	m, w, err := v.service.LogIn(r.Context(), workspace, member, password)
	switch {
	case service.ErrorCode(err) == service.CodeUnauthenticated:
		return lifecycle.Caller{}, &Failure{Reason: WrongPassword, Message: err.Error(), Cause: err}
	case err != nil:
		return lifecycle.Caller{}, unavailable(err)
	}
	return admit(r, m, w)
}

// InWorkspace returns nil where the workspace that a request names is the caller's, by id,
// number or name, or where it names none; else a [Failure] with NotAMember. Of several refs
// the first that is not "" counts.
func InWorkspace(c lifecycle.Caller, refs ...string) error {
	for _, ref := range refs {
		if ref == "" {
			continue
		}
		if c.Workspace.Named(ref) {
			return nil
		}
		return failf(NotAMember, "%s is no member of a workspace %q: name the one that the credentials are for, by id, number or name.", c.Member.Name, ref)
	}
	return nil
}
