#!/usr/bin/env bash
# What goes wrong under a rotation: tor is killed, the disk is full, the state directory cannot be written, the clock steps,
# a second host runs with a copy of the state directory. Each is told in a sentence, and nothing is lost.
# SCRIPT BENTOCTL TESTNET_FILE
source "$(dirname "$0")/lib.sh"
use_testnet "$2"
printf '[directory]\nbcrypt_cost = 4\n' >"$SCRATCH/bfd.toml"
daemon directory one -c "$SCRATCH/bfd.toml" --control "$HOST_CONTROL"
one=$onion
printf '[bfd]\nonions = ["%s"]\nmax_stale = "2s"\n[rotation]\ngrace = "5s"\n[tor]\nlaunch = "always"\ntorrc = "%s/torrc"\n' \
    "$one" "$TESTNET" >"$SCRATCH/config.toml"
caller=(--state-dir "$SCRATCH/caller" --socks "$CLIENT_SOCKS" -c "$SCRATCH/config.toml")
"$BENTOCTL" box --json --state-dir "$SCRATCH/box" --listen "unix:$SCRATCH/box.sock" >"$SCRATCH/box.out" 2>"$SCRATCH/box.err" &
children+=("$!")
wait_for 20 has_lines 1 ready "$SCRATCH/box.out"

# The server's state directory is a disk of its own, in a mount namespace of its own; the rest of its machine is ours.
program=$BENTOCTL
as_root=()
[[ $EUID -eq 0 ]] || as_root=(--user --map-root-user)
unshare "${as_root[@]}" --mount sleep infinity &
space=$!
children+=("$space")
enter=(nsenter --target "$space" --mount)
[[ $EUID -eq 0 ]] || enter+=(--user --preserve-credentials)
separate() { [[ $(readlink "/proc/$space/ns/mnt") != $(readlink /proc/$$/ns/mnt) ]]; }
wait_for 5 separate
mkdir "$SCRATCH/host"
inside() { "${enter[@]}" "$@"; }
inside mount -t tmpfs -o size=32m,mode=0700 none "$SCRATCH/host"
printf '#!/bin/sh\nexec %s "%s" "$@"\n' "${enter[*]}" "$program" >"$SCRATCH/inside"
chmod +x "$SCRATCH/inside"
host() { "$SCRATCH/inside" "$@" --state-dir "$SCRATCH/host" -c "$SCRATCH/config.toml"; }

start() {
    BENTOCTL=$SCRATCH/inside
    serve host -c "$SCRATCH/config.toml" --server "unix:$SCRATCH/box.sock"
    BENTOCTL=$program
    pid=$server_pid
}
current() { python3 -c 'import json,sys; print([o["onion"] for o in json.loads(sys.argv[1])["onions"] if o["state"] == "current"][0])' "$(host status --json)"; }
one_key() { [[ $(inside ls "$SCRATCH/host/onions" | wc -l) -eq 1 ]]; }
works() { is "$1: a call by token" "hello caller" "$("$BENTOCTL" open "${caller[@]}" "$token" 'hello("caller")')"; }

start
first=$onion
printf 'def hello(name="world"):\n    api.send("hello " + name)\n' >"$SCRATCH/hello.py"
status 0 "$BENTOCTL" store "${caller[@]}" --onion "$first" "$SCRATCH/hello.py"
token=$out
status 0 host register "$token"
works "at first"

# The disk is full: nothing is begun that could not be written down.
inside sh -c "cat /dev/zero >'$SCRATCH/host/fill' 2>/dev/null" || true
status 75 host rotate --timeout 5s
has "a full disk" "No space left on device" "$err"
is "the same onion" "$first" "$(current)"
works "on a full disk"
inside rm "$SCRATCH/host/fill"
status 0 host rotate --json --timeout 2m
second=$(member "$out" new)
[[ $second != "$first" ]] || fail "nothing was rotated"
wait_for 60 alone
wait_for 30 one_key
works "with room again"

# Read-only, by a mount over it: what is open is not torn away.
inside mount --bind "$SCRATCH/host" "$SCRATCH/host"
inside mount -o remount,bind,ro "$SCRATCH/host"
status 75 host rotate --timeout 5s
has "read-only" "Read-only file system" "$err"
is "the same onion" "$second" "$(current)"
works "while it is read-only"
inside umount --lazy "$SCRATCH/host"
status 0 host rotate --json --timeout 2m
third=$(member "$out" new)
wait_for 60 alone
works "writable again"

# tor is killed in the middle of it, while the new onion is published.
host rotate --json --timeout 4m >"$SCRATCH/killed.out" 2>"$SCRATCH/killed.err" &
rotating=$!
wait_for 30 grep -q uploading "$SCRATCH/killed.err"
pkill -KILL -P "$pid" -x tor
wait "$rotating" || fail "a rotation under which tor was killed: $(cat "$SCRATCH/killed.err")"
fourth=$(member "$(cat "$SCRATCH/killed.out")" new)
[[ $fourth != "$third" ]] || fail "nothing was rotated"
wait_for 90 alone
wait_for 30 one_key
works "after tor was killed"

