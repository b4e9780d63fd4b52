// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// candidate is what a publish call asks to put live.
type candidate struct {
	application
	connection service.Connection
	// debuggedWith is the id of the connection that the revision was debugged with.
	debuggedWith string
	debugStatus  service.DebugStatus
	// anew refuses what is live already.
	anew bool
}

// isLive reports whether the candidate is the publication's live version.
func (cand candidate) isLive(p service.Publication) bool {
	switch {
	case p.Live == nil:
		return false
	case cand.version != nil:
		return p.Live.ID == cand.version.ID
	}
	return p.Live.Revision == cand.revision && p.Live.ConnectionID == cand.connectionID
}

// findCandidate resolves what a publish call names.
func findCandidate(ctx context.Context, tx Tx, c Caller, api service.API, p service.Publication, in service.PublishInput) (candidate, error) {
	if in.Version != "" {
		return findVersion(ctx, tx, c, p, in)
	}
	return findRevision(ctx, tx, c, api, in)
}

// findRevision resolves a revision that is to become a version.
func findRevision(ctx context.Context, tx Tx, c Caller, api service.API, in service.PublishInput) (cand candidate, err error) {
	revision, err := tx.Revision(ctx, api.ID, in.Revision)
	if service.ErrorCode(err) == service.CodeNotFound {
		var v service.Invalid
		v.Addf("/api_revision", "The API %q has no revision %d; it is at revision %d.", api.Name, in.Revision, api.Revision)
		return cand, v.Err("The request")
	}
	if err != nil {
		return cand, err
	}
	definition := revision.Definition
	cand.debuggedWith, cand.debugStatus = definition.ConnectionID, revision.DebugStatus
	if in.ConnectionID != "" {
		if !definition.ReadsConnection() {
			var v service.Invalid
			v.Addf("/connection_id", "The API %q is answered by a backend and reads from no connection: remove connection_id.", api.Name)
			return cand, v.Err("The request")
		}
		definition.ConnectionID = in.ConnectionID
	}
	if cand.connection, err = connectionOf(ctx, tx, c, definition); err != nil {
		return cand, err
	}
	cand.application = application{
		apiName: api.Name, description: api.Description, revision: revision.Number, definition: definition, connectionID: cand.connection.ID,
		digest: service.CandidateDigest(api, revision.Number, definition, cand.connection), remark: in.Remark,
	}
	return cand, nil
}

func environmentOrRelease(ctx context.Context, tx Tx, c Caller, ref string) (service.Environment, error) {
	if ref == "" {
		ref = service.ReleaseEnvironmentName
	}
	return tx.Environment(ctx, c.Workspace.ID, ref)
}

// Publish asks to put one revision of an API live in an environment: at once for
// a reviewer and where the environment needs no review, else as an application.
// The revision must have been debugged successfully.
func (s *Service) Publish(ctx context.Context, c Caller, in service.PublishInput) (service.Publication, error) {
	var none service.Publication
	if err := c.Member.Authorize(service.OpApply); err != nil {
		return none, err
	}
	if err := in.Validate(); err != nil {
		return none, err
	}
	prepare := func() (err error) {
		var proven bool
		if in.ConnectionID, proven, err = s.keptConnection(ctx, c, in); err != nil || proven {
			return err
		}
		return s.proveOverride(ctx, c, in)
	}
	p, err := once(ctx, s, c, "publication.publish", in, prepare, func(tx Tx) (service.Publication, string, error) {
		env, err := lockEnvironment(ctx, tx, c, in.EnvironmentID)
		if err != nil {
			return none, "", err
		}
		api, err := changeableAPI(ctx, tx, c, in.APIID)
		if err != nil {
			return none, "", err
		}
		p, err := s.publicationOf(ctx, tx, api, env)
		if err != nil {
			return none, "", err
		}
		if in.KeepConnection {
			if chosen, err := chosenConnection(ctx, tx, p, in.Revision); err != nil || chosen != in.ConnectionID {
				return none, "", cmp.Or(err, connectionChanged(p))
			}
		}
		cand, err := findCandidate(ctx, tx, c, api, p, in)
		if err != nil {
			return none, "", err
		}
		cand.anew = in.Anew
		return p, "", s.publish(ctx, tx, c, &p, env, cand, in.AtOnce)
	})
	if err != nil {
		return none, err
	}
	return s.present(s.located(ctx, c, p)), nil
}

