// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// raceTracks is how many publications race side by side.
const raceTracks = 8

// racesEach is how often two calls are made at once, per kind of race and store: with the
// four kinds, a thousand times; DATASERVICE_TEST_RACES=1000 makes each of them a thousand.
func racesEach(t *testing.T) int {
	t.Helper()
	s := os.Getenv("DATASERVICE_TEST_RACES")
	if s == "" {
		return 256
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < raceTracks {
		t.Fatalf("DATASERVICE_TEST_RACES=%q is not a number of races, %d or more", s, raceTracks)
	}
	return n
}

// The calls of a history. What a publication is to answer them stands in [racer.step].
type callKind string

const (
	callApply   callKind = "apply"
	callApprove callKind = "approve"
	callReject  callKind = "reject"
	callCancel  callKind = "cancel"
	callSwitch  callKind = "switch"
	callSuspend callKind = "suspend"
	callRestore callKind = "restore"
	callUndo    callKind = "undo" // of an announced suspension
	callRead    callKind = "read"
)

// raceCall is a call: review names the application that it is about, version the one
// that it puts live or applies for.
type raceCall struct {
	kind            callKind
	review, version string
}

// raceAnswer is what it answered: the code of a refusal, or what was read.
type raceAnswer struct {
	code service.Code
	racer
}

// racer is what a publication is, as far as the races are about it.
type racer struct {
	status service.Status
	live   string
	// authorized says that an app may call, so that a suspension is announced to it.
	authorized bool
	// review is the open application or the one that was closed last, with its status and
	// the version that it is about.
	review   string
	decision service.ReviewStatus
	version  string
}

func (r racer) open() bool { return r.decision == service.ReviewPending }

// step says whether a publication may answer so, and what it is then. It is written from
// the design, not from the table that the service looks into.
func (r racer) step(c raceCall, a raceAnswer) (bool, racer) {
	switch c.kind {
	case callApply:
		if r.open() {
			return a.code == service.CodeReviewPending, r
		}
		next := r
		next.review, next.decision, next.version = a.review, service.ReviewPending, c.version
		return a.code == "", next
	case callApprove, callReject, callCancel:
		return r.decide(c, a)
	case callSwitch:
		if r.status == service.StatusWaitingStop {
			return a.code == service.CodeIllegalAction, r
		}
		if r.open() {
			return a.code == service.CodeReviewPending, r
		}
		r.live = c.version
		return a.code == "", r
	case callSuspend:
		if r.status != service.StatusPublished {
			return a.code == service.CodeIllegalAction, r
		}
		r.status = service.StatusStopped
		if r.authorized {
			r.status = service.StatusWaitingStop
		}
		if r.open() {
			r.decision = service.ReviewCancelled
		}
		return a.code == "", r
	case callRestore:
		if r.status != service.StatusStopped {
			return a.code == service.CodeIllegalAction, r
		}
		r.status = service.StatusPublished
		return a.code == "", r
	case callUndo:
		if r.status != service.StatusWaitingStop {
			return a.code == service.CodeIllegalAction, r
		}
		r.status = service.StatusPublished
		return a.code == "", r
	case callRead:
		seen := a.racer
		seen.version, seen.authorized = r.version, r.authorized
		return a.code == "" && seen == r, r
	}
	return false, r
}

// decide answers the three ways to close an application: the first one wins, and the
// others are told that it is decided.
func (r racer) decide(c raceCall, a raceAnswer) (bool, racer) {
	decision := map[callKind]service.ReviewStatus{
		callApprove: service.ReviewApproved, callReject: service.ReviewRejected, callCancel: service.ReviewCancelled,
	}[c.kind]
	if r.review != c.review || !r.open() {
		sameAgain := r.review == c.review && r.decision == decision && c.kind != callCancel
		return sameAgain && a.code == "" || a.code == service.CodeReviewDecided, r
	}
	r.decision = decision
	if decision == service.ReviewApproved {
		r.live = r.version
	}
	return a.code == "", r
}

// raceModel checks the histories of many publications, each by itself.
func raceModel(start racer) porcupine.Model {
	return porcupine.Model{
		Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
			tracks := make([][]porcupine.Operation, raceTracks)
			for _, o := range history {
				tracks[o.ClientId%raceTracks] = append(tracks[o.ClientId%raceTracks], o)
			}
			return tracks
		},
		Init:              func() any { return start },
		Step:              func(state, in, out any) (bool, any) { return state.(racer).step(in.(raceCall), out.(raceAnswer)) },
		DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v: %+v", in, out) },
	}
}

