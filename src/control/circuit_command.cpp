#include <bento/control/circuit_command.hpp>

#include "control/encode.hpp"

namespace bento::control {
namespace {

std::string_view name_of(circuit_purpose p) { return p == circuit_purpose::general ? "general" : "controller"; }

/// An address or a name as a part of an argument: what is quoted, or a second `=`, would be read as something else.
result<void> must_be_address(std::string_view text) {
    if (auto fine = must_be_plain(text, "the address"); !fine) return fine;
    if (text.find_first_of("=,") != std::string_view::npos)
        return error{errc::invalid_argument, "the address holds a '=' or a ','"};
    return {};
}

}  // namespace

// Addresses: MAPADDRESS, RESOLVE

result<secret> map_address::encode() const {
    if (mappings.empty()) return error{errc::invalid_argument, "no address to map"};
    line out{"MAPADDRESS"};
    for (const auto& [from, to] : mappings) {
        for (const auto& address : {from, to})
            if (auto fine = must_be_address(address); !fine) return fine.error();
        out.add(" ").add(from).add("=").add(to);
    }
    return out.end();
}

result<map_address::reply_type> map_address::parse(const reply& r) const {
    reply_type out;
    // Each mapping has a line, the last one's is the end line, and their statuses differ.
    for (const auto& l : r.lines) {
        const auto equals = l.text.find('=');
        if (l.status / 100 != 2)
            out.refused.push_back(l.text);
        else if (equals == std::string::npos)
            return error{errc::unexpected_reply, "MAPADDRESS"};
        else
            out.mappings.emplace_back(l.text.substr(0, equals), l.text.substr(equals + 1));
    }
    if (out.mappings.empty()) return refusal(r, "MAPADDRESS");
    return out;
}

result<secret> resolve::encode() const {
    if (auto fine = must_be_address(address); !fine) return fine.error();
    return line{"RESOLVE "}.add(reverse ? "mode=reverse " : "").add(address).end();
}
result<done> resolve::parse(const reply& r) const { return parse_done(r, "RESOLVE"); }

// Circuits: EXTENDCIRCUIT, SETCIRCUITPURPOSE, CLOSECIRCUIT

result<secret> extend_circuit::encode() const {
    line out{"EXTENDCIRCUIT "};
    if (id.empty()) {
        out.add("0");
    } else {
        if (auto fine = must_be_word(id, "the circuit"); !fine) return fine.error();
        if (path.empty()) return error{errc::invalid_argument, "no relay to extend the circuit to"};
        out.add(id);
    }
    std::string_view separator = " ";
    for (const auto& relay : path) {
        if (auto fine = must_be_plain(relay, "the relay"); !fine) return fine.error();
        if (relay.find(',') != std::string::npos) return error{errc::invalid_argument, "the relay holds a ','"};
        out.add(separator).add(relay);
        separator = ",";
    }
    if (purpose) out.add(" purpose=").add(name_of(*purpose));
    return out.end();
}

result<std::string> extend_circuit::parse(const reply& r) const {
    constexpr auto what = "EXTENDCIRCUIT";
    if (!r.ok()) return refusal(r, what);
    const auto circuit = after(r.text(), "EXTENDED ");
    if (!circuit || circuit->empty()) return error{errc::unexpected_reply, what};
    return std::string{*circuit};
}

result<secret> set_circuit_purpose::encode() const {
    if (auto fine = must_be_word(id, "the circuit"); !fine) return fine.error();
    return line{"SETCIRCUITPURPOSE "}.add(id).add(" purpose=").add(name_of(purpose)).end();
}
result<done> set_circuit_purpose::parse(const reply& r) const { return parse_done(r, "SETCIRCUITPURPOSE"); }

result<secret> close_circuit::encode() const {
    if (auto fine = must_be_word(id, "the circuit"); !fine) return fine.error();
    return line{"CLOSECIRCUIT "}.add(id).add(if_unused ? " IfUnused" : "").end();
}
result<done> close_circuit::parse(const reply& r) const { return parse_done(r, "CLOSECIRCUIT"); }

// Streams: ATTACHSTREAM, REDIRECTSTREAM, CLOSESTREAM

result<secret> attach_stream::encode() const {
    if (auto fine = must_be_word(id, "the stream"); !fine) return fine.error();
    line out{"ATTACHSTREAM "};
    out.add(id).add(" ");
    if (circuit_id.empty()) {
        if (hop) return error{errc::invalid_argument, "a hop without its circuit"};
        return out.add("0").end();
    }
    if (auto fine = must_be_word(circuit_id, "the circuit"); !fine) return fine.error();
    out.add(circuit_id);
    if (hop) {
        if (*hop < 2) return error{errc::invalid_argument, "tor attaches no stream to the first hop"};
        out.add(" HOP=").add(*hop);
    }
    return out.end();
}
result<done> attach_stream::parse(const reply& r) const { return parse_done(r, "ATTACHSTREAM"); }

result<secret> redirect_stream::encode() const {
    if (auto fine = must_be_word(id, "the stream"); !fine) return fine.error();
    if (auto fine = must_be_address(address); !fine) return fine.error();
    line out{"REDIRECTSTREAM "};
    out.add(id).add(" ").add(address);
    if (!port) return out.end();
    if (*port == 0) return error{errc::invalid_argument, "the port is 0"};
    return out.add(" ").add(*port).end();
}
result<done> redirect_stream::parse(const reply& r) const { return parse_done(r, "REDIRECTSTREAM"); }

result<secret> close_stream::encode() const {
    if (auto fine = must_be_word(id, "the stream"); !fine) return fine.error();
    return line{"CLOSESTREAM "}.add(id).add(" ").add(static_cast<unsigned>(reason)).end();
}
result<done> close_stream::parse(const reply& r) const { return parse_done(r, "CLOSESTREAM"); }

// Relays: POSTDESCRIPTOR, DROPGUARDS, DROPTIMEOUTS

result<secret> post_descriptor::encode() const {
    line out{"+POSTDESCRIPTOR"};
    if (!purpose.empty()) {
        if (auto fine = must_be_word(purpose, "the purpose"); !fine) return fine.error();
        out.add(" purpose=").add(purpose);
    }
    out.add(cache ? " cache=yes" : " cache=no");
    return with_data(std::move(out), descriptor, "the descriptor");
}

result<post_descriptor::reply_type> post_descriptor::parse(const reply& r) const {
    if (!r.ok()) return refusal(r, "POSTDESCRIPTOR");
    return reply_type{r.status() == 250, r.text()};
}

result<secret> drop_guards::encode() const { return line{"DROPGUARDS"}.end(); }
result<done> drop_guards::parse(const reply& r) const { return parse_done(r, "DROPGUARDS"); }

result<secret> drop_timeouts::encode() const { return line{"DROPTIMEOUTS"}.end(); }
result<done> drop_timeouts::parse(const reply& r) const { return parse_done(r, "DROPTIMEOUTS"); }

}  // namespace bento::control
