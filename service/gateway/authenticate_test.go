// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// consumers is a house with an app of each type and an API for each way to authenticate.
type consumers struct {
	*house
	app         service.App
	credentials service.Credentials
	iam         service.App
	token       string
	// published has the publication at each path.
	published map[string]service.Publication
}

func newConsumers(t *testing.T, o options) *consumers {
	t.Helper()
	ctx := t.Context()
	c := &consumers{house: newHouse(t, o), published: map[string]service.Publication{}}
	conn := c.connection(t, "people_db", sqlitePeople(t, c.dir, everybody()...))
	for path, auth := range map[string]service.AuthType{"/open": service.AuthNone, "/signed": service.AuthApp, "/code": service.AuthApp, "/member": service.AuthIAM} {
		d := definition(conn, path, "SELECT 1 AS n", "n")
		d.AuthType, d.AllowAppCode = auth, path == "/code"
		c.published[path] = c.publish(t, c.api(t, "api_"+path[1:], d), "")
	}
	var err error
	if c.app, err = c.CreateApp(ctx, c.caller, service.AppInput{AppSpec: service.AppSpec{Name: "shop"}}); err != nil {
		t.Fatal(err)
	}
	if c.credentials, err = c.AppCredentials(ctx, c.caller, c.app.ID); err != nil {
		t.Fatal(err)
	}
	if c.iam, err = c.CreateApp(ctx, c.caller, service.AppInput{AppSpec: service.AppSpec{Name: "myself", Type: service.AppTypeIAM}}); err != nil {
		t.Fatal(err)
	}
	issued, err := c.IssueToken(ctx, c.caller, service.TokenInput{})
	if err != nil {
		t.Fatal(err)
	}
	c.token = issued.Secret
	return c
}

// authorize lets an app call the API at the path; an end of nil is none.
func (c *consumers) authorize(t *testing.T, path string, app service.App, until *time.Time) service.Authorization {
	t.Helper()
	z, err := c.Authorize(t.Context(), c.caller, service.AuthorizeInput{APIID: c.published[path].APIID, AppID: app.ID, Until: until})
	if err != nil {
		t.Fatal(err)
	}
	if z.Status != service.AuthorizationActive {
		t.Fatalf("the authorization is %s", z.Status)
	}
	return z
}

// policy changes what RELEASE demands.
func (c *consumers) policy(t *testing.T, change func(*service.EnvironmentInput)) {
	t.Helper()
	noReview := false
	in := service.EnvironmentInput{Name: service.ReleaseEnvironmentName, ReviewRequired: &noReview}
	change(&in)
	if _, err := c.UpdateEnvironment(t.Context(), c.caller, service.ReleaseEnvironmentID, "", in); err != nil {
		t.Fatal(err)
	}
}

// put changes the publication at a path in the store, and tells the gateway.
func (c *consumers) put(t *testing.T, path string, change func(*service.Publication)) {
	t.Helper()
	err := c.store.Update(t.Context(), func(tx lifecycle.Tx) error {
		p, err := tx.Publication(t.Context(), c.caller.Workspace.ID, c.published[path].ID)
		if err != nil {
			return err
		}
		change(&p)
		p.UpdatedAt = c.clock.Now().UTC().Truncate(time.Microsecond)
		return tx.UpdatePublication(t.Context(), &p)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.gateway.Changed(t.Context(), lifecycle.Change{Kind: lifecycle.ChangePublication, ID: c.published[path].ID}); err != nil {
		t.Fatal(err)
	}
}

// signedWith signs a request by hand: the way that the guide tells.
func signedWith(t testing.TB, r *http.Request, body []byte, key, secret string, at time.Time, headers ...string) {
	t.Helper()
	date := at.UTC().Format("20060102T150405Z")
	r.Header.Set("X-Sdk-Date", date)
	headers = append(headers, "x-sdk-date")
	var lines strings.Builder
	for _, name := range headers {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.Host
		}
		fmt.Fprintf(&lines, "%s:%s\n", name, value)
	}
	hash := fmt.Sprintf("%x", sha256.Sum256(body))
	if stated := r.Header.Get("X-Sdk-Content-Sha256"); stated != "" {
		hash = stated
	}
	list := strings.Join(headers, ";")
	text := strings.Join([]string{r.Method, r.URL.Path + "/", strings.ReplaceAll(r.URL.Query().Encode(), "+", "%20"), lines.String(), list, hash}, "\n")
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "SDK-HMAC-SHA256\n%s\n%x", date, sha256.Sum256([]byte(text)))
	r.Header.Set("Authorization", fmt.Sprintf("SDK-HMAC-SHA256 Access=%s, SignedHeaders=%s, Signature=%s", key, list, hex.EncodeToString(mac.Sum(nil))))
}

// request makes a request that change may change before it is sent.
func (c *consumers) request(t testing.TB, method, target, body string, change ...func(*http.Request)) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, c.server.URL+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, f := range change {
		f(r)
	}
	resp, err := c.server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{Status: resp.StatusCode, Header: resp.Header}
	_ = json.Unmarshal(text, &a) // A backend may answer anything.
	return a
}

// sign signs with the app's present secret.
func (c *consumers) sign(t testing.TB, body string, headers ...string) func(*http.Request) {
	return func(r *http.Request) {
		signedWith(t, r, []byte(body), c.credentials.Key, c.credentials.Secret, c.clock.Now(), headers...)
	}
}

func set(pairs ...string) func(*http.Request) {
	return func(r *http.Request) {
		for i := 0; i < len(pairs); i += 2 {
			r.Header.Add(pairs[i], pairs[i+1])
		}
	}
}

