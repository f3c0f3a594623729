// The control library beside a bare socket loop in C++ and beside stem, on one tor that is not on the network.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <bento/base/file.hpp>
#include <bento/tor/controller.hpp>
#include <bento/tor/process.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstring>
#include <fstream>
#include <iostream>
#include <thread>

#include "bench.hpp"
#include "run.hpp"
#include "temporary_directory.hpp"

namespace bento {
namespace {

using bench::report;

constexpr std::size_t serial_requests = 8'000;
constexpr std::size_t pipelined_requests = 200'000;
constexpr std::size_t large_requests = 300;
constexpr std::size_t events_size = std::size_t{100} << 20;
constexpr std::size_t reply_size = std::size_t{16} << 20;
/// As of a socket's read.
constexpr std::size_t piece = std::size_t{64} << 10;
constexpr unsigned rounds = 7;

time_point soon() { return clock::now() + std::chrono::minutes{1}; }

[[noreturn]] void die(const std::string& why) {
    std::cerr << "bench control: " << why << '\n';
    std::exit(1);
}

/// What a program does without a library: one socket, a request, its answer. It sleeps in recv(), which is all that it
/// can do then, or in epoll_wait(), as whoever has other things to do must.
class bare_loop {
  public:
    enum class sleeps { in_recv, in_epoll };
    bare_loop(const endpoint& at, sleeps where) {
        fd_ = ::socket(at.is_unix() ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int on = 1;
        int connected = -1;
        if (at.is_unix()) {
            sockaddr_un address{};
            address.sun_family = AF_UNIX;
            std::strncpy(address.sun_path, at.path.c_str(), sizeof address.sun_path - 1);
            connected = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
        } else {
            sockaddr_in address{};
            address.sin_family = AF_INET;
            address.sin_port = htons(at.port);
            address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            connected = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
            ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        }
        if (connected != 0) die("no connection to " + at.str());
        if (where == sleeps::in_epoll) {
            epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
            epoll_event readable{.events = EPOLLIN, .data = {}};
            if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd_, &readable) != 0) die("epoll");
        }
        ask("AUTHENTICATE\r\n");
    }
    bare_loop(const bare_loop&) = delete;
    bare_loop& operator=(const bare_loop&) = delete;
    ~bare_loop() {
        ::close(fd_);
        if (epoll_ >= 0) ::close(epoll_);
    }

    void ask(std::string_view command) {
        if (::send(fd_, command.data(), command.size(), 0) != static_cast<ssize_t>(command.size())) die("send");
        std::string answer;
        while (!answer.ends_with("250 OK\r\n")) {
            char buffer[4096];
            epoll_event happened{};
            if (epoll_ >= 0 && ::epoll_wait(epoll_, &happened, 1, -1) != 1) die("epoll");
            const auto n = ::recv(fd_, buffer, sizeof buffer, 0);
            if (n <= 0) die("recv");
            answer.append(buffer, static_cast<std::size_t>(n));
        }
    }
    double rate() {
        return serial_requests / bench::seconds([this] {
                   for (std::size_t i = 0; i < serial_requests; ++i)
                       ask("GETINFO version\r\n");
               });
    }

