#include <bento/base/encoding.hpp>
#include <bento/lookup/directory.hpp>
#include <boost/json.hpp>
#include <charconv>

namespace bento::lookup {

namespace json = boost::json;

namespace {

/// Of an answer: an entry is an object of texts and numbers, a list of them two deeper.
constexpr std::size_t max_depth = 4;

result<json::object> object_of(std::string_view body) {
    json::parse_options strict;
    strict.max_depth = max_depth;
    boost::system::error_code failed;
    auto v = json::parse(body, failed, {}, strict);
    if (failed || !v.is_object()) return errc::not_a_directory;
    return std::move(v.get_object());
}

std::optional<std::string> text_of(const json::object& o, std::string_view name) {
    const auto* v = o.if_contains(name);
    if (v == nullptr || !v->is_string()) return {};
    return std::string{v->get_string()};
}

/// The one table from what a directory answers to what we call it.
std::optional<errc> why(int status, std::string_view type) {
    switch (status) {
        case 400:
        case 413:
        case 415:
        case 422:
            return errc::invalid;
        case 403:
            return type == "quota" ? errc::quota : errc::forbidden;
        case 404:
            return type == "unknown-token" ? std::optional{errc::unknown_token} : std::nullopt;
        case 409:
            return type == "older" ? errc::older : errc::taken;
        case 410:
            return errc::ended;
        case 429:
        case 503:
            return errc::busy;
        default:
            return {};
    }
}

result<refusal> refusal_of(const web::http_client::response& r) {
    const auto told = object_of(r.body);
    const auto type = told ? text_of(*told, "type").value_or("") : "";
    const auto is = why(r.head.status, type);
    if (!is) return error{errc::not_a_directory, "it answered " + std::to_string(r.head.status)};
    refusal out{*is, {}, told ? text_of(*told, "detail").value_or("") : "", {}};
    if (const auto token = told ? text_of(*told, "token") : std::nullopt)
        if (const auto parsed = uuid4::parse(*token)) out.token = *parsed;
    const auto after = r.head.find("Retry-After");
    int seconds = 0;
    if (std::from_chars(after.data(), after.data() + after.size(), seconds).ec == std::errc{} && seconds > 0)
        out.retry_after = std::chrono::seconds{seconds};
    return out;
}

void append(std::string& out, json::object one, const onion::signature& claim) {
    one["claim"] = base64_encode(claim);
    if (!out.empty()) out += ',';
    out += json::serialize(one);
}

}  // namespace

std::string_view to_text(errc e) {
    switch (e) {
        case errc::none_configured:
            return "no directory is configured";
        case errc::bad_address:
            return "not the address of a directory: expected an onion address or an endpoint of this machine";
        case errc::not_a_directory:
            return "what answers is no Bento Function Directory";
        case errc::invalid:
            return "the directory does not accept the form of the entry";
        case errc::forbidden:
            return "the directory refuses: the password or a signature is not the right one";
        case errc::taken:
            return "somebody else has registered this token";
        case errc::older:
            return "the directory has an entry with this number or a higher one";
        case errc::unknown_token:
            return "the token is not registered there";
        case errc::ended:
            return "the registration of this token has ended";
        case errc::quota:
            return "the directory takes no more entries from this server";
        case errc::busy:
            return "the directory has too much to do";
        case errc::damaged:
            return "a file of what is known about functions is damaged";
    }
    return "unknown error";
}

result<address> address::parse(std::string_view text) {
    const auto end_of_onion = text.find(".onion");
    if (end_of_onion == std::string_view::npos) {
        auto at = endpoint::parse(text);
        if (!at || !at->is_local()) return error{errc::bad_address, std::string{text}};
        address out{at->is_unix() ? "localhost" : at->str(), 80, *at};
        return out;
    }
    const auto host = text.substr(0, end_of_onion + std::string_view{".onion"}.size());
    const auto rest = text.substr(host.size());
    const auto onion = onion::address::parse(host);
    if (!onion) return error{errc::bad_address, std::string{text}};
    address out{onion->host(), 80, {}};
    if (rest.empty()) return out;
    const auto* last = rest.data() + rest.size();
    const auto [end, code] = std::from_chars(rest.data() + 1, last, out.port);
    if (rest.front() != ':' || code != std::errc{} || end != last || out.port == 0)
        return error{errc::bad_address, std::string{text}};
    return out;
}

std::string address::str() const {
    if (local) return local->str();
    return port == 80 ? name : name + ":" + std::to_string(port);
}

web::road address::road(const endpoint& socks, net::isolation isolation) const {
    web::road out;
    out.socks = socks;
    out.isolation = std::move(isolation);
    out.host = name;
    out.port = port;
    out.direct = local;
    return out;
}

error refusal::as_error() const { return {why, token ? token->str() : std::string{}, words}; }

task<web::http_client::response> directory::get(const uuid4& token, time_point deadline) {
    const std::vector<http::field> fields{{"Accept", "application/json"}};
    co_return co_await http_.request(http::method::get, "/lookup/" + token.str(), fields, "", deadline);
}

asio::awaitable<entry::answer> directory::find(uuid4 token, time_point deadline) {
    entry::answer out{where_.str(), entry::no_entry{}};
    const auto answer = co_await get(token, deadline);
    if (!answer) {
        out.says = answer.error();
        co_return out;
    }
    const auto status = answer->head.status;
    if (status != 200 && status != 410) {
        const auto refused = refusal_of(*answer);
        if (!refused)
            out.says = refused.error();
        else if (refused->why != errc::unknown_token)
            out.says = refused->as_error();
        co_return out;
    }
    const auto told = object_of(answer->body);
    if (!told) {
        out.says = told.error();
    } else if (status == 410) {
        auto dead = entry::tombstone_from_json(*told);
        if (dead)
            out.says = *dead;
        else
            out.says = dead.error();
    } else {
        auto live = entry::entry_from_json(*told);
        if (live)
            out.says = std::move(*live);
        else
            out.says = live.error();
    }
    co_return out;
}

task<std::optional<refusal>> directory::send(std::string_view path, const entry::owner_secret& owner,
                                             std::string entries, time_point deadline) {
    const auto password = owner.password(where_.name);
    std::string body = R"({"account":")" + owner.account(where_.name) + R"(","entries":[)" + entries +
                       R"(],"password":")" + std::string{password.text()} + "\"}";
    auto answer = co_await http_.post_json(std::string{path}, std::move(body), deadline);
    if (!answer) co_return answer.error();
    if (answer->head.status == 200 || answer->head.status == 201) co_return std::nullopt;
    auto refused = refusal_of(*answer);
    if (!refused) co_return refused.error();
    co_return std::move(*refused);
}

