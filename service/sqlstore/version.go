// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"strconv"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

const versionColumns = `v.id, v.publication_id, v.number, v.revision, v.api_name, v.description, v.connection_id, v.definition, v.remark, v.created_by, v.created_at`

// intoVersion reads versionColumns, each of which an outer join may leave NULL.
func intoVersion(v *service.Version) []any {
	return []any{
		into(&v.ID), into(&v.PublicationID), into(&v.Number), into(&v.Revision), into(&v.APIName), into(&v.Description),
		into(&v.ConnectionID), intoDefinition(&v.Definition), into(&v.Remark), into(&v.CreatedBy), intoTime(&v.CreatedAt),
	}
}

func versionName(number int64) string { return "V" + strconv.FormatInt(number, 10) }

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
		(id, publication_id, number, revision, api_name, description, connection_id, definition, remark, created_by, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		v.ID, v.PublicationID, last+1, v.Revision, v.APIName, v.Description, v.ConnectionID, definition, v.Remark, v.CreatedBy, stamp(v.CreatedAt))
	if err == nil {
		v.Number, v.Name = last+1, versionName(last+1)
	}
	return err
}

func (t *transaction) Versions(ctx context.Context, publicationID string) ([]service.Version, error) {
	return many(ctx, t, scanVersion, `SELECT `+versionColumns+` FROM versions v WHERE v.publication_id = ? ORDER BY v.number DESC`, publicationID)
}

func scanVersion(r row) (v service.Version, err error) {
	err = r.Scan(intoVersion(&v)...)
	v.Name = versionName(v.Number)
	return v, err
}
