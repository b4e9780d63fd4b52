// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/console"
	"github.com/dataservice/terraform-provider-dataservice/service/controlplane"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

const (
	clientID     = "dataservice-console"
	clientSecret = "a secret of the console"
)

// provider is an OpenID Connect provider over HTTP that signs with RS256. Whoever comes is the
// person of claims.
type provider struct {
	t      *testing.T
	server *httptest.Server
	key    *rsa.PrivateKey

	mu sync.Mutex
	// claims are those of who comes next, beside those that every token has.
	claims map[string]any
	// forge changes what is signed, or is answered in place of a token; nil changes nothing.
	forge func(claims map[string]any) (raw string)
	codes map[string]url.Values // what was asked for, by code
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{t: t, key: key, codes: map[string]url.Values{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{
			"issuer": p.server.URL, "authorization_endpoint": p.server.URL + "/authorize", "token_endpoint": p.server.URL + "/token", "jwks_uri": p.server.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"}, "scopes_supported": []string{"openid", "email", "groups"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "1", Algorithm: "RS256", Use: "sig"}}})
	})
	mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		code := rand.Text()
		p.mu.Lock()
		p.codes[code] = q
		p.mu.Unlock()
		http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"code": {code}, "state": {q.Get("state")}}.Encode(), http.StatusFound)
	})
	mux.HandleFunc("POST /token", p.exchange)
	p.server = httptest.NewServer(mux)
	t.Cleanup(p.server.Close)
	return p
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // who asked is gone where this fails
}

// exchange gives a token for a code, once, to who proves that they asked for it.
func (p *provider) exchange(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked, known := p.codes[r.PostFormValue("code")]
	delete(p.codes, r.PostFormValue("code"))
	id, secret, _ := r.BasicAuth()
	if id == "" {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	if decoded, err := url.QueryUnescape(secret); err == nil {
		secret = decoded
	}
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	proven := asked.Get("code_challenge_method") == "S256" && asked.Get("code_challenge") == base64.RawURLEncoding.EncodeToString(sum[:])
	if !known || !proven || id != clientID || secret != clientSecret || r.PostFormValue("redirect_uri") != asked.Get("redirect_uri") {
		http.Error(w, `{"error": "invalid_grant"}`, http.StatusBadRequest)
		return
	}
	claims := map[string]any{
		"iss": p.server.URL, "aud": clientID, "sub": "17", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(), "nonce": asked.Get("nonce"),
	}
	maps.Copy(claims, p.claims)
	raw := ""
	if p.forge != nil {
		raw = p.forge(claims)
	}
	if raw == "" {
		raw = p.sign(p.key, claims)
	}
	answer(w, map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": raw})
}

func (p *provider) sign(key *rsa.PrivateKey, claims map[string]any) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: "1"}}, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	text, err := json.Marshal(claims)
	if err != nil {
		p.t.Fatal(err)
	}
	signed, err := signer.Sign(text)
	if err != nil {
		p.t.Fatal(err)
	}
	raw, err := signed.CompactSerialize()
	if err != nil {
		p.t.Fatal(err)
	}
	return raw
}

// is says who comes next.
func (p *provider) is(claims map[string]any, forge func(map[string]any) string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.claims, p.forge = claims, forge
}

func someone(email string, groups ...string) map[string]any {
	return map[string]any{"email": email, "email_verified": true, "groups": groups}
}

// withProvider is a desk where people sign in at a provider.
func withProvider(t *testing.T) (*desk, *provider) {
	t.Helper()
	p := newProvider(t)
	d := newDeskWith(t, "x", func(o *controlplane.Options) {
		o.PublicURL = "http://control.test"
		o.OIDC = &console.OIDC{Issuer: p.server.URL, ClientID: clientID, ClientSecret: service.Secret(clientSecret), Groups: map[string]console.GroupRole{
			"everybody": {Role: service.RoleVisitor}, "makers": {Role: service.RoleDeveloper}, "deciders": {Role: service.RoleDeveloper, Reviewer: true}, "bosses": {Role: service.RoleAdmin},
		}}
	})
	return d, p
}

// begin goes to the provider and returns where that leads back to, and the cookie of the attempt.
func (d *desk) begin(next string) (back string, kept *http.Cookie) {
	d.t.Helper()
	left := d.out().get("/console/sign-in/oidc?next="+url.QueryEscape(next)).wants(d.t, http.StatusSeeOther)
	for _, c := range left.Cookies() {
		if c.Name == "dataservice_console_oidc" {
			kept = c
		}
	}
	if kept == nil || !kept.HttpOnly || kept.SameSite != http.SameSiteLaxMode || kept.Path != "/console/sign-in/oidc" || kept.MaxAge != 600 {
		d.t.Fatalf("the attempt is kept as %v", kept)
	}
	resp, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Get(left.Header.Get("Location"))
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	back = resp.Header.Get("Location")
	if !strings.HasPrefix(back, "http://control.test/console/sign-in/oidc/callback?") {
		d.t.Fatalf("the provider leads to %q", back)
	}
	return strings.TrimPrefix(back, "http://control.test"), kept
}

