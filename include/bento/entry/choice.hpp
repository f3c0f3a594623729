// What a caller believes: from the answers of all directories, the owner that is pinned and the share string, the one
// entry to use, or why none may be. Pure.
#pragma once

#include <bento/entry/owner.hpp>
#include <variant>
#include <vector>

namespace bento::entry {

/// What is kept of a token between look-ups.
struct pin {
    std::optional<onion::public_key> owner;  ///< unset: it was unsigned
    std::uint64_t seq = 0;
    digest document{};  ///< SHA-256 of the signed bytes, or of the unsigned entry's onion and code
};

struct no_entry {};
/// What one directory says. An error is a directory that could not be asked, or whose answer was no entry.
struct answer {
    std::string directory;
    std::variant<no_entry, entry, tombstone, error> says;
};

enum class change {
    first,         ///< nothing was known of the token
    same,          ///< as it was
    owner_signed,  ///< it changed, and its pinned owner signed that
    unsigned_,     ///< nobody but the directory vouches for it
};
std::string_view to_text(change c);

struct choice {
    entry chosen;
    bento::entry::change change = change::first;
    pin remember;
    /// What a person should know: a directory that shows an old entry, or one that does not hold.
    std::vector<std::string> warnings;
};

/// The entry with the highest valid sequence number. Errors: not_found where all directories that answered have none;
/// ended; what was wrong with the entries where none is valid; conflict where two owners are possible; the first
/// directory's own error where none answered.
result<choice> choose(const share& wanted, const std::optional<pin>& known, const std::vector<answer>& answers,
                      day now);

}  // namespace bento::entry
