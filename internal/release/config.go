// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"go.yaml.in/yaml/v3"
)

// These types are what this program knows of .goreleaser.yml. A field that is not here is an
// error when the file is read: what is added there is built here too, or not at all.
type (
	config struct {
		Version     int
		ProjectName string `yaml:"project_name"`
		Before      struct{ Hooks []string }
		Builds      []buildConfig
		Archives    []archiveConfig
		SBOMs       []sbomConfig `yaml:"sboms"`
		Checksum    checksumConfig
		Signs       yaml.Node // what needs a key is goreleaser's
		Release     yaml.Node // as is what leaves the machine
		Changelog   yaml.Node
	}
	buildConfig struct {
		ID, Main, Binary string
		Env              []string
		ModTimestamp     string `yaml:"mod_timestamp"`
		Flags, LDFlags   []string
		GOOS, GOARCH     []string
	}
	archiveConfig struct {
		ID           string
		IDs, Formats []string
		NameTemplate string   `yaml:"name_template"`
		BuildsInfo   fileInfo `yaml:"builds_info"`
		Files        []struct {
			Src  string
			Info fileInfo
		}
	}
	fileInfo struct {
		MTime string
		Mode  os.FileMode
	}
	sbomConfig struct {
		ID             string
		IDs            []string
		Artifacts, Cmd string
		Args           []string
		Documents      []string
	}
	checksumConfig struct {
		NameTemplate string `yaml:"name_template"`
		Algorithm    string
		IDs          []string // of what the checksums are of
		ExtraFiles   []struct {
			Glob         string
			NameTemplate string `yaml:"name_template"`
		} `yaml:"extra_files"`
	}
)

// readConfig reads the file in the folder of a clone.
func readConfig(clone string) (*config, error) {
	text, err := os.ReadFile(filepath.Join(clone, ".goreleaser.yml"))
	if err != nil {
		return nil, err
	}
	return parseConfig(text)
}

func parseConfig(text []byte) (*config, error) {
	var c config
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&c); err != nil {
		return nil, fmt.Errorf(".goreleaser.yml: %w", err)
	}
	return &c, c.check()
}

// check refuses values that this program builds otherwise than goreleaser does.
func (c *config) check() error {
	refuse := func(format string, args ...any) error {
		return fmt.Errorf(".goreleaser.yml: "+format+"; teach internal/release to do it", args...)
	}
	if c.Version != 2 {
		return refuse("version %d", c.Version)
	}
	for _, a := range c.Archives {
		if len(a.Formats) != 1 || a.Formats[0] != "zip" {
			return refuse("archive %s has the formats %v", a.ID, a.Formats)
		}
		for _, f := range a.Files {
			if strings.ContainsAny(f.Src, "*?[{") {
				return refuse("archive %s names its files by the pattern %s", a.ID, f.Src)
			}
		}
	}
	for _, s := range c.SBOMs {
		if s.Artifacts != "binary" || len(s.Documents) != 1 {
			return refuse("bill of materials %s is made of %q as %v", s.ID, s.Artifacts, s.Documents)
		}
	}
	if c.Checksum.Algorithm != "sha256" {
		return refuse("checksums are %s", c.Checksum.Algorithm)
	}
	for _, a := range c.Archives {
		if !slices.Contains(c.Checksum.IDs, a.ID) {
			return refuse("archive %s is not among what the checksums are of", a.ID)
		}
	}
	for _, s := range c.SBOMs {
		if !slices.Contains(c.Checksum.IDs, s.ID) {
			return refuse("bill of materials %s is not among what the checksums are of", s.ID)
		}
	}
	for _, h := range c.Before.Hooks {
		if h != "go mod download" {
			return refuse("a hook runs %q before", h)
		}
	}
	return nil
}

// program returns the build with that id.
func (c *config) program(id string) (buildConfig, error) {
	for _, b := range c.Builds {
		if b.ID == id {
			return b, nil
		}
	}
	return buildConfig{}, fmt.Errorf(".goreleaser.yml: there is no build %q", id)
}

// values are what the templates of the file may name.
type values struct {
	ProjectName, Version, Os, Arch string
	CommitDate                     string
	CommitTimestamp                int64
}

// expand fills in a template of the file.
func (v values) expand(text string) (string, error) {
	t, err := template.New("").Option("missingkey=error").Parse(text)
	if err != nil {
		return "", fmt.Errorf(".goreleaser.yml: %w", err)
	}
	var b strings.Builder
	if err := t.Execute(&b, v); err != nil {
		return "", fmt.Errorf(".goreleaser.yml: %q: %w", text, err)
	}
	return b.String(), nil
}

func (v values) expandAll(texts []string) ([]string, error) {
	expanded := make([]string, 0, len(texts))
	for _, text := range texts {
		e, err := v.expand(text)
		if err != nil {
			return nil, err
		}
		expanded = append(expanded, e)
	}
	return expanded, nil
}
