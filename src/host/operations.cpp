#include "operations.hpp"

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
    const auto* s = h.onion != nullptr ? h.onion->status() : nullptr;
    if (s == nullptr) return {};
    const auto uploads = s->descriptors.uploads();
    // The key's file is as old as the key.
    std::error_code unknown;
    const auto made = std::filesystem::last_write_time(h.state / "onions" / s->address.service_id(), unknown);
    json::object out{{"onion", s->address.host()},
                     {"state", uploads.confirmed > 0 ? "current" : "publishing"},
                     {"uploads", uploads.confirmed},
                     {"expected", uploads.expected},
                     {"age_seconds", nullptr}};
    if (!unknown)
        out["age_seconds"] =
            std::chrono::duration_cast<std::chrono::seconds>(std::filesystem::file_time_type::clock::now() - made)
                .count();
    return {std::move(out)};
}

task<json::object> status(const hosted& h) {
    json::object out{{"onions", onions(h)},
                     {"functions", h.functions.store().size()},
                     {"bytes", h.functions.store().used_bytes()},
                     {"registrations", h.registered != nullptr ? h.registered->size() : 0},
                     {"directories", standings(h)},
                     {"running", nullptr},
                     {"degraded", json::array{}}};
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

/// The entry and what each directory has, for who registered it.
json::object told(const hosted& h, const entry::entry& e) {
    json::object out{{"entry", entry::to_json(e, false)}, {"directories", standings(h)}};
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
    out["directories"] = standings(h);
    co_return std::move(out);
}

}  // namespace

task<entry::entry> publish(const hosted& h, uuid4 token, bool with_code, time_point deadline) {
    if (h.registered == nullptr || !h.current) co_return lookup::errc::none_configured;
    const auto about = h.functions.store().about(token);
    if (!about) co_return about.error();
    co_return co_await h.registered->put(token, about->name, with_code, *h.current, deadline);
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
    return out;
}

}  // namespace bento::host
