#!/usr/bin/env bash
# The house's arrows go down only, which the compiler cannot see, since /usr/include hides nothing.
set -euo pipefail
cd "$(dirname "$0")/../.."
fail() { echo "FAIL: $*" >&2; exit 1; }

rooms_of() { sed -n "s/^bento_room($1 USES \([a-z ]*\).*/\1/p" src/CMakeLists.txt | sed 's/LINKS.*//'; }
reachable() { local r; for r in $(rooms_of "$1"); do echo "$r"; reachable "$r"; done | sort -u; }
for folder in src/*/; do
    room=$(basename "$folder")
    allowed=" $room base $(reachable "$room" | tr '\n' ' ') "
    for used in $(grep -rhoE '#include [<"](bento/)?[a-z0-9]+/' "$folder" "include/bento/$room" 2>/dev/null |
        sed -E 's/.*[<"](bento\/)?([a-z0-9]+)\/$/\2/' | sort -u); do
        [[ -d src/$used ]] || continue
        [[ $allowed == *" $used "* ]] || fail "$room includes $used"
    done
done
for room in base control http wire onion config entry rotation sandbox; do
    ! grep -rlE 'boost/asio|bento/net' "src/$room" "include/bento/$room" || fail "$room knows the network"
done
! grep -rlE '\b(fork|vfork|posix_spawn)\(' src --include='*.cpp' | grep -vE 'src/(net/child|testnet/(janitor|keeper))\.cpp' || fail "a fork outside its places"
! grep -rlE '\bexec[vl][a-z]*\(' src --include='*.cpp' | grep -vE 'src/(net/child|box/jail)\.cpp' || fail "an exec outside its places"
! grep -rl 'boost/beast' src include || fail "Beast"
