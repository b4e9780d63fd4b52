// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGroupRulesBlameTheirField(t *testing.T) {
	for name, tt := range map[string]struct {
		group GroupSpec
		want  []string
	}{
		"a valid group":             {GroupSpec{Name: "sales", Description: "All that is sold"}, nil},
		"a name of three letters":   {GroupSpec{Name: "abc"}, []string{"/name"}},
		"a name with a space":       {GroupSpec{Name: "all sales"}, []string{"/name"}},
		"no name":                   {GroupSpec{}, []string{"/name"}},
		"a description without end": {GroupSpec{Name: "sales", Description: strings.Repeat("x", 2001)}, []string{"/description"}},
	} {
		if diff := cmp.Diff(tt.want, pointers(tt.group.Validate())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestFolderRulesBlameTheirField(t *testing.T) {
	name, none := []string{"/name"}, []string(nil)
	for folder, want := range map[string][]string{
		"a":                     none,
		"2026":                  none,
		"orders by region":      none,
		"_internal-1":           none,
		"Bücher":                none,
		"订单":                    none,
		"हिन्दी":                none, // with combining marks
		strings.Repeat("é", 64): none,
		strings.Repeat("é", 65): name,
		"":                      name,
		" ":                     name,
		" orders":               name,
		"orders ":               name,
		"a/b":                   name,
		"a.b":                   name,
		"a\tb":                  name,
		"a\n":                   name,
		"a\u00a0b":              name,
		"\u0301a":               name,
	} {
		if diff := cmp.Diff(want, pointers(FolderSpec{Name: folder, GroupID: "g"}.Validate())); diff != "" {
			t.Errorf("the name %q (-want +got):\n%s", folder, diff)
		}
	}
	if diff := cmp.Diff([]string{"/group_id"}, pointers(FolderSpec{Name: "a"}.Validate())); diff != "" {
		t.Errorf("no group (-want +got):\n%s", diff)
	}
}

func TestAFolderHasItsPlace(t *testing.T) {
	above := func(n int) []Folder {
		ancestors := make([]Folder, n)
		for i := range ancestors {
			ancestors[i].ID = strings.Repeat("a", i+1)
		}
		return ancestors
	}
	for name, tt := range map[string]struct {
		id        string
		ancestors []Folder
		height    int
		says      string
	}{
		"directly in the group":                 {"f", nil, 1, ""},
		"as the eighth":                         {"f", above(7), 1, ""},
		"as the ninth":                          {"f", above(8), 1, "9 folders would lie in each other"},
		"with seven levels in it, in the group": {"f", nil, 8, ""},
		"with seven levels in it, in a folder":  {"f", above(1), 8, "9 folders"},
		"in itself":                             {"a", above(1), 1, "cannot lie in itself"},
		"in what lies in it":                    {"aaa", above(3), 2, "cannot lie in itself"},
	} {
		err := Folder{ID: tt.id}.CheckPlace(tt.ancestors, tt.height)
		if (err == nil) != (tt.says == "") || err != nil && (!strings.Contains(err.Error(), tt.says) || pointers(err)[0] != "/parent_id") {
			t.Errorf("a folder %s: %v, want %q", name, err, tt.says)
		}
	}
}

func TestWhatIsPrivateIsChangedByOwnerAndAdmins(t *testing.T) {
	api := API{OwnerID: "dev", APISpec: APISpec{Visibility: VisibilityPrivate}}
	for name, tt := range map[string]struct {
		member        Member
		changes, open bool
	}{
		"the owner":          {Member{ID: "dev", Role: RoleDeveloper}, true, false},
		"an admin":           {Member{ID: "root", Role: RoleAdmin}, true, false},
		"another developer":  {Member{ID: "dev2", Role: RoleDeveloper}, false, false},
		"a reviewer":         {Member{ID: "rev", Role: RoleDeveloper, Reviewer: true}, false, true},
		"an operator":        {Member{ID: "ops", Role: RoleOperator}, false, false},
		"a visitor":          {Member{ID: "guest", Role: RoleVisitor}, false, false},
		"a reviewing admin":  {Member{ID: "root", Role: RoleAdmin, Reviewer: true}, true, true},
		"the owner, visitor": {Member{ID: "dev", Role: RoleVisitor}, true, false},
	} {
		if got := tt.member.MayChange(api.PrivateTo()); got != tt.changes {
			t.Errorf("%s may change it: %t, want %t", name, got, tt.changes)
		}
		if got := tt.member.SeesApplications(); got != tt.open {
			t.Errorf("%s sees its applications: %t, want %t", name, got, tt.open)
		}
		public := API{OwnerID: "dev", APISpec: APISpec{Visibility: VisibilityWorkspace}}
		if !tt.member.MayChange(public.PrivateTo()) {
			t.Errorf("%s is kept from what is not private", name)
		}
	}
}
