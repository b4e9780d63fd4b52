// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package acceptance

import (
	"strings"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/internal/servicetest"
)

// copyOf is a second directory with the same configuration and state: somebody else who
// changes the same things.
func copyOf(s *servicetest.Service, w *servicetest.Workdir) *servicetest.Workdir {
	other := workdir(s, s.AdminToken(), w.Read("main.tf"))
	other.Write("terraform.tfstate", w.Read("terraform.tfstate"))
	return other
}

// TestWhatSomebodyElseChangedIsPlannedBack has somebody else change one thing of each
// kind: each shows in the plan, and the apply brings each back. An authorization has
// nothing that another could change but its end: see the tests of the resource.
func TestWhatSomebodyElseChangedIsPlannedBack(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := workdir(s, s.AdminToken(), governanceConfig)
	w.Apply().Succeeds(t)
	copyOf(s, w).Set("generation=2").Apply().Succeeds(t, "0 destroyed")
	plan := w.Plan().Ends(t, 2, "0 to add, 10 to change, 0 to destroy")
	for _, address := range addresses() {
		if address != "dataservice_authorization.shop" && !strings.Contains(plan.Output, "# "+address+" will be updated in-place") {
			t.Errorf("the plan does not change %s", address)
		}
	}
	w.Apply().Succeeds(t, "10 changed")
	w.Plan().Succeeds(t, "No changes")
}

// TestWhatSomebodyElseRemovedIsPlannedAnew has somebody else remove everything.
func TestWhatSomebodyElseRemovedIsPlannedAnew(t *testing.T) {
	t.Parallel()
	s := startService(t)
	w := workdir(s, s.AdminToken(), governanceConfig)
	w.Apply().Succeeds(t)
	copyOf(s, w).Destroy().Succeeds(t)
	w.Plan().Ends(t, 2, "11 to add, 0 to change, 0 to destroy")
	w.Apply().Succeeds(t, "11 added")
	w.Plan().Succeeds(t, "No changes")
	copyOf(s, w).Destroy().Succeeds(t)
	w.Destroy("-refresh=false").Succeeds(t)
}

// addresses are those of governanceConfig.
func addresses() []string {
	return []string{
		"dataservice_connection.numbers", "dataservice_group.sales", "dataservice_folder.eu", "dataservice_instance.partners", "dataservice_environment.dev",
		"dataservice_member.ci", "dataservice_workspace.finance", "dataservice_app.shop", "dataservice_api.number", "dataservice_publication.number", "dataservice_authorization.shop",
	}
}
