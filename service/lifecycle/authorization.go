// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"cmp"
	"context"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Authorize lets an app call an API in an environment, or extends its time: at once for
// a reviewer and where the environment needs no review, else as an application of the
// app's owner. The API need not be published there yet.
func (s *Service) Authorize(ctx context.Context, c Caller, in service.AuthorizeInput) (service.Authorization, error) {
	var none service.Authorization
	if err := c.Member.Authorize(service.OpOwnApps); err != nil {
		return none, err
	}
	if err := service.ValidateRemark(in.Remark); err != nil {
		return none, err
	}
	if in.Until != nil {
		in.Until = new(in.Until.UTC().Truncate(time.Microsecond)) // as it is stored
	}
	z, err := once(ctx, s, c, "authorization.create", in, nil, func(tx Tx) (service.Authorization, string, error) {
		env, err := lockEnvironment(ctx, tx, c, in.EnvironmentID)
		if err != nil {
			return none, "", err
		}
		app, err := authorizableApp(ctx, tx, c, env, in.AppID)
		if err != nil {
			return none, "", err
		}
		z, step, err := s.decideAuthorize(ctx, tx, c, env, app, in)
		if err != nil {
			return none, "", err
		}
		if err := tx.Announce(ctx, Change{ChangeAuthorization, z.PublicationID}); err != nil {
			return none, "", err
		}
		return z, "", s.authorize(ctx, tx, c, &z, step, in)
	})
	if err != nil {
		return none, err
	}
	return s.presentAuthorization(z), nil
}

// decideAuthorize finds the record of the app's right to call the API, and what the
// request does to it. The environment's instance is locked.
func (s *Service) decideAuthorize(
	ctx context.Context, tx Tx, c Caller, env service.Environment, app service.App, in service.AuthorizeInput,
) (z service.Authorization, step service.AuthorizeStep, err error) {
	api, err := authorizableAPI(ctx, tx, c, env, in.APIID, app)
	if err != nil {
		return z, step, err
	}
	p, err := s.publicationToAuthorize(ctx, tx, c, api, env)
	z.PublicationID = p.ID
	if err != nil {
		return z, step, err
	}
	if z, err = s.authorizationOf(ctx, tx, c, p, app); err != nil {
		return z, step, err
	}
	step, err = service.DecideAuthorize(service.AuthorizeSituation{
		Environment: env, Publication: p, Authorization: z, App: app, AuthTypes: authTypes(api, p),
		Actor: c.Member, Until: in.Until, Remark: in.Remark, AtOnce: in.AtOnce, Now: s.now(),
	})
	return z, step, err
}

// authorizableApp finds an app that the caller may authorize, or apply for.
func authorizableApp(ctx context.Context, tx Tx, c Caller, env service.Environment, ref string) (service.App, error) {
	a, err := tx.App(ctx, c.Workspace.ID, ref)
	if err == nil && !c.Member.SpeaksFor(a.OwnerID) && !c.Member.May(service.OpDecide) && !env.Grants(c.Member, a) {
		return service.App{}, service.NotFound("app", ref)
	}
	return a, err
}

// authorizableAPI finds an API that the caller may authorize the app for, or apply for:
// one whose draft or catalog entry they are shown, or that their app was authorized for
// before. Granting changes what is published: of a private API that is its owner's.
func authorizableAPI(ctx context.Context, tx Tx, c Caller, env service.Environment, ref string, app service.App) (service.API, error) {
	api, err := tx.API(ctx, c.Workspace.ID, ref)
	if err != nil {
		return api, err
	}
	seen := false
	if c.Member.May(service.OpReadDrafts) {
		if seen, err = sees(ctx, tx, c, api.PrivateTo(), api.ID); err != nil {
			return service.API{}, err
		}
	}
	if seen {
		return api, refuseGrant(c, env, api, app)
	}
	p, err := tx.PublicationOf(ctx, api.ID, env.ID)
	if err == nil && p.Live != nil && p.Status.Callable() && c.Member.MayChange(api.PrivateTo()) {
		return api, nil
	}
	if err == nil && app.OwnerID == c.Member.ID {
		if _, err = tx.AuthorizationOf(ctx, p.ID, app.ID); err == nil {
			return api, refuseGrant(c, env, api, app)
		}
	}
	if service.ErrorCode(err) == service.CodeNotFound {
		err = nil
	}
	return service.API{}, orNotFound(err, "API", ref)
}