// races is a history in the making.
type races struct {
	*house
	dev, rev, rev2 lifecycle.Caller
	began          time.Time

	mu      sync.Mutex
	history []porcupine.Operation
	busy    atomic.Int32
}

// track is one publication that is raced on.
type track struct {
	*races
	number int
	api    service.API
	id     string
	// live is the version that was live when it was read last, review the newest application.
	live, review string
	rounds       int
}

// call makes a call, notes it in the history and returns what it answered. Where the
// service is busy nothing happened, and the call is made again.
func (k *track) call(side int, c raceCall, do func() (raceAnswer, error)) raceAnswer {
	for {
		called := time.Since(k.began)
		a, err := do()
		returned := time.Since(k.began)
		if a.code = service.ErrorCode(err); a.code == service.CodeBusy {
			k.busy.Add(1)
			continue
		}
		k.mu.Lock()
		k.history = append(k.history, porcupine.Operation{
			ClientId: side*raceTracks + k.number, Input: c, Call: int64(called), Output: a, Return: int64(returned),
		})
		k.mu.Unlock()
		return a
	}
}

func (k *track) apply() {
	k.rounds++
	in := service.PublishInput{APIID: k.api.ID, Version: other(k.live), Remark: fmt.Sprintf("round %d", k.rounds)}
	k.review = k.call(0, raceCall{kind: callApply, version: in.Version}, func() (a raceAnswer, err error) {
		p, err := k.Publish(k.ctx, k.dev, in)
		if err == nil {
			a.review = p.OpenReview.ID
		}
		return a, err
	}).review
}

func (k *track) approve(side int) service.Code {
	return k.call(side, raceCall{kind: callApprove, review: k.review}, func() (a raceAnswer, err error) {
		_, err = k.Approve(k.ctx, k.rev, k.review, service.DecisionInput{})
		return a, err
	}).code
}

func (k *track) reject(side int) service.Code {
	return k.call(side, raceCall{kind: callReject, review: k.review}, func() (a raceAnswer, err error) {
		_, err = k.Reject(k.ctx, k.rev2, k.review, service.DecisionInput{Comment: "no"})
		return a, err
	}).code
}

func (k *track) cancel(side int) service.Code {
	return k.call(side, raceCall{kind: callCancel, review: k.review}, func() (a raceAnswer, err error) {
		_, err = k.CancelReview(k.ctx, k.dev, k.review, service.ActionInput{})
		return a, err
	}).code
}

func (k *track) switchTo(side int, version string) service.Code {
	return k.call(side, raceCall{kind: callSwitch, version: version}, func() (a raceAnswer, err error) {
		_, err = k.Publish(k.ctx, k.rev, service.PublishInput{APIID: k.api.ID, Version: version})
		return a, err
	}).code
}

func (k *track) act(side int, kind callKind) service.Code {
	return k.call(side, raceCall{kind: kind}, func() (a raceAnswer, err error) {
		do := map[callKind]func(context.Context, lifecycle.Caller, string, service.ActionInput) (service.Publication, error){
			callSuspend: k.Suspend, callRestore: k.Restore, callUndo: k.Cancel,
		}[kind]
		_, err = do(k.ctx, k.rev2, k.id, service.ActionInput{})
		return a, err
	}).code
}

// read reads the publication and its newest application.
func (k *track) read() {
	k.live = k.call(0, raceCall{kind: callRead}, func() (a raceAnswer, err error) {
		p, err := k.Publication(k.ctx, k.dev, k.id, 0)
		if err != nil {
			return a, err
		}
		a.status, a.live = p.Status, p.Live.Name
		if k.review != "" {
			r, err := k.Review(k.ctx, k.dev, k.review, 0)
			a.review, a.decision = r.ID, r.Status
			return a, err
		}
		return a, nil
	}).live
}

// both makes two calls at once.
func both(one, other func() service.Code) (codes [2]service.Code) {
	var ready, done sync.WaitGroup
	ready.Add(2)
	for i, do := range []func() service.Code{one, other} {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			codes[i] = do()
		})
	}
	done.Wait()
	return codes
}

// other is the version that is not live.
func other(version string) string {
	if version == "V1" {
		return "V2"
	}
	return "V1"
}

