-- Copyright The dataservice Authors
-- SPDX-License-Identifier: MPL-2.0

-- What members sign the requests of cloud vendors' clients with. What 00001 says of the
-- dialect holds here.

-- +goose Up

-- slot keeps a member at two.
CREATE TABLE access_keys (
    id            TEXT   NOT NULL PRIMARY KEY,
    workspace_id  TEXT   NOT NULL REFERENCES workspaces (id),
    member_id     TEXT   NOT NULL REFERENCES members (id),
    slot          BIGINT NOT NULL CHECK (slot IN (1, 2)),
    secret_sealed TEXT   NOT NULL, -- AES-256-GCM, base64
    description   TEXT   NOT NULL,
    created_at    TEXT   NOT NULL,
    UNIQUE (member_id, slot)
);
CREATE INDEX access_keys_by_workspace ON access_keys (workspace_id, id);

-- Nonces of signed requests that may not come again.
CREATE TABLE nonces (
    access_key_id TEXT NOT NULL,
    nonce         TEXT NOT NULL,
    expires_at    TEXT NOT NULL,
    PRIMARY KEY (access_key_id, nonce)
);
CREATE INDEX nonces_by_end ON nonces (expires_at);
