#include <array>
#include <bento/net/socks5.hpp>

namespace bento::net {
namespace {

constexpr char version = 5;
constexpr char authentication_version = 1;
constexpr char method_password = 2;
constexpr char command_connect = 1;
constexpr char address_name = 3;

/// RFC 1928 section 6; 0xF0 and above: tor's proposal 304, sent where the SocksPort has ExtendedErrors.
errc from_reply(unsigned char code) {
    switch (code) {
        case 0x05:
            return errc::refused;
        case 0xf0:
            return errc::onion_not_found;
        case 0xf1:
        case 0xf6:
            return errc::onion_invalid;
        case 0xf2:
        case 0xf3:
        case 0xf7:
            return errc::onion_unreachable;
        case 0xf4:
        case 0xf5:
            return errc::onion_unauthorised;
        default:
            return errc::no_route;
    }
}

}  // namespace

std::string socks5_request(const isolation& credentials, std::string_view host, std::uint16_t port) {
    std::string out{version, 1, method_password};
    out += authentication_version;
    for (const auto* part : {&credentials.username, &credentials.password}) {
        out += static_cast<char>(part->size());
        out += *part;
    }
    out += {version, command_connect, 0, address_name, static_cast<char>(host.size())};
    out += host;
    out += {static_cast<char>(port >> 8), static_cast<char>(port & 0xff)};
    return out;
}

result<std::size_t> socks5_reply::feed(std::string_view data) {
    std::size_t used = 0;
    while (used < data.size() && state_ != state::done) {
        if (state_ == state::reply_tail) {
            const auto n = std::min(tail_, data.size() - used);
            tail_ -= n;
            used += n;
            if (tail_ == 0) state_ = state::done;
            continue;
        }
        field_[have_++] = static_cast<unsigned char>(data[used++]);
        switch (state_) {
            case state::method:
                // tor reads greeting and credentials at one go where they arrive together, and then answers the
                // latter alone.
                if (field_[0] == authentication_version) {
                    state_ = state::authentication;
                    break;
                }
                if (field_[0] != version) return errc::socks_refused;
                if (have_ < 2) break;
                if (field_[1] != method_password) return errc::socks_refused;
                state_ = state::authentication;
                have_ = 0;
                break;
            case state::authentication:
                if (have_ < 2) break;
                if (field_[1] != 0) return errc::socks_refused;
                state_ = state::reply_head;
                have_ = 0;
                break;
            case state::reply_head:
                if (have_ == 1 && field_[0] != version) return errc::socks_refused;
                // An error is told by its second byte; what follows it does not matter, and some proxies cut it.
                if (have_ == 2 && field_[1] != 0) return error{from_reply(field_[1])};
                if (have_ < 5) break;
                // The bound address: its type in the fourth byte, its first byte (a name's length) in the fifth; then
                // the port.
                if (field_[3] == 1)
                    tail_ = 3 + 2;
                else if (field_[3] == 4)
                    tail_ = 15 + 2;
                else if (field_[3] == 3)
                    tail_ = field_[4] + 2u;
                else
                    return errc::socks_refused;
                state_ = state::reply_tail;
                break;
            case state::reply_tail:
            case state::done:
                break;
        }
    }
    return used;
}

std::size_t socks5_reply::wanted() const {
    switch (state_) {
        case state::method:
        case state::authentication:
            return 2 - have_;
        case state::reply_head:
            return (have_ < 2 ? 2u : 5u) - have_;
        case state::reply_tail:
            return tail_;
        case state::done:
            break;
    }
    return 0;
}

task<stream> connect_through(endpoint proxy, isolation credentials, socks_target to, std::string_view first,
                             time_point deadline) {
    auto connected = co_await stream::connect(proxy, deadline);
    if (!connected) co_return connected.error();
    auto out = std::move(*connected);
    out.expires_at(deadline);
    auto sent = co_await out.write(socks5_request(credentials, to.host, to.port), first);
    if (!sent) co_return sent.error();
    socks5_reply reply;
    while (!reply.done()) {
        // Byte-exact: what follows the reply is the application's and stays in the socket.
        std::array<char, 260> part;
        auto got = co_await out.read_some(std::span{part}.first(reply.wanted()));
        if (!got) co_return got.error();
        auto used = reply.feed({part.data(), *got});
        if (!used) co_return used.error();
    }
    out.expires_never();
    co_return out;
}

}  // namespace bento::net
