#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <bento/base/encoding.hpp>
#include <bento/base/utf8.hpp>
#include <bento/entry/entry.hpp>

#include "members.hpp"

namespace bento::entry {

namespace json = boost::json;

namespace {

constexpr std::string_view entry_label{"bentoctl/entry/v1\0", 18};
constexpr std::string_view tombstone_label{"bentoctl/tombstone/v1\0", 22};
constexpr unsigned char flag_ask_first = 1;

/// Names go to terminals and pages: no control characters.
bool is_name(std::string_view text) {
    return text.size() <= max_name && is_utf8(text) && std::none_of(text.begin(), text.end(), [](char c) {
               return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
           });
}

}  // namespace

std::string_view to_text(errc e) {
    switch (e) {
        case errc::malformed:
            return "not an entry of a directory";
        case errc::bad_signature:
            return "the entry's signature is wrong";
        case errc::expired:
            return "the entry has expired";
        case errc::too_long_lived:
            return "the entry is valid for longer than an entry may be";
        case errc::wrong_owner:
            return "the entry is another owner's";
        case errc::older:
            return "the entry is older than the one already seen";
        case errc::conflict:
            return "the directories contradict each other";
        case errc::ended:
            return "the owner has ended the registration";
        case errc::not_found:
            return "no directory has an entry for this token";
        case errc::code_mismatch:
            return "the code is not the code of the entry";
        case errc::bad_share:
            return "not TOKEN or TOKEN#FINGERPRINT";
        case errc::bad_secret:
            return "too short for an owner secret";
    }
    return "unknown error";
}

digest sha256(std::string_view data) {
    digest out{};
    crypto_hash_sha256(out.data(), as_byte_view(data).data(), data.size());
    return out;
}

day today() { return std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now()); }

std::string to_text(day d) {
    const std::chrono::year_month_day date{d};
    return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                       static_cast<unsigned>(date.day()));
}

result<day> parse_day(std::string_view text) {
    const auto wrong = error{errc::malformed, "a day is written as 2026-11-25"};
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return wrong;
    int part[3] = {};
    for (std::size_t i = 0, which = 0; i < text.size(); ++i) {
        if (i == 4 || i == 7) {
            ++which;
            continue;
        }
        if (text[i] < '0' || text[i] > '9') return wrong;
        part[which] = part[which] * 10 + (text[i] - '0');
    }
    const std::chrono::year_month_day date{std::chrono::year{part[0]},
                                           std::chrono::month{static_cast<unsigned>(part[1])},
                                           std::chrono::day{static_cast<unsigned>(part[2])}};
    if (!date.ok()) return wrong;
    return day{date};
}

std::string signed_bytes(const entry& e) {
    const auto& a = *e.signed_by;
    std::string out{entry_label};
    append(out, e.token.text());
    append(out, e.name);
    append(out, as_text(e.code_sha256));
    append(out, e.onion.service_id());
    append(out, as_text(a.owner));
    append(out, big_endian(a.seq));
    append(out, to_text(a.not_after));
    append(out, std::string(1, static_cast<char>(a.ask_first ? flag_ask_first : 0)));
    return out;
}

std::string signed_bytes(const tombstone& t) {
    std::string out{tombstone_label};
    append(out, t.token.text());
    append(out, as_text(t.owner));
    append(out, big_endian(t.seq));
    return out;
}

void sign(entry& e, const onion::secret_key& owner, const onion::secret_key& onion) {
    e.signed_by->owner = owner.public_key();
    const auto bytes = signed_bytes(e);
    e.signed_by->by_owner = owner.sign(bytes);
    e.signed_by->by_onion = onion.sign(bytes);
}

void sign(tombstone& t, const onion::secret_key& owner) {
    t.owner = owner.public_key();
    t.by_owner = owner.sign(signed_bytes(t));
}

result<void> verify(const entry& e) {
    if (e.code && sha256(*e.code) != e.code_sha256)
        return error{errc::bad_signature, "the code is not the one of its SHA-256"};
    if (!e.signed_by) return {};
    const auto bytes = signed_bytes(e);
    if (!onion::verify(e.signed_by->owner, bytes, e.signed_by->by_owner))
        return error{errc::bad_signature, "by the owner's key"};
    if (!onion::verify(e.onion.key(), bytes, e.signed_by->by_onion))
        return error{errc::bad_signature, "by the onion's key"};
    return {};
}

