// Waiting for tor to reach the Tor network.
#pragma once

#include <bento/tor/controller.hpp>
#include <functional>

namespace bento::tor {

/// Told with the percentage and tor's own summary each time it moves.
using bootstrap_progress = std::function<void(unsigned percent, std::string_view summary)>;

/// Returns at 100%. errc::not_bootstrapped at the deadline, with what tor said last.
task<void> wait_for_bootstrap(controller control, bootstrap_progress tell, time_point deadline);

}  // namespace bento::tor
