// A tor of our own: started with its configuration on stdin and an owning, authenticated control connection on an
// inherited descriptor (`__OwningControllerFD`). It needs no control port and no cookie, and it exits when we do.
#pragma once

#include <bento/net/child.hpp>
#include <bento/net/stream.hpp>
#include <bento/tor/errc.hpp>
#include <memory>
#include <string>

namespace bento::tor {

class process {
  public:
    struct options {
        std::string program = "tor";
        /// The whole configuration; no file of the system is read beside it. `Log ... stdout` lines feed log().
        std::string torrc;
    };
    /// errc::start_failed where the program cannot be run. A tor that dislikes its configuration exits: see wait() and
    /// log().
    static result<process> launch(asio::any_io_executor executor, const options& o);

    process() = default;
    process(process&&) noexcept;
    process& operator=(process&&) noexcept;
    ~process();

    /// The control connection, once: already authenticated, and tor exits when it closes.
    net::stream take_control();
    /// Ends as net::child::wait does.
    task<net::exit_status> wait(time_point deadline = time_point::max());
    bool running() const;
    pid_t pid() const;
    /// The last lines that tor wrote to stdout, oldest first.
    std::string log() const;
    /// The last line of level err or warn, without its date: what a person must be told.
    std::string complaint() const;

  private:
    struct state;
    std::shared_ptr<state> state_;
};

}  // namespace bento::tor
