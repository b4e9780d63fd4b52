// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package acceptance

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
)

// needsQueries leaves a test out where the CLI is older than Terraform 1.14, which brought
// lists and actions. What is tested with it is tested at the level of the protocol everywhere.
func needsQueries(t *testing.T) {
	t.Helper()
	if minor := servicetest.TerraformMinor(t); minor < 14 {
		t.Skipf("needs Terraform 1.14; this one is 1.%d, or OpenTofu", minor)
	}
}

// TestTerraformQueryFindsWhatCanBeImported lists every kind of thing with `terraform
// query`, has it write configuration and import blocks, which name each by its identity,
// and imports what they name: nothing is left to change.
func TestTerraformQueryFindsWhatCanBeImported(t *testing.T) {
	t.Parallel()
	needsQueries(t)
	s := startService(t)
	workdir(s, s.AdminToken(), governanceConfig).Apply().Succeeds(t)

	found := workdir(s, s.AdminToken(), "provider \"dataservice\" {}\n")
	var lists strings.Builder
	for _, address := range addresses() {
		kind, _, _ := strings.Cut(address, ".")
		fmt.Fprintf(&lists, "list %q \"all\" {\n  provider = dataservice\n}\n", kind)
	}
	found.Write("all.tfquery.hcl", lists.String())
	listed := found.Run("query", "-no-color", "-generate-config-out=found.tf").Succeeds(t)
	for _, address := range addresses() {
		kind, _, _ := strings.Cut(address, ".")
		if !strings.Contains(listed.Output, "list."+kind+".all") {
			t.Errorf("%s is not listed:\n%s", kind, listed.Output)
		}
	}
	if err := os.Remove(filepath.Join(found.Dir, "all.tfquery.hcl")); err != nil {
		t.Fatal(err)
	}
	found.Apply().Succeeds(t, "0 added, 0 changed, 0 destroyed")
	found.Plan().Succeeds(t, "No changes")
}

// TestTerraformInvokesActions debugs an API with `terraform apply -invoke`.
func TestTerraformInvokesActions(t *testing.T) {
	t.Parallel()
	needsQueries(t)
	s := startService(t)
	w := workdir(s, s.AdminToken(), governanceConfig+`
action "dataservice_api_debug" "number" {
  config {
    api_id = dataservice_api.number.id
  }
}

action "dataservice_review_cancel" "shop" {
  config {
    review_id = dataservice_authorization.shop.review_id
    remark    = "it is not needed any more"
  }
}
`)
	w.Apply().Succeeds(t)
	w.Run("apply", "-auto-approve", "-no-color", "-invoke=action.dataservice_api_debug.number").Succeeds(t, "Action complete")
	w.Run("apply", "-auto-approve", "-no-color", "-invoke=action.dataservice_review_cancel.shop").Succeeds(t, "Action complete")
	w.Plan().Ends(t, 2, "1 to add")
}