func TestEachWayToFailAnAuthenticationHasItsOwnAnswer(t *testing.T) {
	c := newConsumers(t, options{})
	for _, path := range []string{"/signed", "/code"} {
		c.authorize(t, path, c.app, nil)
	}
	c.authorize(t, "/member", c.iam, nil)
	gone, err := c.IssueToken(t.Context(), c.caller, service.TokenInput{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.RevokeToken(t.Context(), c.caller, gone.ID); err != nil {
		t.Fatal(err)
	}
	ok, code, signature := "SDK-HMAC-SHA256", "SDK-HMAC-SHA256, APPCODE", strings.Repeat("0", 64)
	at := func(d time.Duration) func(*http.Request) {
		return func(r *http.Request) {
			signedWith(t, r, nil, c.credentials.Key, c.credentials.Secret, c.clock.Now().Add(d))
		}
	}
	for _, test := range []struct {
		name, target string
		errCode      int
		challenge    string
		change       []func(*http.Request)
	}{
		{"anybody may call what is open", "/open", 0, "", nil},
		{"credentials that nobody asked for do no harm", "/open", 0, "", []func(*http.Request){set("Authorization", "Basic eDp5")}},
		{"a signed call", "/signed", 0, "", []func(*http.Request){c.sign(t, "")}},
		{"a signed call where an AppCode would do", "/code", 0, "", []func(*http.Request){c.sign(t, "")}},
		{"a signed host", "/signed", 0, "", []func(*http.Request){c.sign(t, "", "host")}},
		{"a signed stage", "/signed", 0, "", []func(*http.Request){set("X-Stage", "RELEASE"), c.sign(t, "", "x-stage")}},
		{"a date at the edge", "/signed", 0, "", []func(*http.Request){at(-14 * time.Minute)}},
		{"an AppCode", "/code", 0, "", []func(*http.Request){set("X-Apig-AppCode", c.credentials.AppCode)}},
		{"an AppCode in Authorization", "/code", 0, "", []func(*http.Request){set("Authorization", "APPCODE "+c.credentials.AppCode)}},
		{"a token", "/member", 0, "", []func(*http.Request){set("X-Auth-Token", c.token)}},
		{"a token in Authorization", "/member", 0, "", []func(*http.Request){set("Authorization", "bearer "+c.token)}},

		{"nothing", "/signed", 40101, ok, nil},
		{"nothing where an AppCode would do", "/code", 40101, code, nil},
		{"no token", "/member", 40101, "Bearer", nil},
		{"another scheme", "/signed", 40102, ok, []func(*http.Request){set("Authorization", "Basic eDp5")}},
		{"a signature for members", "/member", 40102, "Bearer", []func(*http.Request){c.sign(t, "")}},
		{"a token for apps", "/signed", 40102, ok, []func(*http.Request){set("Authorization", "Bearer "+c.token)}},
		{"half a signature", "/signed", 40102, ok, []func(*http.Request){set("Authorization", "SDK-HMAC-SHA256 Access=x")}},
		{"two signatures", "/signed", 40102, ok, []func(*http.Request){c.sign(t, ""), func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) }}},
		{"two AppCodes", "/code", 40102, code, []func(*http.Request){set("X-Apig-AppCode", c.credentials.AppCode, "X-Apig-AppCode", "another")}},
		{"two tokens", "/member", 40102, "Bearer", []func(*http.Request){set("X-Auth-Token", c.token, "X-Auth-Token", c.token)}},
		{"an unknown key", "/signed", 40103, ok, []func(*http.Request){func(r *http.Request) {
			signedWith(t, r, nil, "nobody", c.credentials.Secret, c.clock.Now())
		}}},
		{"another secret", "/signed", 40104, ok, []func(*http.Request){func(r *http.Request) {
			signedWith(t, r, nil, c.credentials.Key, "another", c.clock.Now())
		}}},
		{"a parameter that came later", "/signed", 40104, ok, []func(*http.Request){c.sign(t, ""), func(r *http.Request) { r.URL.RawQuery = "n=1" }}},
		{"another host than was signed", "/signed", 40104, ok, []func(*http.Request){c.sign(t, "", "host"), func(r *http.Request) { r.Host = "another.example.com" }}},
		{"a signed header that was lost", "/signed", 40104, ok, []func(*http.Request){set("X-Lost", "x"), c.sign(t, "", "x-lost"), func(r *http.Request) { r.Header.Del("X-Lost") }}},
		{"no date", "/signed", 40106, ok, []func(*http.Request){c.sign(t, ""), func(r *http.Request) { r.Header.Del("X-Sdk-Date") }}},
		{"a date in another form", "/signed", 40106, ok, []func(*http.Request){c.sign(t, ""), func(r *http.Request) { r.Header.Set("X-Sdk-Date", "2026-01-31") }}},
		{"a date that is long ago", "/signed", 40107, ok, []func(*http.Request){at(-16 * time.Minute)}},
		{"a date that is to come", "/signed", 40107, ok, []func(*http.Request){at(16 * time.Minute)}},
		{"two dates", "/signed", 40108, ok, []func(*http.Request){c.sign(t, ""), func(r *http.Request) { r.Header.Add("X-Sdk-Date", r.Header.Get("X-Sdk-Date")) }}},
		{"an unsigned date", "/signed", 40108, ok, []func(*http.Request){set("X-Sdk-Date", c.clock.Now().UTC().Format("20060102T150405Z"), "Authorization", "SDK-HMAC-SHA256 Access=x, SignedHeaders=host, Signature="+signature)}},
		{"an unsigned stage", "/signed", 40108, ok, []func(*http.Request){c.sign(t, ""), set("X-Stage", "RELEASE")}},
		{"an unsigned body", "/signed", 40109, ok, []func(*http.Request){set("X-Sdk-Content-Sha256", "UNSIGNED-PAYLOAD"), c.sign(t, "")}},
		{"an unknown AppCode", "/code", 40110, code, []func(*http.Request){set("X-Apig-AppCode", "another")}},
		{"an AppCode where none will do", "/signed", 40111, ok, []func(*http.Request){set("X-Apig-AppCode", c.credentials.AppCode)}},
		{"an unknown token", "/member", 40112, "Bearer", []func(*http.Request){set("X-Auth-Token", "dst_another")}},
		{"a revoked token", "/member", 40114, "Bearer", []func(*http.Request){set("X-Auth-Token", gone.Secret)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := c.request(t, http.MethodGet, test.target, "", test.change...)
			status := http.StatusOK
			if test.errCode != 0 {
				status = http.StatusUnauthorized
			}
			if got.Status != status || got.ErrCode != test.errCode {
				t.Errorf("the answer is %s", got)
			}
			if challenge := strings.Join(got.Header.Values("WWW-Authenticate"), ", "); challenge != test.challenge {
				t.Errorf("it asks for %q, want %q", challenge, test.challenge)
			}
			for _, credential := range []string{c.credentials.Secret, c.credentials.AppCode, c.token} {
				if strings.Contains(got.ErrMsg, credential) {
					t.Errorf("it tells a secret: %s", got.ErrMsg)
				}
			}
		})
	}
	tokens := func(name string, mine, revoked int) {
		t.Run(name, func(t *testing.T) {
			for secret, want := range map[string]int{c.token: mine, gone.Secret: revoked} {
				if got := c.request(t, http.MethodGet, "/member", "", set("X-Auth-Token", secret)); got.ErrCode != want || got.Status != http.StatusUnauthorized {
					t.Errorf("the answer is %s, want %d", got, want)
				}
			}
		})
	}
	load := func() {
		if err := c.gateway.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	c.clock.advance(service.DefaultTokenHours * time.Hour)
	tokens("tokens whose time is over", 40113, 40114)
	c.clock.advance(30*24*time.Hour - time.Minute)
	load()
	tokens("tokens whose time is over, a month later", 40113, 40114)
	c.clock.advance(time.Minute)
	load()
	tokens("tokens whose time has been over for longer than that", 40112, 40112)
}

func TestCurlCallsWithAnAppCode(t *testing.T) {
	curl := servicetest.Program(t, "curl")
	c := newConsumers(t, options{})
	c.authorize(t, "/code", c.app, nil)
	out, err := exec.CommandContext(t.Context(), curl, "--silent", "--show-error", "--fail", "-H", "X-Apig-AppCode: "+c.credentials.AppCode, c.server.URL+"/code").CombinedOutput()
	if err != nil || !strings.Contains(string(out), `"data":[{"n":1}]`) {
		t.Errorf("curl answers %s, %v", out, err)
	}
}

func TestEachEndOfAnAuthorizationHasItsOwnAnswer(t *testing.T) {
	c := newConsumers(t, options{})
	ctx := t.Context()
	expect := func(what string, errCode int) {
		t.Helper()
		got := c.request(t, http.MethodGet, "/signed", "", c.sign(t, ""))
		if got.ErrCode != errCode || errCode != 0 && (got.Status != http.StatusForbidden || !strings.Contains(got.ErrMsg, "shop")) {
			t.Errorf("%s: the answer is %s, want %d", what, got, errCode)
		}
	}
	expect("never authorized", 40302)
	soon := c.clock.Now().Add(time.Hour)
	z := c.authorize(t, "/signed", c.app, &soon)
	expect("authorized", 0)
	c.clock.advance(time.Until(*z.Until) - time.Duration(c.clock.ahead.Load()) - 5*time.Second)
	expect("just before its end", 0)
	c.clock.advance(6 * time.Second)
	expect("expired, whether anybody has noted it or not", 40305)
	c.authorize(t, "/signed", c.app, nil)
	expect("authorized again", 0)
	if _, err := c.RevokeAuthorization(ctx, c.caller, z.ID, service.RevokeInput{RevokeAs: service.SideApp}); err != nil {
		t.Fatal(err)
	}
	expect("given up", 40307)
	c.authorize(t, "/signed", c.app, nil)
	waiting, err := c.RevokeAuthorization(ctx, c.caller, z.ID, service.RevokeInput{RevokeAs: service.SideAPI})
	if err != nil {
		t.Fatal(err)
	}
	if waiting.Status != service.AuthorizationWaitingRevoke || waiting.RevokeAt == nil {
		t.Fatalf("it is %s until %v", waiting.Status, waiting.RevokeAt)
	}
	expect("while it is announced to be revoked", 0)
	c.clock.advance(waiting.RevokeAt.Sub(c.clock.Now()) + time.Second)
	expect("revoked, whether anybody has noted it or not", 40306)
}

func TestEachStatusOfAnAuthorizationHasItsOwnAnswer(t *testing.T) {
	c := newConsumers(t, options{})
	ctx := t.Context()
	z := c.authorize(t, "/signed", c.app, nil)
	for status, errCode := range map[service.AuthorizationStatus]int{
		service.AuthorizationActive: 0, service.AuthorizationWaitReview: 40303, service.AuthorizationRejected: 40304, service.AuthorizationExpired: 40305,
		service.AuthorizationRevoked: 40306, service.AuthorizationUnlinked: 40307, service.AuthorizationCancelled: 40308,
	} {
		t.Run(string(status), func(t *testing.T) {
			err := c.store.Update(ctx, func(tx lifecycle.Tx) error {
				now, err := tx.Authorization(ctx, c.caller.Workspace.ID, z.ID)
				if err != nil {
					return err
				}
				now.Status = status
				return tx.UpdateAuthorization(ctx, &now)
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := c.gateway.Changed(ctx, lifecycle.Change{Kind: lifecycle.ChangeAuthorization, ID: z.PublicationID}); err != nil {
				t.Fatal(err)
			}
			if got := c.request(t, http.MethodGet, "/signed", "", c.sign(t, "")); got.ErrCode != errCode {
				t.Errorf("the answer is %s, want %d", got, errCode)
			}
		})
	}
}

func TestOnlyWhoMayCallLearnsThatAnAPIIsSuspended(t *testing.T) {
	c := newConsumers(t, options{})
	for path := range c.published {
		if p, err := c.Suspend(t.Context(), c.caller, c.published[path].ID, service.ActionInput{}); err != nil || p.Status != service.StatusStopped {
			t.Fatalf("%s is %s, %v", path, p.Status, err)
		}
	}
	c.authorize(t, "/signed", c.app, nil)
	for _, test := range []struct {
		name, target string
		errCode      int
		change       []func(*http.Request)
	}{
		{"an open API", "/open", 40309, nil},
		{"nobody", "/signed", 40101, nil},
		{"an authorized app", "/signed", 40309, []func(*http.Request){c.sign(t, "")}},
		{"an app that is not authorized", "/code", 40302, []func(*http.Request){c.sign(t, "")}},
		{"no token", "/member", 40101, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := c.request(t, http.MethodGet, test.target, "", test.change...); got.ErrCode != test.errCode {
				t.Errorf("the answer is %s, want %d", got, test.errCode)
			}
		})
	}
	if _, err := c.Restore(t.Context(), c.caller, c.published["/signed"].ID, service.ActionInput{}); err != nil {
		t.Fatal(err)
	}
	if got := c.request(t, http.MethodGet, "/signed", "", c.sign(t, "")); got.Status != http.StatusOK {
		t.Errorf("restored: %s", got)
	}
}

func TestARotationLetsBothSecretsCallForItsOverlap(t *testing.T) {
	c := newConsumers(t, options{})
	ctx := t.Context()
	c.authorize(t, "/code", c.app, nil)
	former := c.credentials
	expect := func(what string, with service.Credentials, errCode int) {
		t.Helper()
		signed := c.request(t, http.MethodGet, "/code", "", func(r *http.Request) {
			signedWith(t, r, nil, with.Key, with.Secret, c.clock.Now())
		})
		coded := c.request(t, http.MethodGet, "/code", "", set("X-Apig-AppCode", with.AppCode))
		if signed.ErrCode != errCode || coded.ErrCode != errCode {
			t.Errorf("%s: a signature answers %s, an AppCode %s; want %d", what, signed, coded, errCode)
		}
	}
	overlap := 2
	if _, err := c.RotateApp(ctx, c.caller, c.app.ID, service.RotateInput{OverlapHours: &overlap}); err != nil {
		t.Fatal(err)
	}
	present, err := c.AppCredentials(ctx, c.caller, c.app.ID)
	if err != nil {
		t.Fatal(err)
	}
	if present.Secret == former.Secret || present.Key != former.Key {
		t.Fatal("the rotation left the secret, or changed the key")
	}
	expect("the new ones at once", present, 0)
	expect("the former ones meanwhile", former, 0)
	c.clock.advance(2*time.Hour - 5*time.Second)
	expect("the former ones shortly before the end", former, 0)
	c.clock.advance(6 * time.Second)
	expect("the former ones after it", former, 40105)
	expect("the new ones after it", present, 0)
	if err := c.DeleteApp(ctx, c.caller, c.app.ID, ""); err != nil {
		t.Fatal(err)
	}
	signed := c.request(t, http.MethodGet, "/code", "", func(r *http.Request) { signedWith(t, r, nil, present.Key, present.Secret, c.clock.Now()) })
	coded := c.request(t, http.MethodGet, "/code", "", set("X-Apig-AppCode", present.AppCode))
	if signed.ErrCode != 40103 || coded.ErrCode != 40110 {
		t.Errorf("after the app is deleted: %s, %s", signed, coded)
	}
}

func TestAnAnnouncedEndStandsInTheAnswersOfThoseWhomItConcerns(t *testing.T) {
	c := newConsumers(t, options{})
	ctx := t.Context()
	other, err := c.CreateApp(ctx, c.caller, service.AppInput{AppSpec: service.AppSpec{Name: "bank"}})
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := c.AppCredentials(ctx, c.caller, other.ID)
	if err != nil {
		t.Fatal(err)
	}
	z := c.authorize(t, "/code", c.app, nil)
	c.authorize(t, "/code", other, nil)
	announced := func(what string, got answer, deadline *time.Time) {
		t.Helper()
		deprecation, sunset := got.Header.Get("Deprecation"), got.Header.Get("Sunset")
		if deadline == nil {
			if deprecation+sunset != "" {
				t.Errorf("%s: %q and %q are announced", what, deprecation, sunset)
			}
			return
		}
		var since int64
		if _, err := fmt.Sscanf(deprecation, "@%d", &since); err != nil || c.clock.Now().Sub(time.Unix(since, 0)).Abs() > time.Minute {
			t.Errorf("%s: Deprecation reads %q", what, deprecation)
		}
		if want := deadline.UTC().Format(http.TimeFormat); sunset != want {
			t.Errorf("%s: Sunset reads %q, want %q", what, sunset, want)
		}
	}
	mine := func(target string) answer {
		a := c.request(t, http.MethodGet, target, "", c.sign(t, ""))
		return a
	}
	bank := func() answer {
		a := c.request(t, http.MethodGet, "/code", "", set("X-Apig-AppCode", theirs.AppCode))
		return a
	}
	announced("nothing is announced", mine("/code"), nil)
	waiting, err := c.RevokeAuthorization(ctx, c.caller, z.ID, service.RevokeInput{})
	if err != nil {
		t.Fatal(err)
	}
	announced("the app whose right ends", mine("/code"), waiting.RevokeAt)
	announced("another app", bank(), nil)
	hour := c.clock.Now().Add(100 * time.Hour).UTC().Truncate(time.Hour)
	c.put(t, "/code", func(p *service.Publication) {
		p.Status, p.Resume, p.Deadline = service.StatusWaitingStop, p.Status, &hour
	})
	announced("another app, when the API ends", bank(), &hour)
	announced("the app whose right ends before", mine("/code"), waiting.RevokeAt)
	announced("an answer that is an error", mine("/code?unknown=1"), waiting.RevokeAt)
	nobody := c.request(t, http.MethodGet, "/code", "")
	announced("nobody", nobody, nil)
	c.put(t, "/open", func(p *service.Publication) {
		p.Status, p.Resume, p.Deadline = service.StatusWaitingOffline, service.StatusStopped, &hour
	})
	open := c.request(t, http.MethodGet, "/open", "")
	announced("what is suspended and goes offline", open, &hour)
	if open.ErrCode != 40309 {
		t.Errorf("what is suspended and goes offline answers %s", open)
	}
	c.put(t, "/code", func(p *service.Publication) { p.Status, p.Deadline = service.StatusPublished, nil })
	announced("after it is taken back", bank(), nil)
}

func TestAnAnnouncedEndComesAtItsDeadlineThoughNobodyExecutesIt(t *testing.T) {
	c := newConsumers(t, options{})
	hour := c.clock.Now().Add(100 * time.Hour).UTC().Truncate(time.Hour)
	ends := map[string]service.Status{"/code": service.StatusWaitingStop, "/open": service.StatusWaitingOffline}
	c.authorize(t, "/code", c.app, nil)
	for path, status := range ends {
		c.put(t, path, func(p *service.Publication) { p.Status, p.Resume, p.Deadline = status, p.Status, &hour })
	}
	expect := func(when, path string, status, code int, sunset bool) {
		t.Helper()
		got := c.request(t, http.MethodGet, path, "", c.sign(t, ""))
		if got.Status != status || got.ErrCode != code || (got.Header.Get("Sunset") != "") != sunset {
			t.Errorf("%s %s answers %s with Sunset %q, want %d with errCode %d", when, path, got, got.Header.Get("Sunset"), status, code)
		}
	}
	c.clock.advance(hour.Sub(c.clock.Now()) - 5*time.Second)
	expect("before the deadline", "/code", http.StatusOK, 0, true)
	expect("before the deadline", "/open", http.StatusOK, 0, true)
	c.clock.advance(6 * time.Second)
	expect("at the deadline", "/code", http.StatusForbidden, 40309, false)
	expect("at the deadline", "/open", http.StatusNotFound, 40401, false)
	if got := c.request(t, http.MethodGet, "/code", ""); got.Status != http.StatusUnauthorized {
		t.Errorf("who does not say who calls learns more than that: %s", got)
	}
	for path := range ends {
		c.put(t, path, func(p *service.Publication) { p.Status, p.Deadline = service.StatusPublished, nil })
		expect("taken back", path, http.StatusOK, 0, false)
	}
}

func TestASignedBodyReachesTheBackendAsItIsAndCredentialsDoNot(t *testing.T) {
	type received struct {
		header http.Header
		body   []byte
	}
	var last atomic.Pointer[received]
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		last.Store(&received{r.Header.Clone(), body})
		_, _ = w.Write([]byte(`{"errCode":0}`))
	}))
	defer backend.Close()
	c := newConsumers(t, options{maxBody: 200 << 10})
	d := registered(backend.URL, "/in", service.MethodPost)
	d.AuthType, d.AllowAppCode, d.Path = service.AuthApp, true, "/send"
	a, err := c.CreateAPI(t.Context(), c.caller, service.APIInput{APISpec: service.APISpec{Name: "send", Definition: d}, Debug: &service.DebugInput{Body: `{}`}})
	if err != nil {
		t.Fatal(err)
	}
	c.published["/send"] = c.publish(t, a, "")
	c.authorize(t, "/send", c.app, nil)
	stated := func(body string) func(*http.Request) {
		return set("X-Sdk-Content-Sha256", fmt.Sprintf("%x", sha256.Sum256([]byte(body))))
	}
	small, large := `{"n":1}`+"\n", `"`+strings.Repeat("x", 100<<10)+`"`
	chunked := func(r *http.Request) { r.ContentLength = -1 }
	for _, test := range []struct {
		name, body string
		errCode    int
		change     []func(*http.Request)
	}{
		{"a small body", small, 0, []func(*http.Request){c.sign(t, small)}},
		{"a large body", large, 0, []func(*http.Request){c.sign(t, large)}},
		{"a body in chunks", large, 0, []func(*http.Request){c.sign(t, large), chunked}},
		{"a body whose hash is stated", large, 0, []func(*http.Request){stated(large), c.sign(t, large)}},
		{"no body", "", 0, []func(*http.Request){c.sign(t, "")}},
		{"an AppCode, whose body streams", large, 0, []func(*http.Request){set("X-Apig-AppCode", c.credentials.AppCode)}},
		{"a body that was changed", `{"n":2}` + "\n", 40104, []func(*http.Request){c.sign(t, small)}},
		{"a body that was changed, with its former hash", `{"n":2}` + "\n", 40109, []func(*http.Request){stated(small), c.sign(t, small)}},
		{"a body that is too large", strings.Repeat("x", 300<<10), 41301, []func(*http.Request){c.sign(t, strings.Repeat("x", 300<<10))}},
	} {
		t.Run(test.name, func(t *testing.T) {
			last.Store(nil)
			change := append([]func(*http.Request){set("X-Auth-Token", "of-somebody", "Cookie", "a=b")}, test.change...)
			if got := c.request(t, http.MethodPost, "/send", test.body, change...); got.ErrCode != test.errCode {
				t.Fatalf("the answer is %s", got)
			}
			got := last.Load()
			if test.errCode != 0 {
				if got != nil {
					t.Errorf("the backend got %d bytes", len(got.body))
				}
				return
			}
			if !bytes.Equal(got.body, []byte(test.body)) {
				t.Errorf("the backend got %d bytes of %d", len(got.body), len(test.body))
			}
			for _, name := range []string{"Authorization", "X-Sdk-Date", "X-Sdk-Content-Sha256", "X-Apig-Appcode", "X-Auth-Token", "Cookie", "X-Stage"} {
				if value := got.header.Get(name); value != "" {
					t.Errorf("the backend got %s: %s", name, value)
				}
			}
		})
	}
}