# A copy of the state directory on another machine: whoever moves the token is found out by the other.
inside cp -a "$SCRATCH/host" "$SCRATCH/copy"
rm -f "$SCRATCH/copy/bentoctl.sock"
serve copy -c "$SCRATCH/config.toml" --server "unix:$SCRATCH/box.sock"
copy_pid=$server_pid
status 0 "$BENTOCTL" rotate --state-dir "$SCRATCH/copy" -c "$SCRATCH/config.toml" --json --timeout 3m
host reregister "$token" >"$SCRATCH/both.out" 2>"$SCRATCH/both.err" || true  # whoever comes second is refused
noticed() { grep -q "another server registers $token with this owner secret" "$SCRATCH/host.err"; }
wait_for 60 noticed
kill "$copy_pid" "$pid"
wait "$copy_pid" "$pid" || true

# Somebody else with the new onion's key has uploaded later descriptors, and the HSDirs refuse ours until those are older.
preload=$(dpkg -L libfaketime | grep 'libfaketime\.so\.1$')
mkdir "$SCRATCH/ahead"
printf '#!/bin/sh\nLD_PRELOAD=%s FAKETIME=+45 exec "%s" "$@"\n' "$preload" "$(command -v tor)" >"$SCRATCH/ahead/tor"
chmod +x "$SCRATCH/ahead/tor"
start
first=$onion
host rotate --json --timeout 4m >"$SCRATCH/refused.out" 2>"$SCRATCH/refused.err" &
rotating=$!
wait_for 30 grep -q uploading "$SCRATCH/refused.err"
kill -KILL "$pid"
wait "$rotating" || true
inside sh -c "cd '$SCRATCH/host/onions' && cat \"\$(ls -t | head -n 1)\"" >"$SCRATCH/new.key"
chmod 600 "$SCRATCH/new.key"
PATH="$SCRATCH/ahead:$PATH" "$BENTOCTL" onion add --key "$SCRATCH/new.key" --port "80,1" --wait all --json \
    -c "$SCRATCH/config.toml" --state-dir "$SCRATCH/ahead/state" >"$SCRATCH/ahead.out" 2>"$SCRATCH/ahead.err" &
ahead=$!
children+=("$ahead")
wait_for 60 eval "has_lines 1 '\"ready\"' '$SCRATCH/ahead.out' || gone $ahead"
kill "$ahead" && wait "$ahead" || true
start
is "the old onion serves" "$first" "$onion"
refused() { grep -q "HSDirs refuse the descriptors of an onion" "$SCRATCH/host.err"; }
wait_for 30 refused
status 75 host rotate --timeout 2s
has "why" "HSDirs refuse the descriptors of an onion" "$err"
has "how soon" "trying again in" "$err"
works "while they refuse"
status 0 host rotate --json --timeout 3m
is "the new onion" "$(member "$(grep '"ready"' "$SCRATCH/ahead.out")" onion)" "$(member "$out" new)"
wait_for 60 alone
works "once they do not"
kill "$pid" && wait "$pid" || true

# The wall clock steps, an hour on and two hours back, under a server whose tor is elsewhere.
printf '#!/bin/sh\nLD_PRELOAD=%s FAKETIME_TIMESTAMP_FILE=%s FAKETIME_NO_CACHE=1 DONT_FAKE_MONOTONIC=1 exec "%s" "$@"\n' \
    "$preload" "$SCRATCH/clock" "$program" >"$SCRATCH/with-clock"
chmod +x "$SCRATCH/with-clock"
echo "+0" >"$SCRATCH/clock"
sed '/^\[tor\]/,$d' "$SCRATCH/config.toml" >"$SCRATCH/stepping.toml"
BENTOCTL=$SCRATCH/with-clock
serve stepping --control "$HOST_CONTROL" -c "$SCRATCH/stepping.toml" --server "unix:$SCRATCH/box.sock"
BENTOCTL=$program
host() { "$BENTOCTL" "$@" --state-dir "$SCRATCH/stepping" -c "$SCRATCH/stepping.toml"; }
status 0 "$BENTOCTL" store "${caller[@]}" --onion "$onion" "$SCRATCH/hello.py"
token=$out
status 0 host register "$token"
before=$onion
for step in +1h -1h; do
    echo "$step" >"$SCRATCH/clock"
    works "with the clock at $step"
    status 0 host rotate --json --timeout 2m
    is "the old onion" "$before" "$(member "$out" old)"
    before=$(member "$out" new)
    wait_for 60 alone
    works "rotated with the clock at $step"
    status 0 host reregister "$token"
done
