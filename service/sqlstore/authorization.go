// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// authorizationTables joins what every query of authorizations reads names from.
const authorizationTables = ` FROM authorizations z JOIN publications p ON p.id = z.publication_id JOIN apis a ON a.id = p.api_id
	JOIN environments e ON e.id = p.environment_id JOIN apps q ON q.id = z.app_id JOIN members qm ON qm.id = q.owner_id`

// holding holds for the statuses that service.AuthorizationStatus.Holds accepts; a test
// compares them.
const holding = "z.status IN ('ACTIVE', 'WAITING_REVOKE')"

// An authorization is read with its open application and its last rejection in one query.
var authorizations = noun[service.Authorization]{
	kind: "authorization", alias: "z",
	query: `SELECT z.id, z.workspace_id, z.publication_id, p.api_id, a.name, p.environment_id, e.name, z.app_id, q.name, q.owner_id, qm.name,
		z.status, z.until_at, z.revoke_at, z.granted_by, z.row_version, z.created_at, z.updated_at, ` + privateTo + `,
		o.until_at, ` + reviewColumns("o", "oa", "od") + `, j.until_at, ` + reviewColumns("j", "ja", "jd") + authorizationTables + `
		LEFT JOIN reviews o ON o.authorization_id = z.id AND o.status = 'PENDING'
		LEFT JOIN members oa ON oa.id = o.applicant_id LEFT JOIN members od ON od.id = o.decider_id
		LEFT JOIN reviews j ON j.id = z.rejection_review_id
		LEFT JOIN members ja ON ja.id = j.applicant_id LEFT JOIN members jd ON jd.id = j.decider_id`,
	scan: func(r row) (z service.Authorization, err error) {
		var open, rejection service.Review
		columns := []any{
			&z.ID, &z.WorkspaceID, &z.PublicationID, &z.APIID, &z.APIName, &z.EnvironmentID, &z.EnvironmentName, &z.AppID, &z.AppName, &z.AppOwnerID, &z.AppOwnerName,
			&z.Status, intoMaybe(&z.Until), intoMaybe(&z.RevokeAt), &z.GrantedBy, &z.RowVersion, intoTime(&z.CreatedAt), intoTime(&z.UpdatedAt), &z.PrivateTo,
		}
		columns = append(append(columns, intoMaybe(&open.Until)), intoReview(&open)...)
		columns = append(append(columns, intoMaybe(&rejection.Until)), intoReview(&rejection)...)
		if err := r.Scan(columns...); err != nil {
			return z, err
		}
		z.OpenReview, z.Rejection = ofAuthorization(open, z), ofAuthorization(rejection, z)
		return z, nil
	},
}

// ofAuthorization fills in what a review shares with its authorization; nil where there is none.
func ofAuthorization(r service.Review, z service.Authorization) *service.Review {
	if r.ID == "" {
		return nil
	}
	r.WorkspaceID, r.PublicationID, r.APIID = z.WorkspaceID, z.PublicationID, z.APIID
	r.EnvironmentID, r.EnvironmentName, r.PrivateTo = z.EnvironmentID, z.EnvironmentName, z.PrivateTo
	r.AuthorizationID, r.AppID, r.AppName = z.ID, z.AppID, z.AppName
	return &r
}

// ends is when the right ends by itself, as it is stored.
func ends(z service.Authorization) any {
	if !z.Status.Holds() {
		return nil
	}
	if z.Until == nil || z.RevokeAt != nil && z.RevokeAt.Before(*z.Until) {
		return maybeStamp(z.RevokeAt)
	}
	return maybeStamp(z.Until)
}

