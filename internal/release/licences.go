// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// allowedLicences are those that what is built into the programs may have (SPDX). Each lets a
// program under MPL-2.0 be given away with it, and asks for no more than its own text beside it.
// OFL-1.1 is for fonts, which a module may bring without their being built in.
var allowedLicences = []string{"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "blessing", "ISC", "MIT", "MPL-2.0", "OFL-1.1"}

// readLicences are those of files in which no licence is recognized, by the file's path with
// its module. Somebody read them.
var readLicences = map[string][]string{
	"modernc.org/libc/LICENSE-3RD-PARTY.md": {"BSD-3-Clause", "MIT"}, // Go, and musl with its many notices
	"modernc.org/memory/LICENSE-LOGO":       {"BSD-3-Clause"},        // of a picture that is not built in; the code is as its LICENSE says
	"modernc.org/sqlite/LICENSE-SQLITE":     {"blessing"},            // SQLite is in the public domain
}

const licencesFile = "THIRD_PARTY_LICENSES.md"

func licencesCommand(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("licences", flag.ContinueOnError)
	check := flags.Bool("check", false, "write nothing, and fail where the file is not what would be written")
	if err := flags.Parse(args); err != nil {
		return err
	}
	c, err := readConfig(".")
	if err != nil {
		return err
	}
	parts, err := builtIn(ctx, c)
	if err != nil {
		return err
	}
	text, err := licencesText(parts)
	if err != nil {
		return err
	}
	if !*check {
		return os.WriteFile(licencesFile, []byte(text), 0o644) //nolint:gosec // it is published
	}
	if old, err := os.ReadFile(licencesFile); err != nil || string(old) != text {
		return fmt.Errorf("%s is not up to date: run `make generate` and commit it", licencesFile)
	}
	fmt.Printf("%d parts are built in, each under a licence that is allowed, and %s has them.\n", len(parts), licencesFile)
	return nil
}

// part is a module of which something is built into one of the programs, on one of the
// platforms at least.
type part struct {
	path, version, dir string
	folders            map[string]bool // those of its packages
	in                 map[string]bool // the programs
}

// builtIn lists the modules that the programs are made of, over all platforms.
func builtIn(ctx context.Context, c *config) ([]*part, error) {
	parts := map[string]*part{}
	targets, err := c.targets(nil)
	if err != nil {
		return nil, err
	}
	for _, program := range c.Builds {
		for _, target := range targets {
			goos, goarch, _ := strings.Cut(target, "/")
			cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-json=Dir,Module", program.Main)
			cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch)
			cmd.Stderr = os.Stderr
			out, err := cmd.Output()
			if err != nil {
				return nil, fmt.Errorf("go list for %s: %w", target, err)
			}
			if err := addPackages(parts, program.ID, string(out)); err != nil {
				return nil, err
			}
		}
	}
	goRoot, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("go env GOROOT: %w", err)
	}
	root := strings.TrimSpace(string(goRoot))
	list := []*part{{
		path: "Go, its runtime and standard library", version: "that of the build", dir: root, folders: map[string]bool{root: true},
		in: map[string]bool{"provider": true, "service": true},
	}}
	for _, p := range parts {
		list = append(list, p)
	}
	slices.SortFunc(list[1:], func(a, b *part) int { return cmp.Compare(a.path, b.path) })
	return list, nil
}

