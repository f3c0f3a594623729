#include <algorithm>
#include <bento/base/encoding.hpp>
#include <bento/control/command.hpp>
#include <bento/control/quote.hpp>

namespace bento::control {
namespace {

constexpr std::size_t service_id_size = 56;

/// Appends to bytes that must be wiped, never leaving a copy behind in a grown buffer.
class line {
  public:
    explicit line(std::string_view start) { add(start); }
    line& add(std::string_view text) {
        if (size_ + text.size() > buffer_.size()) {
            secret larger{std::max(2 * buffer_.size(), size_ + text.size())};
            std::copy_n(buffer_.view().begin(), size_, larger.writable().begin());
            buffer_ = std::move(larger);
        }
        std::copy(text.begin(), text.end(), buffer_.writable().begin() + static_cast<std::ptrdiff_t>(size_));
        size_ += text.size();
        return *this;
    }
    secret end() {
        add("\r\n");
        return secret{buffer_.view().first(size_)};
    }

  private:
    secret buffer_{64};
    std::size_t size_ = 0;
};

bool all(std::string_view text, auto&& allowed) {
    return !text.empty() && std::all_of(text.begin(), text.end(), allowed);
}
bool is_word_character(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/// Names of events, options and signals.
result<void> must_be_word(std::string_view text, std::string_view what) {
    if (!all(text, is_word_character)) return error{errc::invalid_argument, std::string{what} + " is not a word"};
    return {};
}

/// Arguments of commands that read no quoting: printable, no space, no quote.
result<void> must_be_plain(std::string_view text, std::string_view what) {
    if (!all(text, [](char c) { return c > ' ' && c < 0x7f && c != '"' && c != '\\'; }))
        return error{errc::invalid_argument,
                     std::string{what} + " holds a space, a quote or a character outside ASCII, which tor cannot read"};
    return {};
}

result<void> must_be_service_id(std::string_view text) {
    const auto base32 = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '2' && c <= '7'); };
    if (text.size() != service_id_size || !all(text, base32))
        return error{errc::invalid_argument, "an onion service is named by 56 lower-case characters"};
    return {};
}

result<done> parse_done(const reply& r, std::string what) {
    if (!r.ok()) return refusal(r, std::move(what));
    return done{};
}

bool starts(std::string_view text, std::string_view with) { return text.starts_with(with); }

}  // namespace

error refusal(const reply& r, std::string what) {
    const auto& first = r.lines.front();
    // Where several keys are unknown, each has a line.
    std::string words;
    for (const auto& l : r.lines)
        if (l.status / 100 != 2) words += (words.empty() ? "" : "; ") + l.text;
    const int status = r.status() / 100 != 2 ? r.status() : first.status;
    const auto code = [&]() -> errc {
        switch (status) {
            case 510:
                return errc::unrecognized;
            case 512:
                return words.find("Unrecognized keyword argument") != std::string::npos ? errc::unrecognized
                                                                                        : errc::rejected;
            case 514:
                return errc::authentication_required;
            case 515:
                return errc::authentication_failed;
            case 550:
                return starts(words, "Onion address collision") ? errc::onion_collision : errc::rejected;
            case 552:
                return starts(words, "Unknown Onion Service id") ? errc::no_such_onion : errc::unrecognized;
            default:
                return status / 100 == 2 ? errc::unexpected_reply : errc::rejected;
        }
    }();
    return {code, std::move(what), std::move(words)};
}

// PROTOCOLINFO

result<secret> protocol_info::encode() const { return line{"PROTOCOLINFO 1"}.end(); }

result<protocol_info::reply_type> protocol_info::parse(const reply& r) const {
    if (!r.ok()) return refusal(r);
    reply_type out;
    for (const auto& l : r.lines) {
        if (starts(l.text, "AUTH ")) {
            const auto arguments = parse_arguments(std::string_view{l.text}.substr(5));
            std::string_view methods = find(arguments, "METHODS");
            while (!methods.empty()) {
                const auto end = std::min(methods.find(','), methods.size());
                const auto method = methods.substr(0, end);
                out.null |= method == "NULL";
                out.hashed_password |= method == "HASHEDPASSWORD";
                out.cookie |= method == "COOKIE";
                out.safe_cookie |= method == "SAFECOOKIE";
                methods.remove_prefix(std::min(end + 1, methods.size()));
            }
            out.cookie_file = find(arguments, "COOKIEFILE");
        } else if (starts(l.text, "VERSION ")) {
            out.tor_version = find(parse_arguments(std::string_view{l.text}.substr(8)), "Tor");
        }
    }
    return out;
}