func TestEachAppHasTheLimitOfACallerAndNobodyElseTakesFromIt(t *testing.T) {
	c := newConsumers(t, options{})
	ctx := t.Context()
	a, err := c.API(ctx, c.caller, c.published["/code"].APIID)
	if err != nil {
		t.Fatal(err)
	}
	spec := a.APISpec
	spec.CallerRateLimit, spec.RateLimit = &service.RateLimit{Requests: 2, PeriodSeconds: 3600}, &service.RateLimit{Requests: 4, PeriodSeconds: 3600}
	if a, err = c.UpdateAPI(ctx, c.caller, a.ID, "", service.APIInput{APISpec: spec}); err != nil {
		t.Fatal(err)
	}
	c.publish(t, a, "")
	other, err := c.CreateApp(ctx, c.caller, service.AppInput{AppSpec: service.AppSpec{Name: "bank"}})
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := c.AppCredentials(ctx, c.caller, other.ID)
	if err != nil {
		t.Fatal(err)
	}
	c.authorize(t, "/code", c.app, nil)
	c.authorize(t, "/code", other, nil)
	codes := func(appCode string) (codes []int) {
		for range 3 {
			got := c.request(t, http.MethodGet, "/code", "", set("X-Apig-AppCode", appCode))
			codes = append(codes, got.ErrCode)
		}
		return codes
	}
	// Who is not known takes nothing from those who are, from the same address too.
	if got := codes("unknown"); fmt.Sprint(got) != "[40110 40110 40110]" {
		t.Errorf("nobody: %v", got)
	}
	if got := codes(c.credentials.AppCode); fmt.Sprint(got) != "[0 0 42902]" {
		t.Errorf("the first app: %v", got)
	}
	if got := codes(theirs.AppCode); fmt.Sprint(got) != "[0 0 42902]" {
		t.Errorf("the second app: %v", got)
	}
}

