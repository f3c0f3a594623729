// All functions that a gateway holds: found by their ids and by the requests that began them, ended when nobody wants
// them any more.
#pragma once

#include <bento/gateway/errc.hpp>
#include <bento/gateway/gateway.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <unordered_map>

#include "request.hpp"
#include "run.hpp"

namespace bento::gateway {

class runs : public std::enable_shared_from_this<runs> {
  public:
    /// How long a client can send a request again.
    static constexpr std::chrono::minutes request_memory{10};
    /// How long a run goes on whose id no client has learned: nobody can read it any more.
    static constexpr std::chrono::minutes unreachable_limit{1};
    /// Runs that are over and are kept for who comes late; and what all of these may hold.
    static constexpr std::size_t remembered_limit = 4096;
    static constexpr std::size_t remembered_bytes = std::size_t{64} << 20;
    /// Requests that wait for their turn to start a function; and how long.
    static constexpr std::size_t queue_limit = 256;
    static constexpr std::chrono::seconds queue_time{10};

    /// Connections to the server that are kept for the next calls.
    static constexpr std::size_t idle_limit = 8;

    struct begun {
        std::shared_ptr<run> of;
        bool again = false;  ///< the request came before
    };

    explicit runs(std::shared_ptr<const options> o) : options_{std::move(o)} {}
    ~runs();
    void configure(std::shared_ptr<const options> o);

    /// The run of a request: a new one, or the one that the same request began before. Waits for its turn. errc::busy,
    /// request_differs; else it starts, see run::started().
    task<begun> start(const call_request& request, time_point deadline);
    /// errc::unknown_function.
    result<std::shared_ptr<run>> find(const uuid4& id) const;
    /// A client has learned the run's id and may come back.
    void told(const uuid4& id);
    /// Ends the function for good. errc::cannot_end, unknown_function.
    result<void> end(const uuid4& id);
    /// Ends it where that can be done, and reads it no more: nobody will come back.
    void abandon(const uuid4& id);
    /// Runs that are not over.
    std::size_t live() const { return live_; }

  private:
    struct kept {
        std::shared_ptr<run> of;
        std::optional<uuid4> request;
        bool told = false;
    };
    struct asked {
        std::shared_ptr<run> of;
        time_point since;
    };
    struct idle_connection {
        client::bento_connection to;
        time_point since;
    };
    using runs_by_id = std::unordered_map<uuid4, kept>;

    task<void> wait_for_turn(time_point deadline);
    result<std::optional<begun>> same_request(const call_request& request) const;
    void changed(const std::shared_ptr<run>& r, const std::optional<uuid4>& request);
    client::bento_connection take_idle();
    void keep_idle(client::bento_connection connection);
    void tidy();
    void tidy_later(const asio::any_io_executor& executor);
    runs_by_id::iterator drop(runs_by_id::iterator i);

    std::shared_ptr<const options> options_;
    runs_by_id by_id_;
    std::unordered_map<uuid4, asked> by_request_;
    std::vector<idle_connection> idle_;  ///< the oldest first
    std::shared_ptr<reserve> reserve_ = std::make_shared<reserve>();
    std::size_t live_ = 0;
    std::size_t starting_ = 0;
    std::size_t waiting_ = 0;
    std::optional<net::condition> turn_;
    std::optional<asio::steady_timer> timer_;
};

}  // namespace bento::gateway
