-- Copyright The dataservice Authors
-- SPDX-License-Identifier: MPL-2.0

-- What the last test call of a revision was answered. What 00001 says of the dialect holds
-- here.

-- +goose Up

CREATE TABLE debug_reports (
    api_id        TEXT   NOT NULL REFERENCES apis (id) ON DELETE CASCADE,
    revision      BIGINT NOT NULL,
    report_sealed TEXT   NOT NULL, -- JSON, encrypted: it holds rows of a user's database
    PRIMARY KEY (api_id, revision)
);
