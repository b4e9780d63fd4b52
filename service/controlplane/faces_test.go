// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane_test

import (
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/controlplane"
)

// logIn is the body of a request for a token by name and password.
func logIn(domain, name, password string) string {
	return `{"auth": {"identity": {"methods": ["password"], "password": {"user": {"domain": {"name": "` + domain + `"}, "name": "` + name + `", "password": "` + password + `"}}},
		"scope": {"project": {"name": "` + domain + `"}}}}`
}

func TestAMemberGetsATokenAsKeystoneGivesIt(t *testing.T) {
	p := newPlane(t)
	var key service.CreatedAccessKey
	p.must(201, "dev", "POST", "/access-keys", service.AccessKeyInput{}).decode(&key)
	ask := func(body string) reply {
		t.Helper()
		return p.send(request{method: "POST", path: "/v3/auth/tokens", body: body})
	}
	for name, body := range map[string]string{
		"the secret of an access key": logIn("default", "dev", key.Secret),
		"a token as the password":     logIn("default", "dev", p.tokens["dev"]),
		"a token":                     `{"auth": {"identity": {"methods": ["token"], "token": {"id": "` + p.tokens["dev"] + `"}}, "scope": {"project": {"id": "100001"}}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			got := ask(body)
			token := got.header.Get("X-Subject-Token")
			if got.status != 201 || token == "" || strings.Contains(string(got.body), token) {
				t.Fatalf("%d, a token of %d bytes: %s", got.status, len(token), got.body)
			}
			var answer struct {
				Token struct {
					User, Project struct{ ID, Name string }
				}
			}
			got.decode(&answer)
			if answer.Token.User.Name != "dev" || answer.Token.Project.Name != "default" {
				t.Errorf("it is %s", got.body)
			}
			// It opens the vendors' calls and the native ones.
			for _, path := range []string{"/v3/projects?name=default", "/v3/auth/domains", "/api/v1/whoami"} {
				if got := p.send(request{method: "GET", path: path, headers: map[string]string{"X-Auth-Token": token}}); got.status != 200 || !strings.Contains(string(got.body), answer.Token.Project.ID) {
					t.Errorf("GET %s: %d %s", path, got.status, got.body)
				}
			}
		})
	}
	for name, test := range map[string]struct {
		body   string
		status int
	}{
		"another password":      {logIn("default", "dev", "x"), 401},
		"another member":        {logIn("default", "rev", key.Secret), 401},
		"another workspace":     {logIn("elsewhere", "dev", key.Secret), 401},
		"a token for another":   {`{"auth": {"identity": {"methods": ["token"], "token": {"id": "` + p.tokens["dev"] + `"}}, "scope": {"project": {"id": "x"}}}}`, 401},
		"a token that is none":  {`{"auth": {"identity": {"methods": ["token"], "token": {"id": "x"}}}}`, 401},
		"no method":             {`{}`, 400},
		"a method that is none": {`{"auth": {"identity": {"methods": ["totp"]}}}`, 400},
		"no JSON":               {`x`, 400},
		"a body without an end": {strings.Repeat(" ", 70<<10), 400},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ask(test.body); got.status != test.status || got.header.Get("X-Subject-Token") != "" || !strings.Contains(string(got.body), `"message":"`) {
				t.Errorf("%d %s", got.status, got.body)
			}
		})
	}
	if got := p.send(request{method: "GET", path: "/v3/projects?name=another", headers: map[string]string{"X-Auth-Token": p.tokens["dev"]}}); got.status != 200 || !strings.Contains(string(got.body), `"projects":[]`) {
		t.Errorf("another project: %d %s", got.status, got.body)
	}
	if got := p.send(request{method: "GET", path: "/v3/projects"}); got.status != 401 {
		t.Errorf("without a token: %d", got.status)
	}
	if log := p.log.String(); strings.Contains(log, key.Secret) || !strings.Contains(log, `"operation":"keystone.CreateToken","member":"dev"`) {
		t.Error("the log tells a secret, or not who called what")
	}
}

func TestCallsOfFacesCountAgainstTheMembersRate(t *testing.T) {
	p := newPlane(t, func(o *controlplane.Options) { o.Rate, o.Burst = 0.01, 20 })
	call := request{method: "GET", path: "/v3/projects", headers: map[string]string{"X-Auth-Token": p.tokens["guest"]}}
	for range 20 {
		if got := p.send(call); got.status != 200 {
			t.Fatalf("%d %s", got.status, got.body)
		}
	}
	if got := p.send(call); got.status != 429 || got.header.Get("Retry-After") == "" {
		t.Errorf("%d %s", got.status, got.body)
	}
}