// refuseGrant keeps those from granting who may not change a private API, though they
// grant others here: whose it is grants.
func refuseGrant(c Caller, env service.Environment, api service.API, app service.App) error {
	if env.Grants(c.Member, app) && !c.Member.MayChange(api.PrivateTo()) {
		return notTheirs(c, api.Name)
	}
	return nil
}

// authTypes are the ways to authenticate of an API as it is defined and as it is live.
func authTypes(api service.API, p service.Publication) []service.AuthType {
	types := []service.AuthType{api.AuthType}
	if p.Live != nil {
		types = append(types, p.Live.Definition.AuthType)
	}
	return types
}

// publicationToAuthorize returns the record of the API in the environment: authorizations
// hang on it, so it is made where there was none.
func (s *Service) publicationToAuthorize(ctx context.Context, tx Tx, c Caller, api service.API, env service.Environment) (service.Publication, error) {
	p, err := tx.PublicationOf(ctx, api.ID, env.ID)
	if service.ErrorCode(err) != service.CodeNotFound {
		return p, err
	}
	if p, err = s.publicationOf(ctx, tx, api, env); err != nil {
		return p, err
	}
	return p, s.recordPrivate(ctx, tx, c, p.PrivateTo, "publication.create", p.ID, p.APIName, map[string]any{"to": p.Status})
}

// authorizationOf returns the one record of an app for a publication: a new one, which is
// not stored and has no status, where there was none. One whose time is over has expired.
func (s *Service) authorizationOf(ctx context.Context, tx Tx, c Caller, p service.Publication, app service.App) (service.Authorization, error) {
	z, err := tx.AuthorizationOf(ctx, p.ID, app.ID)
	switch {
	case service.ErrorCode(err) == service.CodeNotFound:
		now := s.now()
		return service.Authorization{
			ID: service.NewID(now), WorkspaceID: p.WorkspaceID, PublicationID: p.ID, APIID: p.APIID, APIName: p.APIName,
			EnvironmentID: p.EnvironmentID, EnvironmentName: p.EnvironmentName, AppID: app.ID, AppName: app.Name, AppOwnerID: app.OwnerID, AppOwnerName: app.OwnerName,
			CreatedAt: now, PrivateTo: p.PrivateTo, RowVersion: firstRowVersion,
		}, nil
	case err != nil:
		return z, err
	case z.Status.Holds() && z.Until != nil && !z.Until.After(s.now()):
		return z, s.endAuthorization(ctx, tx, c, &z, service.AuthorizationExpired)
	}
	return z, nil
}

// authorize makes a decided step happen.
func (s *Service) authorize(ctx context.Context, tx Tx, c Caller, z *service.Authorization, step service.AuthorizeStep, in service.AuthorizeInput) error {
	if step.Unchanged {
		return nil
	}
	detail := authorizationDetail(*z)
	if step.Close != "" {
		if err := s.closeApplication(ctx, tx, c, z, step.Close, "", detail); err != nil {
			return err
		}
	}
	switch {
	case step.Grant:
		return s.grant(ctx, tx, c, z, "authorization.grant", in.Until, detail)
	case step.Open:
		return s.openApplication(ctx, tx, c, z, in, detail)
	default:
		return s.storeAuthorization(ctx, tx, c, z, "authorization.cancel", detail)
	}
}

// authorizationDetail begins the detail of an event: whose right to call what it is, and
// what it was.
func authorizationDetail(z service.Authorization) map[string]any {
	detail := map[string]any{"app_id": z.AppID, "app_name": z.AppName, "environment_name": z.EnvironmentName}
	if z.Status != "" {
		detail["from"] = z.Status
	}
	if z.Until != nil {
		detail["until_before"] = z.Until
	}
	return detail
}

