// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Command terraform-provider-dataservice is the Terraform and OpenTofu provider of
// dataservice. Terraform starts it; by hand it only tells its version.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"runtime/debug"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"

	"github.com/dataservice/terraform-provider-dataservice/provider"
)

// version is set by the linker of a release.
var version = "dev"

// address is where registries list the provider.
const address = "registry.terraform.io/dataservice/dataservice"

func main() {
	debugger := flag.Bool("debug", false, "run for a debugger: print what to set so that Terraform attaches to this process")
	showVersion := flag.Bool("version", false, "print the version and exit")
	flag.Parse()
	if *showVersion {
		fmt.Println("terraform-provider-dataservice " + version)
		return
	}
	spareTime()
	var options []tf6server.ServeOpt
	if *debugger {
		options = append(options, tf6server.WithManagedDebug())
	}
	if err := tf6server.Serve(address, provider.NewServer(version), options...); err != nil {
		log.Fatal(err)
	}
}

// memoryLimit is how many bytes of memory the plugin holds before it collects its garbage
// more often again.
const memoryLimit = 150 << 20

// spareTime leaves out what nobody sees. The SDK formats a log line per attribute, and the
// provider one per request, even where no log was asked for; and a plugin that lives for seconds gains
// nothing from collecting its garbage often: together they are a third of the time
// that a plan of many resources takes.
func spareTime() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	for _, variable := range os.Environ() {
		if name, value, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "TF_LOG") && value != "" {
			return
		}
	}
	for _, name := range []string{"TF_LOG_PROVIDER", "TF_LOG_SDK", "TF_LOG_SDK_FRAMEWORK", "TF_LOG_SDK_PROTO"} {
		// A variable that cannot be set costs time and nothing else.
		_ = os.Setenv(name, "OFF")
	}
}
