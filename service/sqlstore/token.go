// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var tokens = noun[service.Token]{
	kind: "token", alias: "k",
	query: `SELECT k.id, k.workspace_id, k.member_id, m.name, k.description, k.created_at, k.expires_at, k.revoked_at
		FROM tokens k JOIN members m ON m.id = k.member_id`,
	scan: func(r row) (k service.Token, err error) {
		return k, r.Scan(&k.ID, &k.WorkspaceID, &k.MemberID, &k.MemberName, &k.Description,
			intoTime(&k.CreatedAt), intoMaybe(&k.ExpiresAt), intoMaybe(&k.RevokedAt))
	},
}

func (t *transaction) CreateToken(ctx context.Context, k service.Token, hash []byte) error {
	_, err := t.exec(ctx, blame{}, `INSERT INTO tokens (id, workspace_id, member_id, hash, description, created_at, expires_at, revoked_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		k.ID, k.WorkspaceID, k.MemberID, hex.EncodeToString(hash), k.Description, stamp(k.CreatedAt), maybeStamp(k.ExpiresAt), maybeStamp(k.RevokedAt))
	return err
}

func (t *transaction) Token(ctx context.Context, workspaceID, id string) (service.Token, error) {
	return tokens.find(ctx, t, workspaceID, id)
}

func (t *transaction) TokenByHash(ctx context.Context, hash []byte) (service.Token, error) {
	k, found, err := one(ctx, t, tokens.scan, tokens.query+` WHERE k.hash = ?`, hex.EncodeToString(hash))
	if err == nil && !found {
		err = service.Errorf(service.CodeNotFound, "There is no such token here.")
	}
	return k, err
}

func (t *transaction) Tokens(ctx context.Context, workspaceID, memberID string, page lifecycle.Page) ([]service.Token, error) {
	c := where("k.workspace_id = ?", workspaceID)
	if memberID != "" {
		c = c.and("k.member_id = ?", memberID)
	}
	return tokens.list(ctx, t, c, page)
}

// RevokeToken notes when the token ended; one that has ended keeps its time.
func (t *transaction) RevokeToken(ctx context.Context, workspaceID, id string, at time.Time) error {
	n, err := t.exec(ctx, blame{}, `UPDATE tokens SET revoked_at = COALESCE(revoked_at, ?) WHERE workspace_id = ? AND id = ?`,
		stamp(at), workspaceID, id)
	return affects(n, err, tokens.kind, id)
}

func (t *transaction) RevokeTokens(ctx context.Context, workspaceID, memberID string, at time.Time) (int64, error) {
	c := where("workspace_id = ?", workspaceID).and("revoked_at IS NULL").and("(expires_at IS NULL OR expires_at > ?)", stamp(at))
	if memberID != "" {
		c = c.and("member_id = ?", memberID)
	}
	return t.exec(ctx, blame{}, `UPDATE tokens SET revoked_at = ?`+c.where(), append([]any{stamp(at)}, c.args...)...)
}
