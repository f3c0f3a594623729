// Commands that consist of several: `bentoctl key generate`, `bentoctl tor get`, ...
#pragma once

#include <memory>

#include "command.hpp"

namespace bento::cli {

/// Adds one to a command. `declare` binds its options and returns what runs; `chosen` holds the one of the command
/// line.
inline void add_verb(CLI::App& to, const std::shared_ptr<runner>& chosen, const char* name, const char* summary,
                     runner (*declare)(CLI::App&)) {
    auto* verb = to.add_subcommand(name, summary);
    verb->fallthrough();
    verb->callback([chosen, run = declare(*verb)] { *chosen = run; });
}

/// Runs the one that was chosen.
inline runner run_chosen(CLI::App& of, const std::shared_ptr<runner>& chosen) {
    of.require_subcommand(1);
    return [chosen](const globals& g) { return (*chosen)(g); };
}

}  // namespace bento::cli
