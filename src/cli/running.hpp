// The functions that were started from here and may still run: one small file each in STATE/running, mode 0600, which
// says where.
#pragma once

#include <bento/base/uuid4.hpp>
#include <chrono>

#include "caller.hpp"

namespace bento::cli {

struct running_function {
    std::optional<uuid4> id;  ///< always set
    std::string token;        ///< or share string, by which it is found where `at` says nothing
    std::string call;
    where at;
    std::chrono::system_clock::time_point since{};
};

/// Nothing is lost where it cannot be written but that `ps` does not list it.
result<void> remember(const globals& g, const running_function& f);
void forget(const globals& g, const uuid4& id);
/// client::errc::unknown_function.
result<running_function> recall(const globals& g, const uuid4& id);
/// The oldest first.
std::vector<running_function> all_running(const globals& g);

}  // namespace bento::cli
