#include "delay.hpp"

#include <bento/net/condition.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>

namespace bento::testnet {
namespace {

constexpr auto with_code = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t piece_size = 16 * 1024;
/// Bytes on the way in one direction: 4 MiB in 40 ms is 100 MB/s, more than a tor relays.
constexpr std::size_t in_flight_limit = 4 << 20;

/// One direction: what was read, and when it may go on.
struct line {
    explicit line(const asio::any_io_executor& executor) : changed{executor} {}
    struct piece {
        time_point due;
        std::string bytes;  // empty at the end of the stream
    };
    std::deque<piece> pieces;
    std::size_t in_flight = 0;
    bool broken = false;  // nobody takes the bytes any more
    net::condition changed;
};

asio::awaitable<void> take_in(net::stream& from, line& l, const latency_setting& latency) {
    for (bool open = true; open;) {
        while (l.in_flight > in_flight_limit && !l.broken)
            co_await l.changed.wait();
        if (l.broken) co_return;
        std::string bytes(piece_size, '\0');
        const auto n = co_await from.read_some(bytes);
        bytes.resize(n ? *n : 0);
        bytes.shrink_to_fit();
        open = static_cast<bool>(n);
        l.in_flight += bytes.size();
        l.pieces.push_back({clock::now() + *latency, std::move(bytes)});
        l.changed.notify_all();
    }
}

asio::awaitable<void> give_out(line& l, net::stream& to) {
    asio::steady_timer timer{to.executor()};
    for (;;) {
        while (l.pieces.empty())
            co_await l.changed.wait();
        timer.expires_at(l.pieces.front().due);
        co_await timer.async_wait(with_code);
        const auto piece = std::move(l.pieces.front());
        l.pieces.pop_front();
        if (piece.bytes.empty()) break;
        if (!co_await to.write(piece.bytes)) break;
        l.in_flight -= piece.bytes.size();
        l.changed.notify_all();
    }
    l.broken = true;
    l.changed.notify_all();
    to.close();
}

asio::awaitable<void> forward(net::stream near, endpoint to, latency_setting latency) {
    using namespace asio::experimental::awaitable_operators;
    auto far = co_await net::stream::connect(std::move(to), clock::now() + std::chrono::seconds{5});
    if (!far) co_return;  // its tor is not up yet, or has gone: the one who asked sees the connection closed
    line out{near.executor()}, back{near.executor()};
    co_await (take_in(near, out, latency) && give_out(out, *far) && take_in(*far, back, latency) &&
              give_out(back, near));
}

}  // namespace

result<net::listener> delay(asio::any_io_executor executor, const endpoint& from, endpoint to,
                            latency_setting latency) {
    auto listening = net::listener::listen(executor, from, {});
    if (!listening) return listening.error();
    listening->start([to = std::move(to), latency](net::stream near) { return forward(std::move(near), to, latency); });
    return listening;
}

}  // namespace bento::testnet