// grant gives the right to call until a time, nil for no end. A revocation that was
// announced does not happen.
func (s *Service) grant(ctx context.Context, tx Tx, c Caller, z *service.Authorization, action string, until *time.Time, detail map[string]any) error {
	announced := z.RevokeAt != nil
	z.Status, z.Until, z.RevokeAt, z.GrantedBy, z.Rejection = service.AuthorizationActive, until, nil, c.Member.Name, nil
	if err := s.storeAuthorization(ctx, tx, c, z, action, detail); err != nil || !announced {
		return err
	}
	return s.cancelRevocation(ctx, tx, c, *z)
}

// openApplication asks the reviewers. A right that holds goes on holding as it is.
func (s *Service) openApplication(ctx context.Context, tx Tx, c Caller, z *service.Authorization, in service.AuthorizeInput, detail map[string]any) error {
	if !z.Status.Holds() {
		z.Status, z.Until = service.AuthorizationWaitReview, nil
	}
	now := s.now()
	r := service.Review{
		ID: service.NewID(now), WorkspaceID: z.WorkspaceID, PublicationID: z.PublicationID, Kind: service.ReviewAuthorize, Status: service.ReviewPending,
		APIID: z.APIID, APIName: z.APIName, EnvironmentID: z.EnvironmentID, EnvironmentName: z.EnvironmentName,
		AuthorizationID: z.ID, AppID: z.AppID, AppName: z.AppName, Until: in.Until,
		Digest: service.AuthorizationDigest(z.PublicationID, z.AppID, in.Until), Remark: in.Remark,
		ApplicantID: c.Member.ID, ApplicantName: c.Member.Name, CreatedAt: now, PrivateTo: z.PrivateTo,
	}
	detail["opened_review_id"] = r.ID
	if r.Until != nil {
		detail["until_applied_for"] = r.Until
	}
	if err := s.storeAuthorization(ctx, tx, c, z, "authorization.apply", detail); err != nil {
		return err
	}
	if err := tx.CreateReview(ctx, r); err != nil {
		return err
	}
	z.OpenReview = &r
	return nil
}

// closeApplication gives the open application its final status.
func (s *Service) closeApplication(ctx context.Context, tx Tx, c Caller, z *service.Authorization, status service.ReviewStatus, comment string, detail map[string]any) error {
	now := s.now()
	r := *z.OpenReview
	r.Status, r.DeciderID, r.DeciderName, r.Comment, r.DecidedAt = status, c.Member.ID, c.Member.Name, comment, &now
	if err := tx.CloseReview(ctx, r); err != nil {
		return err
	}
	detail["closed_review_id"], detail["review_status"] = r.ID, r.Status
	if comment != "" {
		detail["comment"] = comment
	}
	z.OpenReview = nil
	switch {
	case status == service.ReviewRejected:
		z.Rejection = &r
		if !z.Status.Holds() {
			z.Status = service.AuthorizationRejected
		}
	case status == service.ReviewCancelled && z.Status == service.AuthorizationWaitReview:
		z.Status = service.AuthorizationCancelled
	}
	return nil
}

// storeAuthorization stores the authorization with the event of its change: the one place
// where its status is written.
func (s *Service) storeAuthorization(ctx context.Context, tx Tx, c Caller, z *service.Authorization, action string, detail map[string]any) error {
	z.UpdatedAt = s.now()
	store := tx.UpdateAuthorization
	if _, existed := detail["from"]; !existed {
		store = tx.CreateAuthorization
	}
	if err := store(ctx, z); err != nil {
		return err
	}
	detail["to"] = z.Status
	if z.Until != nil {
		detail["until"] = z.Until
	}
	return s.recordPrivate(ctx, tx, c, z.PrivateTo, action, z.ID, z.APIName, detail)
}

// endings name the statuses that an authorization ends in, in the audit trail.
var endings = map[service.AuthorizationStatus]string{
	service.AuthorizationRevoked: "authorization.revoke", service.AuthorizationUnlinked: "authorization.unlink",
	service.AuthorizationExpired: "authorization.expire", service.AuthorizationCancelled: "authorization.cancel",
}

