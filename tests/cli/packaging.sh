#!/usr/bin/env bash
# What is installed for a system to run bentoctl by itself: systemd takes the units as they are, they are as closed as they
# can be, and what they start is what this program understands.
source "$(dirname "$0")/lib.sh"
build=$(dirname "$BENTOCTL")

DESTDIR=$SCRATCH/root cmake --install "$build" >"$SCRATCH/install.out" 2>"$SCRATCH/install.err"
installed() { find "$SCRATCH/root" -path "*/$1"; }
units=$(dirname "$(installed lib/systemd/system/bentoctl.service)")
sed -i "s#^\(ExecStart=\)[^ ]*/bentoctl #\1$BENTOCTL #" "$units"/*.service

status 0 systemd-analyze verify --man=no "$units"/*.service "$units"/*.timer
is "nothing to complain of" "" "$out$err"
# Exposure, tenths of a level: the server lets bubblewrap do its work, the others need hardly anything.
exposed_at_most() { status 0 systemd-analyze security --offline=yes --no-pager --threshold="$2" "$units/$1.service"; }
exposed_at_most bentoctl 30
exposed_at_most bentoctl-directory 15
exposed_at_most bentoctl-rotate 10

# Each command line is one that is understood: a wrong one would end with 2.
for unit in "$units"/*.service; do
    read -r -a line < <(sed -n 's/^ExecStart=//p' "$unit")
    got=0
    "${line[@]//%S/$SCRATCH/state}" --help >"$SCRATCH/help.out" 2>"$SCRATCH/help.err" || got=$?
    is "$(basename "$unit") starts" 0 "$got"
done

sysusers=$(installed lib/sysusers.d/bentoctl.conf)
mkdir -p "$SCRATCH/users/etc"
status 0 systemd-sysusers --root "$SCRATCH/users" "$sysusers"
for user in bentoctl bentoctl-directory; do
    has "$user" "$user:" "$(cat "$SCRATCH/users/etc/passwd")"
    grep -q "^debian-tor:.*\b$user\b" "$SCRATCH/users/etc/group" || fail "$user may not read tor's cookie"
done

# The line for cron: its five fields are one word, then the user, then a command that a shell understands.
cron=$(grep -v '^#' "$(installed share/doc/bentoctl/examples/bentoctl.cron)")
read -r when who command <<<"$cron"
is "cron: when" "@daily" "$when"
is "cron: who" "bentoctl" "$who"
[[ $command != *%* ]] || fail "cron takes a % for the end of the line"
sh -n -c "$command"
