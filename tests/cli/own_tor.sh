#!/usr/bin/env bash
# A tor of our own, for the server and for one call: no port, no cookie, gone with us, started again when it is killed.
source "$(dirname "$0")/lib.sh"
use_testnet "$2"
printf '[tor]\nlaunch = "always"\ntorrc = "%s/torrc"\n' "$TESTNET" >"$SCRATCH/config.toml"

serve own -c "$SCRATCH/config.toml"
has "with our own tor the gateway is a unix socket" "unix:" "$listen"
children_of() { ps -o pid= --ppid "$1" -C tor 2>/dev/null | head -n 1; }
tor_of_server() { pgrep -P "$server_pid" -x tor; }
tor=$(tor_of_server)
if ss -ltnp 2>/dev/null | grep -q "pid=$tor,"; then fail "our own tor listens on TCP"; fi

printf 'def hello():\n    api.send("hello world")\n' | "$BENTOCTL" store --onion "$onion" --socks "$CLIENT_SOCKS" - >"$SCRATCH/token"
# A caller without any tor gets one for the call, and it is gone afterwards.
status 0 "$BENTOCTL" open -c "$SCRATCH/config.toml" --onion "$onion" "@$SCRATCH/token" 'hello()'
is "open over a tor of its own" "hello world" "$out"
[[ -z $(pgrep -f "$SCRATCH/state" || true) ]] || fail "the caller's tor is left"
# Two at a time: the second has a directory of its own, which goes with it.
"$BENTOCTL" open -c "$SCRATCH/config.toml" --onion "$onion" "@$SCRATCH/token" 'hello()' >"$SCRATCH/first" &
status 0 "$BENTOCTL" open -c "$SCRATCH/config.toml" --onion "$onion" "@$SCRATCH/token" 'hello()'
wait "$!"
is "both" "hello worldhello world" "$(cat "$SCRATCH/first")$out"
is "directories" "caller-tor" "$(ls "$SCRATCH/state/bentoctl" | grep -e -tor)"

kill -KILL "$tor"
wait_for 90 has_lines 2 '"ready"' "$SCRATCH/own.out"
has "what is told" "trying again" "$(cat "$SCRATCH/own.err")"
[[ $(tor_of_server) != "$tor" ]] || fail "the tor is the old one"
# By a tor that has no descriptor of the time before: one that has may try its introduction points first, for minutes.
status 0 "$BENTOCTL" open -c "$SCRATCH/config.toml" --onion "$onion" "@$SCRATCH/token" 'hello()'
is "open after tor was killed" "hello world" "$out"

tor=$(tor_of_server)
kill -KILL "$server_pid"
wait_for 10 gone "$tor"
