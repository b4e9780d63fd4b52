// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// ownName is who acts where the service acts by itself.
const ownName = service.ItselfName

// itself is the service as the one who acts, on behalf of the request with that id, ""
// for nobody's.
func itself(workspaceID, requestID string) Caller {
	return Caller{Member: service.Member{Name: ownName}, Workspace: service.Workspace{ID: workspaceID}, RequestID: requestID}
}

// announcedKind is what apps are told of in a status; "" where of nothing.
func announcedKind(s service.Status) service.NoticeKind {
	switch s {
	case service.StatusWaitingStop:
		return service.NoticeStop
	case service.StatusWaitingOffline:
		return service.NoticeOffline
	}
	return ""
}

// announcement is what a notice says beside whom it is for.
type announcement struct {
	kind     service.NoticeKind
	deadline time.Time
	remark   string
}

// announce makes a notice for each of the authorizations, which hold.
func (s *Service) announce(ctx context.Context, tx Tx, c Caller, a announcement, authorizations ...service.Authorization) error {
	now := s.now()
	notices := make([]service.Notice, len(authorizations))
	for i, z := range authorizations {
		notices[i] = service.Notice{
			ID: service.NewID(now), WorkspaceID: z.WorkspaceID, Kind: a.kind, Status: service.NoticeOpen, PublicationID: z.PublicationID, AuthorizationID: z.ID,
			APIID: z.APIID, APIName: z.APIName, EnvironmentID: z.EnvironmentID, EnvironmentName: z.EnvironmentName,
			AppID: z.AppID, AppName: z.AppName, AppOwnerID: z.AppOwnerID, AppOwnerName: z.AppOwnerName,
			Deadline: a.deadline, Remark: a.remark, AnnouncedBy: c.Member.Name, CreatedAt: now, PrivateTo: z.PrivateTo,
		}
	}
	if err := tx.CreateNotices(ctx, notices); err != nil {
		return err
	}
	for _, n := range notices {
		detail := map[string]any{"kind": n.Kind, "deadline": n.Deadline, "api_name": n.APIName, "environment_name": n.EnvironmentName}
		if err := s.recordPrivate(ctx, tx, c, n.PrivateTo, "notice.create", n.ID, n.AppName, detail); err != nil {
			return err
		}
	}
	return s.tell(ctx, tx, service.WebhookNoticeCreated, notices)
}

// announceEnd makes a notice for every app that may call the publication.
func (s *Service) announceEnd(ctx context.Context, tx Tx, c Caller, p service.Publication, a announcement) error {
	for page := (Page{Limit: maxHolders}); ; {
		authorizations, err := tx.Authorizations(ctx, p.WorkspaceID, holders(p.ID), page)
		if err != nil {
			return err
		}
		if err := s.announce(ctx, tx, c, a, authorizations...); err != nil {
			return err
		}
		if len(authorizations) < page.Limit {
			return nil
		}
		page.After = authorizations[len(authorizations)-1].ID
	}
}

// stepNotices closes the notices of an announced end that a transition leads away from,
// makes those of one that it leads to, and sets the deadline.
func (s *Service) stepNotices(ctx context.Context, tx Tx, c Caller, p *service.Publication, t service.Transition, remark string, event map[string]any) error {
	if announcedKind(t.From) != "" {
		status := service.NoticeCancelled
		if t.To == service.StatusOffline {
			// It goes offline at once, and the apps' right with it.
			status = service.NoticeUnlinked
		}
		if err := s.closeEnd(ctx, tx, c, status, p.ID); err != nil {
			return err
		}
	}
	p.Deadline = nil
	if !t.Notices {
		return nil
	}
	p.Deadline = &t.Deadline
	event["deadline"] = t.Deadline
	return s.announceEnd(ctx, tx, c, *p, announcement{kind: announcedKind(t.To), deadline: t.Deadline, remark: remark})
}

// closings name the final statuses in the audit trail.
var closings = map[service.NoticeStatus]string{
	service.NoticeConfirmed: "notice.confirm", service.NoticeUnlinked: "notice.unlink",
	service.NoticeExecuted: "notice.execute", service.NoticeCancelled: "notice.cancel",
}