// comeBack signs in at the provider.
func (d *desk) comeBack(next string) (page, *person) {
	d.t.Helper()
	back, kept := d.begin(next)
	answer := (&person{d: d, cookie: kept}).get(back)
	return answer, &person{d: d, cookie: answer.session()}
}

func TestPeopleSignInAtTheirOrganization(t *testing.T) {
	d, p := withProvider(t)
	d.out().get("/console/sign-in?next=/console/apps").wants(t, http.StatusOK, "Sign in at your organization", "/console/sign-in/oidc?next=%2Fconsole%2Fapps")
	p.is(someone("Nora@Example.com", "everybody", "unknown"), nil)
	answer, nora := d.comeBack("/console/apps?all=yes")
	answer.wants(t, http.StatusSeeOther)
	if got := answer.Header.Get("Location"); got != "/console/apps?all=yes" {
		t.Errorf("nora is led to %s", got)
	}
	nora.get("/console/apps").wants(t, http.StatusOK, "nora@example.com", "visitor")
	m := must(d.Member(d.ctx, d.as("admin"), "nora@example.com"))(t)

	// Her groups are what she is, the next time, and at once in what is open.
	for _, step := range []struct {
		groups   []string
		role     service.Role
		reviewer bool
	}{
		{[]string{"everybody", "makers", "deciders"}, service.RoleDeveloper, true},
		{[]string{"makers"}, service.RoleDeveloper, false},
		{[]string{"bosses", "deciders"}, service.RoleAdmin, false},
		{[]string{"everybody"}, service.RoleVisitor, false},
	} {
		p.is(someone("nora@example.com", step.groups...), nil)
		answer, _ := d.comeBack("")
		answer.wants(t, http.StatusSeeOther)
		again := must(d.Member(d.ctx, d.as("admin"), "nora@example.com"))(t)
		if again.ID != m.ID || again.Role != step.role || again.Reviewer != step.reviewer {
			t.Errorf("with the groups %v nora is %+v", step.groups, again)
		}
	}
	nora.get("/console/audit").wants(t, http.StatusForbidden)
	// The trail tells of it, with where it came from.
	events := must(d.Events(d.ctx, d.as("admin"), lifecycle.EventFilter{ThingID: m.ID}, 0, 10))(t).Items
	if len(events) != 5 || events[0].Action != "member.create" || events[4].Action != "member.update" || events[0].ActorName != "dataservice" || events[0].RemoteAddress == "" {
		t.Errorf("the trail has %+v", events)
	}
	// Who was removed stays out.
	if err := d.DeleteMember(d.ctx, d.as("admin"), m.ID, "", ""); err != nil {
		t.Fatal(err)
	}
	answer, _ = d.comeBack("")
	answer.wants(t, http.StatusForbidden, "was removed from the members")
	nora.get("/console/apps").wants(t, http.StatusSeeOther)
}

func TestWhoIsNotVouchedForStaysOut(t *testing.T) {
	d, p := withProvider(t)
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	change := func(name string, value any) func(map[string]any) string {
		return func(claims map[string]any) string { claims[name] = value; return "" }
	}
	nora := someone("nora@example.com", "bosses")
	before := d.trailLength()
	for name, test := range map[string]struct {
		claims map[string]any
		forge  func(map[string]any) string
		says   string
	}{
		"no group that is let in":               {someone("nora@example.com", "unknown"), nil, "in no group that is let in"},
		"no groups":                             {map[string]any{"email": "nora@example.com", "email_verified": true}, nil, "in no group that is let in"},
		"no address":                            {map[string]any{"groups": []string{"bosses"}, "preferred_username": "admin"}, nil, "does not tell your e-mail address"},
		"the name of a member as the address":   {someone("admin", "bosses"), nil, "does not tell your e-mail address"},
		"an address that is not verified":       {map[string]any{"email": "nora@example.com", "email_verified": false, "groups": []string{"bosses"}}, nil, "has not verified"},
		"an address of which nothing is said":   {map[string]any{"email": "nora@example.com", "groups": []string{"bosses"}}, nil, "has not verified"},
		"an address that is no name of members": {someone("no ra@example.com", "bosses"), nil, "is not a valid member name"},
		"a token of another attempt":            {nora, change("nonce", "another"), "cannot be relied on"},
		"a token without a nonce":               {nora, func(c map[string]any) string { delete(c, "nonce"); return "" }, "cannot be relied on"},
		"a token for another client":            {nora, change("aud", "another"), "cannot be relied on"},
		"a token of another issuer":             {nora, change("iss", "https://evil.example.com"), "cannot be relied on"},
		"a token that has expired":              {nora, change("exp", time.Now().Add(-time.Hour).Unix()), "cannot be relied on"},
		"a token that another key has signed":   {nora, func(c map[string]any) string { return p.sign(stranger, c) }, "cannot be relied on"},
		"a token that nobody has signed": {nora, func(c map[string]any) string {
			text, _ := json.Marshal(c) // They were signed a line before.
			return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(text) + "."
		}, "cannot be relied on"},
		"no token": {nora, func(map[string]any) string { return "nonsense" }, "cannot be relied on"},
	} {
		p.is(test.claims, test.forge)
		answer, _ := d.comeBack("")
		if answer.StatusCode < http.StatusBadRequest || answer.session() != nil || !strings.Contains(answer.body, test.says) {
			t.Errorf("%s: %d %v %s", name, answer.StatusCode, answer.session(), answer.body)
		}
	}
	if after := d.trailLength(); after != before {
		t.Errorf("%d things have happened", after-before)
	}
}

