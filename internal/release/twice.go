// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// twice builds from two clean clones of HEAD whose paths differ in length, and fails where
// what they make differs. What the first clone made is left in the folder.
func twice(ctx context.Context, o options, folder string) error {
	top, err := os.MkdirTemp("", "dataservice-release-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(top) }() // what is left there hurts nobody
	first := filepath.Join(top, "one")
	if err := command(ctx, "git", "clone", "--quiet", ".", first); err != nil {
		return err
	}
	var sums [2]string
	for i := range sums {
		clone, out, variables := first, folder, []string(nil)
		if i == 1 {
			clone, out = filepath.Join(top, "another", "that-lies-deeper"), filepath.Join(top, "dist")
			if o.cold {
				variables = append(variables, "GOCACHE="+filepath.Join(top, "cache"))
			}
			// Of the first and not of this: somebody may commit meanwhile.
			if err := command(ctx, "git", "clone", "--quiet", first, clone); err != nil {
				return err
			}
		}
		fmt.Printf("from clone %d:\n", i+1)
		if sums[i], err = build(ctx, clone, out, o, variables); err != nil {
			return err
		}
	}
	if err := same("the first clone", sums[0], "the second clone", sums[1]); err != nil {
		return err
	}
	compiled := "the second took what it could from the first one's cache"
	if o.cold {
		compiled = "both were compiled"
	}
	fmt.Printf("%d files from two clones have the same checksums; %s.\n", strings.Count(sums[0], "\n"), compiled)
	if o.goreleaser == "" {
		return nil
	}
	want, err := byGoreleaser(ctx, o, first, filepath.Join(top, "third"))
	if err != nil {
		return err
	}
	if err := same("this program", sums[0], "goreleaser", want); err != nil {
		return err
	}
	fmt.Println("goreleaser comes to the same.")
	return nil
}

// byGoreleaser has goreleaser build everything from a clone of that one, as it does for a release, but
// without publishing. It signs with a key that is made for this alone, where there is a gpg.
// It returns the checksums.
func byGoreleaser(ctx context.Context, o options, of, clone string) (string, error) {
	program, err := filepath.Abs(o.goreleaser)
	if err != nil {
		return "", err
	}
	fmt.Println("by goreleaser:")
	began := time.Now()
	for _, args := range [][]string{
		{"git", "clone", "--quiet", of, clone},
		{"git", "-C", clone, "tag", "v" + o.version},
		// It reads from the address whose release it would be.
		{"git", "-C", clone, "remote", "set-url", "origin", "https://github.com/dataservice/terraform-provider-dataservice.git"},
	} {
		if err := command(ctx, args[0], args[1:]...); err != nil {
			return "", err
		}
	}
	skip, environment, signed := "--skip=publish,announce,validate", os.Environ(), true
	if _, err := exec.LookPath("gpg"); err != nil {
		fmt.Println("There is no gpg: nothing is signed.")
		skip, signed = skip+",sign", false
	} else {
		home := filepath.Join(filepath.Dir(clone), "gnupg")
		if err := os.Mkdir(home, 0o700); err != nil {
			return "", err
		}
		const owner = "check@example.com" // stands for a fingerprint too
		if err := command(ctx, "gpg", "--homedir", home, "--batch", "--passphrase", "", "--quick-generate-key", owner, "rsa3072", "sign", "1d"); err != nil {
			return "", err
		}
		environment = append(environment, "GNUPGHOME="+home, "GPG_FINGERPRINT="+owner)
		// The agent that signed ends with its folder.
		defer func() { _ = command(context.WithoutCancel(ctx), "gpgconf", "--homedir", home, "--kill", "all") }()
	}
	for _, args := range [][]string{{"check"}, {"release", skip}} {
		cmd := exec.CommandContext(ctx, program, args...)
		cmd.Dir = clone
		cmd.Env = slices.Clone(environment)
		if filepath.IsAbs(o.sbom) {
			cmd.Env = append(cmd.Env, "PATH="+filepath.Dir(o.sbom)+string(os.PathListSeparator)+os.Getenv("PATH"))
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("goreleaser %s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	fmt.Printf("%-14s %6.1f s\n", "all", time.Since(began).Seconds())
	found, err := filepath.Glob(filepath.Join(clone, "dist", "*_SHA256SUMS"))
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("goreleaser left the checksums %v, %w", found, err)
	}
	if signed {
		if err := command(ctx, "gpg", "--homedir", filepath.Join(filepath.Dir(clone), "gnupg"), "--verify", found[0]+".sig", found[0]); err != nil {
			return "", fmt.Errorf("the signature by goreleaser: %w", err)
		}
		fmt.Println("Its signature of them is good.")
	}
	sums, err := os.ReadFile(found[0])
	return string(sums), err
}

// same tells which files differ, or are missing.
func same(one, sums, other, otherSums string) error {
	if sums == otherSums {
		return nil
	}
	of := func(sums string) map[string]string {
		byName := map[string]string{}
		for line := range strings.Lines(sums) {
			sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
			byName[name] = sum
		}
		return byName
	}
	a, b := of(sums), of(otherSums)
	var differ bytes.Buffer
	for name, sum := range a {
		if b[name] == "" {
			fmt.Fprintf(&differ, "\n  %s is made by %s alone", name, one)
		} else if b[name] != sum {
			fmt.Fprintf(&differ, "\n  %s is %s from %s and %s from %s", name, sum, one, b[name], other)
		}
	}
	for name := range b {
		if a[name] == "" {
			fmt.Fprintf(&differ, "\n  %s is made by %s alone", name, other)
		}
	}
	if differ.Len() == 0 {
		differ.WriteString(" in the order or form of their lines")
	}
	return fmt.Errorf("the checksums differ:%s", differ.String())
}

func command(ctx context.Context, name string, args ...string) error {
	if out, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}
