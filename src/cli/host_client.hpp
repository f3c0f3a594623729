// The daemon of this state directory, asked by an operator's command.
#pragma once

#include <bento/host/daemon_client.hpp>

#include "command.hpp"

namespace bento::cli {

/// host::errc::not_running where none runs.
inline task<boost::json::object> ask_host(const globals& g, std::string question, boost::json::object with) {
    host::daemon_client daemon{g.state_directory};
    const auto deadline = clock::now() + g.timeout;
    co_return co_await daemon.ask(std::move(question), std::move(with), deadline);
}

}  // namespace bento::cli