  private:
    int fd_ = -1, epoll_ = -1;
};

struct places {
    endpoint unix_socket, tcp;
};

task<std::size_t> ask_serially(endpoint at, std::string key, std::size_t requests, double& took) {
    const tor::credentials nothing;
    auto control = co_await tor::controller::connect(at, nothing, soon());
    if (!control) co_return control.error();
    std::size_t bytes = 0;
    const auto start = clock::now();
    for (std::size_t i = 0; i < requests; ++i) {
        control::get_info ask;
        ask.keys.push_back(key);
        const auto got = co_await control->execute(std::move(ask), soon());
        if (!got) co_return got.error();
        bytes += got->begin()->second.size();
    }
    took = std::chrono::duration<double>(clock::now() - start).count();
    co_return bytes;
}

double serially(const endpoint& at, const std::string& key, std::size_t requests) {
    double took = 0;
    const auto done = test::run([&](auto) { return ask_serially(at, key, requests, took); }, std::chrono::seconds{60});
    if (!done) die(done.error().message());
    return took / static_cast<double>(requests);
}

task<std::size_t> ask_at_once(endpoint at, double& took) {
    const tor::credentials nothing;
    auto control = co_await tor::controller::connect(at, nothing, soon());
    if (!control) co_return control.error();
    std::vector<control::get_info> commands(pipelined_requests);
    for (auto& c : commands)
        c.keys.emplace_back("version");
    const auto start = clock::now();
    const auto answers = co_await control->execute_all(std::move(commands), soon());
    took = std::chrono::duration<double>(clock::now() - start).count();
    std::size_t good = 0;
    for (const auto& a : answers)
        good += a ? 1U : 0U;
    co_return good;
}

double at_once(const endpoint& at) {
    double took = 0;
    const auto good = test::run([&](auto) { return ask_at_once(at, took); }, std::chrono::seconds{60});
    if (!good || *good != pipelined_requests) die("pipelined requests failed");
    return pipelined_requests / took;
}

/// The life of two descriptors at eight HSDirs, again and again.
std::string events(std::size_t size) {
    const std::string address(55, 'a'), id(43, 'B'), index(64, 'C');
    std::string out;
    for (unsigned i = 0; out.size() < size; ++i) {
        char fingerprint[64];
        std::snprintf(fingerprint, sizeof fingerprint, "$%040X~relay%u", i % 16, i % 16);
        const auto to = address + "d UNKNOWN " + fingerprint;
        out += "650 HS_DESC UPLOAD " + to + ' ' + id + " HSDIR_INDEX=" + index + "\r\n";
        out += "650 HS_DESC UPLOADED " + to + "\r\n";
    }
    return out;
}

double events_per_second(const std::string& bytes) {
    control::framer framer;
    std::size_t count = 0, uploads = 0;
    const auto took = bench::seconds([&] {
        for (std::size_t at = 0; at < bytes.size(); at += piece) {
            auto rest = std::string_view{bytes}.substr(at, piece);
            while (const auto reply = framer.next(rest).value()) {
                const auto event = control::parse_event(*reply);
                const auto* descriptor = event ? std::get_if<control::hs_desc>(&*event) : nullptr;
                if (descriptor == nullptr) die("no HS_DESC");
                ++count;
                uploads += descriptor->action == control::hs_desc_action::uploaded ? 1U : 0U;
            }
        }
    });
    if (2 * uploads != count) die("events are wrong");
    return static_cast<double>(count) / took;
}

/// As GETINFO ns/all: lines of the length that a consensus has.
std::string data_reply(std::size_t size) {
    std::string out = "250+ns/all=\r\n";
    for (unsigned i = 0; out.size() < size; ++i)
        out += "r relay" + std::to_string(i) + " AAAAAAAAAAAAAAAAAAAAAAAAAAA 2038-01-01 00:00:00 127.0.0.1 9001 0\r\n" +
               "s Exit Fast Guard HSDir Running Stable V2Dir Valid\r\nw Bandwidth=12345\r\n";
    return out + ".\r\n250 OK\r\n";
}

double data_rate(const std::string& bytes) {
    control::framer framer;
    std::size_t kept = 0;
    const auto took = bench::seconds([&] {
        for (std::size_t at = 0; at < bytes.size(); at += piece) {
            auto rest = std::string_view{bytes}.substr(at, piece);
            while (const auto reply = framer.next(rest).value())
                kept += reply->lines.front().data->size();
        }
    });
    if (kept < bytes.size() / 2) die("data are lost");
    return static_cast<double>(bytes.size()) / took;
}

std::size_t resident() {
    std::ifstream in{"/proc/self/statm"};
    std::size_t all = 0, here = 0;
    in >> all >> here;
    return here * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

struct seen {
    std::size_t events = 0, dropped = 0, before = 0, after = 0;
};

/// 100 MB of events come over a socket while one subscriber takes them and another never does.
task<seen> let_events_pass(asio::any_io_executor executor, const std::string& bytes) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) die("socketpair");
    std::thread sender{[&bytes, to = ends[1]] {
        char command[4096];
        for (int confirmed = 0; confirmed < 2; ++confirmed) {
            if (::read(to, command, sizeof command) <= 0) die("no SETEVENTS");
            if (::write(to, "250 OK\r\n", 8) != 8) die("no answer");
        }
        for (std::size_t at = 0; at < bytes.size();) {
            const auto n = ::write(to, bytes.data() + at, std::min(piece, bytes.size() - at));
            if (n <= 0) die("the reader has gone");
            at += static_cast<std::size_t>(n);
        }
        ::close(to);
    }};
    auto control = tor::controller::attach(
        net::stream{net::stream::socket_type{executor, asio::local::stream_protocol{}, ends[0]}});
    std::vector<std::string> names{"HS_DESC"};
    auto idle = co_await control.subscribe(names, soon());
    auto busy = co_await control.subscribe(names, soon());
    seen out;
    if (!idle || !busy) die("no subscription");
    for (;;) {
        const auto next = co_await busy->next();
        if (!next) break;
        if (const auto* g = std::get_if<tor::gap>(&*next))
            out.dropped += g->dropped;
        else
            ++out.events;
        // A tenth has passed: every buffer has the size that it will have.
        if (out.before == 0 && out.events + out.dropped > bytes.size() / 2000) out.before = resident();
        out.after = resident();
    }
    sender.join();
    co_return out;
}

double memory_growth(const std::string& bytes) {
    const auto passed =
        test::run([&](auto executor) { return let_events_pass(executor, bytes); }, std::chrono::seconds{120});
    if (!passed || passed->before == 0) die("events did not pass");
    return passed->after > passed->before ? static_cast<double>(passed->after - passed->before) : 0;
}

