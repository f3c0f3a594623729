// Everything that a Bento server holds: stored functions, what runs, what waits to run, what has ended.
#pragma once

#include <bento/box/server.hpp>
#include <deque>
#include <map>
#include <unordered_set>

namespace bento::box {

/// Shared by the connections; stop() ends what it started.
class house : public std::enable_shared_from_this<house> {
  public:
    /// Runs that have ended and told it are remembered by their id, so that who opens one late learns that it is dead.
    static constexpr std::size_t remembered_limit = 65536;
    /// Of all runs that have ended and left something unread, bytes; over it, the oldest go.
    static constexpr std::size_t kept_limit = std::size_t{64} << 20;

    house(asio::any_io_executor executor, launcher l, function_store s);
    /// Fills the pool and begins to look after what runs.
    void start();
    void stop();

    /// errc::unknown_token, damaged, too_many, storage; sandbox::errc.
    result<std::shared_ptr<instance>> execute(const uuid4& token, std::string call);
    /// Running, or with something unread.
    std::shared_ptr<instance> find(const uuid4& id) const;
    bool is_dead(const uuid4& id) const { return dead_.contains(id); }
    /// Somebody has left it: what has ended and is empty is forgotten but for its id.
    void settle(const uuid4& id);

    std::size_t running() const;
    std::vector<run> runs() const;
    result<void> kill(const uuid4& id);
    void kill_all_of(const uuid4& token);

    function_store store;
    const launcher launch;

  private:
    struct record {
        std::shared_ptr<instance> function;
        uuid4 token;
        time_point started;
    };
    static asio::awaitable<void> fill(std::shared_ptr<house> self);
    static asio::awaitable<void> look_after(std::shared_ptr<house> self);
    void sweep();
    void bury(std::map<uuid4, record>::iterator at);
    result<std::shared_ptr<instance>> a_sandbox();

    asio::any_io_executor executor_;
    std::map<uuid4, record> runs_;
    std::deque<std::shared_ptr<instance>> warm_;
    std::shared_ptr<instance> warming_;
    std::deque<uuid4> dead_order_;
    std::unordered_set<uuid4> dead_;
    net::condition wake_;
    bool filling_ = false;
    bool stopped_ = false;
};

}  // namespace bento::box
