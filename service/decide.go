// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"fmt"
	"time"
)

// Situation is everything that the lifecycle looks at to answer one call.
type Situation struct {
	Call        Call
	Publication Publication
	Environment Environment
	// Actor is who calls; ignored for SETTLE.
	Actor Member
	// AuthorizedApps counts the apps that a suspension or unpublishing must ask.
	AuthorizedApps int
	// Deadline is when a suspension or unpublishing happens at the latest; zero where it
	// happens at once, whoever is authorized.
	Deadline time.Time
	// Digest names the candidate of a PUBLISH or RESTORE, Remark is what the caller says of it.
	Digest, Remark string
	// AlreadyLive says that the candidate of a PUBLISH is the live version.
	AlreadyLive bool
	// Rejected is an application that was rejected and that the candidate repeats
	// without a change; nil where there is none.
	Rejected *Review
	// AtOnce refuses the call where it would not take effect at once.
	AtOnce bool
	// Anew refuses a PUBLISH whose candidate is the live version.
	Anew bool
}

// Transition is what a call does to a publication.
type Transition struct {
	From, To Status
	// Unchanged means that what was asked for is so already; all else is zero.
	Unchanged bool
	// Close is the final status that the open application gets; "" leaves it open.
	Close ReviewStatus
	// Open is the kind of application that is opened; "" opens none.
	Open ReviewKind
	// MakeVersion makes the candidate the live version.
	MakeVersion bool
	// Notices makes a notice for each authorized app, with the deadline.
	Notices  bool
	Deadline time.Time
	// Delete removes the record.
	Delete bool
}

// Decide looks the situation up in the lifecycle table and says what the call
// does, or why it does nothing: CodeForbidden, CodeIllegalAction,
// CodeReviewPending, CodeReviewRejected or CodeAlreadyExists.
func Decide(s Situation) (Transition, error) {
	t, err := decide(s)
	if err == nil && s.Anew && s.AlreadyLive {
		err = Errorf(CodeAlreadyExists, "%s is published in %s already, just as it is.", s.Publication.APIName, s.Environment.Name)
	}
	if err == nil && s.AtOnce {
		err = s.refuseDelay(t)
	}
	if err != nil {
		return Transition{}, err
	}
	return t, nil
}

// refuseDelay refuses a transition that leaves what was asked for to a reviewer, to the
// authorized apps, or to a restoration.
func (s Situation) refuseDelay(t Transition) error {
	verb, name, env := verbs[s.Call], s.Publication.APIName, s.Environment.Name
	switch {
	case t.Open != "" || t.Unchanged && !s.AlreadyLive:
		return Errorf(CodeForbidden, "%s cannot %s %s in %s at once: a reviewer has to decide on that, and this call makes no application. Ask a reviewer to do it, or apply with a call that can wait.",
			s.Actor.Name, verb, name, env)
	case t.Notices:
		return Errorf(CodeForbidden, "Cannot %s %s in %s at once: the apps that are authorized for it, %d, have to be told first, and this call makes no notices. Announce it with a call that can wait, or end the authorizations first.",
			verb, name, env, s.AuthorizedApps)
	case s.Call == CallPublish && t.To != StatusPublished:
		return Errorf(CodeIllegalAction, "Cannot publish %s in %s at once: it is %s there, and stays so until it is restored.", name, env, t.To)
	}
	return nil
}

func decide(s Situation) (Transition, error) {
	p := s.Publication
	state := State{p.Status, p.OpenReview != nil}
	if !possible[state] {
		return Transition{}, Errorf(CodeInternal, "Publication %s is in the impossible state %s with an open application: %t.", p.ID, p.Status, state.Open)
	}
	c, known := lifecycle[state][s.Call]
	if !known {
		return Transition{}, Errorf(CodeInternal, "%q is not a call.", s.Call)
	}
	if err := s.authorize(); err != nil {
		return Transition{}, err
	}
	if c.refused != "" {
		return Transition{}, s.refusal(c)
	}
	switch s.Call {
	case CallPublish, CallRestore:
		return s.apply(c)
	case CallApprove:
		if err := p.OpenReview.CheckApprover(s.Actor, s.Environment); err != nil {
			return Transition{}, err
		}
		return Transition{From: p.Status, To: c.direct, Close: ReviewApproved, MakeVersion: c.live}, nil
	case CallReject:
		return Transition{From: p.Status, To: c.direct, Close: ReviewRejected}, nil
	}
	t := Transition{From: p.Status, To: c.direct, Delete: c.direct == deleted}
	if c.direct == resume {
		t.To = p.Resume
	}
	if c.notice != "" && s.AuthorizedApps > 0 && !s.Deadline.IsZero() {
		t.To, t.Notices, t.Deadline = c.notice, true, s.Deadline
	}
	if p.OpenReview != nil {
		t.Close = ReviewCancelled
	}
	return t, nil
}

// authorize checks the right that the call needs, before the table's refusals: who
// may not act learns nothing else.
func (s Situation) authorize() error {
	open := s.Publication.OpenReview
	switch callers[s.Call] {
	case whoService:
		return nil
	case whoReviewer:
		return s.Actor.Authorize(OpDecide)
	case whoReviewerOrWaived:
		return s.Environment.authorizeReviewerOnly(s.Actor)
	case whoCanceller:
		if open == nil && !s.Publication.Settled() {
			return s.Environment.authorizeReviewerOnly(s.Actor)
		}
		if open != nil && open.ApplicantID != s.Actor.ID && !s.Actor.May(OpDecide) {
			return Errorf(CodeForbidden, "The application was made by %s: only its applicant or a reviewer may cancel it.", open.ApplicantName)
		}
	}
	return s.Actor.Authorize(OpApply)
}

