-- Copyright The dataservice Authors
-- SPDX-License-Identifier: MPL-2.0

-- What is announced, to whom, and the messages that tell of it. What 00001 says of the
-- dialect holds here.

-- +goose Up

-- When an announced suspension or unpublishing happens at the latest.
ALTER TABLE publications ADD COLUMN deadline TEXT CHECK (deadline IS NULL OR status IN ('WAITING_STOP', 'WAITING_OFFLINE'));
CREATE INDEX publications_by_deadline ON publications (deadline, id) WHERE deadline IS NOT NULL;

-- publication_id and app_id repeat those of the authorization, which never change.
CREATE TABLE notices (
    id               TEXT NOT NULL PRIMARY KEY,
    workspace_id     TEXT NOT NULL REFERENCES workspaces (id),
    kind             TEXT NOT NULL CHECK (kind IN ('STOP', 'OFFLINE', 'REVOKE')),
    status           TEXT NOT NULL CHECK (status IN ('OPEN', 'CONFIRMED', 'UNLINKED', 'EXECUTED', 'CANCELLED')),
    publication_id   TEXT NOT NULL REFERENCES publications (id) ON DELETE CASCADE,
    authorization_id TEXT NOT NULL REFERENCES authorizations (id) ON DELETE CASCADE,
    app_id           TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    deadline         TEXT NOT NULL,
    remark           TEXT NOT NULL,
    announced_by     TEXT NOT NULL,
    created_at       TEXT NOT NULL,
    confirmed_by     TEXT NOT NULL,
    closed_at        TEXT,
    CHECK ((status = 'OPEN') = (closed_at IS NULL)),
    CHECK ((status = 'CONFIRMED') = (confirmed_by <> ''))
);
-- A revocation and a suspension may be announced to an app at the same time.
CREATE UNIQUE INDEX notices_one_open ON notices (authorization_id, kind) WHERE status = 'OPEN';
CREATE INDEX notices_by_authorization ON notices (authorization_id);
CREATE INDEX notices_open_by_publication ON notices (publication_id) WHERE status = 'OPEN';
CREATE INDEX notices_by_publication ON notices (publication_id, id);
CREATE INDEX notices_by_app ON notices (app_id, id);
CREATE INDEX notices_by_workspace ON notices (workspace_id, id);

-- The notice of a delivery may be gone with its publication: what happened to the app
-- stays told.
CREATE TABLE deliveries (
    id              TEXT   NOT NULL PRIMARY KEY,
    workspace_id    TEXT   NOT NULL REFERENCES workspaces (id),
    app_id          TEXT   NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    notice_id       TEXT   NOT NULL,
    event           TEXT   NOT NULL CHECK (event IN ('notice.created', 'notice.cancelled', 'notice.executed')),
    status          TEXT   NOT NULL CHECK (status IN ('PENDING', 'DELIVERED', 'DEAD')),
    payload         TEXT   NOT NULL, -- JSON
    attempts        BIGINT NOT NULL,
    next_attempt_at TEXT,
    last_error      TEXT   NOT NULL,
    created_at      TEXT   NOT NULL,
    delivered_at    TEXT,
    CHECK ((status = 'PENDING') = (next_attempt_at IS NOT NULL)),
    CHECK ((status = 'DELIVERED') = (delivered_at IS NOT NULL))
);
CREATE INDEX deliveries_due ON deliveries (next_attempt_at) WHERE status = 'PENDING';
CREATE INDEX deliveries_by_app ON deliveries (app_id, id);
CREATE INDEX deliveries_by_time ON deliveries (created_at);
