#!/usr/bin/env bash
# Ends the network of testnet_up.sh; nothing of it is left.
set -euo pipefail
directory=$(cat "$2")
"$1" testnet down --dir "$directory"
rm -f "$2"
[[ ! -e $directory ]] || { echo "FAIL: $directory is left" >&2; exit 1; }
if "$1" testnet status --dir "$directory" 2>/dev/null; then echo "FAIL: it answers still" >&2; exit 1; fi
