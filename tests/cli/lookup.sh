#!/usr/bin/env bash
# A token is all one needs: registered at directories that are onions, found there, called, even after the server has
# moved; and the directories that lie about it, after the thesis' Figure 3.7.
# SCRIPT BENTOCTL TESTNET_FILE
source "$(dirname "$0")/lib.sh"
use_testnet "$2"
printf '[directory]\nbcrypt_cost = 4\n' >"$SCRATCH/bfd.toml"

daemon directory one -c "$SCRATCH/bfd.toml" --control "$HOST_CONTROL"
one=$onion
daemon directory two -c "$SCRATCH/bfd.toml" --control "$HOST_CONTROL"
two=$onion two_pid=$server_pid
printf '[bfd]\nonions = ["%s", "%s"]\n' "$one" "$two" >"$SCRATCH/bfd-client.toml"
host=(--control "$HOST_CONTROL" -c "$SCRATCH/bfd-client.toml")
serve host "${host[@]}"
first=$onion host_pid=$server_pid
operator=(--state-dir "$SCRATCH/host")
caller=(--state-dir "$SCRATCH/caller" --socks "$CLIENT_SOCKS" -c "$SCRATCH/bfd-client.toml")
author=(--state-dir "$SCRATCH/author" --socks "$CLIENT_SOCKS" -c "$SCRATCH/bfd-client.toml")

# An author stores and registers with nothing but what was kept from storing (T20, T21).
printf 'def hello(name="world"):\n    api.send("hello " + name)\n' >"$SCRATCH/hello.py"
status 0 "$BENTOCTL" store "${author[@]}" --onion "$first" "$SCRATCH/hello.py"
token=$out
status 5 "$BENTOCTL" lookup "${caller[@]}" "$token"
has "not registered" "no directory has an entry" "$err"
status 0 "$BENTOCTL" register "${author[@]}" "$token"
share=$out
has "the share string" "$token#" "$share"
is "files of the author for others" "" "$(find "$SCRATCH/author" -type f -perm /077)"

# A caller has the token and nothing else (T19, T32).
status 0 "$BENTOCTL" lookup "${caller[@]}" --json "$token"
is "the onion" "$first" "$(member "$out" onion)"
is "the name" "hello" "$(member "$out" name)"
is "the code" "$(cat "$SCRATCH/hello.py")" "$(member "$out" code)"
is "the first look-up" "first" "$(member "$out" change)"
is "the number" 1 "$(member "$out" seq)"
is "the fingerprint" "${share#*#}" "$(member "$out" fingerprint)"
status 0 "$BENTOCTL" lookup "${caller[@]}" --code "$share"
is "the code alone" "$(cat "$SCRATCH/hello.py")" "$out"
status 0 "$BENTOCTL" open "${caller[@]}" "$token" 'hello("caller")'
is "called by its token" "hello caller" "$out"
echo "$share" >"$SCRATCH/share"
status 0 "$BENTOCTL" open "${caller[@]}" --check-code "@$SCRATCH/share" 'hello()'
is "by its share string, from a file" "hello world" "$out"
status 4 "$BENTOCTL" lookup "${caller[@]}" "$token#aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
has "another owner" "owner" "$err"

# A directory that goes back to what was true once, which the caller has seen to change.
status 0 "$BENTOCTL" directory export --state-dir "$SCRATCH/two" "$SCRATCH/before"
status 0 "$BENTOCTL" directory import --state-dir "$SCRATCH/liar" "$SCRATCH/before"
status 0 "$BENTOCTL" reregister "${operator[@]}" "$token"
status 0 "$BENTOCTL" lookup "${caller[@]}" --json "$token"
is "renewed" "2 owner-signed" "$(member "$out" seq) $(member "$out" change)"
daemon directory liar -c "$SCRATCH/bfd.toml" --control "$HOST_CONTROL"
liar=$onion
status 4 "$BENTOCTL" lookup "${caller[@]}" --directory "$liar" "$token"
has "what it shows" "it has number 1, and number 2 was seen" "$err"
# A new caller who asks both is told, where both answer in time: a slow one is waited for some seconds only.
two_answers() {
    rm -rf "$SCRATCH/new-caller"
    "$BENTOCTL" lookup --state-dir "$SCRATCH/new-caller" --socks "$CLIENT_SOCKS" --directory "$liar" --directory "$one" \
        --json "$token" >"$SCRATCH/two.json" 2>"$SCRATCH/two.told" && grep -q "$liar shows an older entry" "$SCRATCH/two.told"
}
wait_for 120 two_answers
is "who asks two" 2 "$(member "$(cat "$SCRATCH/two.json")" seq)"

