#include "daemon.hpp"

#include <boost/asio/signal_set.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json.hpp>
#include <memory>

namespace bento::cli {
namespace {

void say_ready(terminal& out, const globals& g, const std::optional<onion::address>& onion, const endpoint& listen) {
    if (g.json) {
        boost::json::object o{{"event", "ready"}, {"onion", nullptr}, {"listen", listen.str()}};
        if (onion) o["onion"] = onion->host();
        out.line(boost::json::serialize(o));
        return;
    }
    // A log that is kept must not tell the address; a person at a terminal wants it.
    if (!onion)
        out.say("ready at " + listen.str());
    else if (out.stderr_is_terminal())
        out.say("ready at " + onion->host());
    else
        out.say("ready");
}

task<config::settings> wait_for_hangup(std::function<result<config::settings>()> read) {
    asio::signal_set hangup{co_await asio::this_coro::executor, SIGHUP};
    co_await hangup.async_wait(asio::use_awaitable);
    co_return read();
}

}  // namespace

host::observer told_on(terminal& out, const globals& g) {
    const auto is_ready = std::make_shared<bool>(false);
    host::observer tell;
    tell.bootstrapping = [&out](unsigned percent, std::string_view) {
        out.progress("reaching the Tor network", percent);
    };
    tell.publishing = [&out, &g, is_ready](tor::publication::count c) {
        if (*is_ready || c.expected == 0) return;
        out.progress("publishing the onion service", static_cast<unsigned>(100 * c.confirmed / c.expected));
        if (g.json)
            out.line(boost::json::serialize(
                boost::json::object{{"event", "publishing"}, {"confirmed", c.confirmed}, {"expected", c.expected}}));
    };
    tell.ready = [&out, &g, is_ready](const std::optional<onion::address>& onion, const endpoint& listen) {
        *is_ready = true;
        out.progress_done();
        say_ready(out, g, onion, listen);
    };
    tell.rotated = [&out, &g](const onion::address& onion) {
        if (g.json)
            out.line(boost::json::serialize(boost::json::object{{"event", "rotated"}, {"onion", onion.host()}}));
        else
            out.say("a new onion has taken the place of the old one");
    };
    tell.tor_lost = [&out, is_ready](const error& why, std::chrono::milliseconds next) {
        *is_ready = false;
        out.warn(why.message() + "; trying again in " + std::to_string((next.count() + 999) / 1000) + " s");
    };
    tell.tor_back = [&out] { out.say("tor is back"); };
    tell.warning = [&out](std::string_view text) { out.warn(text); };
    return tell;
}

std::function<task<config::settings>()> after_hangup(std::function<result<config::settings>()> read) {
    return [read = std::move(read)] { return wait_for_hangup(read); };
}

}  // namespace bento::cli
