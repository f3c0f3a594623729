// A forwarder that holds every byte back for a fixed time, in both directions: latency where the kernel has no netem.
#pragma once

#include <bento/net/listener.hpp>

namespace bento::testnet {

/// May be changed while connections run; it holds for the bytes that come in from then on.
using latency_setting = std::shared_ptr<std::chrono::milliseconds>;

/// Listens on `from` and connects each connection to `to`, held back by `latency` each way. A connection's end is
/// delayed like its bytes.
result<net::listener> delay(asio::any_io_executor executor, const endpoint& from, endpoint to, latency_setting latency);

}  // namespace bento::testnet
