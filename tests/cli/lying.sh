#!/usr/bin/env bash
# A directory that lies: what it was given it tries to use again, here and elsewhere; and callers see different entries.
# SCRIPT BENTOCTL TESTNET_FILE
source "$(dirname "$0")/lib.sh"
use_testnet "$2"
printf '[directory]\nbcrypt_cost = 4\n' >"$SCRATCH/bfd.toml"

daemon directory honest -c "$SCRATCH/bfd.toml" --control "$HOST_CONTROL"
honest=$onion
daemon directory elsewhere -c "$SCRATCH/bfd.toml" --control "$HOST_CONTROL"
elsewhere=$onion
# The liar is one onion, and behind it are two directories.
relay liar
liar=$onion
daemon directory true_face -c "$SCRATCH/bfd.toml" --no-onion --name "$liar"
true_face=$listen
daemon directory false_face -c "$SCRATCH/bfd.toml" --no-onion --name "$liar"
false_face=$listen
face liar "$true_face"

printf '[bfd]\nonions = ["%s", "%s"]\n' "$honest" "$liar" >"$SCRATCH/config.toml"
serve host --control "$HOST_CONTROL" -c "$SCRATCH/config.toml"
operator=(--state-dir "$SCRATCH/host" -c "$SCRATCH/config.toml")
printf 'def hello(name="world"):\n    api.send("hello " + name)\n' >"$SCRATCH/hello.py"
new_token() { status 0 "$BENTOCTL" store --state-dir "$SCRATCH/author" --socks "$CLIENT_SOCKS" --onion "$1" "$SCRATCH/hello.py" && token=$out; }
new_token "$onion"
status 0 "$BENTOCTL" register "${operator[@]}" "$token"

# The replay of a registration: at another directory, as it is and as one's own; and where it was made, after the next.
web() { curl --silent --show-error --max-time 60 --socks5-hostname "$CLIENT_SOCKS" "$@"; }
replay() { web -o "$SCRATCH/answer" -w '%{http_code}' --json "@$1" "http://$2"; }
cp "$SCRATCH/liar/register.json" "$SCRATCH/first.json"
has "what was kept" "$token" "$(cat "$SCRATCH/first.json")"
is "at another directory" 403 "$(replay "$SCRATCH/first.json" "$elsewhere/register")"
python3 - "$SCRATCH/first.json" >"$SCRATCH/own.json" <<'P'
import json, sys
given = json.load(open(sys.argv[1]))
print(json.dumps(given | {"account": "its own", "password": "its own"}))
P
is "as one's own" 403 "$(replay "$SCRATCH/own.json" "$elsewhere/register")"
is "nothing is there" 404 "$(web -o /dev/null -w '%{http_code}' "http://$elsewhere/lookup/$token")"
is "with that password where the token is" 403 "$(replay "$SCRATCH/first.json" "$honest/reregister")"
status 0 "$BENTOCTL" reregister "${operator[@]}" "$token"
second=$(web "http://$liar/lookup/$token")
is "moved" 2 "$(member "$second" seq)"
is "the first one again" 409 "$(replay "$SCRATCH/first.json" "$liar/register")"
is "as a re-registration" 409 "$(replay "$SCRATCH/first.json" "$liar/reregister")"
has "why" "with this number or a higher one" "$(cat "$SCRATCH/answer")"
is "the entry" "$second" "$(web "http://$liar/lookup/$token")"

# Different entries to different callers: to one what is true, to another what was true once.
status 0 "$BENTOCTL" directory export --state-dir "$SCRATCH/true_face" "$SCRATCH/files"
python3 - "$SCRATCH/files/$token.json" "$SCRATCH/first.json" <<'P'
import json, sys
[first] = json.load(open(sys.argv[2]))["entries"]
first.pop("claim")
json.dump(first, open(sys.argv[1], "w"))
P
status 0 "$BENTOCTL" directory import --state-dir "$SCRATCH/false_face" "$SCRATCH/files"
lookup() { "$BENTOCTL" lookup --state-dir "$SCRATCH/$1" --socks "$CLIENT_SOCKS" "${@:2}"; }
face liar "$true_face"
status 0 lookup alice --directory "$liar" --json "$token"
is "to Alice" 2 "$(member "$out" seq)"
face liar "$false_face"
status 0 lookup bob --directory "$liar" --json "$token"
is "to Bob, who knows of nothing else" 1 "$(member "$out" seq)"
status 4 lookup alice --directory "$liar" "$token"
has "Alice has seen" "it has number 1, and number 2 was seen" "$err"
# Where both answer in time: a slow one is waited for some seconds only.
asks_both() { lookup bob --directory "$liar" --directory "$honest" --json "$token" >"$SCRATCH/both.out" 2>"$SCRATCH/both.err" &&
    grep -q "$liar shows an older entry" "$SCRATCH/both.err"; }
wait_for 120 asks_both
is "Bob, of both" 2 "$(member "$(cat "$SCRATCH/both.out")" seq)"
status 4 lookup bob --directory "$liar" "$token"
has "and Bob knows" "number 2 was seen" "$err"

# And to another an entry of somebody else's making, with another onion.
new_token "$(member "$second" onion)"
mkdir -p "$SCRATCH/accomplice/functions"
printf '{"name":"hello","code":"def hello(*a):\\n    api.send(\\"taken over\\")\\n"}' >"$SCRATCH/accomplice/functions/$token.json"
chmod -R go= "$SCRATCH/accomplice"
serve accomplice --control "$HOST_CONTROL" --directory "$liar"
theirs=$onion
face liar "$false_face"
status 0 "$BENTOCTL" register --state-dir "$SCRATCH/accomplice" "$token"
face liar "$true_face"
status 0 "$BENTOCTL" register "${operator[@]}" "$token"
share=$out
status 0 lookup alice --directory "$liar" --json "$token"
is "to Alice" "$(member "$second" onion)" "$(member "$out" onion)"
face liar "$false_face"
status 0 lookup bob --directory "$liar" --json "$token"
is "to Bob, who has the token alone" "$theirs" "$(member "$out" onion)"
status 4 lookup bob --directory "$liar" "$share"
has "Bob has a share string" "owner" "$err"
status 4 lookup alice --directory "$liar" "$token"
has "Alice has seen the owner" "owner" "$err"
two_owners() {
    local got=0
    rm -rf "$SCRATCH/carol"
    lookup carol --directory "$liar" --directory "$honest" "$token" 2>"$SCRATCH/owners.err" || got=$?
    [[ $got -eq 4 ]] && grep -q "a share string TOKEN#FINGERPRINT would tell which owner is meant" "$SCRATCH/owners.err"
}
wait_for 120 two_owners
status 0 "$BENTOCTL" open --state-dir "$SCRATCH/carol" --socks "$CLIENT_SOCKS" --directory "$liar" --directory "$honest" "$share" 'hello("Carol")'
is "Carol has a share string" "hello Carol" "$out"

# What was ended is not brought back.
face liar "$true_face"
status 0 "$BENTOCTL" unregister "${operator[@]}" "$token"
is "a registration after the end" 410 "$(replay "$SCRATCH/liar/register.json" "$liar/reregister")"
is "it is ended" 410 "$(web -o /dev/null -w '%{http_code}' "http://$liar/lookup/$token")"