result<void> verify(const tombstone& t) {
    if (!onion::verify(t.owner, signed_bytes(t), t.by_owner)) return error{errc::bad_signature, "by the owner's key"};
    return {};
}

result<void> check_day(const entry& e, day now) {
    if (!e.signed_by) return {};
    if (e.signed_by->not_after < now)
        return error{errc::expired, "it was good until " + to_text(e.signed_by->not_after)};
    if (e.signed_by->not_after > now + longest_life) return errc::too_long_lived;
    return {};
}

json::object to_json(const entry& e, bool with_code) {
    json::object out{{"token", e.token.text()}, {"name", e.name}};
    if (with_code && e.code) out["code"] = *e.code;
    out["code_sha256"] = hex_encode(e.code_sha256);
    out["onion"] = e.onion.host();
    if (e.signed_by) {
        const auto& a = *e.signed_by;
        out["owner"] = hex_encode(a.owner);
        out["seq"] = a.seq;
        out["not_after"] = to_text(a.not_after);
        if (a.ask_first) out["ask_first"] = true;
        out["owner_signature"] = base64_encode(a.by_owner);
        out["onion_signature"] = base64_encode(a.by_onion);
    }
    return out;
}

json::object to_json(const tombstone& t) {
    return {{"token", t.token.text()},
            {"ended", true},
            {"owner", hex_encode(t.owner)},
            {"seq", t.seq},
            {"owner_signature", base64_encode(t.by_owner)}};
}

result<entry> entry_from_json(const json::object& o) {
    const members in{o};
    auto token = in.token();
    if (!token) return token.error();
    auto name = in.text("name");
    if (!name) return name.error();
    if (!is_name(*name))
        return in.wrong("name", fmt::format("up to {} bytes of UTF-8 without control characters", max_name));
    const auto onion_text = in.text("onion");
    if (!onion_text) return onion_text.error();
    auto onion = onion::address::parse(*onion_text);
    if (!onion) return in.wrong("onion", onion.error().detail);
    entry out{*token, std::move(*name), {}, {}, std::move(*onion), {}};
    if (in.has("code")) {
        auto code = in.text("code");
        if (!code) return code.error();
        out.code = std::move(*code);
        out.code_sha256 = sha256(*out.code);
    }
    if (in.has("code_sha256") || !out.code) {
        const auto claimed = in.hex<32>("code_sha256");
        if (!claimed) return claimed.error();
        out.code_sha256 = *claimed;
    }
    if (!in.has("owner") && !in.has("owner_signature")) return out;
    authority a;
    const auto owner = in.hex<32>("owner");
    if (!owner) return owner.error();
    a.owner = *owner;
    const auto seq = in.number("seq");
    if (!seq) return seq.error();
    a.seq = *seq;
    const auto last = in.text("not_after");
    if (!last) return last.error();
    const auto not_after = parse_day(*last);
    if (!not_after) return in.wrong("not_after", not_after.error().detail);
    a.not_after = *not_after;
    if (in.has("ask_first")) {
        const auto ask_first = in.boolean("ask_first");
        if (!ask_first) return ask_first.error();
        a.ask_first = *ask_first;
    }
    const auto by_owner = in.signature("owner_signature");
    if (!by_owner) return by_owner.error();
    a.by_owner = *by_owner;
    const auto by_onion = in.signature("onion_signature");
    if (!by_onion) return by_onion.error();
    a.by_onion = *by_onion;
    out.signed_by = a;
    return out;
}

result<tombstone> tombstone_from_json(const json::object& o) {
    const members in{o};
    const auto token = in.token();
    if (!token) return token.error();
    const auto ended = in.boolean("ended");
    if (!ended) return ended.error();
    if (!*ended) return in.wrong("ended", "true");
    const auto owner = in.hex<32>("owner");
    if (!owner) return owner.error();
    const auto seq = in.number("seq");
    if (!seq) return seq.error();
    const auto by_owner = in.signature("owner_signature");
    if (!by_owner) return by_owner.error();
    return tombstone{*token, *owner, *seq, *by_owner};
}

}  // namespace bento::entry
