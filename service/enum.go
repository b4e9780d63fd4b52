// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

func oneOf[T comparable](value T, allowed []T) bool { return slices.Contains(allowed, value) }

// quoted lists values as a sentence needs them: `"A", "B" or "C"`.
func quoted[T ~string](values []T) string {
	q := make([]string, len(values))
	for i, v := range values {
		q[i] = fmt.Sprintf("%q", string(v))
	}
	if len(q) < 2 {
		return strings.Join(q, "")
	}
	return strings.Join(q[:len(q)-1], ", ") + " or " + q[len(q)-1]
}

func lower[T ~string](value T) string { return strings.ToLower(string(value)) }

func itoa(n int) string { return strconv.Itoa(n) }
