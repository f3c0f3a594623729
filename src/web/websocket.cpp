#include <bento/base/encoding.hpp>
#include <bento/base/random.hpp>
#include <bento/web/websocket.hpp>

namespace bento::web {

namespace ws = http::websocket;

namespace {

constexpr std::size_t buffer_size = 64 * 1024;
/// Of a refusal's body: a problem as JSON.
constexpr std::size_t refusal_limit = 64 * 1024;

ws::mask random_mask() {
    ws::mask out;
    system_random()(out);
    return out;
}

}  // namespace

task<websocket> websocket::connect(road by, std::string target, time_point deadline) {
    std::array<std::uint8_t, 16> nonce{};
    system_random()(nonce);
    const auto key = base64_encode(nonce);
    http_client client{std::move(by)};
    const std::vector<http::field> fields{{"Upgrade", "websocket"},
                                          {"Connection", "Upgrade"},
                                          {"Sec-WebSocket-Version", ws::version},
                                          {"Sec-WebSocket-Key", key}};
    const auto head = co_await client.start_switch(std::move(target), fields, deadline);
    if (!head) co_return head.error();
    if (head->status != 101) {
        std::string body;
        for (;;) {
            const auto piece = co_await client.next();
            if (!piece || piece->empty() || body.size() > refusal_limit) break;
            body += *piece;
        }
        co_return error{errc::refused, "HTTP status " + std::to_string(head->status), std::move(body)};
    }
    if (head->find("Sec-WebSocket-Accept") != ws::accept_key(key)) co_return errc::malformed;
    websocket out;
    out.receiver_ = std::make_unique<ws::receiver>(ws::receiver::from::server, message_limit);
    out.receiver_->feed(client.take_rest());
    out.stream_ = client.release();
    out.buffer_ = std::make_unique_for_overwrite<char[]>(buffer_size);
    co_return std::move(out);
}

task<void> websocket::send(ws::opcode type, std::string_view message) {
    ws::append_frame(out_, type, true, message, random_mask());
    co_return co_await flush();
}

/// Frames go out whole and one after the other: who finds another writing leaves his to it.
task<void> websocket::flush() {
    if (std::exchange(writes_, true)) co_return result<void>{};
    result<void> sent;
    while (sent && !out_.empty()) {
        const auto now = std::exchange(out_, {});
        sent = co_await stream_.write(now);
    }
    writes_ = false;
    co_return sent;
}

task<void> websocket::close() { return send(ws::opcode::close, ws::close_payload(ws::close_code::normal)); }

task<websocket::piece> websocket::next() {
    for (;;) {
        const auto e = receiver_->next();
        if (const auto* d = std::get_if<ws::receiver::data>(&e)) co_return piece{d->text, d->last, d->bytes};
        if (const auto* p = std::get_if<ws::receiver::ping>(&e)) {
            ws::append_frame(out_, ws::opcode::pong, true, p->payload, random_mask());
            if (auto sent = co_await flush(); !sent) co_return sent.error();
        } else if (const auto* b = std::get_if<ws::receiver::broken>(&e)) {
            co_return error{errc::malformed, std::string{b->why}};
        } else if (const auto* c = std::get_if<ws::receiver::closed>(&e)) {
            co_return error{net::errc::closed, {}, std::string{c->reason}};
        } else if (std::holds_alternative<ws::receiver::need_data>(e)) {
            const auto n = co_await stream_.read_some({buffer_.get(), buffer_size});
            if (!n) co_return n.error();
            receiver_->feed({buffer_.get(), *n});
        }
    }
}

}  // namespace bento::web
