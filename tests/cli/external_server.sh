#!/usr/bin/env bash
# A gateway before a Bento server that is not ours: what the public reference can do works through it, and what that cannot is
# said. With BENTO_REFERENCE=HOST:PORT the server that answers there takes the place of the small one of tests/support.
source "$(dirname "$0")/lib.sh"

if [[ -n ${BENTO_REFERENCE:-} ]]; then
    server=$BENTO_REFERENCE
else
    python3 "$(dirname "$0")/../support/reference_server.py" >"$SCRATCH/port" 2>"$SCRATCH/reference.err" &
    children+=("$!")
    wait_for 10 has_lines 1 . "$SCRATCH/port"
    server=127.0.0.1:$(cat "$SCRATCH/port")
fi
printf '[gateway]\nserver = "%s"\n' "$server" >"$SCRATCH/host.toml"
serve host --no-onion -c "$SCRATCH/host.toml"

# post PATH BODY: the answer, and its status on a line of its own
post() { curl --silent --show-error --max-time 60 -w '\n%{http_code}' --json "$2" "http://$listen$1"; }
json() { python3 -c 'import json,sys; print(json.dumps(dict(a.split("=",1) for a in sys.argv[1:])))' "$@"; }

code='def count(n):
    for i in range(n): api.send(str(i))

def talk():
    while True:
        said = api.recv()
        if said == b"stop": return "bye"
        api.send(b"you said " + said)

import time
def much(n, size):
    for i in range(n):
        api.send("x" * size)
        time.sleep(.02)
    api.send("done")
'
token=$(member "$(post /store "$(json name=talk "code=$code")" | head -n 1)" token)
call() { json "token=$token" "call=$1" "${@:2}"; }

has "every output" $'"outputs":["0","1","2"],"ended":true}\n\n200' "$(post /open "$(call 'count(3)' mode=all)")"
is "the first output" $'0\n200' "$(post /open "$(call 'count(3)')")"
has "a failure is the function's" '"type":"function-error"' "$(post /exec "$(call 'nothing()')")"
has "its words" "name 'nothing' is not defined" "$(post /exec "$(call 'nothing()')")"
has "an unknown token" '"type":"unknown-token"' "$(post /open '{"token":"7e620807-59fd-498d-94f9-1722672411ab","call":"f()"}')"

# Started in one request, talked to in others, read without loss or repeats.
id=$(member "$(post /exec "{\"token\":\"$token\",\"call\":\"talk()\",\"detach\":true}" | head -n 1)" function_id)
for word in one two three; do is "input" $'\n204' "$(post /input "$(json "function_id=$id" "data=$word")")"; done
has "read by another" '"outputs":["you said one"]' "$(post /open "{\"function_id\":\"$id\",\"mode\":\"all\",\"messages\":1}")"
has "read on" '"outputs":["you said two","you said three"]' \
    "$(post /open "{\"function_id\":\"$id\",\"mode\":\"all\",\"messages\":2}")"

# What this server cannot do, said.
refused=$(post /close "$(json "function_id=$id")")
has "closing for good" '"type":"cannot-end"' "$refused"
has "and its status" $'\n501' "$refused"
has "deleting" '"type":"cannot-delete"' "$(post /delete "$(json "token=$token" "owner_token=$token")")"
page=$(curl --silent "http://$listen/")
has "the page tells the paths" "POST /open" "$page"
for absent in /close /delete sandbox; do [[ $page != *"$absent"* ]] || fail "the page tells of $absent"; done
is "input after all" $'\n204' "$(post /input "$(json "function_id=$id" data=stop)")"
has "its end" '"outputs":["bye"],"ended":true' "$(post /open "{\"function_id\":\"$id\",\"mode\":\"all\"}")"
is "what has ended can be closed" $'\n204' "$(post /close "$(json "function_id=$id")")"

# The server drops what is not taken when a function ends: the gateway takes it as it comes, however slowly its caller reads.
lines=$(curl --silent --limit-rate 4M --max-time 60 \
    --json "{\"token\":\"$token\",\"call\":\"much(40, 262144)\",\"mode\":\"stream\"}" "http://$listen/open" | wc -l)
is "a slow reader has everything" 43 "$lines"

# By the program's own client, too.
printf '%s' "$code" >"$SCRATCH/talk.py"
status 0 "$BENTOCTL" store --server "$server" "$SCRATCH/talk.py"
status 0 "$BENTOCTL" open --server "$server" "$out" 'count(2)'
is "open" 01 "$out"
