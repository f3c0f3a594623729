#include <sched.h>

#include <bento/net/workers.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace bento::net {

struct workers::state {
    explicit state(options o) : limits{o} {
        for (std::size_t i = 0; i < o.threads; ++i)
            threads.emplace_back([this] { work(); });
    }
    ~state() {
        std::deque<std::function<void()>> dropped;
        {
            const std::lock_guard hold{mutex};
            stopped = true;
            dropped.swap(jobs);
        }
        changed.notify_all();
        for (auto& t : threads)
            t.join();
    }

    void work() {
        if (limits.background) {
            // Of the calling thread alone, and never refused. At the lowest priority alone (nice 19), look-ups lost
            // half of their rate to it.
            const sched_param none{};
            ::sched_setscheduler(0, SCHED_IDLE, &none);
        }
        std::unique_lock hold{mutex};
        for (;;) {
            changed.wait(hold, [&] { return stopped || !jobs.empty(); });
            if (stopped) return;
            auto job = std::move(jobs.front());
            jobs.pop_front();
            hold.unlock();
            job();
            job = nullptr;
            hold.lock();
        }
    }

    options limits;
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::function<void()>> jobs;
    bool stopped = false;
    std::vector<std::thread> threads;
};

workers::workers(options o) : state_{std::make_unique<state>(o)} {}
workers::workers(workers&&) noexcept = default;
workers& workers::operator=(workers&&) noexcept = default;
workers::~workers() = default;

bool workers::submit(std::function<void()> job) {
    {
        const std::lock_guard hold{state_->mutex};
        if (state_->jobs.size() >= state_->limits.waiting) return false;
        state_->jobs.push_back(std::move(job));
    }
    state_->changed.notify_one();
    return true;
}

}  // namespace bento::net
