#!/usr/bin/env bash
# Functions that outlive the call that started them, and talk while they run: over the onion, by their ids (FW1, FW2, P13).
source "$(dirname "$0")/lib.sh"
use_testnet "$2"

printf '[box]\nttl = "30s"\n' >"$SCRATCH/host.toml"
serve host -c "$SCRATCH/host.toml" --control "$HOST_CONTROL"
to=(--onion "$onion" --socks "$CLIENT_SOCKS")
cat >"$SCRATCH/talk.py" <<'P'
def talk():
    while True:
        said = api.recv()
        if said == b"stop":
            return "bye"
        api.send(b"you said " + said)

def count(n):
    for i in range(n):
        api.send(str(i))
    api.recv()
P
status 0 "$BENTOCTL" store "${to[@]}" "$SCRATCH/talk.py"
token=$out

# A function's input is standard input, a line a message; it ends when the function does.
is "open with input" $'{"data":"you said one"}\n{"data":"you said two"}\n{"data":"bye"}' \
    "$(printf 'one\ntwo\nstop\n' | "$BENTOCTL" open "${to[@]}" --json "$token" 'talk()')"
status 0 "$BENTOCTL" ps
is "nothing is left running" "" "$out"

# Started, left, gone on with: nothing lost, nothing twice.
status 0 "$BENTOCTL" open "${to[@]}" --detach "$token" 'count(50)'
id=$out
status 0 "$BENTOCTL" ps
has "ps" "$id" "$out"
has "ps tells the call" "count(50)" "$out"
status 0 "$BENTOCTL" ps --json
is "ps as JSON" "$id" "$(python3 -c 'import json,sys; print(json.loads(sys.argv[1])[0]["function_id"])' "$out")"
mkfifo "$SCRATCH/in"
exec 7<>"$SCRATCH/in"
"$BENTOCTL" attach --json --socks "$CLIENT_SOCKS" "$id" <"$SCRATCH/in" >"$SCRATCH/first.out" 2>"$SCRATCH/first.err" &
first=$!
children+=("$first")
wait_for 60 has_lines 50 data "$SCRATCH/first.out"
kill -TERM "$first"
stopped=0
wait "$first" || stopped=$?
is "a signal ends the attach alone" 143 "$stopped"
is "every output once, in order" "$(for i in $(seq 0 49); do echo "{\"data\":\"$i\"}"; done)" "$(cat "$SCRATCH/first.out")"
echo go >&7
status 0 timeout 60 bash -c "printf 'go\n' | '$BENTOCTL' attach --socks '$CLIENT_SOCKS' '$id'"
is "what was read is not told again" "" "$out"
status 5 "$BENTOCTL" attach --socks "$CLIENT_SOCKS" "$id"
has "a function that has ended is forgotten" "no such function runs there" "$err"

# Closed for good.
status 0 "$BENTOCTL" open "${to[@]}" --detach "$token" 'talk()'
id=$out
status 0 "$BENTOCTL" close --socks "$CLIENT_SOCKS" "$id"
status 0 "$BENTOCTL" ps
is "a closed function is not listed" "" "$out"
status 5 "$BENTOCTL" attach "${to[@]}" "$id"
status 2 "$BENTOCTL" attach "${to[@]}" nonsense

# FW1: a WebSocket by hand, as another program would: a hundred connects, each to its echo.
cat >"$SCRATCH/session.py" <<'P'
import base64, json, os, socket, struct, sys
host, socks, first = sys.argv[1], int(sys.argv[2].rsplit(":", 1)[1]), sys.argv[3]

def connect():
    s = socket.create_connection(("127.0.0.1", socks), timeout=60)
    s.sendall(b"\x05\x01\x00")
    assert s.recv(2) == b"\x05\x00"
    s.sendall(b"\x05\x01\x00\x03" + bytes([len(host)]) + host.encode() + struct.pack(">H", 80))
    reply = s.recv(10)
    assert reply[1] == 0, reply
    return s

def frame(text):
    mask, data = os.urandom(4), text.encode()
    assert len(data) < 126 or len(data) < 65536
    head = struct.pack(">BB", 0x81, 0x80 | len(data)) if len(data) < 126 else struct.pack(">BBH", 0x81, 0xfe, len(data))
    return head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data))

def exactly(f, n):
    data = f.read(n)
    assert len(data) == n, "the connection ended"
    return data

def message(f):
    first, size = exactly(f, 2)
    if size == 126: size, = struct.unpack(">H", exactly(f, 2))
    return first & 15, exactly(f, size).decode()

for n in range(int(sys.argv[4])):
    s = connect()
    s.sendall(("GET /session HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n"
               % (host, base64.b64encode(os.urandom(16)).decode())).encode())
    f = s.makefile("rb")
    assert f.readline().startswith(b"HTTP/1.1 101 "), "no switch"
    while f.readline() != b"\r\n": pass
    s.sendall(frame(first))
    kind, text = message(f)
    assert kind == 1 and "function_id" in json.loads(text), text
    s.sendall(frame("%d" % n) + frame("stop"))
    assert message(f) == (2, "you said %d" % n)
    assert message(f) == (2, "bye")
    assert json.loads(message(f)[1]) == {"ended": True}
    s.close()
print("ok", n + 1)
P
session() { timeout 300 python3 "$SCRATCH/session.py" "$onion" "$CLIENT_SOCKS" "$@"; }
is "FW1: WebSocket connects" "ok 100" "$(session "{\"token\":\"$token\",\"call\":\"talk()\"}" 100)"
# FW2: started by one, continued by the other.
status 0 "$BENTOCTL" open "${to[@]}" --detach "$token" 'talk()'
is "FW2: one that was started over HTTP" "ok 1" "$(session "{\"function_id\":\"$out\"}" 1)"