func (s Situation) refusal(c cell) error {
	code := c.code
	if code == "" {
		code = CodeIllegalAction
	}
	return Errorf(code, "Cannot %s %s in %s, which is %s: %s.", verbs[s.Call], s.Publication.APIName, s.Environment.Name, s.Publication.Status, c.refused)
}

var verbs = map[Call]string{
	CallPublish: "publish", CallApprove: "approve", CallReject: "reject", CallCancel: "cancel", CallSuspend: "suspend",
	CallRestore: "restore", CallUnpublish: "unpublish", CallSettle: "settle", CallDelete: "delete",
}

// apply answers PUBLISH and RESTORE, which act at once or ask for a review.
func (s Situation) apply(c cell) (Transition, error) {
	p := s.Publication
	kind := ReviewPublish
	if s.Call == CallRestore {
		kind = ReviewRestore
	}
	direct := s.Environment.Direct(s.Actor)
	open := p.OpenReview
	// An open publish application does not stand in the way of a direct restore.
	if open != nil && open.Kind != kind {
		if direct {
			return Transition{From: p.Status, To: c.direct}, nil
		}
		return Transition{}, s.pending(open)
	}
	if open != nil && open.ApplicantID != s.Actor.ID {
		if s.AlreadyLive {
			return Transition{From: p.Status, To: p.Status, Unchanged: true}, nil
		}
		return Transition{}, s.pending(open)
	}
	if s.AlreadyLive {
		if open == nil {
			return Transition{From: p.Status, To: p.Status, Unchanged: true}, nil
		}
		// Asking for what is live withdraws one's own newer application.
		return Transition{From: p.Status, To: p.Status, Close: ReviewSuperseded}, nil
	}
	t := Transition{From: p.Status}
	if open != nil {
		t.Close = ReviewSuperseded
	}
	if direct {
		t.To, t.MakeVersion = c.direct, c.live
		return t, nil
	}
	if open != nil && open.Digest == s.Digest && open.Remark == s.Remark {
		return Transition{From: p.Status, To: p.Status, Unchanged: true}, nil
	}
	if s.Rejected != nil {
		return Transition{}, rejection(*s.Rejected)
	}
	t.To, t.Open = c.reviewed, kind
	return t, nil
}

func (s Situation) pending(open *Review) error {
	return Errorf(CodeReviewPending, "Cannot %s %s in %s: %s applied to %s revision %d there on %s and nobody has decided yet. Wait for the decision on review %s, or have it cancelled.",
		verbs[s.Call], s.Publication.APIName, s.Environment.Name, open.ApplicantName, verbs[Call(open.Kind)], open.Revision, open.CreatedAt.UTC().Format("2006-01-02 15:04 UTC"), open.ID)
}

// rejection is the answer to an application that was rejected before and has not changed.
func rejection(r Review) *Error {
	return Errorf(CodeReviewRejected, "%s rejected revision %d of %s for %s: %q. Change the definition or the remark, and apply again.",
		r.DeciderName, r.Revision, r.APIName, r.EnvironmentName, r.Comment)
}

// CheckDecision answers a decision on a review that may be decided already: done
// is true where it was decided the same way before, which is a success; otherwise
// a decided or closed review is a conflict that names who decided.
func CheckDecision(r Review, call Call, digest string) (done bool, err error) {
	if digest != "" && digest != r.Digest {
		return false, Errorf(CodeConflict, "Review %s is about another candidate than the one you name: it is about %s, with the digest %s.", r.ID, r.about(), r.Digest)
	}
	want := ReviewApproved
	if call == CallReject {
		want = ReviewRejected
	}
	switch r.Status {
	case ReviewPending:
		return false, nil
	case want:
		return true, nil
	case ReviewApproved, ReviewRejected:
		return false, Errorf(CodeReviewDecided, "Review %s of %s was %s by %s already%s.", r.ID, r.about(), lower(r.Status), r.DeciderName, commentPhrase(r.Comment))
	default:
		return false, Errorf(CodeReviewDecided, "Review %s of %s was %s and can no longer be decided.", r.ID, r.about(), lower(r.Status))
	}
}

// CheckCancel answers the cancelling of a review that is not pending: cancelling
// twice is a conflict like every other late decision.
func CheckCancel(r Review) error {
	return Errorf(CodeReviewDecided, "Review %s of %s was %s already and cannot be cancelled.", r.ID, r.about(), lower(r.Status))
}

// about names the candidate of a review for a sentence.
func (r Review) about() string {
	if r.Kind == ReviewAuthorize {
		return fmt.Sprintf("%s for %s in %s", r.AppName, r.APIName, r.EnvironmentName)
	}
	return fmt.Sprintf("%s revision %d", r.APIName, r.Revision)
}

func commentPhrase(comment string) string {
	if comment == "" {
		return ""
	}
	return fmt.Sprintf(" (%q)", comment)
}
