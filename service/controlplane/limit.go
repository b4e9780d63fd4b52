// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package controlplane

import (
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/time/rate"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// limits holds one rate limiter per member. There are as many as members have
// called since the start, so none needs to be thrown away.
type limits struct {
	rate     rate.Limit
	burst    int
	byMember sync.Map // id of the member -> *rate.Limiter
}

func (l *limits) of(memberID string) *rate.Limiter {
	if limiter, ok := l.byMember.Load(memberID); ok {
		return limiter.(*rate.Limiter) //nolint:forcetypeassert // nothing else is stored.
	}
	limiter, _ := l.byMember.LoadOrStore(memberID, rate.NewLimiter(l.rate, l.burst))
	return limiter.(*rate.Limiter) //nolint:forcetypeassert // nothing else is stored.
}

// wait returns how long the member has to wait before it may call again; 0 counts a call.
func (l *limits) wait(memberID string) time.Duration {
	now := time.Now()
	reservation := l.of(memberID).ReserveN(now, 1)
	wait := reservation.DelayFrom(now)
	if wait > 0 {
		reservation.CancelAt(now)
	}
	return wait
}

// limit refuses a member's calls above the rate.
func (a *api) limit(ctx huma.Context, next func(huma.Context)) {
	member := callOf(ctx.Context()).caller.Member
	if wait := a.limits.wait(member.ID); wait > 0 {
		seconds := int(math.Ceil(wait.Seconds()))
		p := problemOf(ctx.Context(), service.Errorf(service.CodeRateLimited,
			"%s made too many calls: %g a second are allowed. Try again in %d s.", member.Name, float64(a.limits.rate), seconds))
		p.headers.Set("Retry-After", strconv.Itoa(seconds))
		writeProblemTo(ctx, p)
		return
	}
	next(ctx)
}
