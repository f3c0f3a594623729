// One control connection: commands out, replies in the order of the commands, events in between.
//
// tor answers in order and never says which command it answers, so a command that nobody waits for any more keeps its
// place in the queue and swallows its late reply. Events may come before or after the reply of the command that caused
// them, never inside one.
#pragma once

#include <bento/base/secret.hpp>
#include <bento/control/reply.hpp>
#include <bento/control/wiped_buffer.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <utility>
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
    /// errc::timed_out, too_many_pending, invalid_argument, or why the connection ended.
    struct failed {
        session::ticket ticket;
        bento::error error;
    };
    using output_item = std::variant<reply_ready, event_ready, failed>;

    explicit session(limits l = {}) : limits_{l}, framer_{l} {}

    /// Takes the bytes of exactly one command, CRLF included; whatever would be two to tor, or too long for it, fails
    /// with errc::invalid_argument and is not sent. Its outcome comes out of next(), once, unless it is abandoned.
    /// Tickets rise.
    ticket submit(secret bytes, time_point deadline);
    /// Nobody waits for this one any more: nothing of it comes out of next(). Harmless where something has already.
    void abandon(ticket t);
    /// Bytes from tor. An error ends the session: what was complete comes out of next(), then everything pending fails
    /// with the error.
    result<void> feed(std::string_view bytes);
    /// The oldest outcome or event. Take them all after each call: nothing else bounds how many wait.
    std::optional<output_item> next();

    /// What is to be written; valid until the next submit() or consume_output(), empty once the session is closed.
    std::string_view output() const { return output_.text(); }
    /// What was taken of it, written or copied; it is wiped.
    void consume_output(std::size_t size) { output_.consume(size); }

    /// Fails what should have been answered by now.
    void expire(time_point now);
    /// The earliest deadline of what somebody waits for.
    std::optional<time_point> next_deadline() const;
    /// Everything pending, and everything submitted later, fails with `why`. What is not written never will be.
    void disconnect(const error& why);
    bool closed() const { return ended_.has_value(); }
    /// Commands that tor has not answered, abandoned and expired ones included.
    std::size_t pending() const { return waiting_.size(); }

  private:
    struct slot {
        session::ticket ticket;
        time_point deadline;
        bool abandoned = false;
    };
    result<void> admit(std::string_view command) const;
    result<void> route_all(std::string_view bytes);
    result<void> route(reply r);
    slot* find(ticket t);
    void forget_deadline(const slot& s) { deadlines_.erase({s.deadline, s.ticket}); }

    limits limits_;
    framer framer_;
    std::deque<slot> waiting_;  // in the order of the commands, and so of their tickets
    std::set<std::pair<time_point, ticket>> deadlines_;
    std::deque<output_item> ready_;
    wiped_buffer output_;
    ticket last_ = 0;
    std::optional<error> ended_;
};

}  // namespace bento::control