// closeNotices gives open notices their final status.
func (s *Service) closeNotices(ctx context.Context, tx Tx, c Caller, status service.NoticeStatus, notices ...service.Notice) error {
	if len(notices) == 0 {
		return nil
	}
	now := s.now()
	confirmedBy := ""
	if status == service.NoticeConfirmed {
		confirmedBy = c.Member.Name
		if confirmedBy == ownName { // It is done for who asked for it.
			confirmedBy = cmp.Or(notices[0].ScheduledBy, ownName)
		}
	}
	closed := slices.Clone(notices)
	ids := make([]string, len(closed))
	for i := range closed {
		ids[i] = closed[i].ID
		closed[i].Status, closed[i].ConfirmedBy, closed[i].ClosedAt = status, confirmedBy, &now
	}
	if err := tx.CloseNotices(ctx, ids, status, confirmedBy, now); err != nil {
		return err
	}
	for _, n := range closed {
		detail := map[string]any{"kind": n.Kind, "api_name": n.APIName, "environment_name": n.EnvironmentName, "from": service.NoticeOpen, "to": status}
		if err := s.recordPrivate(ctx, tx, c, n.PrivateTo, closings[status], n.ID, n.AppName, detail); err != nil {
			return err
		}
	}
	switch status {
	case service.NoticeCancelled:
		return s.tell(ctx, tx, service.WebhookNoticeCancelled, closed)
	case service.NoticeExecuted:
		return s.tell(ctx, tx, service.WebhookNoticeExecuted, closed)
	}
	return nil
}

// closeEnd closes the notices of ends that are announced no longer: they happened, or were
// taken back.
func (s *Service) closeEnd(ctx context.Context, tx Tx, c Caller, status service.NoticeStatus, publicationIDs ...string) error {
	open, err := tx.OpenNotices(ctx, publicationIDs...)
	if err != nil {
		return err
	}
	revocations := func(n service.Notice) bool { return n.Kind == service.NoticeRevoke }
	return s.closeNotices(ctx, tx, c, status, slices.DeleteFunc(open, revocations)...)
}

// openNoticesOf returns what is announced to the app of an authorization: its revocation,
// and what ends the publication.
func openNoticesOf(ctx context.Context, tx Tx, z service.Authorization) (revocation, end []service.Notice, err error) {
	open, err := tx.OpenNotices(ctx, z.PublicationID)
	for _, n := range open {
		switch {
		case n.AuthorizationID != z.ID:
		case n.Kind == service.NoticeRevoke:
			revocation = append(revocation, n)
		default:
			end = append(end, n)
		}
	}
	return revocation, end, err
}

// closeNoticesOf closes what is open to the app of an authorization that has ended. It may
// be what the publication's announced end still waited for.
func (s *Service) closeNoticesOf(ctx context.Context, tx Tx, c Caller, z service.Authorization) error {
	revocation, end, err := openNoticesOf(ctx, tx, z)
	if err != nil {
		return err
	}
	status := service.NoticeUnlinked
	if z.Status == service.AuthorizationRevoked {
		status = service.NoticeExecuted
	}
	if err := s.closeNotices(ctx, tx, c, status, revocation...); err != nil || len(end) == 0 {
		return err
	}
	if err := s.closeNotices(ctx, tx, c, service.NoticeUnlinked, end...); err != nil {
		return err
	}
	return s.settleAnswered(ctx, tx, c, z.PublicationID)
}

// cancelRevocation closes the notice of a revocation that does not happen.
func (s *Service) cancelRevocation(ctx context.Context, tx Tx, c Caller, z service.Authorization) error {
	revocation, _, err := openNoticesOf(ctx, tx, z)
	if err != nil {
		return err
	}
	return s.closeNotices(ctx, tx, c, service.NoticeCancelled, revocation...)
}

// cancelAuthorizations ends the right of every app to call what went offline, all at once:
// there may be thousands.
func (s *Service) cancelAuthorizations(ctx context.Context, tx Tx, c Caller, workspaceID string, publicationIDs ...string) error {
	now := s.now()
	for page := (Page{Limit: maxHolders}); ; {
		authorizations, err := tx.Authorizations(ctx, workspaceID, holders(publicationIDs...), page)
		if err != nil || len(authorizations) == 0 {
			return err
		}
		ids := make([]string, len(authorizations))
		for i, z := range authorizations {
			ids[i], page.After = z.ID, z.ID
			detail := authorizationDetail(z)
			detail["to"] = service.AuthorizationCancelled
			if err := s.recordPrivate(ctx, tx, c, z.PrivateTo, endings[service.AuthorizationCancelled], z.ID, z.APIName, detail); err != nil {
				return err
			}
		}
		if err := tx.CancelAuthorizations(ctx, ids, now); err != nil {
			return err
		}
		open, err := tx.OpenNotices(ctx, publicationIDs...)
		if err != nil {
			return err
		}
		// Their revocations have nothing left to take away.
		others := func(n service.Notice) bool { return !slices.Contains(ids, n.AuthorizationID) }
		if err := s.closeNotices(ctx, tx, c, service.NoticeUnlinked, slices.DeleteFunc(open, others)...); err != nil {
			return err
		}
		if len(authorizations) < page.Limit {
			return nil
		}
	}
}

