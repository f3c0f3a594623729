// Frames of a hostile client or server.
#include <bento/http/websocket.hpp>
#include <cstdint>

#include "segments.hpp"

namespace ws = bento::http::websocket;

namespace {

constexpr std::uint64_t message_limit = 500;

std::string told(const std::vector<std::string>& pieces, ws::receiver::from sender) {
    ws::receiver r{sender, message_limit};
    std::string out, message;
    for (const auto& piece : pieces) {
        r.feed(piece);
        for (;;) {
            const auto e = r.next();
            if (std::holds_alternative<ws::receiver::need_data>(e)) break;
            if (const auto* d = std::get_if<ws::receiver::data>(&e)) {
                message += d->bytes;
                if (message.size() > message_limit) std::abort();
                if (!d->last) continue;
                out += (d->text ? "text " : "binary ") + message + '\n';
                message.clear();
            } else if (const auto* p = std::get_if<ws::receiver::ping>(&e)) {
                out += "ping " + std::string{p->payload} + '\n';
            } else if (std::holds_alternative<ws::receiver::pong>(e)) {
                out += "pong\n";
            } else if (const auto* c = std::get_if<ws::receiver::closed>(&e)) {
                out += "closed " + std::to_string(static_cast<int>(c->code)) + ' ' + std::string{c->reason};
            } else {
                out += std::get<ws::receiver::broken>(e).why;
            }
        }
    }
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto sender = data[0] % 2 == 0 ? ws::receiver::from::client : ws::receiver::from::server;
    bento::fuzz::check_segmentations({reinterpret_cast<const char*>(data) + 1, size - 1},
                                     [&](const std::vector<std::string>& pieces) { return told(pieces, sender); });
    return 0;
}
