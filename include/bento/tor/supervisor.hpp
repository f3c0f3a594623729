// Keeps a control connection alive: connects, sets everything up again, waits for its end, and tries again with a
// capped and jittered backoff, for ever.
#pragma once

#include <bento/base/random.hpp>
#include <bento/tor/controller.hpp>
#include <functional>
#include <random>
#include <tuple>

namespace bento::tor {

/// How long to wait before the next attempt: doubles from `first` to `most`, each time a random half to the whole of
/// it, so that many programs do not come back at one moment.
class backoff {
  public:
    using milliseconds = std::chrono::milliseconds;
    static constexpr milliseconds first{500};
    static constexpr milliseconds most{30'000};

    /// `random` is uniform in [0, 2^32).
    milliseconds next(std::uint32_t random);
    void reset() { failures_ = 0; }
    unsigned failures() const { return failures_; }

  private:
    unsigned failures_ = 0;
};

class supervisor {
  public:
    /// A new authenticated connection.
    using dialer = std::function<task<controller>(time_point deadline)>;
    /// What must be true on every connection: subscriptions, onion services. An error ends that connection.
    using preparer = std::function<task<void>(controller)>;

    enum class phase {
        connecting,
        preparing,  ///< connected; subscriptions and onion services are made
        connected,  ///< and all of them are there
        waiting,    ///< for the next attempt
    };
    struct status {
        phase is = phase::connecting;
        unsigned failures = 0;              ///< attempts since it was last connected
        std::optional<error> last_failure;  ///< why it is not connected, or was not
        time_point next_attempt;            ///< phase::waiting
    };

    supervisor(dialer dial, preparer prepare, std::function<void(const status&)> changed)
        : dial_{std::move(dial)}, prepare_{std::move(prepare)}, changed_{std::move(changed)} {}

    /// One attempt: connects and prepares. For a program that wants to end with the error of its first.
    task<void> connect(time_point deadline);
    /// Watches the connection and makes new ones, until cancelled. An attempt may take `attempt_limit`. The backoff
    /// begins anew only after a connection that lasted `stable_after`: a tor that dies at once is not asked in a loop.
    asio::awaitable<void> run();
    /// Tries at once when this file appears or is replaced: tor's control socket, or what ControlPortWriteToFile names.
    void watch(std::filesystem::path file);
    const status& state() const { return status_; }
    /// The connection of this moment; nothing where there is none.
    const controller& current() const { return current_; }

    /// Which file a path means at one moment: inode, seconds and nanoseconds of its last change.
    using file_identity = std::tuple<std::uint64_t, std::int64_t, std::int64_t>;
    static constexpr std::chrono::seconds attempt_limit{120};
    static constexpr std::chrono::seconds stable_after{10};
    /// How often a watched file is looked at.
    static constexpr std::chrono::milliseconds watch_interval{250};

  private:
    void change(phase to);
    asio::awaitable<void> wait_until(time_point then);

    std::optional<std::filesystem::path> watched_;
    std::optional<file_identity> seen_;  // at the last attempt
    time_point connected_at_;
    dialer dial_;
    preparer prepare_;
    std::function<void(const status&)> changed_;
    controller current_;
    status status_;
    backoff backoff_;
};

}  // namespace bento::tor
