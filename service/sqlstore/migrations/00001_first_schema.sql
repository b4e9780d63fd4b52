-- Copyright The dataservice Authors
-- SPDX-License-Identifier: MPL-2.0

-- The one schema of SQLite and PostgreSQL. Both must understand every statement, so:
--   ids, names, enumerations and JSON are TEXT; whole numbers BIGINT; flags SMALLINT 0 or 1;
--   times TEXT such as 2026-01-02T15:04:05.000000Z, in UTC and of fixed width, so that they sort;
--   what is absent is NULL where a reference or a time is absent, else ''.
-- SQLite cannot change a CHECK. Those below therefore hold every value of the design, also
-- the few that the program does not write yet.
-- Migrations only go up: a store is taken back by restoring its backup.

-- +goose Up

-- The sequential numbers of each kind, and of the events.
CREATE TABLE counters (
    kind TEXT   NOT NULL PRIMARY KEY,
    next BIGINT NOT NULL
);
INSERT INTO counters (kind, next) VALUES
    ('workspace', 100001), ('instance', 100001), ('connection', 100001), ('api', 100001), ('event', 1);

-- A known word sealed with the encryption key, so that a wrong key is noticed at the start.
CREATE TABLE key_checks (
    id     TEXT NOT NULL PRIMARY KEY,
    sealed TEXT NOT NULL
);

CREATE TABLE workspaces (
    id     TEXT   NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL UNIQUE,
    name   TEXT   NOT NULL UNIQUE
);

CREATE TABLE members (
    id           TEXT     NOT NULL PRIMARY KEY,
    workspace_id TEXT     NOT NULL REFERENCES workspaces (id),
    name         TEXT     NOT NULL,
    role         TEXT     NOT NULL CHECK (role IN ('ADMIN', 'DEVELOPER', 'OPERATOR', 'VISITOR')),
    reviewer     SMALLINT NOT NULL CHECK (reviewer IN (0, 1)),
    created_at   TEXT     NOT NULL,
    UNIQUE (workspace_id, name),
    CHECK (reviewer = 0 OR role IN ('ADMIN', 'DEVELOPER'))
);

CREATE TABLE tokens (
    id           TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL REFERENCES workspaces (id),
    member_id    TEXT NOT NULL REFERENCES members (id),
    hash         TEXT NOT NULL UNIQUE, -- SHA-256 of the secret, in hex
    description  TEXT NOT NULL,
    created_at   TEXT NOT NULL,
    expires_at   TEXT,
    revoked_at   TEXT
);
CREATE INDEX tokens_by_workspace ON tokens (workspace_id, id);

CREATE TABLE instances (
    id           TEXT   NOT NULL PRIMARY KEY,
    number       BIGINT NOT NULL UNIQUE,
    workspace_id TEXT   NOT NULL REFERENCES workspaces (id),
    name         TEXT   NOT NULL,
    created_at   TEXT   NOT NULL,
    UNIQUE (workspace_id, name)
);

CREATE TABLE environments (
    id              TEXT     NOT NULL PRIMARY KEY,
    workspace_id    TEXT     NOT NULL REFERENCES workspaces (id),
    instance_id     TEXT     NOT NULL REFERENCES instances (id),
    name            TEXT     NOT NULL,
    description     TEXT     NOT NULL,
    review_required SMALLINT NOT NULL CHECK (review_required IN (0, 1)),
    four_eyes       SMALLINT NOT NULL CHECK (four_eyes IN (0, 1)),
    created_at      TEXT     NOT NULL,
    updated_at      TEXT     NOT NULL,
    UNIQUE (instance_id, name)
);
CREATE INDEX environments_by_workspace ON environments (workspace_id, id);

