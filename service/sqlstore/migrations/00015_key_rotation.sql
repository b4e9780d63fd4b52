-- Copyright The dataservice Authors
-- SPDX-License-Identifier: MPL-2.0

-- Encryption keys that replace each other while the service runs. What 00001 says of the
-- dialect holds here.

-- +goose Up

-- One row for each key that a secret of the store may be sealed with. What is sealed now is
-- sealed with the one key that is in use. 'first' is the id of the key that the store was
-- made with, and what it sealed names no key; all others are named by the key's own id.
ALTER TABLE key_checks ADD COLUMN state TEXT NOT NULL DEFAULT 'IN_USE' CHECK (state IN ('IN_USE', 'REPLACED'));
CREATE UNIQUE INDEX key_checks_in_use ON key_checks (state) WHERE state = 'IN_USE';

-- The keys that the process has, so that none is put to use that a live one lacks. '' is an
-- older program's.
ALTER TABLE gateways ADD COLUMN key_ids TEXT NOT NULL DEFAULT '';