func TestAReturnBelongsToItsAttempt(t *testing.T) {
	d, p := withProvider(t)
	p.is(someone("nora@example.com", "bosses"), nil)
	refused := func(name string, answer page) {
		t.Helper()
		if answer.StatusCode != http.StatusForbidden || answer.session() != nil {
			t.Errorf("%s: %d %v", name, answer.StatusCode, answer.session())
		}
	}
	back, kept := d.begin("")
	refused("without the cookie of the attempt", d.out().get(back))
	_, others := d.begin("")
	refused("with the cookie of another attempt", (&person{d: d, cookie: others}).get(back))
	nora := &person{d: d, cookie: kept}
	refused("with another state", nora.get(strings.Replace(back, "state=", "state=x", 1)))
	refused("without a state", nora.get(back[:strings.Index(back, "&state=")]))
	refused("with an error", nora.get(strings.Replace(back, "code=", "error=access_denied&was=", 1)))
	refused("with a code that was made up", nora.get(strings.Replace(back, "code=", "code=x", 1)))
	first := nora.get(back).wants(t, http.StatusSeeOther)
	if first.session() == nil {
		t.Error("nora is not signed in")
	}
	for _, c := range first.Cookies() {
		if c.Name == "dataservice_console_oidc" && c.MaxAge >= 0 {
			t.Errorf("the attempt is still kept: %v", c)
		}
	}
	refused("a second time", nora.get(back))
	// A place elsewhere in the cookie leads nowhere, as in a form.
	for _, next := range []string{"https://evil.example.com/", "//evil.example.com", "/api/v1/whoami"} {
		answer, _ := d.comeBack(next)
		if got := answer.wants(t, http.StatusSeeOther).Header.Get("Location"); got != "/console/" {
			t.Errorf("next=%s leads to %s", next, got)
		}
		back, kept := d.begin("")
		text, err := base64.RawURLEncoding.DecodeString(kept.Value)
		if err != nil {
			t.Fatal(err)
		}
		kept.Value = base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(text), `"next":"/console/"`, `"next":"`+next+`"`, 1)))
		if got := (&person{d: d, cookie: kept}).get(back).wants(t, http.StatusSeeOther).Header.Get("Location"); got != "/console/" {
			t.Errorf("next=%s in the cookie leads to %s", next, got)
		}
	}
}

func TestAProviderThatIsAwayKeepsNobodyElseOut(t *testing.T) {
	d, p := withProvider(t)
	p.server.Close()
	d.out().get("/console/sign-in/oidc").wants(t, http.StatusServiceUnavailable, "does not answer as it should", "sign in with a token")
	d.in("vera").get("/console/apps").wants(t, http.StatusOK)
}

func TestGroupsAndTheirRolesAreRead(t *testing.T) {
	for text, want := range map[string]console.GroupRole{
		"makers=DEVELOPER":             {Role: service.RoleDeveloper},
		"a=b=developer+reviewer":       {Role: service.RoleDeveloper, Reviewer: true},
		"/org/bosses=ADMIN":            {Role: service.RoleAdmin},
		"cn=makers,dc=example=VISITOR": {Role: service.RoleVisitor},
	} {
		group, got, err := console.ParseGroupRole(text)
		if err != nil || got != want || group+"=" != text[:len(group)+1] {
			t.Errorf("%s is %q %+v: %v", text, group, got, err)
		}
	}
	for _, text := range []string{"", "=ADMIN", "makers", "makers=", "makers=BOSS", "makers=VISITOR+reviewer", "makers=ADMIN+owner"} {
		if _, got, err := console.ParseGroupRole(text); err == nil {
			t.Errorf("%q is %+v", text, got)
		} else {
			t.Log(err)
		}
	}
}

// TestTheServiceSendsPeopleToTheirProvider has the flags of the program, in a real browser.
func TestTheServiceSendsPeopleToTheirProvider(t *testing.T) {
	p := newProvider(t)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(clientSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := servicetest.Start(t, "--oidc-issuer", p.server.URL, "--oidc-client-id", clientID, "--oidc-client-secret-file", secret, "--oidc-group-role", "makers=DEVELOPER+reviewer,everybody=VISITOR")
	p.is(someone("nora@example.com", "makers"), nil)
	b := openBrowser(t, s)
	b.open("/apps")
	b.picture("sign-in-oidc")
	b.press("Sign in at your organization")
	b.wants("Your apps", "nora@example.com", "developer, reviewer")
	b.press("Sign out")
	b.wants("Sign in at your organization")
	if log := s.Log(); strings.Contains(log, clientSecret) || strings.Contains(log, "code=") {
		t.Error("the log holds a secret of the sign-in")
	}
}
