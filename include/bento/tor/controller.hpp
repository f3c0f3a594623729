// One live control connection: commands get their replies in order while events arrive, each command has its deadline,
// and when tor goes away everything that waits fails at once with control::errc::disconnected.
//
// It never stops reading: an event that a subscriber has no room for is dropped and leaves a gap behind, so that a
// slow consumer costs neither memory nor a command of its own that waits for a reply behind those events.
#pragma once

#include <bento/base/secret.hpp>
#include <bento/control/event.hpp>
#include <bento/control/onion_command.hpp>
#include <bento/control/session.hpp>
#include <bento/net/stream.hpp>
#include <bento/tor/errc.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

namespace bento::tor {

/// What proves to tor who we are. Nothing of it is needed where tor asks for a cookie that we can read, or for nothing.
struct credentials {
    std::optional<std::filesystem::path> password_file;
    /// Read in place of the file that tor names.
    std::optional<std::filesystem::path> cookie_file;
};

/// Stands where events were dropped because the subscriber was too slow.
struct gap {
    std::size_t dropped = 0;
};
using notice = std::variant<control::event, gap>;

/// The events of some kinds, from the moment tor confirmed the subscription. One consumer at a time.
class subscription {
  public:
    /// The next event or gap; control::errc::disconnected once the connection has ended and everything was handed out.
    task<notice> next();
    /// The same with net::errc::timed_out at the deadline.
    task<notice> next(time_point deadline);

    subscription() = default;
    explicit operator bool() const { return queue_ != nullptr; }

  private:
    friend class controller;
    struct queue;
    explicit subscription(std::shared_ptr<queue> q) : queue_{std::move(q)} {}
    std::shared_ptr<queue> queue_;
};

/// A handle: copies mean the same connection, which closes when the last one goes. After an answer, and while a further
/// command waits for its own, the thread looks for that one for up to 50 microseconds before it sleeps.
class controller {
  public:
    controller() = default;
    /// Over a connection that is authenticated already.
    static controller attach(net::stream connection, control::limits limits = control::limits());
    /// Connects and authenticates. Errors: net::errc, control::errc, errc::cookie_unreadable with the path and the
    /// group that may read it.
    static task<controller> connect(endpoint at, const credentials& with, time_point deadline,
                                    control::limits limits = control::limits());

    /// Sends one command of control/command.hpp and returns its typed reply. Cancelled, the command may still be done;
    /// its answer is swallowed.
    template <class Command>
    task<typename Command::reply_type> execute(Command command, time_point deadline) const {
        auto bytes = command.encode();
        if (!bytes) co_return bytes.error();
        auto reply = co_await ask(std::move(*bytes), deadline);
        if (!reply) co_return reply.error();
        co_return command.parse(*reply);
    }
    /// The same for many, without waiting for one answer before the next is sent: a thousand take hardly longer than
    /// one. Answers are in the order of the commands; each fails for itself. More than the session's limits are sent as
    /// answers come in.
    template <class Command>
    asio::awaitable<std::vector<result<typename Command::reply_type>>> execute_all(std::vector<Command> commands,
                                                                                   time_point deadline) const {
        std::vector<result<secret>> bytes;
        bytes.reserve(commands.size());
        for (const auto& command : commands)
            bytes.push_back(command.encode());
        const auto replies = co_await ask_all(std::move(bytes), deadline);
        std::vector<result<typename Command::reply_type>> out;
        out.reserve(commands.size());
        for (std::size_t i = 0; i < commands.size(); ++i) {
            if (replies[i])
                out.push_back(commands[i].parse(*replies[i]));
            else
                out.push_back(replies[i].error());
        }
        co_return out;
    }

    /// GETINFO of each key for itself, all in one round trip: one that tor does not know, or has no value for now,
    /// costs the others nothing.
    asio::awaitable<std::map<std::string, result<std::string>, std::less<>>> info(std::vector<std::string> keys,
                                                                                  time_point deadline) const;

    /// Returns when tor has confirmed SETEVENTS for all that is subscribed now. Names as `HS_DESC`.
    task<subscription> subscribe(std::vector<std::string> names, time_point deadline);

    explicit operator bool() const { return state_ != nullptr; }
    bool connected() const;
    /// Waits for the end of the connection and returns why it ended.
    asio::awaitable<error> closed() const;
    void close();

  private:
    struct state;
    explicit controller(std::shared_ptr<state> s) : state_{std::move(s)} {}
    task<control::reply> ask(secret bytes, time_point deadline) const;
    asio::awaitable<std::vector<result<control::reply>>> ask_all(std::vector<result<secret>> commands,
                                                                 time_point deadline) const;
    std::shared_ptr<state> state_;
};

}  // namespace bento::tor
