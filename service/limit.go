// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

// RateLimit bounds how often something is called: a bucket that holds Requests
// tokens, of which each call takes one, and that fills up evenly within PeriodSeconds.
type RateLimit struct {
	Requests int `json:"requests" doc:"Calls per period, 1 to 1000000; as many may come at once."`
	// PeriodSeconds is 1 where absent.
	PeriodSeconds int `json:"period_seconds,omitempty" doc:"Length of the period, 1 to 86400 seconds; 1 where absent."`
}

// Limits of a rate limit.
const (
	MaxRateRequests      = 1_000_000
	MaxRatePeriodSeconds = 86400
)

// Period returns the length of the period in seconds.
func (l RateLimit) Period() int { return max(l.PeriodSeconds, 1) }

// withDefaults says the period where it is left out, so that both are one definition.
func (l *RateLimit) withDefaults() *RateLimit {
	if l == nil || l.PeriodSeconds != 0 {
		return l
	}
	return &RateLimit{Requests: l.Requests, PeriodSeconds: l.Period()}
}

func (l *RateLimit) validate(v *Invalid, pointer string) {
	if l == nil {
		return
	}
	if l.Requests < 1 || l.Requests > MaxRateRequests {
		v.Addf(pointer+"/requests", "%d is not a number of calls: use 1 to %d.", l.Requests, MaxRateRequests)
	}
	if l.PeriodSeconds < 0 || l.PeriodSeconds > MaxRatePeriodSeconds {
		v.Addf(pointer+"/period_seconds", "%d is not a period: use 1 to %d seconds.", l.PeriodSeconds, MaxRatePeriodSeconds)
	}
}