// publish makes the call PUBLISH with a candidate.
func (s *Service) publish(ctx context.Context, tx Tx, c Caller, p *service.Publication, env service.Environment, cand candidate, atOnce bool) error {
	t, err := decidePublish(ctx, tx, c, *p, env, &cand, atOnce)
	if err != nil {
		return err
	}
	return s.step(ctx, tx, c, p, service.CallPublish, t, cand.application, cand.remark)
}

// decidePublish says what the call PUBLISH does with a candidate, and fills in what that
// takes from callers.
func decidePublish(ctx context.Context, tx Tx, c Caller, p service.Publication, env service.Environment, cand *candidate, atOnce bool) (service.Transition, error) {
	before, err := rejected(ctx, tx, p, cand.digest, cand.remark)
	if err != nil {
		return service.Transition{}, err
	}
	t, err := service.Decide(service.Situation{
		Call: service.CallPublish, Publication: p, Environment: env, Actor: c.Member, Digest: cand.digest, Remark: cand.remark, Rejected: before,
		AlreadyLive: cand.isLive(p), AtOnce: atOnce, Anew: cand.anew,
	})
	if err != nil {
		return t, err
	}
	if t.MakeVersion || t.Open != "" {
		if cand.version == nil && cand.debugStatus != service.DebugSuccess {
			return t, service.Errorf(service.CodeNotDebugged,
				"Revision %d of %q cannot be published: it was not debugged successfully. Give debug parameters and debug it first.", cand.revision, cand.apiName)
		}
		if cand.breaking, err = checkBreaking(p, env, cand.definition); err != nil {
			return t, err
		}
	}
	return t, nil
}

// keptConnection is the connection that the input names, or, where it asks for that, the
// one that was chosen for the environment last; proven where that is what is live.
func (s *Service) keptConnection(ctx context.Context, c Caller, in service.PublishInput) (id string, proven bool, err error) {
	if !in.KeepConnection {
		return in.ConnectionID, false, nil
	}
	err = s.Store.Glance(ctx, func(tx Tx) error {
		env, err := environmentOrRelease(ctx, tx, c, in.EnvironmentID)
		if err != nil {
			return err
		}
		api, err := changeableAPI(ctx, tx, c, in.APIID)
		if err != nil {
			return err
		}
		p, err := tx.PublicationOf(ctx, api.ID, env.ID)
		if service.ErrorCode(err) == service.CodeNotFound {
			return nil // Nobody has chosen one yet.
		}
		if err != nil {
			return err
		}
		id, err = chosenConnection(ctx, tx, p, in.Revision)
		proven = p.Live != nil && p.Live.Revision == in.Revision && p.Live.ConnectionID == id
		return err
	})
	return id, proven, err
}

// chosenConnection is what the version reads from that is live, or was last, where that is
// not the connection of its own revision and the revision to be published reads from one
// too; "" else.
func chosenConnection(ctx context.Context, tx Tx, p service.Publication, toPublish int64) (string, error) {
	next, err := tx.Revision(ctx, p.APIID, toPublish)
	if err != nil || !next.Definition.ReadsConnection() {
		return "", orNothing(err) // What is missing is told of by who looks for the candidate.
	}
	last := p.Live
	if last == nil {
		versions, err := tx.Versions(ctx, p.ID)
		if err != nil || len(versions) == 0 {
			return "", err
		}
		v := slices.MaxFunc(versions, func(a, b service.Version) int { return a.LiveSince.Compare(b.LiveSince) })
		last = &v
	}
	revision, err := tx.Revision(ctx, p.APIID, last.Revision)
	if err != nil || last.ConnectionID == "" || revision.Definition.ConnectionID == last.ConnectionID {
		return "", orNothing(err)
	}
	// One that nothing live reads from may be deleted by now.
	if _, err := tx.Connection(ctx, p.WorkspaceID, last.ConnectionID); err != nil {
		return "", orNothing(err)
	}
	return last.ConnectionID, nil
}

// orNothing is err, but for a thing that is not found.
func orNothing(err error) error {
	if service.ErrorCode(err) == service.CodeNotFound {
		return nil
	}
	return err
}

func connectionChanged(p service.Publication) error {
	return service.Errorf(service.CodeConflict, "The connection of %s in %s was changed by another request at the same time. Send the request again.", p.APIName, p.EnvironmentName)
}