// newRaces makes the publications that are raced on, each with two versions.
func newRaces(t *testing.T, h *house) (*races, []*track) {
	t.Helper()
	k := &races{
		house: h, dev: h.member(t, "dev", service.RoleDeveloper, false),
		rev: h.member(t, "rev", service.RoleDeveloper, true), rev2: h.member(t, "rev2", service.RoleAdmin, true), began: time.Now(),
	}
	tracks := make([]*track, raceTracks)
	for i := range tracks {
		api := h.api(t, k.dev, fmt.Sprintf("race_%d", i))
		tracks[i] = &track{races: k, number: i, api: api, id: h.publishRevisions(t, k.rev, api, 2).ID, live: "V2"}
	}
	return k, tracks
}

// run lets all publications race side by side, and checks the history of what they
// answered: it must fit into one order of calls, of which each saw what the ones before
// it did.
func (k *races) run(t *testing.T, tracks []*track, start racer, round func(*track)) {
	t.Helper()
	var done sync.WaitGroup
	for _, track := range tracks {
		done.Go(func() {
			for range racesEach(t) / raceTracks {
				round(track)
			}
		})
	}
	done.Wait()
	if result := porcupine.CheckOperationsTimeout(raceModel(start), k.history, time.Minute); result != porcupine.Ok {
		t.Errorf("of %d calls the history is %s: they fit into no order", len(k.history), result)
	}
	t.Logf("%d calls, %d of them made again since another was under way", len(k.history), k.busy.Load())
}

// TestRacesHaveOneWinnerAndAnOrder makes two calls on one publication at once, again and
// again: two reviewers decide differently, a reviewer approves while the applicant
// cancels, and a switch meets a suspension. Of two decisions one wins and the other is
// told so; and everything that was answered and read must fit into one order of calls.
func TestRacesHaveOneWinnerAndAnOrder(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		k, tracks := newRaces(t, h)
		k.run(t, tracks, racer{status: service.StatusPublished, live: "V2"}, func(k *track) {
			k.decisions(t, func() service.Code { return k.reject(2) })
			k.decisions(t, func() service.Code { return k.cancel(2) })
			k.suspension(t)
		})
	})
}

// TestAPublishThatMeetsAnAnnouncedSuspensionIsRefused lets a switch race with a suspension
// that an authorized app is told of: whoever comes first has what it asked for, and where
// that is the suspension, the switch is refused.
func TestAPublishThatMeetsAnAnnouncedSuspensionIsRefused(t *testing.T) {
	onEveryStore(t, func(t *testing.T, h *house) {
		k, tracks := newRaces(t, h)
		app := h.app(t, k.dev, "caller")
		for _, track := range tracks {
			must(h.Authorize(h.ctx, k.rev, service.AuthorizeInput{APIID: track.api.ID, AppID: app.ID}))(t)
		}
		var refused, switched atomic.Int32
		k.run(t, tracks, racer{status: service.StatusPublished, live: "V2", authorized: true}, func(k *track) {
			codes := both(func() service.Code { return k.switchTo(1, other(k.live)) }, func() service.Code { return k.act(2, callSuspend) })
			switch codes {
			case [2]service.Code{}:
				switched.Add(1)
			case [2]service.Code{service.CodeIllegalAction, ""}:
				refused.Add(1)
			default:
				t.Errorf("a switch and an announced suspension are answered %q", codes)
			}
			k.read()
			k.act(0, callUndo)
		})
		t.Logf("the suspension was first %d times, the switch %d times", refused.Load(), switched.Load())
		if refused.Load() == 0 || switched.Load() == 0 {
			t.Error("one of them was always first: they did not race")
		}
	})
}

// decisions lets an approval race with another end of the application.
func (k *track) decisions(t *testing.T, against func() service.Code) {
	k.apply()
	codes := both(func() service.Code { return k.approve(1) }, against)
	slices.Sort(codes[:])
	if codes != [2]service.Code{"", service.CodeReviewDecided} {
		t.Errorf("two decisions are answered %q, want one to win and one to be told that it is decided", codes)
	}
	k.read()
}

// suspension lets a switch race with a suspension: both may be done, in either order.
func (k *track) suspension(t *testing.T) {
	codes := both(func() service.Code { return k.switchTo(1, other(k.live)) }, func() service.Code { return k.act(2, callSuspend) })
	if codes != [2]service.Code{} {
		t.Errorf("a switch and a suspension are answered %q", codes)
	}
	k.read()
	k.act(0, callRestore)
}
