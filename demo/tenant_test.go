// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// tenant is a workspace in which nothing else happens, with the token of an admin who has
// the reviewer right.
type tenant struct {
	*stage
	t         *testing.T
	workspace string
	token     string
	client    *client.Client
}

// tenant makes a workspace for a folder. The page about all workspaces is for the one from
// the start.
func (s *stage) tenant(t *testing.T, folder string) *tenant {
	t.Helper()
	p := &tenant{stage: s, t: t, workspace: service.DefaultWorkspace, token: s.AdminToken()}
	if folder != "resources/dataservice_workspace" {
		p.workspace = strings.NewReplacer("/", "_", "-", "_").Replace(folder)
		admin := s.Client(s.AdminToken())
		if _, err := admin.CreateWorkspace(t.Context(), service.WorkspaceInput{Name: p.workspace}); err != nil {
			t.Fatal(err)
		}
		token, err := admin.IssueAdminToken(t.Context(), p.workspace, service.TokenInput{})
		if err != nil {
			t.Fatal(err)
		}
		p.token = token.Secret
	}
	p.client = p.as(p.token)
	if _, err := p.client.UpdateMember(t.Context(), "admin", service.MemberInput{Name: "admin", Role: service.RoleAdmin, Reviewer: true}); err != nil {
		t.Fatal(err)
	}
	return p
}

// of is the same for a part of the test.
func (p *tenant) of(t *testing.T) *tenant {
	part := *p
	part.t = t
	return &part
}

// as is a client with another token of the workspace.
func (p *tenant) as(token string) *client.Client {
	p.t.Helper()
	c, err := client.New(client.Config{Endpoint: p.ControlPlane, Token: token, Workspace: p.workspace, MaxRetries: 4})
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

// collections are where the native API lists what a configuration can make.
var collections = []string{
	"connections", "groups", "folders", "apis", "instances", "environments", "members", "apps", "authorizations", "publications",
}

// holds lists what there is in the workspace, and which workspaces there are.
func (p *tenant) holds() (records []string) {
	p.t.Helper()
	paths := []string{"/api/v1/workspaces"}
	for _, c := range collections {
		paths = append(paths, "/api/v1/workspaces/"+p.workspace+"/"+c)
	}
	for _, path := range paths {
		req, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.ControlPlane+path+"?limit=500", nil)
		if err != nil {
			p.t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+p.token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			p.t.Fatal(err)
		}
		var list service.List[struct {
			ID     string         `json:"id"`
			Name   string         `json:"name"`
			Status service.Status `json:"status"` // of a publication
		}]
		err = json.NewDecoder(resp.Body).Decode(&list)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || list.Next != "" {
			p.t.Fatalf("%s answers %d, %v, and more after %q", path, resp.StatusCode, err, list.Next)
		}
		for _, r := range list.Items {
			// The record of a publication stays as long as its API.
			if ended := []service.Status{service.StatusCreated, service.StatusOffline}; !slices.Contains(ended, r.Status) {
				records = append(records, strings.TrimSpace(path[strings.LastIndex(path, "/")+1:]+" "+r.ID+" "+r.Name))
			}
		}
	}
	return records
}

// wantNothingMore checks that the workspace holds nothing that it did not hold before.
func (p *tenant) wantNothingMore(before []string) {
	p.t.Helper()
	for _, record := range p.holds() {
		if !slices.Contains(before, record) {
			p.t.Errorf("the destroy leaves %s behind", record)
		}
	}
}
