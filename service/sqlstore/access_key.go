// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var accessKeys = noun[service.AccessKey]{
	kind: "access key", alias: "k",
	query: `SELECT k.id, k.workspace_id, k.member_id, m.name, k.description, k.created_at
		FROM access_keys k JOIN members m ON m.id = k.member_id`,
	scan: func(r row) (k service.AccessKey, err error) {
		return k, r.Scan(&k.ID, &k.WorkspaceID, &k.MemberID, &k.MemberName, &k.Description, intoTime(&k.CreatedAt))
	},
}

// CreateAccessKey takes the first slot that is free.
func (t *transaction) CreateAccessKey(ctx context.Context, k service.AccessKey, secret service.Secret) error {
	used, err := many(ctx, t, scanNumber, `SELECT slot FROM access_keys WHERE member_id = ? ORDER BY slot`, k.MemberID)
	if err != nil {
		return err
	}
	full := service.Errorf(service.CodeConflict, "%s has %d access keys, which is the most: delete one that is not in use any more.", k.MemberName, service.MaxAccessKeys)
	slot := int64(1)
	for _, n := range used {
		if n == slot {
			slot++
		}
	}
	if slot > service.MaxAccessKeys {
		return full
	}
	sealed, err := t.close(ctx, secret, accessKeySecretOf(k.ID))
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, blame{duplicate: full}, `INSERT INTO access_keys (id, workspace_id, member_id, slot, secret_sealed, description, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?)`,
		k.ID, k.WorkspaceID, k.MemberID, slot, sealed, k.Description, stamp(k.CreatedAt))
	return err
}

// accessKeySecretOf is the name that a secret is sealed for.
func accessKeySecretOf(id string) string { return id + "/access_key" }

func (t *transaction) DeleteAccessKey(ctx context.Context, workspaceID, id string) error {
	n, err := t.exec(ctx, blame{}, `DELETE FROM access_keys WHERE workspace_id = ? AND id = ?`, workspaceID, id)
	return affects(n, err, accessKeys.kind, id)
}

func (t *transaction) DeleteAccessKeys(ctx context.Context, workspaceID, memberID string) (int64, error) {
	c := where("workspace_id = ?", workspaceID)
	if memberID != "" {
		c = c.and("member_id = ?", memberID)
	}
	return t.exec(ctx, blame{}, `DELETE FROM access_keys`+c.where(), c.args...)
}

func (t *transaction) AccessKey(ctx context.Context, workspaceID, id string) (service.AccessKey, error) {
	return accessKeys.find(ctx, t, workspaceID, id)
}

func (t *transaction) AccessKeys(ctx context.Context, workspaceID, memberID string, page lifecycle.Page) ([]service.AccessKey, error) {
	c := where("k.workspace_id = ?", workspaceID)
	if memberID != "" {
		c = c.and("k.member_id = ?", memberID)
	}
	return accessKeys.list(ctx, t, c, page)
}

// Signer reads the access key, its member and its workspace at once: it is asked for with
// every signed request.
func (t *transaction) Signer(ctx context.Context, accessKeyID string) (lifecycle.Signer, error) {
	scan := func(r row) (v lifecycle.Signer, err error) {
		var sealed string
		m, w := &v.Member, &v.Workspace
		err = r.Scan(&sealed, &m.ID, &m.WorkspaceID, &m.Name, &m.Role, intoFlag(&m.Reviewer), &m.RowVersion, intoTime(&m.CreatedAt),
			&w.ID, &w.Number, &w.Name, &w.Description, intoTime(&w.CreatedAt), intoTime(&w.UpdatedAt), &w.RowVersion)
		if err != nil {
			return v, err
		}
		v.Secret, err = t.store.keyring().open(sealed, accessKeySecretOf(accessKeyID))
		return v, err
	}
	v, found, err := one(ctx, t, scan, `SELECT k.secret_sealed, m.id, m.workspace_id, m.name, m.role, m.reviewer, m.row_version, m.created_at,
			w.id, w.number, w.name, w.description, w.created_at, w.updated_at, w.row_version
		FROM access_keys k JOIN members m ON m.id = k.member_id JOIN workspaces w ON w.id = k.workspace_id
		WHERE k.id = ? AND m.removed_at IS NULL AND w.removed_at IS NULL`, accessKeyID)
	if err == nil && !found {
		err = service.NotFound(accessKeys.kind, accessKeyID)
	}
	return v, err
}

func (t *transaction) UseNonce(ctx context.Context, accessKeyID, nonce string, until time.Time) (bool, error) {
	n, err := t.exec(ctx, blame{}, `INSERT INTO nonces (access_key_id, nonce, expires_at) VALUES (?, ?, ?) ON CONFLICT (access_key_id, nonce) DO NOTHING`,
		accessKeyID, nonce, stamp(until))
	return n > 0, err
}

func (t *transaction) PurgeNonces(ctx context.Context, before time.Time) error {
	_, err := t.exec(ctx, blame{}, `DELETE FROM nonces WHERE expires_at < ?`, stamp(before))
	return err
}
