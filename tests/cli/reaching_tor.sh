#!/usr/bin/env bash
# Every way to authenticate at a tor's control port, and every way to fail, with a tor that is not on the network.
source "$(dirname "$0")/lib.sh"

# start_tor NAME LINE...: sets $control
start_tor() {
    local name=$1
    shift
    mkdir -m 700 "$SCRATCH/$name"
    { printf '%s\n' "DataDirectory $SCRATCH/$name" "DisableNetwork 1" "SocksPort 0" "ControlPort auto" \
        "ControlPortWriteToFile $SCRATCH/$name/port" "$@"; } |
        tor -f - --defaults-torrc /dev/null >"$SCRATCH/$name.out" 2>&1 &
    children+=("$!")
    wait_for 20 test -s "$SCRATCH/$name/port"
    control=$(sed 's/^PORT=//' "$SCRATCH/$name/port")
}
try() { "$BENTOCTL" serve --state-dir "$SCRATCH/server" --control "$control" --timeout 3s "$@"; }

# Reaching a tor without network is success until its bootstrap is waited for.
start_tor cookie "CookieAuthentication 1"
status 6 try
has "safe cookie" "did not reach the Tor network" "$err"

start_tor open
status 6 try
has "open" "did not reach the Tor network" "$err"

hash=$(tor --quiet --hash-password 'the "password"')
start_tor password "HashedControlPassword $hash"
status 4 try
has "password needed" "tor asks for a password" "$err"
has "and the hint" "password_file" "$err"
printf 'the "password"\n' >"$SCRATCH/right"
printf 'wrong\n' >"$SCRATCH/wrong"
printf '[tor]\npassword_file = "%s/right"\n' "$SCRATCH" >"$SCRATCH/right.toml"
printf '[tor]\npassword_file = "%s/wrong"\n' "$SCRATCH" >"$SCRATCH/wrong.toml"
status 6 try -c "$SCRATCH/right.toml"
has "the right password" "did not reach the Tor network" "$err"
status 4 try -c "$SCRATCH/wrong.toml"
has "the wrong password" "tor refused the authentication" "$err"

# A cookie that somebody else may not read: the path and the group are told.
if [[ $EUID -eq 0 ]]; then
    start_tor group "CookieAuthentication 1" "CookieAuthFile $SCRATCH/the-cookie" "CookieAuthFileGroupReadable 1"
    wait_for 10 test -s "$SCRATCH/the-cookie"
    chmod 640 "$SCRATCH/the-cookie"
    chgrp adm "$SCRATCH/the-cookie"
    chmod 755 "$SCRATCH"
    mkdir "$SCRATCH/nobody"
    chown nobody "$SCRATCH/nobody"
    as_nobody() { setpriv --reuid nobody --regid nogroup --clear-groups env HOME="$SCRATCH/nobody" XDG_STATE_HOME= XDG_CONFIG_HOME= "$@"; }
    cp "$BENTOCTL" "$SCRATCH/bentoctl"
    chmod 755 "$SCRATCH/bentoctl"
    status 4 as_nobody "$SCRATCH/bentoctl" serve --state-dir "$SCRATCH/nobody/state" --control "$control"
    has "the path" "$SCRATCH/the-cookie" "$err"
    has "the group" "group adm" "$err"
fi

# A port that is another's: neither road takes it for tor.
start_tor wrong_port
status 3 "$BENTOCTL" store --onion aoqqpp7tzyil4hlq3umoos6atft6jvrqtosq2xy53sdgiesvgg4bqead --socks "$control" /dev/null
has "a control port for SOCKS" "does not speak SOCKS5" "$err"

control=127.0.0.1:1
status 3 try
has "nobody there" "connection refused" "$err"
control=unix:/nonexistent/control
status 3 try
has "no such socket" "/nonexistent/control" "$err"
