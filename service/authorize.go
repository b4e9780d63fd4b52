// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package service

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// SpeaksFor reports whether the member acts for the apps of the member with that id: its
// owner does, and who may act for everybody's apps.
func (m Member) SpeaksFor(ownerID string) bool {
	return m.ID == ownerID && m.May(OpOwnApps) || m.May(OpAllApps)
}

// Grants reports whether the member authorizes the app here without a review: a reviewer
// does, and where the environment needs no review everybody who publishes there. With
// four eyes nobody grants to an app of their own.
func (e Environment) Grants(m Member, app App) bool {
	if !e.ReviewRequired {
		return m.May(OpApply)
	}
	return m.May(OpDecide) && !(e.FourEyes && app.OwnerID == m.ID)
}

// AuthorizeSituation is everything that is looked at to answer a request to authorize an app.
type AuthorizeSituation struct {
	Environment Environment
	Publication Publication
	// Authorization is the record there is, or a new one, whose status is "".
	Authorization Authorization
	App           App
	// AuthTypes are the ways to authenticate of the API's definition and of what is live.
	AuthTypes []AuthType
	Actor     Member
	// Until is what is asked for; nil is no end.
	Until  *time.Time
	Remark string
	// AtOnce refuses the request where the app could not call at once.
	AtOnce bool
	Now    time.Time
}

// AuthorizeStep is what a request to authorize an app does.
type AuthorizeStep struct {
	// Unchanged means that what was asked for is so already; all else is zero.
	Unchanged bool
	// Close is the final status that the open application gets; "" leaves it open.
	Close ReviewStatus
	// Grant lets the app call at once.
	Grant bool
	// Open opens an application.
	Open bool
}

// DecideAuthorize says what a request to authorize an app does, or why it does nothing:
// CodeForbidden, CodeInvalid, CodeIllegalAction, CodeReviewPending or CodeReviewRejected.
func DecideAuthorize(s AuthorizeSituation) (AuthorizeStep, error) {
	step, err := s.decide()
	if err == nil && s.AtOnce && (step.Open || step.Unchanged && s.Authorization.Status != AuthorizationActive) {
		return AuthorizeStep{}, Errorf(CodeForbidden,
			"%s cannot authorize the app %q in %s at once: a reviewer has to decide on that, and this call makes no application. Ask a reviewer to do it, or apply with a call that can wait.",
			s.Actor.Name, s.App.Name, s.Environment.Name)
	}
	return step, err
}

func (s AuthorizeSituation) decide() (AuthorizeStep, error) {
	z := s.Authorization
	direct := s.Environment.Grants(s.Actor, s.App)
	if err := s.authorize(); err != nil {
		return AuthorizeStep{}, err
	}
	if err := s.validate(); err != nil {
		return AuthorizeStep{}, err
	}
	open, same := z.OpenReview, z.Status == AuthorizationActive && sameTime(s.Until, z.Until)
	switch {
	case same && (open == nil || open.ApplicantID != s.Actor.ID):
		return AuthorizeStep{Unchanged: true}, nil
	case open != nil && open.ApplicantID != s.Actor.ID:
		return AuthorizeStep{}, Errorf(CodeReviewPending,
			"%s applied on %s to let %s call %s in %s, and nobody has decided yet. Decide on review %s, or have it cancelled.",
			open.ApplicantName, open.CreatedAt.UTC().Format("2006-01-02 15:04 UTC"), z.AppName, z.APIName, z.EnvironmentName, open.ID)
	}
	step := AuthorizeStep{}
	if open != nil {
		step.Close = ReviewSuperseded
	}
	if same {
		// Asking for what there is withdraws one's own application for more.
		return step, nil
	}
	if err := checkAnnounced(s.Publication, z, "authorize"); err != nil {
		return AuthorizeStep{}, err
	}
	if direct {
		step.Grant = true
		return step, nil
	}
	if open != nil && sameTime(open.Until, s.Until) && open.Remark == s.Remark {
		return AuthorizeStep{Unchanged: true}, nil
	}
	if r := z.Rejection; r != nil && sameTime(r.Until, s.Until) && r.Remark == s.Remark {
		return AuthorizeStep{}, Errorf(CodeReviewRejected, "%s rejected the application to let %s call %s in %s: %q. Change the time or the remark, and apply again.",
			r.DeciderName, z.AppName, z.APIName, z.EnvironmentName, r.Comment)
	}
	step.Open = true
	return step, nil
}

