// Threads for what computes or blocks: the loop's coroutines hand jobs to them and wait, and no more than so many wait.
#pragma once

#include <bento/net/asio.hpp>
#include <bento/net/errc.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <optional>

namespace bento::net {

class workers {
  public:
    struct options {
        std::size_t threads = 1;
        /// Jobs that wait beside those that run; a further one is errc::busy.
        std::size_t waiting = 64;
        /// A job that finds others before it runs when the processor has nothing better to do (SCHED_IDLE), so that a
        /// flood of them holds up nothing else; one that finds none runs as anything does.
        bool yields = false;
    };

    explicit workers(options o);
    workers(workers&&) noexcept;
    workers& operator=(workers&&) noexcept;
    /// Waits for the jobs that run; those that wait are dropped, and so are their coroutines.
    ~workers();

    /// Runs `job()`, which returns a result and must not touch what the loop uses. Not cancellable: a job that was
    /// begun is waited for. What it throws is thrown here.
    template <class Job>
    asio::awaitable<std::invoke_result_t<Job>> run(Job job) {
        struct shared {
            Job work;
            std::optional<std::invoke_result_t<Job>> out;
            std::exception_ptr thrown;
        };
        const auto s = std::make_shared<shared>(shared{std::move(job), {}, {}});
        bool accepted = false;
        const auto begin = [this, s, &accepted](auto handler) {
            const auto executor = asio::get_associated_executor(handler);
            auto guard = asio::make_work_guard(executor);
            const auto h = std::make_shared<decltype(handler)>(std::move(handler));
            const auto g = std::make_shared<decltype(guard)>(std::move(guard));
            // The guard goes with the handler: when it has run, the loop may be gone.
            const auto done = [h, g, executor] {
                asio::post(executor,
                           [handler = std::move(*h), held = std::move(*g)]() mutable { std::move(handler)(); });
            };
            const auto work = [s] {
                try {
                    s->out.emplace(s->work());
                } catch (...) {
                    s->thrown = std::current_exception();
                }
            };
            accepted = submit(work, done);
            if (!accepted) done();
        };
        co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(begin, asio::use_awaitable);
        if (!accepted) co_return errc::busy;
        if (s->thrown) std::rethrow_exception(s->thrown);
        co_return std::move(*s->out);
    }

    /// As many jobs wait as may: a further one would be errc::busy at this moment.
    bool full() const;

  private:
    /// False where too many wait. `done` is called when the job is one of those that run no more.
    bool submit(std::function<void()> work, std::function<void()> done);

    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace bento::net
