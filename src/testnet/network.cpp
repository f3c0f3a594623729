#include <fmt/format.h>

#include <bento/base/file.hpp>
#include <bento/net/condition.hpp>
#include <bento/testnet/network.hpp>
#include <bento/tor/bootstrap.hpp>
#include <bento/tor/process.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <optional>

#include "delay.hpp"
#include "janitor.hpp"
#include "ports.hpp"
#include "torrc.hpp"

namespace bento::testnet {
namespace {

using namespace asio::experimental::awaitable_operators;
constexpr std::size_t authorities = 3;
/// Ports are found free and used a moment later: another program may have been faster. And on a busy machine relays can
/// miss the first vote.
constexpr int attempts = 3;
/// For client and host to bootstrap, where there is another attempt: after a missed vote the next is minutes away.
constexpr std::chrono::seconds attempt_limit{60};

/// One tor of the network and our hold on it.
struct member {
    node is;
    tor::process process;
    tor::controller control;
};

std::string line_after(std::string_view text, std::string_view start) {
    const auto at = text.find(start);
    if (at == std::string_view::npos) return {};
    const auto from = at + start.size();
    return std::string{text.substr(from, text.find('\n', from) - from)};
}

std::string without_spaces(std::string text) {
    std::erase(text, ' ');
    return text;
}

/// Runs a program that must succeed and returns its stdout.
task<std::string> must_run(net::child::options o, std::string input, time_point deadline) {
    const auto name = o.program;
    auto ran = co_await net::run_program(std::move(o), std::move(input), deadline);
    if (!ran) co_return error{errc::start_failed, ran.error().message(), ran.error().peer};
    if (!ran->status.ok())
        co_return error{errc::start_failed, name + " ended with " + ran->status.str(), ran->err + ran->out};
    co_return std::move(ran->out);
}

/// An authority's identity and signing keys and certificate, and the keys of its relay.
task<void> make_keys(const options& o, node& authority, time_point deadline) {
    const auto folder = o.directory / authority.name;
    const auto keys = folder / "keys";
    std::filesystem::create_directories(keys);
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all);
    std::filesystem::permissions(keys, std::filesystem::perms::owner_all);
    net::child::options gencert;
    gencert.program = o.tor_gencert;
    gencert.arguments = {"--create-identity-key",
                         "-m",
                         "12",
                         "-a",
                         fmt::format("127.0.0.1:{}", authority.dir_port),
                         "-i",
                         keys / "authority_identity_key",
                         "-s",
                         keys / "authority_signing_key",
                         "-c",
                         keys / "authority_certificate",
                         "--passphrase-fd",
                         "0"};
    // The key lives as long as this network and is of no use anywhere else.
    if (auto made = co_await must_run(std::move(gencert), "private network\n", deadline); !made) co_return made.error();
    const auto certificate = read_file(keys / "authority_certificate", 64 * 1024);
    if (!certificate) co_return certificate.error();
    authority.v3_identity = line_after(*certificate, "\nfingerprint ");

    net::child::options list;
    list.program = o.tor;
    list.arguments = {"--list-fingerprint", "--quiet", "-f", "-", "--defaults-torrc", "/dev/null"};
    auto lines = fmt::format("DataDirectory \"{}\"\nNickname {}\nORPort 1\n", folder.string(), authority.name);
    auto listed = co_await must_run(std::move(list), std::move(lines), deadline);
    if (!listed) co_return listed.error();
    authority.fingerprint = without_spaces(line_after("\n" + *listed, "\n" + authority.name + " "));
    if (authority.v3_identity.size() != 40 || authority.fingerprint.size() != 40)
        co_return error{errc::start_failed, "no fingerprint for " + authority.name, *listed};
    co_return result<void>{};
}

}  // namespace

std::string_view to_text(errc e) {
    switch (e) {
        case errc::start_failed:
            return "the private network could not be started";
        case errc::directory_in_use:
            return "the directory is not empty";
        case errc::not_bootstrapped:
            return "the private network did not come up in time";
        case errc::not_running:
            return "no private network runs in this directory";
    }
    return "unknown error";
}

