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

// limit refuses a member's calls above the rate.
func (a *api) limit(ctx huma.Context, next func(huma.Context)) {
	member := callOf(ctx.Context()).caller.Member
	now := time.Now()
	reservation := a.limits.of(member.ID).ReserveN(now, 1)
	if wait := reservation.DelayFrom(now); wait > 0 {
		reservation.CancelAt(now)
		seconds := int(math.Ceil(wait.Seconds()))
		p := problemOf(ctx.Context(), service.Errorf(service.CodeRateLimited,
			"%s made too many calls: %g a second are allowed. Try again in %d s.", member.Name, float64(a.limits.rate), seconds))
		p.headers.Set("Retry-After", strconv.Itoa(seconds))
		writeProblemTo(ctx, p)
		return
	}
	next(ctx)
}
