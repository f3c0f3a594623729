#!/usr/bin/env bash
# The gateway before the real box, without tor: what the thesis promises of its paths, each by its checklist id.
source "$(dirname "$0")/lib.sh"

cat >"$SCRATCH/tracker.py" <<'P'
# The website tracker of section 3.2.4, its site a clock that changes every second.
import time

def track(site, every=1.0):
    seen = 0
    while True:
        seen += 1
        api.send("%s changed %d" % (site, seen))
        time.sleep(every)

def hello(): api.send("hello world")
def fail(): raise RuntimeError("no luck")
def slow(): time.sleep(3600)
P
config() { printf '%s\n' "$@" >"$SCRATCH/host.toml"; }
config '[gateway]' 'deadline = "20s"'
serve host --no-onion -c "$SCRATCH/host.toml"
box=unix:$SCRATCH/host/box.sock
web() { curl --silent --show-error --max-time 60 "$@"; }
# post PATH BODY: the answer, and its status on a line of its own
post() { web -w '\n%{http_code}' --json "$2" "http://$listen$1"; }
code() { web -o /dev/null -w '%{http_code}' "$@"; }
json() { python3 -c 'import json,sys; print(json.dumps(dict(a.split("=",1) for a in sys.argv[1:])))' "$@"; }
the_function() { json name=tracker "code=$(cat "$SCRATCH/tracker.py")" "$@"; }

# FW1: at a terminal it is like a program of this machine's: a line in, a line out, each as it comes.
cat >"$SCRATCH/echo.py" <<'P'
def talk():
    while True:
        said = api.recv()
        if said == b"stop": return "bye"
        api.send(b"you said " + said)
P
status 0 "$BENTOCTL" store --server "$box" "$SCRATCH/echo.py"
python3 - "$BENTOCTL" open --server "$box" "$out" 'talk()' <<'P' || fail "a terminal's function"
import os, pty, sys
child, terminal = pty.fork()
if child == 0: os.execv(sys.argv[1], sys.argv[1:])
seen = b""
for line, answer in ((b"one\n", b"you said one\r\n"), (b"two\n", b"you said two\r\n"), (b"stop\n", b"bye\r\n")):
    os.write(terminal, line)
    while not seen.endswith(answer): seen += os.read(terminal, 1024)
assert os.waitpid(child, 0)[1] == 0
P

# T5: nothing but loopback, whatever the operator writes.
status 2 "$BENTOCTL" serve --no-onion --listen 0.0.0.0:0 --state-dir "$SCRATCH/open"
has "T5" "this machine only" "$err"
[[ -z $(ss -Hltnp | grep "pid=$server_pid," | grep -v ' 127\.0\.0\.1:') ]] || fail "T5: it listens elsewhere"
is "T5: the box's socket" 600 "$(stat -c %a "$SCRATCH/host/box.sock")"

# T1, T9: stored by one road, run by the other.
token=$(member "$(post /store "$(the_function)" | head -n 1)" token)
[[ $token =~ ^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$ ]] || fail "T9: $token is no uuid4"
status 1 "$BENTOCTL" open --server "$box" "$token" 'fail()'
has "T1, T9: the Bento protocol beside it" "no luck" "$err"
status 0 "$BENTOCTL" store --server "$box" "$SCRATCH/tracker.py"
is "T9: the other way" $'a changed 1\n200' "$(post /open "$(json "token=$out" "call=track('a')")")"

# T6: a page for a person and one for programs, the same bytes for everybody.
web "http://$listen/" -D "$SCRATCH/head" >"$SCRATCH/page"
web "http://$listen/" --http1.0 -A "another browser" -H 'Accept-Language: de' -H 'Cookie: a=b' >"$SCRATCH/page2"
cmp "$SCRATCH/page" "$SCRATCH/page2" || fail "T6: the page depends on who asks"
if grep -qi '<script\|src=\|<link\|@import\|url(' "$SCRATCH/page"; then fail "T6: a script or a remote resource"; fi
grep -qi '^Content-Type: text/html' "$SCRATCH/head" || fail "T6: no HTML"
paths=$(web -H 'Accept: application/json' "http://$listen/")
for path in "GET /" "POST /store" "POST /exec" "POST /open" "POST /input" "POST /close" "GET /session" "GET /policy"; do
    has "T6" "\"$path\"" "$paths"
done
is "HEAD" 200 "$(code --head "http://$listen/")"

# T7: what is wrong is told, with its status and its member.
is "T7: GET" 405 "$(code "http://$listen/exec")"
has "T7: no JSON" $'\n400' "$(post /exec 'x')"
has "T7: a member" '\"call\" is missing' "$(post /exec "$(json "token=$token")")"
head -c 1200000 /dev/zero | tr '\0' ' ' >"$SCRATCH/large"
is "T7: too large" 413 "$(code --json "@$SCRATCH/large" "http://$listen/store")"
is "T7: no JSON type" 415 "$(code -H 'Content-Type: text/plain' -d '{}' "http://$listen/exec")"

