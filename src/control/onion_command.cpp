#include <algorithm>
#include <bento/base/endpoint.hpp>
#include <bento/control/onion_command.hpp>
#include <bento/control/quote.hpp>
#include <charconv>

#include "control/encode.hpp"

namespace bento::control {
namespace {

constexpr std::string_view key_type = "ED25519-V3:";

error refused(std::string why) { return {errc::invalid_argument, std::move(why)}; }

bool is_base64(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}
bool is_base32(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '2' && c <= '7'); }

/// Base64 of `size` bytes, its padding left out or not. Checked without decoding: what it holds is secret.
bool is_base64_of(std::string_view text, std::size_t size) {
    const auto unpadded = (size * 8 + 5) / 6;
    const auto padded = (size + 2) / 3 * 4;
    if (text.size() == padded) {
        if (text.substr(unpadded).find_first_not_of('=') != std::string_view::npos) return false;
        text = text.substr(0, unpadded);
    }
    return text.size() == unpadded && std::all_of(text.begin(), text.end(), is_base64);
}

bool is_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, port);
    return read.ec == std::errc{} && read.ptr == end && port != 0;
}

/// tor accepts more than is listed here and fails when somebody calls: a relative path, a path too long for a socket,
/// a name that it asks the resolver for.
result<void> must_be_target(std::string_view text) {
    if (text.empty() || is_port(text)) return {};
    if (auto fine = must_be_plain(text, "the target"); !fine) return fine;
    const auto explained = [](const error& e) { return refused("the target: " + e.detail); };
    if (text.starts_with("unix:")) {
        if (const auto socket = endpoint::parse(text); !socket) return explained(socket.error());
        return {};
    }
    if (endpoint::parse(std::string{text} + ":1")) return {};
    const auto full = endpoint::parse(text);
    if (!full) return explained(full.error());
    if (full->port == 0) return refused("the target's port is 0");
    return {};
}

/// ` Flags=A,B`
std::string flags_of(const add_onion& command) {
    std::string out;
    const auto flag = [&](bool on, std::string_view name) {
        if (on) out.append(out.empty() ? " Flags=" : ",").append(name);
    };
    flag(command.flags.discard_private_key, "DiscardPK");
    flag(command.flags.detach, "Detach");
    flag(!command.client_auth.empty(), "V3Auth");
    flag(command.flags.non_anonymous, "NonAnonymous");
    flag(command.flags.max_streams_close_circuit, "MaxStreamsCloseCircuit");
    return out;
}

/// ` SERVER=...` for each.
result<void> add_servers(line& to, const std::vector<std::string>& servers) {
    for (const auto& server : servers) {
        if (auto fine = must_be_plain(server, "the HSDir"); !fine) return fine;
        to.add(" SERVER=").add(server);
    }
    return {};
}

/// What does not show in the arguments one by one.
result<void> check(const add_onion& command) {
    if (!command.key.empty()) {
        const auto blob = after(command.key.text(), key_type);
        if (!blob || !is_base64_of(*blob, 64)) return refused("the key is not ED25519-V3: and base64 of 64 bytes");
        if (command.flags.discard_private_key) return refused("a key that is given cannot be discarded");
    }
    if (command.ports.empty()) return refused("an onion service has at least one port");
    if (command.flags.v3_auth && command.client_auth.empty())
        return refused("client authorisation without a client's key");
    return {};
}

}  // namespace

result<secret> add_onion::encode() const {
    if (auto fine = check(*this); !fine) return fine.error();
    line out{"ADD_ONION "};
    out.add(key.empty() ? "NEW:ED25519-V3" : key.text()).add(flags_of(*this));
    if (max_streams) out.add(" MaxStreams=").add(*max_streams);
    for (const auto& p : ports) {
        if (p.virtual_port == 0) return refused("the port of an onion service is not 0");
        if (auto fine = must_be_target(p.target); !fine) return fine.error();
        out.add(" Port=").add(p.virtual_port);
        if (!p.target.empty()) out.add(",").add(p.target);
    }
    if (defences) {
        out.add(" PoWDefensesEnabled=1");
        if (defences->queue_rate) out.add(" PoWQueueRate=").add(*defences->queue_rate);
        if (defences->queue_burst) out.add(" PoWQueueBurst=").add(*defences->queue_burst);
    }
    for (const auto& client : client_auth) {
        if (client.size() != 52 || !std::all_of(client.begin(), client.end(), is_base32))
            return refused("a client's key is 52 characters of base32");
        out.add(" ClientAuthV3=").add(client);
    }
    return out.end();
}

