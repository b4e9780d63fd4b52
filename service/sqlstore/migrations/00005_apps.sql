-- Copyright The dataservice Authors
-- SPDX-License-Identifier: MPL-2.0

-- Apps and their right to call. What 00001 and 00002 say of the dialect holds here.

-- +goose Up

CREATE TABLE apps (
    id                    TEXT   NOT NULL PRIMARY KEY,
    workspace_id          TEXT   NOT NULL REFERENCES workspaces (id),
    name                  TEXT   NOT NULL,
    description           TEXT   NOT NULL,
    type                  TEXT   NOT NULL CHECK (type IN ('APP', 'IAM')),
    webhook_url           TEXT   NOT NULL,
    webhook_secret_sealed TEXT   NOT NULL, -- AES-256-GCM, base64
    owner_id              TEXT   NOT NULL REFERENCES members (id),
    key                   TEXT   UNIQUE, -- NULL for IAM
    row_version           BIGINT NOT NULL,
    created_at            TEXT   NOT NULL,
    updated_at            TEXT   NOT NULL,
    UNIQUE (workspace_id, name),
    CHECK ((type = 'APP') = (key IS NOT NULL))
);
CREATE INDEX apps_by_workspace ON apps (workspace_id, id);
CREATE INDEX apps_by_owner ON apps (owner_id);
CREATE UNIQUE INDEX apps_one_iam_of_owner ON apps (owner_id) WHERE type = 'IAM';

-- What an app signs with: the present generation, whose valid_until is NULL, and the one
-- before it while that is valid.
CREATE TABLE key_generations (
    app_id          TEXT   NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    generation      BIGINT NOT NULL,
    secret_sealed   TEXT   NOT NULL,
    app_code_sealed TEXT   NOT NULL,
    created_at      TEXT   NOT NULL,
    valid_until     TEXT,
    PRIMARY KEY (app_id, generation)
);
CREATE UNIQUE INDEX key_generations_one_present ON key_generations (app_id) WHERE valid_until IS NULL;

-- ends_at repeats the earlier of until_at and revoke_at while the right holds, so that what
-- is due is found by an index.
CREATE TABLE authorizations (
    id                  TEXT   NOT NULL PRIMARY KEY,
    workspace_id        TEXT   NOT NULL REFERENCES workspaces (id),
    publication_id      TEXT   NOT NULL REFERENCES publications (id) ON DELETE CASCADE,
    app_id              TEXT   NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    status              TEXT   NOT NULL CHECK (status IN (
        'WAIT_REVIEW', 'REJECTED', 'ACTIVE', 'WAITING_REVOKE', 'REVOKED', 'UNLINKED', 'EXPIRED', 'CANCELLED')),
    until_at            TEXT,
    revoke_at           TEXT,
    ends_at             TEXT,
    granted_by          TEXT   NOT NULL,
    rejection_review_id TEXT,
    row_version         BIGINT NOT NULL,
    created_at          TEXT   NOT NULL,
    updated_at          TEXT   NOT NULL,
    UNIQUE (publication_id, app_id),
    CHECK ((status = 'WAITING_REVOKE') = (revoke_at IS NOT NULL)),
    CHECK (status IN ('ACTIVE', 'WAITING_REVOKE') OR ends_at IS NULL)
);
CREATE INDEX authorizations_by_workspace ON authorizations (workspace_id, id);
CREATE INDEX authorizations_by_app ON authorizations (app_id);
CREATE INDEX authorizations_by_end ON authorizations (ends_at, id) WHERE ends_at IS NOT NULL;

-- An application to be authorized stands beside those to publish and to restore.
ALTER TABLE reviews ADD COLUMN authorization_id TEXT REFERENCES authorizations (id) ON DELETE CASCADE;
ALTER TABLE reviews ADD COLUMN until_at TEXT;
CREATE INDEX reviews_by_authorization ON reviews (authorization_id);
DROP INDEX reviews_one_pending;
CREATE UNIQUE INDEX reviews_one_pending ON reviews (publication_id) WHERE status = 'PENDING' AND kind <> 'AUTHORIZE';
CREATE UNIQUE INDEX reviews_one_pending_of_authorization ON reviews (authorization_id) WHERE status = 'PENDING';
