// The functions that were stored from here: one small file each in STATE/stored, mode 0600, with the owner token that
// lets its holder register and delete them.
#pragma once

#include <bento/base/uuid4.hpp>
#include <chrono>

#include "caller.hpp"

namespace bento::cli {

struct stored_here {
    uuid4 token;
    std::string name;
    std::optional<uuid4> owner_token;
    where at;
    std::chrono::system_clock::time_point since{};
};

result<void> keep_stored(const globals& g, const stored_here& f);
void drop_stored(const globals& g, const uuid4& token);
/// Nothing where it was not stored from here.
std::optional<stored_here> find_stored(const globals& g, const uuid4& token);
/// The oldest first.
std::vector<stored_here> all_stored(const globals& g);

}  // namespace bento::cli
