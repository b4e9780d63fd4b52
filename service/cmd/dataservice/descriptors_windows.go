// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package main

import "math"

// descriptorLimit is no limit: Windows has none that matters.
func descriptorLimit() int { return math.MaxInt32 }
