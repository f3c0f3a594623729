#!/usr/bin/env bash
# The control port at a terminal, with a tor that is not on the network.
source "$(dirname "$0")/lib.sh"

mkdir -m 700 "$SCRATCH/tor"
printf '%s\n' "DataDirectory $SCRATCH/tor/data" "DisableNetwork 1" "SocksPort 0" "ControlPort unix:$SCRATCH/tor/control" \
    "CookieAuthentication 1" "ContactInfo me" >"$SCRATCH/tor/torrc"
tor -f "$SCRATCH/tor/torrc" --defaults-torrc /dev/null >"$SCRATCH/tor.out" 2>&1 &
children+=("$!")
wait_for 20 test -S "$SCRATCH/tor/control"
t() { "$BENTOCTL" tor --control "unix:$SCRATCH/tor/control" --state-dir "$SCRATCH/state" "$@"; }

status 0 t info
has "info" "version     0.4." "$out"
has "info" "bootstrap   0%" "$out"
has "info" "circuits    0 built of 0" "$out"
status 0 t info --json
is "its control port" "unix:$SCRATCH/tor/control" "$(python3 -c 'import json,sys; print(json.loads(sys.argv[1])["control"][0])' "$out")"
is "its bootstrap" 0 "$(member "$out" bootstrap progress)"

status 0 t get version
[[ $out =~ ^0\.4\.[0-9]+\. ]] || fail "get: $out"
status 0 t get version config-file
has "several" "config-file=$SCRATCH/tor/torrc" "$out"
status 5 t get version nonsense
has "what is known is told" "version=0.4." "$out"
has "and what is not" "nonsense: tor does not know this" "$err"
status 5 t get address
has "what has no value now" "tor cannot do this now" "$err"
status 0 t get version --json
has "json" '{"version":"0.4.' "$out"

status 0 t conf contactinfo
is "conf" "ContactInfo me" "$out"
status 0 t conf 'ContactInfo=a "b" \c' Nickname=Somebody
status 0 t conf ContactInfo
is "quoted" 'ContactInfo a "b" \c' "$out"
status 0 t conf ContactInfo --json
is "as json" '{"ContactInfo":["a \"b\" \\c"]}' "$out"
status 0 t conf
has "all of them" "Nickname Somebody" "$out"
status 4 t conf Nickname='no nickname'
has "all or none" "Unacceptable option value" "$err"
status 0 t conf --reset Nickname
status 0 t conf Nickname
is "reset" "Nickname" "$out"
status 5 t conf Nonsense=1
status 0 t conf --save
grep -qxF 'ContactInfo a "b" \c' "$SCRATCH/tor/torrc" || fail "not saved: $(cat "$SCRATCH/tor/torrc")"
sed 's/^ContactInfo.*/ContactInfo loaded/' "$SCRATCH/tor/torrc" >"$SCRATCH/new"
status 0 t conf --load "$SCRATCH/new"
status 0 t conf ContactInfo
is "loaded" "ContactInfo loaded" "$out"
status 2 t conf ContactInfo Nickname=x

# An event that we cause: CONF_CHANGED.
t events conf_changed --where 'options={"Nickname":"Else"}' --count 1 --json >"$SCRATCH/events.out" 2>"$SCRATCH/events.err" &
events=$!
children+=("$events")
changed() { t conf Nickname=Other && t conf Nickname=Else && gone "$events"; }
wait_for 20 changed
is "the event" '{"event":"CONF_CHANGED","options":{"Nickname":"Else"}}' "$(cat "$SCRATCH/events.out")"
status 6 t events HS_DESC --count 1 --for 10ms
status 0 t events BW --for 10ms
status 5 t events NONSENSE
status 2 t events BW --where nonsense

status 0 t circuits
is "no circuits" "" "$out"
status 0 t streams --json
is "no streams" "[]" "$out"

status 0 t raw GETINFO version
has "raw" "250-version=0.4." "$out"
has "raw" "250 OK" "$out"
status 5 t raw NONSENSE
is "as tor says it" '510 Unrecognized command "NONSENSE"' "$out"
status 4 t raw ADD_ONION NEW:BEST
status 0 t raw SAVECONF --json
is "as lines" '[{"status":250,"text":"OK"}]' "$out"

