// What a request to change something holds, checked once into owning values.
#pragma once

#include <bento/base/secret.hpp>
#include <bento/directory/directory.hpp>
#include <bento/entry/entry.hpp>
#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

namespace bento::directory {

/// As it is answered.
struct refusal {
    int status;
    std::string type;
    std::string detail;
    std::optional<std::chrono::seconds> retry_after = {};
    std::optional<uuid4> token = {};  ///< which of the entries, where it is one
};
template <class T>
using checked = boost::system::result<T, refusal>;

enum class action { add, replace, end };

/// One entry, or the end of one.
struct wish {
    uuid4 token;
    std::optional<entry::entry> live;
    std::optional<entry::tombstone> dead;
    /// The bare form of a re-registration (thesis Figure 3.8) names the new onion alone.
    std::optional<onion::address> moved_to;
    onion::signature claim{};

    bool is_signed() const { return dead || (live && live->signed_by); }
    onion::public_key owner() const { return dead ? dead->owner : live->signed_by->owner; }
    std::uint64_t seq() const { return dead ? dead->seq : live ? live->seq() : 0; }
    std::string signed_bytes() const { return dead ? entry::signed_bytes(*dead) : entry::signed_bytes(*live); }
};

struct request {
    std::vector<wish> wishes;
    std::string account;        ///< as it is stored
    std::string account_given;  ///< as claims are signed over it
    secret password;
};

/// `{"entries":[...],"password","account"}`, or one entry's members beside "password", whose account is then the token.
/// 400 where it is no JSON object, 422 where a member is wrong, naming it as `entries[3].token`. `now` is what
/// "not_after" is checked by.
checked<request> parse_request(std::string_view body, action what, const options& o, entry::day now);

}  // namespace bento::directory

namespace boost::system {
[[noreturn]] inline void throw_exception_from_error(const bento::directory::refusal& r, const boost::source_location&) {
    throw std::runtime_error{r.detail};
}
}  // namespace boost::system
