// What a function sends, as `open` and `attach` show it.
#pragma once

#include <bento/client/functions.hpp>
#include <memory>

#include "input.hpp"
#include "terminal.hpp"

namespace bento::cli {

/// To stdout, as it is or, with --json, an object a line; with standard input as its input, unless that is not wanted
/// or says nothing. `out` must outlive it.
client::output_sink output_to(const globals& g, const terminal& out, asio::any_io_executor executor, bool no_input);

}  // namespace bento::cli
