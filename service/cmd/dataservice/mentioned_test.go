// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// What stands in the documentation and is of other programs, or of programs beside this one.
var (
	foreignFlags = map[string][]string{
		"curl":       {"--data-raw", "--fail", "--fail-with-body", "--silent", "--show-error", "--header", "--cacert", "--output"},
		"psql":       {"--no-owner", "--single-transaction", "--exit-on-error", "--dbname", "--owner", "--host", "--format", "--file"},
		"head":       {"--head"},
		"kubectl":    {"--from-file", "--cert", "--key", "--namespace"},
		"systemctl":  {"--now", "--signal"},
		"apt-get":    {"--no-install-recommends"},
		"prometheus": {"--storage", "--web"},
		"git":        {"--tags"},
		"goreleaser": {"--clean"},
		"cosign":     {"--output-signature"},
		"gpg":        {"--verify"},
		"sha256sum":  {"--check", "--ignore-missing"},
		"podman":     {"--build-arg", "--chown", "--from", "--interval", "--timeout", "--start-period"},
	}
	foreignVariables = []string{
		// The client of the examples.
		"DATASERVICE_APP_KEY", "DATASERVICE_APP_SECRET", "DATASERVICE_APP_CODE",
		// Where tests find their servers.
		"DATASERVICE_TEST_POSTGRES", "DATASERVICE_TEST_MYSQL", "DATASERVICE_TEST_REQUIRE_SERVERS", "DATASERVICE_TEST_SCREENSHOTS",
		// What an audit demands.
		"DATASERVICE_AUDIT_REQUIRE_VULNDB",
	}
)

// model is every command with its flags.
func model(t *testing.T) *kong.Application {
	t.Helper()
	parser, err := newParser(&commandLine{}, io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return parser.Model
}

// everyFlag returns the flags of all commands.
func everyFlag(n *kong.Node) (all []*kong.Flag) {
	all = slices.Clone(n.Flags)
	for _, child := range n.Children {
		all = append(all, everyFlag(child)...)
	}
	return all
}

// knownVariables are those of the flags, and those that the provider reads.
func knownVariables(t *testing.T) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	for _, name := range foreignVariables {
		known[name] = true
	}
	for _, f := range everyFlag(model(t).Node) {
		for _, name := range f.Envs {
			known[name] = true
		}
	}
	sources, err := filepath.Glob(filepath.Join("..", "..", "..", "provider", "*.go"))
	if err != nil || len(sources) == 0 {
		t.Fatalf("the provider is not there: %v", err)
	}
	for _, source := range sources {
		text, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(source, "_test.go") {
			for _, m := range regexp.MustCompile(`"(DATASERVICE_[A-Z0-9_]+)"`).FindAllSubmatch(text, -1) {
				known[string(m[1])] = true
			}
		}
	}
	return known
}

// documentation reads what people read, by its name in the repository. What is generated is left
// out: it is checked where it is made.
func documentation(t *testing.T) map[string]string {
	t.Helper()
	root := filepath.Join("..", "..", "..")
	texts := map[string]string{}
	for _, top := range []string{"templates", "examples", "deploy", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			name, _ := filepath.Rel(root, path)
			texts[name] = string(text)
			return err
		})
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	return texts
}

var (
	flagInText     = regexp.MustCompile(`(?:^|[\s"'` + "`" + `(\[/,])(--[a-z][a-z0-9-]*[a-z0-9])`)
	variableInText = regexp.MustCompile(`\bDATASERVICE_[A-Z0-9_]*[A-Z0-9]\b`)
)

func TestEachFlagAndVariableInTheDocumentationExists(t *testing.T) {
	known := map[string]bool{"--help": true, "--version": true}
	for _, f := range everyFlag(model(t).Node) {
		known["--"+f.Name] = true
	}
	foreign := map[string]bool{}
	for _, flags := range foreignFlags {
		for _, f := range flags {
			foreign[f] = true
		}
	}
	variables := knownVariables(t)
	for name, text := range documentation(t) {
		number := 0
		for line := range strings.Lines(text) {
			number++
			for _, m := range flagInText.FindAllStringSubmatch(line, -1) {
				if !known[m[1]] && !foreign[m[1]] {
					t.Errorf("%s:%d: there is no flag %s", name, number, m[1])
				}
			}
			for _, v := range variableInText.FindAllString(line, -1) {
				if !variables[v] {
					t.Errorf("%s:%d: there is no variable %s", name, number, v)
				}
			}
		}
	}
}

func TestEachFlagAndVariableIsInTheDocumentation(t *testing.T) {
	var all strings.Builder
	for _, text := range documentation(t) {
		all.WriteString(text)
	}
	text := all.String()
	mentioned := map[string]bool{}
	for _, m := range flagInText.FindAllStringSubmatch(text, -1) {
		mentioned[m[1]] = true
	}
	for _, v := range variableInText.FindAllString(text, -1) {
		mentioned[v] = true
	}
	for _, f := range everyFlag(model(t).Node) {
		if f.Name == "help" {
			continue
		}
		for _, name := range append([]string{"--" + f.Name}, f.Envs...) {
			if !mentioned[name] {
				t.Errorf("nothing is said of %s", name)
			}
		}
	}
}