// lockEnvironment takes the publishing lock of the environment's instance and reads
// the environment, with its policy, under it.
func lockEnvironment(ctx context.Context, tx Tx, c Caller, ref string) (service.Environment, error) {
	env, err := environmentOrRelease(ctx, tx, c, ref)
	if err != nil {
		return env, err
	}
	if err := tx.LockInstance(ctx, env.InstanceID); err != nil {
		return env, err
	}
	return tx.Environment(ctx, c.Workspace.ID, env.ID)
}

// proveOverride makes sure that the definition runs on a connection that is not
// the one it was debugged with: it is debugged there too, where it can be called with
// its defaults and examples, and else only prepared.
func (s *Service) proveOverride(ctx context.Context, c Caller, in service.PublishInput) error {
	if in.ConnectionID == "" {
		return nil
	}
	var cand candidate
	err := s.Store.View(ctx, func(tx Tx) error {
		api, err := changeableAPI(ctx, tx, c, in.APIID)
		if err != nil {
			return err
		}
		cand, err = findRevision(ctx, tx, c, api, in)
		return err
	})
	if err != nil || cand.debuggedWith == in.ConnectionID {
		return err
	}
	definition := cand.definition
	if call, why := definition.DebugCall(nil); why != "" {
		err = s.Runner.Validate(ctx, definition, cand.connection)
	} else {
		_, err = s.Runner.Debug(ctx, definition, cand.connection, call)
	}
	var e *service.Error
	if code := service.ErrorCode(err); code != service.CodeInvalid && code != service.CodeDebugFailed || !errors.As(err, &e) {
		return err
	}
	// Not the definition is at fault, which works where it was debugged, but the choice
	// of the connection.
	return &service.Error{
		Code: e.Code, Cause: err,
		Message: fmt.Sprintf("Revision %d of %q does not work on the connection %q.", in.Revision, cand.apiName, cand.connection.Name),
		Fields:  []service.FieldError{{Pointer: "/connection_id", Message: why(e)}},
	}
}

// why is what an error says without the places that it blames.
func why(e *service.Error) string {
	if len(e.Fields) == 0 {
		return e.Message
	}
	said := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		said[i] = f.Message
	}
	return strings.Join(said, " ")
}

// publicationOf returns the one record of an API in an environment, new where
// there was none.
func (s *Service) publicationOf(ctx context.Context, tx Tx, api service.API, env service.Environment) (service.Publication, error) {
	p, err := tx.PublicationOf(ctx, api.ID, env.ID)
	if service.ErrorCode(err) != service.CodeNotFound {
		return p, err
	}
	p = s.newPublication(api, env)
	return p, tx.CreatePublication(ctx, &p)
}

// newPublication is the record of an API where nothing of it was published yet.
func (s *Service) newPublication(api service.API, env service.Environment) service.Publication {
	now := s.now()
	return service.Publication{
		ID: service.NewID(now), WorkspaceID: api.WorkspaceID, APIID: api.ID, APIName: api.Name, EnvironmentID: env.ID,
		EnvironmentName: env.Name, InstanceID: env.InstanceID, Status: service.StatusCreated, CreatedAt: now, UpdatedAt: now, PrivateTo: api.PrivateTo(), RowVersion: firstRowVersion,
	}
}

// application is a candidate as a review or a new version holds it.
type application struct {
	apiName, description string
	revision             int64
	definition           service.Definition
	connectionID, digest string
	remark               string
	// version is the one that is to be live again; nil where there is to be a new one.
	version *service.Version
	// breaking is what it takes from the callers of the live version.
	breaking []service.BreakingChange
}

