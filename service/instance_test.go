// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

func TestAHostNameIsADNSNameInLowerCase(t *testing.T) {
	long := strings.Repeat("a", 63)
	for host, want := range map[string]string{
		"api.example.com": "", "localhost": "", "a": "", "xn--bcher-kva.example": "", "1.2.3.example": "", "a-b.c-d.e1": "", long + ".example": "",
		"":                              "is not a host name",
		"API.example.com":               `Write host names in lower case: "api.example.com"`,
		"api.example.com:8080":          "is not a host name",
		"https://api.example.com":       "is not a host name",
		"api.example.com/":              "is not a host name",
		"api.example.com.":              "is not a host name",
		"api_v1.example.com":            "is not a host name",
		"-a.example.com":                "is not a host name",
		"a-.example.com":                "is not a host name",
		"a..example.com":                "is not a host name",
		"10.0.0.1":                      "is not a host name",
		"[::1]":                         "is not a host name",
		"*.example.com":                 "is not a host name",
		"bücher.example":                "is not a host name",
		long + "a.example":              "is not a host name",
		strings.Repeat(long+".", 4):     "is not a host name",
		strings.Repeat("a.", 127) + "b": "is not a host name",
	} {
		err := service.InstanceSpec{Name: "edge", HostNames: []string{host}}.Validate()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "/host_names/0")) {
			t.Errorf("%q: %v, want %q", host, err, want)
		}
	}
	err := service.InstanceSpec{Name: "edge", HostNames: []string{"a.example.com", "b.example.com", "a.example.com"}}.Validate()
	if err == nil || !strings.Contains(err.Error(), `/host_names/2: "a.example.com" stands here twice.`) {
		t.Errorf("twice the same: %v", err)
	}
	many := make([]string, service.MaxHostNames+1)
	for i := range many {
		many[i] = fmt.Sprintf("h%d.example.com", i)
	}
	if err := (service.InstanceSpec{Name: "edge", HostNames: many}).Validate(); err == nil {
		t.Error("more host names than allowed pass")
	}
	if err := (service.InstanceSpec{Name: "edge", HostNames: many[1:]}).Validate(); err != nil {
		t.Errorf("as many host names as allowed: %v", err)
	}
}

func TestNamesOfWorkspacesAndInstances(t *testing.T) {
	for name, good := range map[string]bool{
		"ab": true, "sales-2026": true, "Sales_EU": true, strings.Repeat("a", 64): true,
		"": false, "a": false, "1st": false, "sales eu": false, "sales~1": false, "büro": false, strings.Repeat("a", 65): false,
	} {
		if err := (service.WorkspaceInput{Name: name}).Validate(); (err == nil) != good {
			t.Errorf("workspace %q: %v", name, err)
		}
		if err := (service.InstanceSpec{Name: name}).Validate(); (err == nil) != good {
			t.Errorf("instance %q: %v", name, err)
		}
	}
	long := strings.Repeat("x", service.MaxDescriptionLength+1)
	if service.ErrorCode((service.WorkspaceInput{Name: "ab", Description: long}).Validate()) != service.CodeInvalid {
		t.Error("a workspace's description of any length passes")
	}
	if service.ErrorCode((service.InstanceSpec{Name: "ab", Description: long}).Validate()) != service.CodeInvalid {
		t.Error("an instance's description of any length passes")
	}
}

func TestATokenLivesForHoursOrSeconds(t *testing.T) {
	for _, c := range []struct {
		in      service.TokenInput
		life    time.Duration
		invalid string
	}{
		{in: service.TokenInput{}, life: 90 * 24 * time.Hour},
		{in: service.TokenInput{ExpiresInHours: 1}, life: time.Hour},
		{in: service.TokenInput{ExpiresInSeconds: 300}, life: 5 * time.Minute},
		{in: service.TokenInput{ExpiresInHours: service.MaxTokenHours}, life: 366 * 24 * time.Hour},
		{in: service.TokenInput{ExpiresInSeconds: 366 * 24 * 3600}, life: 366 * 24 * time.Hour},
		{in: service.TokenInput{ExpiresInHours: service.MaxTokenHours + 1}, invalid: "/expires_in_hours"},
		{in: service.TokenInput{ExpiresInHours: -1}, invalid: "/expires_in_hours"},
		{in: service.TokenInput{ExpiresInSeconds: 366*24*3600 + 1}, invalid: "/expires_in_seconds"},
		{in: service.TokenInput{ExpiresInSeconds: -1}, invalid: "/expires_in_seconds"},
		{in: service.TokenInput{ExpiresInHours: 1, ExpiresInSeconds: 1}, invalid: "/expires_in_seconds"},
		{in: service.TokenInput{Description: strings.Repeat("x", 256)}, invalid: "/description"},
	} {
		err := c.in.Validate()
		if c.invalid == "" && (err != nil || c.in.Life() != c.life) {
			t.Errorf("%+v lives for %s (%v), want %s", c.in, c.in.Life(), err, c.life)
		}
		if c.invalid != "" && (err == nil || !strings.Contains(err.Error(), c.invalid+": ")) {
			t.Errorf("%+v: %v, want an error at %s", c.in, err, c.invalid)
		}
	}
}

func TestAdminsOfTheFirstWorkspaceManageWorkspaces(t *testing.T) {
	first, other := service.Workspace{Name: service.DefaultWorkspace}, service.Workspace{Name: "sales"}
	for _, role := range service.Roles {
		m := service.Member{Name: "m", Role: role}
		if may := m.AuthorizeWorkspaces(first) == nil; may != (role == service.RoleAdmin) {
			t.Errorf("%s of the first workspace may manage workspaces: %t", role, may)
		}
		if code := service.ErrorCode(m.AuthorizeWorkspaces(other)); code != service.CodeForbidden {
			t.Errorf("%s of another workspace: %q", role, code)
		}
	}
}
