# What the scripts of this folder share. Each is run as `SCRIPT BENTOCTL [TESTNET_FILE]`, the second naming a file that holds
# the directory of a private network that runs.
set -euo pipefail

BENTOCTL=$1
SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/bentoctl-test-XXXXXX")
export XDG_CONFIG_HOME=$SCRATCH/none XDG_STATE_HOME=$SCRATCH/state NO_COLOR=1
children=()

finish() {
    local status=$?
    for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
    wait 2>/dev/null || true
    if [[ $status -ne 0 ]]; then
        for log in "$SCRATCH"/*.err "$SCRATCH"/*.out; do [[ -s $log ]] && { echo "--- $log"; tail -n 30 "$log"; }; done
    fi
    rm -rf "$SCRATCH"
    exit $status
}
trap finish EXIT

fail() { echo "FAIL: $*" >&2; exit 1; }

# is WHAT EXPECTED GOT
is() { [[ "$2" == "$3" ]] || fail "$1: expected \"$2\", got \"$3\""; }
# has WHAT PART GOT
has() { [[ "$3" == *"$2"* ]] || fail "$1: expected a part \"$2\" in \"$3\""; }
# status EXPECTED COMMAND...: stdout goes to $out, stderr to $err
status() {
    local expected=$1 got=0
    shift
    "$@" >"$SCRATCH/status.stdout" 2>"$SCRATCH/status.stderr" </dev/null || got=$?
    out=$(cat "$SCRATCH/status.stdout")
    err=$(cat "$SCRATCH/status.stderr")
    [[ $got -eq $expected ]] || fail "$*: expected exit status $expected, got $got: $err"
}
# member FILE_OR_JSON NAME...: a member of a JSON object
member() { python3 -c 'import json,sys; v=json.loads(sys.argv[1])
for name in sys.argv[2:]: v=v[name]
print(v)' "$@"; }

# wait_for SECONDS COMMAND...: until it succeeds
wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [[ $SECONDS -lt $end ]] || fail "not within the time: $*"
        sleep 0.1
    done
}
lines_with() { grep -c "$1" "$2" 2>/dev/null || true; }
has_lines() { [[ $(lines_with "$2" "$3") -ge $1 ]]; }
gone() { ! kill -0 "$1" 2>/dev/null; }

use_testnet() {
    TESTNET=$(cat "$1")
    local json
    json=$("$BENTOCTL" testnet status --dir "$TESTNET" --json)
    CLIENT_SOCKS=$(member "$json" client socks)
    CLIENT_CONTROL=$(member "$json" client control)
    HOST_CONTROL=$(member "$json" host control)
}

# daemon COMMAND NAME OPTION...: starts one, waits until it is ready, sets $onion, $listen and $server_pid
daemon() {
    local command=$1 name=$2
    shift 2
    : >"$SCRATCH/$name.out"  # what an earlier one said is not what this one says
    "$BENTOCTL" "$command" --json --state-dir "$SCRATCH/$name" "$@" >"$SCRATCH/$name.out" 2>"$SCRATCH/$name.err" &
    server_pid=$!
    children+=("$server_pid")
    wait_for 60 eval "has_lines 1 '\"ready\"' '$SCRATCH/$name.out' || gone $server_pid"
    gone "$server_pid" && fail "$command ended: $(cat "$SCRATCH/$name.err")"
    onion=$(member "$(grep '"ready"' "$SCRATCH/$name.out" | tail -n 1)" onion)
    listen=$(member "$(grep '"ready"' "$SCRATCH/$name.out" | tail -n 1)" listen)
}
serve() { daemon serve "$@"; }
# publish NAME OPTION...: holds an onion service (onion add), waits until it is ready, sets $onion and $pid
publish() {
    local name=$1
    shift
    "$BENTOCTL" onion add --control "$HOST_CONTROL" --json "$@" >"$SCRATCH/$name.out" 2>"$SCRATCH/$name.err" &
    pid=$!
    children+=("$pid")
    wait_for 60 eval "has_lines 1 '\"ready\"' '$SCRATCH/$name.out' || gone $pid"
    gone "$pid" && fail "onion add ended: $(cat "$SCRATCH/$name.err")"
    onion=$(member "$(grep '"ready"' "$SCRATCH/$name.out")" onion)
}
# What a server says of its onions, by the script's own host COMMAND OPTION...
onions() { python3 -c 'import json,sys; print(*(o["state"] for o in json.loads(sys.argv[1])["onions"]))' "$(host status --json)"; }
alone() { [[ $(onions) == current ]]; }
# relay NAME: an onion before directories (relay.py), sets $onion; face NAME HOST:PORT: which of them answers
relay() {
    mkdir "$SCRATCH/$1"
    python3 "$(dirname "$0")/relay.py" "$SCRATCH/$1" >"$SCRATCH/$1.port" 2>"$SCRATCH/$1.err" &
    children+=("$!")
    wait_for 10 test -s "$SCRATCH/$1.port"
    publish "$1" --port "80,$(cat "$SCRATCH/$1.port")"
}
face() { echo "$2" >"$SCRATCH/$1/next" && mv "$SCRATCH/$1/next" "$SCRATCH/$1/face"; }
