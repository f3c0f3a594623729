// Runs one coroutine to its end on an io_context of its own; what it throws, the test throws.
//
// Never write co_await inside CHECK or REQUIRE: Catch's macros name their argument three times, and a coroutine
// evaluates it each time. Nor a braced aggregate among the arguments of what is awaited: g++ 12 destroys it twice.
#pragma once

#include <bento/net/asio.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>
#include <stdexcept>

namespace bento::test {

/// `body(executor)` returns an awaitable<T>. Fails after `limit`, so that a hang is a failure and no timeout of the
/// whole run.
template <class Body>
auto run(Body body, std::chrono::seconds limit = std::chrono::seconds{20}) {
    asio::io_context context;
    using value = typename decltype(body(context.get_executor()))::value_type;
    std::exception_ptr thrown;
    if constexpr (std::is_void_v<value>) {
        bool done = false;
        asio::co_spawn(context, body(context.get_executor()), [&](std::exception_ptr e) {
            thrown = e;
            done = true;
            context.stop();
        });
        context.run_for(limit);
        if (thrown) std::rethrow_exception(thrown);
        if (!done) throw std::runtime_error{"the test's coroutine did not end in time"};
    } else {
        std::optional<value> out;
        asio::co_spawn(context, body(context.get_executor()), [&](std::exception_ptr e, value v) {
            thrown = e;
            if (!e) out = std::move(v);
            context.stop();
        });
        context.run_for(limit);
        if (thrown) std::rethrow_exception(thrown);
        if (!out) throw std::runtime_error{"the test's coroutine did not end in time"};
        return std::move(*out);
    }
}

}  // namespace bento::test
