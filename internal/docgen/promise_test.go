// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// promiseFile has what users of the last release rely on; until the first, what they will.
var promiseFile = filepath.Join("internal", "docgen", "testdata", "promise.txt")

func TestWhatTheLastReleasePromisedIsKept(t *testing.T) {
	text, err := os.ReadFile(promiseFile)
	if err != nil {
		t.Fatal(err)
	}
	earlier := parseSurface(text)
	if len(earlier) < 1000 {
		t.Fatalf("%s has %d lines, which is not all", promiseFile, len(earlier))
	}
	now, err := currentSurface(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if sentences := now.broken(earlier); len(sentences) > 0 {
		t.Errorf("Configurations, clients or dashboards of the last release would break:\n  %s\n"+
			"The guide \"Upgrading\" says what a minor version may change, and how something is deprecated. Where the change is one that it allows, or nothing is released yet, run\n"+
			"  go run ./internal/docgen -promise %s", strings.Join(sentences, "\n  "), promiseFile)
	}
}

func TestWhatBreaksUsersIsTold(t *testing.T) {
	earlier := surface{
		"resource dataservice_api": "there", "resource dataservice_api: path": "string required", "resource dataservice_api: name": "string optional",
		"resource dataservice_api: revision": "number computed", "resource dataservice_api: script": "nested:single optional",
		"resource dataservice_api: script.sql": "string required", "GET /apis": "there", "GET /apis: query limit": "integer optional",
		"json APIInput: path": "string required/-", "json APIInput: mode = SCRIPT": "there", "json API: path": "string -/always",
		"metric calls_total": "counter api, status", "serve --listen": "DATASERVICE_LISTEN",
	}
	for says, c := range map[string]struct {
		change map[string]string // "" removes
		want   string
	}{
		"nothing changes":                               {nil, ""},
		"an optional attribute is new":                  {map[string]string{"resource dataservice_api: owner": "string optional"}, ""},
		"a required attribute is new":                   {map[string]string{"resource dataservice_api: owner": "string required"}, "resource dataservice_api: owner is new, and must be given"},
		"a required attribute is new in what was there": {map[string]string{"resource dataservice_api: script.kind": "string required"}, "resource dataservice_api: script.kind is new, and must be given"},
		"a required attribute is in something new":      {map[string]string{"resource dataservice_api: mock": "nested:single optional", "resource dataservice_api: mock.body": "string required"}, ""},
		"a resource is new, with what it requires":      {map[string]string{"resource dataservice_quota": "there", "resource dataservice_quota: calls": "number required"}, ""},
		"an attribute is gone":                          {map[string]string{"resource dataservice_api: name": ""}, "resource dataservice_api: name is gone"},
		"a type is another":                             {map[string]string{"resource dataservice_api: revision": "string computed"}, `resource dataservice_api: revision was "number computed" and is "string computed"`},
		"what was optional is required":                 {map[string]string{"resource dataservice_api: name": "string required"}, `resource dataservice_api: name was "string optional" and is "string required"`},
		"what was required is optional":                 {map[string]string{"resource dataservice_api: path": "string optional"}, ""},
		"what was computed can be set too":              {map[string]string{"resource dataservice_api: revision": "number optional+computed"}, ""},
		"what was computed is to be set":                {map[string]string{"resource dataservice_api: revision": "number optional"}, `resource dataservice_api: revision was "number computed" and is "number optional"`},
		"a call is gone":                                {map[string]string{"GET /apis": ""}, "GET /apis is gone"},
		"a parameter must be sent":                      {map[string]string{"GET /apis: query limit": "integer required"}, `GET /apis: query limit was "integer optional" and is "integer required"`},
		"a field must be sent":                          {map[string]string{"json APIInput: owner": "string required/-"}, "json APIInput: owner is new, and must be given"},
		"a value is not taken any more":                 {map[string]string{"json APIInput: mode = SCRIPT": ""}, "json APIInput: mode = SCRIPT is gone"},
		"a field may be missing in answers":             {map[string]string{"json API: path": "string -/maybe"}, `json API: path was "string -/always" and is "string -/maybe"`},
		"answers have one field more":                   {map[string]string{"json API: owner": "string -/always"}, ""},
		"a metric has one label more":                   {map[string]string{"metric calls_total": "counter api, environment, status"}, ""},
		"a metric has one label less":                   {map[string]string{"metric calls_total": "counter api"}, `metric calls_total was "counter api, status" and is "counter api"`},
		"a flag is gone":                                {map[string]string{"serve --listen": ""}, "serve --listen is gone"},
		"a flag is set by another variable":             {map[string]string{"serve --listen": "LISTEN"}, `serve --listen was "DATASERVICE_LISTEN" and is "LISTEN"`},
	} {
		t.Run(says, func(t *testing.T) {
			now := maps.Clone(earlier)
			for key, value := range c.change {
				if now[key] = value; value == "" {
					delete(now, key)
				}
			}
			if got := strings.Join(now.broken(earlier), "; "); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestTheSurfaceIsReadAsItIsWritten(t *testing.T) {
	now, err := currentSurface(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if again := parseSurface(now.text()); !maps.Equal(again, now) {
		t.Errorf("of %d lines %d come back", len(now), len(again))
	}
	for _, key := range []string{
		"provider: endpoint", "resource dataservice_api: script.sql", "identity dataservice_api: id", "data dataservice_catalog", "function script_parameters",
		"ephemeral dataservice_token", "action dataservice_api_debug", "list dataservice_app", "POST /api/v1/workspaces/{workspace}/apis",
		"json APIInput: auth_type = IAM", "metric dataservice_backend_connections_idle", "serve --listen", "gateway --instance", "errCode 40401", "code NOT_FOUND",
	} {
		if _, there := now[key]; !there {
			t.Errorf("there is nothing of %s", key)
		}
	}
}
