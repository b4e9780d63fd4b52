#!/usr/bin/env bash
# Copyright The dataservice Authors
# SPDX-License-Identifier: MPL-2.0

# Types the commands of the guide "The first hour", one after the other, in this clone and
# with a home of its own, and fails where one of them does. What runs in the background ends with it.

set -euo pipefail
cd "$(dirname "$0")/.."

home=$(mktemp -d)
finish() {
  status=$?
  jobs -p | xargs --no-run-if-empty kill 2>/dev/null || true
  if ((status)); then
    tail -n 20 "$home"/dataservice-hour/*.log 2>/dev/null || true
    printf '\nThe guide does not work as it stands: see above.\n' >&2
  fi
  for database in dataservice_hour shop_hour; do
    PGOPTIONS="-c client_min_messages=warning" psql -q -h 127.0.0.1 -U postgres -c "DROP DATABASE IF EXISTS $database WITH (FORCE)" || true
  done
  PGOPTIONS="-c client_min_messages=warning" psql -q -h 127.0.0.1 -U postgres -c 'DROP ROLE IF EXISTS hour_reader' || true
  rm -rf "$home"
  exit "$status"
}
trap finish EXIT

# The reader has cloned already, and may be root, who needs no sudo.
awk '/^```/ { inside = ($0 == "```shell"); next } inside' docs/guides/first-hour.md |
  grep -v -e '^git clone' -e '^cd terraform-provider-dataservice$' >"$home/commands"
if ((EUID == 0)); then
  sudo() { "$@"; }
fi

unset "${!DATASERVICE_@}" "${!TF_@}" "${!OTEL_@}"
gocache=$(go env GOCACHE GOMODCACHE GOPATH)
{ read -r GOCACHE && read -r GOMODCACHE && read -r GOPATH; } <<<"$gocache"
export HOME=$home GOCACHE GOMODCACHE GOPATH CHECKPOINT_DISABLE=1 TF_CLI_ARGS=-no-color
began=$SECONDS
set -v
# shellcheck source=/dev/null
source "$home/commands"
set +v
printf '\nThe hour took %d s, without reading.\n' $((SECONDS - began))
