// How often a wrong password may be tried for one account, so that nobody guesses on. Pure.
#pragma once

#include <bento/directory/directory.hpp>
#include <bento/net/asio.hpp>
#include <string>
#include <unordered_map>

namespace bento::directory {

class attempts {
  public:
    /// Accounts that are remembered; at the limit the oldest periods go first.
    static constexpr std::size_t limit = 10'000;

    /// How long the account has to wait before its next attempt; zero: not at all.
    std::chrono::seconds must_wait(const std::string& account, time_point now) const {
        const auto found = counts_.find(account);
        if (found == counts_.end() || found->second.failures < most_attempts) return std::chrono::seconds{0};
        const auto until = found->second.since + attempt_period;
        return until <= now ? std::chrono::seconds{0} : std::chrono::ceil<std::chrono::seconds>(until - now);
    }
    void failed(const std::string& account, time_point now) {
        if (counts_.size() >= limit) forget(now);
        auto& c = counts_[account];
        if (c.failures == 0 || c.since + attempt_period <= now) c = {0, now};
        ++c.failures;
    }
    void succeeded(const std::string& account) { counts_.erase(account); }
    std::size_t size() const { return counts_.size(); }

  private:
    struct count {
        unsigned failures = 0;
        time_point since;
    };
    void forget(time_point now) {
        std::erase_if(counts_, [&](const auto& c) { return c.second.since + attempt_period <= now; });
        if (counts_.size() < limit) return;
        auto oldest = counts_.begin();
        for (auto i = counts_.begin(); i != counts_.end(); ++i)
            if (i->second.since < oldest->second.since) oldest = i;
        counts_.erase(oldest);
    }
    std::unordered_map<std::string, count> counts_;
};

}  // namespace bento::directory
