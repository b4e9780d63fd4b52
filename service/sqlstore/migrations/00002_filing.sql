-- Copyright The dataservice Authors
-- SPDX-License-Identifier: MPL-2.0

-- Where APIs are filed, and who sees them. What 00001 says of the dialect holds here; and
-- SQLite adds a column that refers to something only where it is NULL in the rows there are.

-- +goose Up

INSERT INTO counters (kind, next) VALUES ('folder', 100001);

CREATE TABLE groups (
    id           TEXT   NOT NULL PRIMARY KEY,
    workspace_id TEXT   NOT NULL REFERENCES workspaces (id),
    name         TEXT   NOT NULL,
    description  TEXT   NOT NULL,
    row_version  BIGINT NOT NULL,
    created_at   TEXT   NOT NULL,
    updated_at   TEXT   NOT NULL,
    UNIQUE (workspace_id, name)
);

-- A folder lies in another one of the same group, or, with no parent, directly in the group.
CREATE TABLE folders (
    id           TEXT   NOT NULL PRIMARY KEY,
    number       BIGINT NOT NULL UNIQUE,
    workspace_id TEXT   NOT NULL REFERENCES workspaces (id),
    group_id     TEXT   NOT NULL REFERENCES groups (id),
    parent_id    TEXT,
    name         TEXT   NOT NULL,
    row_version  BIGINT NOT NULL,
    created_at   TEXT   NOT NULL,
    updated_at   TEXT   NOT NULL,
    UNIQUE (id, group_id),
    FOREIGN KEY (parent_id, group_id) REFERENCES folders (id, group_id),
    CHECK (parent_id <> id)
);
CREATE INDEX folders_by_workspace ON folders (workspace_id, id);
-- NULL equals no NULL: what lies directly in a group needs an index of its own.
CREATE UNIQUE INDEX folders_in_group ON folders (group_id, name) WHERE parent_id IS NULL;
CREATE UNIQUE INDEX folders_in_folder ON folders (parent_id, name) WHERE parent_id IS NOT NULL;

ALTER TABLE apis ADD COLUMN visibility TEXT NOT NULL DEFAULT 'WORKSPACE' CHECK (visibility IN ('WORKSPACE', 'PRIVATE'));
ALTER TABLE apis ADD COLUMN group_id TEXT REFERENCES groups (id);
ALTER TABLE apis ADD COLUMN folder_id TEXT REFERENCES folders (id);
ALTER TABLE apis ADD COLUMN resource_group TEXT NOT NULL DEFAULT '';
CREATE INDEX apis_by_group ON apis (group_id);
CREATE INDEX apis_by_folder ON apis (folder_id);

-- The owner of an API that was private when the event happened to it.
ALTER TABLE events ADD COLUMN private_to TEXT REFERENCES members (id);
