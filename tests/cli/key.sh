#!/usr/bin/env bash
# Keys without a tor that runs; and a real tor finds the same address in what is exported.
source "$(dirname "$0")/lib.sh"
cd "$SCRATCH"

status 0 "$BENTOCTL" key generate a.key
address=$out
[[ $address =~ ^[a-z2-7]{56}\.onion$ ]] || fail "no address: $address"
is "its mode" 600 "$(stat -c %a a.key)"
is "its size" 96 "$(stat -c %s a.key)"
status 0 "$BENTOCTL" key address a.key
is "the address" "$address" "$out"
status 1 "$BENTOCTL" key generate a.key
has "never over another" "never overwritten" "$err"
status 0 "$BENTOCTL" key address a.key
is "the key is as it was" "$address" "$out"

# Out and in again, in every form.
status 0 "$BENTOCTL" key export a.key
[[ $out == ED25519-V3:* ]] || fail "no argument of ADD_ONION"
printf '%s\n' "$out" >blob
status 0 "$BENTOCTL" key import blob b.key
is "by ADD_ONION's form" "$address" "$out"
cmp a.key b.key || fail "the keys differ"
sed 's/^ED25519-V3://' blob >base64
"$BENTOCTL" key import - c.key <base64 >c.out || fail "from standard input"
is "by base64" "$address" "$(cat c.out)"
printf '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n' >seed
status 0 "$BENTOCTL" key import seed d.key --json
is "by a seed" aoqqpp7tzyil4hlq3umoos6atft6jvrqtosq2xy53sdgiesvgg4bqead.onion "$(member "$out" onion)"
status 1 "$BENTOCTL" key import /dev/null e.key
has "no key at all" "/dev/null: " "$err"
[[ ! -e e.key ]] || fail "a failed import left a file"
status 5 "$BENTOCTL" key address nothing
printf x >>a.key
status 1 "$BENTOCTL" key address a.key
has "a damaged key" "96 bytes" "$err"

# tor itself takes the directory, and does not change it.
status 0 "$BENTOCTL" key export b.key --directory service
is "the address again" "$address" "$out"
status 0 "$BENTOCTL" key address service
is "of the directory" "$address" "$out"
status 1 "$BENTOCTL" key export b.key --directory service
before=$(sha256sum service/*)
mkdir -m 700 tor
printf '%s\n' "DataDirectory $SCRATCH/tor" "DisableNetwork 1" "SocksPort 0" "ControlPort unix:$SCRATCH/control" \
    "HiddenServiceDir $SCRATCH/service" "HiddenServicePort 80" >torrc
tor -f torrc --defaults-torrc /dev/null >tor.out 2>&1 &
children+=("$!")
wait_for 20 test -S control
is "what tor says" "$address" "$(cat service/hostname)"
is "what tor left" "$before" "$(sha256sum service/hostname service/hs*)"

status 0 "$BENTOCTL" key client-auth "$address" me.auth_private
service=$out
[[ $service =~ ^descriptor:x25519:[a-z2-7]{52}$ ]] || fail "no line for the service: $service"
[[ $(cat me.auth_private) =~ ^${address%.onion}:descriptor:x25519:[a-z2-7]{52}$ ]] || fail "no line for the client"
is "its mode" 600 "$(stat -c %a me.auth_private)"
status 0 "$BENTOCTL" key client-auth --existing "$address" me.auth_private
is "the same again" "$service" "$out"
status 1 "$BENTOCTL" key client-auth "$address" me.auth_private
status 2 "$BENTOCTL" key client-auth not-an-onion other.auth_private
status 2 "$BENTOCTL" key
status 2 "$BENTOCTL" key generate
