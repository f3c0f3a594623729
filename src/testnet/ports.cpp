#include "ports.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <bento/base/random.hpp>
#include <bento/net/child.hpp>
#include <set>
#include <stdexcept>

namespace bento::testnet {
namespace {

constexpr std::uint16_t lowest = 20'000;
constexpr std::uint16_t highest = 32'767;  // Linux: net.ipv4.ip_local_port_range begins at 32768

bool is_free(std::uint16_t port) {
    const net::unique_fd probe{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return probe && ::bind(probe.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
}

}  // namespace

std::vector<std::uint16_t> free_ports(std::size_t count) {
    std::set<std::uint16_t> tried;
    std::vector<std::uint16_t> out;
    while (out.size() < count) {
        if (tried.size() > (highest - lowest) / 2U) throw std::runtime_error{"no free ports on 127.0.0.1"};
        std::uint16_t random = 0;
        system_random()({reinterpret_cast<std::uint8_t*>(&random), sizeof random});
        const auto port = static_cast<std::uint16_t>(lowest + random % (highest - lowest + 1));
        if (tried.insert(port).second && is_free(port)) out.push_back(port);
    }
    return out;
}

}  // namespace bento::testnet
