// Coroutines of one thread wait for something to change; whoever changes it notifies them all.
#pragma once

#include <bento/net/asio.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <set>

namespace bento::net {

/// As with std::condition_variable, the waiter looks at the state itself, before and after. Must outlive its waiters.
class condition {
  public:
    explicit condition(asio::any_io_executor executor) : executor_{std::move(executor)} {}

    void notify_all() {
        for (auto* w : waiting_) {
            w->notified = true;
            w->timer.cancel();
        }
    }

    /// True when notified, false at the deadline. Cancelled, it throws boost::system::system_error (operation_aborted).
    asio::awaitable<bool> wait(time_point deadline = time_point::max()) {
        waiter w{asio::steady_timer{executor_, deadline}};
        const enrolment here{*this, w};
        const auto [code] = co_await w.timer.async_wait(asio::as_tuple(asio::use_awaitable));
        if (code && !w.notified) throw boost::system::system_error{code};
        co_return w.notified;
    }

  private:
    struct waiter {
        asio::steady_timer timer;
        bool notified = false;
    };
    struct enrolment {
        enrolment(condition& c, waiter& w) : in{c}, who{w} { in.waiting_.insert(&who); }
        enrolment(const enrolment&) = delete;
        enrolment& operator=(const enrolment&) = delete;
        ~enrolment() { in.waiting_.erase(&who); }
        condition& in;
        waiter& who;
    };

    asio::any_io_executor executor_;
    std::set<waiter*> waiting_;
};

}  // namespace bento::net
