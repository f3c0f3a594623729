#!/usr/bin/env bash
# What doctor finds wrong, each with its fix; and config check. A tor that is not on the network.
source "$(dirname "$0")/lib.sh"

offline=("DisableNetwork 1" "SocksPort 0")
# start_tor NAME LINE...: sets $control
start_tor() {
    local name=$1
    shift
    mkdir -m 700 "$SCRATCH/$name"
    { printf '%s\n' "DataDirectory $SCRATCH/$name" "ControlPort unix:$SCRATCH/$name/control" "$@"; } |
        tor -f - --defaults-torrc /dev/null >"$SCRATCH/$name.out" 2>&1 &
    children+=("$!")
    wait_for 20 test -S "$SCRATCH/$name/control"
    control=unix:$SCRATCH/$name/control
}
doctor() { "$BENTOCTL" doctor --control "$control" --state-dir "$SCRATCH/server" "$@"; }
# found CHECK STATE TEXT FIX: in the last doctor --json
found() {
    python3 - "$out" "$@" <<'P' || fail "doctor: expected $* in $out"
import json, sys
checks = json.loads(sys.argv[1])["checks"]
check, state, text, fix = sys.argv[2:]
sys.exit(not any(c["check"] == check and c["state"] == state and text in c["text"] and fix in c.get("fix", "") for c in checks))
P
}

# Everything fine but the network.
start_tor usual "${offline[@]}" "CookieAuthentication 1" "PublishHidServDescriptors 0"
status 1 doctor --json
is "not ok" False "$(member "$out" ok)"
found configuration ok "none is needed" ""
found "tor program" ok "Tor version 0.4." ""
found "tor cookie" ok "control_auth_cookie" ""
found "tor control" ok "tor 0.4." ""
found "tor options" error "kept off the network" "DisableNetwork 0"
found "tor options" error "nobody can find one" "PublishHidServDescriptors 1"
found "tor network" error "0%" ""
found "tor socks" warning "no SOCKS port" "SocksPort"
found state ok "is made when it is needed" ""
found sandbox ok "can run in it" ""
memory_is_limited() { awk '$1 == "memory" { exit $4 != 1 }' /proc/cgroups; }
memory_is_limited || { found sandbox degraded "memory of all processes" "memory"; is "degraded" True "$(member "$out" degraded)"; }
[[ ! -e $SCRATCH/server ]] || fail "doctor has made the state directory"
status 1 doctor
has "for a person" "error     tor network    not reached yet: 0%" "$out"
has "and the line to change" "-> DisableNetwork 0" "$out"

# A port that is none of tor's, a port that is nobody's.
control=127.0.0.1:1
status 1 doctor --json
found "tor control" error "no tor answers at 127.0.0.1:1" "CookieAuthentication 1"
start_tor socks "SocksPort auto" "CookieAuthentication 1" "DirAuthority nobody 127.0.0.1:1 $(printf '0%.0s' {1..40})"
socks=$("$BENTOCTL" tor --control "$control" get net/listeners/socks | tr -d '"')
status 1 doctor --json
found "tor socks" ok "$socks" ""
control=$socks
status 1 doctor --json
found "tor control" error "$socks" "ControlPort"

# Passwords.
start_tor password "${offline[@]}" "HashedControlPassword $(tor --quiet --hash-password word)"
status 1 doctor --json
found "tor control" error "wants a password" "password_file"
printf 'word\n' >"$SCRATCH/word"
chmod 644 "$SCRATCH/word"
printf '[tor]\npassword_file = "%s/word"\n' "$SCRATCH" >"$SCRATCH/c.toml"
status 1 doctor -c "$SCRATCH/c.toml" --json
found "password file" warning "can be read by others" "chmod 600"
found "tor control" ok "tor 0.4." ""

# State that others can read, and keys that are not what they should be.
mkdir -p "$SCRATCH/server/onions"
chmod 755 "$SCRATCH/server"
status 0 "$BENTOCTL" key generate "$SCRATCH/a.key"
cp "$SCRATCH/a.key" "$SCRATCH/server/onions/${out%.onion}"
chmod 644 "$SCRATCH/server/onions/${out%.onion}"
status 0 "$BENTOCTL" key generate "$SCRATCH/b.key"
cp "$SCRATCH/a.key" "$SCRATCH/server/onions/${out%.onion}"
status 1 doctor --json
found state warning "others can look into" "chmod 700"
found state error "others can read the key" "chmod 600"
found state error "the key of another address" ""
found state ok "2 onion keys" ""
printf '[gateway]\nserver = "127.0.0.1:1"\n' >"$SCRATCH/c.toml"
status 1 doctor -c "$SCRATCH/c.toml" --json
found "function server" error "connection refused" "leave [gateway] server out"

# A socket and a cookie that are another user's.
if [[ $EUID -eq 0 ]]; then
    cp "$BENTOCTL" "$SCRATCH/bentoctl"
    chmod 755 "$SCRATCH/bentoctl" "$SCRATCH"
    mkdir "$SCRATCH/nobody"
    chown nobody "$SCRATCH/nobody"
    as_nobody() { setpriv --reuid nobody --regid nogroup --clear-groups env HOME="$SCRATCH/nobody" XDG_STATE_HOME= XDG_CONFIG_HOME= "$SCRATCH/bentoctl" doctor --json --control "$control"; }
    control=unix:$SCRATCH/usual/control
    chgrp adm "$SCRATCH/usual"
    chmod 710 "$SCRATCH/usual"
    status 1 as_nobody
    found "tor control" error "nobody may not enter $SCRATCH/usual (mode 0710, root:adm)" "usermod -aG adm nobody"
    start_tor cookie "${offline[@]}" "ControlPort auto" "ControlPortWriteToFile $SCRATCH/port" "CookieAuthentication 1" "CookieAuthFile $SCRATCH/the-cookie"
    wait_for 10 test -s "$SCRATCH/port"
    control=$(sed -n 's/^PORT=//p' "$SCRATCH/port")
    chmod 600 "$SCRATCH/the-cookie"
    status 1 as_nobody
    found "tor cookie" error "nobody may not read $SCRATCH/the-cookie" "CookieAuthFileGroupReadable 1"
fi

# config check: what the other commands would say, and nothing else.
status 0 "$BENTOCTL" config check
is "no configuration" "no configuration file: the defaults hold" "$out"
status 0 "$BENTOCTL" config check -c "$SCRATCH/c.toml" --json
is "as json" "{\"file\":\"$SCRATCH/c.toml\",\"ok\":true}" "$out"
printf '[onion]\nport = 0\n[gateway]\nlisten = 5\n' >"$SCRATCH/c.toml"
status 2 "$BENTOCTL" config check -c "$SCRATCH/c.toml"
has "a mistake" "c.toml:2: onion.port: expected a number" "$err"
has "and every other" "c.toml:4: gateway.listen: expected" "$err"
status 1 doctor -c "$SCRATCH/c.toml" --json
found configuration error "c.toml:2: onion.port" "bentoctl.toml(5)"
status 2 "$BENTOCTL" config check -c "$SCRATCH/nothing.toml"
