-- Copyright The dataservice Authors
-- SPDX-License-Identifier: MPL-2.0

-- Where a change came from, and the chain of each workspace's events. What 00001 says of the
-- dialect holds here. The events that there are already get their place in the chain when the
-- store is opened, and so do the triggers that keep events as they are: see trail.go.

-- +goose Up

ALTER TABLE events ADD COLUMN remote_address TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN number BIGINT NOT NULL DEFAULT 0;
ALTER TABLE events ADD COLUMN previous_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN hash TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX events_by_number ON events (workspace_id, number) WHERE number > 0;
CREATE INDEX events_by_thing ON events (workspace_id, thing_id, sequence);
CREATE INDEX events_by_time ON events (workspace_id, at);
CREATE INDEX events_unchained ON events (sequence) WHERE number = 0;

-- The newest event of each workspace, apart from the events, so that a trail that lost its
-- end shows.
CREATE TABLE trail_heads (
    workspace_id TEXT   NOT NULL PRIMARY KEY REFERENCES workspaces (id),
    number       BIGINT NOT NULL,
    hash         TEXT   NOT NULL
);
