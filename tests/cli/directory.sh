#!/usr/bin/env bash
# A directory as its users meet it: over Tor, by the thesis' own bodies; what it keeps, what it refuses, what it exports.
# SCRIPT BENTOCTL TESTNET_FILE
source "$(dirname "$0")/lib.sh"
use_testnet "$2"
printf '[directory]\nbcrypt_cost = 4\n' >"$SCRATCH/config.toml"

# T18: an onion and loopback, nothing else.
daemon directory bfd -c "$SCRATCH/config.toml" --control "$HOST_CONTROL"
has "the onion" ".onion" "$onion"
has "it listens on loopback" "127.0.0.1:" "$listen"
sockets=$(ss -Hltnp | grep "pid=$server_pid,")
is "sockets that listen" 1 "$(wc -l <<<"$sockets")"
has "the one that does" "$listen" "$sockets"
has "a weak cost is told" "bcrypt_cost is below 12" "$(cat "$SCRATCH/bfd.err")"

web() { curl --silent --show-error --max-time 60 --socks5-hostname "$CLIENT_SOCKS" "$@"; }
code_of() { web -o "$SCRATCH/answer" -w '%{http_code}' "$@"; }
token=7e620807-59fd-498d-94f9-1722672411ab
registration() { printf '{"token":"%s","name":"hello","code":"def hello():\\n    api.send(1)\\n","onion":"%s","password":"%s"}' "$@"; }
# T12, T17, T19, T21, T25: from another Tor client, by the token alone.
is "nothing yet" 404 "$(code_of "http://$onion/lookup/$token")"
is "register" 201 "$(code_of --json "$(registration $token "$onion" right)" "http://$onion/register")"
is "a second comer" 409 "$(code_of --json "$(registration $token "$onion" other)" "http://$onion/register")"
is "look-up" 200 "$(code_of "http://$onion/lookup/$token")"
is "what it says" "hello" "$(member "$(cat "$SCRATCH/answer")" name)"
[[ $(cat "$SCRATCH/answer") != *password* ]] || fail "the password is shown"
moved=aoqqpp7tzyil4hlq3umoos6atft6jvrqtosq2xy53sdgiesvgg4bqead.onion
is "a wrong password" 403 "$(code_of --json "{\"token\":\"$token\",\"onion\":\"$moved\",\"password\":\"wrong\"}" "http://$onion/reregister")"
is "re-register" 200 "$(code_of --json "{\"token\":\"$token\",\"onion\":\"$moved\",\"password\":\"right\"}" "http://$onion/reregister")"
has "the page" "<h1>A Bento Function Directory</h1>" "$(web "http://$onion/")"
has "the form" "$moved" "$(web "http://$onion/lookup?token=$token")"

# T24: the hashes are apart, and nobody else can read any of it.
has "the hashes" '$2b$04$' "$(strings -n 7 "$SCRATCH"/bfd/directory-passwords.db*)"
! strings -n 4 "$SCRATCH"/bfd/directory.db* | grep -qE '\$2b|right' || fail "a password or its hash is among the entries"
is "files for others" "" "$(find "$SCRATCH/bfd" -maxdepth 1 -type f -perm /077)"

# SIGHUP: quotas change at once, and a configuration that is wrong changes nothing.
printf '[directory]\nbcrypt_cost = 4\nmax_code = "10"\n' >"$SCRATCH/config.toml"
kill -HUP "$server_pid"
second=0c7bd6ec-64e3-4b1e-b62a-4b8e6ba72e20
too_large() { [[ $(code_of --json "$(registration $second "$moved" x)" "http://$onion/register") == 413 ]]; }
wait_for 10 too_large
printf '[directory]\nmax_code = 10\n' >"$SCRATCH/config.toml"
kill -HUP "$server_pid"
wait_for 10 has_lines 1 "going on as before" "$SCRATCH/bfd.err"
too_large || fail "a wrong configuration changed something"

# One JSON file a token, while it runs; into another directory, without what does not hold.
printf '[directory]\nbcrypt_cost = 4\n' >"$SCRATCH/config.toml"
status 0 "$BENTOCTL" directory export --json --state-dir "$SCRATCH/bfd" "$SCRATCH/files"
is "exported" '{"entries":1}' "$out"
is "the file" "$moved" "$(member "$(cat "$SCRATCH/files/$token.json")" onion)"
echo '{}' >"$SCRATCH/files/$second.json"
status 4 "$BENTOCTL" directory import --state-dir "$SCRATCH/other" "$SCRATCH/files"
has "what was refused" "$second.json" "$err"
has "what was taken" "1 entries taken" "$err"
rm "$SCRATCH/files/$second.json"
status 0 "$BENTOCTL" directory import --json --state-dir "$SCRATCH/other" "$SCRATCH/files"
is "the second time" '{"taken":0,"present":1,"refused":[]}' "$out"
status 5 "$BENTOCTL" directory export --state-dir "$SCRATCH/none" "$SCRATCH/files"

# The address and the entries stay; one state directory, one directory.
status 75 "$BENTOCTL" directory --state-dir "$SCRATCH/bfd" --no-onion
first=$onion
kill -TERM "$server_pid"
stopped=0
wait "$server_pid" || stopped=$?
is "SIGTERM" 0 "$stopped"
daemon directory bfd -c "$SCRATCH/config.toml" --control "$HOST_CONTROL"
is "the address after a restart" "$first" "$onion"
is "the entry after a restart" 200 "$(code_of "http://$onion/lookup/$token")"

# Without an onion it has the name it is told, and what is wrong is told before anything begins.
daemon directory alone --no-onion
is "no onion" "None" "$onion"
has "the page" "Function Directory" "$(curl --silent "http://$listen/")"
status 2 "$BENTOCTL" directory --state-dir "$SCRATCH/x" --no-onion --listen 192.0.2.1:80
has "another machine" "listens on this machine only" "$err"
status 2 "$BENTOCTL" directory --state-dir "$SCRATCH/x" --name directory.onion
