#!/usr/bin/env bash
# An onion service as a terminal sees it: its events, circuits and streams; how it is defended and probed; and a tor that
# dies under it. SCRIPT BENTOCTL TESTNET_FILE
source "$(dirname "$0")/lib.sh"
use_testnet "$2"

# What listens: it tells each caller's line and keeps the connection.
cat >"$SCRATCH/target.py" <<'P'
import socketserver
class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile: self.wfile.write(line)
class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
server = Server(("127.0.0.1", 0), Echo)
print(server.server_address[1], flush=True)
server.serve_forever()
P
python3 "$SCRATCH/target.py" >"$SCRATCH/target.port" 2>"$SCRATCH/target.err" &
children+=("$!")
wait_for 10 test -s "$SCRATCH/target.port"
port=$(cat "$SCRATCH/target.port")

# Its uploads, as events.
"$BENTOCTL" tor events HS_DESC SIGNAL --control "$HOST_CONTROL" --json >"$SCRATCH/events.out" 2>"$SCRATCH/events.err" &
children+=("$!")
subscribed() { "$BENTOCTL" tor signal CLEARDNSCACHE --control "$HOST_CONTROL" && [[ -s $SCRATCH/events.out ]]; }
wait_for 10 subscribed
# What is asked for is what is sent to tor: all options at once.
publish defended --port "80,$port" --pow require --pow-rate 7 --pow-burst 21 --max-streams 5 --probe 2s --wait all
has "held" '"ready"' "$(cat "$SCRATCH/defended.out")"
service=${onion%.onion}
uploads() { python3 - "$SCRATCH/events.out" "$service" <<'P'
import json, sys
mine = [e for e in map(json.loads, open(sys.argv[1])) if e.get("address") == sys.argv[2] and "UPLOAD" in e["action"]]
asked = [e for e in mine if e["action"] == "UPLOAD"]
done = [e["hs_dir"] for e in mine if e["action"] == "UPLOADED"]
two = len({e["descriptor_id"] for e in asked}) == 2
sys.exit(not (two and sorted(done) == sorted(e["hs_dir"] for e in asked) and {e["auth_type"] for e in mine} == {"UNKNOWN"}))
P
}
wait_for 20 uploads
status 0 "$BENTOCTL" tor events HS_DESC --where "action=NOTHING" --for 100ms --control "$HOST_CONTROL"
is "filtered" "" "$out"

# Its circuits: introduction points, and of a caller who stays the rendezvous and the stream.
introductions() { "$BENTOCTL" tor circuits --control "$HOST_CONTROL" --json | python3 -c '
import json, sys
mine = [c for c in json.load(sys.stdin) if c.get("rend_query") == sys.argv[1] and c["purpose"] == "HS_SERVICE_INTRO" and c["status"] == "BUILT"]
sys.exit(0 if mine and all(len(c["path"]) >= 3 and c["hs_state"] == "HSSI_ESTABLISHED" for c in mine) else 1)' "$service"; }
wait_for 30 introductions
cat >"$SCRATCH/caller.py" <<'P'
import socket, sys, time
host, port = sys.argv[1].rsplit(":", 1)
onion = sys.argv[2].encode()
# Whoever waits for one circuit may wait for two minutes: another stream takes another.
for attempt in range(6):
    s = socket.create_connection((host, int(port)), timeout=15)
    try:
        s.sendall(b"\x05\x01\x00" + b"\x05\x01\x00\x03" + bytes([len(onion)]) + onion + (80).to_bytes(2, "big"))
        if s.recv(2) and s.recv(10)[1] == 0: break
    except TimeoutError:
        pass
    time.sleep(1)
s.settimeout(None)
s.sendall(b"a line\n")
print(s.recv(100).decode(), end="", flush=True)
sys.stdin.read()
P
mkfifo "$SCRATCH/stay"
python3 "$SCRATCH/caller.py" "$CLIENT_SOCKS" "$onion" <"$SCRATCH/stay" >"$SCRATCH/caller.out" 2>"$SCRATCH/caller.err" &
children+=("$!")
exec 3>"$SCRATCH/stay"
wait_for 100 has_lines 1 "a line" "$SCRATCH/caller.out"
status 0 "$BENTOCTL" tor streams --control "$CLIENT_CONTROL" --json
is "the caller's stream" "SUCCEEDED" "$(python3 -c '
import json, sys
print(*{s["status"] for s in json.loads(sys.argv[1]) if s["target"] == sys.argv[2] + ":80"})' "$out" "$onion")"
status 0 "$BENTOCTL" tor streams --control "$CLIENT_CONTROL"
has "for a person" "$onion:80" "$out"
status 0 "$BENTOCTL" tor circuits --control "$HOST_CONTROL"
has "the rendezvous" "HS_SERVICE_REND" "$out"
exec 3>&-

# It is probed through Tor, and stays as it is.
probed() { "$BENTOCTL" tor events STREAM --where "target=$onion:80" --where status=SUCCEEDED --count 1 --for 5s --control "$HOST_CONTROL" >/dev/null; }
wait_for 30 probed
[[ $(cat "$SCRATCH/defended.err") != *unreachable* ]] || fail "a service that can be reached is told unreachable"
# Once nothing listens, nobody can reach it.
kill "${children[0]}"
unreachable() { grep -q '"health":"unreachable"' "$SCRATCH/defended.out"; }
wait_for 60 unreachable
has "told" "nobody can reach the onion service; adding it anew" "$(cat "$SCRATCH/defended.err")"
kill "$pid" && wait "$pid" || true

# Nothing is waited for.
publish quick --port "80,$port" --wait none
is "at once" 1 "$(lines_with ready "$SCRATCH/quick.out")"
kill "$pid" && wait "$pid" || true

# A tor of one's own is killed, and comes back with the service.
printf '[tor]\nlaunch = "always"\ntorrc = "%s/torrc"\n' "$TESTNET" >"$SCRATCH/own.toml"
"$BENTOCTL" onion add --json --port "80,$port" -c "$SCRATCH/own.toml" --state-dir "$SCRATCH/own" >"$SCRATCH/own.out" 2>"$SCRATCH/own.err" &
pid=$!
children+=("$pid")
wait_for 60 has_lines 1 '"ready"' "$SCRATCH/own.out"
pkill -KILL -P "$pid" -x tor
wait_for 60 has_lines 2 '"ready"' "$SCRATCH/own.out"
has "told" '"tor_lost"' "$(cat "$SCRATCH/own.out")"
has "and back" "tor is back" "$(cat "$SCRATCH/own.err")"
is "the same address" 1 "$(grep '"ready"' "$SCRATCH/own.out" | sort -u | wc -l)"
