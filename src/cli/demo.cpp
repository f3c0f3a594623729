// bentoctl demo: the whole story on a private Tor network, told step by step, with what each step costs.
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <bento/base/file.hpp>
#include <bento/base/uuid4.hpp>
#include <bento/net/child.hpp>
#include <bento/testnet/network.hpp>
#include <bento/web/http_client.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json.hpp>

#include "options.hpp"
#include "run.hpp"
#include "terminal.hpp"

namespace bento::cli {
namespace {

namespace json = boost::json;

/// Each figure is the median of so many calls.
constexpr int samples = 5;

struct demo_options {
    std::chrono::milliseconds latency{40};
    std::size_t relays = 5;
};

error failed(std::string what, std::string told = {}) {
    return error{testnet::errc::start_failed, std::move(what), std::move(told)};
}

struct stopwatch {
    time_point start = clock::now();
    double seconds() const { return std::chrono::duration<double>(clock::now() - start).count(); }
};

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

/// The configuration that everybody in the story shares: old onions and old look-ups end soon, so that it can be told.
constexpr std::string_view configuration = "[bfd]\nmax_stale = \"2s\"\n[rotation]\ngrace = \"5s\"\n";

/// `bentoctl serve` or `bentoctl directory` as a process of its own, as an operator runs it.
class daemon_process {
  public:
    static task<daemon_process> start(const testnet::network& network, std::string command,
                                      std::vector<std::string> more, terminal& out, time_point deadline) {
        const auto executor = co_await asio::this_coro::executor;
        auto [ours, theirs] = net::make_socket_pair();
        net::child::options o;
        o.program = "/proc/self/exe";
        o.arguments = {command,
                       "--quiet",
                       "--json",
                       "--config",
                       (network.directory() / "bentoctl.toml").string(),
                       "--control",
                       network.host().control.str(),
                       "--state-dir",
                       (network.directory() / command).string()};
        o.arguments.insert(o.arguments.end(), more.begin(), more.end());
        o.descriptors = {{1, theirs.get()}, {2, STDERR_FILENO}};
        daemon_process s;
        auto started = net::child::start(executor, o);
        if (!started) co_return started.error();
        theirs.reset();
        s.process_ = std::move(*started);
        s.events_ = net::stream{net::stream::socket_type{executor, asio::local::stream_protocol{}, ours.release()}};
        s.events_.expires_at(deadline);
        std::string rest;
        for (;;) {
            std::array<char, 1024> buffer;
            const auto n = co_await s.events_.read_some(buffer);
            if (!n) {
                const auto status = co_await s.process_.wait(deadline);
                co_return failed("bentoctl " + command + " ended with " + (status ? status->str() : "no status"));
            }
            rest.append(buffer.data(), *n);
            for (auto end = rest.find('\n'); end != std::string::npos; end = rest.find('\n')) {
                const auto event = json::parse(rest.substr(0, end)).as_object();
                rest.erase(0, end + 1);
                if (event.at("event") == "publishing") {
                    const auto confirmed = event.at("confirmed").to_number<unsigned>();
                    const auto expected = event.at("expected").to_number<unsigned>();
                    s.uploads_ = confirmed;
                    out.progress("uploading its descriptors to HSDirs", 100 * confirmed / expected);
                }
                if (event.at("event") != "ready") continue;
                s.onion_ = json::value_to<std::string>(event.at("onion"));
                s.events_.expires_never();
                co_return std::move(s);
            }
        }
    }

    const std::string& onion() const { return onion_; }
    unsigned uploads() const { return uploads_; }
    /// Resident memory, MiB.
    double resident() const {
        const auto text = read_file(fmt::format("/proc/{}/status", process_.pid()), 64 * 1024);
        const auto at = text ? text->find("VmRSS:") : std::string::npos;
        return at == std::string::npos ? 0 : std::strtod(text->c_str() + at + 6, nullptr) / 1024;
    }
    asio::awaitable<void> stop() {
        process_.signal(SIGTERM);
        co_await process_.wait(clock::now() + std::chrono::seconds{10});
    }

