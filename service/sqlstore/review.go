// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var reviews = noun[service.Review]{
	kind: "review", alias: "r",
	query: `SELECT r.workspace_id, r.publication_id, p.api_id, p.environment_id, e.name, ` + privateTo + `,
		r.authorization_id, q.id, q.name, r.until_at, ` + reviewColumns("r", "ra", "rd") + `
		FROM reviews r JOIN publications p ON p.id = r.publication_id JOIN apis a ON a.id = p.api_id JOIN environments e ON e.id = p.environment_id
		LEFT JOIN authorizations z ON z.id = r.authorization_id LEFT JOIN apps q ON q.id = z.app_id
		JOIN members ra ON ra.id = r.applicant_id LEFT JOIN members rd ON rd.id = r.decider_id`,
	scan: func(r row) (v service.Review, err error) {
		columns := []any{
			&v.WorkspaceID, &v.PublicationID, &v.APIID, &v.EnvironmentID, &v.EnvironmentName, &v.PrivateTo,
			into(&v.AuthorizationID), into(&v.AppID), into(&v.AppName), intoMaybe(&v.Until),
		}
		return v, r.Scan(append(columns, intoReview(&v)...)...)
	},
}

// reviewColumns are a review's own, with the names of its applicant and decider: r,
// applicant and decider are the aliases of the tables.
func reviewColumns(r, applicant, decider string) string {
	return r + `.id, ` + r + `.api_name, ` + r + `.description, ` + r + `.kind, ` + r + `.status, ` + r + `.revision, ` + r + `.version, ` + r + `.breaking_changes, ` +
		r + `.connection_id, ` + r + `.definition, ` + r + `.digest, ` + r + `.remark, ` + r + `.applicant_id, ` + applicant + `.name, ` + r + `.created_at, ` +
		r + `.decider_id, ` + decider + `.name, ` + r + `.comment, ` + r + `.decided_at`
}

// intoReview reads reviewColumns, each of which an outer join may leave NULL.
func intoReview(v *service.Review) []any {
	return []any{
		into(&v.ID), into(&v.APIName), into(&v.Description), into(&v.Kind), into(&v.Status), into(&v.Revision),
		versionColumn{&v.Version},
		intoDocument(&v.BreakingChanges),
		into(&v.ConnectionID), intoDefinition(&v.Definition), into(&v.Digest), into(&v.Remark), into(&v.ApplicantID), into(&v.ApplicantName), intoTime(&v.CreatedAt),
		into(&v.DeciderID), into(&v.DeciderName), into(&v.Comment), intoMaybe(&v.DecidedAt),
	}
}

func (t *transaction) CreateReview(ctx context.Context, r service.Review) error {
	// An application to be authorized is about no definition.
	var definition, breaking string
	var err error
	if r.Kind != service.ReviewAuthorize {
		if definition, err = document(r.Definition); err != nil {
			return t.fail(err, blame{})
		}
	}
	if len(r.BreakingChanges) > 0 {
		if breaking, err = document(r.BreakingChanges); err != nil {
			return t.fail(err, blame{})
		}
	}
	var held any
	if r.Status == service.ReviewPending {
		held = orNull(r.ConnectionID)
	}
	open := blame{duplicate: service.Errorf(service.CodeConflict,
		"Another application for the API %q in %s was opened at the same time. Read it and try again.", r.APIName, r.EnvironmentName)}
	_, err = t.exec(ctx, open, `INSERT INTO reviews
		(id, workspace_id, publication_id, api_name, description, kind, status, revision, version, breaking_changes, connection_id, held_connection_id,
		definition, digest, remark, applicant_id, decider_id, comment, created_at, decided_at, authorization_id, until_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.ID, r.WorkspaceID, r.PublicationID, r.APIName, r.Description, string(r.Kind), string(r.Status), r.Revision, versionNumber(r.Version), breaking, r.ConnectionID, held,
		definition, r.Digest, r.Remark, r.ApplicantID, orNull(r.DeciderID), r.Comment, stamp(r.CreatedAt), maybeStamp(r.DecidedAt), orNull(r.AuthorizationID), maybeStamp(r.Until))
	return err
}

func (t *transaction) CloseReview(ctx context.Context, r service.Review) error {
	n, err := t.exec(ctx, blame{}, `UPDATE reviews SET status = ?, decider_id = ?, comment = ?, decided_at = ?, held_connection_id = NULL
		WHERE workspace_id = ? AND id = ? AND status = 'PENDING'`,
		string(r.Status), orNull(r.DeciderID), r.Comment, maybeStamp(r.DecidedAt), r.WorkspaceID, r.ID)
	return t.guarded(ctx, n, err, "reviews", reviews.kind, r.WorkspaceID, r.ID, "Review "+r.ID)
}

func (t *transaction) Review(ctx context.Context, workspaceID, id string) (service.Review, error) {
	return reviews.find(ctx, t, workspaceID, id)
}

func (t *transaction) Reviews(ctx context.Context, workspaceID string, f lifecycle.ReviewFilter, page lifecycle.Page) ([]service.Review, error) {
	c := where("r.workspace_id = ?", workspaceID)
	if f.Sight != nil {
		c = c.seen(f.Sight, "r.applicant_id = ? OR r.decider_id = ?", f.Sight.MemberID, f.Sight.MemberID)
	}
	if f.PublicationID != "" {
		c = c.and("r.publication_id = ?", f.PublicationID)
	}
	if f.ApplicantID != "" {
		c = c.and("r.applicant_id = ?", f.ApplicantID)
	}
	if f.Applicant != "" {
		c = c.and("(r.applicant_id = ? OR ra.name = ?)", f.Applicant, f.Applicant)
	}
	if f.APIID != "" {
		c = c.and("p.api_id = ?", f.APIID)
	}
	if f.EnvironmentID != "" {
		c = c.and("p.environment_id = ?", f.EnvironmentID)
	}
	if f.AuthorizationID != "" {
		c = c.and("r.authorization_id = ?", f.AuthorizationID)
	}
	if f.Revision != 0 {
		c = c.and("r.revision = ?", f.Revision)
	}
	if f.Kind != "" {
		c = c.and("r.kind = ?", string(f.Kind))
	}
	if f.Status != "" {
		c = c.and("r.status = ?", string(f.Status))
	}
	if f.Closed {
		c = c.and("r.status <> 'PENDING'")
	}
	return reviews.newest(ctx, t, c, page)
}
