// One control connection: commands out, replies in the order of the commands, events in between.
//
// tor answers in order and never says which command it answers, so a command that nobody waits for any more keeps its
// place in the queue and swallows its late reply. Events may come before or after the reply of the command that caused
// them, never inside one.
#pragma once

#include <bento/base/secret.hpp>
#include <bento/control/reply.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <variant>

namespace bento::control {

class session {
  public:
    using ticket = std::uint64_t;
    using time_point = std::chrono::steady_clock::time_point;

    struct reply_ready {
        session::ticket ticket;
        control::reply reply;
    };
    struct event_ready {
        control::reply reply;
    };
    /// errc::timed_out, too_many_pending, or why the connection ended.
    struct failed {
        session::ticket ticket;
        bento::error error;
    };
    using output_item = std::variant<reply_ready, event_ready, failed>;

    explicit session(limits l = {}) : limits_{l}, framer_{l} {}

    /// Takes the bytes of one command, CRLF included. Its outcome comes out of next(), once, unless it is abandoned.
    ticket submit(secret bytes, time_point deadline);
    /// Nobody waits for this one any more. Harmless where it has been answered.
    void abandon(ticket t);
    /// Bytes from tor. An error ends the session: everything pending fails with it.
    result<void> feed(std::string_view bytes);
    std::optional<output_item> next();

    /// What is to be written; consumed when it was taken, and wiped then.
    std::string_view output() const;
    void consume_output(std::size_t size);

    /// Fails what should have been answered by now.
    void expire(time_point now);
    std::optional<time_point> next_deadline() const;
    /// Everything pending, and everything submitted later, fails with `why`.
    void disconnect(const error& why);
    bool closed() const { return ended_.has_value(); }
    std::size_t pending() const { return waiting_.size(); }

  private:
    struct slot {
        session::ticket ticket;
        time_point deadline;
        bool abandoned = false;
    };
    void route(reply r);

    limits limits_;
    framer framer_;
    std::deque<slot> waiting_;  // in the order of the commands
    std::deque<output_item> ready_;
    std::deque<secret> output_;
    std::size_t written_ = 0;  // of the first
    ticket last_ = 0;
    std::optional<error> ended_;
};

}  // namespace bento::control
