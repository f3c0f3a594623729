#!/usr/bin/env bash
# A new onion in the place of the old one, and every token stays good: the story of the thesis' Figure 3.8, at a terminal
# and from cron, with directories that are down, a key in other hands, and a server that is not there.
# SCRIPT BENTOCTL TESTNET_FILE
source "$(dirname "$0")/lib.sh"
use_testnet "$2"
printf '[directory]\nbcrypt_cost = 4\n' >"$SCRATCH/bfd.toml"
daemon directory one -c "$SCRATCH/bfd.toml" --control "$HOST_CONTROL"
one=$onion
daemon directory two -c "$SCRATCH/bfd.toml" --control "$HOST_CONTROL"
two=$onion two_pid=$server_pid
printf '[bfd]\nonions = ["%s", "%s"]\nmax_stale = "2s"\n[rotation]\ngrace = "15s"\n' "$one" "$two" >"$SCRATCH/config.toml"
with_tor=(--control "$HOST_CONTROL" -c "$SCRATCH/config.toml")
operator=(--state-dir "$SCRATCH/host" -c "$SCRATCH/config.toml")
caller=(--state-dir "$SCRATCH/caller" --socks "$CLIENT_SOCKS" -c "$SCRATCH/config.toml")

host() { "$BENTOCTL" "$@" "${operator[@]}"; }
keys() { find "$SCRATCH/host/onions" -type f | wc -l; }
shows() { member "$("$BENTOCTL" lookup "${caller[@]}" --directory "$1" --json "$token")" onion; }
call() { "$BENTOCTL" open "${caller[@]}" "$token" 'hello("caller")'; }

status 5 "$BENTOCTL" rotate --state-dir "$SCRATCH/never"
has "nothing to rotate" "no server has run in this state directory" "$err"

serve host "${with_tor[@]}"
first=$onion host_pid=$server_pid
printf 'def hello(name="world"):\n    api.send("hello " + name)\n' >"$SCRATCH/hello.py"
status 0 "$BENTOCTL" store "${caller[@]}" --onion "$first" "$SCRATCH/hello.py"
token=$out
status 0 host register "$token"
is "a call by token" "hello caller" "$(call)"

# What would be done, and what need not be.
status 0 host rotate --dry-run
is "the steps" "make a key and write its file
publish the new onion, and reach it through Tor
register 1 tokens at 2 directories, and look up what they show
after 15s end the old onion, and remove its key" "$out"
status 0 host rotate --if-older 7d
is "not due, and silent" "" "$out$err"
status 2 host rotate --grace 1s
has "too short a grace" "below 2s" "$err"

# Figure 3.8: the server makes a new onion, and the directories move Token_X to it.
status 0 host rotate --json
is "old" "$first" "$(member "$out" old)"
second=$(member "$out" new)
is "tokens" 1 "$(member "$out" tokens)"
is "completed" True "$(member "$out" completed)"
for step in "uploading its descriptors" "reaching the new onion" "telling the directories"; do
    has "progress" "$step" "$err"
done
is "the first directory" "$second" "$(shows "$one")"
is "the second directory" "$second" "$(shows "$two")"
is "both answer" "current retiring" "$(onions)"
is "by the token" "hello caller" "$(call)"
for address in "$first" "$second"; do
    status 0 "$BENTOCTL" open "${caller[@]}" --onion "$address" "$token" 'hello()'
    is "by either onion" "hello world" "$out"
done
wait_for 30 alone
is "one key is left" 1 "$(keys)"
status 0 host status
[[ $out != *"$second"* ]] || fail "status tells the address to a file"

# The same in the thesis' own words, an entry without an owner: the password decides.
web() { curl --silent --show-error --max-time 60 --socks5-hostname "$CLIENT_SOCKS" "$@"; }
x=11111111-2222-4333-8444-555555555555
entry() { printf '{"token":"%s","name":"x","code":"def x(): pass","onion":"%s","password":"%s"}' "$x" "$1" "$2"; }
code_of() { web -o /dev/null -w '%{http_code}' --json "$2" "http://$one/$1"; }
is "Token_X is registered" 201 "$(code_of register "$(entry "$first" right)")"
is "with the wrong password" 403 "$(code_of reregister "$(entry "$second" wrong)")"
is "it stays" "$first" "$(member "$(web "http://$one/lookup/$x")" onion)"
is "with the right password" 200 "$(code_of reregister "$(entry "$second" right)")"
is "it moves" "$second" "$(member "$(web "http://$one/lookup/$x")" onion)"

# Two at once are one.
host rotate --json >"$SCRATCH/a.out" 2>"$SCRATCH/a.err" &
a=$!
status 0 host rotate --json
wait "$a"
is "the same new onion" "$(member "$(cat "$SCRATCH/a.out")" new)" "$(member "$out" new)"
third=$(member "$out" new)
is "by the token" "hello caller" "$(call)"

# One directory is down: it is told later, and until then the old onion answers.
kill "$two_pid" && wait "$two_pid" || true
status 75 host rotate --json --timeout 4m
is "not completed" False "$(member "$out" completed)"
has "which one" "$two does not know of it yet" "$err"
fourth=$(member "$out" new)
is "the first directory" "$fourth" "$(shows "$one")"
daemon directory two -c "$SCRATCH/bfd.toml" --control "$HOST_CONTROL"
is "the directory is back" "$two" "$onion"
told() { [[ $(shows "$two" 2>/dev/null) == "$fourth" ]]; }
wait_for 120 told
wait_for 60 alone
is "one key is left" 1 "$(keys)"

# The key is in other hands.
status 0 host rotate --compromised --json
is "old" "$fourth" "$(member "$out" old)"
fifth=$(member "$out" new)
is "nothing of the old one" current "$(onions)"
is "no key of the old one" 1 "$(keys)"
is "callers are to ask first" True "$(member "$(web "http://$one/lookup/$token")" ask_first)"
is "by the token" "hello caller" "$(call)"

# Without a server the request waits for one.
kill -9 "$host_pid" && wait "$host_pid" || true
status 75 host rotate
has "told" "bentoctl serve does not run; it begins with it as it starts: the rotation is not finished" "$err"
serve host "${with_tor[@]}"
host_pid=$server_pid
moved() { [[ $(shows "$one") != "$fifth" ]]; }
wait_for 60 moved
is "by the token" "hello caller" "$(call)"

# A damaged journal stops it, and nothing is lost.
kill "$host_pid" && wait "$host_pid" || true
cp "$SCRATCH/host/rotation.json" "$SCRATCH/kept"
head -c 50 "$SCRATCH/kept" >"$SCRATCH/host/rotation.json"
status 1 "$BENTOCTL" serve "${with_tor[@]}" --state-dir "$SCRATCH/host"
has "damaged" "rotation.json" "$err"
has "what to do" "move it away" "$err"
cp "$SCRATCH/kept" "$SCRATCH/host/rotation.json"
serve host "${with_tor[@]}"
wait_for 60 alone
is "one key is left" 1 "$(keys)"
is "by the token" "hello caller" "$(call)"
