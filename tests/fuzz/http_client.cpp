// Responses from hostile bytes, to a GET, a HEAD or a request for another protocol.
#include <bento/http/client_connection.hpp>
#include <cstdint>

#include "segments.hpp"

using bento::http::client_connection;

namespace {

std::string told(const std::vector<std::string>& pieces, unsigned asked) {
    client_connection c;
    if (asked == 0)
        c.expect_switch();
    else
        c.expect_response(asked == 1 ? bento::http::method::head : bento::http::method::get);
    std::string out;
    const auto drain = [&] {
        for (;;) {
            const auto e = c.next();
            if (std::holds_alternative<client_connection::need_data>(e)) return true;
            if (const auto* h = std::get_if<bento::http::response_head>(&e)) {
                out += std::to_string(h->status) + '\n';
                for (const auto& [name, value] : h->fields)
                    out += name + ':' + value + '\n';
                if (h->status == 101) return false;
            } else if (const auto* b = std::get_if<client_connection::body>(&e)) {
                out += b->data;
                if (b->data.empty()) std::abort();
            } else if (std::holds_alternative<client_connection::response_end>(e)) {
                out += "|end";
                return false;
            } else if (std::holds_alternative<client_connection::cut>(e)) {
                out += "|cut";
                return false;
            } else {
                out += std::get<client_connection::broken>(e).why;
                return false;
            }
        }
    };
    for (const auto& piece : pieces) {
        c.feed(piece);
        if (!drain()) return out;
    }
    c.feed_eof();
    drain();
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto asked = static_cast<unsigned>(data[0]) % 3;
    bento::fuzz::check_segmentations({reinterpret_cast<const char*>(data) + 1, size - 1},
                                     [&](const std::vector<std::string>& pieces) { return told(pieces, asked); });
    return 0;
}
