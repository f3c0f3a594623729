// An entry of a Bento Function Directory: which onion answers for a token, said by whom (thesis section 3.3.1).
//
// Two keys sign the same bytes: the owner's key, which alone has authority over the token, and the onion's key, which
// proves possession. A stolen onion key therefore moves nothing, and nobody can point a token at an onion of somebody
// else. What is signed, as u32 length-prefixed members after the label `bentoctl/entry/v1\0`: token, name, SHA-256 of
// the code, onion address, owner key, sequence number (u64), last day, and one byte of flags.
#pragma once

#include <array>
#include <bento/base/uuid4.hpp>
#include <bento/entry/errc.hpp>
#include <bento/onion/address.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <optional>
#include <string>

namespace bento::entry {

using digest = std::array<std::uint8_t, 32>;
using day = std::chrono::sys_days;

/// A function's name as the directory shows it, bytes of UTF-8 without control characters.
inline constexpr std::size_t max_name = 256;
/// How long an owner signs an entry for; a server renews it at half of that.
inline constexpr std::chrono::days life{7};
/// Longer than this an entry is not believed: a directory could show it when it has long been untrue.
inline constexpr std::chrono::days longest_life{31};

digest sha256(std::string_view data);
/// The UTC day of this moment.
day today();
/// `2026-11-25`; malformed where it is none.
std::string to_text(day d);
result<day> parse_day(std::string_view text);

/// What makes an entry its owner's.
struct authority {
    onion::public_key owner{};
    std::uint64_t seq = 0;   ///< a higher one replaces a lower one
    day not_after{};         ///< the last day on which it is true
    bool ask_first = false;  ///< do not serve it from a cache: the onion before this one was compromised
    onion::signature by_owner{};
    onion::signature by_onion{};
};

struct entry {
    uuid4 token;
    std::string name;
    std::optional<std::string> code;
    digest code_sha256{};
    onion::address onion;
    /// Unset in the thesis' bare form: then only the directory vouches for it.
    std::optional<authority> signed_by;

    std::uint64_t seq() const { return signed_by ? signed_by->seq : 0; }
};

/// The end of a registration: the token is never given away again.
struct tombstone {
    uuid4 token;
    onion::public_key owner{};
    std::uint64_t seq = 0;
    onion::signature by_owner{};
};

/// The bytes that both keys sign. Needs `signed_by`, whose signatures do not count.
std::string signed_bytes(const entry& e);
std::string signed_bytes(const tombstone& t);
/// Sets the owner's key and both signatures.
void sign(entry& e, const onion::secret_key& owner, const onion::secret_key& onion);
void sign(tombstone& t, const onion::secret_key& owner);

/// Signatures hold, and the code, where it is there, is the one that was signed. errc::bad_signature.
result<void> verify(const entry& e);
result<void> verify(const tombstone& t);
/// errc::expired, or too_long_lived. An unsigned entry has no day.
result<void> check_day(const entry& e, day now);

/// `{"token","name","code"?,"code_sha256","onion","owner"?,"seq"?,"not_after"?,"ask_first"?,"owner_signature"?,
/// "onion_signature"?}`; digests and keys in hexadecimal, signatures in base64.
boost::json::object to_json(const entry& e, bool with_code = true);
boost::json::object to_json(const tombstone& t);
/// Other members are ignored; of "code" and "code_sha256" one is needed. errc::malformed with the member's name. Proves
/// the form, not the signatures.
result<entry> entry_from_json(const boost::json::object& o);
/// `{"token","ended":true,"owner","seq","owner_signature"}`.
result<tombstone> tombstone_from_json(const boost::json::object& o);

}  // namespace bento::entry
