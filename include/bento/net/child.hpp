// A child process: started with exactly the descriptors it is given, killed when we die, reaped without signals.
//
// This is the one place that forks and executes (the jail of the box, which becomes another program in place, is the
// other).
#pragma once

#include <sys/types.h>

#include <bento/net/asio.hpp>
#include <bento/net/errc.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bento::net {

/// An owned descriptor.
class unique_fd {
  public:
    unique_fd() = default;
    explicit unique_fd(int fd) : fd_{fd} {}
    unique_fd(unique_fd&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
    unique_fd& operator=(unique_fd&& other) noexcept {
        if (this != &other) reset(std::exchange(other.fd_, -1));
        return *this;
    }
    ~unique_fd() { reset(); }

    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }
    int release() { return std::exchange(fd_, -1); }
    void reset(int fd = -1);

  private:
    int fd_ = -1;
};

/// Both ends, closed on exec. Throws std::system_error when the process has no descriptor left.
std::pair<unique_fd, unique_fd> make_pipe();  ///< {read, write}
std::pair<unique_fd, unique_fd> make_socket_pair();

/// How a child ended.
struct exit_status {
    bool signalled = false;
    int value = 0;  ///< the exit code, or the signal's number
    bool ok() const { return !signalled && value == 0; }
    /// `exit status 1`, `signal 9 (Killed)`.
    std::string str() const;
    /// As a shell tells it: the code, or 128 + signal.
    int code() const { return signalled ? 128 + value : value; }
};

class child {
  public:
    struct options {
        std::string program;  ///< found in PATH where it holds no '/'
        std::vector<std::string> arguments;
        /// Where each descriptor of the child comes from: {number in the child, ours}. 0, 1 and 2 are /dev/null unless
        /// named; any other is closed.
        std::vector<std::pair<int, int>> descriptors;
        /// Unset: ours. Secrets never go here.
        std::optional<std::vector<std::string>> environment;
        std::filesystem::path directory = "/";
    };

    /// errc::unreachable with the system's words where it cannot be started (no such program, no process left). The
    /// child gets SIGKILL when the thread that started it ends.
    static result<child> start(asio::any_io_executor executor, const options& o);

    child() = default;
    child(child&&) noexcept;
    child& operator=(child&&) noexcept;
    /// Kills and reaps.
    ~child();

    bool running() const;
    pid_t pid() const;
    void signal(int number);
    /// Waits for its end; once it has ended, returns at once. With a deadline, errc::timed_out leaves it running.
    task<exit_status> wait(time_point deadline = time_point::max());
    /// Kills and reaps now, blocking for the moment that takes the kernel.
    void kill();

  private:
    struct state;
    std::shared_ptr<state> state_;
};

struct output {
    exit_status status;
    std::string out;  ///< stdout, at most `limit` bytes of it
    std::string err;
};
/// Runs a program to its end with `input` on stdin. errc::timed_out kills it.
task<output> run_program(child::options o, std::string input, time_point deadline, std::size_t limit = 1 << 20);

}  // namespace bento::net
