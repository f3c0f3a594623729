#!/usr/bin/env bash
# The private network that the live tests share: TESTNET_FILE gets its directory.
set -euo pipefail
directory=$(mktemp -d "${TMPDIR:-/tmp}/bentoctl-testnet-XXXXXX")
"$1" testnet up --dir "$directory"
echo "$directory" >"$2"