task<std::optional<refusal>> directory::add(const entry::owner_secret& owner, std::span<const entry::entry> entries,
                                            time_point deadline) {
    const auto account = owner.account(where_.name);
    std::string list;
    for (const auto& e : entries)
        append(list, entry::to_json(e),
               entry::sign_claim(owner.key(e.token), where_.name, account, entry::signed_bytes(e)));
    co_return co_await send("/register", owner, std::move(list), deadline);
}

task<std::optional<refusal>> directory::replace(const entry::owner_secret& owner, std::span<const entry::entry> entries,
                                                time_point deadline) {
    const auto account = owner.account(where_.name);
    std::string list;
    for (const auto& e : entries)
        append(list, entry::to_json(e, false),
               entry::sign_claim(owner.key(e.token), where_.name, account, entry::signed_bytes(e)));
    co_return co_await send("/reregister", owner, std::move(list), deadline);
}

task<std::optional<refusal>> directory::end(const entry::owner_secret& owner,
                                            std::span<const entry::tombstone> tombstones, time_point deadline) {
    const auto account = owner.account(where_.name);
    std::string list;
    for (const auto& t : tombstones)
        append(list, entry::to_json(t),
               entry::sign_claim(owner.key(t.token), where_.name, account, entry::signed_bytes(t)));
    co_return co_await send("/unregister", owner, std::move(list), deadline);
}

}  // namespace bento::lookup