func addPackages(parts map[string]*part, program, listed string) error {
	for decoder := json.NewDecoder(strings.NewReader(listed)); ; {
		var p struct {
			Dir    string
			Module *struct {
				Path, Version, Dir string
				Main               bool
			}
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if p.Module == nil || p.Module.Main { // the standard library, or this
			continue
		}
		m := parts[p.Module.Path]
		if m == nil {
			m = &part{path: p.Module.Path, version: p.Module.Version, dir: p.Module.Dir, folders: map[string]bool{}, in: map[string]bool{}}
			parts[p.Module.Path] = m
		}
		m.in[program] = true
		for dir := p.Dir; len(dir) >= len(m.dir); dir = filepath.Dir(dir) {
			m.folders[dir] = true
		}
	}
}

// licenceFile is what a file with a licence is called, noticeFile one whose text is to go with it.
var (
	licenceFile = regexp.MustCompile(`(?i)^([a-z0-9]+[-_.])?(un)?(licen[cs]e|copying|copyright)([-_.].*)?$`)
	noticeFile  = regexp.MustCompile(`(?i)^(notice|patents)(\..*)?$`)
)

// document is a file that goes with a part.
type document struct {
	name, text string
	licences   []string // none for a notice
}

// documents reads the licences of a part: those at its root, and those beside its packages.
func (p *part) documents() (found []document, err error) {
	folders := make([]string, 0, len(p.folders))
	for folder := range p.folders {
		folders = append(folders, folder)
	}
	slices.Sort(folders)
	for _, folder := range folders {
		entries, err := os.ReadDir(folder)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			isLicence := licenceFile.MatchString(e.Name()) && filepath.Ext(e.Name()) != ".go"
			if e.IsDir() || !isLicence && !noticeFile.MatchString(e.Name()) {
				continue
			}
			data, err := os.ReadFile(filepath.Join(folder, e.Name()))
			if err != nil {
				return nil, err
			}
			name, err := filepath.Rel(p.dir, filepath.Join(folder, e.Name()))
			if err != nil {
				return nil, err
			}
			d := document{name: filepath.ToSlash(name), text: strings.TrimSpace(strings.ReplaceAll(string(data), "\r\n", "\n"))}
			if isLicence {
				if d.licences, err = recognize(p.path+"/"+d.name, data); err != nil {
					return nil, err
				}
			}
			found = append(found, d)
		}
	}
	return found, nil
}

// recognize tells the licences of a text.
func recognize(path string, text []byte) (licences []string, err error) {
	if read := readLicences[path]; read != nil {
		return read, nil
	}
	coverage := licensecheck.Scan(text)
	for _, m := range coverage.Match {
		if id := strings.TrimSuffix(m.ID, "-Header"); !m.IsURL && !slices.Contains(licences, id) {
			licences = append(licences, id)
		}
	}
	if len(licences) == 0 || coverage.Percent < 60 {
		return nil, fmt.Errorf("%s: no known licence is recognized (%v, %.0f %% of the text): read it, and name it in readLicences, or do without the module", path, licences, coverage.Percent)
	}
	return licences, nil
}

// licencesText is the file: who has which licence, and the texts, each once.
func licencesText(parts []*part) (string, error) {
	var table, texts strings.Builder
	type holder struct{ text, of string }
	var held []holder
	for _, p := range parts {
		documents, err := p.documents()
		if err != nil {
			return "", err
		}
		var licences []string
		for _, d := range documents {
			licences = append(licences, d.licences...)
			at := slices.IndexFunc(held, func(h holder) bool { return h.text == d.text })
			if of := fmt.Sprintf("%s, %s", p.path, d.name); at < 0 {
				held = append(held, holder{text: d.text, of: of})
			} else {
				held[at].of += "\n" + of
			}
		}
		slices.Sort(licences)
		licences = slices.Compact(licences)
		if len(licences) == 0 {
			return "", fmt.Errorf("%s %s comes without a licence", p.path, p.version)
		}
		for _, l := range licences {
			if !slices.Contains(allowedLicences, l) {
				return "", fmt.Errorf("%s %s has the licence %s; allowed are %s", p.path, p.version, l, strings.Join(allowedLicences, ", "))
			}
		}
		programs := map[bool]string{true: "both"}[len(p.in) == 2]
		for id := range p.in {
			programs = cmp.Or(programs, id)
		}
		fmt.Fprintf(&table, "| %s | %s | %s | %s |\n", p.path, p.version, strings.Join(licences, ", "), programs)
	}
	for _, h := range held {
		fmt.Fprintf(&texts, "\n%s\n\n%s\n%s\n%s\n", strings.Repeat("=", 80), h.of, strings.Repeat("-", 80), h.text)
	}
	fence := "~~~~~~~~text"
	return "# What the programs are made of\n\n" +
		"<!-- Generated by `make generate`; do not edit. -->\n\n" +
		"Parts of these are built into the provider, the service or both, on one platform or more. Their licences follow, each text once.\n\n" +
		"| part | version | licences (SPDX) | in |\n|---|---|---|---|\n" + table.String() +
		"\n" + fence + texts.String() + strings.TrimSuffix(fence, "text") + "\n", nil
}
