-- Copyright The dataservice Authors
-- SPDX-License-Identifier: MPL-2.0

-- What changed of all that gateways serve by, in the order of the commits, and which gateways
-- there are. What 00001 says of the dialect holds here.

-- +goose Up

INSERT INTO counters (kind, next) VALUES ('route_change', 1);

-- Old rows are removed, but never the newest one.
CREATE TABLE route_changes (
    revision BIGINT NOT NULL PRIMARY KEY,
    kind     TEXT   NOT NULL,
    id       TEXT   NOT NULL,
    at       TEXT   NOT NULL
);

-- seen_at is by the clock of the database. A gateway outlives its instance: there is no
-- reference to it.
CREATE TABLE gateways (
    id          TEXT   NOT NULL PRIMARY KEY,
    instance_id TEXT,            -- NULL where it serves all
    name        TEXT   NOT NULL, -- of its machine
    addresses   TEXT   NOT NULL, -- JSON
    version     TEXT   NOT NULL,
    revision    BIGINT NOT NULL,
    started_at  TEXT   NOT NULL,
    seen_at     TEXT   NOT NULL
);