# T10: success or failure when it has ended; a deadline names the run.
has "T10" '"type":"function-error"' "$(post /exec "$(json "token=$token" 'call=fail()')")"
late=$(post /exec "{\"token\":\"$token\",\"call\":\"slow()\",\"seconds\":1}")
has "T10: the deadline" $'\n504' "$late"
has "T10: it can be ended" $'\n204' "$(post /close "$(json "function_id=$(member "$(head -n 1 <<<"$late")" function_id)")")"

# T41: what a call costs in bytes by each mode is what the manual says of it, within a tenth.
manual=$(tr '\n' ' ' <"$(dirname "$0")/../../man/bentoctl-gateway.7")
[[ $manual =~ "output has 11 bytes takes "[0-9]+" bytes of request and "([0-9]+)" of answer by .Li first , "([0-9]+)" by .Li all , "([0-9]+)" by .Li stream" ]] ||
    fail "T41: the manual does not tell"
python3 - "${listen##*:}" "$token" "${BASH_REMATCH[@]:1}" <<'P' || fail "T41: the manual says something else"
import json, socket, sys
port, token, *said = sys.argv[1:]
for mode, end, bytes_said in zip(("first", "all", "stream"), (b"hello world", b"true}\n", b"\r\n0\r\n\r\n"), map(int, said)):
    body = json.dumps({"token": token, "call": "hello()", "mode": mode})
    with socket.create_connection(("127.0.0.1", int(port))) as s:
        s.sendall(f"POST /open HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        answer = b""
        while not answer.endswith(end): answer += s.recv(4096)
    print(mode, len(answer), "bytes, the manual says", bytes_said)
    assert abs(len(answer) - bytes_said) <= bytes_said / 10, answer
P

# T13: the tracker, a path of the operator's by configuration alone, read again while it serves.
config '[gateway]' 'deadline = "20s"' 'store = false' '[[route]]' 'path = "/tracker"' "token = \"$token\"" 'call = "track"' \
    'arguments = { site = "string", every = "number?" }' 'collect_seconds = 5'
kill -HUP "$server_pid"
listed() { [[ $(web "http://$listen/") == *"POST /tracker"* ]]; }
wait_for 10 listed
tracked=$(post /tracker '{"site":"example.org"}')
python3 - "$(head -n 1 <<<"$tracked")" <<'P' || fail "T13: $tracked"
import json, sys
outputs = json.loads(sys.argv[1])["outputs"]
assert 4 <= len(outputs) <= 6 and outputs == ["example.org changed %d" % (i + 1) for i in range(len(outputs))], outputs
P
has "T13: its arguments" 'the member \"site\" is no string' "$(post /tracker '{"site":1}')"
has "T13: and no others" 'no argument of this path' "$(post /tracker '{"site":"a","code":"x"}')"

# T14: taken away and not told of; and no way to other code than what is stored.
has "T14: no store" $'\n404' "$(post /store "$(the_function)")"
[[ $(web "http://$listen/") != *"/store"* ]] || fail "T14: the page tells of /store"
for call in '__import__("os").getpid()' 'fail.__globals__' 'track(open("/etc/passwd").read())' 'fail() or 1' 'eval("1")()'; do
    has "T14: $call" $'\n422' "$(post /open "$(json "token=$token" "call=$call")")"
done

# T39: only who has the operator's credential stores; or only the operator, by the box's own socket.
printf 'open sesame\n' >"$SCRATCH/credential"
config '[box]' 'store_who = "credential"' "store_credential_file = \"$SCRATCH/credential\""
kill -HUP "$server_pid"
refused() { [[ $(post /store "$(the_function "$@")") == *not-authorised*403 ]]; }
wait_for 10 refused
refused "credential=open" || fail "T39: a wrong credential"
has "T39: the right one" $'\n200' "$(post /store "$(the_function 'credential=open sesame')")"
has "T39: said on the page" "needs a credential" "$(web "http://$listen/")"
config '[box]' 'store_who = "operator"'
kill -HUP "$server_pid"
wait_for 10 refused 'credential=open sesame'
status 0 "$BENTOCTL" store --server "$box" "$SCRATCH/tracker.py"
config '[box]' 'store_who = "credential"' 'store_credential_file = "/nonexistent"'
kill -HUP "$server_pid"
wait_for 10 has_lines 1 "going on as before" "$SCRATCH/host.err"
refused || fail "T39: a configuration that cannot be read opened the store"

# What no answer tells: the time, the program, the host and its paths.
if tr -d '\r' <"$SCRATCH/head" | sed '/^$/d' |
    grep -vi '^\(HTTP/1.1 200 OK$\|Content-Type:\|Content-Length:\|Cache-Control:\)'; then
    fail "a field that is not needed"
fi
for answer in "$(post /exec 'x')" "$(post /open "$(json "token=$token" 'call=fail()')")" "$(post /nothing '{}')"; do
    for secret in "$SCRATCH" "$(uname -n)" "$(uname -r)" bentoctl python3 "$(id -un)"; do
        [[ $answer != *"$secret"* ]] || fail "an answer tells $secret: $answer"
    done
done
for secret in "$token" "$listen" "open sesame"; do
    if grep -qF "$secret" "$SCRATCH/host.err"; then fail "the log tells $secret"; fi
done