// step makes a decided transition happen: the one place where a status is set.
func (s *Service) step(ctx context.Context, tx Tx, c Caller, p *service.Publication, call service.Call, t service.Transition, a application, comment string) error {
	if t.Unchanged {
		return nil
	}
	if err := tx.Announce(ctx, Change{ChangePublication, p.ID}); err != nil {
		return err
	}
	now := s.now()
	event := map[string]any{"from": t.From, "to": t.To}
	if t.Close != "" {
		r := *p.OpenReview
		r.Status, r.DeciderID, r.DeciderName, r.Comment, r.DecidedAt = t.Close, c.Member.ID, c.Member.Name, comment, &now
		if err := tx.CloseReview(ctx, r); err != nil {
			return err
		}
		event["closed_review_id"], event["review_status"] = r.ID, r.Status
		p.OpenReview = nil
		if t.Close == service.ReviewRejected {
			p.Rejection = &r
		}
	}
	if t.MakeVersion {
		if err := s.makeLive(ctx, tx, c, p, a, now, event); err != nil {
			return err
		}
	}
	if t.Open != "" {
		r := service.Review{
			ID: service.NewID(now), WorkspaceID: p.WorkspaceID, PublicationID: p.ID, Kind: t.Open, Status: service.ReviewPending,
			APIID: p.APIID, APIName: a.apiName, Description: a.description, EnvironmentID: p.EnvironmentID, EnvironmentName: p.EnvironmentName,
			Revision: a.revision, ConnectionID: a.connectionID, Definition: a.definition, Digest: a.digest, Remark: a.remark,
			ApplicantID: c.Member.ID, ApplicantName: c.Member.Name, CreatedAt: now, BreakingChanges: a.breaking,
		}
		if a.version != nil {
			r.Version = a.version.Name
			event["applied_version"] = r.Version
		}
		if err := tx.CreateReview(ctx, r); err != nil {
			return err
		}
		p.OpenReview = &r
		event["opened_review_id"], event["api_revision"] = r.ID, r.Revision
	}
	if awaits(t.To) && !awaits(t.From) {
		p.Resume = t.From
		if t.From == service.StatusRecoverWaitReview {
			// Its application is closed: what it comes back to is suspended.
			p.Resume = service.StatusStopped
		}
	}
	if err := s.stepNotices(ctx, tx, c, p, t, comment, event); err != nil {
		return err
	}
	if overtaken(p.Rejection, t) {
		p.Rejection = nil
	}
	if t.To == service.StatusOffline {
		p.Live = nil
	}
	p.Status, p.UpdatedAt = t.To, now
	if c.Terraform {
		p.ByTerraform = keeps(call, p.ByTerraform, t.To)
	}
	if t.Delete {
		if err := s.dropAuthorizations(ctx, tx, c, *p); err != nil {
			return err
		}
		if err := tx.DeletePublication(ctx, p.WorkspaceID, p.ID); err != nil {
			return err
		}
		return s.recordPrivate(ctx, tx, c, p.PrivateTo, "publication."+action(call), p.ID, p.APIName, map[string]any{"from": t.From})
	}
	if err := tx.ClaimPaths(ctx, *p, claims(*p)); err != nil {
		return err
	}
	if err := tx.UpdatePublication(ctx, p); err != nil {
		return err
	}
	if t.MakeVersion {
		if err := prune(ctx, tx, *p, a, event); err != nil {
			return err
		}
	}
	if comment != "" {
		event["comment"] = comment
	}
	if err := s.recordPrivate(ctx, tx, c, p.PrivateTo, "publication."+action(call), p.ID, p.APIName, event); err != nil {
		return err
	}
	if t.To == service.StatusOffline {
		return s.cancelAuthorizations(ctx, tx, c, p.WorkspaceID, p.ID)
	}
	return nil
}

// keeps reports whether Terraform has the publication in its state after it made the call;
// before says whether it had.
func keeps(call service.Call, before bool, to service.Status) bool {
	switch call {
	case service.CallPublish, service.CallSuspend, service.CallRestore:
		return true
	case service.CallUnpublish:
		return false
	case service.CallCancel:
		return before && to.Holds()
	}
	return before
}

// overtaken reports whether a rejection no longer tells where the publication stands.
func overtaken(rejection *service.Review, t service.Transition) bool {
	if rejection != nil && rejection.Kind == service.ReviewRestore {
		return t.To == service.StatusPublished || t.To == service.StatusOffline
	}
	return t.MakeVersion
}

