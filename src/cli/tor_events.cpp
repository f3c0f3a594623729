// bentoctl tor events, circuits, streams: what happens in tor, and what is there now.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <bento/base/errc.hpp>

#include "options.hpp"
#include "tor_verbs.hpp"

namespace bento::cli {
namespace {

namespace json = boost::json;

struct events_options {
    std::vector<std::string> names;
    std::vector<std::string> where;
    std::size_t count = 0;
    std::chrono::milliseconds duration{0};
};

/// `KEY=VALUE`, each of which an event must have; a list, where it has the value as one of its items.
bool matches(const json::object& event, const std::vector<std::string>& where) {
    return std::all_of(where.begin(), where.end(), [&](const std::string& one) {
        const auto equals = one.find('=');
        const auto* found = event.if_contains(one.substr(0, equals));
        if (found == nullptr) return false;
        const auto wanted = one.substr(equals + 1);
        const auto is = [&](const json::value& v) {
            return v.is_string() ? v.get_string() == wanted : json::serialize(v) == wanted;
        };
        if (found->is_array()) return std::any_of(found->get_array().begin(), found->get_array().end(), is);
        return is(*found);
    });
}

/// All that this tor has, without the two that tell every step of it.
task<std::vector<std::string>> all_names(control_session& s) {
    control::get_info ask;
    ask.keys.emplace_back("events/names");
    const auto got = co_await s.control.execute(std::move(ask), s.deadline);
    if (!got) co_return got.error();
    std::vector<std::string> out;
    std::string_view left = got->at("events/names");
    while (!left.empty()) {
        const auto name = left.substr(0, left.find(' '));
        if (!name.empty() && name != "DEBUG" && name != "INFO") out.emplace_back(name);
        left.remove_prefix(std::min(name.size() + 1, left.size()));
    }
    co_return out;
}

task<int> follow(control_session& s, const events_options& o) {
    for (const auto& one : o.where)
        if (one.find('=') == std::string::npos)
            co_return error{base::errc::malformed, "--where " + one + ": expected KEY=VALUE"};
    auto names = o.names;
    for (auto& name : names)
        std::transform(name.begin(), name.end(), name.begin(),
                       [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    if (names.empty()) {
        auto all = co_await all_names(s);
        if (!all) co_return all.error();
        names = std::move(*all);
    }
    auto events = co_await s.control.subscribe(std::move(names), s.deadline);
    if (!events) co_return events.error();
    const auto end = o.duration.count() > 0 ? clock::now() + o.duration : time_point::max();
    for (std::size_t shown = 0; o.count == 0 || shown < o.count;) {
        const auto next = co_await events->next(end);
        if (!next && next.error().code == net::errc::timed_out) co_return o.count == 0 ? 0 : 6;
        if (!next) co_return next.error();
        if (const auto* gap = std::get_if<tor::gap>(&*next)) {
            s.out.warn(fmt::format("{} events were dropped: they came faster than they were written", gap->dropped));
            continue;
        }
        auto event = to_json(std::get<control::event>(*next));
        if (!matches(event, o.where)) continue;
        ++shown;
        if (s.g.json)
            s.out.line(json::serialize(event));
        else
            s.out.line(fmt::format("{:%H:%M:%S} {}", fmt::localtime(std::time(nullptr)), to_line(event)));
    }
    co_return 0;
}

task<std::string> value_of(control_session& s, const char* key) {
    control::get_info ask;
    ask.keys.emplace_back(key);
    auto got = co_await s.control.execute(std::move(ask), s.deadline);
    if (!got) co_return got.error();
    co_return std::move(got->begin()->second);
}

/// A line for each, or one list of all.
template <class Listed>
void print(const control_session& s, const std::vector<Listed>& all, auto&& line) {
    if (!s.g.json) {
        for (const auto& one : all)
            s.out.line(line(one));
        return;
    }
    json::array list;
    for (const auto& one : all)
        list.push_back(to_json(one));
    s.out.line(json::serialize(list));
}

std::string relays(const std::vector<control::relay_name>& path) {
    std::string out;
    for (const auto& r : path)
        out += (out.empty() ? "" : " > ") + (r.nickname.empty() ? r.fingerprint.substr(0, 8) : r.nickname);
    return out;
}

task<int> circuits(control_session& s) {
    const auto value = co_await value_of(s, "circuit-status");
    if (!value) co_return value.error();
    print(s, control::parse_circuits(*value), [](const control::circuit_event& c) {
        return fmt::format("{:>5}  {:<9} {:<22} {}", c.id, c.status_text,
                           c.purpose + (c.hs_state.empty() ? "" : " " + c.hs_state), relays(c.path));
    });
    co_return 0;
}

task<int> streams(control_session& s) {
    const auto value = co_await value_of(s, "stream-status");
    if (!value) co_return value.error();
    print(s, control::parse_streams(*value), [](const control::stream_event& st) {
        return fmt::format("{:>5}  {:<12} circuit {:<5} {}", st.id, st.status_text, st.circuit_id, st.target);
    });
    co_return 0;
}

}  // namespace

runner declare_tor_events(CLI::App& options) {
    auto o = std::make_shared<events_options>();
    options.add_option("NAME", o->names, "as HS_DESC, CIRC, BW; none: all but DEBUG and INFO");
    options.add_option("--where", o->where, "only events that have this value, as action=UPLOADED")
        ->type_name("KEY=VALUE");
    options.add_option("--count", o->count, "end after so many");
    add_duration(options, "--for", o->duration, "end after this long");
    return [o](const globals& g) { return with_control(g, [o](control_session& s) { return follow(s, *o); }); };
}

runner declare_tor_circuits(CLI::App&) {
    return [](const globals& g) { return with_control(g, circuits); };
}

runner declare_tor_streams(CLI::App&) {
    return [](const globals& g) { return with_control(g, streams); };
}

}  // namespace bento::cli
