// One running function: its sandboxed process, what it has sent and nobody has read yet, and its end.
#pragma once

#include <bento/base/uuid4.hpp>
#include <bento/box/control_groups.hpp>
#include <bento/box/options.hpp>
#include <bento/net/child.hpp>
#include <bento/net/condition.hpp>
#include <bento/net/stream.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

namespace bento::box {

/// What every start needs and is made once.
struct launcher {
    box::options options;
    sandbox::runtime runtime;
    net::unique_fd filter;  ///< the system call filter, in a memfd
    control_groups groups;
};

class instance : public std::enable_shared_from_this<instance> {
  public:
    /// Sent and unread, with the cost of keeping it: then the function waits in `api.send`, so that a fast one costs no
    /// memory here. A message up to this size is read whole before anybody hears of it.
    static constexpr std::size_t unread_limit = 1 << 20;
    /// Inputs that the function has not read, with the cost of keeping them.
    static constexpr std::size_t input_limit = std::size_t{16} << 20;

    /// A message of the function, or a part of one that is larger than unread_limit.
    struct output {
        std::string bytes;
        std::optional<std::uint32_t> begins;  ///< set on the first part: the size of the whole message
        bool ends = true;
    };
    /// The function's own error, or ours about it.
    struct failure {
        std::string text;
    };
    using item = std::variant<output, failure>;

    /// Makes a sandbox that waits for its function. sandbox::errc. It lives until the last handle is dropped.
    static result<std::shared_ptr<instance>> prepare(asio::any_io_executor executor, const launcher& with);
    /// Starts the function in it, once; it runs until it ends, or its time does.
    void begin(uuid4 id, std::string code, std::string call);
    ~instance();

    const uuid4& id() const { return *id_; }
    /// Python waits for its function: begin() costs no start any more.
    bool ready() const { return ready_; }

    /// Readers stand in line: the first one gets what the function sends, the next one when the first has left. All of
    /// them are notified with every change. One that leaves within a message loses the rest of it.
    void join(net::condition* reader);
    void leave(net::condition* reader);
    bool attended() const { return !readers_.empty(); }
    /// When the last reader left, or the function began.
    time_point attended_at() const { return attended_at_; }

    /// The next item, if one is there and it is this reader's turn.
    std::optional<item> take(net::condition* reader);
    bool ended() const { return ended_; }
    time_point ended_at() const { return ended_at_; }
    /// Ended, and everything it sent has been taken.
    bool exhausted() const { return ended_ && unread_.empty(); }
    std::size_t unread() const { return unread_size_; }

    /// One message for `api.recv`. False where the function has ended or does not read what it is sent.
    bool input(std::string data);
    /// Ends it now; what nobody has taken is dropped. `why` is told to who reads.
    void kill(std::string why);
    /// Processor time of all its processes; nothing where no control group counts it.
    std::optional<std::chrono::microseconds> cpu() const { return group_.cpu(); }
    /// What the sandbox said where it could not be made; empty otherwise.
    const std::string& complaint() const { return complaint_; }

  private:
    enum class end { closed, cut, told, misbehaved };

    explicit instance(asio::any_io_executor executor);
    static asio::awaitable<void> run(std::shared_ptr<instance> self);
    asio::awaitable<end> read_messages();
    asio::awaitable<bool> read_output(std::uint32_t size);
    static asio::awaitable<void> write_inputs(std::shared_ptr<instance> self, std::string first);
    asio::awaitable<void> tell_deaf();
    void push(item i);
    void changed();
    void drop_cut_message();
    void stop_processes();
    std::string reason(const net::exit_status& status) const;

    std::optional<uuid4> id_;
    std::uint64_t output_limit_ = 0;
    std::chrono::milliseconds wall_{};
    net::child process_;
    control_group group_;
    net::stream messages_;
    net::stream complaints_;  // stderr of the helper and bubblewrap
    std::vector<char> buffer_;

    std::deque<item> unread_;
    std::size_t unread_size_ = 0;
    std::vector<net::condition*> readers_;
    bool within_ = false;    // the first reader has got a part of a message
    bool dropping_ = false;  // ... and left
    std::deque<std::string> inputs_;
    std::size_t input_size_ = 0;
    net::condition room_;  // somebody took something
    net::condition has_input_;
    std::string complaint_;
    std::string killed_;  // why
    bool ready_ = false;
    bool deaf_ = false;  // an input did not reach it
    bool ended_ = false;
    time_point deadline_ = time_point::max();
    time_point ended_at_{}, attended_at_{};
};

}  // namespace bento::box
