-- Copyright The dataservice Authors
-- SPDX-License-Identifier: MPL-2.0

-- Members and environments count their changes, as all else that is updated: an update names
-- the version that it read. What 00001 says of the dialect holds here.

-- +goose Up

ALTER TABLE members ADD COLUMN row_version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE environments ADD COLUMN row_version BIGINT NOT NULL DEFAULT 1;