CREATE TABLE connections (
    id              TEXT     NOT NULL PRIMARY KEY,
    number          BIGINT   NOT NULL UNIQUE,
    workspace_id    TEXT     NOT NULL REFERENCES workspaces (id),
    name            TEXT     NOT NULL,
    description     TEXT     NOT NULL,
    engine          TEXT     NOT NULL CHECK (engine IN ('SQLITE', 'POSTGRESQL', 'MYSQL', 'MARIADB')),
    file            TEXT     NOT NULL,
    host            TEXT     NOT NULL,
    port            BIGINT   NOT NULL,
    database        TEXT     NOT NULL,
    username        TEXT     NOT NULL,
    ssl_mode        TEXT     NOT NULL,
    allow_superuser SMALLINT NOT NULL CHECK (allow_superuser IN (0, 1)),
    password_sealed TEXT     NOT NULL, -- AES-256-GCM, base64; '' without a password
    secret_version  BIGINT   NOT NULL,
    row_version     BIGINT   NOT NULL,
    created_at      TEXT     NOT NULL,
    updated_at      TEXT     NOT NULL,
    UNIQUE (workspace_id, name)
);

-- Definition and debug status of an API are those of its current revision.
CREATE TABLE apis (
    id            TEXT   NOT NULL PRIMARY KEY,
    number        BIGINT NOT NULL UNIQUE,
    workspace_id  TEXT   NOT NULL REFERENCES workspaces (id),
    name          TEXT   NOT NULL,
    description   TEXT   NOT NULL,
    connection_id TEXT   REFERENCES connections (id), -- the current definition's
    revision      BIGINT NOT NULL,
    owner_id      TEXT   NOT NULL REFERENCES members (id),
    row_version   BIGINT NOT NULL,
    created_at    TEXT   NOT NULL,
    updated_at    TEXT   NOT NULL,
    UNIQUE (workspace_id, name)
);
CREATE INDEX apis_by_connection ON apis (connection_id);

CREATE TABLE revisions (
    api_id        TEXT   NOT NULL REFERENCES apis (id) ON DELETE CASCADE,
    number        BIGINT NOT NULL,
    definition    TEXT   NOT NULL, -- JSON
    debug_status  TEXT   NOT NULL CHECK (debug_status IN ('WAITING', 'FAILED', 'SUCCESS')),
    debug_message TEXT   NOT NULL,
    created_at    TEXT   NOT NULL,
    PRIMARY KEY (api_id, number)
);

-- live_connection_id repeats the live version's connection, so that the database itself
-- keeps a connection from being deleted while a live version reads from it.
CREATE TABLE publications (
    id                  TEXT   NOT NULL PRIMARY KEY,
    workspace_id        TEXT   NOT NULL REFERENCES workspaces (id),
    api_id              TEXT   NOT NULL REFERENCES apis (id) ON DELETE CASCADE,
    environment_id      TEXT   NOT NULL REFERENCES environments (id),
    status              TEXT   NOT NULL CHECK (status IN (
        'CREATED', 'PUBLISH_WAIT_REVIEW', 'PUBLISH_REJECT', 'PUBLISHED', 'WAITING_STOP',
        'STOPPED', 'RECOVER_WAIT_REVIEW', 'WAITING_OFFLINE', 'OFFLINE')),
    resume              TEXT   NOT NULL CHECK (resume IN (
        '', 'CREATED', 'PUBLISH_WAIT_REVIEW', 'PUBLISH_REJECT', 'PUBLISHED', 'WAITING_STOP',
        'STOPPED', 'RECOVER_WAIT_REVIEW', 'WAITING_OFFLINE', 'OFFLINE')),
    live_version_id     TEXT,
    live_connection_id  TEXT   REFERENCES connections (id),
    rejection_review_id TEXT,
    row_version         BIGINT NOT NULL,
    created_at          TEXT   NOT NULL,
    updated_at          TEXT   NOT NULL,
    UNIQUE (api_id, environment_id),
    CHECK (status NOT IN ('PUBLISHED', 'WAITING_STOP', 'WAITING_OFFLINE') OR live_version_id IS NOT NULL),
    CHECK (status <> 'OFFLINE' OR live_version_id IS NULL)
);
CREATE INDEX publications_by_workspace ON publications (workspace_id, id);
CREATE INDEX publications_by_environment ON publications (environment_id);
CREATE INDEX publications_by_live_connection ON publications (live_connection_id);
CREATE INDEX publications_by_status ON publications (status, id);