# Somebody who has heard of a token registers it first, at one directory, for an onion of his own.
status 0 "$BENTOCTL" store "${author[@]}" --onion "$first" "$SCRATCH/hello.py"
second_token=$out
mkdir -p "$SCRATCH/squatter/functions"
printf '{"name":"hello","code":"def hello(*a):\\n    api.send(\\"taken over\\")\\n"}' >"$SCRATCH/squatter/functions/$second_token.json"
chmod -R go= "$SCRATCH/squatter"
serve squatter --control "$HOST_CONTROL" --directory "$two"
status 0 "$BENTOCTL" register --state-dir "$SCRATCH/squatter" "$second_token"
status 0 "$BENTOCTL" register "${operator[@]}" "$second_token"
second_share=$out
has "the owner is told" "directory $two: somebody else has registered this token there" "$err"
two_owners() {
    rm -rf "$SCRATCH/new-caller"
    local got=0
    "$BENTOCTL" lookup --state-dir "$SCRATCH/new-caller" --socks "$CLIENT_SOCKS" --directory "$one" --directory "$two" \
        "$second_token" 2>"$SCRATCH/owners.told" || got=$?
    [[ $got -eq 4 ]] && grep -q "a share string TOKEN#FINGERPRINT would tell which owner is meant" "$SCRATCH/owners.told"
}
wait_for 120 two_owners
status 0 "$BENTOCTL" open "${caller[@]}" --check-code "$second_share" 'hello("friend")'
is "the share string tells" "hello friend" "$out"

# The operator's side.
status 0 "$BENTOCTL" functions list "${operator[@]}"
has "the list" "$token" "$out"
has "registered" "yes" "$out"
status 0 "$BENTOCTL" functions show "${operator[@]}" "$token"
is "its code" "$(cat "$SCRATCH/hello.py")" "$out"
status 0 "$BENTOCTL" reregister "${operator[@]}" "$token"
is "the same share string" "$share" "$out"
status 0 "$BENTOCTL" status "${operator[@]}" --json
is "registrations" 2 "$(member "$out" registrations)"
is "onion" "$first" "$(python3 -c 'import json,sys; print(json.loads(sys.argv[1])["onions"][0]["onion"])' "$out")"
status 0 "$BENTOCTL" status "${operator[@]}"
[[ $out != *"$first"* ]] || fail "status tells the address to a file"
status 75 "$BENTOCTL" serve "${host[@]}" --state-dir "$SCRATCH/host"
status 3 "$BENTOCTL" status --state-dir "$SCRATCH/none"
has "what to do" "bentoctl serve" "$err"

# The machine is lost and its onion with it: the owner secret moves the token to another (Figure 3.8), while one
# directory is down, which is told and completed later.
kill "$two_pid" && wait "$two_pid" || true
kill "$host_pid" && wait "$host_pid" || true
mv "$SCRATCH/host/onions" "$SCRATCH/stolen"
serve host "${host[@]}" --timeout 2m
second=$onion
[[ $second != "$first" ]] || fail "the onion is the same"
moved() { "$BENTOCTL" lookup "${caller[@]}" --json "$token" 2>/dev/null | grep -q "$second"; }
wait_for 60 moved
status 0 "$BENTOCTL" lookup "${caller[@]}" --json "$token"
is "after the move" "same" "$(member "$out" change)"
status 0 "$BENTOCTL" open "${author[@]}" "$token" 'hello("again")'
is "called after the move" "hello again" "$out"
daemon directory two -c "$SCRATCH/bfd.toml" --control "$HOST_CONTROL"
is "the directory is back" "$two" "$onion"

# Figure 3.7: who has the old onion's key answers there, for the same token, with other code. The directory moved it.
status 0 "$BENTOCTL" reregister "${operator[@]}" "$token"
mkdir -p "$SCRATCH/thief/functions"
mv "$SCRATCH/stolen" "$SCRATCH/thief/onions"
printf '{"name":"hello","code":"def hello(*a):\\n    api.send(\\"stolen\\")\\n"}' >"$SCRATCH/thief/functions/$token.json"
chmod -R go= "$SCRATCH/thief"
serve thief "${host[@]}"
is "the thief's onion" "$first" "$onion"
status 0 "$BENTOCTL" open "${caller[@]}" "$token" 'hello("caller")'
is "the caller is not fooled" "hello caller" "$out"
status 4 "$BENTOCTL" register --state-dir "$SCRATCH/thief" "$token"
has "the thief cannot register it" "somebody else has registered this token" "$err"

# What was ended stays ended.
status 0 "$BENTOCTL" functions delete "${operator[@]}" "$token"
ended() { [[ $("$BENTOCTL" lookup "${caller[@]}" "$token" 2>&1) == *ended* ]]; }
wait_for 60 ended
status 5 "$BENTOCTL" lookup "${caller[@]}" "$token"
status 5 "$BENTOCTL" functions show "${operator[@]}" "$token"
