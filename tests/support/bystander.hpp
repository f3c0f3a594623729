// A caller that minds its own business while others attack.
#pragma once

#include "box.hpp"

namespace bento::test {

/// Sends bytes through functions of its own that echo them, and asks the server for runs that cannot be; each such
/// round adds the seconds it took to what `into` points to, and each list has a function of its own. Goes on until it
/// is cancelled; throws where it is not answered as it should.
inline asio::awaitable<void> bystand(const box_under_test& b, std::vector<double>* const& into) {
    const auto executor = co_await asio::this_coro::executor;
    net::condition never{executor};
    const std::string code =
        "def f():\n    while True:\n        d = api.recv()\n        if d == b'stop': return\n        api.send(d)\n";
    auto asking = co_await connect(b);
    const auto token = (co_await asking.store("echo", code)).value();
    for (;;) {
        auto* const list = into;
        auto c = co_await connect(b);
        const auto id = (co_await c.execute("f()", token)).value();
        (co_await c.open(id)).value();
        (co_await c.input(id, "begin")).value();
        co_await read_output(c);
        while (into == list) {
            const auto begin = clock::now();
            (co_await c.input(id, "x")).value();
            co_await read_output(c);
            const auto refused = co_await asking.execute("f()", uuid4::generate());
            if (refused) throw std::runtime_error{"the server runs what nobody stored"};
            if (refused.error().code != client::errc::unknown_token)
                throw std::runtime_error{refused.error().message()};
            list->push_back(std::chrono::duration<double>(clock::now() - begin).count());
            co_await never.wait(clock::now() + std::chrono::milliseconds{10});
        }
        (co_await c.input(id, "stop")).value();
        co_await read_all(c);
    }
}

}  // namespace bento::test
