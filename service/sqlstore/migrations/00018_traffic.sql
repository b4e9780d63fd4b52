-- Copyright The dataservice Authors
-- SPDX-License-Identifier: MPL-2.0

-- What each gateway tells, once a minute, of the calls that it answered. What 00001 says of
-- the dialect holds here.

-- +goose Up

-- They outlive what they are about by an hour at the most: nothing refers to anything here.
CREATE TABLE traffic_minutes (
    api_id         TEXT   NOT NULL,
    environment_id TEXT   NOT NULL,
    minute         BIGINT NOT NULL, -- since 1970
    gateway_id     TEXT   NOT NULL,
    calls          BIGINT NOT NULL,
    client_errors  BIGINT NOT NULL,
    server_errors  BIGINT NOT NULL,
    durations      TEXT   NOT NULL, -- JSON: how many calls took how long, by step
    PRIMARY KEY (api_id, environment_id, minute, gateway_id)
);
CREATE INDEX traffic_minutes_by_minute ON traffic_minutes (minute);

-- Since when the gateway tells of its calls. NULL is an older program's, or one that has not
-- yet.
ALTER TABLE gateways ADD COLUMN traffic_at TEXT;
