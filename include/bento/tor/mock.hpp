// A tor for tests: it answers the control protocol from a script, and by itself where the script says nothing, so that
// a program that uses this library can be tested without tor, network or time.
//
// By itself it takes any authentication, keeps the onion services that are added (each connection its own, detached
// ones for all), tells them in GETINFO onions/current and onions/detached, and knows version, status/bootstrap-phase
// and events/names. Everything else that the script does not name gets 510, as a tor says that does not know a command.
#pragma once

#include <bento/net/listener.hpp>
#include <bento/onion/address.hpp>
#include <functional>
#include <string>
#include <vector>

namespace bento::tor {

/// A handle: copies are the same tor. It ends with the last one, and its connections with it.
class mock_tor {
  public:
    explicit mock_tor(asio::any_io_executor executor);

    /// A connection within the program, for controller::attach().
    net::stream connect();
    /// Takes connections at a unix socket or a loopback port, 0 being a free one. Errors: net::errc.
    result<endpoint> listen(const endpoint& at);

    /// Whole replies, `\n` standing for CRLF and the last one left out: "250-version=9\n250 OK". An empty one is no
    /// answer at all.
    using responder = std::function<std::string(std::string_view command)>;
    /// Commands that begin with `command` are answered so from now on; a later rule goes before an earlier one.
    void on(std::string command, responder answer);
    void on(std::string command, std::string answer);
    /// The same for the next such command alone; several are used in their order, before any on().
    void once(std::string command, std::string answer);

    /// An event for each connection whose SETEVENTS has its name: "BW 1 2", or several lines without their status:
    /// "650-CONF_CHANGED\n650-Nickname=x\n650 OK".
    void event(std::string_view text);
    /// Bytes for each connection, as they are.
    void say(std::string_view bytes);
    /// HS_DESC events as of a service that uploads two descriptors to so many HSDirs each, all of which confirm.
    void publish(const onion::address& service, std::size_t hs_dirs = 3);
    /// Closes every connection, as a tor that is killed: the services of those connections are gone.
    void drop();

    /// Each command that has come, oldest first, with its data where it has some.
    const std::vector<std::string>& heard() const;
    /// The next command that begins with `command`, from those that have come since the last one it returned.
    /// net::errc::timed_out at the deadline.
    task<std::string> hear(std::string command, time_point deadline);
    std::size_t connections() const;

  private:
    struct state;
    struct connection;
    std::shared_ptr<state> state_;
};

}  // namespace bento::tor
