#include "operations.hpp"

#include "rotation_json.hpp"

#include <bento/base/errc.hpp>
#include <boost/json.hpp>

namespace bento::host {

namespace json = boost::json;

namespace {

/// How long a directory may take that a command waits for.
constexpr std::chrono::minutes answer_limit{2};

result<uuid4> token_in(const json::object& with) {
    const auto* v = with.if_contains("token");
    if (v == nullptr || !v->is_string()) return error{base::errc::malformed, "\"token\": missing"};
    return uuid4::parse(v->get_string());
}

bool flag_in(const json::object& with, std::string_view name) {
    const auto* v = with.if_contains(name);
    return v != nullptr && v->is_bool() && v->get_bool();
}

json::object to_json(const registrations::standing& s) {
    json::object out{{"directory", s.directory},
                     {"registered", s.registered},
                     {"lacking", s.lacking},
                     {"refused", s.refused},
                     {"error", nullptr}};
    if (s.failed) out["error"] = s.failed->message();
    return out;
}

json::object to_json(const box::function_store::entry& e, const registrations* r) {
    json::object out{{"token", e.token.text()},      {"name", e.name},       {"bytes", e.code_size},
                     {"code_sha256", e.code_sha256}, {"damaged", e.damaged}, {"registered", false}};
    if (r == nullptr) return out;
    const auto found = r->journal().find(e.token);
    out["registered"] = found != r->journal().end() && !found->second.ended;
    return out;
}

json::array standings(const hosted& h) {
    json::array out;
    if (h.registered == nullptr) return out;
    for (const auto& s : h.registered->standings())
        out.push_back(to_json(s));
    return out;
}

json::array onions(const hosted& h) {
    json::array out;
    if (h.keys == nullptr) return out;
    for (const auto& o : h.keys->onions()) {
        json::object one{{"onion", o.onion.host()},        {"state", o.state},       {"uploads", o.uploads.confirmed},
                         {"expected", o.uploads.expected}, {"age_seconds", nullptr}, {"seconds_left", nullptr}};
        // The key's file is as old as the key.
        std::error_code unknown;
        const auto made = std::filesystem::last_write_time(h.state / "onions" / o.onion.service_id(), unknown);
        const auto age = std::filesystem::file_time_type::clock::now() - made;
        if (!unknown) one["age_seconds"] = std::chrono::duration_cast<std::chrono::seconds>(age).count();
        if (o.left) one["seconds_left"] = std::chrono::ceil<std::chrono::seconds>(*o.left).count();
        out.push_back(std::move(one));
    }
    return out;
}

task<json::object> status(const hosted& h) {
    json::object out{{"onions", onions(h)},
                     {"functions", h.functions.store().size()},
                     {"bytes", h.functions.store().used_bytes()},
                     {"registrations", h.registered != nullptr ? h.registered->size() : 0},
                     {"directories", standings(h)},
                     {"running", nullptr},
                     {"next_rotation", nullptr},
                     {"degraded", json::array{}}};
    if (h.keys != nullptr && h.keys->journal().next)
        out["next_rotation"] = h.keys->journal().next->time_since_epoch().count();
    if (const auto* box = h.functions.box()) {
        out["running"] = box->running();
        for (const auto& sentence : box->degraded())
            out["degraded"].as_array().emplace_back(sentence);
    }
    co_return std::move(out);
}

task<json::object> list(const hosted& h) {
    json::array all;
    for (const auto& e : h.functions.store().list())
        all.push_back(to_json(e, h.registered));
    co_return json::object{{"functions", std::move(all)}};
}

task<json::object> show(const hosted& h, json::object with) {
    const auto token = token_in(with);
    if (!token) co_return token.error();
    const auto about = h.functions.store().about(*token);
    if (!about) co_return about.error();
    auto code = h.functions.code_of(*token);
    if (!code) co_return code.error();
    auto out = to_json(*about, h.registered);
    out["code"] = std::move(*code);
    if (h.registered != nullptr) out["owner_token"] = h.registered->owner().owner_token(*token).text();
    co_return std::move(out);
}

task<json::object> delete_(const hosted& h, json::object with) {
    const auto token = token_in(with);
    if (!token) co_return token.error();
    const auto removed = remove(h, *token);
    if (!removed) co_return removed.error();
    co_return json::object{{"token", token->text()}};
}

task<json::object> runs(const hosted& h) {
    json::array all;
    if (const auto* box = h.functions.box())
        for (const auto& r : box->runs())
            all.push_back({{"function_id", r.id.text()},
                           {"token", r.token.text()},
                           {"age_seconds", std::chrono::duration_cast<std::chrono::seconds>(r.age).count()},
                           {"ended", r.ended},
                           {"open", r.open},
                           {"unread", r.unread}});
    co_return json::object{{"runs", std::move(all)}};
}

/// How one token stands at each directory: registered; waiting, with why; or refused, by what the directory said.
json::array standings_of(const hosted& h, const uuid4& token) {
    json::array out;
    const auto& r = h.registered->journal().at(token);
    for (const auto& s : h.registered->standings()) {
        const auto found = r.at.find(s.directory);
        const auto there = found != r.at.end() ? found->second : registration::at_directory{};
        json::object one{{"directory", s.directory}, {"state", "waiting"}, {"error", nullptr}};
        if (!there.refused.empty()) {
            one["state"] = "refused";
            one["error"] = there.refused;
        } else if (there.acknowledged >= r.seq) {
            one["state"] = "registered";
        } else if (s.failed) {
            one["error"] = s.failed->message();
        }
        out.push_back(std::move(one));
    }
    return out;
}

json::object told(const hosted& h, const entry::entry& e) {
    json::object out{{"entry", entry::to_json(e, false)}, {"directories", standings_of(h, e.token)}};
    out["share"] = entry::share{e.token, entry::fingerprint(e.signed_by->owner)}.str();
    return out;
}

task<json::object> register_(const hosted& h, json::object with) {
    const auto token = token_in(with);
    if (!token) co_return token.error();
    const bool with_code = !flag_in(with, "digest_only");
    const auto done = co_await publish(h, *token, with_code, clock::now() + answer_limit);
    if (!done) co_return done.error();
    co_return told(h, *done);
}

task<json::object> reregister(const hosted& h, json::object with) {
    const auto token = token_in(with);
    if (!token) co_return token.error();
    if (h.registered == nullptr) co_return lookup::errc::none_configured;
    const auto done = co_await h.registered->renew(*token, clock::now() + answer_limit);
    if (!done) co_return done.error();
    co_return told(h, *done);
}

task<json::object> unregister(const hosted& h, json::object with) {
    const auto token = token_in(with);
    if (!token) co_return token.error();
    if (h.registered == nullptr) co_return lookup::errc::none_configured;
    const auto done = co_await h.registered->end(*token, clock::now() + answer_limit);
    if (!done) co_return done.error();
    json::object out;
    out["tombstone"] = entry::to_json(*done);
    out["directories"] = standings_of(h, *token);
    co_return std::move(out);
}

task<json::object> rotate(const hosted& h, json::object with) {
    if (h.keys == nullptr) co_return error{errc::no_onion};
    const auto wanted = wish_in(with);
    if (!wanted) co_return wanted.error();
    if (wanted->if_older && !h.keys->is_due(*wanted->if_older)) co_return json::object{{"due", false}};
    if (wanted->dry_run) {
        json::object out{{"old", h.keys->current().host()}, {"tokens", h.registered->size()}};
        auto& steps = out["steps"].emplace_array();
        for (const auto& step : h.keys->plan(wanted->what))
            steps.emplace_back(step);
        co_return std::move(out);
    }
    const auto asked = h.keys->ask(wanted->what);
    if (!asked) co_return asked.error();
    co_return to_json(h.keys->now());
}

/// What is being done, once it is not what the asker knows already.
task<json::object> follow_rotation(const hosted& h, json::object with) {
    if (h.keys == nullptr) co_return error{errc::no_onion};
    const auto* known = with.if_contains("version");
    if (known != nullptr && known->is_number()) co_await h.keys->changed_from(known->to_number<std::uint64_t>());
    co_return to_json(h.keys->now());
}

}  // namespace

task<entry::entry> publish(const hosted& h, uuid4 token, bool with_code, time_point deadline) {
    if (h.registered == nullptr || h.keys == nullptr) co_return lookup::errc::none_configured;
    const auto about = h.functions.store().about(token);
    if (!about) co_return about.error();
    co_return co_await h.registered->put(token, about->name, with_code, h.keys->current(), deadline);
}

result<void> remove(const hosted& h, const uuid4& token) {
    auto* box = h.functions.box();
    auto removed = box != nullptr ? box->remove(token) : h.functions.store().remove(token);
    if (!removed) return removed;
    return h.registered != nullptr ? h.registered->end_soon(token) : result<void>{};
}

std::vector<operation> operations(const hosted& h) {
    std::vector<operation> out;
    const auto add = [&](std::string question, task<json::object> (*does)(const hosted&, json::object)) {
        out.push_back({std::move(question), [&h, does](json::object with) { return does(h, std::move(with)); }});
    };
    const auto ask = [&](std::string question, task<json::object> (*does)(const hosted&)) {
        out.push_back({std::move(question), [&h, does](json::object) { return does(h); }});
    };
    ask("status", status);
    ask("functions", list);
    ask("runs", runs);
    add("function", show);
    add("delete", delete_);
    add("register", register_);
    add("reregister", reregister);
    add("unregister", unregister);
    add("rotate", rotate);
    add("rotation", follow_rotation);
    return out;
}

}  // namespace bento::host