printf '%s\n' "SETEVENTS CONF_CHANGED" "SETCONF Nickname=prompted" "" "help" "GETINFO nonsense" "quit" |
    t prompt >"$SCRATCH/prompt.out" || fail "the prompt failed"
has "an answer" "250 OK" "$(cat "$SCRATCH/prompt.out")"
has "an event" 'CONF_CHANGED options={"Nickname":"prompted"}' "$(cat "$SCRATCH/prompt.out")"
has "a refusal" '552 Unrecognized key "nonsense"' "$(cat "$SCRATCH/prompt.out")"
has "help" "ONION_CLIENT_AUTH_ADD" "$(cat "$SCRATCH/prompt.out")"
printf '%s\n' "help setconf" "help version" "+LOADCONF" "$(cat "$SCRATCH/tor/torrc")" "ContactInfo .dots" "." "GETCONF ContactInfo" "QUIT" "never sent" |
    t prompt >"$SCRATCH/prompt.out" || fail "the prompt failed"
is "help, a configuration, and the end" "SETCONF OPTION[=VALUE] ...
    sets options, all or none
    GETINFO config/names lists the names, and TAB completes them
GETINFO version
    The current version of Tor.
250 OK
250 ContactInfo=.dots
250 closing connection" "$(cat "$SCRATCH/prompt.out")"
t raw +LOADCONF <"$SCRATCH/tor/torrc" >"$SCRATCH/loaded" || fail "a configuration from standard input"
is "loaded" "250 OK" "$(cat "$SCRATCH/loaded")"
status 4 t raw +HSPOST

# At a terminal: completion from tor's own names, and a history that stays, without anybody's key.
printf 'geti\tconfig-f\t\nsetco\tNickn\t=typed\nadd_onion ED25519-V3:private Port=80\nsetconf socks5proxypassword=private\nquit\n' >"$SCRATCH/keys"
at_terminal() { script -qec "$BENTOCTL tor --control unix:$SCRATCH/tor/control --state-dir $SCRATCH/state prompt" /dev/null; }
at_terminal <"$SCRATCH/keys" >"$SCRATCH/terminal.out" 2>&1 || fail "no prompt at a terminal: $(cat "$SCRATCH/terminal.out")"
has "completed" "250-config-file=$SCRATCH/tor/torrc" "$(cat "$SCRATCH/terminal.out")"
grep -q 'config-file' "$SCRATCH/state/tor-prompt.history" || fail "no history"
has "a key is sent" "private" "$(cat "$SCRATCH/terminal.out")"
if grep -q private "$SCRATCH/state/tor-prompt.history"; then fail "a key in the history"; fi
is "completed up to where it goes on" "Nickname typed" "$(t conf Nickname)"
status 5 t signal nonsense
# An event that comes while a line is edited is shown above it, and the end of tor ends the line.
python3 - "$BENTOCTL" "$SCRATCH" <<'P' || fail "no events at the terminal"
import os, pty, subprocess, sys
bentoctl, scratch = sys.argv[1:]
tor = [bentoctl, "tor", "--control", f"unix:{scratch}/tor/control", "--state-dir", f"{scratch}/state"]
child, terminal = pty.fork()
if child == 0: os.execv(bentoctl, tor + ["prompt"])
seen = b""
def until(what):
    global seen
    while what not in seen: seen += os.read(terminal, 4096)
    seen = seen.partition(what)[2]
until(b"tor> ")
os.write(terminal, b"SETEVENTS CONF_CHANGED\n")
until(b"250 OK\r\ntor> ")
os.write(terminal, b"GETINFO ver")
until(b"ver")
subprocess.run(tor + ["conf", "Nickname=elsewhere"], check=True)
until(b'CONF_CHANGED options={"Nickname":"elsewhere"}\r\n')
until(b"tor> GETINFO ver")
os.write(terminal, b"sion\n")
until(b"250-version=0.4.")
os.write(terminal, b"GETINFO half a li")
subprocess.run(tor + ["signal", "halt"], check=True)
until(b"the connection to tor has ended")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 3)
P

wait_for 10 gone "${children[0]}"
status 3 t info
