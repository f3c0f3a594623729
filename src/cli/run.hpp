// Runs a command's coroutine until it ends or the user ends it.
#pragma once

#include <bento/net/asio.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <functional>
#include <optional>

namespace bento::cli {

/// What runs: a command, which a signal interrupts; or a daemon, which SIGTERM and SIGINT end in its usual way and
/// which looks after SIGHUP itself.
enum class kind { command, daemon };

/// SIGINT, SIGTERM and SIGHUP cancel the coroutine once: its scopes clean up, and no second signal disturbs them. The
/// exit status of a command is then 128 + signal, as of a program that the signal killed.
inline result<int> run(const std::function<task<int>()>& body, kind what = kind::command) {
    asio::io_context context{1};
    asio::signal_set signals{context, SIGINT, SIGTERM};
    if (what == kind::command) signals.add(SIGHUP);
    asio::cancellation_signal cancel;
    int received = 0;
    std::function<void()> listen = [&] {
        signals.async_wait([&](boost::system::error_code code, int number) {
            if (code) return;
            if (received == 0) {
                received = number;
                cancel.emit(asio::cancellation_type::all);
            }
            listen();
        });
    };
    listen();
    std::optional<result<int>> out;
    std::exception_ptr thrown;
    asio::co_spawn(context, body(),
                   asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr e, result<int> r) {
                       thrown = e;
                       out = std::move(r);
                       signals.cancel();
                       context.stop();
                   }));
    context.run();
    if (received != 0) return what == kind::daemon ? 0 : 128 + received;
    if (thrown) std::rethrow_exception(thrown);
    return std::move(*out);
}

}  // namespace bento::cli