// endAuthorization takes the right to call away at once: the one place where that
// happens. An open application for more stays open. The publication's instance is locked.
func (s *Service) endAuthorization(ctx context.Context, tx Tx, c Caller, z *service.Authorization, status service.AuthorizationStatus) error {
	return s.endSaying(ctx, tx, c, z, status, "")
}

// endSaying is endAuthorization with a remark.
func (s *Service) endSaying(ctx context.Context, tx Tx, c Caller, z *service.Authorization, status service.AuthorizationStatus, remark string) error {
	detail := authorizationDetail(*z)
	if remark != "" {
		detail["remark"] = remark
	}
	z.Status, z.RevokeAt = status, nil
	if err := s.storeAuthorization(ctx, tx, c, z, endings[status], detail); err != nil {
		return err
	}
	return s.closeNoticesOf(ctx, tx, c, *z)
}

// giveUp ends what the app's side has of an authorization: its right, and its application.
func (s *Service) giveUp(ctx context.Context, tx Tx, c Caller, z *service.Authorization) error {
	if z.OpenReview != nil {
		if err := s.withdraw(ctx, tx, c, z, ""); err != nil {
			return err
		}
	}
	if !z.Status.Holds() {
		return nil
	}
	return s.endAuthorization(ctx, tx, c, z, service.AuthorizationUnlinked)
}

// withdraw cancels the open application.
func (s *Service) withdraw(ctx context.Context, tx Tx, c Caller, z *service.Authorization, remark string) error {
	detail := authorizationDetail(*z)
	if err := s.closeApplication(ctx, tx, c, z, service.ReviewCancelled, remark, detail); err != nil {
		return err
	}
	return s.storeAuthorization(ctx, tx, c, z, "authorization.cancel", detail)
}

// RevokeAuthorization ends an authorization: for the API's side a reviewer, after the
// environment's notice time; for the app's side its owner, operators and admins, at once.
func (s *Service) RevokeAuthorization(ctx context.Context, c Caller, id string, in service.RevokeInput) (service.Authorization, error) {
	var none service.Authorization
	if err := service.ValidateRemark(in.Remark); err != nil {
		return none, err
	}
	input := struct {
		ID string
		service.RevokeInput
	}{id, in}
	return s.changeAuthorization(ctx, c, "authorization.revoke", id, input, func(tx Tx, z *service.Authorization, p service.Publication, env service.Environment) error {
		return s.revoke(ctx, tx, c, z, p, env, in)
	})
}

// revoke ends an authorization, or announces its end.
func (s *Service) revoke(ctx context.Context, tx Tx, c Caller, z *service.Authorization, p service.Publication, env service.Environment, in service.RevokeInput) error {
	r, err := service.DecideRevoke(service.RevokeSituation{Environment: env, Publication: p, Authorization: *z, Actor: c.Member, Input: in, Now: s.now()})
	if err != nil {
		return err
	}
	if r.Status != service.AuthorizationUnlinked && !c.Member.MayChange(z.PrivateTo) {
		return notTheirs(c, z.APIName)
	}
	// Whichever side ends the right has no open application for more of it.
	if z.OpenReview != nil {
		if err := s.withdraw(ctx, tx, c, z, in.Remark); err != nil {
			return err
		}
	}
	if r.Status != service.AuthorizationWaitingRevoke {
		return s.endSaying(ctx, tx, c, z, r.Status, in.Remark)
	}
	return s.announceRevocation(ctx, tx, c, z, r.Deadline, in.Remark)
}

// announceRevocation lets the right hold until the deadline.
func (s *Service) announceRevocation(ctx context.Context, tx Tx, c Caller, z *service.Authorization, d service.Deadline, remark string) error {
	detail := authorizationDetail(*z)
	z.Status, z.RevokeAt, z.Note = service.AuthorizationWaitingRevoke, &d.At, d.Note
	detail["revoke_at"] = d.At
	if remark != "" {
		detail["remark"] = remark
	}
	if err := s.storeAuthorization(ctx, tx, c, z, "authorization.announce", detail); err != nil {
		return err
	}
	return s.announce(ctx, tx, c, announcement{kind: service.NoticeRevoke, deadline: d.At, remark: remark}, *z)
}

