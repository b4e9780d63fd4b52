// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// oldAfter is the age from which a version of a dependency needs a reason: what is looked
// after has a release in that time.
const oldAfter = 2 * 365 * 24 * time.Hour

// reasons tell why something old is kept. A reason that is not needed any more is an error.
var reasons = map[string]string{
	"github.com/google/licensecheck":    "It recognizes the texts of licences, which do not change, for `release licences` alone.",
	"github.com/Shopify/toxiproxy/v2":   "In tests and the bench alone. It cuts, halts and narrows connections, which has not changed since; nothing of it is in the programs.",
	"github.com/vearutop/statigz":       "It answers with the compressed files of the OpenAPI viewer, from one author with it. Small, complete, and its newest version.",
	"github.com/vmihailenco/msgpack/v5": "The encoding between Terraform and its plugins. Its newest version, and the one that HashiCorp's own plugin libraries use: another would encode twice.",
}

func dependenciesCommand(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("dependencies", flag.ContinueOnError)
	all := flags.Bool("all", false, "list what is not old too")
	if err := flags.Parse(args); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-json=Path,Version,Time,Main,Indirect", "all").Output()
	if err != nil {
		return fmt.Errorf("go list -m all: %w", err)
	}
	direct, err := directOnes(string(out))
	if err != nil {
		return err
	}
	// By the commit and not by the clock: what was checked once stays so.
	at, err := commitTime(ctx, ".")
	if err != nil {
		return err
	}
	return judge(os.Stdout, direct, at, reasons, *all)
}

// dependency is a module that this one names itself.
type dependency struct {
	Path, Version  string
	Time           time.Time
	Main, Indirect bool
}

func directOnes(listed string) (direct []dependency, err error) {
	for decoder := json.NewDecoder(strings.NewReader(listed)); ; {
		var d dependency
		if err := decoder.Decode(&d); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		if !d.Main && !d.Indirect {
			direct = append(direct, d)
		}
	}
	slices.SortFunc(direct, func(a, b dependency) int { return a.Time.Compare(b.Time) })
	return direct, nil
}

// judge lists dependencies, the oldest first, and fails where an old one has no reason, or a
// reason no old one.
func judge(to io.Writer, direct []dependency, at time.Time, reasons map[string]string, all bool) error {
	var wrong []string
	needed := map[string]bool{}
	for _, d := range direct {
		old := at.Sub(d.Time) > oldAfter
		if d.Time.IsZero() {
			return fmt.Errorf("nothing tells when %s %s was released: `go mod download` fetches it", d.Path, d.Version)
		}
		line := fmt.Sprintf("%s  %s %s", d.Time.Format(time.DateOnly), d.Path, d.Version)
		switch {
		case old && reasons[d.Path] == "":
			wrong = append(wrong, d.Path+" is older than two years: take a newer version, replace it, or write the reason into internal/release/dependencies.go")
		case old:
			needed[d.Path] = true
			line += "\n            " + reasons[d.Path]
		}
		if old || all {
			_, _ = fmt.Fprintln(to, line)
		}
	}
	for path := range reasons {
		if !needed[path] {
			wrong = append(wrong, path+" is not old any more, or gone: remove its reason from internal/release/dependencies.go")
		}
	}
	slices.Sort(wrong)
	if len(wrong) > 0 {
		return errors.New(strings.Join(wrong, "\n"))
	}
	_, err := fmt.Fprintf(to, "%d direct dependencies; %d are older than two years, each with a reason.\n", len(direct), len(needed))
	return err
}

// vulnerabilitiesCommand runs govulncheck over the packages. Where its database cannot be had
// it says that nothing was checked, which is an error with -required alone.
func vulnerabilitiesCommand(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("vulnerabilities", flag.ContinueOnError)
	program := flags.String("govulncheck", "govulncheck", "`program` to run")
	database := flags.String("db", "", "`URL` of the database, such as file:///srv/vulndb; govulncheck's own where absent")
	required := flags.Bool("required", os.Getenv("DATASERVICE_AUDIT_REQUIRE_VULNDB") != "", "fail where the database cannot be had (DATASERVICE_AUDIT_REQUIRE_VULNDB)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	scan := []string{"-test=false"}
	if *database != "" {
		scan = append(scan, "-db", *database)
	}
	cmd := exec.CommandContext(ctx, *program, append(scan, flags.Args()...)...)
	out, err := cmd.CombinedOutput()
	fmt.Print(string(out))
	switch {
	case err == nil:
		return nil
	case unreachable(string(out)) && !*required:
		fmt.Println("NOT CHECKED: the database of vulnerabilities cannot be reached from here. DATASERVICE_AUDIT_REQUIRE_VULNDB=1 makes that an error, and VULNDB names a copy.")
		return nil
	default:
		return fmt.Errorf("govulncheck: %w", err)
	}
}

// unreachable tells that govulncheck did not get at its database, in its own words.
func unreachable(said string) bool {
	return strings.Contains(said, "govulncheck: fetching vulnerabilities: ")
}