// rejected returns an application that was rejected before and that the new one
// repeats without a change, or nil. What was live since its rejection is not rejected
// any more.
func rejected(ctx context.Context, tx Tx, p service.Publication, digest, remark string) (*service.Review, error) {
	if p.Status == service.StatusCreated {
		return nil, nil //nolint:nilnil // No rejection leads back there.
	}
	reviews, err := tx.Reviews(ctx, p.WorkspaceID, ReviewFilter{PublicationID: p.ID, Kind: service.ReviewPublish, Status: service.ReviewRejected}, Page{Limit: maxHolders})
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(reviews, func(r service.Review) bool { return r.Digest == digest && r.Remark == remark })
	if i < 0 {
		return nil, nil //nolint:nilnil // none is no error
	}
	versions, err := tx.Versions(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	for _, v := range versions {
		if v.Revision == reviews[i].Revision && v.ConnectionID == reviews[i].ConnectionID && v.LiveSince.After(*reviews[i].DecidedAt) {
			return nil, nil //nolint:nilnil // none is no error
		}
	}
	return &reviews[i], nil
}

// action is a call as the audit trail names it.
func action(call service.Call) string { return strings.ToLower(string(call)) }

// awaits reports whether cancelling in this status leads back to another one.
func awaits(s service.Status) bool {
	switch s {
	case service.StatusPublishWaitReview, service.StatusWaitingStop, service.StatusWaitingOffline:
		return true
	}
	return false
}

// claims are the paths that a publication occupies: that of its live version, and
// that of the version that it applies for.
func claims(p service.Publication) []PathClaim {
	if !p.Status.Holds() {
		return nil
	}
	var claims []PathClaim
	if p.Live != nil {
		claims = append(claims, PathClaim{p.Live.Definition.Method, p.Live.Definition.Path})
	}
	if r := p.OpenReview; r != nil && r.Kind == service.ReviewPublish {
		claim := PathClaim{r.Definition.Method, r.Definition.Path}
		if len(claims) == 0 || claims[0] != claim {
			claims = append(claims, claim)
		}
	}
	return claims
}

// Suspend stops calls and keeps authorizations: at once where no app is authorized, else
// when every app has confirmed, or at the deadline.
func (s *Service) Suspend(ctx context.Context, c Caller, id string, in service.ActionInput) (service.Publication, error) {
	return s.act(ctx, c, service.CallSuspend, id, in)
}

// Restore brings a suspended publication back, at once or as an application.
func (s *Service) Restore(ctx context.Context, c Caller, id string, in service.ActionInput) (service.Publication, error) {
	return s.act(ctx, c, service.CallRestore, id, in)
}

// Unpublish takes a publication offline and cancels its authorizations: at once where no
// app is authorized, else when every app has confirmed, or at the deadline.
func (s *Service) Unpublish(ctx context.Context, c Caller, id string, in service.ActionInput) (service.Publication, error) {
	return s.act(ctx, c, service.CallUnpublish, id, in)
}

// Cancel takes back the open application or the announced suspension or unpublishing.
func (s *Service) Cancel(ctx context.Context, c Caller, id string, in service.ActionInput) (service.Publication, error) {
	return s.act(ctx, c, service.CallCancel, id, in)
}

// DeletePublication removes the record of what is published nowhere.
func (s *Service) DeletePublication(ctx context.Context, c Caller, id string) error {
	_, err := s.act(ctx, c, service.CallDelete, id, service.ActionInput{})
	return err
}

// act makes one call on a publication.
func (s *Service) act(ctx context.Context, c Caller, call service.Call, id string, in service.ActionInput) (service.Publication, error) {
	var none service.Publication
	if err := service.ValidateRemark(in.Remark); err != nil {
		return none, err
	}
	input := struct {
		ID string
		service.ActionInput
	}{id, in}
	p, err := once(ctx, s, c, "publication."+action(call), input, nil, func(tx Tx) (service.Publication, string, error) {
		if _, err := visiblePublication(ctx, tx, c, id); err != nil {
			return none, "", err
		}
		p, env, err := s.lockPublication(ctx, tx, c, id)
		if err != nil {
			return none, "", err
		}
		if err := refuseAction(ctx, tx, c, call, p); err != nil {
			return none, "", err
		}
		return p, "", s.actOn(ctx, tx, c, call, &p, env, in)
	})
	if err != nil {
		return none, err
	}
	return s.present(s.located(ctx, c, p)), nil
}

func (s *Service) actOn(ctx context.Context, tx Tx, c Caller, call service.Call, p *service.Publication, env service.Environment, in service.ActionInput) error {
	var a application
	if call == service.CallRestore && p.Live != nil {
		a = restored(*p.Live, p.APIID, in.Remark)
	}
	deadline, invalid := deadlineOf(call, env, in.Time, s.now())
	situation := service.Situation{
		Call: call, Publication: *p, Environment: env, Actor: c.Member, AuthorizedApps: p.AuthorizedApps, Deadline: deadline.At,
		Digest: a.digest, Remark: in.Remark, AtOnce: in.AtOnce,
	}
	if r := p.Rejection; call == service.CallRestore && r != nil && r.Kind == service.ReviewRestore && r.Digest == a.digest && r.Remark == in.Remark {
		situation.Rejected = r
	}
	t, err := service.Decide(situation)
	if err := cmp.Or(err, invalid); err != nil {
		return err
	}
	if err := s.step(ctx, tx, c, p, call, t, a, in.Remark); err != nil {
		return err
	}
	p.Note = deadline.Note
	if in.Time != "" && !t.Notices {
		p.Note = "It happened at once, whatever the time: no app is authorized."
	}
	return nil
}

// deadlineOf reads the time that a call is given: only what can be announced has one.
func deadlineOf(call service.Call, env service.Environment, text string, now time.Time) (service.Deadline, error) {
	if call == service.CallSuspend || call == service.CallUnpublish {
		return service.ParseDeadline(text, env.NoticeHours, now)
	}
	if text == "" {
		return service.Deadline{}, nil
	}
	var v service.Invalid
	v.Addf("/time", "Only a suspension, an unpublishing and a revocation have a time: leave it out.")
	return service.Deadline{}, v.Err("The request")
}

// restored is the application to bring back the version that was live.
func restored(v service.Version, apiID, remark string) application {
	a := again(v, service.CandidateDigest(
		service.API{ID: apiID, APISpec: service.APISpec{Name: v.APIName, Description: v.Description}},
		v.Revision, v.Definition, service.Connection{ID: v.ConnectionID}), remark)
	a.version = nil // It is live already.
	return a
}

// lockPublication takes the instance's publishing lock and reads the publication under it.
func (s *Service) lockPublication(ctx context.Context, tx Tx, c Caller, id string) (service.Publication, service.Environment, error) {
	p, err := tx.Publication(ctx, c.Workspace.ID, id)
	if err != nil {
		return p, service.Environment{}, err
	}
	if err := tx.LockInstance(ctx, p.InstanceID); err != nil {
		return p, service.Environment{}, err
	}
	if p, err = tx.Publication(ctx, c.Workspace.ID, id); err != nil {
		return p, service.Environment{}, err
	}
	env, err := tx.Environment(ctx, c.Workspace.ID, p.EnvironmentID)
	return p, env, err
}

// lockInstances takes the publishing lock of every instance of the workspace, for
// changes that must not run beside any publication.
func lockInstances(ctx context.Context, tx Tx, c Caller) error {
	instances, err := tx.Instances(ctx, c.Workspace.ID, Page{Limit: maxHolders})
	if err != nil {
		return err
	}
	for _, i := range instances {
		if err := tx.LockInstance(ctx, i.ID); err != nil {
			return err
		}
	}
	return nil
}

// allPublications returns every matching publication, however many pages there are.
func allPublications(ctx context.Context, tx Tx, c Caller, filter PublicationFilter) ([]service.Publication, error) {
	var all []service.Publication
	for page := (Page{Limit: maxHolders}); ; {
		publications, err := tx.Publications(ctx, c.Workspace.ID, filter, page)
		if err != nil {
			return nil, err
		}
		all = append(all, publications...)
		if len(publications) < page.Limit {
			return all, nil
		}
		page.After = publications[len(publications)-1].ID
	}
}

// dropIdle deletes the matching publications that hold nothing, and returns those that do.
func (s *Service) dropIdle(ctx context.Context, tx Tx, c Caller, filter PublicationFilter) ([]service.Publication, error) {
	publications, err := allPublications(ctx, tx, c, filter)
	if err != nil {
		return nil, err
	}
	for _, p := range publications {
		if p.Status.Holds() {
			continue
		}
		if err := s.dropAuthorizations(ctx, tx, c, p); err != nil {
			return nil, err
		}
		if err := tx.DeletePublication(ctx, p.WorkspaceID, p.ID); err != nil {
			return nil, err
		}
		if err := s.recordPrivate(ctx, tx, c, p.PrivateTo, "publication.delete", p.ID, p.APIName, map[string]any{"from": p.Status}); err != nil {
			return nil, err
		}
	}
	return holding(publications), nil
}

// present fills in the addresses, which depend on where the service runs.
func (s *Service) present(p service.Publication) service.Publication {
	switch {
	case p.Live != nil:
		p.URL = s.urlOf(p, p.Live.Definition)
	case p.OpenReview != nil:
		p.URL = s.urlOf(p, p.OpenReview.Definition)
	}
	for _, r := range []**service.Review{&p.OpenReview, &p.Rejection} {
		if *r != nil {
			shown := s.presentReview(**r)
			*r = &shown
		}
	}
	return p
}

// urlOf returns where an API with the definition is called; "" where no host name leads to
// the publication's instance.
func (s *Service) urlOf(p service.Publication, d service.Definition) string {
	base := s.GatewayURL
	if len(d.Protocols) > 0 && !slices.Contains(d.Protocols, service.ProtocolHTTP) {
		base = cmp.Or(s.GatewayTLSURL, base)
	}
	switch {
	case p.HostName != "":
		return atHost(base, p.HostName) + d.Path
	case p.AnyHost:
		return base + d.Path
	default:
		return ""
	}
}

// atHost is the address with another host name, at the same port.
func atHost(base, host string) string {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return base
	}
	if port := u.Port(); port != "" {
		host += ":" + port
	}
	u.Host = host
	return u.String()
}