func TestACachedAnswerIsForThoseWhoMayCallAlone(t *testing.T) {
	c := newConsumers(t, options{})
	a, err := c.API(t.Context(), c.caller, c.published["/code"].APIID)
	if err != nil {
		t.Fatal(err)
	}
	spec := a.APISpec
	spec.CacheTTLSeconds = 600
	if a, err = c.UpdateAPI(t.Context(), c.caller, a.ID, "", service.APIInput{APISpec: spec}); err != nil {
		t.Fatal(err)
	}
	c.publish(t, a, "")
	z := c.authorize(t, "/code", c.app, nil)
	for _, age := range []string{"", "0"} {
		if got := c.request(t, http.MethodGet, "/code", "", c.sign(t, "")); got.Status != http.StatusOK || got.Header.Get("Age") != age {
			t.Errorf("the answer is %s with the age %q", got, got.Header.Get("Age"))
		}
	}
	if got := c.request(t, http.MethodGet, "/code", ""); got.ErrCode != 40101 {
		t.Errorf("nobody is answered %s", got)
	}
	if _, err := c.RevokeAuthorization(t.Context(), c.caller, z.ID, service.RevokeInput{RevokeAs: service.SideApp}); err != nil {
		t.Fatal(err)
	}
	if got := c.request(t, http.MethodGet, "/code", "", c.sign(t, "")); got.ErrCode != 40307 {
		t.Errorf("who gave it up is answered %s", got)
	}
}