// CancelAuthorization takes back the open application of an authorization, or else its
// announced revocation: an application its applicant or a reviewer, a revocation a reviewer.
func (s *Service) CancelAuthorization(ctx context.Context, c Caller, id string, in service.ActionInput) (service.Authorization, error) {
	if err := service.ValidateRemark(in.Remark); err != nil {
		return service.Authorization{}, err
	}
	if err := refuseTime(in); err != nil {
		return service.Authorization{}, err
	}
	input := struct {
		ID string
		service.ActionInput
	}{id, in}
	return s.changeAuthorization(ctx, c, "authorization.cancel", id, input, func(tx Tx, z *service.Authorization, _ service.Publication, env service.Environment) error {
		return s.cancelAuthorization(ctx, tx, c, z, env, in.Remark)
	})
}

// refuseTime answers a time where there is nothing that it could be the deadline of.
func refuseTime(in service.ActionInput) error {
	var v service.Invalid
	if in.Time != "" {
		v.Addf("/time", "Cancelling happens at once: leave the time out.")
	}
	return v.Err("The request")
}

func (s *Service) cancelAuthorization(ctx context.Context, tx Tx, c Caller, z *service.Authorization, env service.Environment, remark string) error {
	if err := service.CheckCancelAuthorization(*z, env, c.Member); err != nil {
		return err
	}
	if z.OpenReview != nil {
		return s.withdraw(ctx, tx, c, z, remark)
	}
	if !c.Member.MayChange(z.PrivateTo) {
		return notTheirs(c, z.APIName)
	}
	detail := authorizationDetail(*z)
	z.Status, z.RevokeAt = service.AuthorizationActive, nil
	if remark != "" {
		detail["remark"] = remark
	}
	if err := s.storeAuthorization(ctx, tx, c, z, "authorization.resume", detail); err != nil {
		return err
	}
	return s.cancelRevocation(ctx, tx, c, *z)
}

// changeAuthorization runs a change of one authorization under its instance's lock.
func (s *Service) changeAuthorization(
	ctx context.Context, c Caller, operation, id string, input any,
	change func(tx Tx, z *service.Authorization, p service.Publication, env service.Environment) error,
) (service.Authorization, error) {
	var none service.Authorization
	z, err := once(ctx, s, c, operation, input, nil, func(tx Tx) (service.Authorization, string, error) {
		z, err := visibleAuthorization(ctx, tx, c, id)
		if err != nil {
			return none, "", err
		}
		p, env, err := s.lockPublication(ctx, tx, c, z.PublicationID)
		if err != nil {
			return none, "", err
		}
		if z, err = visibleAuthorization(ctx, tx, c, id); err != nil {
			return none, "", err
		}
		if err := tx.Announce(ctx, Change{ChangeAuthorization, p.ID}, Change{ChangePublication, p.ID}); err != nil {
			return none, "", err
		}
		return z, "", change(tx, &z, p, env)
	})
	if err != nil {
		return none, err
	}
	return s.presentAuthorization(z), nil
}

// decideAuthorization makes a decision on an application to be authorized happen.
func (s *Service) decideAuthorization(ctx context.Context, tx Tx, c Caller, call service.Call, r service.Review, p service.Publication, env service.Environment, comment string) error {
	z, err := tx.Authorization(ctx, c.Workspace.ID, r.AuthorizationID)
	if err != nil {
		return err
	}
	detail := authorizationDetail(z)
	if call == service.CallReject {
		if err := s.closeApplication(ctx, tx, c, &z, service.ReviewRejected, comment, detail); err != nil {
			return err
		}
		return s.storeAuthorization(ctx, tx, c, &z, "authorization.reject", detail)
	}
	if err := service.CheckApproval(r, z, p, env, c.Member, s.now()); err != nil {
		return err
	}
	if err := s.closeApplication(ctx, tx, c, &z, service.ReviewApproved, comment, detail); err != nil {
		return err
	}
	return s.grant(ctx, tx, c, &z, "authorization.approve", r.Until, detail)
}