// anyHost reports whether the gateway takes the instance for every host name that no
// instance has.
func anyHost(w service.Workspace, i service.Instance) bool {
	return w.First() && i.Name == service.DefaultInstance
}

// located fills in where the instance is called of a publication that was made just now,
// or comes from a stored answer.
func (s *Service) located(ctx context.Context, c Caller, p service.Publication) service.Publication {
	if p.InstanceID == "" || p.HostName != "" || p.AnyHost {
		return p
	}
	err := s.Store.View(ctx, func(tx Tx) error {
		i, err := tx.Instance(ctx, c.Workspace.ID, p.InstanceID)
		if len(i.HostNames) > 0 {
			p.HostName = i.HostNames[0]
		}
		p.AnyHost = anyHost(c.Workspace, i)
		return err
	})
	if err != nil {
		// What was asked for is done: the address alone is missing from the answer.
		s.Logger.WarnContext(ctx, "cannot read where a publication is called", "publication", p.ID, "error", err)
	}
	return p
}

// Publication returns one publication. With a wait it is a long poll: it returns
// when no application and no notice is open, or when the wait is over.
func (s *Service) Publication(ctx context.Context, c Caller, id string, wait time.Duration) (service.Publication, error) {
	if err := c.Member.Authorize(service.OpReadDrafts); err != nil {
		return service.Publication{}, err
	}
	return await(ctx, s, c, id, wait, service.Publication.Settled, func() (service.Publication, error) {
		var p service.Publication
		err := s.Store.View(ctx, func(tx Tx) (err error) {
			p, err = visiblePublication(ctx, tx, c, id)
			return err
		})
		return s.present(p), err
	})
}

