// Free ports for a whole network at once.
#pragma once

#include <bento/base/error.hpp>
#include <cstdint>
#include <vector>

namespace bento::testnet {

/// `count` ports of 127.0.0.1 that nothing listens on now, below the kernel's range for outgoing connections, which
/// would take one of them before it is used. Another program may still be faster: a network whose tor finds its port
/// taken starts again with others.
std::vector<std::uint16_t> free_ports(std::size_t count);

}  // namespace bento::testnet
