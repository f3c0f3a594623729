#!/usr/bin/env bash
# bentoctl demo tells its story and leaves nothing: when it ends, when it is interrupted at any step, when it is killed.
source "$(dirname "$0")/lib.sh"
export TMPDIR=$SCRATCH/tmp
mkdir "$TMPDIR"

# Everything of this demo has its directory in its arguments or its environment's TMPDIR.
running() { grep -lsz "TMPDIR=$TMPDIR" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3 | while read -r pid; do
    [[ $pid == "$$" || $pid == self ]] || { name=$(cat "/proc/$pid/comm" 2>/dev/null || true); case $name in bentoctl | tor | bwrap | python3* | testnet-janitor) echo "$pid $name" ;; esac; }; done; }
nothing_left() { [[ -z $(ls -A "$TMPDIR") && -z $(running) ]]; }

status 0 "$BENTOCTL" demo --json
for figure in warm token rotation; do member "$out" "${figure}_seconds" >/dev/null; done
echo "$out"
ratio=$(python3 -c 'import json,sys; v=json.loads(sys.argv[1]); print(v["warm_seconds"]/v["curl_seconds"])' "$out")
echo "warm call over curl: $ratio"
nothing_left || fail "after the end: $(running) $(ls -A "$TMPDIR")"

# Interrupted: it returns only when all is clean.
for moment in 0.05 5 14.5 20; do
    "$BENTOCTL" demo --latency 0ms >"$SCRATCH/demo.out" 2>"$SCRATCH/demo.err" &
    pid=$!
    sleep "$moment"
    kill -INT "$pid"
    got=0
    wait "$pid" || got=$?
    [[ $got -eq 130 || $got -eq 0 ]] || fail "interrupted after $moment s: exit status $got"
    nothing_left || fail "interrupted after $moment s: $(running) $(ls -A "$TMPDIR")"
done

# Killed: what is left goes within seconds.
for moment in 3 13; do
    "$BENTOCTL" demo --latency 0ms >"$SCRATCH/demo.out" 2>"$SCRATCH/demo.err" &
    pid=$!
    sleep "$moment"
    kill -KILL "$pid"
    wait "$pid" || true
    wait_for 5 nothing_left
done
