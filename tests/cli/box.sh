#!/usr/bin/env bash
# The function server as a process: it works without privileges, takes its functions with it whatever ends it, and says where
# it is degraded. SCRIPT BENTOCTL
source "$(dirname "$0")/lib.sh"

python=(python3 -c '
import json, socket, struct, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); f = s.makefile("rb")
def ask(kind, body):
    s.sendall(struct.pack(">BI", kind, len(body)) + body)
    kind, failed, size = struct.unpack(">BBI", f.read(6))
    body = f.read(size)
    assert not failed, body
    return body.decode()
token = ask(0, json.dumps({"name": "f", "code": sys.argv[2]}).encode())
run = ask(1, json.dumps({"call": "f()", "token": token}).encode())
s.sendall(struct.pack(">BI", 2, 36) + run.encode())
kind, size = struct.unpack(">BI", f.read(5))
print(f.read(size)[36:].decode())
')
sleeper=$'import time\ndef f():\n    api.send("on")\n    time.sleep(3600)\n'

# As somebody who may nothing: root gives a copy of the program to a user who is nobody else.
as=() program=$BENTOCTL
if [[ $EUID -eq 0 ]]; then
    chmod 711 "$SCRATCH"
    install -m 755 "$BENTOCTL" "$SCRATCH/bentoctl"
    install -d -m 700 -o 54321 -g 54321 "$SCRATCH/theirs"
    as=(setpriv --reuid=54321 --regid=54321 --clear-groups) program=$SCRATCH/bentoctl
    folder=$SCRATCH/theirs
else
    folder=$SCRATCH
fi
"${as[@]}" "$program" box --state-dir "$folder/state" --listen "unix:$folder/s" 2>"$SCRATCH/unprivileged.err" &
box=$!
children+=("$box")
wait_for 30 has_lines 1 "ready at" "$SCRATCH/unprivileged.err"
is "a function of an unprivileged box" "on" "$("${python[@]}" "$folder/s" "$sleeper")"
if [[ $EUID -eq 0 ]]; then has "what an unprivileged box lacks" "degraded: " "$(cat "$SCRATCH/unprivileged.err")"; fi

# W23: told to stop, it and its function are gone within a second.
running=$(pgrep -P "$box")
kill -TERM "$box"
wait_for 2 gone "$box"
for process in $running; do wait_for 2 gone "$process"; done

# W24: killed, it takes them with it, too.
"$BENTOCTL" box --state-dir "$SCRATCH/own" --listen "unix:$SCRATCH/s" 2>"$SCRATCH/own.err" &
box=$!
wait_for 30 has_lines 1 "ready at" "$SCRATCH/own.err"
is "a function" "on" "$("${python[@]}" "$SCRATCH/s" "$sleeper")"
running=$(pgrep -P "$box")
[[ -n $running ]] || fail "no function runs"
inner=$(for process in $running; do pgrep -P "$process" || true; done)
{ kill -KILL "$box"
wait "$box"; } 2>/dev/null || true
for process in $running $inner; do wait_for 5 gone "$process"; done

# W26: without a word it listens on loopback only, and nobody's address is logged. Also where root is nobody outside, as in a
# container.
bwrap --dev-bind / / --unshare-user --uid 0 --gid 0 --unshare-net --die-with-parent -- bash -c '
    "$1" box --state-dir "$2/alone" --json >"$2/alone.out" 2>"$2/alone.err" &
    box=$!
    for ((i = 0; i < 300; i++)); do grep -q ready "$2/alone.out" && break; sleep 0.1; done
    python3 -c "import socket, struct; s = socket.create_connection((\"127.0.0.1\", 8888)); s.sendall(struct.pack(\">BI\", 9, 1) + b\"x\"); print(s.recv(99)[6:].decode())" >"$2/alone.told"
    # The local addresses of the sockets that listen.
    sed -n "s/^ *[0-9]*: \([0-9A-F:]*\) [0-9A-F:]* 0A .*/\1/p" /proc/net/tcp /proc/net/tcp6 >"$2/alone.listens"
    kill "$box"; wait "$box"' -- "$BENTOCTL" "$SCRATCH" || fail "a box in a container: $(cat "$SCRATCH/alone.err")"
is "what an unknown request is told" "invalid request" "$(cat "$SCRATCH/alone.told")"
is "where a box listens, in hexadecimal" "0100007F:22B8" "$(cat "$SCRATCH/alone.listens")"
is "the ready line's address" "127.0.0.1:8888" "$(member "$(cat "$SCRATCH/alone.out")" listen)"
has "the ready line says what is missing" '"degraded":[' "$(cat "$SCRATCH/alone.out")"
if grep -v "^bentoctl: warning: degraded: " "$SCRATCH/alone.err"; then fail "a box logs more than it should"; fi

# Two servers never share their functions.
"$BENTOCTL" box --state-dir "$SCRATCH/own" --listen "unix:$SCRATCH/s" 2>"$SCRATCH/first.err" &
children+=("$!")
wait_for 30 has_lines 1 "ready at" "$SCRATCH/first.err"
status 75 "$BENTOCTL" box --state-dir "$SCRATCH/own" --listen "unix:$SCRATCH/t"
has "who comes second" "another server has its functions there" "$err"
