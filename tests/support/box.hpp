// A box in the test's own process, on a unix socket of its own, and one call of a function over the Bento protocol.
#pragma once

#include <bento/box/server.hpp>
#include <bento/client/bento_connection.hpp>

#include "run.hpp"
#include "temporary_directory.hpp"

namespace bento::test {

/// A sanitizer keeps memory that was freed: what a server holds cannot be told then.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif

struct box_under_test {
    temporary_directory folder;
    box::server server;
    endpoint at;
};

inline task<std::unique_ptr<box_under_test>> make_box(box::options o) {
    auto out = std::make_unique<box_under_test>();
    o.directory = out->folder.path() / "functions";
    auto started = co_await box::server::start(std::move(o));
    if (!started) co_return started.error();
    out->server = std::move(*started);
    auto on = net::listener::listen(co_await asio::this_coro::executor,
                                    endpoint::unix_socket((out->folder.path() / "s").string()), {});
    if (!on) co_return on.error();
    out->at = on->where();
    out->server.serve(std::move(*on));
    co_return out;
}

inline task<std::unique_ptr<box_under_test>> make_box() {
    box::options o;
    co_return co_await make_box(o);
}

/// Its deadline is far away: test::run() limits the whole.
inline asio::awaitable<client::bento_connection> connect(const box_under_test& b) {
    auto c = co_await client::bento_connection::connect(b.at, clock::now() + std::chrono::hours{1});
    co_return std::move(c).value();
}

/// Everything that an open function gives from now on: outputs in brackets, errors in braces, then `dead`.
inline asio::awaitable<std::string> read_all(client::bento_connection& c) {
    using w = wire::client;
    std::string out;
    for (;;) {
        auto event = co_await c.next();
        if (!event) co_return out + "error " + event.error().message();
        if (std::holds_alternative<w::output_begin>(*event)) out += "[";
        if (const auto* data = std::get_if<w::output_data>(&*event)) out += data->data;
        if (std::holds_alternative<w::output_end>(*event)) out += "]";
        if (const auto* e = std::get_if<w::function_error>(&*event)) out += "{" + e->text + "}";
        if (const auto* n = std::get_if<w::invalid_message>(&*event)) out += "<" + n->words + ">";
        if (std::holds_alternative<w::function_dead>(*event)) co_return out + "dead";
    }
}

/// The data of the next output.
inline asio::awaitable<std::string> read_output(client::bento_connection& c) {
    using w = wire::client;
    std::string out;
    for (;;) {
        auto event = (co_await c.next()).value();
        if (const auto* data = std::get_if<w::output_data>(&event)) out += data->data;
        if (std::holds_alternative<w::output_end>(event)) co_return out;
        if (std::holds_alternative<w::function_dead>(event)) throw std::runtime_error{"dead before an output"};
    }
}

/// Runs a stored function on a connection of its own.
inline asio::awaitable<std::string> run_stored(const box_under_test& b, uuid4 token, std::string text,
                                               std::string input = {}) {
    auto c = co_await connect(b);
    const auto id = (co_await c.execute(text, token)).value();
    (co_await c.open(id)).value();
    if (!input.empty()) (co_await c.input(id, input)).value();
    co_return co_await read_all(c);
}

inline asio::awaitable<std::string> call(const box_under_test& b, std::string code, std::string text,
                                         std::string input = {}) {
    auto c = co_await connect(b);
    const auto token = (co_await c.store("f", code)).value();
    co_return co_await run_stored(b, token, std::move(text), std::move(input));
}

}  // namespace bento::test