struct network::state {
    testnet::options options;
    janitor cleaner;  // outlives what writes into the directory: members are destroyed from the last to the first
    std::vector<node> nodes;
    std::vector<net::listener> delays;
    latency_setting latency = std::make_shared<std::chrono::milliseconds>(0);
    std::vector<member> members;
    access client, host;

    void choose_ports() {
        const bool delayed = options.latency.count() > 0;
        auto ports = free_ports(nodes.size() * 4);
        const auto take = [&] {
            const auto port = ports.back();
            ports.pop_back();
            return port;
        };
        for (auto& n : nodes) {
            if (n.is == node::role::client) {
                n.socks_port = take();
                n.control_port = take();
                continue;
            }
            n.or_port = take();
            n.real_or_port = delayed ? take() : n.or_port;
            if (n.is == node::role::authority) n.dir_port = take();
        }
    }

    /// Everything runs, nothing is known of its health yet.
    result<void> launch(asio::any_io_executor executor, bool patient) {
        const auto now = std::chrono::system_clock::now().time_since_epoch();
        const auto offset = voting_offset(std::chrono::floor<std::chrono::seconds>(now).count(), patient);
        for (const auto& n : nodes) {
            if (n.real_or_port != n.or_port) {
                auto line = delay(executor, endpoint::tcp("127.0.0.1", n.or_port),
                                  endpoint::tcp("127.0.0.1", n.real_or_port), latency);
                if (!line) return line.error();
                delays.push_back(std::move(*line));
            }
            std::filesystem::create_directory(options.directory / n.name);
            std::filesystem::permissions(options.directory / n.name, std::filesystem::perms::owner_all);
            auto started = tor::process::launch(executor, {options.tor, torrc(n, nodes, options.directory, offset)});
            if (!started) return started.error();
            auto control = tor::controller::attach(started->take_control());
            members.push_back({n, std::move(*started), std::move(control)});
        }
        return {};
    }

    void start_over() {
        members.clear();
        delays.clear();
        for (const auto& entry : std::filesystem::directory_iterator{options.directory})
            std::filesystem::remove_all(entry.path());
    }

    member& named(std::string_view name) {
        for (auto& m : members)
            if (m.is.name == name) return m;
        throw std::logic_error{"no such member of the network"};
    }
};

namespace {

/// The first process to end, if any does.
struct casualty {
    explicit casualty(const asio::any_io_executor& executor) : happened{executor} {}
    std::optional<std::size_t> index;
    net::condition happened;
};

asio::awaitable<void> watch(tor::controller control, std::size_t index, std::shared_ptr<casualty> report) {
    co_await control.closed();
    if (!report->index) report->index = index;
    report->happened.notify_all();
}

/// Whether the consensus that the client has names all who can hold a descriptor. One that relays have missed makes a
/// network that looks well and where most connections to an onion fail.
task<bool> complete(const tor::controller& client, std::size_t expected, time_point deadline) {
    std::vector<std::string> keys{"ns/all"};
    const auto answers = co_await client.info(keys, deadline);
    const auto& consensus = answers.begin()->second;
    if (!consensus) co_return consensus.error();
    std::size_t directories = 0;
    for (std::size_t at = 0; at < consensus->size();) {
        const auto end = std::min(consensus->find('\n', at), consensus->size());
        const auto line = std::string_view{*consensus}.substr(at, end - at);
        if (line.starts_with("s ") && line.find(" HSDir") != std::string_view::npos) ++directories;
        at = end + 1;
    }
    co_return directories >= expected;
}

}  // namespace

