#!/usr/bin/env bash
# bentoctl box answers as the public reference server of Bento does, to the byte, wherever that one has an answer
# (tests/data/bento/reference.txt was played to both), and properly where it has none. SCRIPT BENTOCTL
source "$(dirname "$0")/lib.sh"
data=$(dirname "$0")/../data/bento

"$BENTOCTL" box --state-dir "$SCRATCH/box" --listen "unix:$SCRATCH/s" 2>"$SCRATCH/box.err" &
children+=("$!")
wait_for 30 has_lines 1 "ready at" "$SCRATCH/box.err"
python3 "$data/replay.py" "unix:$SCRATCH/s" "$data/reference.txt" "$data/beyond.txt"
