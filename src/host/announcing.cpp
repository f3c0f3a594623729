#include "announcing.hpp"

#include <algorithm>
#include <bento/net/errc.hpp>
#include <random>

namespace bento::host {
namespace {

/// Tokens that are looked up at each directory: a batch is taken whole or not at all.
constexpr std::size_t samples = 3;

/// Some tokens of which this directory is to have an entry.
std::vector<uuid4> some_tokens(const registrations& r, const std::string& directory) {
    std::vector<uuid4> all, out;
    for (const auto& [token, one] : r.journal()) {
        const auto there = one.at.find(directory);
        const bool is_refused = there != one.at.end() && !there->second.refused.empty();
        if (!one.ended && !is_refused) all.push_back(token);
    }
    std::sample(all.begin(), all.end(), std::back_inserter(out), samples, std::mt19937{std::random_device{}()});
    return out;
}

/// Why this answer does not say that the token is at the onion.
std::optional<error> doubt(const entry::answer& answer, const onion::address& onion) {
    if (const auto* failed = std::get_if<error>(&answer.says)) return *failed;
    const auto* e = std::get_if<entry::entry>(&answer.says);
    if (e == nullptr) return error{lookup::errc::unknown_token};
    if (auto held = entry::verify(*e); !held) return held.error();
    if (e->onion != onion) return error{entry::errc::older, "it shows the onion before"};
    return {};
}

}  // namespace

asio::awaitable<rotator::failures> announce(registrations& r, onion::address onion, std::vector<std::string> names,
                                            bool ask_first, time_point deadline) {
    rotator::failures out;
    const auto moved = co_await r.move(std::move(onion), ask_first, deadline);
    for (const auto& s : r.standings()) {
        if (std::find(names.begin(), names.end(), s.directory) == names.end()) continue;
        if (!moved)
            out.emplace(s.directory, moved.error());
        else if (s.lacking > 0)
            out.emplace(s.directory, s.failed.value_or(error{net::errc::timed_out}));
    }
    co_return out;
}

asio::awaitable<rotator::failures> compare(hidden_service& through, const registrations& r,
                                           std::vector<lookup::address> all, onion::address onion,
                                           std::vector<std::string> names, time_point deadline) {
    rotator::failures out;
    for (const auto& where : all) {
        const auto name = where.str();
        if (std::find(names.begin(), names.end(), name) == names.end()) continue;
        const auto tokens = some_tokens(r, name);
        if (tokens.empty()) continue;
        const auto socks = co_await through.socks(deadline);
        if (!socks) {
            out.emplace(name, socks.error());
            continue;
        }
        // On a circuit of its own: a directory that knew who asks could answer us alone as it should.
        auto road = where.road(*socks, {"bentoctl-verify", uuid4::generate().str()});
        lookup::directory directory{where, std::move(road)};
        for (const auto& token : tokens) {
            const auto answer = co_await directory.find(token, deadline);
            const auto why = doubt(answer, onion);
            if (!why) continue;
            out.emplace(name, *why);
            break;
        }
    }
    co_return out;
}

}  // namespace bento::host