// holders narrows to the authorizations that let an app call one of the publications.
func holders(publicationIDs ...string) AuthorizationFilter {
	return AuthorizationFilter{PublicationIDs: publicationIDs, Statuses: []service.AuthorizationStatus{service.AuthorizationActive, service.AuthorizationWaitingRevoke}}
}

// settleAnswered lets an announced end happen at once where no app has to answer any
// more. The publication's instance is locked.
func (s *Service) settleAnswered(ctx context.Context, tx Tx, c Caller, publicationID string) error {
	open, err := tx.OpenNotices(ctx, publicationID)
	if err != nil || slices.ContainsFunc(open, func(n service.Notice) bool { return n.Kind != service.NoticeRevoke }) {
		return err
	}
	p, err := tx.Publication(ctx, c.Workspace.ID, publicationID)
	if err != nil || announcedKind(p.Status) == "" {
		return err
	}
	return s.settle(ctx, tx, itself(p.WorkspaceID, c.RequestID), p)
}

// settle lets the announced ends of publications of one workspace happen, all at once:
// there may be thousands. Nothing else is done to a publication then, so it is the whole
// of their [Service.step].
func (s *Service) settle(ctx context.Context, tx Tx, c Caller, publications ...service.Publication) error {
	if len(publications) == 0 {
		return nil
	}
	now := s.now()
	ended := slices.Clone(publications)
	var ids, offline []string
	for i := range ended {
		p := &ended[i]
		t, err := service.Decide(service.Situation{Call: service.CallSettle, Publication: *p})
		if err != nil {
			return err
		}
		ids = append(ids, p.ID)
		if overtaken(p.Rejection, t) {
			p.Rejection = nil
		}
		if t.To == service.StatusOffline {
			p.Live = nil
			offline = append(offline, p.ID)
		}
		p.Status, p.Deadline, p.UpdatedAt = t.To, nil, now
	}
	if err := s.closeEnd(ctx, tx, c, service.NoticeExecuted, ids...); err != nil {
		return err
	}
	if err := tx.EndPublications(ctx, ended); err != nil {
		return err
	}
	for i, p := range ended {
		detail := map[string]any{"from": publications[i].Status, "to": p.Status}
		if err := s.recordPrivate(ctx, tx, c, p.PrivateTo, "publication."+action(service.CallSettle), p.ID, p.APIName, detail); err != nil {
			return err
		}
	}
	if len(offline) == 0 {
		return nil
	}
	if err := tx.ReleasePaths(ctx, offline); err != nil {
		return err
	}
	return s.cancelAuthorizations(ctx, tx, c, c.Workspace.ID, offline...)
}

// tell writes the messages to the webhooks of the notices' apps, where they have one.
func (s *Service) tell(ctx context.Context, tx Tx, event service.WebhookEvent, notices []service.Notice) error {
	if len(notices) == 0 {
		return nil
	}
	apps := make([]string, len(notices))
	for i, n := range notices {
		apps[i] = n.AppID
	}
	listening, err := tx.AppsWithWebhook(ctx, apps)
	if err != nil || len(listening) == 0 {
		return err
	}
	now := s.now()
	var deliveries []service.Delivery
	for _, n := range notices {
		if _, found := slices.BinarySearch(listening, n.AppID); !found {
			continue
		}
		payload, err := json.Marshal(service.WebhookPayload{Type: event, Timestamp: now, Data: n})
		if err != nil {
			return err
		}
		deliveries = append(deliveries, service.Delivery{
			ID: service.NewID(now), WorkspaceID: n.WorkspaceID, AppID: n.AppID, NoticeID: n.ID, Event: event, Status: service.DeliveryPending,
			Payload: payload, NextAttemptAt: &now, CreatedAt: now,
		})
	}
	return tx.CreateDeliveries(ctx, deliveries)
}

// ConfirmNotice says for the notice's app that its side is ready: its owner, operators
// and admins. When every app has, what was announced happens at once; a revocation that
// is confirmed happens at once. Confirming twice succeeds and changes nothing.
func (s *Service) ConfirmNotice(ctx context.Context, c Caller, id string) (service.Notice, error) {
	var none service.Notice
	return once(ctx, s, c, "notice.confirm", id, nil, func(tx Tx) (service.Notice, string, error) {
		n, err := visibleNotice(ctx, tx, c, id)
		if err != nil {
			return none, "", err
		}
		if _, _, err := s.lockPublication(ctx, tx, c, n.PublicationID); err != nil {
			return none, "", err
		}
		if n, err = visibleNotice(ctx, tx, c, id); err != nil {
			return none, "", err
		}
		if done, err := service.CheckConfirm(n, c.Member); done || err != nil {
			return n, "", err
		}
		if err := tx.Announce(ctx, Change{ChangePublication, n.PublicationID}, Change{ChangeAuthorization, n.PublicationID}); err != nil {
			return none, "", err
		}
		if err := s.confirm(ctx, tx, c, n); err != nil {
			return none, "", err
		}
		n, err = tx.Notice(ctx, c.Workspace.ID, id)
		return n, "", err
	})
}

