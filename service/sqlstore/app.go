// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

var apps = noun[service.App]{
	kind: "app", alias: "q", numbered: true, named: true,
	query: `SELECT q.id, q.number, q.workspace_id, q.name, q.description, q.type, q.webhook_url, q.owner_id, m.name, q.key, q.row_version, q.created_at, q.updated_at
		FROM apps q JOIN members m ON m.id = q.owner_id`,
	scan: func(r row) (a service.App, err error) {
		return a, r.Scan(&a.ID, &a.Number, &a.WorkspaceID, &a.Name, &a.Description, &a.Type, &a.WebhookURL, &a.OwnerID, &a.OwnerName, into(&a.Key),
			&a.RowVersion, intoTime(&a.CreatedAt), intoTime(&a.UpdatedAt))
	},
}

// appTaken says that an app's name is not free. Whether its owner has an IAM app already
// is seen by the use case before, and by this index where two ask at once.
func appTaken(a service.App) blame {
	if a.Type == service.AppTypeIAM {
		return blame{duplicate: service.Errorf(service.CodeAlreadyExists,
			"There is an app named %q already, or %s has an IAM app already.", a.Name, a.OwnerName)}
	}
	return taken(apps.kind, a.Name)
}

func (t *transaction) CreateApp(ctx context.Context, a *service.App, webhookSecret service.Secret) error {
	number, err := t.number(ctx, apps.kind)
	if err != nil {
		return err
	}
	sealed, err := t.close(ctx, webhookSecret, webhookSecretOf(a.ID))
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, appTaken(*a), `INSERT INTO apps
		(id, number, workspace_id, name, description, type, webhook_url, webhook_secret_sealed, owner_id, key, row_version, created_at, updated_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		a.ID, number, a.WorkspaceID, a.Name, a.Description, string(a.Type), a.WebhookURL, sealed,
		a.OwnerID, orNull(a.Key), a.RowVersion, stamp(a.CreatedAt), stamp(a.UpdatedAt))
	if err == nil {
		a.Number = number
	}
	return err
}

// UpdateApp sets name, description, webhook and owner.
func (t *transaction) UpdateApp(ctx context.Context, a *service.App) error {
	n, err := t.exec(ctx, appTaken(*a), `UPDATE apps SET
		name = ?, description = ?, webhook_url = ?, owner_id = ?, updated_at = ?, row_version = row_version + 1
		WHERE workspace_id = ? AND id = ? AND row_version = ?`,
		a.Name, a.Description, a.WebhookURL, a.OwnerID, stamp(a.UpdatedAt), a.WorkspaceID, a.ID, a.RowVersion)
	if err := t.guarded(ctx, n, err, "apps", apps.kind, a.WorkspaceID, a.ID, fmt.Sprintf("The app %q", a.Name)); err != nil {
		return err
	}
	a.RowVersion++
	return nil
}

// DeleteApp removes the app with its keys, authorizations and applications.
func (t *transaction) DeleteApp(ctx context.Context, workspaceID, id string) error {
	n, err := t.exec(ctx, blame{}, `DELETE FROM apps WHERE workspace_id = ? AND id = ?`, workspaceID, id)
	return affects(n, err, apps.kind, id)
}

func (t *transaction) App(ctx context.Context, workspaceID, ref string) (service.App, error) {
	return apps.find(ctx, t, workspaceID, ref)
}

func (t *transaction) Apps(ctx context.Context, workspaceID string, f lifecycle.AppFilter, page lifecycle.Page) ([]service.App, error) {
	c := where("q.workspace_id = ?", workspaceID)
	if f.OwnerID != "" {
		c = c.and("q.owner_id = ?", f.OwnerID)
	}
	if f.Type != "" {
		c = c.and("q.type = ?", string(f.Type))
	}
	return apps.list(ctx, t, c, page)
}

// The names that an app's secrets are sealed for: none opens in another's place.
func webhookSecretOf(appID string) string { return appID + "/webhook" }

func secretOf(appID string, generation int64) string {
	return appID + "/secret/" + strconv.FormatInt(generation, 10)
}

func appCodeOf(appID string, generation int64) string {
	return appID + "/app_code/" + strconv.FormatInt(generation, 10)
}

func (t *transaction) WebhookSecret(ctx context.Context, appID string) (service.Secret, error) {
	sealed, found, err := one(ctx, t, scanText, `SELECT webhook_secret_sealed FROM apps WHERE id = ?`, appID)
	if err != nil {
		return "", err
	}
	if !found {
		return "", service.NotFound(apps.kind, appID)
	}
	secret, err := t.store.keyring().open(sealed, webhookSecretOf(appID))
	if err != nil {
		return "", t.fail(err, blame{})
	}
	return secret, nil
}

func (t *transaction) PutKeyGenerations(ctx context.Context, appID string, generations []lifecycle.KeyGeneration) error {
	if _, err := t.exec(ctx, blame{}, `DELETE FROM key_generations WHERE app_id = ?`, appID); err != nil {
		return err
	}
	for _, g := range generations {
		secret, err := t.close(ctx, g.Secret, secretOf(appID, g.Generation))
		if err != nil {
			return err
		}
		code, err := t.close(ctx, g.AppCode, appCodeOf(appID, g.Generation))
		if err != nil {
			return err
		}
		_, err = t.exec(ctx, blame{}, `INSERT INTO key_generations (app_id, generation, secret_sealed, app_code_sealed, created_at, valid_until)
			VALUES (?, ?, ?, ?, ?, ?)`,
			appID, g.Generation, secret, code, stamp(g.CreatedAt), maybeStamp(g.ValidUntil))
		if err != nil {
			return err
		}
	}
	return nil
}

// keyRow is one generation of an app's key, with the app.
type keyRow struct {
	key        lifecycle.AppKey
	generation lifecycle.KeyGeneration
}

// appKeys reads the apps of a subquery k, newest generation first.
func (t *transaction) appKeys(ctx context.Context, some string, args ...any) ([]lifecycle.AppKey, error) {
	scan := func(r row) (v keyRow, err error) {
		var secret, code string
		err = r.Scan(&v.key.AppID, &v.key.AppName, &v.key.WorkspaceID, &v.key.OwnerID, &v.key.Key,
			&v.generation.Generation, &secret, &code, intoTime(&v.generation.CreatedAt), intoMaybe(&v.generation.ValidUntil))
		if err != nil {
			return v, err
		}
		if v.generation.Secret, err = t.store.keyring().open(secret, secretOf(v.key.AppID, v.generation.Generation)); err != nil {
			return v, err
		}
		v.generation.AppCode, err = t.store.keyring().open(code, appCodeOf(v.key.AppID, v.generation.Generation))
		return v, err
	}
	rows, err := many(ctx, t, scan, `SELECT k.id, k.name, k.workspace_id, k.owner_id, k.key, g.generation, g.secret_sealed, g.app_code_sealed, g.created_at, g.valid_until
		FROM (`+some+`) k JOIN key_generations g ON g.app_id = k.id ORDER BY k.id, g.generation DESC`, args...)
	if err != nil {
		return nil, err
	}
	keys := []lifecycle.AppKey{}
	for _, r := range rows {
		if len(keys) == 0 || keys[len(keys)-1].AppID != r.key.AppID {
			keys = append(keys, r.key)
		}
		last := &keys[len(keys)-1]
		last.Generations = append(last.Generations, r.generation)
	}
	return keys, nil
}

func (t *transaction) AppKeys(ctx context.Context, page lifecycle.Page) ([]lifecycle.AppKey, error) {
	return t.appKeys(ctx, `SELECT * FROM apps WHERE type = 'APP' AND id > ? ORDER BY id LIMIT ?`, page.After, pageLimit(page.Limit))
}

func (t *transaction) AppKey(ctx context.Context, appID string) (lifecycle.AppKey, error) {
	keys, err := t.appKeys(ctx, `SELECT * FROM apps WHERE type = 'APP' AND id = ?`, appID)
	if err != nil {
		return lifecycle.AppKey{}, err
	}
	if len(keys) == 0 {
		return lifecycle.AppKey{}, service.NotFound("app with a key", appID)
	}
	return keys[0], nil
}

func (t *transaction) IAMTokens(ctx context.Context, memberID string, since time.Time) ([]lifecycle.IAMToken, error) {
	c := where("q.type = 'IAM'").and("(k.expires_at > ? OR k.expires_at IS NULL AND (k.revoked_at IS NULL OR k.revoked_at > ?))", stamp(since), stamp(since))
	if memberID != "" {
		c = c.and("k.member_id = ?", memberID)
	}
	return many(ctx, t, scanIAMToken, `SELECT k.hash, k.member_id, q.id, q.name, q.workspace_id, k.expires_at, k.revoked_at
		FROM apps q JOIN tokens k ON k.member_id = q.owner_id`+c.where()+` ORDER BY k.id`, c.args...)
}

func scanIAMToken(r row) (v lifecycle.IAMToken, err error) {
	var hash string
	if err := r.Scan(&hash, &v.MemberID, &v.AppID, &v.AppName, &v.WorkspaceID, intoMaybe(&v.ExpiresAt), intoMaybe(&v.RevokedAt)); err != nil {
		return v, err
	}
	sum, err := hex.DecodeString(hash)
	if err != nil || len(sum) != len(v.Hash) {
		return v, fmt.Errorf("the stored hash of a token of member %s is damaged", v.MemberID)
	}
	v.Hash = [32]byte(sum)
	return v, nil
}
