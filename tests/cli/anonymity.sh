#!/usr/bin/env bash
# T2: whatever is done over the onion, the server's machine sees connections to relays of Tor and nothing else. All of the
# server's processes are recorded while they run: the gateway, its tor, the box and the functions.
source "$(dirname "$0")/lib.sh"
use_testnet "$2"
command -v strace >/dev/null || fail "strace is needed"
printf '[tor]\nlaunch = "always"\ntorrc = "%s/torrc"\n' "$TESTNET" >"$SCRATCH/config.toml"

# LeakSanitizer cannot run beside another tracer.
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0
record=(strace -f -qq -o "$SCRATCH/calls" -e trace=connect,bind,listen,sendto,sendmsg,sendmmsg)
program=$BENTOCTL
printf '#!/bin/sh\nexec %s "%s" "$@"\n' "${record[*]}" "$program" >"$SCRATCH/recorded"
chmod 755 "$SCRATCH/recorded"
BENTOCTL=$SCRATCH/recorded
serve host -c "$SCRATCH/config.toml"
BENTOCTL=$program
to=(--onion "$onion" --socks "$CLIENT_SOCKS")

cat >"$SCRATCH/tell.py" <<'P'
import os, socket

def hello(): api.send("hello")

def reach(port):
    """What a function would do to be seen: a connection, a datagram, a name."""
    failed = 0
    for attempt in (lambda: socket.create_connection(("127.0.0.1", port), 1),
                    lambda: socket.create_connection(("192.0.2.1", 80), 1),
                    lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53)),
                    lambda: socket.getaddrinfo("example.org", 80)):
        try: attempt()
        except OSError: failed += 1
    return "%d of 4 failed" % failed
P
status 0 "$BENTOCTL" store "${to[@]}" "$SCRATCH/tell.py"
token=$out
status 0 "$BENTOCTL" open "${to[@]}" "$token" 'hello()'
is "open" "hello" "$out"
status 0 "$BENTOCTL" exec "${to[@]}" "$token" 'hello()'
printf 'stop\n' | "$BENTOCTL" open "${to[@]}" "$token" 'hello()' >/dev/null
status 0 "$BENTOCTL" open "${to[@]}" "$token" "reach(${CLIENT_SOCKS##*:})"
is "a function reaches nobody" "4 of 4 failed" "$out"

kill -TERM "$(pgrep -P "$server_pid" -x bentoctl || pgrep -P "$server_pid" | head -n 1)"
wait "$server_pid" || true
python3 - "$SCRATCH/calls" "$TESTNET/client/cached-microdesc-consensus" <<'P' || fail "T2: see above"
import re, sys
calls, consensus = open(sys.argv[1]).read().splitlines(), open(sys.argv[2]).read()
relays = set()
for line in consensus.splitlines():
    words = line.split(" ")
    if words[0] == "r": relays |= {(words[-3], words[-2]), (words[-3], words[-1])}
inet = re.compile(r'sin_port=htons\((\d+)\), sin_addr=inet_addr\("([^"]*)"\)')
reached, wrong, inside = 0, [], 0
for call in calls:
    if "AF_INET6" in call and "sin6_port" in call: wrong.append(call)
    found = inet.search(call)
    if not found: continue
    port, address = found.groups()
    if (address, port) in relays and " connect(" in call:
        reached += 1
    elif re.search(r"= -1 (ENETUNREACH|EACCES|EPERM|ECONNREFUSED)", call):
        inside += 1  # of the function, whose network has nobody
    else:
        wrong.append(call)
for call in wrong: print(call)
assert not wrong
assert reached > 0, "nothing was recorded"
print("%d connections to relays, %d attempts of the function's, nothing else" % (reached, inside))
P
for secret in "$onion" "${onion%.onion}" "$token"; do
    if grep -qF "$secret" "$SCRATCH/host.err"; then fail "the log tells $secret"; fi
done
