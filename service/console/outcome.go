// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package console

import "fmt"

// outcomes is what became of each of several things that were asked for at once.
type outcomes struct {
	// Back is the page to go on with, and To its name.
	Back, To string
	Items    []outcome
}

type outcome struct {
	// What names the thing, and Page leads to it.
	What, Page string
	// Done is what it is now; Problem is why it is not what was asked for.
	Done, Problem string
}

// Summary counts.
func (o outcomes) Summary() string {
	good := 0
	for _, i := range o.Items {
		if i.Problem == "" {
			good++
		}
	}
	if good == len(o.Items) {
		return fmt.Sprintf("All of it is done: %d of %d.", good, len(o.Items))
	}
	return fmt.Sprintf("%d of %d are done; the others are as they were.", good, len(o.Items))
}
