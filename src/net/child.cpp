#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bento/net/child.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstring>
#include <system_error>

extern char** environ;

namespace bento::net {
namespace {

constexpr auto with_code = asio::as_tuple(asio::use_awaitable);

[[noreturn]] void throw_errno(const char* what) { throw std::system_error{errno, std::generic_category(), what}; }

/// As execvp finds it, but before the fork: the child may not allocate.
std::string find_program(const std::string& name) {
    if (name.find('/') != std::string::npos) return name;
    const char* path = ::getenv("PATH");
    std::string_view rest = path != nullptr ? path : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    for (;;) {
        const auto colon = rest.find(':');
        const auto folder = rest.substr(0, colon);
        const auto candidate = std::string{folder.empty() ? "." : folder} + "/" + name;
        if (::access(candidate.c_str(), X_OK) == 0) return candidate;
        if (colon == std::string_view::npos) return {};
        rest.remove_prefix(colon + 1);
    }
}

std::vector<char*> pointers(const std::vector<std::string>& from) {
    std::vector<char*> out;
    for (const auto& s : from)
        out.push_back(const_cast<char*>(s.c_str()));
    out.push_back(nullptr);
    return out;
}

/// Everything the child does between fork and exec, async-signal-safe; returns only when it failed.
int become(const char* path, char* const* argv, char* const* envp, const char* directory,
           std::vector<std::pair<int, int>>& moves, pid_t parent) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    for (int s = 1; s < NSIG; ++s)
        ::signal(s, SIG_DFL);
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return errno;
    if (::getppid() != parent) _exit(0);  // the parent died before the line above
    if (::chdir(directory) != 0) return errno;
    // First out of the way of the numbers that are asked for, then to them; what is left is closed by exec.
    int highest = 2;
    for (const auto& [number, fd] : moves)
        highest = std::max({highest, number, fd});
    for (auto& [number, fd] : moves) {
        fd = ::fcntl(fd, F_DUPFD_CLOEXEC, highest + 1);
        if (fd < 0) return errno;
    }
    // What we inherited ourselves, or a library opened without the flag, ends here too.
    if (::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) != 0) return errno;
    for (const auto& [number, fd] : moves)
        if (::dup2(fd, number) < 0) return errno;
    ::execve(path, argv, envp);
    return errno;
}

}  // namespace

void unique_fd::reset(int fd) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
}

std::pair<unique_fd, unique_fd> make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw_errno("pipe");
    return {unique_fd{ends[0]}, unique_fd{ends[1]}};
}

std::pair<unique_fd, unique_fd> make_socket_pair() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw_errno("socketpair");
    return {unique_fd{ends[0]}, unique_fd{ends[1]}};
}

std::string exit_status::str() const {
    if (!signalled) return "exit status " + std::to_string(value);
    return "signal " + std::to_string(value) + " (" + ::strsignal(value) + ")";
}

struct child::state {
    explicit state(asio::any_io_executor executor) : pidfd{executor}, timer{executor} {}
    ~state() { kill(); }

    /// Collects the exit status if it is there, blocking if asked to.
    bool reap(bool block) {
        if (status) return true;
        siginfo_t info{};
        int got = 0;
        do
            got = ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | (block ? 0 : WNOHANG));
        while (got != 0 && errno == EINTR);
        if (got != 0) throw_errno("waitid");
        if (info.si_pid == 0) return false;
        status = exit_status{info.si_code != CLD_EXITED, info.si_status};
        return true;
    }
    void kill() {
        if (status) return;
        ::kill(pid, SIGKILL);
        reap(true);
    }

    pid_t pid = 0;
    asio::posix::stream_descriptor pidfd;
    asio::steady_timer timer;
    std::optional<exit_status> status;
};

