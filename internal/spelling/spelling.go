// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package spelling tells how much names are alike, for messages that ask what was meant.
package spelling

// Distance is how many bytes to change, add or remove turn one name into the other
// (Levenshtein's).
func Distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
