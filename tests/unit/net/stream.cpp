#include <bento/net/listener.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "run.hpp"
#include "temporary_directory.hpp"
#include "test.hpp"

using namespace bento;
using namespace std::chrono_literals;

namespace {

asio::awaitable<void> echo(net::stream peer) {
    std::array<char, 4096> buffer;
    for (;;) {
        auto got = co_await peer.read_some(buffer);
        if (!got) co_return;
        if (!co_await peer.write({buffer.data(), *got})) co_return;
    }
}

asio::awaitable<void> silent(net::stream peer) {
    std::array<char, 64> buffer;
    while (co_await peer.read_some(buffer)) {
    }
}

asio::awaitable<std::string> read_all(net::stream& from, std::size_t size) {
    std::string out(size, '\0');
    std::size_t have = 0;
    while (have < size)
        have += (co_await from.read_some(std::span{out}.subspan(have))).value();
    co_return out;
}

asio::awaitable<void> echo_each(net::stream peer) {
    std::array<char, 4096> buffer;
    const net::stream::taker send_back = [&](std::size_t n) {
        CHECK(peer.write_now({buffer.data(), n}) == n);
        return true;
    };
    const auto ended = co_await peer.read_each(buffer, send_back);
    CHECK(ended.error().code == net::errc::closed);
}

/// What a read of up to 8 bytes fails with.
asio::awaitable<boost::system::error_code> failed_read(net::stream& from) {
    std::array<char, 8> buffer;
    const auto got = co_await from.read_some(buffer);
    co_return got ? boost::system::error_code{} : got.error().code;
}

asio::awaitable<void> send(net::stream& to, std::string_view text) { (co_await to.write(text)).value(); }

time_point soon() { return clock::now() + 5s; }

struct connection {
    net::listener server;
    net::stream client;
};
asio::awaitable<connection> connected(asio::any_io_executor executor, asio::awaitable<void> (*serve)(net::stream)) {
    auto server = net::listener::listen(executor, endpoint::tcp("127.0.0.1", 0), {}).value();
    server.start(serve);
    auto client = (co_await net::stream::connect(server.where(), soon())).value();
    co_return connection{std::move(server), std::move(client)};
}

}  // namespace

TEST_CASE("bytes go there and back over TCP and over a unix socket") {
    const test::temporary_directory folder;
    const auto over_tcp = GENERATE(true, false);
    const auto at = over_tcp ? endpoint::tcp("127.0.0.1", 0) : endpoint::unix_socket(folder.path() / "s");
    test::run([&](asio::any_io_executor executor) -> asio::awaitable<void> {
        auto server = net::listener::listen(executor, at, {});
        REQUIRE(server);
        server->start(echo);
        auto client = co_await net::stream::connect(server->where(), soon());
        REQUIRE(client);
        (co_await client->write("hello ", "world")).value();
        const auto from_client = co_await read_all(*client, 11);
        CHECK(from_client == "hello world");
    });
    CHECK(folder.names().empty());
}

TEST_CASE("what has come can be looked at, and stays") {
    test::run([](asio::any_io_executor executor) -> asio::awaitable<void> {
        auto c = co_await connected(executor, echo);
        using arrived = net::stream::arrived;
        CHECK(c.client.peek() == arrived::nothing);
        co_await send(c.client, "abc");
        (co_await c.client.wait_readable()).value();
        CHECK(c.client.peek() == arrived::bytes);
        const auto all = co_await read_all(c.client, 3);
        CHECK(all == "abc");
        CHECK(c.client.peek() == arrived::nothing);
        c.server.stop();
        (void)co_await c.client.wait_readable();
        CHECK(c.client.peek() == arrived::end);
        c.client.close();
        CHECK(c.client.peek() == arrived::end);
        CHECK(net::stream{}.peek() == arrived::end);
    });
}

