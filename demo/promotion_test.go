// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// promotion applies a configuration that has a module.
func (s *stage) promotion(t *testing.T) {
	s.Database("world_development.db", `CREATE TABLE currencies (code TEXT PRIMARY KEY, symbol TEXT);
		CREATE TABLE region_currencies (region_code TEXT NOT NULL, currency_code TEXT NOT NULL);
		INSERT INTO currencies VALUES ('AAA', 'a'), ('BBB', 'b');
		INSERT INTO region_currencies VALUES ('CH', 'AAA'), ('CH', 'BBB')`)
	w := s.workdir(s.member(t, service.MemberInput{Name: "lead", Role: service.RoleAdmin, Reviewer: true}))
	if err := os.CopyFS(w.Dir, os.DirFS(filepath.Join(s.root, "examples", "promotion"))); err != nil {
		t.Fatal(err)
	}
	w.Run("init", "-no-color").Succeeds(t)
	w.Apply().Succeeds(t)
	admin := s.Client(s.AdminToken())
	if e, err := admin.Environment(t.Context(), "DEV"); err != nil || e.ReviewRequired || e.NoticeHours != 0 {
		t.Errorf("development demands %+v (%v), want no review and no notice", e.Policy, err)
	}
	w.Plan().Succeeds(t, "No changes")
	s.wantStage(t, "DEV", `{"code":"AAA","symbol":"a"},{"code":"BBB","symbol":"b"}`)
	s.wantStage(t, "RELEASE", `"code":"CHF"`)

	module := filepath.Join("api", "main.tf")
	w.Write(module, strings.Replace(w.Read(module), "ORDER BY code", "ORDER BY code DESC", 1))
	w.Set("production_revision=1").Apply().Succeeds(t, "0 added, 2 changed, 0 destroyed")
	s.wantStage(t, "DEV", `{"code":"BBB","symbol":"b"},{"code":"AAA","symbol":"a"}`)
	w.Plan().Succeeds(t, "No changes")
	w.Set("production_revision=2").Apply().Succeeds(t, "0 added, 1 changed, 0 destroyed", `"production" = 2`)
	w.Plan().Succeeds(t, "No changes")
	w.Destroy().Succeeds(t)
	s.WantCall("/currencies-of?region=CH", http.StatusNotFound)
	if _, err := admin.Environment(t.Context(), "DEV"); !client.IsNotFound(err) {
		t.Errorf("after the destroy development is still there (%v)", err)
	}
}

// wantStage calls the promoted API in an environment and checks that the answer holds the text.
func (s *stage) wantStage(t *testing.T, environment, want string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Gateway+"/currencies-of?region=CH", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Stage", environment)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
		t.Errorf("%s answers %d %s, want %s", environment, resp.StatusCode, body, want)
	}
}
