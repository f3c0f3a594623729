#include <sched.h>

#include <bento/net/workers.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <future>
#include <mutex>
#include <vector>

#include "run.hpp"
#include "test.hpp"

using namespace bento;
using namespace boost::asio::experimental::awaitable_operators;

namespace {

/// The scheduling policies of the jobs, in their order.
struct policies {
    result<void> note() {
        const std::lock_guard hold{mutex};
        seen.push_back(::sched_getscheduler(0));
        return {};
    }
    std::mutex mutex;
    std::vector<int> seen;
};

}  // namespace

TEST_CASE("a job that finds no other runs as anything does; those that find one yield, one at a time") {
    test::run([](asio::any_io_executor) -> asio::awaitable<void> {
        net::workers pool{{.threads = 1, .waiting = 2, .yields = true}};
        policies p;
        std::promise<void> told;
        const auto go_on = told.get_future().share();
        const auto waits = [&p, go_on] {
            go_on.wait();
            return p.note();
        };
        const auto notes = [&p] { return p.note(); };
        const auto tells = [&]() -> asio::awaitable<result<void>> {
            // Those that run and wait are there; one more is too many.
            CHECK(pool.full());
            const auto refused = co_await pool.run(notes);
            told.set_value();
            co_return refused;
        };
        const auto [first, second, third, fourth] =
            co_await (pool.run(waits) && pool.run(notes) && pool.run(notes) && tells());
        CHECK(first);
        CHECK(second);
        CHECK(third);
        CHECK(fourth.error().code == net::errc::busy);
        CHECK_FALSE(pool.full());
        const auto alone = co_await pool.run(notes);
        CHECK(alone);
        CHECK(p.seen == std::vector<int>{SCHED_OTHER, SCHED_IDLE, SCHED_IDLE, SCHED_OTHER});
    });
}

TEST_CASE("jobs that do not yield run as anything does, and what one throws is thrown where it is waited for") {
    test::run([](asio::any_io_executor) -> asio::awaitable<void> {
        net::workers pool{{.threads = 1, .waiting = 4}};
        policies p;
        const auto notes = [&p] { return p.note(); };
        const auto throws = []() -> result<void> { throw std::runtime_error{"no"}; };
        co_await (pool.run(notes) && pool.run(notes));
        CHECK(p.seen == std::vector<int>{SCHED_OTHER, SCHED_OTHER});
        bool thrown = false;
        try {
            co_await pool.run(throws);
        } catch (const std::runtime_error&) {
            thrown = true;
        }
        CHECK(thrown);
    });
}
