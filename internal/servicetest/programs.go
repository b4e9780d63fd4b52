// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package servicetest runs the real programs for tests: a service process on a data
// directory of its own, and the Terraform CLI with the provider as a user runs it.
//
// A package that uses it calls Main from its TestMain. Its tests are skipped where
// TF_ACC is not set; the CLI is the one that TF_ACC_TERRAFORM_PATH names, else the
// terraform or tofu on the PATH.
package servicetest

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Version is what the programs are built as.
const Version = "0.1.0"

// parallelFlag is that of `go test` which bounds how many tests run at once.
const parallelFlag = "test.parallel"

// BuildFlags are more flags for `go build`, for tests of programs that are built otherwise
// than a release is. They are set before the first program is asked for.
var BuildFlags []string

// programs is what is built once for all tests of a package.
var programs struct {
	once sync.Once
	dir  string
	err  error
}

// Main runs the tests of a package and removes what was built for them.
//
// Twice as many tests run at once as there are processors, unless -parallel says
// otherwise: a test waits for its programs, and they for each other, about as long as
// they compute.
func Main(m *testing.M) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == parallelFlag })
	if !chosen {
		if err := flag.Set(parallelFlag, strconv.Itoa(2*runtime.GOMAXPROCS(0))); err != nil {
			panic("servicetest: the flag of package testing is gone: " + err.Error())
		}
	}
	code := m.Run()
	if programs.dir != "" {
		_ = os.RemoveAll(programs.dir)
	}
	os.Exit(code)
}

// Programs returns the directory with the two programs of this module.
func Programs(t testing.TB) string {
	t.Helper()
	programs.once.Do(build)
	if programs.err != nil {
		t.Fatal(programs.err)
	}
	return programs.dir
}

func build() {
	if programs.dir, programs.err = os.MkdirTemp("", "dataservice-test-"); programs.err != nil {
		return
	}
	const module = "github.com/dataservice/terraform-provider-dataservice"
	// With the versions of their own module, whichever module the tests are in.
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		programs.err = fmt.Errorf("go list -m: %w", err)
		return
	}
	// As a release is linked: without what only a debugger reads, which takes as long again.
	args := append([]string{"build", "-ldflags", "-s -w -X main.version=" + Version, "-o", programs.dir + string(filepath.Separator)}, BuildFlags...)
	build := exec.Command("go", append(args, module, module+"/service/cmd/dataservice")...)
	build.Dir = strings.TrimSpace(string(root))
	out, err := build.CombinedOutput()
	if err != nil {
		programs.err = fmt.Errorf("go build: %w\n%s", err, out)
	}
}

// asked skips the test where nobody asked for the real programs.
func asked(t testing.TB) {
	t.Helper()
	if os.Getenv("TF_ACC") == "" {
		t.Skip("runs the real programs; `make test` does, or set TF_ACC=1")
	}
}

// Terraform returns the path of the CLI to test with, and skips the test where
// nobody asked for it.
func Terraform(t testing.TB) string {
	t.Helper()
	asked(t)
	if path := os.Getenv("TF_ACC_TERRAFORM_PATH"); path != "" {
		return path
	}
	for _, name := range []string{"terraform", "tofu"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("neither terraform nor tofu is on the PATH: name one in TF_ACC_TERRAFORM_PATH, or build one with `make tofu`")
	return ""
}

// TerraformMinor returns the N of Terraform 1.N. That of OpenTofu is 0: it counts
// otherwise, and has nothing of what tests ask a newer Terraform for.
func TerraformMinor(t testing.TB) int {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), Terraform(t), "version").Output()
	if err != nil {
		t.Fatal(err)
	}
	match := terraformVersion.FindSubmatch(out)
	if match == nil {
		return 0
	}
	n, err := strconv.Atoi(string(match[1]))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

var terraformVersion = regexp.MustCompile(`^Terraform v1\.(\d+)\.`)

// Program returns where a program is that a test runs. Where there is none the test is
// skipped, or fails where DATASERVICE_TEST_REQUIRE_SERVERS is 1.
func Program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("DATASERVICE_TEST_REQUIRE_SERVERS") == "1" {
			t.Fatalf("there is no %s on the PATH, and DATASERVICE_TEST_REQUIRE_SERVERS=1 demands one: install it", name)
		}
		t.Skipf("there is no %s on the PATH", name)
	}
	return path
}

// Eventually polls until ok, and fails the test when the time is over.
func Eventually(t testing.TB, most time.Duration, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(most)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			t.Fatalf("not within %s: %s", most, what)
		case <-tick.C:
		}
	}
}

// environment is the user's, without what would change how the programs behave.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(variable string) bool {
		return strings.HasPrefix(variable, "TF_") || strings.HasPrefix(variable, "DATASERVICE_")
	})
}

// journal is what a process has printed so far.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// tail is the end of a long text.
func tail(s string) string { return s[max(0, len(s)-8000):] }