// CreateAuthorization stores the authorization without OpenReview and Rejection: nothing
// of it can be there before it.
func (t *transaction) CreateAuthorization(ctx context.Context, z *service.Authorization) error {
	exists := blame{duplicate: service.Errorf(service.CodeConflict,
		"Another request authorized %s for %q in %s at the same time. Read it and try again.", z.AppName, z.APIName, z.EnvironmentName)}
	_, err := t.exec(ctx, exists, `INSERT INTO authorizations
		(id, workspace_id, publication_id, app_id, status, until_at, revoke_at, ends_at, granted_by, row_version, created_at, updated_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		z.ID, z.WorkspaceID, z.PublicationID, z.AppID, string(z.Status), maybeStamp(z.Until), maybeStamp(z.RevokeAt), ends(*z), z.GrantedBy,
		z.RowVersion, stamp(z.CreatedAt), stamp(z.UpdatedAt))
	return err
}

// UpdateAuthorization stores the status and its times, who granted the right, and which
// review was the last rejection: that has been created before.
func (t *transaction) UpdateAuthorization(ctx context.Context, z *service.Authorization) error {
	var rejectionID any
	if z.Rejection != nil {
		rejectionID = z.Rejection.ID
	}
	n, err := t.exec(ctx, blame{}, `UPDATE authorizations SET
		status = ?, until_at = ?, revoke_at = ?, ends_at = ?, granted_by = ?, rejection_review_id = ?, updated_at = ?, row_version = row_version + 1
		WHERE workspace_id = ? AND id = ? AND row_version = ?`,
		string(z.Status), maybeStamp(z.Until), maybeStamp(z.RevokeAt), ends(*z), z.GrantedBy, rejectionID, stamp(z.UpdatedAt),
		z.WorkspaceID, z.ID, z.RowVersion)
	if err := t.guarded(ctx, n, err, "authorizations", authorizations.kind, z.WorkspaceID, z.ID,
		fmt.Sprintf("The authorization of %s for %q in %s", z.AppName, z.APIName, z.EnvironmentName)); err != nil {
		return err
	}
	z.RowVersion++
	return nil
}

func (t *transaction) Authorization(ctx context.Context, workspaceID, id string) (service.Authorization, error) {
	return authorizations.find(ctx, t, workspaceID, id)
}

func (t *transaction) AuthorizationOf(ctx context.Context, publicationID, appID string) (service.Authorization, error) {
	z, found, err := one(ctx, t, authorizations.scan, authorizations.query+` WHERE z.publication_id = ? AND z.app_id = ?`, publicationID, appID)
	if err == nil && !found {
		err = service.Errorf(service.CodeNotFound, "The app %s was never authorized for publication %s.", appID, publicationID)
	}
	return z, err
}

func (t *transaction) Authorizations(ctx context.Context, workspaceID string, f lifecycle.AuthorizationFilter, page lifecycle.Page) ([]service.Authorization, error) {
	c := where("z.workspace_id = ?", workspaceID)
	if f.Sight != nil {
		c = c.seen(f.Sight, "q.owner_id = ?", f.Sight.MemberID)
	}
	for _, narrowing := range []struct{ column, value string }{
		{"z.publication_id", f.PublicationID},
		{"p.api_id", f.APIID},
		{"p.environment_id", f.EnvironmentID},
		{"z.app_id", f.AppID},
		{"q.owner_id", f.AppOwnerID},
	} {
		if narrowing.value != "" {
			c = c.and(narrowing.column+" = ?", narrowing.value)
		}
	}
	if len(f.PublicationIDs) > 0 {
		c = c.and("z.publication_id IN ("+marks(len(f.PublicationIDs))+")", texts(f.PublicationIDs)...)
	}
	if len(f.Statuses) > 0 {
		c = c.in("z.status", f.Statuses)
	}
	return authorizations.list(ctx, t, c, page)
}

// in keeps the rows whose column has one of the values.
func (c condition) in(column string, values []service.AuthorizationStatus) condition {
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = string(v)
	}
	return c.and(column+" IN ("+marks(len(values))+")", args...)
}

// marks are so many placeholders.
func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }

func (t *transaction) DueAuthorizations(ctx context.Context, instanceID string, at time.Time, limit int) ([]service.Authorization, error) {
	return many(ctx, t, authorizations.scan, authorizations.query+` WHERE e.instance_id = ? AND z.ends_at <= ? ORDER BY z.ends_at, z.id LIMIT ?`,
		instanceID, stamp(at), pageLimit(limit))
}

func (t *transaction) NextAuthorizationEnd(ctx context.Context) (time.Time, bool, error) {
	return one(ctx, t, scanTime, `SELECT z.ends_at FROM authorizations z WHERE z.ends_at IS NOT NULL ORDER BY z.ends_at LIMIT 1`)
}

func (t *transaction) CancelAuthorizations(ctx context.Context, ids []string, at time.Time) error {
	for some := range slices.Chunk(ids, rowsAtATime) {
		n, err := t.exec(ctx, blame{}, `UPDATE authorizations AS z SET status = 'CANCELLED', revoke_at = NULL, ends_at = NULL, updated_at = ?, row_version = row_version + 1
			WHERE `+holding+` AND z.id IN (`+marks(len(some))+`)`, append([]any{stamp(at)}, texts(some)...)...)
		if err != nil {
			return err
		}
		if n != int64(len(some)) {
			return service.Errorf(service.CodeConflict, "An authorization was ended by another request at the same time. Read it again.")
		}
	}
	return nil
}

func (t *transaction) Grants(ctx context.Context, publicationIDs []string) ([]lifecycle.Grant, error) {
	var grants []lifecycle.Grant
	for ids := range slices.Chunk(publicationIDs, rowsAtATime) {
		some, err := many(ctx, t, scanGrant, `SELECT z.publication_id, z.app_id, q.name, z.status, z.until_at, z.revoke_at, z.updated_at
			FROM authorizations z JOIN apps q ON q.id = z.app_id WHERE z.publication_id IN (`+marks(len(ids))+`) ORDER BY z.publication_id, z.app_id`, texts(ids)...)
		if err != nil {
			return nil, err
		}
		grants = append(grants, some...)
	}
	return grants, nil
}

func scanGrant(r row) (g lifecycle.Grant, err error) {
	return g, r.Scan(&g.PublicationID, &g.AppID, &g.AppName, &g.Status, intoMaybe(&g.Until), intoMaybe(&g.RevokeAt), intoTime(&g.UpdatedAt))
}
