// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package spelling

import "testing"

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"", "orders", 6},
		{"orders", "orders", 0},
		{"order", "orders", 1},
		{"odrers", "orders", 2},
		{"listn", "listen", 1},
		{"kitten", "sitting", 3},
	} {
		if got := Distance(c.a, c.b); got != c.want {
			t.Errorf("from %q to %q it is %d, want %d", c.a, c.b, got, c.want)
		}
		if got := Distance(c.b, c.a); got != c.want {
			t.Errorf("from %q to %q it is %d, want %d", c.b, c.a, got, c.want)
		}
	}
}
