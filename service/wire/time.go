// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package wire

import "time"

// Millis is a time as DataArts DataService answers it: 13 digits, milliseconds since 1970.
func Millis(at time.Time) int64 { return at.UnixMilli() }

// MillisOf is Millis of a time that may be absent; nil where it is.
func MillisOf(at *time.Time) *int64 {
	if at == nil {
		return nil
	}
	ms := at.UnixMilli()
	return &ms
}

// Zulu is a time as API Gateway answers it, such as 2020-08-03T01:36:00Z.
func Zulu(at time.Time) string { return at.UTC().Format(time.RFC3339) }

// Offset is a time as DataWorks answers it, such as 2020-06-23T00:21:01+0800: in UTC here.
func Offset(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05-0700") }
