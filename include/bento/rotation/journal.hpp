// The rotation's journal: the onion that callers are told of, the one that is to replace it, and those that still
// answer beside it. One JSON file, written whole before each step that can be seen outside, so that whatever of it a
// crash leaves behind says what to do next.
#pragma once

#include <bento/onion/address.hpp>
#include <chrono>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace bento::rotation {

enum class errc {
    corrupted = 1,  ///< the journal cannot be read; the detail says where
    too_many,       ///< as many retiring onions answer as may
    short_grace,    ///< a caller may use a cached entry for longer than the old onion would answer
    no_onion,       ///< there is no onion that could be replaced
};
std::string_view to_text(errc e);

using std::chrono::milliseconds;
/// The wall clock. Only the age of keys is told by it: what must not be hurried by a clock that steps is counted.
using wall_time = std::chrono::sys_seconds;

/// One retiring onion takes 300 bytes and 70 for each directory that names it.
inline constexpr std::size_t journal_limit = 256 * 1024;
/// Each costs tor its introduction circuits.
inline constexpr std::size_t most_retiring = 32;

/// A rotation that was asked for and whose onion callers are not told of yet.
struct unfinished {
    milliseconds grace{};
    bool compromised = false;             ///< the onion before it does not answer any more
    std::optional<onion::address> onion;  ///< unset until its key is made
    std::set<std::string> acknowledged;   ///< directories that have every token at the new onion
    bool operator==(const unfinished&) const = default;
};

/// An onion that has a successor.
struct retiring {
    onion::address onion;
    milliseconds grace{};
    milliseconds age{};              ///< how long it has answered beside its successor; while nothing runs, it stands
    bool dropped = false;            ///< it does not answer: it was compromised, or its key is lost
    std::set<std::string> named_by;  ///< directories that may still send callers to it
    bool operator==(const retiring&) const = default;
};

struct journal {
    onion::address current;
    wall_time since;                ///< callers are told of it since then
    bool ask_first = false;         ///< the one before it was compromised: its entries are not to be cached
    std::optional<wall_time> next;  ///< when the schedule replaces it
    std::optional<unfinished> running;
    std::vector<retiring> retired;  ///< oldest first
    bool operator==(const journal&) const = default;
};

/// How long callers have been told of the current onion; never negative.
milliseconds age(const journal& j, wall_time now);

std::string to_json(const journal& j);
/// errc::corrupted with the member's name. Unknown members are ignored.
result<journal> journal_from_json(std::string_view text);

/// Nothing where there is no such file. errc::corrupted, and what read_file says.
result<std::optional<journal>> load(const std::filesystem::path& file);
result<void> save(const std::filesystem::path& file, const journal& j);

/// A journal for key files without one: the newest is what a rotation was about to announce, the others retire. Each
/// with the time of its file, none twice. errc::no_onion where there are none.
result<journal> adopt(std::vector<std::pair<wall_time, onion::address>> keys, milliseconds grace);

}  // namespace bento::rotation
BENTO_ERRC(rotation);