// authorize checks whether the member may let the app call, or apply for it.
func (s AuthorizeSituation) authorize() error {
	if s.Environment.Grants(s.Actor, s.App) || s.Actor.SpeaksFor(s.App.OwnerID) {
		return nil
	}
	return Errorf(CodeForbidden,
		"%s may not authorize the app %q in %s: that needs the reviewer right. The app's owner, %s, can apply for it.",
		s.Actor.Name, s.App.Name, s.Environment.Name, s.App.OwnerName)
}

// validate checks the type of the app, and the time.
func (s AuthorizeSituation) validate() error {
	var v Invalid
	z := s.Authorization
	if !fits(s.App.Type, s.AuthTypes) {
		v.Addf("/app_id", "The app %q is of type %s, and the API asks its callers for %s: authorize an app of that type.", s.App.Name, s.App.Type, s.AuthTypes[0])
	}
	switch {
	case s.Until != nil && !s.Until.After(s.Now):
		v.Addf("/until", "%s is past: give a time to come, or leave it out for a right without an end.", showTime(*s.Until))
	case z.Status.Holds() && endsBefore(s.Until, z.Until):
		v.Addf("/until", "The app %q may call %s already, and renewing only extends: give a later time, or none for no end. To end it earlier, revoke it.", s.App.Name, untilPhrase(z.Until))
	}
	return v.Err("The authorization")
}

// fits reports whether apps of that type can be authorized for an API with one of these
// ways to authenticate.
func fits(t AppType, auths []AuthType) bool {
	for _, auth := range auths {
		if want := auth.AppType(); want == "" || want == t {
			return true
		}
	}
	return len(auths) == 0
}

// checkAnnounced keeps new apps out of an API that is about to be suspended or to go
// offline: those who had the right when that was announced are told of it, and nobody else.
func checkAnnounced(p Publication, z Authorization, verb string) error {
	if z.Status.Holds() || p.Status != StatusWaitingStop && p.Status != StatusWaitingOffline {
		return nil
	}
	what := "a suspension"
	if p.Status == StatusWaitingOffline {
		what = "an unpublishing"
	}
	return Errorf(CodeIllegalAction, "Cannot %s %s for %s in %s, which is %s: %s is announced. Have it cancelled first, or wait until it is over.",
		verb, z.AppName, z.APIName, z.EnvironmentName, p.Status, what)
}

// CheckApproval says whether an application to be authorized can be approved now:
// CodeForbidden where four eyes are demanded and these are the applicant's own, or the
// app's owner's,
// CodeIllegalAction where what was asked for cannot be given any more.
func CheckApproval(r Review, z Authorization, p Publication, e Environment, actor Member, now time.Time) error {
	switch {
	case e.FourEyes && r.ApplicantID == actor.ID:
		return ownApplication(actor, e)
	case e.FourEyes && z.AppOwnerID == actor.ID:
		return Errorf(CodeForbidden, "The app %q is %s's own, and %s demands four eyes: another reviewer must decide.", z.AppName, actor.Name, e.Name)
	}
	if r.Until != nil && !r.Until.After(now) {
		return Errorf(CodeIllegalAction, "Cannot approve review %s: the time that it asks for, until %s, is over. Reject it, and have a later time applied for.", r.ID, showTime(*r.Until))
	}
	return checkAnnounced(p, z, "approve the application of")
}

// ownApplication keeps a reviewer from approving the own application.
func ownApplication(actor Member, e Environment) error {
	return Errorf(CodeForbidden, "%s made this application, and %s demands four eyes: another reviewer must decide.", actor.Name, e.Name)
}

// RevokeSituation is everything that is looked at to end an authorization.
type RevokeSituation struct {
	Environment   Environment
	Publication   Publication
	Authorization Authorization
	Actor         Member
	Input         RevokeInput
	Now           time.Time
}

// Revocation is how an authorization ends.
type Revocation struct {
	// Status is REVOKED or UNLINKED at once, or WAITING_REVOKE.
	Status AuthorizationStatus
	// Deadline is that of WAITING_REVOKE, and says how its time was understood.
	Deadline Deadline
}

