// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"slices"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var notices = noun[service.Notice]{
	kind: "notice", alias: "n",
	query: `SELECT n.id, n.workspace_id, n.kind, n.status, n.publication_id, n.authorization_id, p.api_id, a.name, p.environment_id, e.name,
		n.app_id, q.name, q.owner_id, qm.name, n.deadline, n.remark, n.announced_by, n.created_at, n.confirmed_by, n.closed_at, n.confirm_at, n.scheduled_by, ` + privateTo + `
		FROM notices n JOIN publications p ON p.id = n.publication_id JOIN apis a ON a.id = p.api_id JOIN environments e ON e.id = p.environment_id
		JOIN apps q ON q.id = n.app_id JOIN members qm ON qm.id = q.owner_id`,
	scan: func(r row) (n service.Notice, err error) {
		return n, r.Scan(&n.ID, &n.WorkspaceID, &n.Kind, &n.Status, &n.PublicationID, &n.AuthorizationID, &n.APIID, &n.APIName, &n.EnvironmentID, &n.EnvironmentName,
			&n.AppID, &n.AppName, &n.AppOwnerID, &n.AppOwnerName, intoTime(&n.Deadline), &n.Remark, &n.AnnouncedBy, intoTime(&n.CreatedAt), &n.ConfirmedBy, intoMaybe(&n.ClosedAt),
			intoMaybe(&n.ConfirmAt), &n.ScheduledBy, &n.PrivateTo)
	},
}

func (t *transaction) CreateNotices(ctx context.Context, list []service.Notice) error {
	rows := make([][]any, len(list))
	for i, n := range list {
		rows[i] = []any{
			n.ID, n.WorkspaceID, string(n.Kind), string(n.Status), n.PublicationID, n.AuthorizationID, n.AppID, stamp(n.Deadline), n.Remark, n.AnnouncedBy,
			stamp(n.CreatedAt), n.ConfirmedBy, maybeStamp(n.ClosedAt),
		}
	}
	open := blame{duplicate: service.Errorf(service.CodeConflict, "Another request announced the same to an app at the same time. Read the notices and try again.")}
	return t.insert(ctx, open, `INSERT INTO notices
		(id, workspace_id, kind, status, publication_id, authorization_id, app_id, deadline, remark, announced_by, created_at, confirmed_by, closed_at) VALUES `, rows)
}

func (t *transaction) CloseNotices(ctx context.Context, ids []string, status service.NoticeStatus, confirmedBy string, at time.Time) error {
	for some := range slices.Chunk(ids, rowsAtATime) {
		args := append([]any{string(status), confirmedBy, stamp(at)}, texts(some)...)
		n, err := t.exec(ctx, blame{}, `UPDATE notices SET status = ?, confirmed_by = ?, closed_at = ? WHERE status = 'OPEN' AND id IN (`+marks(len(some))+`)`, args...)
		if err != nil {
			return err
		}
		if n != int64(len(some)) {
			return service.Errorf(service.CodeConflict, "A notice was closed by another request at the same time. Read it again.")
		}
	}
	return nil
}

func (t *transaction) ScheduleNotice(ctx context.Context, n service.Notice) error {
	changed, err := t.exec(ctx, blame{}, `UPDATE notices SET confirm_at = ?, scheduled_by = ? WHERE status = 'OPEN' AND id = ?`, maybeStamp(n.ConfirmAt), n.ScheduledBy, n.ID)
	if err == nil && changed == 0 {
		err = service.Errorf(service.CodeConflict, "The notice was closed by another request at the same time. Read it again.")
	}
	return err
}

func (t *transaction) DueNotices(ctx context.Context, instanceID string, at time.Time, limit int) ([]service.Notice, error) {
	return many(ctx, t, notices.scan, notices.query+` WHERE e.instance_id = ? AND n.status = 'OPEN' AND n.confirm_at <= ? ORDER BY n.confirm_at, n.id LIMIT ?`,
		instanceID, stamp(at), pageLimit(limit))
}

