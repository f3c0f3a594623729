// Keeps a control connection alive: connects, sets everything up again, waits for its end, and tries again with a
// capped and jittered backoff, for ever.
#pragma once

#include <bento/base/random.hpp>
#include <bento/tor/controller.hpp>
#include <functional>
#include <random>

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

    enum class phase { connecting, connected, waiting };
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
    /// Watches the connection and makes new ones, until cancelled. An attempt may take `attempt_limit`.
    asio::awaitable<void> run();
    /// The connection of this moment; nothing where there is none.
    const controller& current() const { return current_; }

    static constexpr std::chrono::seconds attempt_limit{120};

  private:
    void change(phase to);

    dialer dial_;
    preparer prepare_;
    std::function<void(const status&)> changed_;
    controller current_;
    status status_;
    backoff backoff_;
};

}  // namespace bento::tor
