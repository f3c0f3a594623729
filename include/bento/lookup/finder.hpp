// From a token to the onion that answers for it: all directories are asked, their answers checked, and what was seen is
// kept, so that none of them can go back on it (thesis section 3.4; entry::choose decides).
#pragma once

#include <bento/lookup/directory.hpp>
#include <filesystem>
#include <functional>

namespace bento::lookup {

/// Directories that one caller or server has; each costs a circuit.
inline constexpr std::size_t most_directories = 16;

struct found {
    entry::entry entry;  ///< one from the cache has no code
    entry::change change = entry::change::first;
    std::vector<std::string> warnings;
    bool cached = false;
};

class finder {
  public:
    struct options {
        std::vector<address> directories;
        /// One JSON file a token: its pin and its last entry. Made where it is missing, mode 0700.
        std::filesystem::path known;
        /// How long an entry is used without asking first.
        std::chrono::milliseconds max_stale = std::chrono::minutes{10};
        /// How long slower directories are waited for when one has shown an entry.
        std::chrono::milliseconds stragglers = std::chrono::seconds{5};
        /// A circuit that does not come up is given up after this, and another one tried until the deadline.
        std::chrono::milliseconds attempt = std::chrono::seconds{30};
        /// Called for each attempt, so that each can have a circuit of its own.
        std::function<web::road(const address&)> road_to;
        std::function<std::chrono::system_clock::time_point()> now = std::chrono::system_clock::now;
    };

    explicit finder(options o) : options_{std::move(o)} {}

    /// What was found less than `max_stale` ago, if its owner lets it be used unasked; otherwise as ask().
    task<found> find(entry::share wanted, time_point deadline);
    /// Asks all directories. entry::errc as entry::choose() says; errc::none_configured, damaged; base::errc where what
    /// was found cannot be kept.
    task<found> ask(entry::share wanted, time_point deadline);

  private:
    options options_;
};

}  // namespace bento::lookup
