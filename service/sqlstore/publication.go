// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// anyHost tells whether an instance is the first workspace's default one.
const anyHost = `CASE WHEN EXISTS (SELECT 1 FROM instances di JOIN workspaces dw ON dw.id = di.workspace_id
	WHERE di.id = e.instance_id AND di.name = '` + service.DefaultInstance + `' AND dw.name = '` + service.DefaultWorkspace + `') THEN 1 ELSE 0 END`

// A publication is read with its live version, its open review and its last
// rejection in one query. Names come from where they are kept, so that a rename shows,
// but for what was applied for or put live under a name: that keeps it.
var publications = noun[service.Publication]{
	kind: "publication", alias: "p",
	query: `SELECT p.id, p.workspace_id, p.api_id, a.name, p.environment_id, e.name, e.instance_id, p.status, p.resume, p.deadline, p.by_terraform,
		p.row_version, p.created_at, p.updated_at, ` + privateTo + `, h.host, ` + anyHost + `,
		(SELECT COUNT(*) FROM authorizations z WHERE z.publication_id = p.id AND ` + holding + `),
		` + versionColumns + `, ` + reviewColumns("o", "oa", "od") + `, ` + reviewColumns("j", "ja", "jd") + `
		FROM publications p JOIN apis a ON a.id = p.api_id JOIN environments e ON e.id = p.environment_id
		LEFT JOIN instance_hosts h ON h.instance_id = e.instance_id AND h.position = 0
		LEFT JOIN versions v ON v.id = p.live_version_id
		LEFT JOIN reviews o ON o.publication_id = p.id AND o.status = 'PENDING' AND o.kind <> 'AUTHORIZE'
		LEFT JOIN members oa ON oa.id = o.applicant_id LEFT JOIN members od ON od.id = o.decider_id
		LEFT JOIN reviews j ON j.id = p.rejection_review_id
		LEFT JOIN members ja ON ja.id = j.applicant_id LEFT JOIN members jd ON jd.id = j.decider_id`,
	scan: func(r row) (p service.Publication, err error) {
		var (
			live            service.Version
			open, rejection service.Review
		)
		columns := []any{
			&p.ID, &p.WorkspaceID, &p.APIID, &p.APIName, &p.EnvironmentID, &p.EnvironmentName, &p.InstanceID, &p.Status, &p.Resume, intoMaybe(&p.Deadline), intoFlag(&p.ByTerraform),
			&p.RowVersion, intoTime(&p.CreatedAt), intoTime(&p.UpdatedAt), &p.PrivateTo,
			into(&p.HostName), intoFlag(&p.AnyHost),
			&p.AuthorizedApps,
		}
		columns = append(columns, intoVersion(&live)...)
		columns = append(columns, intoReview(&open)...)
		columns = append(columns, intoReview(&rejection)...)
		if err := r.Scan(columns...); err != nil {
			return p, err
		}
		if live.ID != "" {
			live.Name, live.Live = versionName(live.Number), true
			p.Live = &live
		}
		p.OpenReview, p.Rejection = ofPublication(open, p), ofPublication(rejection, p)
		return p, nil
	},
}

// ofPublication fills in what a review shares with its publication; nil where there is none.
func ofPublication(r service.Review, p service.Publication) *service.Review {
	if r.ID == "" {
		return nil
	}
	r.WorkspaceID, r.PublicationID, r.APIID = p.WorkspaceID, p.ID, p.APIID
	r.EnvironmentID, r.EnvironmentName, r.PrivateTo = p.EnvironmentID, p.EnvironmentName, p.PrivateTo
	return &r
}