std::map<std::string, double> ask_stem(const places& at, const std::filesystem::path& folder) {
    const auto command = std::string{BENTO_BENCH_PYTHON " " BENTO_BENCH_SOURCE "/control_stem.py "} +
                         at.unix_socket.path + ' ' + std::to_string(at.tcp.port) + ' ' + (folder / "events").string() +
                         ' ' + (folder / "reply").string();
    FILE* from = ::popen(command.c_str(), "r");
    std::map<std::string, double> out;
    char name[64];
    double value = 0;
    while (from != nullptr && std::fscanf(from, "%63s %lf", name, &value) == 2)
        out[name] = value;
    if (from == nullptr || ::pclose(from) != 0) die("stem failed: is python3-stem installed (.ci/deps bench)?");
    return out;
}

void measure(const places& at, const std::filesystem::path& folder) {
    const auto event_bytes = events(events_size);
    const auto reply_bytes = data_reply(reply_size);
    std::ofstream{folder / "events"} << event_bytes.substr(0, 8 << 20);
    std::ofstream{folder / "reply"} << reply_bytes;
    auto stem = ask_stem(at, folder);

    for (const auto* over : {"unix", "tcp"}) {
        const auto& where = over == std::string_view{"unix"} ? at.unix_socket : at.tcp;
        const auto task = std::string{"GETINFO version, one at a time, "} + over;
        const auto library = [&] { return 1 / serially(where, "version", serial_requests); };
        bare_loop bare{where, bare_loop::sleeps::in_recv}, loop{where, bare_loop::sleeps::in_epoll};
        const auto [ours, in_recv] = bench::side_by_side(rounds, library, [&] { return bare.rate(); });
        report({task, ours, "/s", in_recv, "bare socket loop", bench::ratio{0.95}});
        const auto [again, in_epoll] = bench::side_by_side(rounds, library, [&] { return loop.rate(); });
        report({task, again, "/s", in_epoll, "bare epoll loop"});
        report({task, ours, "/s", stem[std::string{"serial_"} + over], "stem"});
        std::vector<double> rates;
        for (unsigned i = 0; i < rounds; ++i)
            rates.push_back(at_once(where));
        report({std::string{"GETINFO version, pipelined, "} + over, bench::median(rates), "/s",
                stem[std::string{"serial_"} + over], "stem, serial", bench::ratio{30}});
    }
    report({"GETINFO config/names, 20 kB, tcp", serially(at.tcp, "config/names", large_requests), "s",
            stem["large_tcp"], "stem", bench::limit{0.001}});
    std::vector<double> rates, speeds;
    for (unsigned i = 0; i < rounds; ++i) {
        rates.push_back(events_per_second(event_bytes));
        speeds.push_back(data_rate(reply_bytes));
    }
    report({"HS_DESC, bytes to typed events", bench::best(rates), "/s", stem["events"], "stem", bench::limit{2e6}});
    report({"a data reply of 16 MiB", bench::best(speeds), "B/s", stem["data"], "stem", bench::limit{1e9}});
    report({"memory that 100 MiB of events add", memory_growth(event_bytes), "B", {}, {}, bench::limit{1 << 20}});
}

task<places> start_tor(tor::process& tor, tor::controller& owner, asio::any_io_executor executor,
                       const std::filesystem::path& folder) {
    tor::process::options o;
    const auto socket = folder / "control";
    o.torrc = "DataDirectory " + (folder / "data").string() + "\nDisableNetwork 1\nSocksPort 0\nLog notice stdout\n" +
              "ControlPort unix:" + socket.string() + "\nControlPort auto\n";
    auto started = tor::process::launch(executor, o);
    if (!started) co_return started.error();
    tor = std::move(*started);
    owner = tor::controller::attach(tor.take_control());
    control::get_info ask;
    ask.keys.emplace_back("net/listeners/control");
    const auto got = co_await owner.execute(std::move(ask), soon());
    if (!got) co_return error{got.error().code, tor.complaint()};
    const auto listeners = control::parse_listeners(got->begin()->second);
    if (!listeners) co_return listeners.error();
    places out;
    for (const auto& text : *listeners) {
        const auto at = endpoint::parse(text);
        if (at) (at->is_unix() ? out.unix_socket : out.tcp) = *at;
    }
    co_return out;
}

}  // namespace
}  // namespace bento

int main() {
    using namespace bento;
    const test::temporary_directory folder;
    asio::io_context context;  // tor lives as long as this
    tor::process tor;
    tor::controller owner;
    std::optional<result<places>> found;
    asio::co_spawn(context, start_tor(tor, owner, context.get_executor(), folder.path()),
                   [&](std::exception_ptr, result<places> r) {
                       found = std::move(r);
                       context.stop();
                   });
    context.run_for(std::chrono::seconds{30});
    if (!found || !*found) die(found ? found->error().message() : "tor did not start");
    measure(**found, folder.path());
    owner.close();
}
