#!/usr/bin/env bash
# Copyright The dataservice Authors
# SPDX-License-Identifier: MPL-2.0

# Calls an API as an app: signs the call with the app's key and secret, so that the
# secret itself is never sent. It needs bash, openssl and curl.
#
#   export DATASERVICE_APP_KEY=… DATASERVICE_APP_SECRET=…
#   ./call.sh http://127.0.0.1:8081/currencies used_by=10
#   ./call.sh -s dev -d '{"region": "north"}' http://127.0.0.1:8081/orders
#
#   -X METHOD  GET where absent, POST with -d
#   -s STAGE   name of the environment, RELEASE where absent
#   -d BODY    JSON to send
#
# What follows the URL are parameters, as they are: nothing needs to be escaped. An
# answer other than 2xx is printed too and ends the script with an error.

set -euo pipefail

usage() {
  echo "usage: $0 [-X METHOD] [-s STAGE] [-d BODY] URL [NAME=VALUE]..." >&2
  exit 2
}

method='' stage='' body='' has_body=''
while getopts X:s:d: option; do
  case $option in
    X) method=$OPTARG ;;
    s) stage=$OPTARG ;;
    d) body=$OPTARG has_body=yes ;;
    *) usage ;;
  esac
done
shift $((OPTIND - 1))
(($#)) || usage
url=$1
shift
method=${method:-${has_body:+POST}}
method=${method:-GET}
: "${DATASERVICE_APP_KEY:?is not set: export the key from the credentials of the app}"
: "${DATASERVICE_APP_SECRET:?is not set: export the secret from the credentials of the app}"

# Bytes are what is signed, whatever language the terminal speaks.
export LC_ALL=C

if [[ ! $url =~ ^https?://([^/?#]+)(/[^?#]*)?$ ]]; then
  echo "$0: $url is not a URL without a query: give parameters behind it, as NAME=VALUE" >&2
  exit 2
fi
host=${BASH_REMATCH[1]}
path=${BASH_REMATCH[2]:-/}

# encode escapes all but the unreserved characters of RFC 3986.
encode() {
  local text=$1 i byte
  for ((i = 0; i < ${#text}; i++)); do
    byte=${text:i:1}
    case $byte in
      [A-Za-z0-9._~-]) printf %s "$byte" ;;
      *)
        printf -v byte %d "'$byte"
        printf '%%%02X' $((byte & 255))
        ;;
    esac
  done
}

sha256() { openssl dgst -sha256 -r | cut -d ' ' -f 1; }

# bytes prints what hexadecimal digits stand for.
bytes() { printf %b "$(printf %s "$1" | sed 's/../\\x&/g')"; }

# hmac signs what it reads (RFC 2104). openssl can do that too, but takes the key as an
# argument, which every user of the machine can see.
hmac() {
  local key=$1 inner='' outer='' i byte
  if ((${#key} > 64)); then
    echo "$0: the secret is longer than 64 characters" >&2
    return 1
  fi
  for ((i = 0; i < 64; i++)); do
    byte=0
    ((i >= ${#key})) || printf -v byte %d "'${key:i:1}"
    printf -v inner '%s%02x' "$inner" $(((byte & 255) ^ 0x36))
    printf -v outer '%s%02x' "$outer" $(((byte & 255) ^ 0x5c))
  done
  inner=$({ bytes "$inner" && cat; } | sha256)
  { bytes "$outer" && bytes "$inner"; } | sha256
}

# The parameters in the order of their names, and of one name in that of their values.
query=''
if (($#)); then
  while IFS= read -r -d '' parameter; do
    [[ $parameter == *=* ]] || { echo "$0: $parameter is no NAME=VALUE" >&2; exit 2; }
    query+=${query:+&}$(encode "${parameter%%=*}")=$(encode "${parameter#*=}")
  done < <(printf '%s\0' "$@" | sort -z -t = -k 1,1 -k 2)
fi

date=$(date -u +%Y%m%dT%H%M%SZ)
headers="host:$host"$'\n'"x-sdk-date:$date"$'\n'
signed='host;x-sdk-date'
send=(-H "Host: $host" -H "X-Sdk-Date: $date")
if [[ -n $stage ]]; then
  headers+="x-stage:$stage"$'\n'
  signed+=';x-stage'
  send+=(-H "X-Stage: $stage")
fi
[[ -z $has_body ]] || send+=(-H 'Content-Type: application/json' --data-raw "$body")

request="$method"$'\n'"${path%/}/"$'\n'"$query"$'\n'"$headers"$'\n'"$signed"$'\n'"$(printf %s "$body" | sha256)"
text=$'SDK-HMAC-SHA256\n'"$date"$'\n'"$(printf %s "$request" | sha256)"
signature=$(printf %s "$text" | hmac "$DATASERVICE_APP_SECRET")

exec curl --silent --show-error --fail-with-body -X "$method" "${send[@]}" \
  -H "Authorization: SDK-HMAC-SHA256 Access=$DATASERVICE_APP_KEY, SignedHeaders=$signed, Signature=$signature" \
  "$url${query:+?$query}"