// AUTHCHALLENGE

result<secret> auth_challenge::encode() const {
    return line{"AUTHCHALLENGE SAFECOOKIE "}.add(hex_encode(client_nonce)).end();
}

result<auth_challenge::reply_type> auth_challenge::parse(const reply& r) const {
    if (!r.ok()) return refusal(r);
    if (!starts(r.text(), "AUTHCHALLENGE ")) return error{errc::unexpected_reply, "AUTHCHALLENGE"};
    const auto arguments = parse_arguments(std::string_view{r.text()}.substr(14));
    auto hash = hex_decode(find(arguments, "SERVERHASH"));
    auto nonce = hex_decode(find(arguments, "SERVERNONCE"));
    if (!hash || !nonce || hash->size() != hash_size || nonce->size() != hash_size)
        return error{errc::unexpected_reply, "AUTHCHALLENGE"};
    return reply_type{std::move(*hash), std::move(*nonce)};
}

// AUTHENTICATE

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

// GETINFO

result<secret> get_info::encode() const {
    line out{"GETINFO"};
    for (const auto& key : keys) {
        if (auto fine = must_be_plain(key, "the key"); !fine) return fine.error();
        out.add(" ").add(key);
    }
    return out.end();
}

result<get_info::reply_type> get_info::parse(const reply& r) const {
    if (!r.ok()) return refusal(r, "GETINFO");
    reply_type out;
    for (std::size_t i = 0; i + 1 < r.lines.size(); ++i) {
        const auto& l = r.lines[i];
        const auto equals = l.text.find('=');
        if (equals == std::string::npos) return error{errc::unexpected_reply, "GETINFO"};
        out.insert_or_assign(l.text.substr(0, equals), l.data ? *l.data : l.text.substr(equals + 1));
    }
    for (const auto& key : keys)
        if (!out.contains(key)) return error{errc::unexpected_reply, "GETINFO gave no " + key};
    return out;
}

// GETCONF, SETCONF

result<secret> get_conf::encode() const {
    line out{"GETCONF"};
    for (const auto& key : keys) {
        if (auto fine = must_be_word(key, "the option"); !fine) return fine.error();
        out.add(" ").add(key);
    }
    return out.end();
}

result<get_conf::reply_type> get_conf::parse(const reply& r) const {
    if (!r.ok()) return refusal(r, "GETCONF");
    reply_type out;
    for (const auto& l : r.lines) {
        if (&l == &r.lines.back() && l.text == "OK") break;  // asked for nothing
        const auto equals = l.text.find('=');
        if (equals == std::string::npos) {
            out.emplace_back(l.text, std::nullopt);
            continue;
        }
        std::string_view value = std::string_view{l.text}.substr(equals + 1);
        auto rest = value;
        auto quoted = value.starts_with('"') ? unquote(rest) : std::nullopt;
        out.emplace_back(l.text.substr(0, equals), quoted && rest.empty() ? std::move(*quoted) : std::string{value});
    }
    return out;
}

result<secret> set_conf::encode() const {
    line out{reset ? "RESETCONF" : "SETCONF"};
    for (const auto& [key, value] : values) {
        if (auto fine = must_be_word(key, "the option"); !fine) return fine.error();
        out.add(" ").add(key);
        if (!value) continue;
        const auto quoted = quote_config(*value);
        if (!quoted) return quoted.error();
        out.add("=").add(*quoted);
    }
    return out.end();
}
result<done> set_conf::parse(const reply& r) const { return parse_done(r, reset ? "RESETCONF" : "SETCONF"); }

// SETEVENTS, SIGNAL

result<secret> set_events::encode() const {
    line out{"SETEVENTS"};
    for (const auto& name : names) {
        if (auto fine = must_be_word(name, "the event"); !fine) return fine.error();
        out.add(" ").add(name);
    }
    return out.end();
}
result<done> set_events::parse(const reply& r) const { return parse_done(r, "SETEVENTS"); }

result<secret> signal::encode() const {
    if (auto fine = must_be_word(name, "the signal"); !fine) return fine.error();
    return line{"SIGNAL "}.add(name).end();
}
result<done> signal::parse(const reply& r) const { return parse_done(r, "SIGNAL"); }

// ADD_ONION, DEL_ONION

