// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

func (tf *terraform) lister() tfprotov6.ListResourceServer {
	tf.t.Helper()
	server, ok := tf.server.(tfprotov6.ListResourceServer)
	if !ok {
		tf.t.Fatal("the provider lists nothing")
	}
	return server
}

// lists goes through what a list block finds. Each result is handed over as it comes.
func (tf *terraform) lists(resource string, filter map[string]any, limit int64, each func(tfprotov6.ListResourceResult) bool) {
	tf.t.Helper()
	server := tf.lister()
	p := &protocol{t: tf.t, typ: tf.schemas.ListResourceSchemas[resource].ValueType()}
	config := p.dynamic(p.value(p.typ, filter))
	valid, err := server.ValidateListResourceConfig(tf.t.Context(), &tfprotov6.ValidateListResourceConfigRequest{TypeName: resource, Config: config})
	if err != nil {
		tf.t.Fatal(err)
	}
	wantNoErrors(tf.t, fmt.Sprintf("the filter %v of %s", filter, resource), valid.Diagnostics)
	stream, err := server.ListResource(tf.t.Context(), &tfprotov6.ListResourceRequest{TypeName: resource, Config: config, IncludeResource: true, Limit: limit})
	if err != nil {
		tf.t.Fatal(err)
	}
	stream.Results(each)
}

// found are the results of a list that ends without an error, by what people call them.
func (tf *terraform) found(resource string, filter map[string]any, limit int64) map[string]tfprotov6.ListResourceResult {
	tf.t.Helper()
	results := map[string]tfprotov6.ListResourceResult{}
	tf.lists(resource, filter, limit, func(r tfprotov6.ListResourceResult) bool {
		if len(r.Diagnostics) > 0 {
			tf.t.Fatalf("the list of %s says %v", resource, findings(r.Diagnostics))
		}
		if _, twice := results[r.DisplayName]; twice {
			tf.t.Errorf("the list of %s has %q twice", resource, r.DisplayName)
		}
		results[r.DisplayName] = r
		return true
	})
	return results
}

func TestEveryResourceIsListed(t *testing.T) {
	t.Parallel()
	h := newInhabited(t)
	pending, withdrawn := h.apply("waiting"), h.apply("withdrawn")
	if _, err := h.developer.Cancel(t.Context(), withdrawn.ID, service.ActionInput{}); err != nil {
		t.Fatal(err)
	}
	orders, publication, reviewed := h.id(apiType), h.id(publicationType), h.things[reviewType].text(t, "publication_id")
	const decision = "revision 1 of customers in RELEASE, approved by admin"
	type filtered struct {
		filter map[string]any
		want   []string
	}
	all := map[string][]filtered{
		workspaceType:   {{nil, []string{"default", "tenant"}}, {map[string]any{"name_contains": "TEN"}, []string{"tenant"}}},
		instanceType:    {{nil, []string{"default", "edge"}}, {map[string]any{"name_contains": "ed"}, []string{"edge"}}},
		environmentType: {{map[string]any{"name_contains": "stage"}, []string{"STAGE"}}, {map[string]any{"instance_id": h.id(instanceType)}, []string{"RELEASE"}}},
		memberType:      {{nil, []string{"admin", "dev", "erin"}}, {map[string]any{"role": "OPERATOR"}, []string{"erin"}}},
		connectionType:  {{nil, []string{"orders"}}, {map[string]any{"engine": "MYSQL"}, nil}},
		groupType:       {{nil, []string{"sales"}}, {map[string]any{"name_contains": "other"}, nil}},
		folderType:      {{nil, []string{"east"}}, {map[string]any{"group_id": h.id(groupType)}, []string{"east"}}, {map[string]any{"parent_id": h.id(folderType)}, nil}},
		apiType: {
			{nil, []string{"customers", "orders", "waiting", "withdrawn"}},
			{map[string]any{"group_id": h.id(groupType)}, []string{"orders"}},
			{map[string]any{"folder_id": h.id(folderType)}, []string{"orders"}},
			{map[string]any{"name_contains": "w"}, []string{"waiting", "withdrawn"}},
			{map[string]any{"mode": "WIZARD"}, nil},
		},
		publicationType: {
			{nil, []string{"customers in RELEASE", "orders in RELEASE", "waiting in RELEASE"}},
			{map[string]any{"api_id": orders}, []string{"orders in RELEASE"}},
			{map[string]any{"status": "PUBLISH_WAIT_REVIEW"}, []string{"waiting in RELEASE"}},
			{map[string]any{"environment_id": h.id(environmentType)}, nil},
			{map[string]any{"environment_id": service.ReleaseEnvironmentID, "status": "PUBLISHED"}, []string{"customers in RELEASE", "orders in RELEASE"}},
		},
		reviewType: {
			{nil, []string{decision}},
			{map[string]any{"status": "REJECTED"}, nil},
			{map[string]any{"publication_id": reviewed, "api_revision": 1, "kind": "PUBLISH"}, []string{decision}},
			{map[string]any{"publication_id": pending.ID}, nil},
		},
		appType: {{nil, []string{"shop"}}, {map[string]any{"owner": "admin"}, []string{"shop"}}, {map[string]any{"owner": "dev"}, nil}},
		authorizationType: {
			{nil, []string{"shop for orders in RELEASE"}},
			{map[string]any{"api_id": orders, "app_id": h.id(appType), "status": "ACTIVE"}, []string{"shop for orders in RELEASE"}},
			{map[string]any{"publication_id": publication}, []string{"shop for orders in RELEASE"}},
			{map[string]any{"publication_id": reviewed}, nil},
		},
	}
	for resource := range h.tf.schemas.ResourceSchemas {
		t.Run(resource, func(t *testing.T) {
			tf := h.tf.in(t)
			if tf.schemas.ListResourceSchemas[resource] == nil || len(all[resource]) == 0 {
				t.Fatal("it is not listed, or nothing is expected of its list")
			}
			for _, f := range all[resource] {
				var got []string
				for name := range tf.found(resource, f.filter, 0) {
					got = append(got, name)
				}
				slices.Sort(got)
				if diff := cmp.Diff(f.want, got); diff != "" {
					t.Errorf("with the filter %v (-want +got):\n%s", f.filter, diff)
				}
			}
			for name, result := range tf.found(resource, all[resource][0].filter, 0) {
				imported, diagnostics := tf.imported(resource, "", result.Identity)
				wantNoErrors(t, "importing "+name, diagnostics)
				if diff := cmp.Diff(tf.identityValues(resource, imported.identity), tf.identityValues(resource, result.Identity)); diff != "" {
					t.Errorf("%s has another identity than what is imported by it (-imported +listed):\n%s", name, diff)
				}
				if shown := tf.unmarshal(tf.of(resource).typ, result.Resource); !shown.Equal(imported.state) {
					differences, err := shown.Diff(imported.state)
					t.Errorf("%s is listed otherwise than a refresh reads it: %v %v", name, differences, err)
				}
			}
		})
	}
	if n := len(h.tf.schemas.ListResourceSchemas); n != len(all) {
		t.Errorf("%d resources are listed, and the test knows %d", n, len(all))
	}
}

