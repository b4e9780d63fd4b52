-- Copyright The dataservice Authors
-- SPDX-License-Identifier: MPL-2.0

-- Since when and by whom a version is live, and what a review says of versions and callers.
-- What 00001 says of the dialect holds here.

-- +goose Up

ALTER TABLE versions ADD COLUMN live_since TEXT NOT NULL DEFAULT '';
ALTER TABLE versions ADD COLUMN live_by TEXT NOT NULL DEFAULT '';
UPDATE versions SET live_since = created_at, live_by = created_by;

-- The number of the version that is to be live again; 0 where a revision is to be a new one.
ALTER TABLE reviews ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE reviews ADD COLUMN breaking_changes TEXT NOT NULL DEFAULT ''; -- JSON
