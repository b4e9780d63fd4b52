// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// The programs, platforms and files of a release are those that a provider registry and the
// documentation name.
func TestTheConfigurationIsReadWhole(t *testing.T) {
	c, err := readConfig(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	targets, err := c.targets(nil)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(targets)
	want := "darwin/amd64 darwin/arm64 freebsd/amd64 freebsd/arm64 linux/amd64 linux/arm64 windows/amd64 windows/arm64"
	if got := strings.Join(targets, " "); got != want {
		t.Errorf("the platforms are %s, want %s", got, want)
	}
	if len(c.Builds) != 2 || c.Builds[1].Main != "./service/cmd/dataservice" || !slices.Contains(c.Builds[1].Flags, "-trimpath") {
		t.Errorf("the programs are %+v", c.Builds)
	}
	if len(c.SBOMs) != 2 || c.SBOMs[1].Cmd != "cyclonedx-gomod" || c.SBOMs[1].IDs[0] != "service" {
		t.Errorf("the bills of materials are %+v", c.SBOMs)
	}
	if _, err := c.targets([]string{"plan9/amd64"}); err == nil {
		t.Error("plan9/amd64 is a platform")
	}
}

func TestWhatIsNotKnownInTheConfigurationIsRefused(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", ".goreleaser.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for says, c := range map[string]struct{ old, replacement, want string }{
		"a field of a build":                {"    goos: [linux,", "    buildmode: pie\n    goos: [linux,", "field buildmode not found"},
		"another kind of archive":           {"formats: [zip]", "formats: [tar.gz]", "has the formats [tar.gz]"},
		"files by a pattern":                {"- src: LICENSE", "- src: LICENSE*", "by the pattern LICENSE*"},
		"a bill of materials of archives":   {"artifacts: binary", "artifacts: archive", `is made of "archive"`},
		"an archive without a checksum":     {"ids: [provider, service]", "ids: [provider]", "archive service is not among what the checksums are of"},
		"another sum":                       {"algorithm: sha256", "algorithm: sha512", "checksums are sha512"},
		"a hook before":                     {"- go mod download", "- make generate", `a hook runs "make generate" before`},
		"another version of the file":       {"version: 2", "version: 3", "version 3"},
		"something that goreleaser does to": {"checksum:", "upx:\n  - enabled: true\n\nchecksum:", "field upx not found"},
	} {
		t.Run(says, func(t *testing.T) {
			changed := strings.Replace(string(text), c.old, c.replacement, 1)
			if changed == string(text) {
				t.Fatalf("there is no %q", c.old)
			}
			if _, err := parseConfig([]byte(changed)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// The same files make the same archive, whatever the machine's time zone and umask are.
func TestAnArchiveDependsOnItsFilesAlone(t *testing.T) {
	v := values{Version: "1.2.3", CommitDate: "2026-11-27T12:00:00Z"}
	info := fileInfo{MTime: "{{ .CommitDate }}", Mode: 0o755}
	var packed [2]bytes.Buffer
	for i, mode := range []os.FileMode{0o600, 0o644} {
		file := filepath.Join(t.TempDir(), "program")
		if err := os.WriteFile(file, []byte("the program"), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, time.Time{}, time.Unix(int64(1e9*(i+1)), 0)); err != nil {
			t.Fatal(err)
		}
		e, err := newEntry(file, "program", info, v)
		if err != nil {
			t.Fatal(err)
		}
		if err := pack(&packed[i], []entry{e}); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(packed[0].Bytes(), packed[1].Bytes()) {
		t.Error("the archives differ")
	}
	z, err := zip.NewReader(bytes.NewReader(packed[0].Bytes()), int64(packed[0].Len()))
	if err != nil {
		t.Fatal(err)
	}
	f := z.File[0]
	if f.Name != "program" || f.Mode() != 0o755 || f.Modified.UTC().Format(time.RFC3339) != v.CommitDate {
		t.Errorf("it holds %s, %s, %s", f.Name, f.Mode(), f.Modified)
	}
	if _, err := newEntry("program", "program", fileInfo{MTime: "{{ .CommitDate }}"}, v); err == nil {
		t.Error("a file without a mode is packed")
	}
}

func TestWhatDiffersBetweenTwoBuildsIsNamed(t *testing.T) {
	const one = "aa  a.zip\nbb  b.zip\n"
	if err := same("the first", one, "the second", one); err != nil {
		t.Error(err)
	}
	err := same("the first", one, "the second", "aa  a.zip\ncc  b.zip\ndd  d.zip\n")
	for _, says := range []string{"b.zip is bb from the first and cc from the second", "d.zip is made by the second alone"} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q is not in %v", says, err)
		}
	}
	if err == nil || strings.Contains(err.Error(), "a.zip") {
		t.Errorf("a.zip is the same, and named: %v", err)
	}
}

func TestALicenceIsRecognizedOrRefused(t *testing.T) {
	mpl, err := os.ReadFile(filepath.Join("..", "..", "LICENSE"))
	if err != nil {
		t.Fatal(err)
	}
	if licences, err := recognize("example.com/module/LICENSE", mpl); err != nil || strings.Join(licences, " ") != "MPL-2.0" {
		t.Errorf("our own is %v, %v", licences, err)
	}
	if licences, err := recognize("example.com/module/LICENSE", []byte("You may not use this.")); err == nil {
		t.Errorf("no licence at all is %v", licences)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "COPYING"), []byte(gpl), 0o600); err != nil {
		t.Fatal(err)
	}
	for says, p := range map[string]*part{
		"is allowed: AGPL-3.0": {path: "example.com/copyleft", dir: dir, folders: map[string]bool{dir: true}, in: map[string]bool{"service": true}},
		"without a licence":    {path: "example.com/none", folders: map[string]bool{t.TempDir(): true}, in: map[string]bool{"service": true}},
	} {
		if text, err := licencesText([]*part{p}); err == nil {
			t.Errorf("%s: %s", says, text)
		}
	}
}

// gpl is the notice that goes with a program under the AGPL.
const gpl = `This program is free software: you can redistribute it and/or modify
it under the terms of the GNU Affero General Public License as published by
the Free Software Foundation, either version 3 of the License, or
(at your option) any later version.`

func TestOldDependenciesNeedAReason(t *testing.T) {
	at := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	fresh := dependency{Path: "example.com/fresh", Version: "v1.2.0", Time: at.AddDate(-1, 0, 0)}
	old := dependency{Path: "example.com/old", Version: "v0.1.0", Time: at.AddDate(-3, 0, 0)}
	for says, c := range map[string]struct {
		reasons map[string]string
		want    string
	}{
		"with a reason":              {map[string]string{old.Path: "It is complete."}, ""},
		"without a reason":           {nil, "example.com/old is older than two years"},
		"with a reason for the new":  {map[string]string{old.Path: "It is complete.", fresh.Path: "It was old."}, "example.com/fresh is not old any more"},
		"with a reason for the gone": {map[string]string{old.Path: "It is complete.", "example.com/gone": "It was there."}, "example.com/gone is not old any more, or gone"},
	} {
		t.Run(says, func(t *testing.T) {
			err := judge(io.Discard, []dependency{old, fresh}, at, c.reasons, false)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestWhatWasNotCheckedIsToldApartFromWhatWasFound(t *testing.T) {
	for said, want := range map[string]bool{
		`govulncheck: fetching vulnerabilities: Get "https://vuln.example.com/index/modules.json.gz": dial tcp: lookup vuln.example.com: no such host`: true,
		"Vulnerability #1: GO-2026-0001\n    A server can be made to dial tcp addresses.":                                                              false,
		"govulncheck: loading packages: pattern ./none: directory not found":                                                                           false,
	} {
		if got := unreachable(said); got != want {
			t.Errorf("%q: %t", said, got)
		}
	}
}
