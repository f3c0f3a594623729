#include <algorithm>
#include <bento/base/errc.hpp>
#include <bento/base/file.hpp>
#include <bento/base/units.hpp>
#include <bento/rotation/journal.hpp>
#include <boost/json.hpp>

namespace bento::rotation {

namespace json = boost::json;

namespace {

constexpr std::int64_t version = 1;

json::array names(const std::set<std::string>& of) {
    json::array out;
    for (const auto& name : of)
        out.emplace_back(name);
    return out;
}

/// Reads members and remembers the first mistake; what is read after it does not count.
class reader {
  public:
    const std::optional<error>& mistake() const { return mistake_; }

    void wrong(std::string_view name, std::string_view expected) {
        if (!mistake_)
            mistake_ = error{errc::corrupted, "\"" + std::string{name} + "\": expected " + std::string{expected}};
    }
    const json::object& object(const json::value& v, std::string_view name) {
        static const json::object none;
        if (v.is_object()) return v.get_object();
        wrong(name, "an object");
        return none;
    }
    std::string text(const json::object& o, std::string_view name) {
        const auto* v = o.if_contains(name);
        if (v != nullptr && v->is_string()) return std::string{v->get_string()};
        wrong(name, "a string");
        return {};
    }
    bool flag(const json::object& o, std::string_view name) {
        const auto* v = o.if_contains(name);
        if (v == nullptr) return false;
        if (v->is_bool()) return v->get_bool();
        wrong(name, "true or false");
        return false;
    }
    milliseconds duration(const json::object& o, std::string_view name) {
        const auto value = parse_duration(text(o, name));
        if (value) return *value;
        wrong(name, "a duration such as \"15m\"");
        return {};
    }
    std::optional<wall_time> time(const json::object& o, std::string_view name) {
        const auto* v = o.if_contains(name);
        if (v == nullptr) return {};
        boost::system::error_code failed;
        const auto n = v->to_number<std::int64_t>(failed);
        // Up to the year 9999: what a wall clock can say.
        if (!failed && n >= 0 && n < 253'402'300'800) return wall_time{std::chrono::seconds{n}};
        wrong(name, "seconds since 1970");
        return {};
    }
    std::optional<onion::address> onion(const json::object& o, std::string_view name) {
        if (!o.contains(name)) return {};
        const auto value = onion::address::parse(text(o, name));
        if (value) return *value;
        wrong(name, "an onion address");
        return {};
    }
    std::set<std::string> strings(const json::object& o, std::string_view name) {
        std::set<std::string> out;
        const auto* v = o.if_contains(name);
        if (v == nullptr) return out;
        if (!v->is_array()) {
            wrong(name, "a list of strings");
            return out;
        }
        for (const auto& item : v->get_array()) {
            if (!item.is_string())
                wrong(name, "a list of strings");
            else
                out.emplace(item.get_string());
        }
        return out;
    }

  private:
    std::optional<error> mistake_;
};

/// What no journal of ours says: two places for one onion.
bool is_twice(const journal& j) {
    std::set<onion::address> seen{j.current};
    std::size_t all = 1;
    if (j.running && j.running->onion) {
        seen.insert(*j.running->onion);
        ++all;
    }
    for (const auto& r : j.retired)
        seen.insert(r.onion);
    return seen.size() != all + j.retired.size();
}

}  // namespace

std::string_view to_text(errc e) {
    switch (e) {
        case errc::corrupted:
            return "the rotation's journal is damaged";
        case errc::too_many:
            return "too many old onions still answer";
        case errc::short_grace:
            return "the old onion would go before callers look its successor up";
        case errc::no_onion:
            return "no server has run in this state directory";
    }
    return "unknown error";
}

milliseconds age(const journal& j, wall_time now) { return std::max(now - j.since, std::chrono::seconds{0}); }

std::string to_json(const journal& j) {
    json::object out{
        {"version", version}, {"current", j.current.host()}, {"since", j.since.time_since_epoch().count()}};
    if (j.ask_first) out["ask_first"] = true;
    if (j.next) out["next"] = j.next->time_since_epoch().count();
    if (j.running) {
        json::object r{{"grace", format_duration(j.running->grace)}};
        if (j.running->compromised) r["compromised"] = true;
        if (j.running->onion) r["onion"] = j.running->onion->host();
        if (!j.running->acknowledged.empty()) r["acknowledged"] = names(j.running->acknowledged);
        out["rotation"] = std::move(r);
    }
    json::array retired;
    for (const auto& r : j.retired) {
        json::object one{
            {"onion", r.onion.host()}, {"grace", format_duration(r.grace)}, {"age", format_duration(r.age)}};
        if (r.dropped) one["dropped"] = true;
        if (!r.named_by.empty()) one["named_by"] = names(r.named_by);
        retired.push_back(std::move(one));
    }
    if (!retired.empty()) out["retired"] = std::move(retired);
    return json::serialize(out) + "\n";
}

result<journal> journal_from_json(std::string_view text) {
    boost::system::error_code failed;
    const auto document = json::parse(text, failed);
    if (failed || !document.is_object()) return error{errc::corrupted, "no JSON object"};
    const auto& o = document.get_object();
    reader read;
    const auto* written_by = o.if_contains("version");
    if (written_by == nullptr || *written_by != version)
        return error{errc::corrupted, "\"version\": expected 1; another bentoctl wrote this"};
    const auto current = read.onion(o, "current");
    const auto since = read.time(o, "since");
    if (!current) read.wrong("current", "an onion address");
    if (!since) read.wrong("since", "seconds since 1970");
    if (read.mistake()) return *read.mistake();
    journal out{.current = *current, .since = *since};
    out.ask_first = read.flag(o, "ask_first");
    out.next = read.time(o, "next");
    if (const auto* rotation = o.if_contains("rotation")) {
        const auto& r = read.object(*rotation, "rotation");
        auto& into = out.running.emplace();
        into.grace = read.duration(r, "grace");
        into.compromised = read.flag(r, "compromised");
        into.onion = read.onion(r, "onion");
        into.acknowledged = read.strings(r, "acknowledged");
    }
    if (const auto* retired = o.if_contains("retired")) {
        if (!retired->is_array()) return error{errc::corrupted, "\"retired\": expected a list"};
        for (const auto& item : retired->get_array()) {
            const auto& r = read.object(item, "retired");
            const auto onion = read.onion(r, "onion");
            if (!onion) read.wrong("onion", "an onion address");
            if (read.mistake()) return *read.mistake();
            retiring one{.onion = *onion};
            one.grace = read.duration(r, "grace");
            one.age = read.duration(r, "age");
            one.dropped = read.flag(r, "dropped");
            one.named_by = read.strings(r, "named_by");
            out.retired.push_back(std::move(one));
        }
    }
    if (read.mistake()) return *read.mistake();
    if (is_twice(out)) return error{errc::corrupted, "one onion stands in two places"};
    return out;
}

result<std::optional<journal>> load(const std::filesystem::path& file) {
    const auto text = read_file(file, journal_limit);
    if (!text && text.error().code == base::errc::not_found) return std::optional<journal>{};
    if (!text && text.error().code == base::errc::too_long)
        return error{errc::corrupted, file.string() + ": too large for a journal"};
    if (!text) return text.error();
    auto out = journal_from_json(*text);
    if (!out) return error{errc::corrupted, file.string() + ": " + out.error().detail};
    return std::optional{std::move(*out)};
}

result<void> save(const std::filesystem::path& file, const journal& j) { return write_file(file, to_json(j)); }

result<journal> adopt(std::vector<std::pair<wall_time, onion::address>> keys, milliseconds grace) {
    if (keys.empty()) return errc::no_onion;
    std::sort(keys.begin(), keys.end());
    if (keys.size() == 1) return journal{.current = keys.front().second, .since = keys.front().first};
    const auto newest = keys.back();
    keys.pop_back();
    journal out{.current = keys.back().second, .since = keys.back().first};
    keys.pop_back();
    out.running = unfinished{.grace = grace, .onion = newest.second};
    // More than may retire are left alone: their files stay, and say that they are there.
    for (const auto& [time, onion] : keys)
        if (out.retired.size() < most_retiring) out.retired.push_back({.onion = onion, .grace = grace});
    return out;
}

}  // namespace bento::rotation
