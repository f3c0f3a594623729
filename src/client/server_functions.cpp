#include <bento/client/functions.hpp>
#include <bento/net/condition.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

namespace bento::client {
namespace {

using namespace asio::experimental::awaitable_operators;

class server_functions final : public functions {
  public:
    explicit server_functions(endpoint server) : server_{std::move(server)} {}

    task<stored_function> store(std::string name, std::string code, time_point deadline) override {
        auto c = co_await bento_connection::connect(server_, deadline);
        if (!c) co_return c.error();
        const auto token = co_await c->store(name, code);
        if (!token) co_return token.error();
        co_return stored_function{*token, {}};
    }
    task<uuid4> detach(uuid4 token, std::string call, time_point deadline) override {
        auto c = co_await bento_connection::connect(server_, deadline);
        if (!c) co_return c.error();
        co_return co_await c->execute(call, token);
    }
    task<void> exec(uuid4 token, std::string call, time_point deadline) override {
        output_sink nowhere{[](std::string_view, bool) {}, [](std::string_view) {}, {}, {}};
        co_return co_await open(token, std::move(call), std::move(nowhere), deadline);
    }
    task<void> open(uuid4 token, std::string call, output_sink sink, time_point deadline) override {
        auto c = co_await bento_connection::connect(server_, deadline);
        if (!c) co_return c.error();
        const auto id = co_await c->execute(call, token);
        if (!id) co_return id.error();
        co_return co_await read(*c, *id, std::move(sink));
    }
    task<void> attach(uuid4 id, output_sink sink, time_point deadline) override {
        auto c = co_await bento_connection::connect(server_, deadline);
        if (!c) co_return c.error();
        co_return co_await read(*c, id, std::move(sink));
    }
    task<void> close(uuid4, time_point) override {
        co_return error{errc::refused, {}, "the Bento protocol ends no function; a gateway does"};
    }
    task<std::string> publish(uuid4, uuid4, time_point) override {
        co_return error{errc::refused, {}, "the Bento protocol registers no function; a gateway does"};
    }
    task<void> remove(uuid4, uuid4, time_point) override {
        co_return error{errc::refused, {}, "the Bento protocol deletes no function; a gateway does"};
    }

  private:
    static task<void> read(bento_connection& c, uuid4 id, output_sink sink) {
        if (auto opened = co_await c.open(id); !opened) co_return opened.error();
        if (sink.started) sink.started(id);
        if (!sink.input) co_return co_await listen(c, sink);
        c.expires_at(time_point::max());
        auto done = co_await (listen(c, sink) || send_inputs(c, id, sink));
        if (done.index() == 1) co_return std::get<1>(std::move(done));
        co_return std::get<0>(std::move(done));
    }

    static task<void> listen(bento_connection& c, output_sink& sink) {
        result<void> outcome;
        for (;;) {
            auto event = co_await c.next();
            if (!event) co_return event.error();
            if (const auto* data = std::get_if<wire::client::output_data>(&*event)) {
                sink.data(data->data, false);
            } else if (std::holds_alternative<wire::client::output_end>(*event)) {
                sink.data({}, true);
            } else if (const auto* failed = std::get_if<wire::client::function_error>(&*event)) {
                sink.failed(failed->text);
                outcome = error{errc::function_failed, {}, failed->text};
            } else if (std::holds_alternative<wire::client::open_failed>(*event)) {
                co_return errc::unknown_function;
            } else if (std::holds_alternative<wire::client::function_dead>(*event)) {
                co_return outcome;
            }
        }
    }

    /// Never returns but with an error: the function may go on when the input has ended.
    static task<void> send_inputs(bento_connection& c, uuid4 id, output_sink& sink) {
        for (;;) {
            const auto message = co_await sink.input();
            if (!message) break;
            if (auto sent = co_await c.input(id, *message); !sent) break;
        }
        net::condition never{co_await asio::this_coro::executor};
        co_await never.wait();
        co_return result<void>{};
    }

    endpoint server_;
};

}  // namespace

std::unique_ptr<functions> at_server(endpoint server) { return std::make_unique<server_functions>(std::move(server)); }

}  // namespace bento::client
