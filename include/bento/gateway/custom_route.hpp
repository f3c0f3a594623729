// Paths that the operator of a gateway makes ([[route]] of bentoctl.toml(5)).
#pragma once

#include <bento/base/uuid4.hpp>
#include <map>
#include <optional>
#include <string>

namespace bento::gateway {

/// A path that the operator made: one call of one function, its arguments taken by name from a JSON body.
struct custom_route {
    enum class type { text, whole_number, number, boolean, any };
    struct argument {
        type is = type::any;
        bool needed = true;
    };
    std::string path;  ///< `/tracker`
    uuid4 token;
    std::string call;  ///< a function's name; or a whole call, which takes no arguments
    std::map<std::string, argument> arguments;
    /// What to collect before the answer; with neither, the first output is the answer.
    std::optional<double> collect_seconds;
    std::optional<std::uint64_t> collect_messages;
};

}  // namespace bento::gateway
