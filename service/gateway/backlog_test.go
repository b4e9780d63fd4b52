// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"errors"
	"testing"

	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

func TestAMissedChangeIsPendingUntilItIsServed(t *testing.T) {
	down := errors.New("the store is down")
	one := lifecycle.Change{Kind: lifecycle.ChangePublication, ID: "1"}
	two := lifecycle.Change{Kind: lifecycle.ChangePublication, ID: "2"}
	b := newBacklog(func(...lifecycle.Change) {})
	defer b.close()
	expect := func(when string, want int) {
		t.Helper()
		n, reason := b.pending()
		if n != want || (want > 0) != errors.Is(reason, down) || (want > 0) != errors.Is(b.stale(), down) {
			t.Errorf("%s: %d are pending, %v; want %d", when, n, reason, want)
		}
	}
	expect("at first", 0)
	b.miss(down, one, two)
	expect("when two were missed", 2)
	b.begin([]lifecycle.Change{one})
	expect("while one of them is read", 2)
	b.miss(down, one)
	b.end(nil)
	expect("when it was missed again meanwhile", 2)
	b.begin([]lifecycle.Change{everything})
	expect("while everything is read", 2)
	b.end(down)
	expect("when the reading failed", 2)
	b.begin([]lifecycle.Change{two, one})
	b.end(nil)
	expect("when both are served", 0)
}
