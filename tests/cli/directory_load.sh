#!/usr/bin/env bash
# A directory that is killed, contended for and flooded: what it acknowledged is there, a token has one winner, and look-ups
# are answered. SCRIPT BENTOCTL
source "$(dirname "$0")/lib.sh"
load=(python3 "$(dirname "$0")/directory_load.py")
printf '[directory]\nbcrypt_cost = 4\n' >"$SCRATCH/quick.toml"

# Killed in the midst of registrations, three times on the same state.
for round in 1 2 3; do
    daemon directory killed -c "$SCRATCH/quick.toml" --no-onion
    "${load[@]}" load "$listen" >>"$SCRATCH/acknowledged" &
    loader=$!
    wait_for 60 has_lines $((round * 200)) reregister "$SCRATCH/acknowledged"
    { kill -KILL "$server_pid"
    wait "$server_pid"; } 2>/dev/null || true
    wait "$loader"
    daemon directory killed -c "$SCRATCH/quick.toml" --no-onion
    "${load[@]}" check "$listen" "$SCRATCH/acknowledged" >"$SCRATCH/checked"
    kill "$server_pid"
    wait "$server_pid"
done
echo "acknowledged before three kills and there afterwards: $(cat "$SCRATCH/checked")"

daemon directory contended -c "$SCRATCH/quick.toml" --no-onion
is "10,000 registrations of 100 tokens" "one winner each" "$("${load[@]}" contend "$listen")"

# At the cost of every day, twelve.
daemon directory flooded --no-onion
"${load[@]}" flood "$listen"
