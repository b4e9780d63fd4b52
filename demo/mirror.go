// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

const (
	providerProgram = "terraform-provider-dataservice"
	serviceProgram  = "dataservice"
)

// The registries that Terraform and OpenTofu look for the provider in. The mirror
// stands in for both.
var registries = []string{"registry.terraform.io", "registry.opentofu.org"}

// executable returns the path of a program.
func executable(dir, program string) string {
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	return filepath.Join(dir, program)
}

// makeMirror makes the mirror for people who try out what they built.
func makeMirror(out io.Writer, bin string) error {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return err
	}
	config, err := writeMirror(bin, bin)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, `The provider lies where Terraform and OpenTofu find it with this setting:

  export TF_CLI_CONFIG_FILE=%s

After another build run "terraform init -upgrade", for the plugin's checksum changes.
`, config)
	return err
}

// writeMirror makes a plugin mirror in dir with the provider of the folder bin, as a
// registry would serve it, and a CLI configuration that names it. It returns the
// path of the configuration.
func writeMirror(dir, bin string) (string, error) {
	program := executable(bin, providerProgram)
	version, err := releaseOf(program)
	if err != nil {
		return "", err
	}
	plugins := filepath.Join(dir, "plugins")
	if err := os.RemoveAll(plugins); err != nil {
		return "", err
	}
	var include []string
	for _, registry := range registries {
		address := registry + "/dataservice/dataservice"
		include = append(include, `"`+address+`"`)
		target := filepath.Join(plugins, filepath.FromSlash(address), version, runtime.GOOS+"_"+runtime.GOARCH)
		if err := os.MkdirAll(target, 0o755); err != nil {
			return "", err
		}
		if err := link(program, executable(target, providerProgram+"_v"+version)); err != nil {
			return "", err
		}
	}
	config := filepath.Join(dir, "terraform.rc")
	names := strings.Join(include, ", ")
	return config, os.WriteFile(config, fmt.Appendf(nil, `provider_installation {
  filesystem_mirror {
    path    = %q
    include = [%s]
  }
  direct {
    exclude = [%s]
  }
}
`, filepath.ToSlash(plugins), names, names), 0o644)
}

var releasePattern = regexp.MustCompile(`\b(\d+\.\d+\.\d+)\S*`)

// releaseOf returns the MAJOR.MINOR.PATCH of the version that the program prints.
// The mirror offers that alone: Terraform takes a pre-release only by its exact name.
func releaseOf(program string) (string, error) {
	out, err := exec.CommandContext(context.Background(), program, "-version").Output()
	if err != nil {
		return "", fmt.Errorf("%s does not tell its version: %w", program, err)
	}
	m := releasePattern.FindSubmatch(out)
	if m == nil {
		return "", fmt.Errorf("%s tells %q, which is no version", program, out)
	}
	return string(m[1]), nil
}

// link makes the target a hard link of the file, or a copy where that cannot be.
func link(file, target string) error {
	if os.Link(file, target) == nil {
		return nil
	}
	from, err := os.Open(file)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(target, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(to, from); err != nil {
		_ = to.Close()
		return err
	}
	return to.Close()
}
