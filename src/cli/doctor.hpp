// What bentoctl doctor finds, and the parts of it that have files of their own.
#pragma once

#include <bento/net/asio.hpp>
#include <string>
#include <vector>

#include "command.hpp"

namespace bento::cli {

struct finding {
    enum class state {
        fine,
        degraded,  ///< it works, and holds less than it should
        warning,   ///< it works, and is not as it should be
        wrong,     ///< it does not work
    };
    std::string check;  ///< what was looked at
    state is = state::fine;
    std::string text;
    std::string fix = {};  ///< the line to change, or the command to run; may be empty
};
using findings = std::vector<finding>;

/// tor's program, control port with its authentication, SOCKS port, and what its configuration means for us.
asio::awaitable<void> examine_tor(const globals& g, const config::settings& s, findings& to);
/// The state directory and its keys.
void examine_state(const globals& g, findings& to);
/// The sandbox, by one empty run in it, or the function server that is named.
asio::awaitable<void> examine_box(const config::settings& s, findings& to);

enum class access { read, connect };
/// Why this user may not read a file or connect to a socket, or that all is well: the first directory on the way that
/// may not be entered, or its own mode; and what to do about it, by group where one has the right.
finding explain_access(std::string check, const std::string& path, access wanted);

}  // namespace bento::cli
