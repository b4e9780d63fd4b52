// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package acceptance

import (
	"fmt"
	"strings"
	"testing"
)

// TestWhatExistsIsImportedWithAGeneratedConfiguration lets terraform write the
// configuration of one thing of each kind that is there: imported with it, nothing is
// left to change.
func TestWhatExistsIsImportedWithAGeneratedConfiguration(t *testing.T) {
	t.Parallel()
	s := startService(t)
	made := workdir(s, s.AdminToken(), governanceConfig)
	made.Apply().Succeeds(t)
	var imports strings.Builder
	generated := addresses()
	for _, address := range generated {
		fmt.Fprintf(&imports, "import {\n  to = %s\n  id = %q\n}\n", address, made.State(address)["id"])
	}
	taken := workdir(s, s.AdminToken(), imports.String())
	taken.Run("plan", "-generate-config-out=generated.tf", "-no-color").Succeeds(t, fmt.Sprintf("%d to import, 0 to add, 0 to change, 0 to destroy", len(generated)))
	taken.Apply().Succeeds(t, fmt.Sprintf("%d imported, 0 added, 0 changed, 0 destroyed", len(generated)))
	taken.Plan().Succeeds(t, "No changes")
}
