-- Copyright The dataservice Authors
-- SPDX-License-Identifier: MPL-2.0

-- Notices that an app's side confirms at a time to come. What 00001 says of the dialect
-- holds here.

-- +goose Up

-- When an open notice is confirmed by itself, and who said so; NULL and '' where nobody did.
ALTER TABLE notices ADD COLUMN confirm_at TEXT;
ALTER TABLE notices ADD COLUMN scheduled_by TEXT NOT NULL DEFAULT '';
CREATE INDEX notices_by_confirmation ON notices (confirm_at, id) WHERE confirm_at IS NOT NULL AND status = 'OPEN';