// CreatePublication stores the publication without Live and Rejection: nothing of it
// can be there before it.
func (t *transaction) CreatePublication(ctx context.Context, p *service.Publication) error {
	exists := blame{duplicate: service.Errorf(service.CodeAlreadyExists, "There is a publication of the API %q in %s already.", p.APIName, p.EnvironmentName)}
	_, err := t.exec(ctx, exists, `INSERT INTO publications
		(id, workspace_id, api_id, environment_id, status, resume, row_version, created_at, updated_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		p.ID, p.WorkspaceID, p.APIID, p.EnvironmentID, string(p.Status), string(p.Resume), p.RowVersion, stamp(p.CreatedAt), stamp(p.UpdatedAt))
	return err
}

// UpdatePublication stores the status, and which version is live and which review
// was the last rejection: both have been created before.
func (t *transaction) UpdatePublication(ctx context.Context, p *service.Publication) error {
	var liveID, liveConnectionID, rejectionID any
	if p.Live != nil {
		connectionID, found, err := one(ctx, t, scanText, `SELECT connection_id FROM versions WHERE id = ? AND publication_id = ?`, p.Live.ID, p.ID)
		if err != nil {
			return err
		}
		if !found {
			return t.fail(service.Errorf(service.CodeInternal, "Publication %s has no version %s that could be live.", p.ID, p.Live.ID), blame{})
		}
		liveID, liveConnectionID = p.Live.ID, orNull(connectionID)
	}
	if p.Rejection != nil {
		rejectionID = p.Rejection.ID
	}
	n, err := t.exec(ctx, blame{}, `UPDATE publications SET
		status = ?, resume = ?, deadline = ?, live_version_id = ?, live_connection_id = ?, rejection_review_id = ?, by_terraform = ?, updated_at = ?, row_version = row_version + 1
		WHERE workspace_id = ? AND id = ? AND row_version = ?`,
		string(p.Status), string(p.Resume), maybeStamp(p.Deadline), liveID, liveConnectionID, rejectionID, flag(p.ByTerraform), stamp(p.UpdatedAt), p.WorkspaceID, p.ID, p.RowVersion)
	if err := t.guarded(ctx, n, err, "publications", publications.kind, p.WorkspaceID, p.ID,
		fmt.Sprintf("The publication of %q in %s", p.APIName, p.EnvironmentName)); err != nil {
		return err
	}
	p.RowVersion++
	return nil
}

// EndPublications changes those alike with one statement.
func (t *transaction) EndPublications(ctx context.Context, ended []service.Publication) error {
	type end struct {
		status          service.Status
		live, rejection bool
	}
	alike := map[end][]string{}
	for _, p := range ended {
		e := end{p.Status, p.Live != nil, p.Rejection != nil}
		alike[e] = append(alike[e], p.ID)
	}
	for e, ids := range alike {
		set := "status = ?, deadline = NULL, updated_at = ?, row_version = row_version + 1"
		if !e.live {
			set += ", live_version_id = NULL, live_connection_id = NULL"
		}
		if !e.rejection {
			set += ", rejection_review_id = NULL"
		}
		for some := range slices.Chunk(ids, rowsAtATime) {
			n, err := t.exec(ctx, blame{}, `UPDATE publications SET `+set+` WHERE deadline IS NOT NULL AND id IN (`+marks(len(some))+`)`,
				append([]any{string(e.status), stamp(ended[0].UpdatedAt)}, texts(some)...)...)
			if err != nil {
				return err
			}
			if n != int64(len(some)) {
				return service.Errorf(service.CodeConflict, "A publication was changed by another request at the same time. Read it again and try again.")
			}
		}
	}
	return nil
}

// DeletePublication removes the publication with its versions and reviews. One that
// still occupies a path stays.
func (t *transaction) DeletePublication(ctx context.Context, workspaceID, id string) error {
	held := blame{reference: service.Errorf(service.CodeInUse, "Publication %s still occupies a path. Unpublish it first.", id)}
	n, err := t.exec(ctx, held, `DELETE FROM publications WHERE workspace_id = ? AND id = ?`, workspaceID, id)
	return affects(n, err, publications.kind, id)
}

func (t *transaction) Publication(ctx context.Context, workspaceID, id string) (service.Publication, error) {
	return publications.find(ctx, t, workspaceID, id)
}

func (t *transaction) PublicationOf(ctx context.Context, apiID, environmentID string) (service.Publication, error) {
	p, found, err := one(ctx, t, publications.scan, publications.query+` WHERE p.api_id = ? AND p.environment_id = ?`, apiID, environmentID)
	if err == nil && !found {
		err = service.Errorf(service.CodeNotFound, "There is no publication of API %s in environment %s.", apiID, environmentID)
	}
	return p, err
}

func (t *transaction) Publications(ctx context.Context, workspaceID string, f lifecycle.PublicationFilter, page lifecycle.Page) ([]service.Publication, error) {
	c := where("p.workspace_id = ?", workspaceID).seen(f.Sight, "")
	if f.Callable {
		c = c.and(callable)
	}
	if f.APIID != "" {
		c = c.and("p.api_id = ?", f.APIID)
	}
	if len(f.APIIDs) > 0 {
		c = c.and("p.api_id IN ("+marks(len(f.APIIDs))+")", texts(f.APIIDs)...)
	}
	if f.EnvironmentID != "" {
		c = c.and("p.environment_id = ?", f.EnvironmentID)
	}
	if f.Status != "" {
		c = c.and("p.status = ?", string(f.Status))
	}
	if f.GroupID != "" {
		c = c.and("a.group_id = ?", f.GroupID)
	}
	if f.FolderID != "" {
		c = c.and("a.folder_id = ?", f.FolderID)
	}
	if f.Mode != "" {
		c = c.mode(f.Mode)
	}
	if f.Search != "" {
		c = c.search(f.Search, "v.api_name", "v.description")
	}
	if f.Name != "" {
		c = c.search(f.Name, "a.name")
	}
	if f.ConnectionID != "" {
		c = c.and("(p.live_connection_id = ? OR o.held_connection_id = ?)", f.ConnectionID, f.ConnectionID)
	}
	return publications.list(ctx, t, c, page)
}

// callable holds for the statuses that service.Status.Callable accepts; a test compares them.
const callable = "p.status IN ('PUBLISHED', 'WAITING_STOP', 'WAITING_OFFLINE')"

// served holds for the statuses that service.Status.Served accepts; a test compares them.
const served = "p.status IN ('PUBLISHED', 'WAITING_STOP', 'WAITING_OFFLINE', 'STOPPED', 'RECOVER_WAIT_REVIEW')"

func (t *transaction) ServedPublications(ctx context.Context, instanceID string, page lifecycle.Page) ([]service.Publication, error) {
	condition := where(served)
	if instanceID != "" {
		condition = condition.and("p.environment_id IN (SELECT id FROM environments WHERE instance_id = ?)", instanceID)
	}
	return publications.list(ctx, t, condition, page)
}

func (t *transaction) ServedPublicationsOf(ctx context.Context, ids []string) ([]service.Publication, error) {
	var found []service.Publication
	for some := range slices.Chunk(slices.Sorted(slices.Values(ids)), rowsAtATime) {
		p, err := publications.list(ctx, t, where(served).and("p.id IN ("+marks(len(some))+")", texts(some)...), lifecycle.Page{})
		if err != nil {
			return nil, err
		}
		found = append(found, p...)
	}
	return found, nil
}

// ClaimPaths looks before it claims, to name the holder of a path; the primary key
// of the table decides between two that look at the same time.
func (t *transaction) ClaimPaths(ctx context.Context, p service.Publication, claims []lifecycle.PathClaim) error {
	for _, c := range claims {
		holder, found, err := one(ctx, t, scanText, `SELECT a.name FROM path_claims h
			JOIN publications p ON p.id = h.publication_id JOIN apis a ON a.id = p.api_id
			WHERE h.environment_id = ? AND h.method = ? AND h.path = ? AND h.publication_id <> ?`, p.EnvironmentID, string(c.Method), c.Path, p.ID)
		if err != nil {
			return err
		}
		if found {
			return service.Errorf(service.CodeAlreadyExists, "The path %s %s is taken in %s by the API %q. Choose another path, or take that API offline first.",
				c.Method, c.Path, p.EnvironmentName, holder)
		}
	}
	if _, err := t.exec(ctx, blame{}, `DELETE FROM path_claims WHERE publication_id = ?`, p.ID); err != nil {
		return err
	}
	for _, c := range claims {
		taken := blame{duplicate: service.Errorf(service.CodeAlreadyExists, "The path %s %s is taken in %s by another API. Choose another path, or take that API offline first.",
			c.Method, c.Path, p.EnvironmentName)}
		_, err := t.exec(ctx, taken, `INSERT INTO path_claims (environment_id, method, path, publication_id) VALUES (?, ?, ?, ?)`,
			p.EnvironmentID, string(c.Method), c.Path, p.ID)
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *transaction) PathHolders(ctx context.Context, workspaceID, exceptAPIID string, claim lifecycle.PathClaim) ([]service.TakenPath, error) {
	return many(ctx, t, scanTakenPath, `SELECT e.id, e.name, a.name FROM path_claims h
		JOIN publications p ON p.id = h.publication_id JOIN apis a ON a.id = p.api_id JOIN environments e ON e.id = h.environment_id
		WHERE h.method = ? AND h.path = ? AND p.workspace_id = ? AND p.api_id <> ? ORDER BY e.name, e.id`,
		string(claim.Method), claim.Path, workspaceID, exceptAPIID)
}

func scanTakenPath(r row) (p service.TakenPath, err error) {
	return p, r.Scan(&p.EnvironmentID, &p.EnvironmentName, &p.APIName)
}

func (t *transaction) ReleasePaths(ctx context.Context, publicationIDs []string) error {
	for some := range slices.Chunk(publicationIDs, rowsAtATime) {
		if _, err := t.exec(ctx, blame{}, `DELETE FROM path_claims WHERE publication_id IN (`+marks(len(some))+`)`, texts(some)...); err != nil {
			return err
		}
	}
	return nil
}
