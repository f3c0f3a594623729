// What the daemons tell their operator, and how they are told to read their configuration again.
#pragma once

#include <bento/host/daemon.hpp>

#include "terminal.hpp"

namespace bento::cli {

/// Progress and warnings on stderr, `ready` once callers can come, and with --json an object a line on stdout. `out`
/// and `g` must outlive it.
host::observer told_on(terminal& out, const globals& g);

/// Reads the configuration again after each SIGHUP.
std::function<task<config::settings>()> after_hangup(std::function<result<config::settings>()> read);

}  // namespace bento::cli
