#!/usr/bin/env bash
# Twenty rotations in a row of a server with 434 registered tokens, under eight clients that call one of them without
# pause: no call fails, and none runs twice.
# SCRIPT BENTOCTL TESTNET_FILE
source "$(dirname "$0")/lib.sh"
use_testnet "$2"
rotations=20 clients=8 tokens=434
relay bfd
bfd=$onion
daemon directory one --no-onion --name "$bfd"
face bfd "$listen"
printf '[bfd]\nonions = ["%s"]\nmax_stale = "2s"\n[rotation]\ngrace = "20s"\n' "$bfd" >"$SCRATCH/config.toml"

# A function server of its own, and between it and the gateway somebody who writes down what is asked of it.
"$BENTOCTL" box --json --state-dir "$SCRATCH/box" --listen "unix:$SCRATCH/box.sock" >"$SCRATCH/box.out" 2>"$SCRATCH/box.err" &
children+=("$!")
wait_for 20 has_lines 1 ready "$SCRATCH/box.out"
cat >"$SCRATCH/between.py" <<'P'
import asyncio, sys
box, port_file, asked = sys.argv[1:]
logs = iter(range(10 ** 9))
async def copy(reader, writer, keep):
    log = open(f"{asked}-{next(logs)}", "wb", buffering=0) if keep else None
    while data := await reader.read(65536):
        if keep: log.write(data)
        writer.write(data)
        await writer.drain()
    if keep: log.close()
    writer.close()
async def between(reader, writer):
    try:
        r, w = await asyncio.open_unix_connection(box)
        await asyncio.gather(copy(reader, w, True), copy(r, writer, False))
    except OSError:
        writer.close()
async def main():
    server = await asyncio.start_server(between, "127.0.0.1", 0)
    open(port_file + ".new", "w").write(str(server.sockets[0].getsockname()[1]))
    import os; os.rename(port_file + ".new", port_file)
    await server.serve_forever()
asyncio.run(main())
P
python3 "$SCRATCH/between.py" "$SCRATCH/box.sock" "$SCRATCH/port" "$SCRATCH/asked" 2>"$SCRATCH/between.err" &
children+=("$!")
wait_for 10 test -s "$SCRATCH/port"

mkdir -p -m 0700 "$SCRATCH/host/published"
chmod 0700 "$SCRATCH/host"
for ((i = 1; i < tokens; ++i)); do
    printf '{"name":"other","code":"def other():\\n    pass\\n"}' >"$SCRATCH/host/published/$(printf '%08x-1111-4222-8333-444444444444' "$i").json"
done
chmod 0600 "$SCRATCH"/host/published/*

serve host --control "$HOST_CONTROL" -c "$SCRATCH/config.toml" --server "127.0.0.1:$(cat "$SCRATCH/port")"
operator=(--state-dir "$SCRATCH/host" -c "$SCRATCH/config.toml")
caller=(--socks "$CLIENT_SOCKS" -c "$SCRATCH/config.toml")
printf 'def once(who):\n    api.send(who)\n' >"$SCRATCH/once.py"
status 0 "$BENTOCTL" store "${caller[@]}" --state-dir "$SCRATCH/author" --onion "$onion" "$SCRATCH/once.py"
token=$out
status 0 "$BENTOCTL" register "${operator[@]}" "$token"
for file in "$SCRATCH"/host/published/*.json; do basename "$file" .json; done | grep -v "$token" |
    xargs -P 32 -I TOKEN "$BENTOCTL" register "${operator[@]}" TOKEN >"$SCRATCH/shares" || fail "not all were registered"
is "registered" $((tokens - 1)) "$(wc -l <"$SCRATCH/shares")"

client() {
    local i=0 who got from to
    while [[ ! -e $SCRATCH/stop ]]; do
        who=client-$1-call-$((i++))
        from=${EPOCHREALTIME/./}
        got=$("$BENTOCTL" open "${caller[@]}" --state-dir "$SCRATCH/caller-$1" "$token" "once(\"$who\")" 2>"$SCRATCH/last-$1") || got="failed: $(cat "$SCRATCH/last-$1")"
        to=${EPOCHREALTIME/./}
        [[ $got == "$who" ]] || echo "$who: $got" >>"$SCRATCH/failures"
        echo "$who $((to - from))" >>"$SCRATCH/calls-$1"
    done
}
for ((c = 0; c < clients; ++c)); do
    client "$c" &
    pids[c]=$!
done
began=$SECONDS
onions=("$onion")
for ((r = 0; r < rotations; ++r)); do
    status 0 "$BENTOCTL" rotate "${operator[@]}" --json
    is "completed" True "$(member "$out" completed)"
    is "tokens" "$tokens" "$(member "$out" tokens)"
    onions+=("$(member "$out" new)")
done
took=$((SECONDS - began))
touch "$SCRATCH/stop"
wait "${pids[@]}"
is "onions" $((rotations + 1)) "$(printf '%s\n' "${onions[@]}" | sort -u | wc -l)"
[[ ! -e $SCRATCH/failures ]] || fail "calls failed: $(cat "$SCRATCH/failures")"

cat "$SCRATCH"/calls-* >"$SCRATCH/calls"
python3 - "$SCRATCH/calls" "$SCRATCH/asked" "$rotations" "$took" "$SCRATCH/bfd/times" <<'P'
import collections, glob, re, sys
calls = [line.split() for line in open(sys.argv[1])]
times = sorted(int(t) / 1e6 for _, t in calls)
asked = collections.Counter(re.findall(rb'once\(\\*"(client-\d+-call-\d+)\\*"\)', b"\n".join(open(f, "rb").read() for f in glob.glob(sys.argv[2] + "-*"))))
at = lambda share: times[min(len(times) - 1, int(share * len(times)))]
print(f"{sys.argv[3]} rotations in {sys.argv[4]} s under 8 clients: {len(calls)} calls, 0 failed")
print(f"seconds a call: least {times[0]:.2f}, median {at(.5):.2f}, 95th percentile {at(.95):.2f}, most {times[-1]:.2f}")
moves = sorted(float(line.split()[1]) for line in open(sys.argv[5]) if line.startswith("/reregister "))
print(f"seconds a move of all tokens at the directory: median {moves[len(moves) // 2]:.2f}, most {moves[-1]:.2f}")
twice = {who: n for who, n in asked.items() if n != 1}
missing = [who for who, _ in calls if asked[who.encode()] == 0]
if twice or missing or len(calls) < 8: sys.exit(f"FAIL: ran twice {twice}, was not seen {missing[:8]} and so on")
P
# Every onion but the last one ends, and with it its key.
one_key() { [[ $(find "$SCRATCH/host/onions" -type f | wc -l) -eq 1 ]]; }
wait_for 60 one_key