TEST_CASE("pieces are read one after the other, until one is enough") {
    test::run([&](asio::any_io_executor executor) -> asio::awaitable<void> {
        auto [server, client] = co_await connected(executor, echo_each);
        std::array<char, 8> buffer;
        std::string got;
        std::vector<std::string> to_say{"one", "two", "three"};
        const net::stream::taker say_next = [&](std::size_t n) {
            got.append(buffer.data(), n);
            if (to_say.empty()) return false;
            CHECK(client.write_now(to_say.front()) == to_say.front().size());
            to_say.erase(to_say.begin());
            return true;
        };
        co_await send(client, "begin");
        (co_await client.read_each(buffer, say_next)).value();
        CHECK(got == "beginonetwothree");
        client.shutdown_send();
        const auto ended = co_await client.read_each(buffer, say_next);
        CHECK(ended.error().code == net::errc::closed);  // the server has read the end
    });
}

TEST_CASE("what is thrown over a piece reaches who reads") {
    test::run([&](asio::any_io_executor executor) -> asio::awaitable<void> {
        auto [server, client] = co_await connected(executor, echo);
        co_await send(client, "x");
        std::array<char, 8> buffer;
        const net::stream::taker throws = [](std::size_t) -> bool { throw std::logic_error{"not this"}; };
        std::string told;
        try {
            static_cast<void>(co_await client.read_each(buffer, throws));
        } catch (const std::logic_error& e) {
            told = e.what();
        }
        CHECK(told == "not this");
    });
}

TEST_CASE("reading on ends at its deadline, and when its stream is closed") {
    test::run([&](asio::any_io_executor executor) -> asio::awaitable<void> {
        auto [server, client] = co_await connected(executor, silent);
        const net::stream::taker any = [](std::size_t) { return true; };
        client.expires_after(30ms);
        std::array<char, 8> buffer;
        auto ended = co_await client.read_each(buffer, any);
        CHECK(ended.error().code == net::errc::timed_out);
        client.expires_at(soon());
        asio::post(executor, [&] { client.close(); });
        ended = co_await client.read_each(buffer, any);
        CHECK(ended.error().code == net::errc::closed);
    });
}

TEST_CASE("reading on ends at a deadline that passes while a piece is on its way") {
    test::run([&](asio::any_io_executor executor) -> asio::awaitable<void> {
        auto [server, client] = co_await connected(executor, echo);
        co_await send(client, "x");
        (co_await client.wait_readable()).value();
        const auto deadline = clock::now() + 5ms;
        client.expires_at(deadline);
        asio::steady_timer before{executor, deadline - 1ms};
        asio::post(executor, [=] {
            while (clock::now() < deadline) {
            }
        });
        // The loop finds both due: we begin, the piece is read, and the deadline has its turn before it is taken.
        co_await before.async_wait(asio::use_awaitable);
        std::array<char, 8> buffer;
        const net::stream::taker any = [](std::size_t) { return true; };
        const auto ended = co_await client.read_each(buffer, any);
        CHECK(ended.error().code == net::errc::timed_out);
    });
}

TEST_CASE("reading on is cancelled while it waits, and while a piece is on its way") {
    const auto with_piece = GENERATE(false, true);
    const auto turns = GENERATE(0, 1, 2, 3);
    test::run([&](asio::any_io_executor executor) -> asio::awaitable<void> {
        auto [server, client] = co_await connected(executor, echo);
        asio::cancellation_signal cancel;
        asio::steady_timer ended{executor, soon()};
        std::array<char, 8> buffer;
        const net::stream::taker any = [](std::size_t) { return true; };
        const auto when_done = [&](const std::exception_ptr&, const result<void>&) { ended.cancel(); };
        if (with_piece) {
            co_await send(client, "x");
            (co_await client.wait_readable()).value();
        }
        asio::co_spawn(executor, client.read_each(buffer, any), asio::bind_cancellation_slot(cancel.slot(), when_done));
        for (int i = 0; i < turns; ++i)
            co_await asio::post(executor, asio::use_awaitable);
        cancel.emit(asio::cancellation_type::terminal);
        const auto [code] = co_await ended.async_wait(asio::as_tuple(asio::use_awaitable));
        CHECK(code == asio::error::operation_aborted);  // not at the deadline
    });
}

