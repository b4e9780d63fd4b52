-- Copyright The dataservice Authors
-- SPDX-License-Identifier: MPL-2.0

-- Workspaces and members that can go, instances with host names. What 00001 says of the
-- dialect holds here.

-- +goose Up

-- A removed workspace stays for the sake of its audit trail. Its name is given another
-- form then, since SQLite cannot drop the constraint that keeps names unique.
ALTER TABLE workspaces ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE workspaces ADD COLUMN row_version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE workspaces ADD COLUMN created_at TEXT NOT NULL DEFAULT '1970-01-01T00:00:00.000000Z';
ALTER TABLE workspaces ADD COLUMN updated_at TEXT NOT NULL DEFAULT '1970-01-01T00:00:00.000000Z';
ALTER TABLE workspaces ADD COLUMN removed_at TEXT;
UPDATE workspaces SET created_at = COALESCE((SELECT MIN(m.created_at) FROM members m WHERE m.workspace_id = workspaces.id), created_at);
UPDATE workspaces SET updated_at = created_at;

-- A removed member stays for the sake of what it did, and keeps its name: whoever is made
-- a member under that name again is the same member.
ALTER TABLE members ADD COLUMN removed_at TEXT;

ALTER TABLE instances ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE instances ADD COLUMN row_version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE instances ADD COLUMN updated_at TEXT NOT NULL DEFAULT '1970-01-01T00:00:00.000000Z';
UPDATE instances SET updated_at = created_at;

-- position keeps the order in which the names were given: addresses show the first one.
CREATE TABLE instance_hosts (
    host        TEXT   NOT NULL PRIMARY KEY,
    instance_id TEXT   NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
    position    BIGINT NOT NULL,
    UNIQUE (instance_id, position)
);

-- The open applications of a member.
CREATE INDEX reviews_by_applicant ON reviews (applicant_id, status);