result<secret> add_onion::encode() const {
    line out{"ADD_ONION "};
    out.add(key.empty() ? "NEW:ED25519-V3" : key.text());
    std::string set;
    const auto flag = [&](bool on, std::string_view name) {
        if (on) set += (set.empty() ? " Flags=" : ",") + std::string{name};
    };
    flag(flags.discard_private_key, "DiscardPK");
    flag(flags.detach, "Detach");
    flag(flags.v3_auth || !client_auth.empty(), "V3Auth");
    flag(flags.max_streams_close_circuit, "MaxStreamsCloseCircuit");
    out.add(set);
    if (max_streams) out.add(" MaxStreams=").add(std::to_string(*max_streams));
    if (ports.empty()) return error{errc::invalid_argument, "an onion service has at least one port"};
    for (const auto& p : ports) {
        out.add(" Port=").add(std::to_string(p.virtual_port));
        if (p.target.empty()) continue;
        if (auto fine = must_be_plain(p.target, "the target"); !fine) return fine.error();
        if (p.target.find(',') != std::string::npos)
            return error{errc::invalid_argument, "the target holds a comma, which tor cannot read"};
        if (starts(p.target, "unix:") && !starts(p.target, "unix:/"))
            return error{errc::invalid_argument, "the target's path is not absolute"};
        out.add(",").add(p.target);
    }
    if (defences) {
        out.add(" PoWDefensesEnabled=1");
        if (defences->queue_rate) out.add(" PoWQueueRate=").add(std::to_string(*defences->queue_rate));
        if (defences->queue_burst) out.add(" PoWQueueBurst=").add(std::to_string(*defences->queue_burst));
    }
    for (const auto& client : client_auth) {
        if (client.size() != 52 || !all(client, is_word_character))
            return error{errc::invalid_argument, "a client's key is 52 characters of base32"};
        out.add(" ClientAuthV3=").add(client);
    }
    return out.end();
}

result<add_onion::reply_type> add_onion::parse(const reply& r) const {
    if (!r.ok()) return refusal(r, "ADD_ONION");
    reply_type out;
    for (const auto& l : r.lines) {
        const std::string_view text = l.text;
        if (text.starts_with("ServiceID=")) out.service_id = text.substr(10);
        if (text.starts_with("PrivateKey=")) out.private_key = secret{text.substr(11)};
    }
    if (!must_be_service_id(out.service_id)) return error{errc::unexpected_reply, "ADD_ONION"};
    return out;
}

result<secret> del_onion::encode() const {
    if (auto fine = must_be_service_id(service_id); !fine) return fine.error();
    return line{"DEL_ONION "}.add(service_id).end();
}
result<done> del_onion::parse(const reply& r) const { return parse_done(r, "DEL_ONION"); }

// The rest

result<secret> take_ownership::encode() const { return line{"TAKEOWNERSHIP"}.end(); }
result<done> take_ownership::parse(const reply& r) const { return parse_done(r, "TAKEOWNERSHIP"); }

result<secret> hs_fetch::encode() const {
    if (auto fine = must_be_service_id(service_id); !fine) return fine.error();
    line out{"HSFETCH "};
    out.add(service_id);
    for (const auto& server : servers) {
        if (auto fine = must_be_plain(server, "the HSDir"); !fine) return fine.error();
        out.add(" SERVER=").add(server);
    }
    return out.end();
}
result<done> hs_fetch::parse(const reply& r) const { return parse_done(r, "HSFETCH"); }

result<secret> onion_client_auth_add::encode() const {
    if (auto fine = must_be_service_id(service_id); !fine) return fine.error();
    if (auto fine = must_be_plain(private_key.text(), "the key"); !fine) return fine.error();
    line out{"ONION_CLIENT_AUTH_ADD "};
    out.add(service_id).add(" x25519:").add(private_key.text());
    if (!client_name.empty()) {
        if (client_name.size() > 16) return error{errc::invalid_argument, "a client's name has at most 16 characters"};
        if (auto fine = must_be_plain(client_name, "the client's name"); !fine) return fine.error();
        out.add(" ClientName=").add(client_name);
    }
    if (permanent) out.add(" Flags=Permanent");
    return out.end();
}
result<done> onion_client_auth_add::parse(const reply& r) const { return parse_done(r, "ONION_CLIENT_AUTH_ADD"); }

result<secret> quit::encode() const { return line{"QUIT"}.end(); }
result<done> quit::parse(const reply& r) const { return parse_done(r, "QUIT"); }

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
