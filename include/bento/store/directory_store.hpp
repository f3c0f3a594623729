// What a Bento Function Directory keeps: entries by token, and apart from them the password hashes of accounts.
//
// One interface; each engine fulfils it whole. Rows stop here: what comes out are records.
#pragma once

#include <array>
#include <bento/base/uuid4.hpp>
#include <bento/net/asio.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace bento::store {

enum class errc {
    taken = 1,      ///< the token, or the account to be made, is there already; the detail names the token
    not_found,      ///< no record has this token
    not_yours,      ///< the record belongs to another account
    stale,          ///< the record has this number or a higher one already
    full,           ///< the account has as many entries as it may
    failed,         ///< the engine's own words are the peer's
    newer_version,  ///< a later program made this database
};
std::string_view to_text(errc e);

struct record {
    uuid4 token;
    std::int64_t account = 0;  ///< 0: imported; the first re-registration by its owner's key takes it
    std::optional<std::array<std::uint8_t, 32>> owner;
    std::uint64_t seq = 0;
    bool ended = false;
    std::string document;  ///< JSON, as it is answered
};

struct account {
    std::int64_t id = 0;
    std::string password_hash;
};

/// Whose password was checked, or is to be the account's from now on.
struct registrant {
    std::string account;  ///< its name, kept as SHA-256 alone
    /// Set: the account is made, errc::taken where it is there with an entry. Unset: it is there.
    std::optional<std::string> new_password_hash;
};

/// What add() and replace() confirm is on the disk. All of a request or nothing of it.
class directory_store {
  public:
    virtual ~directory_store() = default;

    virtual task<std::optional<record>> find(uuid4 token) = 0;
    virtual task<std::optional<account>> find_account(std::string name) = 0;
    /// New records, of the registrant's account; `most` is how many entries it may have. errc::taken, full.
    virtual task<void> add(registrant by, std::vector<record> records, std::size_t most) = 0;
    /// Newer records in the place of those with their tokens. errc::not_found, not_yours, stale; a record of account 0
    /// becomes the registrant's.
    virtual task<void> replace(registrant by, std::vector<record> records) = 0;
    /// Records of no account; one whose token is there with this number or a higher one is left out. How many were
    /// taken.
    virtual task<std::size_t> import(std::vector<record> records) = 0;
    /// Up to `count` records behind that of a token, in an order of the engine's own.
    virtual task<std::vector<record>> page(std::optional<uuid4> after, std::size_t count) = 0;
    virtual task<std::uint64_t> size() = 0;
};

/// `sqlite:/absolute/path.db`, made where it is not there with the hashes beside it in `path-passwords.db`, mode 0600.
/// Look-ups run on the calling thread (a few microseconds), the rest on one of its own.
result<std::unique_ptr<directory_store>> open_sqlite(const std::string& path);

}  // namespace bento::store
BENTO_ERRC(store);
