// One connection of the Bento protocol.
#pragma once

#include <bento/net/stream.hpp>

#include "house.hpp"

namespace bento::box {

/// Ends when the peer leaves, stalls within a frame, or the stream is closed.
asio::awaitable<void> serve_connection(std::shared_ptr<house> box, net::stream peer);

}  // namespace bento::box
