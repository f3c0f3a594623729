#!/usr/bin/env bash
# The words a person meets: help, wrong usage, the manual page of every command.
source "$(dirname "$0")/lib.sh"
man=$(dirname "$0")/../../man

status 0 "$BENTOCTL" --help
has "help" "Usage: bentoctl" "$out"
commands=$(sed -n '/^Subcommands:/,$ s/^  \([a-z]*\) .*/\1/p' <<<"$out")
for command in $commands; do
    status 0 "$BENTOCTL" "$command" --help
    [[ -f $man/bentoctl-$command.1 ]] || fail "no manual page for $command"
    grep -q "Xr bentoctl-$command 1" "$man/bentoctl.1" || fail "bentoctl(1) does not name $command"
done
status 0 "$BENTOCTL" --version
has "version" "bentoctl " "$out"

for page in "$man"/*; do
    complaints=$(mandoc -T lint -W warning "$page" 2>&1) || fail "$page: $complaints"
done

status 2 "$BENTOCTL"
has "no command" "bentoctl: error: " "$err"
status 2 "$BENTOCTL" nonsense
status 2 "$BENTOCTL" open
status 2 "$BENTOCTL" open token
has "no place" "bentoctl: error: " "$err"
status 2 "$BENTOCTL" --timeout 5 serve
has "a duration wants its unit" "90s" "$err"
printf '[onion]\nport = 0\n' >"$SCRATCH/c.toml"
status 2 "$BENTOCTL" -c "$SCRATCH/c.toml" serve
has "the configuration's line" "c.toml:2: onion.port: expected a number from 1 to 65535" "$err"
status 5 "$BENTOCTL" testnet status --dir "$SCRATCH/nothing"
status 2 "$BENTOCTL" testnet up --dir /usr
has "a directory that is used" "not empty" "$err"
