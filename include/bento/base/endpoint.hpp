// Where something listens: `unix:/absolute/path` or `HOST:PORT`, HOST being an IP address (an IPv6 one in brackets) or
// `localhost`.
//
// Names are never resolved on this machine: a resolver's question would tell who is asking for what. A name is a matter
// for tor.
#pragma once

#include <bento/base/error.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace bento {

struct endpoint {
    enum class kind { tcp, unix_socket };
    kind type = kind::tcp;
    std::string host;        ///< tcp: an IP address, IPv6 without brackets
    std::uint16_t port = 0;  ///< tcp: 0 asks for a free port when listening
    std::string path;        ///< unix_socket: absolute, at most 107 bytes

    static endpoint tcp(std::string host, std::uint16_t port) { return {kind::tcp, std::move(host), port, {}}; }
    static endpoint unix_socket(std::string path) { return {kind::unix_socket, {}, 0, std::move(path)}; }
    /// base::errc::malformed, saying what an endpoint looks like.
    static result<endpoint> parse(std::string_view text);

    bool is_unix() const { return type == kind::unix_socket; }
    /// True for a unix socket, 127.0.0.0/8 and ::1.
    bool is_local() const;
    /// As parse() reads it.
    std::string str() const;

    bool operator==(const endpoint&) const = default;
};

}  // namespace bento
