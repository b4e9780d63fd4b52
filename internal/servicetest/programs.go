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
	// As a release is linked: without what only a debugger reads, which takes as long again.
	out, err := exec.Command("go", "build", "-ldflags", "-s -w -X main.version="+Version, "-o", programs.dir+string(filepath.Separator),
		module, module+"/service/cmd/dataservice").CombinedOutput()
	if err != nil {
		programs.err = fmt.Errorf("go build: %w\n%s", err, out)
	}
}

// Terraform returns the path of the CLI to test with, and skips the test where
// nobody asked for Terraform.
func Terraform(t testing.TB) string {
	t.Helper()
	if os.Getenv("TF_ACC") == "" {
		t.Skip("runs Terraform; `make test` does, or set TF_ACC=1")
	}
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
