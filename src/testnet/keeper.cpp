#include <bento/net/child.hpp>
#include <bento/net/condition.hpp>
#include <bento/net/listener.hpp>
#include <bento/testnet/keeper.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/json.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bento::testnet {
namespace {

namespace json = boost::json;
using namespace asio::experimental::awaitable_operators;

/// A line of ours between keeper and command: a description or a message, never more.
constexpr std::size_t line_limit = 8192;

endpoint socket_of(const std::filesystem::path& directory) {
    return endpoint::unix_socket((std::filesystem::absolute(directory) / "testnet.sock").string());
}

net::stream stream_of(asio::any_io_executor executor, net::unique_fd fd) {
    return net::stream{net::stream::socket_type{executor, asio::local::stream_protocol{}, fd.release()}};
}

/// The next line, `rest` keeping what came after it.
task<std::string> read_line(net::stream& from, std::string& rest) {
    for (;;) {
        if (const auto end = rest.find('\n'); end != std::string::npos) {
            auto line = rest.substr(0, end);
            rest.erase(0, end + 1);
            co_return line;
        }
        if (rest.size() > line_limit) co_return error{errc::start_failed, "a line without an end"};
        std::array<char, 1024> buffer;
        const auto n = co_await from.read_some(buffer);
        if (!n) co_return n.error();
        rest.append(buffer.data(), *n);
    }
}

// The keeper's side. Everything it says to the command that started it is one of
//   progress PERCENT STEP
//   ready DESCRIPTION
//   error CODE DETAIL
// and the command's end of the socket closing before `ready` means that nobody wants the network any more.

description describe(const network& n) {
    const auto [running, of] = n.running();
    return {n.directory(), n.client(), n.host(), running, of};
}

asio::awaitable<void> answer(net::stream peer, const network& of, std::shared_ptr<net::condition> done) {
    peer.expires_after(std::chrono::seconds{10});
    std::string rest;
    const auto question = co_await read_line(peer, rest);
    if (!question) co_return;
    if (*question == "status") co_await peer.write(describe(of).to_json() + "\n");
    if (*question == "down") done->notify_all();
}

asio::awaitable<void> until_closed(net::stream& peer) {
    std::array<char, 16> buffer;
    while (co_await peer.read_some(buffer)) {
    }
}

asio::awaitable<void> keep_up(options o, time_point deadline, net::stream& command) {
    const auto executor = co_await asio::this_coro::executor;
    // What cannot be written is noticed by until_closed.
    const auto say = [&](const std::string& line) {
        ::send(command.native_handle(), line.data(), line.size(), MSG_NOSIGNAL);
    };
    const auto tell = [&](progress p) { say(fmt::format("progress {} {}\n", p.percent, p.step)); };
    auto raced = co_await (network::up(o, tell, deadline) || until_closed(command));
    if (raced.index() == 1) co_return;
    auto& up = std::get<0>(raced);
    if (!up) {
        say(fmt::format("error {} {}\n", up.error().code.value(), up.error().message()));
        co_return;
    }
    auto at = net::listener::listen(executor, socket_of(o.directory), {});
    if (!at) {
        say(fmt::format("error {} {}\n", static_cast<int>(errc::start_failed), at.error().message()));
        co_return;
    }
    const auto done = std::make_shared<net::condition>(executor);
    at->start([&up, done](net::stream peer) { return answer(std::move(peer), *up, done); });
    say(fmt::format("ready {}\n", describe(*up).to_json()));
    command.close();
    co_await done->wait();
}

/// A tor of it that ends, or a signal to us, is no reason for more than dying: the tors follow the keeper, and the
/// network's directory is removed by its janitor.
[[noreturn]] void be_keeper(const options& o, time_point deadline, int command) {
    ::setsid();
    for (int number = 1; number < NSIG; ++number)
        ::signal(number, SIG_DFL);
    ::signal(SIGPIPE, SIG_IGN);
    const int null = ::open("/dev/null", O_RDWR);
    for (const int number : {0, 1, 2})
        ::dup2(null, number);
    ::dup2(command, 3);
    ::syscall(SYS_close_range, 4U, ~0U, 0U);
    ::fcntl(3, F_SETFD, FD_CLOEXEC);
    // Whatever is thrown, the command hears of it.
    const auto say = [](const char* what) {
        const auto line = fmt::format("error {} {}\n", static_cast<int>(errc::start_failed), what);
        ::send(3, line.data(), line.size(), MSG_NOSIGNAL);
    };
    asio::io_context context{1};
    auto stream = stream_of(context.get_executor(), net::unique_fd{3});
    try {
        std::exception_ptr thrown;
        asio::co_spawn(context, keep_up(o, deadline, stream), [&](std::exception_ptr e) {
            thrown = e;
            context.stop();
        });
        context.run();
        if (thrown) std::rethrow_exception(thrown);
    } catch (const std::exception& e) {
        say(e.what());
        ::_exit(1);
    }
    ::_exit(0);
}

asio::awaitable<void> reap(pid_t pid) {
    const net::unique_fd pidfd{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
    if (!pidfd) co_return;  // it has gone
    asio::posix::stream_descriptor watched{co_await asio::this_coro::executor, ::dup(pidfd.get())};
    co_await watched.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
}

json::object to_object(const access& a) { return {{"socks", a.socks.str()}, {"control", a.control.str()}}; }
access to_access(const json::value& v) {
    return {endpoint::parse(json::value_to<std::string>(v.at("socks"))).value(),
            endpoint::parse(json::value_to<std::string>(v.at("control"))).value()};
}

}  // namespace

std::string description::to_json() const {
    return json::serialize(json::object{{"dir", directory.string()},
                                        {"client", to_object(client)},
                                        {"host", to_object(host)},
                                        {"running", running},
                                        {"of", of}});
}

result<description> description::from_json(std::string_view text) {
    try {
        const auto v = json::parse(text);
        return description{json::value_to<std::string>(v.at("dir")), to_access(v.at("client")), to_access(v.at("host")),
                           json::value_to<std::size_t>(v.at("running")), json::value_to<std::size_t>(v.at("of"))};
    } catch (const std::exception&) {
        return error{errc::start_failed, "what answers on the network's socket is no network's keeper"};
    }
}

task<description> keep(options o, std::function<void(progress)> tell, time_point deadline) {
    const auto executor = co_await asio::this_coro::executor;
    auto [ours, theirs] = net::make_socket_pair();
    const auto pid = ::fork();
    if (pid < 0) co_return error{errc::start_failed, "fork", std::strerror(errno)};
    if (pid == 0) be_keeper(o, deadline, theirs.get());
    theirs.reset();
    /// Until the network is ready, its keeper goes when we go, and we do not return before it has gone.
    struct leash {
        pid_t pid;
        net::stream command;
        bool held = true;
        ~leash() {
            command.close();
            if (held)
                while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
                }
        }
    } keeper{pid, stream_of(executor, std::move(ours))};
    std::string rest;
    for (;;) {
        auto line = co_await read_line(keeper.command, rest);
        if (!line) co_return error{errc::start_failed, "the network's keeper ended without a word"};
        const auto word = line->substr(0, line->find(' '));
        const auto argument = line->substr(std::min(word.size() + 1, line->size()));
        const auto second = std::min(argument.find(' '), argument.size());
        if (word == "progress") {
            const auto step = argument.substr(std::min(second + 1, argument.size()));
            tell({step, static_cast<unsigned>(std::stoul(argument.substr(0, second)))});
        } else if (word == "ready") {
            keeper.held = false;
            co_return description::from_json(argument);
        } else {
            const auto code = static_cast<errc>(std::stoi(argument.substr(0, second)));
            co_return error{code, argument.substr(std::min(second + 1, argument.size()))};
        }
    }
}

namespace {

task<net::stream> reach(const std::filesystem::path& directory, time_point deadline) {
    auto peer = co_await net::stream::connect(socket_of(directory), deadline);
    if (!peer) co_return error{errc::not_running, directory.string()};
    peer->expires_at(deadline);
    co_return std::move(*peer);
}

}  // namespace

task<description> ask(const std::filesystem::path& directory, time_point deadline) {
    auto peer = co_await reach(directory, deadline);
    if (!peer) co_return peer.error();
    if (auto sent = co_await peer->write("status\n"); !sent) co_return sent.error();
    std::string rest;
    const auto line = co_await read_line(*peer, rest);
    if (!line) co_return line.error();
    co_return description::from_json(*line);
}

task<void> end(const std::filesystem::path& directory, time_point deadline) {
    auto peer = co_await reach(directory, deadline);
    if (!peer) co_return peer.error();
    ucred who{};
    socklen_t size = sizeof who;
    if (::getsockopt(peer->native_handle(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
        co_return error{errc::start_failed, "the keeper's process", std::strerror(errno)};
    if (auto sent = co_await peer->write("down\n"); !sent) co_return sent.error();
    co_await reap(who.pid);
    co_return result<void>{};
}

}  // namespace bento::testnet
