-- Copyright The dataservice Authors
-- SPDX-License-Identifier: MPL-2.0

-- Which publications Terraform keeps. What 00001 says of the dialect holds here.

-- +goose Up

ALTER TABLE publications ADD COLUMN by_terraform SMALLINT NOT NULL DEFAULT 0 CHECK (by_terraform IN (0, 1));
