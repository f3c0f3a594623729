// Entries to test with: one owner secret, one token, onions by number.
#pragma once

#include <bento/base/encoding.hpp>
#include <bento/entry/choice.hpp>
#include <boost/json.hpp>

#include "test.hpp"

namespace bento::test {

using namespace std::chrono_literals;

inline const uuid4 token = uuid4::parse("7e620807-59fd-498d-94f9-1722672411ab").value();
inline const entry::day now = std::chrono::sys_days{std::chrono::year{2026} / 11 / 25};

inline onion::secret_key onion_key(std::uint8_t number) {
    std::array<std::uint8_t, 32> seed{};
    seed[0] = number;
    return onion::secret_key::from_seed(seed);
}
inline onion::address onion_address(std::uint8_t number) { return onion::address::of(onion_key(number).public_key()); }
inline onion::secret_key owner_key(std::string_view who = "owner") {
    return entry::owner_secret::from_text(std::string{who} + " secret of twenty-two characters").value().key(token);
}

inline entry::entry unsigned_entry(std::uint8_t onion = 1) {
    const std::string code = "def hello():\n    api.send('hello')\n";
    return {token, "hello", code, entry::sha256(code), onion_address(onion), {}};
}
/// Signed by `who` for the onion of this number.
inline entry::entry signed_entry(std::uint64_t seq, std::uint8_t onion = 1, std::string_view who = "owner",
                                 entry::day not_after = now + entry::life) {
    auto out = unsigned_entry(onion);
    out.signed_by = entry::authority{.seq = seq, .not_after = not_after};
    sign(out, owner_key(who), onion_key(onion));
    return out;
}
inline entry::tombstone ended(std::uint64_t seq, std::string_view who = "owner") {
    entry::tombstone out{.token = token, .seq = seq};
    sign(out, owner_key(who));
    return out;
}

}  // namespace bento::test