// TestAWorkspaceReachesNothingOfAnother has the same path, stage and name in two workspaces,
// and an app in each.
func TestAWorkspaceReachesNothingOfAnother(t *testing.T) {
	c := newConsumers(t, options{})
	ctx := t.Context()
	c.authorize(t, "/code", c.app, nil)
	w, err := c.CreateWorkspace(ctx, c.caller, service.WorkspaceInput{Name: "other"})
	if err != nil {
		t.Fatal(err)
	}
	theirs := &consumers{house: &house{}, published: map[string]service.Publication{}}
	*theirs.house = house{Service: c.Service, store: c.store, gateway: c.gateway, server: c.server, dir: c.dir, clock: c.clock}
	err = c.store.View(ctx, func(tx lifecycle.Tx) (err error) {
		theirs.caller.Workspace = w
		theirs.caller.Member, err = tx.Member(ctx, w.ID, "admin")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	theirs.policy(t, func(*service.EnvironmentInput) {})
	conn := theirs.connection(t, "people_db", sqlitePeople(t, c.dir))
	for path, auth := range map[string]service.AuthType{"/code": service.AuthApp, "/theirs": service.AuthNone} {
		d := definition(conn, path, "SELECT 2 AS n", "n")
		d.AuthType, d.AllowAppCode = auth, auth == service.AuthApp
		theirs.published[path] = theirs.publish(t, theirs.api(t, "api_"+path[1:], d), "")
	}
	if theirs.app, err = theirs.CreateApp(ctx, theirs.caller, service.AppInput{AppSpec: service.AppSpec{Name: "shop"}}); err != nil {
		t.Fatal(err)
	}
	if theirs.credentials, err = theirs.AppCredentials(ctx, theirs.caller, theirs.app.ID); err != nil {
		t.Fatal(err)
	}
	theirs.authorize(t, "/code", theirs.app, nil)
	at := func(host, path, appCode string) answer {
		a := c.request(t, http.MethodGet, path, "", func(r *http.Request) {
			if host != "" {
				r.Host = host
			}
			r.Header.Set("X-Apig-AppCode", appCode)
		})
		return a
	}
	if got := at("", "/theirs", ""); got.ErrCode != 40401 {
		t.Errorf("without a host name of theirs: %s", got)
	}
	if _, err := theirs.UpdateInstance(ctx, theirs.caller, service.DefaultInstance, "", service.InstanceInput{
		InstanceSpec: service.InstanceSpec{Name: service.DefaultInstance, HostNames: []string{"theirs.example.com"}},
	}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, host, path, appCode string
		errCode                   int
		data                      string
	}{
		{"ours, of any host", "", "/code", c.credentials.AppCode, 0, `[{"n":1}]`},
		{"theirs, of their host", "theirs.example.com:8081", "/code", theirs.credentials.AppCode, 0, `[{"n":2}]`},
		{"our app at theirs", "theirs.example.com", "/code", c.credentials.AppCode, 40302, ""},
		{"their app at ours", "", "/code", theirs.credentials.AppCode, 40302, ""},
		{"their open API at their host", "theirs.example.com", "/theirs", "", 0, `[{"n":2}]`},
		{"their open API at any other host", "ours.example.com", "/theirs", "", 40401, ""},
		{"our open API at their host", "theirs.example.com", "/open", "", 40401, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := at(test.host, test.path, test.appCode); got.ErrCode != test.errCode || test.errCode == 0 && string(got.Data) != test.data {
				t.Errorf("the answer is %s", got)
			}
		})
	}
	if _, err := theirs.UpdateInstance(ctx, theirs.caller, service.DefaultInstance, "", service.InstanceInput{
		InstanceSpec: service.InstanceSpec{Name: service.DefaultInstance},
	}); err != nil {
		t.Fatal(err)
	}
	if got := at("theirs.example.com", "/theirs", ""); got.ErrCode != 40401 {
		t.Errorf("after the host name is gone: %s", got)
	}
}

// TestAuthorizationsChangeWithoutALostOrAStolenCall calls all the time while apps are
// authorized, given up, rotated and deleted.
func TestAuthorizationsChangeWithoutALostOrAStolenCall(t *testing.T) {
	c := newConsumers(t, options{})
	ctx := t.Context()
	c.authorize(t, "/code", c.app, nil)
	stop := make(chan struct{})
	var callers sync.WaitGroup
	var calls atomic.Int32
	for range 4 {
		callers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				got, err := c.try(ctx, http.MethodGet, "/code", "X-Apig-AppCode", c.credentials.AppCode)
				if err != nil || got.Status != http.StatusOK {
					t.Errorf("the app that stays is answered %s, %v", got, err)
					return
				}
				calls.Add(1)
			}
		})
	}
	for i := range 15 {
		app, err := c.CreateApp(ctx, c.caller, service.AppInput{AppSpec: service.AppSpec{Name: fmt.Sprintf("guest_%d", i)}})
		if err != nil {
			t.Fatal(err)
		}
		credentials, err := c.AppCredentials(ctx, c.caller, app.ID)
		if err != nil {
			t.Fatal(err)
		}
		expect := func(what string, errCode int) {
			t.Helper()
			if got := c.call(t, http.MethodGet, "/code", "X-Apig-AppCode", credentials.AppCode); got.ErrCode != errCode {
				t.Errorf("%s: %s, want %d", what, got, errCode)
			}
		}
		expect("at once after it is made", 40302)
		z := c.authorize(t, "/code", app, nil)
		expect("at once after it is authorized", 0)
		if _, err := c.RevokeAuthorization(ctx, c.caller, z.ID, service.RevokeInput{RevokeAs: service.SideApp}); err != nil {
			t.Fatal(err)
		}
		expect("at once after it gave that up", 40307)
		now := 0
		if _, err := c.RotateApp(ctx, c.caller, app.ID, service.RotateInput{OverlapHours: &now}); err != nil {
			t.Fatal(err)
		}
		expect("at once after its AppCode was replaced", 40105)
		if err := c.DeleteApp(ctx, c.caller, app.ID, ""); err != nil {
			t.Fatal(err)
		}
		expect("at once after it is gone", 40110)
	}
	close(stop)
	callers.Wait()
	t.Logf("%d calls meanwhile", calls.Load())
}