func TestAFilterThatNothingCanMeetIsRefused(t *testing.T) {
	t.Parallel()
	tf := newTerraform(t, unknown{}, "x")
	server := tf.lister()
	for resource, filter := range map[string]map[string]any{
		publicationType:   {"status": "OFFLINE"},
		reviewType:        {"status": "PENDING"},
		authorizationType: {"status": "REVOKED"},
		apiType:           {"group_id": "sales"},
		memberType:        {"role": "OWNER"},
	} {
		p := &protocol{t: t, typ: tf.schemas.ListResourceSchemas[resource].ValueType()}
		valid, err := server.ValidateListResourceConfig(t.Context(), &tfprotov6.ValidateListResourceConfigRequest{TypeName: resource, Config: p.dynamic(p.value(p.typ, filter))})
		if err != nil {
			t.Fatal(err)
		}
		if errs := errorsOf(valid.Diagnostics); len(errs) != 1 || filter[errs[0].at] == nil {
			t.Errorf("%s with %v: %v", resource, filter, errs)
		}
		var ends []string
		tf.lists(resource, nil, 0, func(r tfprotov6.ListResourceResult) bool {
			for _, f := range errorsOf(r.Diagnostics) {
				ends = append(ends, f.text)
			}
			return true
		})
		if len(ends) != 1 || !strings.Contains(ends[0], "The provider is not configured") {
			t.Errorf("the list of %s by a provider without an endpoint ends with %q", resource, ends)
		}
	}
}

func TestAListComesPageByPageAndEndsWithAnErrorAfterWhatWasFound(t *testing.T) {
	t.Parallel()
	h := newInhabited(t)
	for i := range 2*listPageSize + 5 {
		if _, err := h.admin.CreateGroup(t.Context(), service.GroupInput{GroupSpec: service.GroupSpec{Name: fmt.Sprintf("group%03d", i)}}); err != nil {
			t.Fatal(err)
		}
	}
	named := map[string]any{"name_contains": "group"}
	for limit, want := range map[int64]int{0: 2*listPageSize + 5, 1: 1, listPageSize: listPageSize, listPageSize + 50: listPageSize + 50, 1000: 2*listPageSize + 5} {
		if got := h.tf.found(groupType, named, limit); len(got) != want {
			t.Errorf("a list of at most %d has %d results, want %d", limit, len(got), want)
		}
	}
	t.Run("who takes no more is asked no more", func(t *testing.T) {
		n := 0
		h.tf.lists(groupType, named, 0, func(tfprotov6.ListResourceResult) bool { n++; return n < 3 })
		if n != 3 {
			t.Errorf("%d results came to one who took three", n)
		}
	})
	t.Run("the service goes away after the first page", func(t *testing.T) {
		n, errs := 0, []finding(nil)
		h.tf.lists(groupType, nil, 0, func(r tfprotov6.ListResourceResult) bool {
			if errs = append(errs, errorsOf(r.Diagnostics)...); len(errs) == 0 {
				n++
			}
			if n == 1 {
				h.Kill()
			}
			return true
		})
		if n != listPageSize || len(errs) != 1 || !strings.Contains(errs[0].text, "Cannot list groups") {
			t.Errorf("%d results came, and then %v; want %d and one error", n, errs, listPageSize)
		}
	})
}
