// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package sqlstore

import (
	"context"
	"fmt"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
)

// connections reads connections and opens their sealed passwords.
func (t *transaction) connections() noun[service.Connection] {
	return noun[service.Connection]{
		kind: "connection", alias: "c", numbered: true, named: true,
		query: `SELECT c.id, c.number, c.workspace_id, c.name, c.description, c.engine, c.file, c.host, c.port, c.database,
			c.username, c.ssl_mode, c.allow_superuser, c.password_sealed, c.secret_version, c.row_version, c.created_at, c.updated_at
			FROM connections c`,
		scan: func(r row) (c service.Connection, err error) {
			var sealed string
			err = r.Scan(&c.ID, &c.Number, &c.WorkspaceID, &c.Name, &c.Description, &c.Engine, &c.File, &c.Host, &c.Port, &c.Database,
				&c.Username, &c.SSLMode, intoFlag(&c.AllowSuperuser), &sealed, &c.SecretVersion, &c.RowVersion,
				intoTime(&c.CreatedAt), intoTime(&c.UpdatedAt))
			if err != nil {
				return c, err
			}
			c.Password, err = t.store.keyring().open(sealed, c.ID)
			return c, err
		},
	}
}

func (t *transaction) CreateConnection(ctx context.Context, c *service.Connection) error {
	number, err := t.number(ctx, "connection")
	if err != nil {
		return err
	}
	sealed, err := t.close(ctx, c.Password, c.ID)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, taken("connection", c.Name), `INSERT INTO connections
		(id, number, workspace_id, name, description, engine, file, host, port, database, username, ssl_mode, allow_superuser,
		password_sealed, secret_version, row_version, created_at, updated_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		c.ID, number, c.WorkspaceID, c.Name, c.Description, string(c.Engine), c.File, c.Host, int64(c.Port), c.Database,
		c.Username, string(c.SSLMode), flag(c.AllowSuperuser), sealed, c.SecretVersion, c.RowVersion,
		stamp(c.CreatedAt), stamp(c.UpdatedAt))
	if err == nil {
		c.Number = number
	}
	return err
}

func (t *transaction) UpdateConnection(ctx context.Context, c *service.Connection) error {
	sealed, err := t.close(ctx, c.Password, c.ID)
	if err != nil {
		return err
	}
	n, err := t.exec(ctx, taken("connection", c.Name), `UPDATE connections SET
		name = ?, description = ?, engine = ?, file = ?, host = ?, port = ?, database = ?, username = ?, ssl_mode = ?, allow_superuser = ?,
		password_sealed = ?, secret_version = ?, updated_at = ?, row_version = row_version + 1
		WHERE workspace_id = ? AND id = ? AND row_version = ?`,
		c.Name, c.Description, string(c.Engine), c.File, c.Host, int64(c.Port), c.Database, c.Username, string(c.SSLMode), flag(c.AllowSuperuser),
		sealed, c.SecretVersion, stamp(c.UpdatedAt),
		c.WorkspaceID, c.ID, c.RowVersion)
	if err := t.guarded(ctx, n, err, "connections", "connection", c.WorkspaceID, c.ID, fmt.Sprintf("The connection %q", c.Name)); err != nil {
		return err
	}
	c.RowVersion++
	return nil
}

func (t *transaction) DeleteConnection(ctx context.Context, workspaceID, id string) error {
	held := blame{reference: service.Errorf(service.CodeInUse,
		"The connection %s is still used: an API, a live version or an open application reads from it.", id)}
	n, err := t.exec(ctx, held, `DELETE FROM connections WHERE workspace_id = ? AND id = ?`, workspaceID, id)
	return affects(n, err, "connection", id)
}

func (t *transaction) Connection(ctx context.Context, workspaceID, ref string) (service.Connection, error) {
	return t.connections().find(ctx, t, workspaceID, ref)
}

func (t *transaction) Connections(ctx context.Context, workspaceID string, page lifecycle.Page) ([]service.Connection, error) {
	return t.connections().list(ctx, t, where("c.workspace_id = ?", workspaceID), page)
}