  private:
    net::child process_;
    net::stream events_;
    std::string onion_;
    unsigned uploads_ = 0;
};

web::road road_to(const testnet::network& network, const std::string& onion) {
    web::road r;
    r.socks = network.client().socks;
    r.host = onion;
    r.connect_limit = std::chrono::seconds{30};
    return r;
}

/// A request that must succeed, on a connection of its own; the circuit below it stays. One that fails is
/// tried again, over another circuit, as the commands do; one whose answer was lost may be done twice, which harms
/// nobody here.
task<std::string> post(const web::road& road, std::string path, json::object body, time_point deadline) {
    constexpr int tries = 3;
    for (int i = 1;; ++i) {
        web::http_client http{road};
        auto answer = co_await http.post_json(path, json::serialize(body), deadline);
        if (!answer && i < tries) continue;
        if (!answer) co_return answer.error();
        if (answer->head.status != 200)
            co_return failed(fmt::format("HTTP status {}", answer->head.status), answer->body);
        co_return std::move(answer->body);
    }
}

/// The same request by curl over tor's SOCKS port, an ordinary client.
task<double> time_curl(const testnet::network& network, const std::string& onion, const json::object& body,
                       time_point deadline) {
    std::vector<double> times;
    for (int i = 0; i <= samples; ++i) {
        net::child::options o;
        o.program = "curl";
        o.arguments = {"--silent",
                       "--fail",
                       "--output",
                       "/dev/null",
                       "--socks5-hostname",
                       network.client().socks.str(),
                       "--header",
                       "Content-Type: application/json",
                       "--data-binary",
                       json::serialize(body),
                       "http://" + onion + "/open"};
        const stopwatch watch;
        auto ran = co_await net::run_program(std::move(o), {}, deadline);
        if (!ran) co_return ran.error();
        if (!ran->status.ok()) co_return failed("curl ended with " + ran->status.str(), ran->err);
        if (i > 0) times.push_back(watch.seconds());  // the first builds its circuit
    }
    co_return median(std::move(times));
}

/// A command as a user types it; its stdout, without the last newline.
task<std::string> command(std::vector<std::string> arguments, time_point deadline) {
    net::child::options o;
    o.program = "/proc/self/exe";
    o.arguments = std::move(arguments);
    const auto name = o.arguments.front();
    auto ran = co_await net::run_program(std::move(o), {}, deadline);
    if (!ran) co_return ran.error();
    if (!ran->status.ok()) co_return failed("bentoctl " + name + " ended with " + ran->status.str(), ran->err);
    if (ran->out.ends_with('\n')) ran->out.pop_back();
    co_return std::move(ran->out);
}

/// Polls until the retiring onion has ended and the current one is alone.
task<void> wait_for_one_onion(const std::vector<std::string>& operator_is, time_point deadline) {
    asio::steady_timer pause{co_await asio::this_coro::executor};
    for (;;) {
        std::vector<std::string> arguments{"status", "--json"};
        arguments.insert(arguments.end(), operator_is.begin(), operator_is.end());
        const auto status = co_await command(std::move(arguments), deadline);
        if (!status) co_return status.error();
        if (json::parse(*status).at("onions").as_array().size() == 1) co_return result<void>{};
        pause.expires_after(std::chrono::milliseconds{200});
        co_await pause.async_wait(asio::use_awaitable);
    }
}

struct figures {
    double bootstrap = 0, publication = 0, first = 0, by_token = 0, rotation = 0, warm = 0, curl = 0, resident = 0;
};

void tell(const terminal& out, const globals& g, const std::string& text) {
    if (!g.json) out.line(text);
}

task<figures> story(const globals& g, terminal& out, const testnet::options& wanted) {
    figures f;
    const auto deadline = clock::now() + std::max(g.timeout, std::chrono::milliseconds{std::chrono::minutes{5}});
    tell(out, g,
         fmt::format(
             "1. A private Tor network on loopback: 3 authorities, {} relays, a client and a host tor, {} ms a link",
             wanted.relays, wanted.latency.count()));
    stopwatch watch;
    auto network = co_await testnet::network::up(
        wanted, [&](testnet::progress p) { out.progress(p.step, p.percent); }, deadline);
    out.progress_done();
    if (!network) co_return network.error();
    f.bootstrap = watch.seconds();
    tell(out, g, fmt::format("   bootstrapped in {:.1f} s\n", f.bootstrap));

    const auto config = (network->directory() / "bentoctl.toml").string();
    if (auto written = write_file(config, configuration, 0600); !written) co_return written.error();

    tell(out, g,
         "2. A Bento Function Directory and a hidden Bento server, each behind an onion whose key is made here");
    tell(out, g, "   $ bentoctl directory");
    std::vector<std::string> more;
    auto directory = co_await daemon_process::start(*network, "directory", more, out, deadline);
    out.progress_done();
    if (!directory) co_return directory.error();
    tell(out, g, "   " + directory->onion() + "\n   $ bentoctl serve");
    watch = {};
    more = {"--directory", directory->onion()};
    auto server = co_await daemon_process::start(*network, "serve", more, out, deadline);
    out.progress_done();
    if (!server) co_return server.error();
    f.publication = watch.seconds();
    tell(out, g,
         fmt::format("   {}\n   {} uploads confirmed by HSDirs, ready after {:.1f} s\n", server->onion(),
                     server->uploads(), f.publication));

    const auto road = road_to(*network, server->onion());
    tell(out, g, "3. An author stores two functions through the onion");
    watch = {};
    const json::object hello{{"name", "hello"}, {"code", "def hello():\n    api.send(\"hello world\")\n"}};
    auto stored = co_await post(road, "/store", hello, deadline);
    if (!stored) co_return stored.error();
    f.first = watch.seconds();
    const auto hello_token = json::value_to<std::string>(json::parse(*stored).at("token"));
    const json::object echo{{"name", "echo"}, {"code", "def echo(text):\n    api.send(text)\n"}};
    stored = co_await post(road, "/store", echo, deadline);
    if (!stored) co_return stored.error();
    const auto echo_token = json::value_to<std::string>(json::parse(*stored).at("token"));
    tell(out, g,
         fmt::format("   hello  {}  over a new circuit in {:.2f} s\n   echo   {}\n", hello_token, f.first, echo_token));

    tell(out, g, "4. A caller runs them");
    const json::object call_hello{{"token", hello_token}, {"call", "hello()"}};
    const json::object call_echo{{"token", echo_token}, {"call", "echo('the same, in a sandbox without network')"}};
    auto answer = co_await post(road, "/open", call_hello, deadline);
    if (!answer) co_return answer.error();
    tell(out, g, "   POST /open  hello()     " + *answer);
    answer = co_await post(road, "/open", call_echo, deadline);
    if (!answer) co_return answer.error();
    tell(out, g, "   POST /open  echo(...)   " + *answer);
    answer = co_await post(road, "/exec", call_hello, deadline);
    if (!answer) co_return answer.error();
    tell(out, g, "   POST /exec  hello()     " + answer->substr(0, answer->find('\n')) + "\n");

    tell(out, g, "5. The operator registers it: from now on its token is enough");
    const std::vector<std::string> operator_is{"--config", config, "--state-dir",
                                               (network->directory() / "serve").string()};
    const auto by_operator = [&](std::vector<std::string> arguments) {
        arguments.insert(arguments.end(), operator_is.begin(), operator_is.end());
        return arguments;
    };
    auto arguments = by_operator({"register", hello_token});
    auto share = co_await command(std::move(arguments), deadline);
    if (!share) co_return share.error();
    tell(out, g, fmt::format("   $ bentoctl register {}\n   {}", hello_token, *share));
    const std::vector<std::string> call_by_token{"open",
                                                 *share,
                                                 "hello()",
                                                 "--config",
                                                 config,
                                                 "--directory",
                                                 directory->onion(),
                                                 "--socks",
                                                 network->client().socks.str(),
                                                 "--state-dir",
                                                 (network->directory() / "caller").string()};
    watch = {};
    answer = co_await command(call_by_token, deadline);
    if (!answer) co_return answer.error();
    f.by_token = watch.seconds();
    tell(out, g, fmt::format("   $ bentoctl open {} 'hello()'\n   {}\n", *share, *answer));

    tell(out, g, "6. The onion is replaced: a new key, a new address, and the token leads there");
    watch = {};
    arguments = by_operator({"rotate", "--json"});
    auto rotated = co_await command(std::move(arguments), deadline);
    if (!rotated) co_return rotated.error();
    f.rotation = watch.seconds();
    const auto onion = json::value_to<std::string>(json::parse(*rotated).at("new"));
    tell(out, g, fmt::format("   $ bentoctl rotate\n   {}\n   both answer for a while, then the old one ends", onion));
    if (auto alone = co_await wait_for_one_onion(operator_is, deadline); !alone) co_return alone.error();
    answer = co_await command(call_by_token, deadline);
    if (!answer) co_return answer.error();
    tell(out, g, fmt::format("   $ bentoctl open {} 'hello()'\n   {}\n", *share, *answer));

    tell(out, g, "7. What it costs");
    const auto new_road = road_to(*network, onion);
    answer = co_await post(new_road, "/open", call_hello, deadline);  // the first builds its circuit
    if (!answer) co_return answer.error();
    std::vector<double> times;
    for (int i = 0; i < samples; ++i) {
        const stopwatch call;
        answer = co_await post(new_road, "/open", call_hello, deadline);
        if (!answer) co_return answer.error();
        times.push_back(call.seconds());
    }
    f.warm = median(std::move(times));
    const auto curl = co_await time_curl(*network, onion, call_hello, deadline);
    if (!curl) co_return curl.error();
    f.curl = *curl;
    f.resident = server->resident();
    tell(
        out, g,
        fmt::format("   bootstrap          {:6.2f} s\n   publication        {:6.2f} s\n   first connection   {:6.2f} s",
                    f.bootstrap, f.publication, f.first));
    tell(out, g,
         fmt::format("   first call by token{:6.2f} s   asks the directory, then the server, each over a new circuit",
                     f.by_token));
    tell(out, g, fmt::format("   rotation           {:6.2f} s", f.rotation));
    tell(out, g,
         fmt::format("   warm call          {:6.2f} s   curl --socks5-hostname: {:.2f} s, ratio {:.2f}", f.warm, f.curl,
                     f.warm / f.curl));
    tell(out, g, fmt::format("   memory of serve    {:6.1f} MiB\n", f.resident));
    co_await server->stop();
    co_await directory->stop();
    co_return f;
}

/// What outlived its parent becomes our child (see PR_SET_CHILD_SUBREAPER) and has gone when this returns.
void wait_for_everything() {
    while (::waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {
    }
}

task<int> demo(const globals& g, const demo_options& o, std::filesystem::path directory) {
    terminal out{g};
    testnet::options wanted;
    wanted.directory = std::move(directory);
    wanted.relays = o.relays;
    wanted.latency = o.latency;
    auto told = co_await story(g, out, wanted);
    out.progress_done();
    if (!told) co_return told.error();
    if (g.json)
        out.line(json::serialize(json::object{{"bootstrap_seconds", told->bootstrap},
                                              {"publication_seconds", told->publication},
                                              {"first_seconds", told->first},
                                              {"token_seconds", told->by_token},
                                              {"rotation_seconds", told->rotation},
                                              {"warm_seconds", told->warm},
                                              {"curl_seconds", told->curl},
                                              {"serve_rss_mib", told->resident}}));
    co_return 0;
}

}  // namespace

runner declare_demo(CLI::App& options) {
    auto o = std::make_shared<demo_options>();
    add_duration(options, "--latency", o->latency, "added to each link in each direction (default 40ms)");
    options.add_option("--relays", o->relays, "relays beside the three authorities (default 5)")
        ->check(CLI::Range(3, 50));
    return [o](const globals& g) -> result<int> {
        if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) throw std::system_error{errno, std::generic_category(), "prctl"};
        const auto directory =
            std::filesystem::temp_directory_path() / ("bentoctl-demo-" + uuid4::generate().str().substr(0, 8));
        auto status = run([&] { return demo(g, *o, directory); });
        wait_for_everything();
        if (status && *status == 0 && !g.json) terminal{g}.line("Every process has ended, every file is gone.");
        return status;
    };
}

}  // namespace bento::cli