// dropAuthorizations notes in the audit trail what goes with a publication's record.
func (s *Service) dropAuthorizations(ctx context.Context, tx Tx, c Caller, p service.Publication) error {
	for page := (Page{Limit: maxHolders}); ; {
		authorizations, err := tx.Authorizations(ctx, p.WorkspaceID, AuthorizationFilter{PublicationID: p.ID}, page)
		if err != nil {
			return err
		}
		for _, z := range authorizations {
			page.After = z.ID
			if err := s.recordPrivate(ctx, tx, c, z.PrivateTo, "authorization.delete", z.ID, z.APIName, authorizationDetail(z)); err != nil {
				return err
			}
		}
		if len(authorizations) < page.Limit {
			return nil
		}
	}
}

// visibleAuthorization finds an authorization that the caller is shown: those of their own
// apps, and to who may read drafts those for the APIs that they are shown.
func visibleAuthorization(ctx context.Context, tx Tx, c Caller, id string) (service.Authorization, error) {
	z, err := tx.Authorization(ctx, c.Workspace.ID, id)
	if err != nil || z.AppOwnerID == c.Member.ID {
		return z, err
	}
	seen := false
	if c.Member.May(service.OpReadDrafts) {
		seen, err = sees(ctx, tx, c, z.PrivateTo, z.APIID)
	}
	if err != nil || !seen {
		return service.Authorization{}, orNotFound(err, "authorization", id)
	}
	return z, nil
}

// presentAuthorization fills in the addresses, which depend on where the service runs.
func (s *Service) presentAuthorization(z service.Authorization) service.Authorization {
	for _, r := range []**service.Review{&z.OpenReview, &z.Rejection} {
		if *r != nil {
			shown := s.presentReview(**r)
			*r = &shown
		}
	}
	return z
}

// Authorization returns one authorization. With a wait it is a long poll: it returns when
// no application is open and no end announced, or when the wait is over.
func (s *Service) Authorization(ctx context.Context, c Caller, id string, wait time.Duration) (service.Authorization, error) {
	if err := c.Member.Authorize(service.OpOwnApps); err != nil {
		return service.Authorization{}, err
	}
	read := func() (service.Authorization, error) {
		var z service.Authorization
		err := s.Store.View(ctx, func(tx Tx) (err error) {
			z, err = visibleAuthorization(ctx, tx, c, id)
			return err
		})
		return s.presentAuthorization(z), err
	}
	z, err := read()
	if err != nil {
		return z, err
	}
	return await(ctx, s, c, z.PublicationID, wait, service.Authorization.Settled, read)
}

// Authorizations lists the matching authorizations: those of the caller's own apps, and to
// who may read drafts those for every API that they are shown.
func (s *Service) Authorizations(ctx context.Context, c Caller, filter AuthorizationFilter, page Page) (service.List[service.Authorization], error) {
	l := service.List[service.Authorization]{Items: []service.Authorization{}}
	if err := c.Member.Authorize(service.OpOwnApps); err != nil {
		return l, err
	}
	filter.Sight = c.sight()
	if !c.Member.May(service.OpReadDrafts) {
		if cmp.Or(filter.AppOwnerID, c.Member.ID) != c.Member.ID {
			return l, nil
		}
		filter.AppOwnerID = c.Member.ID
	}
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		if filter.EnvironmentID, err = knownEnvironment(ctx, tx, c, filter.EnvironmentID); err != nil {
			return err
		}
		l, err = list(page, func(z service.Authorization) string { return z.ID }, func(p Page) ([]service.Authorization, error) {
			return tx.Authorizations(ctx, c.Workspace.ID, filter, p)
		})
		return err
	})
	for i := range l.Items {
		l.Items[i] = s.presentAuthorization(l.Items[i])
	}
	return l, err
}