result<child> child::start(asio::any_io_executor executor, const options& o) {
    const auto path = find_program(o.program);
    if (path.empty()) return error{errc::unreachable, o.program, std::strerror(ENOENT)};
    std::vector<std::string> arguments{o.program};
    arguments.insert(arguments.end(), o.arguments.begin(), o.arguments.end());
    const auto argv = pointers(arguments);
    const auto given = o.environment ? pointers(*o.environment) : std::vector<char*>{};
    const auto envp = o.environment ? given.data() : environ;
    const auto directory = o.directory.string();

    unique_fd null{::open("/dev/null", O_RDWR | O_CLOEXEC)};
    if (!null) throw_errno("/dev/null");
    auto moves = o.descriptors;
    for (int number : {0, 1, 2})
        if (std::none_of(moves.begin(), moves.end(), [&](const auto& m) { return m.first == number; }))
            moves.emplace_back(number, null.get());
    auto [report, word] = make_pipe();  // what exec says, EOF being success

    auto s = std::make_shared<state>(executor);
    const auto parent = ::getpid();
    // Signals wait until the child has default handlers: one that came between would run ours in it.
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    const auto pid = ::fork();
    if (pid == 0) {
        const int failed = become(path.c_str(), argv.data(), envp, directory.c_str(), moves, parent);
        [[maybe_unused]] const auto written = ::write(word.get(), &failed, sizeof failed);
        _exit(127);
    }
    const int fork_failed = errno;
    sigprocmask(SIG_SETMASK, &before, nullptr);
    if (pid < 0) return error{errc::unreachable, o.program, std::strerror(fork_failed)};
    s->pid = pid;
    word.reset();
    int failed = 0;
    ssize_t got = 0;
    do
        got = ::read(report.get(), &failed, sizeof failed);
    while (got < 0 && errno == EINTR);
    if (got > 0) return error{errc::unreachable, o.program, std::strerror(failed)};

    const auto pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    if (pidfd < 0) throw_errno("pidfd_open");
    ::fcntl(pidfd, F_SETFD, FD_CLOEXEC);
    s->pidfd.assign(pidfd);
    child out;
    out.state_ = std::move(s);
    return out;
}

child::child(child&&) noexcept = default;
child& child::operator=(child&& other) noexcept {
    if (this != &other) {
        if (state_) state_->kill();
        state_ = std::move(other.state_);
    }
    return *this;
}
child::~child() {
    if (state_) state_->kill();
}

bool child::running() const { return state_ && !state_->reap(false); }
pid_t child::pid() const { return state_ ? state_->pid : 0; }
void child::signal(int number) {
    if (running()) ::kill(state_->pid, number);
}
void child::kill() {
    if (state_) state_->kill();
}

task<exit_status> child::wait(time_point deadline) {
    using namespace asio::experimental::awaitable_operators;
    const auto s = state_;
    while (!s->reap(false)) {
        s->timer.expires_at(deadline);
        co_await (s->pidfd.async_wait(asio::posix::stream_descriptor::wait_read, with_code) ||
                  s->timer.async_wait(with_code));
        if (!s->reap(false) && clock::now() >= deadline) co_return errc::timed_out;
    }
    co_return *s->status;
}

namespace {

asio::awaitable<void> write_all(asio::posix::stream_descriptor& to, const std::string& data) {
    co_await asio::async_write(to, asio::buffer(data), with_code);  // a program may leave its input unread
    to.close();
}

asio::awaitable<void> read_all(asio::posix::stream_descriptor& from, std::string& into, std::size_t limit) {
    std::array<char, 16384> buffer;
    for (;;) {
        const auto [code, n] = co_await from.async_read_some(asio::buffer(buffer), with_code);
        if (code) co_return;
        into.append(buffer.data(), std::min(n, limit - into.size()));
    }
}

asio::awaitable<void> converse(asio::posix::stream_descriptor& in, const std::string& input,
                               asio::posix::stream_descriptor& out, asio::posix::stream_descriptor& err, output& o,
                               std::size_t limit) {
    using namespace asio::experimental::awaitable_operators;
    co_await (write_all(in, input) && read_all(out, o.out, limit) && read_all(err, o.err, limit));
}

}  // namespace

task<output> run_program(child::options o, std::string input, time_point deadline, std::size_t limit) {
    using namespace asio::experimental::awaitable_operators;
    const auto executor = co_await asio::this_coro::executor;
    auto [in_read, in_write] = make_pipe();
    auto [out_read, out_write] = make_pipe();
    auto [err_read, err_write] = make_pipe();
    o.descriptors.insert(o.descriptors.end(), {{0, in_read.get()}, {1, out_write.get()}, {2, err_write.get()}});
    auto program = child::start(executor, o);
    if (!program) co_return program.error();
    in_read.reset();
    out_write.reset();
    err_write.reset();
    asio::posix::stream_descriptor in{executor, in_write.release()};
    asio::posix::stream_descriptor out{executor, out_read.release()};
    asio::posix::stream_descriptor err{executor, err_read.release()};
    asio::steady_timer timer{executor, deadline};
    output collected;
    const auto ended = co_await (converse(in, input, out, err, collected, limit) || timer.async_wait(with_code));
    if (ended.index() == 1) co_return error{errc::timed_out, o.program};
    auto status = co_await program->wait(deadline);
    if (!status) co_return error{status.error().code, o.program};
    collected.status = *status;
    co_return collected;
}

}  // namespace bento::net
