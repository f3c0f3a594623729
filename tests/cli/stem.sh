#!/usr/bin/env bash
# The events of real tors, captured: bentoctl reads in them what stem does. SCRIPT BENTOCTL
source "$(dirname "$0")/lib.sh"
data=$(dirname "$0")/../data/control
captures=("$data/events.txt" "$data/network_events.txt" "$data/relay_events.txt")
peer() { /usr/bin/python3 "$(dirname "$0")/stem_peer.py" "$@"; }
peer serve "$SCRATCH/tor" "${captures[@]}" >"$SCRATCH/names" 2>"$SCRATCH/tor.err" &
children+=("$!")
wait_for 10 test -s "$SCRATCH/names"
read -r count names <"$SCRATCH/names"
"$BENTOCTL" tor events $names --json --count "$count" --control "unix:$SCRATCH/tor" >"$SCRATCH/read" || fail "not all were read"
peer compare "$SCRATCH/read" "${captures[@]}"