task<network> network::up(testnet::options o, std::function<void(progress)> tell, time_point deadline) {
    const auto executor = co_await asio::this_coro::executor;
    o.directory = std::filesystem::absolute(o.directory);
    if (std::filesystem::exists(o.directory) && !std::filesystem::is_empty(o.directory))
        co_return error{errc::directory_in_use, o.directory.string()};
    network out;
    out.state_ = std::make_unique<state>();
    auto& s = *out.state_;
    s.cleaner = janitor::watch(o.directory);
    std::filesystem::create_directories(o.directory);
    std::filesystem::permissions(o.directory, std::filesystem::perms::owner_all);
    s.options = o;

    for (std::size_t i = 1; i <= authorities; ++i)
        s.nodes.push_back({fmt::format("auth{}", i), node::role::authority});
    for (std::size_t i = 1; i <= o.relays; ++i)
        s.nodes.push_back({fmt::format("relay{}", i), node::role::relay});
    s.nodes.push_back({"client", node::role::client});
    s.nodes.push_back({"host", node::role::client});

    constexpr unsigned keys_share = 20;  // of the whole, by time
    constexpr std::string_view making_keys = "making the authorities' keys";
    constexpr std::string_view bootstrapping = "bootstrapping client and host";
    for (int attempt = 1;; ++attempt) {
        s.choose_ports();
        tell({making_keys, 0});
        static_assert(authorities == 3);
        auto [a, b, c] =
            co_await (make_keys(s.options, s.nodes[0], deadline) && make_keys(s.options, s.nodes[1], deadline) &&
                      make_keys(s.options, s.nodes[2], deadline));
        for (const auto& made : {a, b, c})
            if (!made) co_return made.error();
        tell({bootstrapping, keys_share});
        if (auto launched = s.launch(executor, attempt > 1); !launched) co_return launched.error();

        auto fallen = std::make_shared<casualty>(executor);
        for (std::size_t i = 0; i < s.members.size(); ++i)
            asio::co_spawn(executor, watch(s.members[i].control, i, fallen), asio::detached);
        unsigned client_percent = 0, host_percent = 0;
        const auto told = [&](unsigned& mine) {
            return [&](unsigned percent, std::string_view) {
                mine = percent;
                tell({bootstrapping, keys_share + (100 - keys_share) * (client_percent + host_percent) / 200});
            };
        };
        const auto limit = attempt == attempts ? deadline : std::min(deadline, clock::now() + attempt_limit);
        const auto up = co_await ((tor::wait_for_bootstrap(s.named("client").control, told(client_percent), limit) &&
                                   tor::wait_for_bootstrap(s.named("host").control, told(host_percent), limit)) ||
                                  fallen->happened.wait());
        if (up.index() == 0) {
            const auto& [client_up, host_up] = std::get<0>(up);
            if (client_up && host_up) {
                const auto whole = co_await complete(s.named("client").control, authorities + o.relays, deadline);
                if (!whole) co_return error{errc::not_bootstrapped, whole.error().message()};
                if (*whole) break;
                if (attempt == attempts) co_return error{errc::not_bootstrapped, "relays missed the first vote"};
                s.start_over();
                continue;
            }
            const auto& why = (client_up ? host_up : client_up).error();
            if (!fallen->index) {
                if (limit == deadline) co_return error{errc::not_bootstrapped, why.message()};
                s.start_over();
                continue;
            }
        }
        auto& dead = s.members[*fallen->index];
        const auto ended = co_await dead.process.wait(deadline);
        const auto log = dead.process.log();
        if (attempt < attempts && log.find("Address already in use") != std::string::npos) {
            s.start_over();
            continue;
        }
        co_return error{errc::start_failed,
                        fmt::format("tor {} ended with {}", dead.is.name, ended ? ended->str() : "no status"),
                        dead.process.complaint()};
    }
    *s.latency = o.latency;
    const auto access_of = [](const node& n) {
        return access{endpoint::tcp("127.0.0.1", n.socks_port), endpoint::tcp("127.0.0.1", n.control_port)};
    };
    s.client = access_of(s.named("client").is);
    s.host = access_of(s.named("host").is);
    if (auto written = write_file(o.directory / "torrc", guest_torrc(s.nodes), 0644); !written)
        co_return written.error();
    co_return out;
}

network::network() = default;
network::network(network&&) noexcept = default;
network& network::operator=(network&&) noexcept = default;
network::~network() = default;

const access& network::client() const { return state_->client; }
const access& network::host() const { return state_->host; }
const std::filesystem::path& network::directory() const { return state_->options.directory; }

std::pair<std::size_t, std::size_t> network::running() const {
    std::size_t alive = 0;
    for (const auto& m : state_->members)
        alive += m.control.connected() ? 1U : 0U;
    return {alive, state_->members.size()};
}

void network::down() { state_.reset(); }

}  // namespace bento::testnet
