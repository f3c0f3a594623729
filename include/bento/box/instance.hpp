// One running function: its sandboxed process, what it has sent and nobody has read yet, and its end.
#pragma once

#include <bento/base/uuid4.hpp>
#include <bento/box/options.hpp>
#include <bento/net/child.hpp>
#include <bento/net/condition.hpp>
#include <bento/net/stream.hpp>
#include <deque>
#include <memory>
#include <set>
#include <variant>

namespace bento::box {

/// What every start needs and is made once.
struct launcher {
    box::options options;
    sandbox::runtime runtime;
    net::unique_fd filter;  ///< the system call filter, in a memfd
};

class instance : public std::enable_shared_from_this<instance> {
  public:
    /// Sent and unread: then the function waits in `api.send`, so that a fast one costs no memory here.
    static constexpr std::size_t unread_limit = 1 << 20;

    // A message is begin, data until `size` bytes have come, end. One reader takes a message whole.
    struct message_begin {
        std::uint32_t size;
    };
    struct message_data {
        std::string bytes;
    };
    struct message_end {};
    struct failure {
        std::string text;
    };
    using item = std::variant<message_begin, message_data, message_end, failure>;

    /// Starts the function. sandbox::errc. It runs until it ends, or its time does, or the last handle is dropped.
    static result<std::shared_ptr<instance>> start(asio::any_io_executor executor, const launcher& with, uuid4 id,
                                                   std::string code, std::string call);
    ~instance();

    const uuid4& id() const { return id_; }
    /// The next item, if one is there. `reader` names who asks: while it is within a message, nobody else gets a part.
    std::optional<item> take(const void* reader);
    /// Somebody stopped reading within a message: what is left of it is dropped.
    void release(const void* reader);
    /// Ended, and everything it sent has been taken.
    bool exhausted() const { return ended_ && unread_.empty(); }
    bool ended() const { return ended_; }
    time_point ended_at() const { return ended_at_; }
    /// One message for `api.recv`. False where the function has ended or does not read what it is sent.
    bool input(std::string data);
    /// Ends it now; what nobody has taken is dropped.
    void kill();
    bool open() const { return !watchers_.empty(); }
    std::uint64_t unread() const { return unread_bytes_; }
    /// What the sandbox said where it could not be made; empty otherwise.
    const std::string& complaint() const { return complaint_; }

    /// Notified with every change, until removed.
    void watch(net::condition* c) { watchers_.insert(c); }
    void unwatch(net::condition* c) { watchers_.erase(c); }

  private:
    instance(asio::any_io_executor executor, uuid4 id);
    static asio::awaitable<void> run(std::shared_ptr<instance> self, std::string first, box::options limits);
    asio::awaitable<void> read_messages(std::uint64_t limit, time_point deadline);
    static asio::awaitable<void> write_inputs(std::shared_ptr<instance> self, std::string first);
    void push(item i);
    void changed();

    uuid4 id_;
    net::child process_;
    net::stream messages_;
    net::stream complaints_;  // stderr of the helper and bubblewrap
    std::deque<item> unread_;
    std::size_t unread_bytes_ = 0;
    const void* within_ = nullptr;
    std::deque<std::string> inputs_;
    std::size_t input_bytes_ = 0;
    net::condition room_;  // somebody took something
    net::condition has_input_;
    std::set<net::condition*> watchers_;
    std::string complaint_;
    bool ended_ = false;
    bool failed_ = false;  // the function said so itself
    bool killed_ = false;
    time_point ended_at_{};
};

}  // namespace bento::box
