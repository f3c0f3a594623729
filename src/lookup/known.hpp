// What is kept of a token between look-ups: `KNOWN/TOKEN.json`, mode 0600, `{"asked":UNIX_SECONDS,"document",
// "entry":{...},"owner":HEX|null,"seq"}`.
#pragma once

#include <bento/entry/choice.hpp>
#include <filesystem>

namespace bento::lookup {

struct known_entry {
    entry::pin pin;
    entry::entry last;  ///< without its code
    std::chrono::sys_seconds asked{};
};

/// Nothing where the token was never looked up. errc::damaged: then the pin is lost, and a person has to decide that
/// it is to be trusted anew.
result<std::optional<known_entry>> load_known(const std::filesystem::path& folder, const uuid4& token);
/// Unless another process has kept a newer one of the same owner by now.
result<void> save_known(const std::filesystem::path& folder, const known_entry& k);

}  // namespace bento::lookup
