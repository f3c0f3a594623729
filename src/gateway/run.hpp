// A running function as the gateway holds it: the one connection to the server that reads it, and what it has sent.
//
// What it sends is a log of numbered messages, from 1. A message counts as delivered when a client's connection took it
// whole; it stays as long as there is room, so that a client whose connection broke can ask for it again. Undelivered
// messages are never dropped: when they fill the log, reading stops and the function waits in `api.send`.
#pragma once

#include <bento/client/bento_connection.hpp>
#include <bento/net/condition.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace bento::gateway {

class reader;

/// What runs keep beyond kept_limit, together. A server that drops what nobody has read when the function ends is read
/// ahead of the clients.
struct reserve {
    static constexpr std::size_t each_limit = std::size_t{16} << 20;
    static constexpr std::size_t limit = std::size_t{128} << 20;
    std::size_t used = 0;
};

class run : public std::enable_shared_from_this<run> {
  public:
    /// Of the log, the pieces' own cost included: many runs fit, and a circuit of Tor has less than this under way.
    static constexpr std::size_t kept_limit = 1 << 20;
    /// A message up to this size is one piece.
    static constexpr std::size_t piece_size = 64 * 1024;
    /// Inputs that the server has not taken.
    static constexpr std::size_t input_limit = 4 << 20;

    struct options {
        endpoint server;
        uuid4 token;
        std::string call;
        client::bento_connection connected;  ///< to the server; one is made where this is empty
        std::shared_ptr<reserve> ahead;      ///< unset: the server keeps what we do not read
        /// Called when it runs, and when it is over.
        std::function<void(const std::shared_ptr<run>&)> tell;
    };

    /// Executes and opens the function, whether or not somebody waits for it.
    static std::shared_ptr<run> start(asio::any_io_executor executor, options o, time_point deadline);
    ~run();

    /// Returns when the function runs, with its id, or with the server's error: client::errc, net::errc, wire::errc.
    /// net::errc::timed_out at the deadline, it may still start then.
    task<uuid4> started(time_point deadline);
    const std::optional<uuid4>& id() const { return id_; }
    const endpoint& server() const { return with_.server; }
    const uuid4& token() const { return with_.token; }
    const std::string& call() const { return with_.call; }
    /// Over: it has ended, or never ran, or the server has gone.
    bool over() const { return phase_ == phase::over; }
    /// Nothing runs: it is over, and the server had refused it or was never asked.
    bool never_ran() const { return over() && !asked_; }
    /// Over because the server went away, not because it ended.
    bool lost() const { return lost_; }
    /// Over, and all that it sent was delivered.
    bool exhausted() const { return over() && delivered_ >= base_ + log_.size(); }
    /// What it failed with, its own words.
    const std::optional<std::string>& failure() const { return failure_; }
    std::size_t kept() const { return kept_; }
    bool is_read() const { return reader_ != nullptr; }
    time_point last_used() const { return last_used_; }
    void use() { last_used_ = clock::now(); }

    /// Where a reader begins that has had so many messages; unset, at the first that is not delivered. Nothing where
    /// what it wants is not kept any more, or was never sent.
    std::optional<std::uint64_t> place_after(std::optional<std::uint64_t> messages) const;

    /// One message for `api.recv`. False where it is over; wait for changes where has_room_for_input() is false.
    bool input(std::string data);
    bool has_room_for_input() const { return input_bytes_ < input_limit; }
    /// True once after the server said that the function does not read its input.
    bool take_input_refused() { return std::exchange(input_refused_, false); }
    /// Reads no more; the function itself is not ended.
    void stop();
    /// Of a run that tells that it is over: its connection, good for the next where it is idle(). It is closed after
    /// that.
    client::bento_connection take_connection() { return std::exchange(server_, {}); }

    /// Notified with every change, until removed.
    void watch(net::condition* c) { watchers_.insert(c); }
    void unwatch(net::condition* c) { watchers_.erase(c); }

  private:
    friend class reader;
    enum class phase { starting, running, over };
    struct piece {
        std::uint64_t message;
        std::uint64_t size;  ///< of the message
        bool is_failure;
        bool first, last;  ///< of the message
        std::string bytes;
    };

    run(asio::any_io_executor executor, options o);
    static asio::awaitable<void> pump(std::shared_ptr<run> self, time_point deadline);
    task<void> begin(time_point deadline);
    task<void> read_messages();
    static asio::awaitable<void> write_inputs(std::shared_ptr<run> self);
    void push(bool is_failure, std::uint64_t size, std::string bytes, bool last);
    void trim();
    bool full() const;
    void account();
    void changed();

    asio::any_io_executor executor_;
    options with_;
    std::optional<uuid4> id_;
    client::bento_connection server_;
    phase phase_ = phase::starting;
    bool stopped_ = false;
    bool asked_ = false;
    bool lost_ = false;
    std::optional<error> refused_;  ///< why it did not start
    std::optional<std::string> failure_;

    std::deque<piece> log_;
    std::uint64_t base_ = 0;       ///< the place of log_.front(); places count pieces, from 0
    std::uint64_t delivered_ = 0;  ///< the place up to which all is delivered
    std::uint64_t messages_ = 0;   ///< begun
    std::size_t kept_ = 0;
    std::size_t limit_ = kept_limit;
    std::size_t drawn_ = 0;  ///< of the reserve
    bool within_message_ = false;

    std::deque<std::string> inputs_;
    std::size_t input_bytes_ = 0;
    bool writes_inputs_ = false;
    bool input_refused_ = false;

    reader* reader_ = nullptr;
    time_point last_used_ = clock::now();
    net::condition wake_;  ///< of pump()
    std::set<net::condition*> watchers_;
};

/// Has a condition notified with every change of a run, while it lives.
class watching {
  public:
    watching(std::shared_ptr<run> of, net::condition& what) : of_{std::move(of)}, what_{what} { of_->watch(&what_); }
    watching(const watching&) = delete;
    watching& operator=(const watching&) = delete;
    ~watching() { of_->unwatch(&what_); }

  private:
    std::shared_ptr<run> of_;
    net::condition& what_;
};

/// Reads one run from a place on. A run has one reader: a new one takes it over, since the connection of the one before
/// may be broken without anybody having noticed.
class reader {
  public:
    struct item {
        enum class kind { output, failure, over, taken_over } is;
        std::string_view bytes = {};  ///< a piece of a message; until the next call
        std::uint64_t size = 0;       ///< of the message
        bool first = true, last = true;
    };
    /// Whether what was read counts as delivered when the next is asked for, or only with commit(). A reader that holds
    /// back makes the log as large as it needs, up to `limit`.
    struct hold {
        std::size_t limit;
    };

    /// From a place that place_after() gave on. What stands before it is delivered.
    reader(std::shared_ptr<run> of, std::uint64_t place, std::optional<hold> h = {});
    reader(const reader&) = delete;
    reader& operator=(const reader&) = delete;
    ~reader();

    /// How many messages stand before the next.
    std::uint64_t messages_before() const;
    std::optional<item> try_next();
    /// Nothing at the deadline. What was given before is delivered now.
    asio::awaitable<std::optional<item>> next(time_point deadline);
    /// What was given is delivered.
    void commit();
    net::condition& wake() { return wake_; }

  private:
    friend class run;
    void advance();

    std::shared_ptr<run> of_;
    std::optional<hold> hold_;
    std::uint64_t from_;
    std::uint64_t at_;    ///< the place of the piece that was given, or of the next
    bool given_ = false;  ///< the piece at at_ was
    net::condition wake_;
};

}  // namespace bento::gateway
