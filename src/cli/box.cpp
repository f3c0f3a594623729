// bentoctl box: the function server alone.
#include <bento/box/server.hpp>
#include <bento/net/condition.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/json.hpp>

#include "options.hpp"
#include "run.hpp"
#include "terminal.hpp"

namespace bento::cli {

namespace json = boost::json;

namespace {

task<int> serve_box(const globals& g, const std::optional<endpoint>& listen) {
    terminal out{g};
    auto s = load_settings(g);
    if (!s) co_return s.error();
    auto started = co_await box::server::start(box::options::from(s->box, g.state_directory / "functions"));
    if (!started) co_return started.error();
    const auto degraded = started->degraded();
    for (const auto& clause : degraded)
        out.warn("degraded: " + clause);
    const auto executor = co_await asio::this_coro::executor;
    auto on = net::listener::listen(executor, listen ? *listen : endpoint::tcp("127.0.0.1", 8888), {});
    if (!on) co_return on.error();
    const auto where = on->where();
    if (!where.is_local()) out.warn("listening on " + where.str() + ": whoever reaches it can run functions here");
    started->serve(std::move(*on));
    if (g.json)
        out.line(json::serialize(
            json::object{{"event", "ready"}, {"listen", where.str()}, {"degraded", json::value_from(degraded)}}));
    else
        out.say("ready at " + where.str());
    net::condition never{executor};
    co_await never.wait();
    co_return 0;
}

}  // namespace

runner declare_box(CLI::App& options) {
    auto listen = std::make_shared<std::optional<endpoint>>();
    add_endpoint(options, "--listen", *listen, "where to listen (default 127.0.0.1:8888)");
    return [listen](const globals& g) { return run([&] { return serve_box(g, *listen); }, kind::daemon); };
}

}  // namespace bento::cli
