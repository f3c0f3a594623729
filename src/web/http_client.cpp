#include <bento/web/http_client.hpp>

namespace bento::web {
namespace {

constexpr std::size_t buffer_size = 64 * 1024;

}  // namespace

std::string_view to_text(errc e) {
    switch (e) {
        case errc::malformed:
            return "the answer breaks HTTP";
        case errc::refused:
            return "the server does not switch protocols";
    }
    return "unknown error";
}

std::string http_client::authority() const {
    return road_.port == 80 ? road_.host : road_.host + ":" + std::to_string(road_.port);
}

task<http::client_connection::event> http_client::read_event() {
    for (;;) {
        auto event = connection_.next();
        if (const auto* broken = std::get_if<http::client_connection::broken>(&event)) {
            stream_.close();
            co_return error{errc::malformed, std::string{broken->why}};
        }
        if (std::holds_alternative<http::client_connection::cut>(event)) {
            stream_.close();
            co_return error{net::errc::closed, "before the answer was whole"};
        }
        if (!std::holds_alternative<http::client_connection::need_data>(event)) co_return std::move(event);
        const auto n = co_await stream_.read_some({buffer_.get(), buffer_size});
        if (n)
            connection_.feed({buffer_.get(), *n});
        else if (n.error().code == net::errc::closed)
            connection_.feed_eof();
        else
            co_return n.error();
    }
}

/// On the connection that there is, or on a new one.
task<void> http_client::send(std::string bytes, time_point deadline) {
    if (stream_.is_open() && connection_.reusable()) {
        stream_.expires_at(deadline);
        co_return co_await stream_.write(bytes);
    }
    if (!buffer_) buffer_ = std::make_unique_for_overwrite<char[]>(buffer_size);
    connection_ = {};
    result<net::stream> connected;
    if (road_.direct) {
        connected = co_await net::stream::connect(*road_.direct, road_.connect_deadline(deadline));
    } else {
        net::socks_target to;
        to.host = road_.host;
        to.port = road_.port;
        connected = co_await net::connect_through(road_.socks, road_.isolation, std::move(to), bytes,
                                                  road_.connect_deadline(deadline));
    }
    // The limit of connecting alone has passed: there is time for another road.
    if (!connected && connected.error().code == net::errc::timed_out && clock::now() < deadline)
        co_return error{net::errc::no_route, "no connection in time"};
    if (!connected) co_return connected.error();
    stream_ = std::move(*connected);
    stream_.expires_at(deadline);
    if (road_.direct) co_return co_await stream_.write(bytes);
    co_return result<void>{};
}

task<http::response_head> http_client::read_head() {
    auto event = co_await read_event();
    if (!event) co_return event.error();
    co_return std::move(std::get<http::response_head>(*event));
}

task<http::response_head> http_client::start(http::method m, std::string target, std::span<const http::field> fields,
                                             std::string body, time_point deadline) {
    auto bytes = http::encode_request(m, authority(), target, fields, body);
    if (auto sent = co_await send(std::move(bytes), deadline); !sent) co_return sent.error();
    connection_.expect_response(m);
    co_return co_await read_head();
}

task<http::response_head> http_client::start_switch(std::string target, std::span<const http::field> fields,
                                                    time_point deadline) {
    auto bytes = http::encode_request(http::method::get, authority(), target, fields, {});
    if (auto sent = co_await send(std::move(bytes), deadline); !sent) co_return sent.error();
    connection_.expect_switch();
    co_return co_await read_head();
}

task<std::string_view> http_client::next() {
    auto event = co_await read_event();
    if (!event) co_return event.error();
    if (const auto* data = std::get_if<http::client_connection::body>(&*event)) co_return data->data;
    if (!connection_.reusable()) stream_.close();
    co_return std::string_view{};
}

task<http_client::response> http_client::request(http::method m, std::string target,
                                                 std::span<const http::field> fields, std::string body,
                                                 time_point deadline) {
    auto head = co_await start(m, std::move(target), fields, std::move(body), deadline);
    if (!head) co_return head.error();
    response out;
    out.head = std::move(*head);
    for (;;) {
        const auto piece = co_await next();
        if (!piece) co_return piece.error();
        if (piece->empty()) co_return out;
        if (out.body.size() + piece->size() > whole_limit) {
            close();
            co_return error{errc::malformed, "the answer is too large"};
        }
        out.body += *piece;
    }
}

task<http_client::response> http_client::post_json(std::string target, std::string body, time_point deadline) {
    const std::vector<http::field> fields{{"Content-Type", "application/json"}};
    co_return co_await request(http::method::post, std::move(target), fields, std::move(body), deadline);
}

}  // namespace bento::web
