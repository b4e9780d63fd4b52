// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import "time"

// Minute is what became, in one minute, of the calls of an API in an environment.
type Minute struct {
	// At is when the minute began.
	At    time.Time
	Calls uint64
	// ClientErrors were answered with a status from 400 on, ServerErrors from 500 on.
	ClientErrors, ServerErrors uint64
	// P50 and P99 are how long half of the calls took at most, and 99 of 100.
	P50, P99 time.Duration
}