// DecideRevoke says how an authorization ends, or why it does not: CodeInvalid,
// CodeForbidden or CodeIllegalAction.
func DecideRevoke(s RevokeSituation) (Revocation, error) {
	in, z := s.Input, s.Authorization
	side := cmp.Or(in.RevokeAs, SideAPI)
	var v Invalid
	if !oneOf(side, Sides) {
		v.Addf("/revoke_as", "%q is not a side: use %s.", side, quoted(Sides))
	}
	if side == SideApp && in.Time != "" {
		v.Addf("/time", "The app's side gives its right up at once: leave the time out.")
	}
	if err := v.Err("The request"); err != nil {
		return Revocation{}, err
	}
	if side == SideApp {
		if !s.Actor.SpeaksFor(z.AppOwnerID) {
			return Revocation{}, Errorf(CodeForbidden, "The app %q belongs to %s: its owner, operators and admins alone may give its right up.", z.AppName, z.AppOwnerName)
		}
		if !z.Status.Holds() {
			return Revocation{}, notHolding(z)
		}
		return Revocation{Status: AuthorizationUnlinked}, nil
	}
	if err := s.Environment.authorizeReviewerOnly(s.Actor); err != nil {
		return Revocation{}, err
	}
	if !z.Status.Holds() {
		return Revocation{}, notHolding(z)
	}
	if z.Status == AuthorizationWaitingRevoke {
		return Revocation{}, refuseRevoke(z, "its end is announced for "+showTime(*z.RevokeAt)+" already")
	}
	deadline, err := ParseDeadline(in.Time, s.Environment.NoticeHours, s.Now)
	if err != nil {
		return Revocation{}, err
	}
	if deadline.At.IsZero() || s.Publication.Live == nil {
		return Revocation{Status: AuthorizationRevoked}, nil
	}
	if in.AtOnce {
		return Revocation{}, Errorf(CodeForbidden,
			"Cannot end the authorization of %s for %s in %s at once: the app has to be told first, and this call makes no notice. Announce the end with a call that can wait.",
			z.AppName, z.APIName, z.EnvironmentName)
	}
	return Revocation{Status: AuthorizationWaitingRevoke, Deadline: deadline}, nil
}

func notHolding(z Authorization) error {
	if z.Status == AuthorizationWaitReview {
		return refuseRevoke(z, "its application waits for review; cancel that instead")
	}
	return refuseRevoke(z, "the app may not call it any more")
}

func refuseRevoke(z Authorization, why string) error {
	return Errorf(CodeIllegalAction, "Cannot end the authorization of %s for %s in %s, which is %s: %s.", z.AppName, z.APIName, z.EnvironmentName, z.Status, why)
}

// CheckCancelAuthorization says whether the member may take back the open application of
// the authorization, or else its announced revocation: CodeForbidden or CodeIllegalAction.
func CheckCancelAuthorization(z Authorization, e Environment, actor Member) error {
	switch {
	case z.OpenReview != nil:
		if z.OpenReview.ApplicantID != actor.ID && !actor.May(OpDecide) {
			return Errorf(CodeForbidden, "The application was made by %s: only its applicant or a reviewer may cancel it.", z.OpenReview.ApplicantName)
		}
		return nil
	case z.Status == AuthorizationWaitingRevoke:
		return e.authorizeReviewerOnly(actor)
	default:
		return Errorf(CodeIllegalAction, "Nothing of the authorization of %s for %s in %s can be cancelled: it is %s, no application is open and no end is announced.",
			z.AppName, z.APIName, z.EnvironmentName, z.Status)
	}
}

// AuthorizationDigest names what an application to be authorized asks for.
func AuthorizationDigest(publicationID, appID string, until *time.Time) string {
	end := ""
	if until != nil {
		end = showTime(*until)
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{publicationID, appID, end}, "\n")))
	return hex.EncodeToString(sum[:])
}

// sameTime reports whether both are the same end; nil is none.
func sameTime(a, b *time.Time) bool {
	return a == b || a != nil && b != nil && a.Equal(*b)
}

// endsBefore reports whether a right until a ends before one until b; nil is no end.
func endsBefore(a, b *time.Time) bool {
	return a != nil && (b == nil || a.Before(*b))
}

func untilPhrase(until *time.Time) string {
	if until == nil {
		return "without an end"
	}
	return fmt.Sprintf("until %s", showTime(*until))
}
