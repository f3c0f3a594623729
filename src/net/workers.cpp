#include <sched.h>

#include <bento/net/workers.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace bento::net {

struct workers::state {
    struct job {
        std::function<void()> work, done;
    };
    using queue = std::deque<job>;

    explicit state(options o) : limits{o} {
        for (std::size_t i = 0; i < o.threads; ++i)
            threads.emplace_back([this] {
                if (limits.yields) run_in_the_background();
                work(jobs);
            });
        if (o.yields) threads.emplace_back([this] { work(lone); });
    }
    ~state() {
        queue dropped, dropped_lone;
        {
            const std::lock_guard hold{mutex};
            stopped = true;
            dropped.swap(jobs);
            dropped_lone.swap(lone);
        }
        changed.notify_all();
        for (auto& t : threads)
            t.join();
    }

    /// The calling thread alone. It is never refused, and for good: to take it back needs privileges, which is why a
    /// job runs on one thread or another. At the lowest priority (nice 19), look-ups lost half of their rate to it.
    static void run_in_the_background() {
        const sched_param none{};
        ::sched_setscheduler(0, SCHED_IDLE, &none);
    }

    void work(queue& from) {
        std::unique_lock hold{mutex};
        for (;;) {
            changed.wait(hold, [&] {
                const bool is_turn = &from == &lone || lone.empty();
                return stopped || (!from.empty() && is_turn && running < limits.threads);
            });
            if (stopped) return;
            auto now = std::make_optional(std::move(from.front()));
            from.pop_front();
            ++running;
            hold.unlock();
            now->work();
            hold.lock();
            --running;
            hold.unlock();
            changed.notify_all();
            now->done();
            now.reset();  // and what it holds, while nobody waits for the mutex
            hold.lock();
        }
    }

    bool submit(job next) {
        const std::lock_guard hold{mutex};
        if (is_lone())
            lone.push_back(std::move(next));
        else if (jobs.size() < limits.waiting)
            jobs.push_back(std::move(next));
        else
            return false;
        changed.notify_all();
        return true;
    }

    bool full() {
        const std::lock_guard hold{mutex};
        return !is_lone() && jobs.size() >= limits.waiting;
    }

    bool is_lone() const { return limits.yields && running == 0 && jobs.empty() && lone.empty(); }

    options limits;
    std::mutex mutex;
    std::condition_variable changed;
    queue jobs;
    queue lone;  ///< where jobs yield: a job that found no other, which does not
    std::size_t running = 0;
    bool stopped = false;
    std::vector<std::thread> threads;
};

workers::workers(options o) : state_{std::make_unique<state>(o)} {}
workers::workers(workers&&) noexcept = default;
workers& workers::operator=(workers&&) noexcept = default;
workers::~workers() = default;

bool workers::submit(std::function<void()> work, std::function<void()> done) {
    return state_->submit({std::move(work), std::move(done)});
}

bool workers::full() const { return state_->full(); }

}  // namespace bento::net
