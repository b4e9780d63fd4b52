// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package gateway

import (
	"testing"
	"time"
)

func TestALargeFileOfRoutesIsWrittenMoreSeldom(t *testing.T) {
	for size, want := range map[int]time.Duration{0: time.Second, 4 << 20: time.Second, 40 << 20: 10 * time.Second, 4 << 30: 1024 * time.Second} {
		if got := keepPause(size); got != want {
			t.Errorf("after %d bytes the pause is %s, want %s", size, got, want)
		}
	}
}
