#include <algorithm>
#include <bento/base/encoding.hpp>
#include <bento/control/command.hpp>
#include <bento/control/quote.hpp>

#include "control/encode.hpp"

namespace bento::control {
namespace {

using option_values = std::vector<std::pair<std::string, std::optional<std::string>>>;

bool all(std::string_view text, auto&& allowed) {
    return !text.empty() && std::all_of(text.begin(), text.end(), allowed);
}

error not_its_reply(std::string_view what) { return {errc::unexpected_reply, std::string{what}}; }

/// `COMMAND word word ...`
result<secret> words(std::string_view command, const std::vector<std::string>& arguments, auto&& check,
                     std::string_view what) {
    line out{command};
    for (const auto& argument : arguments) {
        if (auto fine = check(argument, what); !fine) return fine.error();
        out.add(" ").add(argument);
    }
    return out.end();
}

result<secret> assignments(std::string_view command, const option_values& values) {
    line out{command};
    for (const auto& [key, value] : values) {
        if (auto fine = must_be_word(key, "the option"); !fine) return fine.error();
        out.add(" ").add(key);
        if (!value) continue;
        auto quoted = quote(*value);
        if (!quoted) return error{errc::invalid_argument, key + ": " + quoted.error().detail};
        out.add("=").add(*quoted);
        wipe(*quoted);
    }
    return out.end();
}

/// What the words of a refusal say beyond its status.
errc reason_of(int status, std::string_view words) {
    switch (status) {
        case 510:
            return errc::unrecognized;
        case 512:
            return words.find("Unrecognized keyword argument") != std::string_view::npos ? errc::unrecognized
                                                                                         : errc::rejected;
        case 514:
            return errc::authentication_required;
        case 515:
            return errc::authentication_failed;
        case 550:
            return words.starts_with("Onion address collision") ? errc::onion_collision : errc::rejected;
        case 551:
            return errc::unavailable;
        case 552:
            // LOADCONF has this status for whatever is wrong in the file.
            if (words.starts_with("Invalid config file")) return errc::rejected;
            return words.starts_with("Unknown Onion Service id") ? errc::no_such_onion : errc::unrecognized;
        default:
            return errc::rejected;
    }
}

}  // namespace

result<void> must_be_word(std::string_view text, std::string_view what) {
    const auto allowed = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    };
    if (!all(text, allowed)) return error{errc::invalid_argument, std::string{what} + " is not a word"};
    return {};
}

result<void> must_be_plain(std::string_view text, std::string_view what) {
    if (text.empty()) return error{errc::invalid_argument, std::string{what} + " is empty"};
    if (!all(text, [](char c) { return c > ' ' && c < 0x7f && c != '"' && c != '\''; }))
        return error{errc::invalid_argument,
                     std::string{what} + " holds a space, a quote or a character outside ASCII, which tor cannot read"};
    return {};
}

result<void> must_be_service_id(std::string_view text) {
    constexpr std::size_t service_id_size = 56;
    const auto base32 = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '2' && c <= '7'); };
    if (text.size() != service_id_size || !all(text, base32))
        return error{errc::invalid_argument, "an onion service is named by 56 characters of lower-case base32"};
    return {};
}

result<secret> with_data(line head, std::string_view text, std::string_view what) {
    head.add("\r\n");
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        auto one = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (one.ends_with('\r')) one.remove_suffix(1);
        if (one.find_first_of(std::string_view{"\r\0", 2}) != std::string_view::npos)
            return error{errc::invalid_argument, std::string{what} + " holds a NUL, or a CR inside a line"};
        if (one.starts_with('.')) head.add(".");
        head.add(one).add("\r\n");
    }
    return head.end(".\r\n");
}

result<done> parse_done(const reply& r, std::string_view what) {
    if (!r.ok()) return refusal(r, std::string{what});
    return done{};
}

std::optional<std::string_view> after(std::string_view text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return {};
    return text.substr(prefix.size());
}

error refusal(const reply& r, std::string what) {
    // Where several keys are unknown, each has a line.
    std::string words;
    int status = 0;
    for (const auto& l : r.lines) {
        if (l.status / 100 == 2) continue;
        if (status == 0) status = l.status;
        words += (words.empty() ? "" : "; ") + l.text;
    }
    if (status == 0) return not_its_reply(what);
    return {reason_of(status, words), std::move(what), std::move(words)};
}

// The connection: PROTOCOLINFO, AUTHCHALLENGE, AUTHENTICATE, SETEVENTS, SIGNAL, ownership, QUIT

result<secret> protocol_info::encode() const { return line{"PROTOCOLINFO 1"}.end(); }

result<protocol_info::reply_type> protocol_info::parse(const reply& r) const {
    constexpr std::string_view what = "PROTOCOLINFO";
    if (!r.ok()) return refusal(r, std::string{what});
    if (!r.lines.front().text.starts_with(what)) return not_its_reply(what);
    reply_type out;
    for (const auto& l : r.lines) {
        if (const auto rest = after(l.text, "AUTH ")) {
            const auto arguments = parse_arguments(*rest);
            auto methods = find(arguments, "METHODS");
            while (!methods.empty()) {
                const auto method = methods.substr(0, methods.find(','));
                out.null |= method == "NULL";
                out.hashed_password |= method == "HASHEDPASSWORD";
                out.cookie |= method == "COOKIE";
                out.safe_cookie |= method == "SAFECOOKIE";
                methods.remove_prefix(std::min(method.size() + 1, methods.size()));
            }
            out.cookie_file = find(arguments, "COOKIEFILE");
        } else if (const auto version = after(l.text, "VERSION ")) {
            out.tor_version = find(parse_arguments(*version), "Tor");
        }
    }
    return out;
}

