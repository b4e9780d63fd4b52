-- Copyright The dataservice Authors
-- SPDX-License-Identifier: MPL-2.0

-- The limit of all APIs of an environment together; 0 requests where there is none.

-- +goose Up

ALTER TABLE environments ADD COLUMN rate_requests BIGINT NOT NULL DEFAULT 0;
ALTER TABLE environments ADD COLUMN rate_period_seconds BIGINT NOT NULL DEFAULT 0;
