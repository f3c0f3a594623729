// What a benchmark reports: a row for each task, as a line of JSON on stdout. Talk goes to stderr.
#pragma once

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace bento::bench {

/// The targets: so many times as good as the peer; no less than this where more is better, no more where less is.
struct ratio {
    double times;
};
struct limit {
    double value;
};

struct row {
    std::string task;
    double ours = 0;
    /// "/s" and "B/s", of which more is better; "s" and "B", of which less is.
    std::string unit;
    std::optional<double> peer;
    std::string peer_name;
    std::variant<std::monostate, ratio, limit> target = {};
};

inline void report(const row& r) {
    boost::json::object o{{"task", r.task}, {"ours", r.ours}, {"unit", r.unit}, {"peer_name", r.peer_name}};
    if (r.peer) o["peer"] = *r.peer;
    if (const auto* least = std::get_if<ratio>(&r.target)) o["ratio"] = least->times;
    if (const auto* bound = std::get_if<limit>(&r.target)) o["limit"] = bound->value;
    std::puts(boost::json::serialize(o).c_str());
    std::fflush(stdout);
}

inline double median(std::vector<double> of) {
    std::sort(of.begin(), of.end());
    return of[of.size() / 2];
}

/// Of what the processor alone decides: whatever disturbs it makes it slower.
inline double best(const std::vector<double>& of) { return *std::max_element(of.begin(), of.end()); }

/// Seconds that `work` takes.
template <class Work>
double seconds(Work&& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct pair {
    double ours = 0, peer = 0;
};
/// The round whose ratio is the median: what makes the machine slower for a while does so to both of a round.
inline pair median_round(std::vector<pair> rounds) {
    std::sort(rounds.begin(), rounds.end(),
              [](const pair& a, const pair& b) { return a.ours / a.peer < b.ours / b.peer; });
    return rounds[rounds.size() / 2];
}
/// Both, turn by turn; the median_round().
template <class Ours, class Peer>
pair side_by_side(unsigned rounds, Ours&& ours, Peer&& peer) {
    std::vector<pair> all;
    for (unsigned i = 0; i < rounds; ++i) {
        const auto first = ours();
        all.push_back({first, peer()});
    }
    return median_round(std::move(all));
}

}  // namespace bento::bench
