// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheStoryStartsWithoutWhatTerraformLeftInTheExample(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	for _, name := range []string{
		"main.tf", "countries.sql", "review/main.tf",
		"terraform.tfstate", "terraform.tfstate.backup", ".terraform.lock.hcl", "review/decision.auto.tfvars",
		".terraform/modules/main.tf", "review/.terraform/providers/plugin", "world/main.go",
	} {
		path := filepath.Join(from, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := copyConfiguration(to, from); err != nil {
		t.Fatal(err)
	}
	var got []string
	err := filepath.WalkDir(to, func(path string, entry fs.DirEntry, err error) error {
		if name, _ := filepath.Rel(to, path); err == nil && !entry.IsDir() {
			got = append(got, filepath.ToSlash(name))
		}
		return err
	})
	if want := []string{"countries.sql", "main.tf", "review/main.tf"}; err != nil || !cmp.Equal(got, want) {
		t.Errorf("the story starts with %v (%v), want %v", got, err, want)
	}
}
