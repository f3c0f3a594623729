#include <arpa/inet.h>
#include <sys/un.h>

#include <bento/base/endpoint.hpp>
#include <bento/base/errc.hpp>
#include <charconv>

namespace bento {
namespace {

constexpr std::string_view unix_prefix = "unix:";
constexpr std::size_t longest_path = sizeof(sockaddr_un::sun_path) - 1;

error wrong(std::string_view text, std::string_view why) {
    return {base::errc::malformed, std::string{text} + ": " + std::string{why}};
}

bool is_address(int family, const std::string& host) {
    unsigned char raw[sizeof(in6_addr)];
    return ::inet_pton(family, host.c_str(), raw) == 1;
}

}  // namespace

result<endpoint> endpoint::parse(std::string_view text) {
    if (text.find('\0') != std::string_view::npos) return wrong("endpoint", "it holds a NUL byte");
    if (text.starts_with(unix_prefix)) {
        const auto path = text.substr(unix_prefix.size());
        if (!path.starts_with('/')) return wrong(text, "the path of a unix socket is absolute");
        if (path.size() > longest_path) return wrong(text, "the path of a unix socket has at most 107 bytes");
        return unix_socket(std::string{path});
    }
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return wrong(text, "an endpoint is unix:/absolute/path or HOST:PORT");
    std::string host{text.substr(0, colon)};
    const auto digits = text.substr(colon + 1);
    std::uint16_t port = 0;
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (digits.empty() || code != std::errc{} || end != digits.data() + digits.size())
        return wrong(text, "a port is a number from 0 to 65535");
    if (host == "localhost") host = "127.0.0.1";
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
        if (!is_address(AF_INET6, host)) return wrong(text, "brackets hold an IPv6 address");
    } else if (!is_address(AF_INET, host)) {
        return wrong(text, "HOST is an IP address or localhost; names are not resolved here");
    }
    return tcp(std::move(host), port);
}

bool endpoint::is_local() const { return is_unix() || host.starts_with("127.") || host == "::1"; }

std::string endpoint::str() const {
    if (is_unix()) return std::string{unix_prefix} + path;
    const auto shown = host.find(':') == std::string::npos ? host : "[" + host + "]";
    return shown + ":" + std::to_string(port);
}

}  // namespace bento
