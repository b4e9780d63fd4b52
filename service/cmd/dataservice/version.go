// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/dataservice/terraform-provider-dataservice/service/cmd/dataservice/remote"
)

// version is set by the release build.
var version = "dev"

// programVersion returns the version of this build: that of the release, else that
// of the module, else "dev".
func programVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && version == "dev" && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return version
}

func versionText() string {
	return fmt.Sprintf("dataservice %s (%s, %s/%s)", programVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

type versionCommand struct{ remote.Output }

// Run prints the version.
func (c versionCommand) Run(s streams) error {
	if c.JSON() {
		return remote.WriteJSON(s.remote(), map[string]string{
			"version": programVersion(), "go_version": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH,
		})
	}
	_, err := fmt.Fprintln(s.out, versionText())
	return err
}
