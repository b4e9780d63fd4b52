// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

const versionColumns = `v.id, v.publication_id, v.number, v.revision, v.api_name, v.description, v.connection_id, v.definition, v.remark, v.created_by, v.created_at, v.live_since, v.live_by`

// intoVersion reads versionColumns, each of which an outer join may leave NULL.
func intoVersion(v *service.Version) []any {
	return []any{
		into(&v.ID), into(&v.PublicationID), into(&v.Number), into(&v.Revision), into(&v.APIName), into(&v.Description),
		into(&v.ConnectionID), intoDefinition(&v.Definition), into(&v.Remark), into(&v.CreatedBy), intoTime(&v.CreatedAt), intoTime(&v.LiveSince), into(&v.LiveBy),
	}
}

func versionName(number int64) string { return "V" + strconv.FormatInt(number, 10) }

// versionNumber is the number in a version's name; 0 where it names none.
func versionNumber(name string) int64 {
	number, err := strconv.ParseInt(strings.TrimPrefix(name, "V"), 10, 64)
	if err != nil || versionName(number) != name {
		return 0
	}
	return number
}

// CreateVersion numbers the version within its publication, and names it after its number.
func (t *transaction) CreateVersion(ctx context.Context, v *service.Version) error {
	definition, err := document(v.Definition)
	if err != nil {
		return t.fail(err, blame{})
	}
	last, _, err := one(ctx, t, scanNumber, `SELECT COALESCE(MAX(number), 0) FROM versions WHERE publication_id = ?`, v.PublicationID)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, blame{}, `INSERT INTO versions
		(id, publication_id, number, revision, api_name, description, connection_id, definition, remark, created_by, created_at, live_since, live_by)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		v.ID, v.PublicationID, last+1, v.Revision, v.APIName, v.Description, v.ConnectionID, definition, v.Remark, v.CreatedBy, stamp(v.CreatedAt),
		stamp(v.LiveSince), v.LiveBy)
	if err == nil {
		v.Number, v.Name = last+1, versionName(last+1)
	}
	return err
}

// UpdateVersion stores since when and by whom the version is live: all else of it is for good.
func (t *transaction) UpdateVersion(ctx context.Context, v service.Version) error {
	n, err := t.exec(ctx, blame{}, `UPDATE versions SET live_since = ?, live_by = ? WHERE publication_id = ? AND id = ?`,
		stamp(v.LiveSince), v.LiveBy, v.PublicationID, v.ID)
	return affects(n, err, "version", v.Name)
}

const (
	everyVersion = `SELECT ` + versionColumns + `, CASE WHEN v.id = p.live_version_id THEN 1 ELSE 0 END
	FROM versions v JOIN publications p ON p.id = v.publication_id`
	versionQuery = everyVersion + ` WHERE v.publication_id = ?`
)

func (t *transaction) Version(ctx context.Context, publicationID, name string) (service.Version, error) {
	v, found, err := one(ctx, t, scanVersion, versionQuery+` AND v.number = ?`, publicationID, versionNumber(name))
	if err == nil && !found {
		err = service.NotFound("version", name)
	}
	return v, err
}

func (t *transaction) VersionByID(ctx context.Context, workspaceID, id string) (service.Version, error) {
	v, found, err := one(ctx, t, scanVersion, everyVersion+` WHERE p.workspace_id = ? AND v.id = ?`, workspaceID, id)
	if err == nil && !found {
		err = service.NotFound("version", id)
	}
	return v, err
}

func (t *transaction) Versions(ctx context.Context, publicationID string) ([]service.Version, error) {
	return many(ctx, t, scanVersion, versionQuery+` ORDER BY v.number DESC`, publicationID)
}

// PruneVersions counts the kept ones from the one that was live last.
func (t *transaction) PruneVersions(ctx context.Context, publicationID string, keep int) ([]string, error) {
	numbers, err := rowsOf(ctx, t, true, scanNumber, `DELETE FROM versions WHERE id IN (
		SELECT v.id FROM versions v JOIN publications p ON p.id = v.publication_id
		WHERE v.publication_id = ? AND v.id <> COALESCE(p.live_version_id, '')
		AND NOT EXISTS (SELECT 1 FROM reviews r WHERE r.publication_id = v.publication_id AND r.status = 'PENDING' AND r.version = v.number)
		ORDER BY v.live_since DESC, v.number DESC LIMIT ? OFFSET ?) RETURNING number`, publicationID, MaxPage, keep)
	if err != nil {
		return nil, err
	}
	slices.Sort(numbers)
	names := make([]string, len(numbers))
	for i, number := range numbers {
		names[i] = versionName(number)
	}
	return names, nil
}

func scanVersion(r row) (v service.Version, err error) {
	err = r.Scan(append(intoVersion(&v), intoFlag(&v.Live))...)
	v.Name = versionName(v.Number)
	return v, err
}
