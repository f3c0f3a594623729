// Which functions of this host are registered, as what, and what each directory has acknowledged of it:
// STATE/registrations.json. Written before anything is sent, so that a crash loses no number and no directory.
#pragma once

#include <bento/entry/entry.hpp>
#include <bento/host/errc.hpp>
#include <filesystem>
#include <map>

namespace bento::host {

/// What the entry of one function is to be, everywhere.
struct registration {
    std::string name;
    entry::digest code_sha256{};
    bool with_code = true;  ///< the entry carries the code, not its digest alone
    onion::address onion;
    std::uint64_t seq = 1;
    entry::day not_after{};
    bool ask_first = false;
    bool ended = false;

    /// What one directory has of it.
    struct at_directory {
        /// The number it has acknowledged; 0 where it may have one, and we do not know which.
        std::optional<std::uint64_t> acknowledged;
        /// It will never take the entry: why, in its own words or as one of these.
        std::string refused;
        static constexpr std::string_view taken = "taken", ended = "ended";

        bool operator==(const at_directory&) const = default;
    };
    std::map<std::string, at_directory> at;  ///< by the directory's address

    bool operator==(const registration&) const = default;
};

using registration_journal = std::map<uuid4, registration>;

/// What one directory lacks, by what it is to be asked.
struct lacking {
    std::vector<uuid4> add, replace, end;
    bool empty() const { return add.empty() && replace.empty() && end.empty(); }
};
lacking lacking_at(const registration_journal& journal, const std::string& directory);

/// An empty one where there is no file. errc::state where it is not what we wrote: it is left as it is.
result<registration_journal> load_journal(const std::filesystem::path& file);
result<void> save_journal(const std::filesystem::path& file, const registration_journal& journal);

}  // namespace bento::host
