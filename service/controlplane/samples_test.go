// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane_test

import (
	"fmt"
	"regexp"
	"strings"
)

// sample is a call of an operation. A word in braces stands for a thing that is filled in.
// query and body are none where "".
type sample struct{ path, query, body string }

// samples holds calls of every operation, which together name each thing that the
// operation can name; one that names nothing has a call without braces. The first one is
// what makes a difference between roles.
var samples = map[string][]sample{
	"who-am-i": {{path: "/api/v1/whoami"}},

	"create-workspace":  {{path: "/api/v1/workspaces", body: `{"name": "third"}`}},
	"list-workspaces":   {{path: "/api/v1/workspaces"}},
	"get-workspace":     {{path: "/api/v1/workspaces/{workspace}"}},
	"update-workspace":  {{path: "/api/v1/workspaces/{workspace}", body: `{"name": "taken_over"}`}},
	"delete-workspace":  {{path: "/api/v1/workspaces/{workspace}"}},
	"issue-admin-token": {{path: "/api/v1/workspaces/{workspace}/admin-tokens", body: `{}`}},

	"create-connection": {{path: "/connections", body: `{"name": "another", "engine": "SQLITE", "file": "copy.db"}`}},
	"list-connections":  {{path: "/connections"}},
	"validate-connection": {
		{path: "/connections/validate", query: "connection={connection}", body: `{"name": "another", "engine": "SQLITE", "file": "copy.db"}`},
	},
	"get-connection":    {{path: "/connections/{connection}"}},
	"update-connection": {{path: "/connections/{connection}", body: `{"name": "taken_over", "engine": "SQLITE", "file": "copy.db"}`}},
	"delete-connection": {{path: "/connections/{connection}"}},

	"create-group": {{path: "/groups", body: `{"name": "another"}`}},
	"list-groups":  {{path: "/groups"}},
	"get-group":    {{path: "/groups/{group}"}},
	"update-group": {{path: "/groups/{group}", body: `{"name": "taken_over"}`}},
	"delete-group": {{path: "/groups/{group}"}},

	"create-folder": {{path: "/folders", body: `{"name": "another", "group_id": "{group}", "parent_id": "{folder}"}`}},
	"list-folders":  {{path: "/folders", query: "group_id={group}&parent_id={folder}"}},
	"get-folder":    {{path: "/folders/{folder}"}},
	"update-folder": {{path: "/folders/{folder}", body: `{"name": "taken_over", "group_id": "{group}"}`}},
	"delete-folder": {{path: "/folders/{folder}"}},

	"create-api": {{path: "/apis", body: definition("another", "/another")}},
	"validate-api": {
		{path: "/apis/validate", body: definition("another", "/another")},
		{path: "/apis/validate", query: "api={api}", body: definition("another", "/another")},
	},
	"list-apis":        {{path: "/apis", query: "group_id={group}&folder_id={folder}&mode=SCRIPT&visibility=WORKSPACE&debug_status=SUCCESS&owner=dev&search=a"}},
	"get-api":          {{path: "/apis/{api}"}},
	"update-api":       {{path: "/apis/{api}", body: definition("taken_over", "/taken-over")}},
	"delete-api":       {{path: "/apis/{api}"}},
	"describe-api":     {{path: "/apis/{api}/openapi"}},
	"get-debug-report": {{path: "/apis/{api}/debug"}, {path: "/apis/{api}/debug", query: "revision=1"}},
	"debug-api":        {{path: "/apis/{api}/debug", body: `{"parameters": {"country": "NO"}}`}},

	"publish": {
		{path: "/publications", body: `{"api_id": "{api}", "api_revision": 1}`},
		{path: "/publications", body: `{"api_id": "{api}", "environment_id": "{environment}", "api_revision": 1}`},
		{path: "/publications", body: `{"api_id": "{api}", "environment_id": "{environment}", "api_revision": 1, "connection_id": "{connection}"}`},
	},
	"publish-batch": {
		{path: "/publications/batch", body: `{"items": [{"api_id": "{api}", "api_revision": 1}]}`},
		{path: "/publications/batch", body: `{"items": [{"api_id": "{api}", "environment_id": "{environment}", "api_revision": 1, "connection_id": "{connection}"}]}`},
	},
	"list-publications": {
		{path: "/publications", query: "api_id={api}"}, {path: "/publications", query: "environment_id={environment}"},
	},
	"get-publication":      {{path: "/publications/{publication}"}},
	"delete-publication":   {{path: "/publications/{publication}"}},
	"describe-publication": {{path: "/publications/{publication}/openapi"}},
	"list-versions":        {{path: "/publications/{publication}/versions"}},
	"compare-versions":     {{path: "/publications/{publication}/versions/compare", query: "from=V1&to=V1"}},
	"get-version":          {{path: "/publications/{publication}/versions/V1"}},
	"suspend":              {{path: "/publications/{publication}/suspend", body: `{}`}},
	"restore":              {{path: "/publications/{publication}/restore", body: `{}`}},
	"unpublish":            {{path: "/publications/{publication}/unpublish", body: `{}`}},
	"cancel":               {{path: "/publications/{publication}/cancel", body: `{}`}},

	"list-reviews":  {{path: "/reviews"}, {path: "/reviews", query: "publication_id={publication}"}, {path: "/reviews", query: "api_id={api}&environment_id={environment}&applicant=dev"}},
	"get-review":    {{path: "/reviews/{review}"}},
	"approve":       {{path: "/reviews/{review}/approve", body: `{}`}},
	"reject":        {{path: "/reviews/{review}/reject", body: `{"comment": "No."}`}},
	"cancel-review": {{path: "/reviews/{review}/cancel", body: `{}`}},

	"create-environment":     {{path: "/environments", body: `{"name": "ANOTHER"}`}, {path: "/environments", body: `{"name": "ANOTHER", "instance_id": "{instance}"}`}},
	"list-environments":      {{path: "/environments"}},
	"get-environment":        {{path: "/environments/{environment}"}},
	"update-environment":     {{path: "/environments/{environment}", body: `{"name": "TAKEN_OVER"}`}},
	"get-environment-rights": {{path: "/environments/{environment}/rights"}},
	"describe-environment":   {{path: "/environments/{environment}/openapi"}, {path: "/environments/{environment}/openapi", query: "group_id={group}&folder_id={folder}&mode=SCRIPT&search=a"}},
	"delete-environment":     {{path: "/environments/{environment}"}},

	"create-instance": {{path: "/instances", body: `{"name": "another", "host_names": ["another.example.com"]}`}},
	"list-instances":  {{path: "/instances"}},
	"get-instance":    {{path: "/instances/{instance}"}},
	"update-instance": {{path: "/instances/{instance}", body: `{"name": "taken_over"}`}},
	"delete-instance": {{path: "/instances/{instance}"}},

	"create-member": {{path: "/members", body: `{"name": "another", "role": "VISITOR"}`}},
	"list-members":  {{path: "/members"}},
	"get-member":    {{path: "/members/{member}"}},
	"update-member": {{path: "/members/{member}", body: `{"name": "dev", "role": "VISITOR"}`}},
	"delete-member": {{path: "/members/{member}"}, {path: "/members/admin", query: "hand_over_to={member}"}},

	"create-app":          {{path: "/apps", body: `{"name": "another"}`}, {path: "/apps", body: `{"name": "another", "owner_id": "{member}"}`}},
	"list-apps":           {{path: "/apps"}, {path: "/apps", query: "owner={member}"}},
	"get-app":             {{path: "/apps/{app}"}},
	"update-app":          {{path: "/apps/{app}", body: `{"name": "taken_over"}`}, {path: "/apps/{app}", body: `{"name": "own_app", "owner_id": "{member}"}`}},
	"delete-app":          {{path: "/apps/{app}"}},
	"get-app-credentials": {{path: "/apps/{app}/credentials"}},
	"rotate-app":          {{path: "/apps/{app}/rotate", body: `{}`}},

	"authorize": {{path: "/authorizations", body: `{"api_id": "{api}", "environment_id": "{environment}", "app_id": "{app}"}`}},
	"list-authorizations": {
		{path: "/authorizations"},
		{path: "/authorizations", query: "publication_id={publication}"},
		{path: "/authorizations", query: "api_id={api}"},
		{path: "/authorizations", query: "environment_id={environment}"},
		{path: "/authorizations", query: "app_id={app}"},
	},
	"get-authorization":    {{path: "/authorizations/{authorization}"}},
	"revoke-authorization": {{path: "/authorizations/{authorization}/revoke", body: `{}`}, {path: "/authorizations/{authorization}/revoke", body: `{"revoke_as": "APP"}`}},
	"cancel-authorization": {{path: "/authorizations/{authorization}/cancel", body: `{}`}},

	"list-notices": {
		{path: "/notices"},
		{path: "/notices", query: "publication_id={publication}"},
		{path: "/notices", query: "api_id={api}"},
		{path: "/notices", query: "environment_id={environment}"},
		{path: "/notices", query: "authorization_id={authorization}"},
		{path: "/notices", query: "app_id={app}"},
		{path: "/notices", query: "app_owner_id={member}"},
	},
	"get-notice":      {{path: "/notices/{notice}"}},
	"confirm-notice":  {{path: "/notices/{notice}/confirm", body: `{}`}},
	"list-deliveries": {{path: "/apps/{app}/deliveries"}},
	"redeliver":       {{path: "/apps/{app}/deliveries/{delivery}/redeliver", body: `{}`}},

	"create-access-key": {{path: "/access-keys", body: `{"member": "{member}"}`}},
	"list-access-keys":  {{path: "/access-keys"}},
	"delete-access-key": {{path: "/access-keys/{access_key}"}},

	"issue-token":  {{path: "/tokens", body: `{"member": "{member}"}`}},
	"list-tokens":  {{path: "/tokens"}},
	"revoke-token": {{path: "/tokens/{token}"}},

	"list-published-apis": {{path: "/catalog", query: "environment={environment}"}, {path: "/catalog", query: "environment={environment}&group_id={group}&folder_id={folder}&mode=SCRIPT&search=a"}},
	"get-published-api":   {{path: "/catalog/{api}"}, {path: "/catalog/{api}", query: "environment={environment}"}},

	"list-events":   {{path: "/events"}},
	"export-events": {{path: "/events/export"}},
	"verify-events": {{path: "/events/verification"}},
}

// definition is an API whose references are to be filled in.
func definition(name, path string) string {
	return fmt.Sprintf(`{"name": %q, "group_id": "{group}", "folder_id": "{folder}", "path": %q, "method": "GET", "auth_type": "NONE", "connection_id": "{connection}",
		"script": {"sql": "SELECT capital FROM capitals"}, "response_parameters": {"capital": {"type": "STRING"}}}`, name, path)
}

var thing = regexp.MustCompile(`\{([a-z]+)\}`)

// filled puts refs in the place of the words in braces.
func filled(text string, refs map[string]string) string {
	return thing.ReplaceAllStringFunc(text, func(word string) string {
		if ref, ok := refs[strings.Trim(word, "{}")]; ok {
			return ref
		}
		return word
	})
}
