-- Copyright The dataservice Authors
-- SPDX-License-Identifier: MPL-2.0

-- What the vendors' formats need: numbers of apps, who changed an API last and who made a
-- group, and test calls that are answered later. What 00001 and 00002 say of the dialect
-- holds here.

-- +goose Up

-- Those that there are get theirs in the order of their making.
ALTER TABLE apps ADD COLUMN number BIGINT;
UPDATE apps SET number = numbered.number
    FROM (SELECT id, 100000 + row_number() OVER (ORDER BY created_at, id) AS number FROM apps) AS numbered
    WHERE numbered.id = apps.id;
CREATE UNIQUE INDEX apps_by_number ON apps (number);
INSERT INTO counters (kind, next) SELECT 'app', 100001 + count(*) FROM apps;

-- The audit trail knows who it was.
ALTER TABLE apis ADD COLUMN updated_by TEXT NOT NULL DEFAULT '';
UPDATE apis SET updated_by = coalesce((SELECT e.actor_name FROM events e
    WHERE e.workspace_id = apis.workspace_id AND e.thing_id = apis.id AND e.action IN ('api.create', 'api.update') ORDER BY e.sequence DESC LIMIT 1), '');
ALTER TABLE groups ADD COLUMN created_by TEXT NOT NULL DEFAULT '';
UPDATE groups SET created_by = coalesce((SELECT e.actor_name FROM events e
    WHERE e.workspace_id = groups.workspace_id AND e.thing_id = groups.id AND e.action = 'group.create' ORDER BY e.sequence LIMIT 1), '');

CREATE TABLE debug_runs (
    id           TEXT   NOT NULL PRIMARY KEY,
    number       BIGINT NOT NULL UNIQUE,
    workspace_id TEXT   NOT NULL REFERENCES workspaces (id),
    api_id       TEXT   NOT NULL REFERENCES apis (id) ON DELETE CASCADE,
    revision     BIGINT NOT NULL,
    started_by   TEXT   NOT NULL,
    status       TEXT   NOT NULL CHECK (status IN ('RUNNING', 'FINISHED')),
    input        TEXT   NOT NULL, -- JSON
    result       TEXT   NOT NULL, -- JSON; '' where there is none
    failure      TEXT   NOT NULL,
    created_at   TEXT   NOT NULL,
    finished_at  TEXT,
    CHECK ((status = 'FINISHED') = (finished_at IS NOT NULL))
);
CREATE INDEX debug_runs_by_api ON debug_runs (api_id, id);
CREATE INDEX debug_runs_by_time ON debug_runs (created_at);
INSERT INTO counters (kind, next) VALUES ('debug_run', 100001);
