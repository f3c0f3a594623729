// The parts of `bentoctl tor` that have files of their own.
#pragma once

#include "control.hpp"

namespace bento::cli {

runner declare_tor_events(CLI::App& options);
runner declare_tor_circuits(CLI::App& options);
runner declare_tor_streams(CLI::App& options);
runner declare_tor_prompt(CLI::App& options);

/// As tor sent it, or as a list of lines.
void print_reply(const terminal& out, const control::reply& r, bool as_json);

}  // namespace bento::cli