// PublicationAt returns the publication of an API, which the caller was shown, in an
// environment of the same workspace. CodeNotFound where there is none.
func (s *Service) PublicationAt(ctx context.Context, c Caller, api service.API, environmentID string) (service.Publication, error) {
	var p service.Publication
	err := s.Store.Glance(ctx, func(tx Tx) (err error) {
		if err := c.Member.Authorize(service.OpReadDrafts); err != nil {
			return err
		}
		p, err = tx.PublicationOf(ctx, api.ID, environmentID)
		return err
	})
	return s.present(p), err
}

// Publications lists the matching publications.
func (s *Service) Publications(ctx context.Context, c Caller, filter PublicationFilter, page Page) (service.List[service.Publication], error) {
	var l service.List[service.Publication]
	filter.Sight = c.sight()
	look := s.Store.Glance
	if len(filter.APIIDs) > 0 { // a statement for each number of them
		look = s.Store.View
	}
	err := look(ctx, func(tx Tx) (err error) {
		if err := c.Member.Authorize(service.OpReadDrafts); err != nil {
			return err
		}
		if filter.EnvironmentID, err = knownEnvironment(ctx, tx, c, filter.EnvironmentID); err != nil {
			return err
		}
		l, err = list(page, func(p service.Publication) string { return p.ID }, func(p Page) ([]service.Publication, error) {
			return tx.Publications(ctx, c.Workspace.ID, filter, p)
		})
		return err
	})
	for i := range l.Items {
		l.Items[i] = s.present(l.Items[i])
	}
	return l, err
}