func (t *transaction) NextConfirmation(ctx context.Context) (time.Time, bool, error) {
	return one(ctx, t, scanTime, `SELECT confirm_at FROM notices WHERE confirm_at IS NOT NULL AND status = 'OPEN' ORDER BY confirm_at LIMIT 1`)
}

func (t *transaction) Notice(ctx context.Context, workspaceID, id string) (service.Notice, error) {
	return notices.find(ctx, t, workspaceID, id)
}

func (t *transaction) Notices(ctx context.Context, workspaceID string, f lifecycle.NoticeFilter, page lifecycle.Page) ([]service.Notice, error) {
	c := where("n.workspace_id = ?", workspaceID)
	if f.Sight != nil {
		c = c.seen(f.Sight, "q.owner_id = ?", f.Sight.MemberID)
	}
	for _, narrowing := range []struct{ column, value string }{
		{"n.publication_id", f.PublicationID},
		{"p.api_id", f.APIID},
		{"p.environment_id", f.EnvironmentID},
		{"n.authorization_id", f.AuthorizationID},
		{"n.app_id", f.AppID},
		{"q.owner_id", f.AppOwnerID},
		{"n.kind", string(f.Kind)},
		{"n.status", string(f.Status)},
	} {
		if narrowing.value != "" {
			c = c.and(narrowing.column+" = ?", narrowing.value)
		}
	}
	return notices.newest(ctx, t, c, page)
}

func (t *transaction) OpenNotices(ctx context.Context, publicationIDs ...string) ([]service.Notice, error) {
	var open []service.Notice
	for some := range slices.Chunk(publicationIDs, rowsAtATime) {
		found, err := many(ctx, t, notices.scan, notices.query+` WHERE n.status = 'OPEN' AND n.publication_id IN (`+marks(len(some))+`) ORDER BY n.id`, texts(some)...)
		if err != nil {
			return nil, err
		}
		open = append(open, found...)
	}
	return open, nil
}

func (t *transaction) AppsWithWebhook(ctx context.Context, appIDs []string) ([]string, error) {
	found := []string{}
	for some := range slices.Chunk(appIDs, rowsAtATime) {
		ids, err := many(ctx, t, scanText, `SELECT id FROM apps WHERE webhook_url <> '' AND id IN (`+marks(len(some))+`) ORDER BY id`, texts(some)...)
		if err != nil {
			return nil, err
		}
		found = append(found, ids...)
	}
	return found, nil
}

func (t *transaction) DueInstances(ctx context.Context, at time.Time) ([]string, error) {
	return many(ctx, t, scanText, `SELECT e.instance_id FROM publications p JOIN environments e ON e.id = p.environment_id WHERE p.deadline <= ?
		UNION SELECT e.instance_id FROM authorizations z JOIN publications p ON p.id = z.publication_id JOIN environments e ON e.id = p.environment_id WHERE z.ends_at <= ?
		UNION SELECT e.instance_id FROM notices n JOIN publications p ON p.id = n.publication_id JOIN environments e ON e.id = p.environment_id WHERE n.status = 'OPEN' AND n.confirm_at <= ?`,
		stamp(at), stamp(at), stamp(at))
}

func (t *transaction) DuePublications(ctx context.Context, instanceID string, at time.Time, limit int) ([]service.Publication, error) {
	return many(ctx, t, publications.scan, publications.query+` WHERE e.instance_id = ? AND p.deadline <= ? ORDER BY p.deadline, p.id LIMIT ?`,
		instanceID, stamp(at), pageLimit(limit))
}

func (t *transaction) NextDeadline(ctx context.Context) (time.Time, bool, error) {
	return one(ctx, t, scanTime, `SELECT deadline FROM publications WHERE deadline IS NOT NULL ORDER BY deadline LIMIT 1`)
}
