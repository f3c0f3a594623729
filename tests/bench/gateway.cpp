// The gateway beside the bare Bento protocol, before a Bento server that answers at once: what a call costs more, and
// what sessions cost that wait.
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <bento/gateway/gateway.hpp>
#include <bento/wire/frame.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cstring>
#include <future>
#include <iostream>
#include <thread>

#include "bench.hpp"
#include "bento_server.hpp"
#include "temporary_directory.hpp"

namespace bento {
namespace {

constexpr unsigned warm_up = 500;
constexpr unsigned calls = 5'000;
constexpr std::size_t sessions = 1'000;
constexpr auto idle_time = std::chrono::seconds{3};

[[noreturn]] void die(const std::string& why) {
    std::cerr << "bench gateway: " << why << '\n';
    std::exit(1);
}

/// A loop in a thread of its own, as each server has one.
class served {
  public:
    served() : guard_{asio::make_work_guard(context_)}, thread_{[this] { context_.run(); }} {}
    ~served() {
        context_.stop();
        thread_.join();
    }
    /// Runs there, and returns when it has.
    template <class Work>
    auto make(Work work) {
        std::packaged_task<decltype(work(context_.get_executor()))()> job{
            [&] { return work(context_.get_executor()); }};
        auto out = job.get_future();
        asio::post(context_, [&] { job(); });
        return out.get();
    }
    double processor_seconds() {
        clockid_t id{};
        timespec spent{};
        if (::pthread_getcpuclockid(thread_.native_handle(), &id) != 0 || ::clock_gettime(id, &spent) != 0)
            die("no clock of the thread");
        return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) / 1e9;
    }

  private:
    asio::io_context context_{1};
    asio::executor_work_guard<asio::io_context::executor_type> guard_;
    std::thread thread_;
};

/// A blocking socket: what stands between the clock and the server is to be little.
class client {
  public:
    explicit client(const endpoint& to) : fd_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, to.path.c_str(), sizeof address.sun_path - 1);
        if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) die("no connection");
    }
    client(client&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
    client& operator=(client&&) = delete;
    ~client() {
        if (fd_ >= 0) ::close(fd_);
    }
    void send(std::string_view bytes) {
        if (::send(fd_, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) die("send");
    }
    /// Reads until what came ends so.
    std::string until(std::string_view end) {
        std::string out;
        while (!out.ends_with(end)) {
            char part[4096];
            const auto n = ::recv(fd_, part, sizeof part, 0);
            if (n <= 0) die("the connection ended after: " + out);
            out.append(part, static_cast<std::size_t>(n));
        }
        return out;
    }
    std::string exactly(std::size_t size) {
        std::string out(size, '\0');
        for (std::size_t have = 0; have < size;) {
            const auto n = ::recv(fd_, out.data() + have, size - have, 0);
            if (n <= 0) die("the connection ended");
            have += static_cast<std::size_t>(n);
        }
        return out;
    }

  private:
    int fd_;
};

constexpr std::size_t response_header = 6, message_header = 5;

/// As the thesis' Figure 3.4 speaks with its Bento server: a connection a call.
void call_bare(const endpoint& at, const std::string& execute) {
    client c{at};
    c.send(execute);
    const auto id = c.exactly(response_header + uuid4::text_size).substr(response_header);
    c.send(wire::encode_request(wire::type::open, id));
    const std::string_view expected = "hello world";
    if (!c.exactly(message_header + uuid4::text_size + expected.size()).ends_with(expected)) die("another output");
}

/// A Bento server and the gateway before it, each on the loop where it lives.
struct hidden_server {
    hidden_server(served& for_bento, served& for_gateway) : bento_loop{for_bento}, gateway_loop{for_gateway} {
        bento =
            bento_loop.make([&](auto executor) { return std::make_unique<test::bento_server>(executor, bento_at); });
        front = gateway_loop.make([&](auto executor) {
            gateway::options o;
            o.server = bento_at;
            auto out = std::make_unique<gateway::gateway>(std::move(o));
            out->serve(net::listener::listen(executor, at, {.connections = 2 * sessions}).value());
            return out;
        });
    }
    hidden_server(const hidden_server&) = delete;
    hidden_server& operator=(const hidden_server&) = delete;
    ~hidden_server() {
        gateway_loop.make([this](const auto&) { return front.reset(), true; });
        bento_loop.make([this](const auto&) { return bento.reset(), true; });
    }
    std::string token() const { return bento->token().str(); }

    served& bento_loop;
    served& gateway_loop;
    const test::temporary_directory folder;
    const endpoint bento_at = endpoint::unix_socket((folder.path() / "bento").string());
    const endpoint at = endpoint::unix_socket((folder.path() / "gateway").string());
    std::unique_ptr<test::bento_server> bento;
    std::unique_ptr<gateway::gateway> front;
};

void measure_calls(const hidden_server& s, const std::string& where) {
    const auto body = R"json({"call":"hello()","token":")json" + s.token() + "\"}";
    const auto execute = wire::encode_request(wire::type::execute, body);
    const auto request =
        "POST /open HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    client keeps{s.at};
    std::vector<double> through, bare;
    for (unsigned i = 0; i < warm_up + calls; ++i) {
        const auto a = bench::seconds([&] { call_bare(s.bento_at, execute); });
        const auto b = bench::seconds([&] {
            keeps.send(request);
            keeps.until("hello world");
        });
        if (i < warm_up) continue;
        bare.push_back(a);
        through.push_back(b);
    }
    const auto direct = bench::median(bare);
    bench::report({"POST /open over the bare protocol, " + where,
                   bench::median(through) - direct,
                   "s",
                   {},
                   "",
                   bench::limit{150e-6}});
    bench::report({"POST /open, " + where, bench::median(through), "s", direct, "bare protocol"});
}

void measure_idle_sessions(const hidden_server& s) {
    const auto first = R"json({"call":"echo()","token":")json" + s.token() + "\"}";
    // Masked with zeros: the bytes as they are.
    const auto frame = std::string{"\x81"} + static_cast<char>(0x80 | first.size()) + std::string(4, '\0') + first;
    std::vector<client> all;
    for (std::size_t i = 0; i < sessions; ++i) {
        auto& c = all.emplace_back(s.at);
        c.send(
            "GET /session HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
        c.until("\r\n\r\n");
        c.send(frame);
        c.until("\"after\":0}");
    }
    const auto before = s.gateway_loop.processor_seconds();
    std::this_thread::sleep_for(idle_time);
    const auto spent = (s.gateway_loop.processor_seconds() - before) / std::chrono::duration<double>(idle_time).count();
    bench::report({"processor time in a second of 1000 idle sessions", spent, "s", {}, "", bench::limit{1e-3}});
}

void measure() {
    net::allow_descriptors();
    served one, other;
    // As `bentoctl serve` runs its own Bento server; and as it stands before another.
    measure_calls(hidden_server{one, one}, "one thread");
    const hidden_server apart{one, other};
    measure_calls(apart, "two threads");
    measure_idle_sessions(apart);
}

}  // namespace
}  // namespace bento

int main() { bento::measure(); }
