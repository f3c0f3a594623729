#!/usr/bin/env bash
# Onion services for any target: held, found by callers, added again when tor comes back, detached, ended.
source "$(dirname "$0")/lib.sh"
use_testnet "$2"

# What listens: a web server on a port and on a unix socket.
cat >"$SCRATCH/target.py" <<'P'
import http.server, socketserver, sys, threading
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.server.word)
    def address_string(self): return "-"
    def log_message(self, *args): pass
class Unix(socketserver.ThreadingUnixStreamServer):
    word = b"over unix"
tcp = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
tcp.word = b"over tcp"
threading.Thread(target=Unix(sys.argv[1], Answer).serve_forever, daemon=True).start()
print(tcp.server_port, flush=True)
tcp.serve_forever()
P
python3 "$SCRATCH/target.py" "$SCRATCH/target.sock" >"$SCRATCH/target.port" 2>"$SCRATCH/target.err" &
children+=("$!")
wait_for 10 test -s "$SCRATCH/target.port"
port=$(cat "$SCRATCH/target.port")

host() { "$BENTOCTL" onion --control "$HOST_CONTROL" "$@"; }
# A circuit of tor's may fail: a caller tries again.
call() { curl -s --max-time 30 --retry 3 --retry-all-errors --retry-delay 1 --socks5-hostname "$CLIENT_SOCKS" "http://$1/"; }

# Held: an address for this time, two ports, all HSDirs.
publish held --port "80,$port" --port "81,unix:$SCRATCH/target.sock" --wait all
is "the last word before ready" "true" "$(python3 -c '
import json, sys
events = [json.loads(line) for line in open(sys.argv[1])]
last = [e for e in events if e["event"] == "publishing"][-1]
print(str(last["confirmed"] == last["expected"] > 0 and events[0] == {"event": "added", "onion": sys.argv[2]}).lower())' "$SCRATCH/held.out" "$onion")"
is "its ports" "[{'port': 80, 'target': '127.0.0.1:$port'}, {'port': 81, 'target': 'unix:$SCRATCH/target.sock'}]" \
    "$(member "$(grep '"ready"' "$SCRATCH/held.out")" ports)"
is "called" "over tcp" "$(call "$onion")"
is "the other port" "over unix" "$(call "$onion:81")"
status 0 host show "$onion" --json
is "hosted" True "$(member "$out" hosted)"
is "not detached" False "$(member "$out" detached)"
[[ $(member "$out" introduction_points) -ge 1 ]] || fail "show: $out"
is "lifetime" 10800 "$(member "$out" descriptor lifetime_seconds)"
status 0 host show "$onion"
has "in words" "hosted        by this tor" "$out"
status 0 "$BENTOCTL" onion fetch "$onion" --control "$CLIENT_CONTROL" --timeout 30s
has "its descriptor" "hs-descriptor 3" "$out"
status 0 "$BENTOCTL" onion show "$onion" --control "$CLIENT_CONTROL"
has "of a caller's" "elsewhere" "$out"
status 5 host del "$onion"
has "not ours to end" "ends with the program that added it" "$err"
kill -INT "$pid"
wait "$pid" || fail "SIGINT is a usual end, not status $?"
unhosted() { ! host list | grep -q "$onion" && ! host show "$onion" >/dev/null 2>&1; }
wait_for 20 unhosted

# A key that stays, for one client alone, without waiting.
key=$SCRATCH/web.key
status 0 "$BENTOCTL" key generate "$key"
address=$out
status 0 "$BENTOCTL" key client-auth "$address" "$SCRATCH/friend.auth_private"
friend=$out
publish private --key "$key" --port "80,$port" --client-auth "$friend" --wait quorum
is "the key's address" "$address" "$onion"
status 0 "$BENTOCTL" tor --control "$CLIENT_CONTROL" raw ONION_CLIENT_AUTH_VIEW
! call "$onion" | grep -q over || fail "everybody can call it"
private_key=$(python3 -c '
import base64, sys
print(base64.b64encode(base64.b32decode(open(sys.argv[1]).read().split(":")[3].upper() + "====")).decode())' "$SCRATCH/friend.auth_private")
printf 'ONION_CLIENT_AUTH_ADD %s x25519:%s\n' "${onion%.onion}" "$private_key" |
    "$BENTOCTL" tor --control "$CLIENT_CONTROL" prompt >"$SCRATCH/auth.out" || fail "no client key"
is "the friend can" "over tcp" "$(call "$onion")"
kill "$pid"
wait "$pid"

# Detached: there when the command has returned, listed, once only, until it is ended.
status 0 "$BENTOCTL" key generate "$SCRATCH/left.key"
left=$out
status 0 host add --key "$SCRATCH/left.key" --port "80,$port" --wait first --detach
is "its address" "$left" "$out"
status 0 host list
has "listed" "$left  detached" "$out"
status 0 host list --json
is "as json" "{'onion': '$left', 'kind': 'detached'}" "$(python3 -c 'import json,sys; print([o for o in json.loads(sys.argv[1]) if o["onion"] == sys.argv[2]][0])' "$out" "$left")"
is "called" "over tcp" "$(call "$left")"
status 4 host add --key "$SCRATCH/left.key" --port "80,$port" --detach
has "there already" "there already, detached" "$err"
status 0 host del "$left"
status 5 host del "$left"
status 5 host show "$left"

# What cannot be.
status 2 host add --port 0
status 2 host add --port "80,unix:relative"
status 2 host add --port "80,unix:$SCRATCH/a b" --wait none
has "a path that tor cannot read" "the target" "$err"
status 2 host add --port 80 --client-auth nonsense --wait none
status 2 host show nonsense
status 2 host add --port 80 --wait sometimes
status 5 host add --port 80 --key "$SCRATCH/none.key"
status 75 host add --port "80,$port" --wait all --timeout 500ms
status 3 "$BENTOCTL" onion list --control 127.0.0.1:1