// ScheduleConfirmation has a notice confirmed by itself at a time to come, for those who may
// confirm it. What closes it sooner, and above all its deadline, comes before that; it can be
// confirmed sooner, and another time takes the place of this one.
func (s *Service) ScheduleConfirmation(ctx context.Context, c Caller, id string, at time.Time) (service.Notice, error) {
	at = at.UTC().Truncate(time.Microsecond) // as it is stored
	input := struct {
		ID string
		At time.Time
	}{id, at}
	return once(ctx, s, c, "notice.schedule", input, nil, func(tx Tx) (none service.Notice, _ string, err error) {
		n, err := visibleNotice(ctx, tx, c, id)
		if err != nil {
			return none, "", err
		}
		if _, _, err := s.lockPublication(ctx, tx, c, n.PublicationID); err != nil {
			return none, "", err
		}
		if n, err = visibleNotice(ctx, tx, c, id); err != nil {
			return none, "", err
		}
		if done, err := service.CheckSchedule(n, c.Member, at, s.now()); done || err != nil {
			return n, "", err
		}
		n.ConfirmAt, n.ScheduledBy = &at, c.Member.Name
		if err := tx.ScheduleNotice(ctx, n); err != nil {
			return none, "", err
		}
		return n, "", s.recordPrivate(ctx, tx, c, n.PrivateTo, "notice.schedule", n.ID, n.AppName, map[string]any{"kind": n.Kind, "api_name": n.APIName, "environment_name": n.EnvironmentName, "confirm_at": at})
	})
}

// confirm closes the notice and does what nobody waits for any more.
func (s *Service) confirm(ctx context.Context, tx Tx, c Caller, n service.Notice) error {
	if err := s.closeNotices(ctx, tx, c, service.NoticeConfirmed, n); err != nil {
		return err
	}
	if n.Kind != service.NoticeRevoke {
		return s.settleAnswered(ctx, tx, c, n.PublicationID)
	}
	z, err := tx.Authorization(ctx, n.WorkspaceID, n.AuthorizationID)
	if err != nil {
		return err
	}
	return s.endAuthorization(ctx, tx, itself(n.WorkspaceID, c.RequestID), &z, service.AuthorizationRevoked)
}

// visibleNotice finds a notice that the caller is shown: one to an app of their own, or
// of a publication that they see.
func visibleNotice(ctx context.Context, tx Tx, c Caller, id string) (service.Notice, error) {
	n, err := tx.Notice(ctx, c.Workspace.ID, id)
	if err != nil || n.AppOwnerID == c.Member.ID {
		return n, err
	}
	seen := false
	if c.Member.May(service.OpReadDrafts) {
		seen, err = sees(ctx, tx, c, n.PrivateTo, n.APIID)
	}
	if err != nil || !seen {
		return service.Notice{}, orNotFound(err, "notice", id)
	}
	return n, nil
}

// Notice returns one notice.
func (s *Service) Notice(ctx context.Context, c Caller, id string) (service.Notice, error) {
	var n service.Notice
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		n, err = visibleNotice(ctx, tx, c, id)
		return err
	})
	return n, err
}

// Notices lists the matching notices, newest first: those to the caller's own apps, and
// to who may read drafts those of every publication that they see.
func (s *Service) Notices(ctx context.Context, c Caller, filter NoticeFilter, page Page) (service.List[service.Notice], error) {
	var l service.List[service.Notice]
	if err := c.Member.Authorize(service.OpOwnApps); err != nil {
		return l, err
	}
	filter.Sight = c.ownSight()
	if !c.Member.May(service.OpReadDrafts) {
		if filter.AppOwnerID != "" && filter.AppOwnerID != c.Member.ID {
			return service.List[service.Notice]{Items: []service.Notice{}}, nil
		}
		filter.AppOwnerID = c.Member.ID
	}
	err := s.Store.View(ctx, func(tx Tx) (err error) {
		if filter.EnvironmentID, err = knownEnvironment(ctx, tx, c, filter.EnvironmentID); err != nil {
			return err
		}
		l, err = list(page, func(n service.Notice) string { return n.ID }, func(p Page) ([]service.Notice, error) {
			return tx.Notices(ctx, c.Workspace.ID, filter, p)
		})
		return err
	})
	return l, err
}
