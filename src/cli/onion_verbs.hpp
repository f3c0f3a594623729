// The parts of `bentoctl onion` that have files of their own.
#pragma once

#include "command.hpp"

namespace bento::cli {

runner declare_onion_add(CLI::App& options);

}  // namespace bento::cli