func TestTheAccessLogNamesTheAppAndNoSecret(t *testing.T) {
	var log lockedBuffer
	c := newConsumers(t, options{logger: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	c.authorize(t, "/code", c.app, nil)
	for _, change := range []func(*http.Request){c.sign(t, ""), set("X-Apig-AppCode", c.credentials.AppCode), set("X-Auth-Token", c.token)} {
		c.request(t, http.MethodGet, "/code", "", change)
	}
	text := log.String()
	if n := strings.Count(text, `"app":"shop"`); n != 2 {
		t.Errorf("the app is named %d times in\n%s", n, text)
	}
	for _, secret := range []string{c.credentials.Secret, c.credentials.AppCode, c.credentials.WebhookSecret, c.token} {
		if strings.Contains(text, secret) {
			t.Error("the log has a secret")
		}
	}
}

func TestASignatureIsGoodForTheParametersThatWereSignedAlone(t *testing.T) {
	m := newMirror(t)
	c := newConsumers(t, options{})
	d := registered(m.URL, "/in", service.MethodGet)
	d.Path, d.AuthType, d.AllowAppCode = "/kinds", service.AuthApp, true
	d.RequestParameters = map[string]service.RequestParameter{"X-Kind": {Type: service.TypeString, Position: service.PositionHeader}}
	c.published["/kinds"] = c.publish(t, c.api(t, "kinds", d), "")
	c.authorize(t, "/kinds", c.app, nil)
	for _, test := range []struct {
		name    string
		errCode int
		change  []func(*http.Request)
	}{
		{"a signed parameter", 0, []func(*http.Request){set("X-Kind", "a"), c.sign(t, "", "x-kind")}},
		{"none", 0, []func(*http.Request){c.sign(t, "")}},
		{"an unsigned one", 40108, []func(*http.Request){c.sign(t, ""), set("X-Kind", "b")}},
		{"an unsigned one, of who does not sign right", 40104, []func(*http.Request){c.sign(t, "other"), set("X-Kind", "b")}},
		{"a signed one that was changed", 40104, []func(*http.Request){set("X-Kind", "a"), c.sign(t, "", "x-kind"), func(r *http.Request) { r.Header.Set("X-Kind", "b") }}},
		{"a signed one that is said to be for the gateway alone", 40108, []func(*http.Request){set("X-Kind", "a"), c.sign(t, "", "x-kind"), set("Connection", "close, X-Kind")}},
		{"an unsigned one with an AppCode", 0, []func(*http.Request){set("X-Apig-AppCode", c.credentials.AppCode, "X-Kind", "b")}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m.last.Store(nil)
			got := c.request(t, http.MethodGet, "/kinds", "", test.change...)
			if reached := m.last.Load() != nil; got.ErrCode != test.errCode || reached != (test.errCode == 0) {
				t.Errorf("the answer is %s, and that the backend was reached is %t", got, reached)
			}
		})
	}
}

func TestAChangeOfAppsThatTheStoreHidIsCaughtUp(t *testing.T) {
	failing := &failingStore{}
	c := newConsumers(t, options{store: func(s lifecycle.Store) lifecycle.Store {
		failing.Store = s
		return failing
	}})
	z := c.authorize(t, "/code", c.app, nil)
	second, err := c.CreateApp(t.Context(), c.caller, service.AppInput{AppSpec: service.AppSpec{Name: "second"}})
	if err != nil {
		t.Fatal(err)
	}
	credentials, err := c.AppCredentials(t.Context(), c.caller, second.ID)
	if err != nil {
		t.Fatal(err)
	}
	c.authorize(t, "/code", second, nil)
	c.authorize(t, "/member", c.iam, nil)
	calls := map[string]func() answer{
		"an authorization that was given up": func() answer {
			return c.request(t, http.MethodGet, "/code", "", set("X-Apig-AppCode", c.credentials.AppCode))
		},
		"an app whose AppCode was replaced": func() answer {
			return c.request(t, http.MethodGet, "/code", "", set("X-Apig-AppCode", credentials.AppCode))
		},
		"a token that was revoked": func() answer { return c.request(t, http.MethodGet, "/member", "", set("X-Auth-Token", c.token)) },
	}
	for name, call := range calls {
		if got := call(); got.Status != http.StatusOK {
			t.Fatalf("%s, before: %s", name, got)
		}
	}
	tokens, err := c.Tokens(t.Context(), c.caller, lifecycle.Page{})
	if err != nil {
		t.Fatal(err)
	}
	failing.broken.Store(true) // for the gateway alone, which misses what happens now
	if _, err := c.RevokeAuthorization(t.Context(), c.caller, z.ID, service.RevokeInput{RevokeAs: service.SideApp}); err != nil {
		t.Fatal(err)
	}
	none := 0
	if _, err := c.RotateApp(t.Context(), c.caller, second.ID, service.RotateInput{OverlapHours: &none}); err != nil {
		t.Fatal(err)
	}
	if err := c.RevokeToken(t.Context(), c.caller, tokens.Items[len(tokens.Items)-1].ID); err != nil {
		t.Fatal(err)
	}
	if err := c.gateway.Stale(); !errors.Is(err, errStoreDown) {
		t.Errorf("the gateway says of itself: %v", err)
	}
	for name, call := range calls {
		if got := call(); got.Status != http.StatusOK {
			t.Errorf("%s, while the store does not answer: %s", name, got)
		}
	}
	failing.broken.Store(false)
	eventually(t, "the gateway has caught up", func() bool { return c.gateway.Stale() == nil })
	want := map[string]int{"an authorization that was given up": 40307, "an app whose AppCode was replaced": 40105, "a token that was revoked": 40114}
	for name, call := range calls {
		if got := call(); got.ErrCode != want[name] {
			t.Errorf("%s: %s", name, got)
		}
	}
}