result<secret> auth_challenge::encode() const {
    if (client_nonce.size() < smallest_nonce)
        return error{errc::invalid_argument, "a client nonce has 32 bytes or more"};
    return line{"AUTHCHALLENGE SAFECOOKIE "}.add(hex_encode(client_nonce)).end();
}

result<auth_challenge::reply_type> auth_challenge::parse(const reply& r) const {
    constexpr std::string_view what = "AUTHCHALLENGE";
    if (!r.ok()) return refusal(r, std::string{what});
    const auto rest = after(r.text(), "AUTHCHALLENGE ");
    if (!rest) return not_its_reply(what);
    const auto arguments = parse_arguments(*rest);
    auto hash = hex_decode(find(arguments, "SERVERHASH"));
    auto nonce = hex_decode(find(arguments, "SERVERNONCE"));
    if (!hash || !nonce || hash->size() != hash_size || nonce->size() != hash_size) return not_its_reply(what);
    return reply_type{std::move(*hash), std::move(*nonce)};
}

result<secret> authenticate::encode() const {
    line out{"AUTHENTICATE"};
    if (!proof.empty()) {
        auto hex = hex_encode(proof.view());
        out.add(" ").add(hex);
        wipe(hex);
    }
    return out.end();
}
result<done> authenticate::parse(const reply& r) const { return parse_done(r, {}); }

result<secret> set_events::encode() const { return words("SETEVENTS", names, must_be_word, "the event"); }
result<done> set_events::parse(const reply& r) const { return parse_done(r, "SETEVENTS"); }

result<secret> signal::encode() const { return words("SIGNAL", {name}, must_be_word, "the signal"); }
result<done> signal::parse(const reply& r) const { return parse_done(r, "SIGNAL"); }

result<secret> take_ownership::encode() const { return line{"TAKEOWNERSHIP"}.end(); }
result<done> take_ownership::parse(const reply& r) const { return parse_done(r, "TAKEOWNERSHIP"); }

result<secret> drop_ownership::encode() const { return line{"DROPOWNERSHIP"}.end(); }
result<done> drop_ownership::parse(const reply& r) const { return parse_done(r, "DROPOWNERSHIP"); }

result<secret> use_feature::encode() const { return words("USEFEATURE", names, must_be_word, "the feature"); }
result<done> use_feature::parse(const reply& r) const { return parse_done(r, "USEFEATURE"); }

result<secret> quit::encode() const { return line{"QUIT"}.end(); }
result<done> quit::parse(const reply& r) const { return parse_done(r, "QUIT"); }

// What tor knows and how it is configured: GETINFO, GETCONF, SETCONF, RESETCONF, LOADCONF, SAVECONF

result<secret> get_info::encode() const { return words("GETINFO", keys, must_be_plain, "the key"); }

result<get_info::reply_type> get_info::parse(const reply& r) const {
    if (!r.ok()) return refusal(r, "GETINFO");
    reply_type out;
    for (std::size_t i = 0; i + 1 < r.lines.size(); ++i) {
        const auto& l = r.lines[i];
        const auto equals = l.text.find('=');
        if (equals == std::string::npos) return not_its_reply("GETINFO");
        out.insert_or_assign(l.text.substr(0, equals), l.data ? *l.data : l.text.substr(equals + 1));
    }
    for (const auto& key : keys)
        if (!out.contains(key)) return not_its_reply("GETINFO gave no " + key);
    return out;
}

result<secret> get_conf::encode() const { return words("GETCONF", keys, must_be_word, "the option"); }

result<get_conf::reply_type> get_conf::parse(const reply& r) const {
    if (!r.ok()) return refusal(r, "GETCONF");
    reply_type out;
    // The last option's value is the end line; only where nothing was asked for is it an OK.
    if (keys.empty()) return out;
    for (const auto& l : r.lines) {
        const auto equals = l.text.find('=');
        if (equals == std::string::npos)
            out.emplace_back(l.text, std::nullopt);
        else
            out.emplace_back(l.text.substr(0, equals), config_value(std::string_view{l.text}.substr(equals + 1)));
    }
    return out;
}

result<secret> set_conf::encode() const { return assignments("SETCONF", values); }
result<done> set_conf::parse(const reply& r) const { return parse_done(r, "SETCONF"); }

result<secret> reset_conf::encode() const { return assignments("RESETCONF", values); }
result<done> reset_conf::parse(const reply& r) const { return parse_done(r, "RESETCONF"); }

result<secret> raw::encode() const {
    if (auto fine = must_be_one_line(line, "the line"); !fine) return fine.error();
    control::line head{line};
    if (line.starts_with('+')) return with_data(std::move(head), data, "the data");
    if (!data.empty()) return error{errc::invalid_argument, "a command with data begins with +"};
    return head.end();
}

result<secret> load_conf::encode() const { return with_data(line{"+LOADCONF"}, torrc, "the configuration"); }
result<done> load_conf::parse(const reply& r) const { return parse_done(r, "LOADCONF"); }

result<secret> save_conf::encode() const { return line{"SAVECONF"}.add(force ? " FORCE" : "").end(); }
result<done> save_conf::parse(const reply& r) const { return parse_done(r, "SAVECONF"); }

result<std::vector<std::string>> parse_listeners(std::string_view value) {
    std::vector<std::string> out;
    for (;;) {
        while (value.starts_with(' '))
            value.remove_prefix(1);
        if (value.empty()) return out;
        auto one = unquote(value);
        if (!one) return error{errc::unexpected_reply, "net/listeners"};
        out.push_back(std::move(*one));
    }
}

}  // namespace bento::control
