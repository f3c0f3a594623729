// bentoctl serve: a hidden Bento server.
#include "caller.hpp"
#include "daemon.hpp"
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

    auto tell = told_on(out, g);
    tell.reconfigured = after_hangup([&] { return settings_of(g, o); });
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
