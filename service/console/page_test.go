// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console

import "testing"

// TestEveryPageCanBeRead: a page that cannot is found here, and not by who opens the first one.
func TestEveryPageCanBeRead(t *testing.T) {
	for name, page := range parsePages() {
		if page.Lookup("layout") == nil {
			t.Errorf("the page %s has no layout", name)
		}
	}
}
