#!/usr/bin/env bash
# A server that is killed with -9 before and after everything that it writes during a rotation: started again it ends the
# rotation, the token is good, and nothing of the old onion is left. strace kills it as it calls fsync for the n-th time,
# which write_file does before it renames and after it.
# SCRIPT BENTOCTL TESTNET_FILE
source "$(dirname "$0")/lib.sh"
use_testnet "$2"
printf '[directory]\nbcrypt_cost = 4\n' >"$SCRATCH/bfd.toml"
daemon directory one -c "$SCRATCH/bfd.toml" --control "$HOST_CONTROL"
printf '[bfd]\nonions = ["%s"]\nmax_stale = "1s"\n[rotation]\ngrace = "2s"\n' "$onion" >"$SCRATCH/config.toml"
host=(--control "$HOST_CONTROL" -c "$SCRATCH/config.toml")
operator=(--state-dir "$SCRATCH/host" -c "$SCRATCH/config.toml")
caller=(--state-dir "$SCRATCH/caller" --socks "$CLIENT_SOCKS" -c "$SCRATCH/config.toml")
printf 'def hello():\n    api.send("hello")\n' >"$SCRATCH/hello.py"
serve host "${host[@]}"
status 0 "$BENTOCTL" store "${caller[@]}" --onion "$onion" "$SCRATCH/hello.py"
token=$out
status 0 "$BENTOCTL" register "${operator[@]}" "$token"

quiet() {
    python3 -c 'import json,sys; j=json.load(open(sys.argv[1])); sys.exit("rotation" in j or "retired" in j)' "$SCRATCH/host/rotation.json"
}
current() { member "$(cat "$SCRATCH/host/rotation.json")" current; }
# rotate_and_kill SYSCALL N: true where the server was killed
rotate_and_kill() {
    strace -p "$server_pid" -o /dev/null -e "trace=$1" -e "inject=$1:signal=KILL:when=$2" 2>"$SCRATCH/strace.err" &
    local tracer=$!
    wait_for 10 grep -q attached "$SCRATCH/strace.err"
    "$BENTOCTL" rotate "${operator[@]}" >"$SCRATCH/rotate.out" 2>"$SCRATCH/rotate.err" || true
    over() { gone "$server_pid" || quiet; }
    wait_for 60 over
    if gone "$server_pid"; then
        wait "$tracer" || true
        return 0
    fi
    kill "$tracer"
    wait "$tracer" || true
    return 1
}
recovered() {
    local before=$1
    serve host "${host[@]}"
    wait_for 60 quiet
    is "one key is left" "$(basename "$(current)" .onion)" "$(ls "$SCRATCH/host/onions")"
    is "what the directory shows" "$(current)" "$(member "$("$BENTOCTL" lookup "${caller[@]}" --json "$token")" onion)"
    is "a call" "hello" "$("$BENTOCTL" open "${caller[@]}" "$token" 'hello()')"
    [[ $(current) != "$before" ]] && moved=$((moved + 1))
    return 0
}

killed=0 moved=0
for ((n = 1; n < 60; ++n)); do
    before=$(current)
    rotate_and_kill fsync "$n" || break
    killed=$((killed + 1))
    recovered "$before"
done
before=$(current)
rotate_and_kill unlink 1 || fail "no key was removed"
recovered "$before"
echo "killed at $killed writes and at the removal of the key; $moved rotations ended after it"
# Only where it was killed before the request was written down is there nothing to end.
[[ $killed -ge 12 && $moved -ge $((killed - 1)) ]] || fail "killed $killed times, $moved rotations ended"
