#include <bento/net/listener.hpp>
#include <bento/net/socks5.hpp>

#include "run.hpp"
#include "test.hpp"

using namespace bento;
using namespace std::string_literals;

namespace {

const auto accepted = "\x05\x02\x01\x00\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"s;

boost::system::error_code refused_with(unsigned char code) {
    net::socks5_reply reply;
    return reply.feed("\x05\x02\x01\x00\x05"s + static_cast<char>(code)).error().code;
}

}  // namespace

TEST_CASE("greeting, credentials and CONNECT go out in one piece") {
    CHECK(net::socks5_request({"call", "7"}, "ab.onion", 80) ==
          "\x05\x01\x02"
          "\x01\x04"
          "call"
          "\x01"
          "7"
          "\x05\x01\x00\x03\x08"
          "ab.onion"
          "\x00\x50"s);
}

TEST_CASE("the answers end where the application's bytes begin, however they are cut") {
    const auto bound = GENERATE("\x00\x00\x00\x01\x7f\x00\x00\x01\x1f\x90"s, "\x00\x00\x00\x03\x03"s + "abc\x1f\x90"s,
                                "\x00\x00\x00\x04"s + std::string(16, '\1') + "\x1f\x90"s);
    const auto answers = "\x05\x02\x01\x00\x05"s + bound.substr(1);
    const auto all = answers + "HTTP/1.1 200 OK";
    for (std::size_t cut = 0; cut <= answers.size(); ++cut) {
        net::socks5_reply reply;
        auto first = reply.feed(std::string_view{all}.substr(0, cut));
        REQUIRE(first);
        auto second = reply.feed(std::string_view{all}.substr(*first));
        REQUIRE(second);
        CHECK(reply.done());
        CHECK(*first + *second == answers.size());
    }
}

TEST_CASE("tor answers greeting and credentials as one where they arrive together") {
    const auto answers = accepted.substr(2);
    for (std::size_t cut = 0; cut <= answers.size(); ++cut) {
        net::socks5_reply reply;
        REQUIRE(reply.feed(std::string_view{answers}.substr(0, cut)));
        REQUIRE(reply.feed(std::string_view{answers}.substr(cut)));
        CHECK(reply.done());
    }
    net::socks5_reply reply;
    CHECK(reply.feed("\x01\x01"s).error().code == net::errc::socks_refused);
}

TEST_CASE("wanted() never reads past the answers") {
    const auto all = accepted + "application";
    net::socks5_reply reply;
    std::size_t at = 0;
    while (!reply.done()) {
        const auto n = reply.wanted();
        REQUIRE(n > 0);
        REQUIRE(at + n <= accepted.size());
        REQUIRE(reply.feed(std::string_view{all}.substr(at, n)).value() == n);
        at += n;
    }
    CHECK(at == accepted.size());
}

TEST_CASE("refusals are told by their code, tor's extended ones included") {
    CHECK(refused_with(0x01) == net::errc::no_route);
    CHECK(refused_with(0x05) == net::errc::refused);
    CHECK(refused_with(0xf0) == net::errc::onion_not_found);
    CHECK(refused_with(0xf1) == net::errc::onion_invalid);
    CHECK(refused_with(0xf2) == net::errc::onion_unreachable);
    CHECK(refused_with(0xf4) == net::errc::onion_unauthorised);
    CHECK(refused_with(0xf7) == net::errc::onion_unreachable);
    net::socks5_reply reply;
    CHECK(reply.feed("HTTP/1.0 501").error().code == net::errc::socks_refused);
    net::socks5_reply no_method;
    CHECK(no_method.feed("\x05\xff").error().code == net::errc::socks_refused);
}

TEST_CASE("T3: the first bytes of a request are with the proxy before it has said a word") {
    const auto request = "GET / HTTP/1.1\r\nHost: ab.onion\r\n\r\n"s;
    const auto everything = net::socks5_request({"call", "7"}, "ab.onion", 80) + request;
    std::string came;
    test::run([&](asio::any_io_executor executor) -> asio::awaitable<void> {
        auto proxy = net::listener::listen(executor, endpoint::tcp("127.0.0.1", 0), {}).value();
        // Silent until all has come: who waited for an answer first would wait for ever.
        const auto serve = [&](net::stream peer) -> asio::awaitable<void> {
            std::array<char, 4096> buffer;
            while (came.size() < everything.size()) {
                const auto n = co_await peer.read_some(buffer);
                if (!n) co_return;
                came.append(buffer.data(), *n);
            }
            (co_await peer.write(accepted, "answer")).value();
        };
        proxy.start(serve);
        net::socks_target to{"ab.onion", 80};
        net::isolation own{"call", "7"};
        auto through = co_await net::connect_through(proxy.where(), std::move(own), std::move(to), request,
                                                     clock::now() + std::chrono::seconds{5});
        REQUIRE(through);
        std::array<char, 6> answer;
        const auto n = co_await through->read_some(answer);
        REQUIRE(n);
        CHECK(*n == answer.size());
        CHECK(std::string_view{answer.data(), answer.size()} == "answer");
    });
    CHECK(came == everything);
}
