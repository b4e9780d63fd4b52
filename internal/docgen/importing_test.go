// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The Terraform that the examples are applied with may be too old for identities and
// lists: these examples are held against the schema here.

// assignment is an attribute in a block of an example.
var assignment = regexp.MustCompile(`^([a-z_]+) += `)

// assigned returns the attributes that the innermost block of an example sets.
func assigned(t *testing.T, file, begin string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(file))
	if err != nil {
		t.Fatal(err)
	}
	_, inner, found := strings.Cut(string(text), begin+" {\n")
	inner, _, closed := strings.Cut(inner, "\n  }\n")
	if !found {
		return nil
	}
	if !closed {
		t.Fatalf("%s: %s has no end", file, begin)
	}
	names := map[string]bool{}
	for line := range strings.Lines(inner) {
		match := assignment.FindStringSubmatch(strings.TrimSpace(line))
		if match == nil {
			t.Fatalf("%s: %q sets no attribute", file, line)
		}
		names[match[1]] = true
	}
	return names
}

func begins(t *testing.T, file, line string) {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(file))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains("\n"+string(text), "\n"+line) {
		t.Errorf("%s has no line that begins with %q", file, line)
	}
}

func TestTheExamplesOfIdentitiesAndListsAreThoseOfTheSchema(t *testing.T) {
	p, err := providerSchema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name := range p.Resources {
		identity, list := p.Identities[name], p.ListResources[name]
		file := fmt.Sprintf("examples/resources/%s/import-by-identity.tf", name)
		begins(t, file, fmt.Sprintf("  to = %s.", name))
		set := assigned(t, file, "identity =")
		for attribute := range set {
			if _, known := identity.Attributes[attribute]; !known {
				t.Errorf("%s sets %s, which is no part of the identity", file, attribute)
			}
		}
		for attribute, a := range identity.Attributes {
			if a.RequiredForImport && !set[attribute] {
				t.Errorf("%s lacks %s", file, attribute)
			}
		}
		file = fmt.Sprintf("examples/list-resources/%s/list-resource.tfquery.hcl", name)
		begins(t, file, fmt.Sprintf("list %q ", name))
		for attribute := range assigned(t, file, "config") {
			if _, known := list.Block.Attributes[attribute]; !known {
				t.Errorf("%s sets %s, which is no part of the filter", file, attribute)
			}
		}
	}
	if len(p.Identities) != len(p.Resources) || len(p.ListResources) != len(p.Resources) {
		t.Errorf("%d resources have %d identities and %d lists", len(p.Resources), len(p.Identities), len(p.ListResources))
	}
}

func TestTheGuideToImportingNamesInputsOfTheSchema(t *testing.T) {
	p, err := providerSchema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.FromSlash("templates/guides/importing.md.tmpl"))
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| `(dataservice_[a-z]+)` \\| (`[^|]*`) \\|")
	rows := row.FindAllStringSubmatch(string(text), -1)
	if len(rows) == 0 {
		t.Fatal("the guide has no table of inputs")
	}
	for _, r := range rows {
		for name := range strings.SplitSeq(r[2], ", ") {
			a, known := p.Resources[r[1]].Block.Attributes[strings.Trim(name, "`")]
			if !known || !a.Optional {
				t.Errorf("%s has no input %s", r[1], name)
			}
		}
	}
}
