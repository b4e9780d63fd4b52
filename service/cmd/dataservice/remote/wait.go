// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package remote

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/client"
)

// Patience says how long is waited.
type Patience struct {
	Timeout time.Duration `help:"How long to wait, such as 10m or 8h; 0 waits as long as it takes." default:"1h"`
}

const (
	// mostAway is how long the service may be silent while something is waited for.
	mostAway = 2 * time.Minute
	// awayPause is the pause before it is asked again.
	awayPause = 2 * time.Second
	// tooSoon is what a poll takes at the least that was held open: a service that is about
	// to stop holds none.
	tooSoon = time.Second
	// noteEvery is how often somebody is told that the wait goes on.
	noteEvery = 30 * time.Second
)

// await polls until that says done; each poll may hold its call open for the wait. It tells on
// standard error that it goes on waiting, and survives a restart of the service.
func (t terminal) await(ctx context.Context, patience Patience, what string, poll func(ctx context.Context, wait time.Duration) (done bool, err error)) error {
	if patience.Timeout < 0 {
		return usage("--timeout=%s is not a time to wait: use a duration such as 10m, or 0 for as long as it takes.", patience.Timeout)
	}
	began := time.Now()
	told := began
	bounded, stop := ctx, context.CancelFunc(func() {})
	if patience.Timeout > 0 {
		bounded, stop = context.WithTimeout(ctx, patience.Timeout)
	}
	defer stop()
	var silentSince time.Time
	for {
		wait := client.MaxWait
		if end, ok := bounded.Deadline(); ok {
			wait = max(min(wait, time.Until(end)), time.Millisecond)
		}
		asked := time.Now()
		done, err := poll(bounded, wait)
		switch {
		case err == nil && done:
			return nil
		case ctx.Err() != nil:
			return &failure{exit: ExitInterrupted, cause: ctx.Err(), message: fmt.Sprintf("The wait for %s was interrupted. It is still open.", what)}
		case bounded.Err() != nil:
			stands := "which is still open"
			if !silentSince.IsZero() {
				stands = "and the service did not answer in the end"
			}
			return &failure{exit: ExitTimeout, cause: errors.Join(bounded.Err(), err), message: fmt.Sprintf("Waited %s for %s, %s. Wait on, or allow more time with --timeout.", short(patience.Timeout), what, stands)}
		case err == nil:
			silentSince = time.Time{}
			if time.Since(told) >= noteEvery {
				told = time.Now()
				t.notef("Still waiting for %s, for %s now.", what, time.Since(began).Round(time.Second))
			}
		case client.Answered(err) && service.ErrorCode(err) != service.CodeRateLimited:
			return err
		case silentSince.IsZero():
			silentSince = time.Now()
			t.notef("%s Asking again.", oneSentence(err))
		case time.Since(silentSince) > mostAway:
			return err
		}
		if err != nil || time.Since(asked) < min(wait, tooSoon) {
			select {
			case <-bounded.Done():
			case <-time.After(cmp.Or(t.pause, awayPause)):
			}
		}
	}
}

func oneSentence(err error) string {
	var called *client.Error
	if errors.As(err, &called) {
		return called.Message()
	}
	return err.Error()
}

// awaitReview waits for somebody's decision. ExitRejected where it is no approval.
func (t terminal) awaitReview(ctx context.Context, patience Patience, r service.Review) (service.Review, error) {
	if !r.Settled() {
		t.notef("Waiting%s for the decision on %s, which %s applied for. Review %s%s", patience.most(), asked(r), r.ApplicantName, r.ID, link(r))
	}
	what := fmt.Sprintf("the decision on %s (review %s)", asked(r), r.ID)
	for !r.Settled() {
		err := t.await(ctx, patience, what, func(ctx context.Context, wait time.Duration) (bool, error) {
			got, err := t.Review(ctx, r.ID, wait)
			if err == nil {
				r = got
			}
			return r.Settled(), err
		})
		if err != nil {
			return r, err
		}
	}
	if r.Status == service.ReviewApproved {
		if r.Kind != service.ReviewAuthorize {
			// Who goes on to call the API meets what was approved. Not everybody may read it.
			_, _ = t.settledEverywhere(ctx, r.PublicationID)
		}
		return r, nil
	}
	return r, &failure{exit: ExitRejected, message: notApproved(r)}
}

// notApproved says what became of an application that was not approved.
func notApproved(r service.Review) string {
	switch r.Status {
	case service.ReviewRejected:
		return fmt.Sprintf("%s rejected %s: %s (review %s)", or(r.DeciderName, "Somebody"), asked(r), or(r.Comment, "without a comment"), r.ID)
	case service.ReviewSuperseded:
		return fmt.Sprintf("A newer application has taken the place of %s (review %s).", asked(r), r.ID)
	default:
		return fmt.Sprintf("The application for %s was taken back (review %s).", asked(r), r.ID)
	}
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// most says how long is waited at the most; "" for as long as it takes.
func (p Patience) most() string {
	if p.Timeout == 0 {
		return ""
	}
	return " up to " + short(p.Timeout)
}

// short writes a duration without the zeros at its end: 1h for 1h0m0s.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func link(r service.Review) string {
	if r.URL == "" {
		return ""
	}
	return ": " + r.URL
}

// awaitPublication waits until nothing is open any more about a publication: neither an
// application nor an announced end. ExitRejected where that is not what was asked for.
func (t terminal) awaitPublication(ctx context.Context, patience Patience, p service.Publication) (service.Publication, error) {
	for !p.Settled() {
		if p.OpenReview != nil {
			r, err := t.awaitReview(ctx, patience, *p.OpenReview)
			if err != nil && ExitCode(err) != ExitRejected {
				return p, err
			}
			now, again := t.settledEverywhere(ctx, p.ID)
			if again != nil {
				return p, again
			}
			// What took its place is waited for in its stead.
			if r.Status == service.ReviewSuperseded && now.OpenReview != nil {
				p = now
				continue
			}
			return now, err
		}
		announced := p.Status
		what := fmt.Sprintf("what is announced for %s (%s, at %s at the latest)", place(p), p.Status, atOrNever(p.Deadline))
		t.notef("Waiting%s for %s.", patience.most(), what)
		err := t.await(ctx, patience, what, func(ctx context.Context, wait time.Duration) (bool, error) {
			now, err := t.Publication(ctx, p.ID, wait)
			if err == nil {
				p = now
			}
			return p.Settled() || p.Status != announced, err
		})
		if err != nil {
			return p, err
		}
		reached := announced == service.StatusWaitingStop && p.Status == service.StatusStopped || p.Status == service.StatusOffline
		switch {
		case reached:
			return p, nil
		case p.Settled():
			return p, &failure{exit: ExitRejected, message: fmt.Sprintf("What was announced for %s was taken back: it is %s.", place(p), p.Status)}
		}
	}
	if p.Rejection != nil { // an older version may be live all the same
		return p, &failure{exit: ExitRejected, message: notApproved(*p.Rejection)}
	}
	return p, nil
}

// settledEverywhere reads the publication when every gateway serves what it is, or tells
// which do not yet.
func (t terminal) settledEverywhere(ctx context.Context, id string) (service.Publication, error) {
	p, err := t.Publication(ctx, id, 0, client.AwaitGateways())
	t.tellLagging(p)
	return p, err
}

// tellLagging names gateways that do not serve a change yet.
func (t terminal) tellLagging(p service.Publication) {
	for _, g := range p.LaggingGateways {
		t.notef("The gateway %s (%s) does not serve this yet, and follows by itself.", g.Name, strings.Join(g.Addresses, ", "))
	}
}
