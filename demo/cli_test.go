// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import (
	"slices"
	"testing"
)

const applied = `dataservice_connection.world: Refreshing state... [id=01]

Terraform used the selected providers to generate the following execution
plan. Resource actions are indicated with the following symbols:
  ~ update in-place

Terraform will perform the following actions:

  # dataservice_publication.countries will be updated in-place
  ~ resource "dataservice_publication" "countries" {
      ~ desired_status = "PUBLISHED" -> "STOPPED"
    }

Plan: 0 to add, 1 to change, 0 to destroy.

Changes to Outputs:
  ~ url = "http://127.0.0.1:8081/countries" -> (known after apply)

dataservice_publication.countries: Modifying... [id=02]
dataservice_publication.countries: Modifications complete after 0s [id=02]

Warning: Something to know

Apply complete! Resources: 0 added, 1 changed, 0 destroyed.
`

func TestTheOutputIsShortenedToWhatANewcomerReads(t *testing.T) {
	want := `Plan: 0 to add, 1 to change, 0 to destroy.

dataservice_publication.countries: Modifications complete after 0s [id=02]

Warning: Something to know

Apply complete! Resources: 0 added, 1 changed, 0 destroyed.`
	if got := (cli{}).shorten(applied); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := (cli{verbose: true}).shorten(applied); got != applied {
		t.Errorf("a verbose demo shortens to\n%s", got)
	}
}

func TestTheEnvironmentOfTheUserDoesNotReachThePrograms(t *testing.T) {
	got := cleanEnvironment([]string{"HOME=/home/me", "TF_LOG=TRACE", "TF_CLI_CONFIG_FILE=x", "DATASERVICE_TOKEN=t", "PATH=/bin"})
	if want := []string{"HOME=/home/me", "PATH=/bin"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
