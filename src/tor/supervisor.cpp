#include <sys/stat.h>

#include <algorithm>
#include <bento/tor/supervisor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace bento::tor {

namespace {

std::optional<supervisor::file_identity> identity_of(const std::filesystem::path& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return {};
    return supervisor::file_identity{info.st_ino, info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
}

}  // namespace

backoff::milliseconds backoff::next(std::uint32_t random) {
    auto whole = first;
    for (unsigned i = 0; i < failures_ && whole < most; ++i)
        whole *= 2;
    whole = std::min(whole, most);
    ++failures_;
    const auto half = whole / 2;
    return half + milliseconds{half.count() * random / 0x1'0000'0000};
}

void supervisor::change(phase to) {
    status_.is = to;
    status_.failures = backoff_.failures();
    if (changed_) changed_(status_);
}

void supervisor::watch(std::filesystem::path file) {
    seen_ = identity_of(file);
    watched_ = std::move(file);
}

task<void> supervisor::connect(time_point deadline) {
    change(phase::connecting);
    if (watched_) seen_ = identity_of(*watched_);  // whatever comes later is new
    auto dialled = co_await dial_(deadline);
    if (!dialled) co_return dialled.error();
    change(phase::preparing);
    auto prepared = co_await prepare_(*dialled);
    if (!prepared) {
        dialled->close();  // others hold it, too, and tor keeps what was added on it
        co_return prepared.error();
    }
    current_ = std::move(*dialled);
    connected_at_ = clock::now();
    status_.last_failure.reset();
    change(phase::connected);
    co_return result<void>{};
}

asio::awaitable<void> supervisor::wait_until(time_point then) {
    asio::steady_timer timer{co_await asio::this_coro::executor};
    while (clock::now() < then) {
        timer.expires_at(watched_ ? std::min(then, clock::now() + watch_interval) : then);
        co_await timer.async_wait(asio::use_awaitable);
        if (!watched_) continue;
        const auto now = identity_of(*watched_);
        if (now && now != seen_) co_return;
    }
}

asio::awaitable<void> supervisor::run() {
    for (;;) {
        if (!current_.connected())
            if (auto connected = co_await connect(clock::now() + attempt_limit); !connected)
                status_.last_failure = connected.error();
        if (current_.connected()) {
            status_.last_failure = co_await current_.closed();
            current_ = {};
            if (clock::now() - connected_at_ >= stable_after) backoff_.reset();
        }
        std::uint32_t random = 0;
        system_random()({reinterpret_cast<std::uint8_t*>(&random), sizeof random});
        const auto pause = backoff_.next(random);
        status_.next_attempt = clock::now() + pause;
        change(phase::waiting);
        co_await wait_until(status_.next_attempt);
    }
}

}  // namespace bento::tor
