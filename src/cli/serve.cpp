// bentoctl serve: a hidden Bento server.
#include <bento/host/daemon.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json.hpp>

#include "caller.hpp"
#include "options.hpp"
#include "run.hpp"

namespace bento::cli {
namespace {

struct serve_options {
    bool no_onion = false;
    std::optional<endpoint> listen;
    std::optional<endpoint> server;
};

result<config::settings> settings_of(const globals& g, const serve_options& o) {
    auto s = load_settings(g);
    if (s && o.listen) s->gateway.listen = o.listen;
    if (s && o.server) s->gateway.server = o.server;
    if (s && s->gateway.listen && !s->gateway.listen->is_local())
        return error{config::errc::malformed, "the gateway listens on this machine only"};
    if (s && s->gateway.server && !s->gateway.server->is_local())
        return error{config::errc::malformed, "the function server must be on this machine"};
    return s;
}

task<config::settings> wait_for_hangup(const globals& g, const serve_options& o) {
    asio::signal_set hangup{co_await asio::this_coro::executor, SIGHUP};
    co_await hangup.async_wait(asio::use_awaitable);
    co_return settings_of(g, o);
}

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

task<int> serve(const globals& g, const serve_options& o) {
    terminal out{g};
    auto s = settings_of(g, o);
    if (!s) co_return s.error();
    auto tor = tor_options(g, *s, "tor");
    if (!tor) co_return tor.error();
    host::options options;
    options.state_directory = g.state_directory;
    options.settings = *s;
    options.tor = std::move(*tor);
    options.no_onion = o.no_onion;
    options.start_limit = g.timeout;

    bool is_ready = false;
    host::observer tell;
    tell.bootstrapping = [&](unsigned percent, std::string_view) { out.progress("reaching the Tor network", percent); };
        tell.publishing = [&](tor::publication::count c) {
        if (is_ready || c.expected == 0) return;
        out.progress("publishing the onion service", static_cast<unsigned>(100 * c.confirmed / c.expected));
        if (g.json)
            out.line(boost::json::serialize(boost::json::object{
                {"event", "publishing"}, {"confirmed", c.confirmed}, {"expected", c.expected}}));
    };
    tell.ready = [&](const std::optional<onion::address>& onion, const endpoint& listen) {
        is_ready = true;
        out.progress_done();
        say_ready(out, g, onion, listen);
    };
    tell.tor_lost = [&](const error& why, std::chrono::milliseconds next) {
        is_ready = false;
        out.warn(why.message() + "; trying again in " + std::to_string((next.count() + 999) / 1000) + " s");
    };
    tell.tor_back = [&] { out.say("tor is back"); };
    tell.warning = [&](std::string_view text) { out.warn(text); };
    tell.reconfigured = [&] { return wait_for_hangup(g, o); };
    const auto ended = co_await host::run(std::move(options), std::move(tell));
    if (!ended) co_return ended.error();
    co_return 0;
}

}  // namespace

runner declare_serve(CLI::App& options) {
    auto o = std::make_shared<serve_options>();
    options.add_flag("--no-onion", o->no_onion, "listen only, without tor");
    add_endpoint(options, "--listen", o->listen, "where the gateway listens (default: a socket of its own)");
    add_endpoint(options, "--server", o->server, "a Bento server to use in place of the embedded one");
    return [o](const globals& g) { return run([&] { return serve(g, *o); }, kind::daemon); };
}

}  // namespace bento::cli
