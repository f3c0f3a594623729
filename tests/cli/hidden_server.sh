#!/usr/bin/env bash
# The whole line by hand: a server on the host's tor, an author and a caller on the client's, nothing between but Tor. A token
# and an address given by hand are all that a caller has (T40): no directory runs. Also T4, T8, T11, T16.
source "$(dirname "$0")/lib.sh"
use_testnet "$2"

serve host --control "$HOST_CONTROL"
has "the onion" ".onion" "$onion"
has "with another's tor the gateway listens on loopback" "127.0.0.1:" "$listen"
to=(--onion "$onion" --socks "$CLIENT_SOCKS")

cat >"$SCRATCH/hello.py" <<'P'
def hello():
    api.send("hello world")
P
cat >"$SCRATCH/echo.py" <<'P'
def echo(text, times=1):
    for i in range(times):
        api.send(text)
P
status 0 "$BENTOCTL" store "${to[@]}" "$SCRATCH/hello.py"
hello=$out
status 0 "$BENTOCTL" store "${to[@]}" --json "$SCRATCH/echo.py"
echo=$(member "$out" token)

# T40: token and onion handed on by hand, without any directory.
status 0 "$BENTOCTL" open "${to[@]}" "$hello" 'hello()'
is "open" "hello world" "$out"
status 0 "$BENTOCTL" exec "${to[@]}" "$hello" 'hello()'
is "exec prints nothing" "" "$out$err"
printf '%s\n' "$echo" >"$SCRATCH/token"
status 0 "$BENTOCTL" open "${to[@]}" --json "@$SCRATCH/token" 'echo("a", times=2)'
is "one object an output" $'{"data":"a"}\n{"data":"a"}' "$out"

# What can go wrong, each with its sentence and status.
echo 'def f(:' >"$SCRATCH/bad.py"
status 0 "$BENTOCTL" store "${to[@]}" "$SCRATCH/bad.py"
status 1 "$BENTOCTL" open "${to[@]}" "$out" 'f()'
has "a syntax error reaches the caller" "invalid syntax (<inline>, line 1)" "$err"
status 1 "$BENTOCTL" exec "${to[@]}" "$hello" 'bye()'
has "an error of the call reaches the caller" "name 'bye' is not defined" "$err"
status 2 "$BENTOCTL" open "${to[@]}" "$hello" '__import__("os").getpid()'
has "a call is a name and literals" "not name(literals...)" "$err"
status 5 "$BENTOCTL" open "${to[@]}" 3f0c5b0e-0d7e-4d1c-9a51-6a3f0a3d9f9b 'f()'
has "an unknown token" "no function is stored under this token" "$err"
mistyped=$(echo "$onion" | tr 'a2' 'b3')
status 2 "$BENTOCTL" open --onion "$mistyped" --socks "$CLIENT_SOCKS" "$hello" 'hello()'
has "a mistyped address" "mistyped" "$err"
unpublished=aoqqpp7tzyil4hlq3umoos6atft6jvrqtosq2xy53sdgiesvgg4bqead.onion
status 3 "$BENTOCTL" open --onion "$unpublished" --socks "$CLIENT_SOCKS" "$hello" 'hello()'
head -c 2000000 /dev/zero | tr '\0' '#' >"$SCRATCH/large.py"
status 2 "$BENTOCTL" store "${to[@]}" "$SCRATCH/large.py"
has "too large a body" "too large" "$err"

# An ordinary client: every mode (T11), the thesis' bodies (T8), the page.
web() { curl --silent --show-error --max-time 60 --socks5-hostname "$CLIENT_SOCKS" "$@"; }
post() { web --json "$2" "http://$onion$1"; }
is "the thesis' body" "hello world" "$(post /open "{\"0\":\"$hello\",\"1\":\"hello()\"}")"
has "mode all" '"outputs":["b","b"],"ended":true' "$(post /open "{\"token\":\"$echo\",\"call\":\"echo('b', 2)\",\"mode\":\"all\"}")"
has "mode stream" $'{"data":"c"}\n{"ended":true}' "$(post /open "{\"token\":\"$echo\",\"call\":\"echo('c')\",\"mode\":\"stream\"}")"
has "exec" '"ok":true' "$(post /exec "{\"0\":\"$hello\",\"1\":\"hello()\"}")"
has "the thesis' store" '"token":' "$(post /store '{"0":"x","1":"def x(): pass"}')"
has "the page" "<h1>A hidden Bento server</h1>" "$(web "http://$onion/")"
has "the page for programs" '"POST /open"' "$(web -H 'Accept: application/json' "http://$onion/")"
headers=$(web --head "http://$onion/")
[[ ! $headers =~ (Date|Server): ]] || fail "a header that tells the clock or the program"
is "a wrong method" 405 "$(web -o /dev/null -w '%{http_code}' "http://$onion/open")"
is "a wrong type" 415 "$(web -o /dev/null -w '%{http_code}' -H 'Content-Type: text/plain' -d x "http://$onion/open")"

# A client that stops half-way costs nothing.
python3 - "${listen#127.0.0.1:}" <<'P'
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(b"POST /open HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{")
s.close()
P
status 0 "$BENTOCTL" open "${to[@]}" "$hello" 'hello()'
is "open after it" "hello world" "$out"

resident=$(awk '/VmRSS/ {print $2}' "/proc/$server_pid/status")
echo "serve at idle: $resident KiB resident"
[[ -n ${BENTO_SANITIZED:-} || $resident -lt 15360 ]] || fail "serve holds $resident KiB"

# T4: the key stays, so does the address; a second server on the same state directory does not start.
status 75 "$BENTOCTL" serve --state-dir "$SCRATCH/host" --control "$HOST_CONTROL"
has "a second server" "another bentoctl serves from this state directory" "$err"
first=$onion
kill -TERM "$server_pid"
stopped=0
wait "$server_pid" || stopped=$?
is "SIGTERM" 0 "$stopped"
wait_for 5 eval "[[ ! -e $SCRATCH/host/box.sock ]]"
serve host --control "$HOST_CONTROL"
is "the address after a restart" "$first" "$onion"
# By a tor that has no descriptor of the time before: one that has may try its introduction points first, for minutes.
printf '[tor]\nlaunch = "always"\ntorrc = "%s/torrc"\n' "$TESTNET" >"$SCRATCH/config.toml"
status 0 "$BENTOCTL" open -c "$SCRATCH/config.toml" --onion "$onion" "$hello" 'hello()'
is "the function after a restart" "hello world" "$out"
