// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package provider

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// unpublishTimeout is how long a destroy waits where the configuration does not say.
const unpublishTimeout = 60 * time.Minute

// maxTurns bounds how often somebody else may change a thing under a destroy.
const maxTurns = 5

// ending is how a destroy ends a thing of which apps are told first. T is the thing as
// the service answers it.
type ending[T any] struct {
	read func(ctx context.Context, wait time.Duration) (T, error)
	// call makes the one call that leads on. What it announces is to happen at that time,
	// the earliest allowed hour where "".
	call func(ctx context.Context, thing T, noticeTime string) (T, error)
	// stage tells how far the end has come.
	stage func(T) endStage
	// apps are the notices that are waited for.
	apps client.NoticeFilter
}

// endStage is how far the end of a thing has come.
type endStage struct {
	// over says that nothing is left to end; happened, that it has ended in just the way
	// that was announced.
	over, happened bool
	// announced says that the end waits for notices, until the deadline.
	announced bool
	deadline  *time.Time
	// unchanged is the sentence after a refusal, waits the one for an end that has not
	// come yet, takenBack what somebody took back, and status what the thing is now.
	unchanged, waits, takenBack, status string
}

// end ends the thing, and returns it, as it was read last, once it has ended. What is
// announced already, by an earlier destroy or by somebody else, is taken over.
func (e ending[T]) end(ctx context.Context, b *backend, noticeTime string, timeout time.Duration) (T, error) {
	var last T
	thing, err := e.read(ctx, 0)
	for turn := 0; ; turn++ {
		if client.IsNotFound(err) {
			return last, nil
		}
		if err != nil {
			return last, err
		}
		last = thing
		stage := e.stage(thing)
		switch {
		case stage.over:
			return last, nil
		case stage.announced:
			return e.await(ctx, b, thing, timeout)
		}
		thing, err = e.call(ctx, thing, noticeTime)
		switch code := service.ErrorCode(err); {
		case code == service.CodeForbidden:
			return last, fmt.Errorf("%w %s", err, stage.unchanged)
		case code == service.CodeInvalid && noticeTime != "":
			// The time was chosen for something else, or is over. The earliest allowed hour is
			// never unfair to anybody.
			noticeTime = ""
			thing, err = e.read(ctx, 0)
		case (code == service.CodeIllegalAction || code == service.CodeConflict) && turn < maxTurns:
			// It was decided in this moment: look again.
			thing, err = e.read(ctx, 0)
		}
	}
}

// await waits until what is announced has happened. Anything else is an error, which
// keeps the thing in the state.
func (e ending[T]) await(ctx context.Context, b *backend, thing T, timeout time.Duration) (T, error) {
	thing, err := awaitNotices(ctx, b, e.apps, e.stage(thing).deadline, thing, func(thing T) bool { return !e.stage(thing).announced }, e.read)
	stage := e.stage(thing)
	switch {
	case client.IsNotFound(err):
		return thing, nil
	case ctx.Err() != nil:
		return thing, fmt.Errorf("%s%s %s What is announced stands: destroy again to wait on", stage.waits, b.unconfirmed(ctx, e.apps), ended(ctx, timeout))
	case err != nil:
		return thing, err
	case !stage.happened:
		return thing, fmt.Errorf("Somebody took back that %s, or changed it otherwise: it is %s now. Destroy again to announce it anew", stage.takenBack, stage.status)
	}
	return thing, nil
}

// reportTime is how often a wait for notices writes to the log whom it waits for.
const reportTime = time.Minute

// awaitNotices reads a thing, with long polls, until it is settled. It bears with a
// service that is away for a moment, for an upgrade perhaps: those who confirm take
// longer than that. It returns the thing as it was read last.
func awaitNotices[T any](ctx context.Context, b *backend, apps client.NoticeFilter, deadline *time.Time, thing T, settled func(T) bool, read func(context.Context, time.Duration) (T, error)) (T, error) {
	var told time.Time
	away := 0
	for !settled(thing) {
		if time.Since(told) >= reportTime {
			tflog.Info(ctx, "waiting for the authorized apps", map[string]any{"deadline": deadlineOf(deadline), "unconfirmed": b.unconfirmed(ctx, apps)})
			told = time.Now()
		}
		next, err := read(ctx, pollTime)
		switch {
		case err == nil:
			if thing, away = next, 0; !settled(thing) {
				pause(ctx, breath)
			}
		case ctx.Err() != nil, client.Answered(err), away >= mostAway:
			return thing, err
		default:
			away++
			pause(ctx, pauseTime)
		}
	}
	return thing, nil
}

// ended says why a wait ended that the context ended.
func ended(ctx context.Context, timeout time.Duration) string {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Sprintf("The destroy waited for %s, which timeouts = { delete = \"…\" } sets.", timeout)
	}
	return "The destroy was interrupted."
}
