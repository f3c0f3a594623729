#include <bento/client/bento_connection.hpp>

namespace bento::client {
namespace {

/// Small: one is made for each call of a gateway, and a large one is taken from the kernel and given back each time.
constexpr std::size_t buffer_size = 16 * 1024;

}  // namespace

std::string_view to_text(errc e) {
    switch (e) {
        case errc::refused:
            return "the server refused";
        case errc::unknown_token:
            return "no function is stored under this token";
        case errc::unknown_function:
            return "no such function runs there";
        case errc::function_failed:
            return "the function failed";
        case errc::no_output:
            return "the function ended without an output";
        case errc::not_a_gateway:
            return "what answers there is no Bento gateway";
        case errc::malformed:
            return "the answer breaks the protocol";
        case errc::invalid:
            return "the server does not understand the request";
        case errc::forbidden:
            return "not authorised";
        case errc::busy:
            return "the server is busy";
        case errc::timed_out:
            return "the function did not end in time";
    }
    return "unknown error";
}

task<bento_connection> bento_connection::connect(endpoint to, time_point deadline) {
    auto stream = co_await net::stream::connect(std::move(to), deadline);
    if (!stream) co_return stream.error();
    stream->expires_at(deadline);
    co_return bento_connection{std::move(*stream)};
}

bento_connection::bento_connection(net::stream connected)
    : stream_{std::move(connected)},
      machine_{std::make_unique<wire::client>()},
      buffer_{std::make_unique_for_overwrite<char[]>(buffer_size)} {}

task<void> bento_connection::send(result<std::string> encoded) {
    if (!encoded) co_return encoded.error();
    co_return co_await stream_.write(*encoded);
}

task<wire::client::event> bento_connection::next() {
    for (;;) {
        auto event = machine_->next();
        if (!event) co_return event.error();
        if (!std::holds_alternative<wire::client::need_data>(*event)) co_return std::move(*event);
        const auto n = co_await stream_.read_some({buffer_.get(), buffer_size});
        if (!n && n.error().code == net::errc::closed) {
            if (auto whole = machine_->finish(); !whole) co_return whole.error();
        }
        if (!n) co_return n.error();
        machine_->feed({buffer_.get(), *n});
    }
}

task<uuid4> bento_connection::store(std::string_view name, std::string_view code) {
    if (auto sent = co_await send(machine_->encode_store(name, code)); !sent) co_return sent.error();
    auto answer = co_await next();
    if (!answer) co_return answer.error();
    if (const auto* stored = std::get_if<wire::client::stored>(&*answer)) co_return stored->token;
    if (const auto* refused = std::get_if<wire::client::refused>(&*answer))
        co_return error{errc::refused, {}, refused->words};
    co_return error{errc::malformed, "in answer to a Store"};
}

task<uuid4> bento_connection::execute(std::string_view call, const uuid4& token) {
    if (auto sent = co_await send(machine_->encode_execute(call, token)); !sent) co_return sent.error();
    auto answer = co_await next();
    if (!answer) co_return answer.error();
    if (const auto* executed = std::get_if<wire::client::executed>(&*answer)) co_return executed->id;
    if (const auto* refused = std::get_if<wire::client::refused>(&*answer)) {
        if (refused->words == "invalid token") co_return errc::unknown_token;
        co_return error{errc::refused, {}, refused->words};
    }
    co_return error{errc::malformed, "in answer to an Execute"};
}

task<void> bento_connection::open(const uuid4& id) { return send(machine_->encode_open(id)); }
task<void> bento_connection::input(const uuid4& id, std::string_view data) {
    return send(machine_->encode_input(id, data));
}
task<void> bento_connection::close(const uuid4& id) { return send(machine_->encode_close(id)); }

}  // namespace bento::client