TEST_CASE("a deadline ends what runs, is absolute, and can be lifted") {
    test::run([&](asio::any_io_executor executor) -> asio::awaitable<void> {
        auto [server, client] = co_await connected(executor, silent);
        client.expires_after(30ms);
        const auto before = clock::now();
        const auto failed1 = co_await failed_read(client);
        CHECK(failed1 == net::errc::timed_out);
        CHECK(clock::now() - before >= 30ms);
        const auto failed2 = co_await failed_read(client);
        CHECK(failed2 == net::errc::timed_out);
        client.expires_never();
        co_await send(client, "still there");
    });
}

TEST_CASE("stopping a listener closes its connections, whose coroutines end") {
    test::run([&](asio::any_io_executor executor) -> asio::awaitable<void> {
        auto [server, client] = co_await connected(executor, echo);
        co_await send(client, "x");
        const auto from_client = co_await read_all(client, 1);
        CHECK(from_client == "x");
        CHECK(server.connections() == 1);
        server.stop();
        client.expires_at(soon());
        const auto failed3 = co_await failed_read(client);
        CHECK(failed3 == net::errc::closed);
        const auto again = co_await net::stream::connect(server.where(), soon());
        CHECK(again.error().code == net::errc::refused);
    });
}

TEST_CASE("connections over the limit wait for room and are served then") {
    test::run([&](asio::any_io_executor executor) -> asio::awaitable<void> {
        net::listener::limits one;
        one.connections = 1;
        auto server = net::listener::listen(executor, endpoint::tcp("127.0.0.1", 0), one);
        REQUIRE(server);
        server->start(echo);
        auto first = co_await net::stream::connect(server->where(), soon());
        auto second = co_await net::stream::connect(server->where(), soon());
        co_await send(*first, "1");
        const auto from_first = co_await read_all(*first, 1);
        CHECK(from_first == "1");
        co_await send(*second, "2");
        second->expires_after(50ms);
        const auto failed4 = co_await failed_read(*second);
        CHECK(failed4 == net::errc::timed_out);
        first->close();
        second->expires_at(soon());
        const auto from_second = co_await read_all(*second, 1);
        CHECK(from_second == "2");
    });
}

TEST_CASE("a socket file that nobody answers on is replaced, a live one is not") {
    const test::temporary_directory folder;
    const auto at = endpoint::unix_socket(folder.path() / "s");
    test::run([&](asio::any_io_executor executor) -> asio::awaitable<void> {
        auto server = net::listener::listen(executor, at, {});
        REQUIRE(server);
        CHECK(net::listener::listen(executor, at, {}).error().code == net::errc::address_in_use);
        std::filesystem::rename(at.path, at.path + ".kept");
        server->stop();
        std::filesystem::rename(at.path + ".kept", at.path);
        const auto again = co_await net::stream::connect(at, soon());
        CHECK(again.error().code == net::errc::refused);
        CHECK(net::listener::listen(executor, at, {}));
    });
}

TEST_CASE("nobody there is told from a path that does not exist") {
    test::run([&](asio::any_io_executor) -> asio::awaitable<void> {
        const auto port = net::free_loopback_port();
        REQUIRE(port);
        const auto refused = co_await net::stream::connect(endpoint::tcp("127.0.0.1", *port), soon());
        CHECK(refused.error().code == net::errc::refused);
        const auto absent = co_await net::stream::connect(endpoint::unix_socket("/nonexistent/s"), soon());
        CHECK(absent.error().code == net::errc::unreachable);
        CHECK(absent.error().peer == "No such file or directory");
    });
}