CREATE TABLE versions (
    id             TEXT   NOT NULL PRIMARY KEY,
    publication_id TEXT   NOT NULL REFERENCES publications (id) ON DELETE CASCADE,
    number         BIGINT NOT NULL,
    revision       BIGINT NOT NULL,
    api_name       TEXT   NOT NULL, -- as it was then
    description    TEXT   NOT NULL,
    connection_id  TEXT   NOT NULL,
    definition     TEXT   NOT NULL, -- JSON
    remark         TEXT   NOT NULL,
    created_by     TEXT   NOT NULL,
    created_at     TEXT   NOT NULL,
    UNIQUE (publication_id, number)
);

-- held_connection_id repeats connection_id while the application is open, and keeps the
-- connection from being deleted for so long.
CREATE TABLE reviews (
    id                 TEXT   NOT NULL PRIMARY KEY,
    workspace_id       TEXT   NOT NULL REFERENCES workspaces (id),
    publication_id     TEXT   NOT NULL REFERENCES publications (id) ON DELETE CASCADE,
    api_name           TEXT   NOT NULL, -- as it was applied for
    description        TEXT   NOT NULL,
    kind               TEXT   NOT NULL CHECK (kind IN ('PUBLISH', 'RESTORE', 'AUTHORIZE')),
    status             TEXT   NOT NULL CHECK (status IN ('PENDING', 'APPROVED', 'REJECTED', 'CANCELLED', 'SUPERSEDED')),
    revision           BIGINT NOT NULL,
    connection_id      TEXT   NOT NULL,
    held_connection_id TEXT   REFERENCES connections (id),
    definition         TEXT   NOT NULL, -- JSON
    digest             TEXT   NOT NULL,
    remark             TEXT   NOT NULL,
    applicant_id       TEXT   NOT NULL REFERENCES members (id),
    decider_id         TEXT   REFERENCES members (id),
    comment            TEXT   NOT NULL,
    created_at         TEXT   NOT NULL,
    decided_at         TEXT,
    CHECK (status = 'PENDING' OR held_connection_id IS NULL)
);
CREATE UNIQUE INDEX reviews_one_pending ON reviews (publication_id) WHERE status = 'PENDING';
CREATE INDEX reviews_by_publication ON reviews (publication_id, id);
CREATE INDEX reviews_by_workspace ON reviews (workspace_id, id);
CREATE INDEX reviews_by_held_connection ON reviews (held_connection_id);

-- No ON DELETE CASCADE here: a publication that still occupies a path cannot be deleted,
-- not by way of its API either.
CREATE TABLE path_claims (
    environment_id TEXT NOT NULL REFERENCES environments (id),
    method         TEXT NOT NULL,
    path           TEXT NOT NULL,
    publication_id TEXT NOT NULL REFERENCES publications (id),
    PRIMARY KEY (environment_id, method, path)
);
CREATE INDEX path_claims_by_publication ON path_claims (publication_id);

CREATE TABLE events (
    sequence     BIGINT NOT NULL PRIMARY KEY,
    workspace_id TEXT   NOT NULL REFERENCES workspaces (id),
    at           TEXT   NOT NULL,
    actor_id     TEXT   NOT NULL,
    actor_name   TEXT   NOT NULL,
    action       TEXT   NOT NULL,
    thing_id     TEXT   NOT NULL,
    thing_name   TEXT   NOT NULL,
    request_id   TEXT   NOT NULL,
    detail       TEXT   -- JSON
);
CREATE INDEX events_by_workspace ON events (workspace_id, sequence);

CREATE TABLE idempotency_records (
    member_id    TEXT NOT NULL,
    key          TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    thing_id     TEXT NOT NULL,
    answer       TEXT NOT NULL, -- JSON
    created_at   TEXT NOT NULL,
    PRIMARY KEY (member_id, key)
);
CREATE INDEX idempotency_records_by_thing ON idempotency_records (thing_id);
CREATE INDEX idempotency_records_by_time ON idempotency_records (created_at);
