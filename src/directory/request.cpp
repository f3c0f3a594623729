#include "request.hpp"

#include <fmt/format.h>

#include <bento/base/encoding.hpp>
#include <boost/json.hpp>
#include <set>

namespace bento::directory {

namespace json = boost::json;

namespace {

/// Nesting of a body: an object, its entries, their members.
constexpr std::size_t max_depth = 4;
constexpr std::size_t max_account = 128;

refusal invalid(const std::string& what) { return {422, "invalid-request", what}; }

/// The error of an entry, told where it stands.
refusal invalid_at(std::string_view place, const error& e) {
    if (place.empty() || !e.detail.starts_with('"')) return invalid(e.message());
    return invalid("\"" + std::string{place} + "." + e.detail.substr(1));
}

checked<onion::signature> claim_of(const json::object& o, std::string_view place) {
    const auto* v = o.if_contains("claim");
    const auto raw = v != nullptr && v->is_string() ? base64_decode(std::string_view{v->get_string()}) : std::nullopt;
    if (!raw || raw->size() != 64)
        return invalid_at(place, error{entry::errc::malformed,
                                       "\"claim\": a signed entry needs its owner's claim, 64 bytes in base64"});
    onion::signature out{};
    std::copy(raw->begin(), raw->end(), out.begin());
    return out;
}

checked<wish> parse_wish(const json::object& o, action what, const options& limits, entry::day now,
                         std::string_view place) {
    if (what == action::end) {
        auto dead = entry::tombstone_from_json(o);
        if (!dead) return invalid_at(place, dead.error());
        wish out{dead->token, {}, *dead, {}, {}};
        auto claim = claim_of(o, place);
        if (!claim) return claim.error();
        out.claim = *claim;
        return out;
    }
    if (what == action::replace && !o.contains("owner")) {
        // Name and code stay as they were registered, whatever else stands here.
        json::object bare{{"token", o.contains("token") ? o.at("token") : json::value{}},
                          {"name", ""},
                          {"onion", o.contains("onion") ? o.at("onion") : json::value{}},
                          {"code", ""}};
        const auto moved = entry::entry_from_json(bare);
        if (!moved) return invalid_at(place, moved.error());
        return wish{moved->token, {}, {}, moved->onion, {}};
    }
    auto live = entry::entry_from_json(o);
    if (!live) return invalid_at(place, live.error());
    if (live->code && live->code->size() > limits.max_code)
        return refusal{413, "too-large", fmt::format("code may have {} bytes here", limits.max_code)};
    if (const auto good = entry::check_day(*live, now); !good)
        return invalid_at(place, error{entry::errc::malformed, "\"not_after\": " + good.error().message()});
    wish out{live->token, {}, {}, {}, {}};
    if (live->signed_by) {
        auto claim = claim_of(o, place);
        if (!claim) return claim.error();
        out.claim = *claim;
    }
    out.live = std::move(*live);
    return out;
}

checked<std::string> text(const json::object& o, std::string_view name) {
    const auto* v = o.if_contains(name);
    if (v == nullptr) return invalid(fmt::format("\"{}\": missing", name));
    if (!v->is_string()) return invalid(fmt::format("\"{}\": expected a string", name));
    return std::string{v->get_string()};
}

}  // namespace

checked<request> parse_request(std::string_view body, action what, const options& o, entry::day now) {
    json::parse_options strict;
    strict.max_depth = max_depth;
    boost::system::error_code failed;
    const auto v = json::parse(body, failed, {}, strict);
    const auto* object = v.if_object();
    if (failed || object == nullptr) return refusal{400, "invalid-request", "the body is no JSON object in UTF-8"};
    request out;
    std::set<uuid4> seen;
    if (const auto* entries = object->if_contains("entries")) {
        const auto* list = entries->if_array();
        if (list == nullptr || list->empty()) return invalid("\"entries\": expected a list of entries");
        if (list->size() > o.entries_per_account)
            return refusal{403, "quota", fmt::format("an account may have {} entries here", o.entries_per_account)};
        for (std::size_t i = 0; i < list->size(); ++i) {
            const auto place = fmt::format("entries[{}]", i);
            const auto* one = (*list)[i].if_object();
            if (one == nullptr) return invalid(fmt::format("\"{}\": expected an object", place));
            auto w = parse_wish(*one, what, o, now, place);
            if (!w) return w.error();
            if (!seen.insert(w->token).second) return invalid(fmt::format("\"{}.token\": it stands here twice", place));
            out.wishes.push_back(std::move(*w));
        }
    } else {
        auto w = parse_wish(*object, what, o, now, {});
        if (!w) return w.error();
        out.wishes.push_back(std::move(*w));
    }
    if (object->contains("account")) {
        auto account = text(*object, "account");
        if (!account) return account.error();
        if (account->empty() || account->size() > max_account)
            return invalid(fmt::format("\"account\": expected 1 to {} bytes", max_account));
        out.account = "account:" + *account;
        out.account_given = std::move(*account);
    } else if (out.wishes.size() == 1) {
        out.account = "token:" + out.wishes.front().token.str();
    } else {
        return invalid("\"account\": missing");
    }
    auto password = text(*object, "password");
    if (!password) return password.error();
    if (const auto mistake = password_mistake(*password); !mistake.empty())
        return invalid("\"password\": " + std::string{mistake});
    out.password = secret{*password};
    wipe(*password);
    return out;
}

}  // namespace bento::directory
