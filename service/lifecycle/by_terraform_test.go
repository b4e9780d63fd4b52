// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// A publication is Terraform's from the call that puts it into its state to the one that
// takes it out, whatever others do meanwhile.
func TestWhatTerraformKeeps(t *testing.T) {
	for _, tt := range []struct {
		call   service.Call
		before bool
		to     service.Status
		want   bool
	}{
		{service.CallPublish, false, service.StatusPublishWaitReview, true},
		{service.CallSuspend, false, service.StatusWaitingStop, true},
		{service.CallRestore, false, service.StatusPublished, true},
		{service.CallUnpublish, true, service.StatusWaitingOffline, false},
		{service.CallCancel, true, service.StatusCreated, false},
		{service.CallCancel, true, service.StatusPublished, true},
		{service.CallCancel, false, service.StatusPublished, false},
		{service.CallApprove, false, service.StatusPublished, false},
		{service.CallApprove, true, service.StatusPublished, true},
	} {
		if got := keeps(tt.call, tt.before, tt.to); got != tt.want {
			t.Errorf("%s that leads to %s: %t, want %t", tt.call, tt.to, got, tt.want)
		}
	}
}
