// bentoctl testnet: a private Tor network on loopback, kept by a process of its own.
#include <bento/testnet/keeper.hpp>
#include <memory>

#include "command.hpp"
#include "options.hpp"
#include "run.hpp"
#include "terminal.hpp"

namespace bento::cli {
namespace {

struct testnet_options {
    std::filesystem::path directory;
    std::size_t relays = 5;
    std::chrono::milliseconds latency{0};
};

time_point deadline_of(const globals& g) { return clock::now() + g.timeout; }

void print(const terminal& out, const globals& g, const testnet::description& d) {
    if (g.json) return out.line(d.to_json());
    out.line("dir      " + d.directory.string());
    out.line("client   --control " + d.client.control.str() + " --socks " + d.client.socks.str());
    out.line("host     --control " + d.host.control.str() + " --socks " + d.host.socks.str());
    out.line("running  " + std::to_string(d.running) + " of " + std::to_string(d.of));
}

task<int> up(const globals& g, const testnet_options& o) {
    terminal out{g};
    testnet::options wanted;
    wanted.directory = o.directory;
    wanted.relays = o.relays;
    wanted.latency = o.latency;
    auto network = co_await testnet::keep(
        wanted, [&](testnet::progress p) { out.progress(p.step, p.percent); }, deadline_of(g));
    out.progress_done();
    if (!network) co_return network.error();
    print(out, g, *network);
    co_return 0;
}

task<int> down(const globals& g, const testnet_options& o) {
    const auto ended = co_await testnet::end(o.directory, deadline_of(g));
    if (!ended) co_return ended.error();
    co_return 0;
}

task<int> status(const globals& g, const testnet_options& o) {
    const auto network = co_await testnet::ask(o.directory, deadline_of(g));
    if (!network) co_return network.error();
    print(terminal{g}, g, *network);
    co_return network->running == network->of ? 0 : 1;
}

}  // namespace

runner declare_testnet(CLI::App& options) {
    auto o = std::make_shared<testnet_options>();
    using verb = task<int> (*)(const globals&, const testnet_options&);
    auto chosen = std::make_shared<verb>();
    options.add_option("--dir", o->directory, "where its files are (default STATE/testnet)")->type_name("DIR");
    options.require_subcommand(1);
    const auto add = [&](const char* name, const char* summary, verb does) {
        auto* sub = options.add_subcommand(name, summary);
        sub->fallthrough();
        sub->callback([chosen, does] { *chosen = does; });
        return sub;
    };
    auto* up_options = add("up", "start it and print how to reach it", up);
    up_options->add_option("--relays", o->relays, "relays beside the three authorities (default 5)")
        ->check(CLI::Range(3, 50));
    add_duration(*up_options, "--latency", o->latency, "added to each link in each direction, such as 40ms");
    add("down", "end it and remove its files", down);
    add("status", "how it is and how to reach it", status);
    return [o, chosen](const globals& g) {
        if (o->directory.empty()) o->directory = g.state_directory / "testnet";
        return run([&] { return (*chosen)(g, *o); });
    };
}

}  // namespace bento::cli