result<add_onion::reply_type> add_onion::parse(const reply& r) const {
    if (!r.ok()) return refusal(r, "ADD_ONION");
    reply_type out;
    for (const auto& l : r.lines) {
        if (const auto id = after(l.text, "ServiceID="))
            out.service_id = *id;
        else if (const auto made = after(l.text, "PrivateKey="))
            out.private_key = secret{*made};
        else if (const auto client = after(l.text, "ClientAuthV3="))
            out.client_auth.emplace_back(*client);
    }
    if (!must_be_service_id(out.service_id)) return error{errc::unexpected_reply, "ADD_ONION"};
    return out;
}

result<secret> del_onion::encode() const {
    if (auto fine = must_be_service_id(service_id); !fine) return fine.error();
    return line{"DEL_ONION "}.add(service_id).end();
}
result<done> del_onion::parse(const reply& r) const { return parse_done(r, "DEL_ONION"); }

result<secret> hs_fetch::encode() const {
    if (auto fine = must_be_service_id(service_id); !fine) return fine.error();
    line out{"HSFETCH "};
    out.add(service_id);
    if (auto added = add_servers(out, servers); !added) return added.error();
    return out.end();
}
result<done> hs_fetch::parse(const reply& r) const { return parse_done(r, "HSFETCH"); }

result<secret> hs_post::encode() const {
    if (auto fine = must_be_service_id(service_id); !fine) return fine.error();
    line out{"+HSPOST"};
    if (auto added = add_servers(out, servers); !added) return added.error();
    out.add(" HSADDRESS=").add(service_id);
    return with_data(std::move(out), descriptor, "the descriptor");
}
result<done> hs_post::parse(const reply& r) const { return parse_done(r, "HSPOST"); }

result<secret> onion_client_auth_add::encode() const {
    if (auto fine = must_be_service_id(service_id); !fine) return fine.error();
    if (!is_base64_of(private_key.text(), 32)) return refused("a client's private key is base64 of 32 bytes");
    line out{"ONION_CLIENT_AUTH_ADD "};
    out.add(service_id).add(" x25519:").add(private_key.text());
    if (!client_name.empty()) {
        if (client_name.size() > longest_name) return refused("a client's name has at most 16 characters");
        if (auto fine = must_be_plain(client_name, "the client's name"); !fine) return fine.error();
        out.add(" ClientName=").add(client_name);
    }
    if (permanent) out.add(" Flags=Permanent");
    return out.end();
}

result<onion_client_auth_add::reply_type> onion_client_auth_add::parse(const reply& r) const {
    constexpr auto what = "ONION_CLIENT_AUTH_ADD";
    if (!r.ok()) return refusal(r, what);
    switch (r.status()) {
        case 250:
            return reply_type::added;
        case 251:
            return reply_type::replaced;
        case 252:
            return reply_type::decrypted;
        default:
            return error{errc::unexpected_reply, what};
    }
}

result<secret> onion_client_auth_remove::encode() const {
    if (auto fine = must_be_service_id(service_id); !fine) return fine.error();
    return line{"ONION_CLIENT_AUTH_REMOVE "}.add(service_id).end();
}

result<onion_client_auth_remove::reply_type> onion_client_auth_remove::parse(const reply& r) const {
    if (!r.ok()) return refusal(r, "ONION_CLIENT_AUTH_REMOVE");
    return r.status() == 251 ? reply_type::absent : reply_type::removed;
}

result<secret> onion_client_auth_view::encode() const {
    line out{"ONION_CLIENT_AUTH_VIEW"};
    if (service_id.empty()) return out.end();
    if (auto fine = must_be_service_id(service_id); !fine) return fine.error();
    return out.add(" ").add(service_id).end();
}

result<onion_client_auth_view::reply_type> onion_client_auth_view::parse(const reply& r) const {
    constexpr auto what = "ONION_CLIENT_AUTH_VIEW";
    if (!r.ok()) return refusal(r, what);
    reply_type out;
    for (const auto& l : r.lines) {
        const auto rest = after(l.text, "CLIENT ");
        if (!rest) continue;
        const auto arguments = parse_arguments(*rest);
        if (arguments.size() < 2) return error{errc::unexpected_reply, what};
        const auto key = after(arguments[1].value, "x25519:");
        if (!key) continue;  // of a kind that is not known yet
        out.push_back({arguments[0].value, secret{*key}, std::string{find(arguments, "ClientName")},
                       find(arguments, "Flags").find("Permanent") != std::string_view::npos});
    }
    return out;
}

}  // namespace bento::control
