-- Copyright The dataservice Authors
-- SPDX-License-Identifier: MPL-2.0

-- What else an environment demands. What 00001 says of the dialect holds here.

-- +goose Up

ALTER TABLE environments ADD COLUMN notice_hours BIGINT NOT NULL DEFAULT 48;
ALTER TABLE environments ADD COLUMN breaking_changes TEXT NOT NULL DEFAULT 'warn' CHECK (breaking_changes IN ('warn', 'forbid'));
