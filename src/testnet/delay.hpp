// A forwarder that holds every byte back for a fixed time, in both directions: latency where the kernel has no netem.
#pragma once

#include <bento/net/listener.hpp>

namespace bento::testnet {

/// Listens on `from` and connects each connection to `to`, delayed by `latency` each way. A connection's end is delayed
/// like its bytes.
result<net::listener> delay(asio::any_io_executor executor, const endpoint& from, endpoint to,
                            std::chrono::milliseconds latency);

}  // namespace bento::testnet
