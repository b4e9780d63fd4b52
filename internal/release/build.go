// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// build builds a release from a clone into a folder, with more variables for the programs
// that it runs, and returns the checksums.
func build(ctx context.Context, clone, folder string, o options, variables []string) (sums string, err error) {
	c, err := readConfig(clone)
	if err != nil {
		return "", err
	}
	b := builder{clone: clone, folder: folder, config: c, variables: variables, sbom: o.sbom}
	if b.commit, err = commitTime(ctx, clone); err != nil {
		return "", err
	}
	if err := os.RemoveAll(folder); err != nil {
		return "", err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // a release is public
		return "", err
	}
	targets, err := c.targets(o.targets)
	if err != nil {
		return "", err
	}
	for _, target := range targets {
		began := time.Now()
		goos, goarch, _ := strings.Cut(target, "/")
		v := values{
			ProjectName: c.ProjectName, Version: o.version, Os: goos, Arch: goarch,
			CommitDate: b.commit.Format(time.RFC3339), CommitTimestamp: b.commit.Unix(),
		}
		if err := b.target(ctx, v); err != nil {
			return "", fmt.Errorf("%s: %w", target, err)
		}
		fmt.Printf("%-14s %6.1f s\n", target, time.Since(began).Seconds())
	}
	return b.checksums(values{ProjectName: c.ProjectName, Version: o.version})
}

// commitTime is when what is built was committed: the time of every file in the archives.
func commitTime(ctx context.Context, clone string) (time.Time, error) {
	out, err := exec.CommandContext(ctx, "git", "-C", clone, "log", "-1", "--format=%ct").Output()
	if err != nil {
		return time.Time{}, fmt.Errorf("git tells no time of the commit: %w", err)
	}
	seconds, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	return time.Unix(seconds, 0).UTC(), err
}

// targets are the platforms of all builds, or those of them that are chosen.
func (c *config) targets(chosen []string) (targets []string, err error) {
	for _, b := range c.Builds {
		for _, goos := range b.GOOS {
			for _, goarch := range b.GOARCH {
				if target := goos + "/" + goarch; !slices.Contains(targets, target) {
					targets = append(targets, target)
				}
			}
		}
	}
	if len(chosen) == 0 {
		return targets, nil
	}
	for _, target := range chosen {
		if !slices.Contains(targets, target) {
			return nil, fmt.Errorf("%s is no platform of a release; those are %s", target, strings.Join(targets, ", "))
		}
	}
	return chosen, nil
}

// builder builds one release.
type builder struct {
	clone, folder string
	config        *config
	commit        time.Time
	variables     []string
	sbom          string
	made          []string // the names of what is released
}

// target builds both programs for one platform.
func (b *builder) target(ctx context.Context, v values) error {
	binaries := map[string]string{} // by the id of the build
	for _, p := range b.config.Builds {
		if !slices.Contains(p.GOOS, v.Os) || !slices.Contains(p.GOARCH, v.Arch) {
			continue
		}
		file, err := b.compile(ctx, p, v)
		if err != nil {
			return err
		}
		binaries[p.ID] = file
	}
	for _, a := range b.config.Archives {
		if err := b.archive(a, binaries, v); err != nil {
			return err
		}
	}
	if b.sbom == "none" {
		return nil
	}
	for _, s := range b.config.SBOMs {
		if err := b.bill(ctx, s, binaries, v); err != nil {
			return err
		}
	}
	return nil
}

// compile builds a program and returns the file.
func (b *builder) compile(ctx context.Context, p buildConfig, v values) (string, error) {
	name, err := v.expand(p.Binary)
	if err != nil {
		return "", err
	}
	if v.Os == "windows" {
		name += ".exe"
	}
	flags, err := v.expandAll(p.Flags)
	if err != nil {
		return "", err
	}
	ldflags, err := v.expandAll(p.LDFlags)
	if err != nil {
		return "", err
	}
	file := filepath.Join(b.folder, "binaries", p.ID+"_"+v.Os+"_"+v.Arch, name)
	args := slices.Concat([]string{"build"}, flags, []string{"-ldflags=" + strings.Join(ldflags, " "), "-o", file, p.Main})
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = b.clone
	cmd.Env = slices.Concat(os.Environ(), b.variables, p.Env, []string{"GOOS=" + v.Os, "GOARCH=" + v.Arch})
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return file, nil
}

// bill writes the bill of materials of a program.
func (b *builder) bill(ctx context.Context, s sbomConfig, binaries map[string]string, v values) error {
	for _, id := range s.IDs {
		binary := binaries[id]
		if binary == "" {
			continue
		}
		document, err := v.expand(s.Documents[0])
		if err != nil {
			return err
		}
		args, err := v.expandAll(s.Args)
		if err != nil {
			return err
		}
		for i, a := range args {
			args[i] = strings.NewReplacer("$artifact", binary, "$document", document).Replace(a)
		}
		program := s.Cmd
		if b.sbom != "" {
			program = b.sbom
		}
		cmd := exec.CommandContext(ctx, program, args...)
		cmd.Dir = b.folder
		cmd.Env = append(os.Environ(), b.variables...)
		if out, err := cmd.CombinedOutput(); err != nil {
			if errors.Is(err, exec.ErrNotFound) {
				return fmt.Errorf("%w: `make release-tools` builds it, and -sbom names it", err)
			}
			return fmt.Errorf("%s %s: %w\n%s", program, strings.Join(args, " "), err, out)
		}
		b.made = append(b.made, document)
	}
	return nil
}
