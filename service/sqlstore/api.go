// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"fmt"
	"strconv"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// An API's definition and debug status are read from the record of its current
// revision: they are stored once.
var apis = noun[service.API]{
	kind: "API", alias: "a", numbered: true, named: true,
	query: `SELECT a.id, a.number, a.workspace_id, a.name, a.description,
		a.visibility, a.group_id, a.folder_id, a.resource_group, v.definition, a.revision, v.debug_status, v.debug_message,
		a.owner_id, m.name, a.row_version, a.created_at, a.updated_at, a.updated_by
		FROM apis a JOIN revisions v ON v.api_id = a.id AND v.number = a.revision JOIN members m ON m.id = a.owner_id`,
	scan: func(r row) (a service.API, err error) {
		return a, r.Scan(&a.ID, &a.Number, &a.WorkspaceID, &a.Name, &a.Description,
			&a.Visibility, into(&a.GroupID), into(&a.FolderID), &a.ResourceGroup, intoDefinition(&a.Definition), &a.Revision,
			&a.DebugStatus, &a.DebugMessage, &a.OwnerID, &a.OwnerName, &a.RowVersion, intoTime(&a.CreatedAt), intoTime(&a.UpdatedAt), &a.UpdatedBy)
	},
}

// CreateAPI stores the API together with its current revision.
func (t *transaction) CreateAPI(ctx context.Context, a *service.API) error {
	number, err := t.number(ctx, "api")
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, taken(apis.kind, a.Name), `INSERT INTO apis
		(id, number, workspace_id, name, description, visibility, group_id, folder_id, resource_group, connection_id, revision, owner_id,
		row_version, created_at, updated_at, updated_by)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		a.ID, number, a.WorkspaceID, a.Name, a.Description, string(a.Visibility), orNull(a.GroupID), orNull(a.FolderID), a.ResourceGroup,
		orNull(a.ConnectionID), a.Revision, a.OwnerID, a.RowVersion, stamp(a.CreatedAt), stamp(a.UpdatedAt), a.UpdatedBy)
	if err != nil {
		return err
	}
	if err := t.PutRevision(ctx, currentRevision(*a)); err != nil {
		return err
	}
	a.Number = number
	return nil
}

// UpdateAPI stores the API together with its current revision.
func (t *transaction) UpdateAPI(ctx context.Context, a *service.API) error {
	n, err := t.exec(ctx, taken(apis.kind, a.Name), `UPDATE apis SET
		name = ?, description = ?, visibility = ?, group_id = ?, folder_id = ?, resource_group = ?, connection_id = ?, revision = ?, owner_id = ?,
		updated_at = ?, updated_by = ?, row_version = row_version + 1
		WHERE workspace_id = ? AND id = ? AND row_version = ?`,
		a.Name, a.Description, string(a.Visibility), orNull(a.GroupID), orNull(a.FolderID), a.ResourceGroup, orNull(a.ConnectionID), a.Revision, a.OwnerID,
		stamp(a.UpdatedAt), a.UpdatedBy, a.WorkspaceID, a.ID, a.RowVersion)
	if err := t.guarded(ctx, n, err, "apis", apis.kind, a.WorkspaceID, a.ID, fmt.Sprintf("The API %q", a.Name)); err != nil {
		return err
	}
	if err := t.PutRevision(ctx, currentRevision(*a)); err != nil {
		return err
	}
	a.RowVersion++
	return nil
}

func currentRevision(a service.API) service.Revision {
	return service.Revision{
		APIID: a.ID, Number: a.Revision, Definition: a.Definition,
		DebugStatus: a.DebugStatus, DebugMessage: a.DebugMessage, CreatedAt: a.UpdatedAt,
	}
}

func (t *transaction) DeleteAPI(ctx context.Context, workspaceID, id string) error {
	held := blame{reference: service.Errorf(service.CodeInUse, "The API %s still occupies a path in an environment. Unpublish it first.", id)}
	n, err := t.exec(ctx, held, `DELETE FROM apis WHERE workspace_id = ? AND id = ?`, workspaceID, id)
	return affects(n, err, apis.kind, id)
}

func (t *transaction) API(ctx context.Context, workspaceID, ref string) (service.API, error) {
	return apis.find(ctx, t, workspaceID, ref)
}

func (t *transaction) APIs(ctx context.Context, workspaceID string, f lifecycle.APIFilter, page lifecycle.Page) ([]service.API, error) {
	c := where("a.workspace_id = ?", workspaceID).seen(f.Sight, "")
	if f.GroupID != "" {
		c = c.and("a.group_id = ?", f.GroupID)
	}
	if f.OwnerID != "" {
		c = c.and("a.owner_id = ?", f.OwnerID)
	}
	if f.FolderID != "" {
		c = c.and("a.folder_id = ?", f.FolderID)
	}
	if f.Owner != "" {
		c = c.and("(a.owner_id = ? OR m.name = ?)", f.Owner, f.Owner)
	}
	if f.Mode != "" {
		c = c.mode(f.Mode)
	}
	if f.Visibility != "" {
		c = c.and("a.visibility = ?", string(f.Visibility))
	}
	if f.DebugStatus != "" {
		c = c.and("v.debug_status = ?", string(f.DebugStatus))
	}
	if f.Search != "" {
		c = c.search(f.Search, "a.name", "a.description")
	}
	return apis.list(ctx, t, c, page)
}

func (t *transaction) APIsUsingConnection(ctx context.Context, connectionID string) ([]service.API, error) {
	return many(ctx, t, apis.scan, apis.query+` WHERE a.connection_id = ? ORDER BY a.id`, connectionID)
}

// PutRevision decides in the statement itself what a success outweighs: of two who
// debug at once, the later one may not have seen the other's.
func (t *transaction) PutRevision(ctx context.Context, v service.Revision) error {
	definition, err := document(v.Definition)
	if err != nil {
		return t.fail(err, blame{})
	}
	_, err = t.exec(ctx, blame{}, `INSERT INTO revisions (api_id, number, definition, debug_status, debug_message, created_at)
		VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (api_id, number) DO UPDATE SET
		debug_status = CASE WHEN revisions.debug_status = 'SUCCESS' THEN revisions.debug_status ELSE excluded.debug_status END,
		debug_message = CASE WHEN revisions.debug_status = 'SUCCESS' THEN revisions.debug_message ELSE excluded.debug_message END`,
		v.APIID, v.Number, definition, string(v.DebugStatus), v.DebugMessage, stamp(v.CreatedAt))
	return err
}

func (t *transaction) Revision(ctx context.Context, apiID string, number int64) (service.Revision, error) {
	v, found, err := one(ctx, t, scanRevision, `SELECT api_id, number, definition, debug_status, debug_message, created_at
		FROM revisions WHERE api_id = ? AND number = ?`, apiID, number)
	if err == nil && !found {
		err = service.NotFound("revision", strconv.FormatInt(number, 10))
	}
	return v, err
}

func scanRevision(r row) (v service.Revision, err error) {
	return v, r.Scan(&v.APIID, &v.Number, intoDefinition(&v.Definition), &v.DebugStatus, &v.DebugMessage, intoTime(&v.CreatedAt))
}
