#include "control/network_event.hpp"

#include <bento/base/encoding.hpp>

#include "control/words.hpp"

namespace bento::control {
namespace {

constexpr std::array or_connection_statuses{
    named<or_connection_status>{"NEW", or_connection_status::created},
    named<or_connection_status>{"LAUNCHED", or_connection_status::launched},
    named<or_connection_status>{"CONNECTED", or_connection_status::connected},
    named<or_connection_status>{"FAILED", or_connection_status::failed},
    named<or_connection_status>{"CLOSED", or_connection_status::closed},
};

template <class Number>
bool assign_number(std::optional<Number>& into, std::string_view text) {
    into = number<Number>(text);
    return into.has_value();
}

bool assign_text(std::string& into, std::string& value) {
    into = std::move(value);
    return true;
}

/// `relay:2,create_fast:1`, or with another separator inside.
bool assign_counts(std::map<std::string, std::uint64_t>& into, std::string_view text, char separator) {
    std::map<std::string, std::uint64_t> out;
    bool right = true;
    split(text, ',', [&](std::string_view one) {
        const auto end = one.rfind(separator);
        const auto count = end == std::string_view::npos ? std::nullopt : number<std::uint64_t>(one.substr(end + 1));
        if (count)
            out.insert_or_assign(std::string{one.substr(0, end)}, *count);
        else
            right = false;
    });
    if (right) into = std::move(out);
    return right;
}

/// 27 characters of base64, unpadded, as the consensus writes a SHA-1 digest.
std::optional<std::string> hex_of_digest(std::string_view text) {
    const auto digest = base64_decode(text);
    if (!digest || digest->size() != 20) return {};
    auto out = hex_encode(*digest);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c; });
    return out;
}

/// The line after "r ".
std::optional<router_status> parse_router(std::string_view text) {
    router_status out;
    out.relay.nickname = take_word(text);
    const auto identity = hex_of_digest(take_word(text));
    // In a microdescriptor consensus there is no digest, and then a date stands in its place.
    auto rest = text;
    const auto digest = hex_of_digest(take_word(rest));
    if (digest) {
        out.digest = *digest;
        text = rest;
    }
    out.published = take_word(text);
    out.published += ' ';
    out.published += take_word(text);
    out.address = take_word(text);
    const auto or_port = number<std::uint16_t>(take_word(text));
    const auto dir_port = number<std::uint16_t>(take_word(text));
    if (!identity || !or_port || !dir_port) return {};
    out.relay.fingerprint = *identity;
    out.or_port = *or_port;
    out.dir_port = *dir_port;
    return out;
}

void parse_router_line(router_status& out, std::string_view line) {
    auto rest = line;
    const auto keyword = take_word(rest);
    if (keyword == "s") {
        split(rest, ' ', [&](std::string_view flag) { out.flags.emplace_back(flag); });
    } else if (keyword == "a") {
        out.more_addresses.emplace_back(rest);
    } else if (const auto bandwidth = number<std::uint64_t>(find(parse_arguments(rest), "Bandwidth"));
               keyword == "w" && bandwidth) {
        out.bandwidth = bandwidth;
    } else {
        out.rest.emplace_back(line);
    }
}

}  // namespace

relay_name relay_name::parse(std::string_view text) {
    relay_name out;
    if (!text.starts_with('$')) {
        if (text != "UNKNOWN") out.nickname = text;
        return out;
    }
    text.remove_prefix(1);
    // find_first_of() looks every character up: that was half of the time of a flood of HS_DESC.
    const auto end = std::min({text.find('~'), text.find('='), text.size()});
    out.fingerprint = text.substr(0, end);
    out.nickname = text.substr(std::min(end + 1, text.size()));
    return out;
}

result<std::vector<router_status>> parse_router_statuses(std::string_view text) {
    std::vector<router_status> out;
    bool right = true;
    split(text, '\n', [&](std::string_view line) {
        if (line.empty() || !right) return;
        if (line.starts_with("r ")) {
            auto relay = parse_router(line.substr(2));
            right = relay.has_value();
            if (right) out.push_back(std::move(*relay));
        } else if (out.empty()) {
            right = false;
        } else {
            parse_router_line(out.back(), line);
        }
    });
    if (!right) return error{errc::unexpected_reply, "a relay of the consensus"};
    return out;
}

std::optional<or_connection> parse_or_connection(std::string_view text) {
    or_connection out;
    out.target = take_word(text);
    out.status_text = take_word(text);
    out.status = look_up(or_connection_statuses, out.status_text);
    if (out.status_text.empty()) return {};
    sort(text, out, [&](std::string_view keyword, std::string& value) {
        if (keyword == "REASON") return assign_text(out.reason, value);
        if (keyword == "ID") return assign_text(out.id, value);
        return keyword == "NCIRCS" && assign_number(out.circuits, value);
    });
    return out;
}

std::optional<new_descriptors> parse_new_descriptors(std::string_view text) {
    new_descriptors out;
    split(text, ' ', [&](std::string_view relay) { out.relays.push_back(relay_name::parse(relay)); });
    return out;
}

std::optional<address_mapped> parse_address_mapped(std::string_view text) {
    address_mapped out;
    out.from = take_word(text);
    const auto to = take_word(text);
    if (to.empty()) return {};
    if (to != "<error>") out.to = to;
    // The time in this place is the machine's local one; EXPIRES has it in UTC.
    if (!unquote_or_word(text)) return {};
    sort(text, out, [&](std::string_view keyword, std::string& value) {
        if (keyword == "EXPIRES") return assign_text(out.expires, value);
        if (keyword == "error") return assign_text(out.error, value);
        if (keyword == "STREAMID") return assign_text(out.stream_id, value);
        if (keyword != "CACHED" || (value != "YES" && value != "NO")) return false;
        out.cached = value == "YES";
        return true;
    });
    return out;
}

std::optional<guard_changed> parse_guard_changed(std::string_view text) {
    guard_changed out;
    out.type = take_word(text);
    out.relay = relay_name::parse(take_word(text));
    out.status = take_word(text);
    if (out.status.empty()) return {};
    out.rest = parse_arguments(text);
    return out;
}

std::optional<stream_bandwidth> parse_stream_bandwidth(std::string_view text) {
    stream_bandwidth out;
    out.id = take_word(text);
    const auto written = number<std::uint64_t>(take_word(text));
    const auto read = number<std::uint64_t>(take_word(text));
    if (!written || !read) return {};
    out.written = *written;
    out.read = *read;
    if (text.substr(0, text.find(' ')).find('=') == std::string_view::npos) out.time = take_word(text);
    out.rest = parse_arguments(text);
    return out;
}

std::optional<circuit_bandwidth> parse_circuit_bandwidth(std::string_view text) {
    circuit_bandwidth out;
    std::optional<std::uint64_t> read, written;
    sort(text, out, [&](std::string_view keyword, std::string& value) {
        if (keyword == "ID") return assign_text(out.id, value);
        if (keyword == "TIME") return assign_text(out.time, value);
        if (keyword == "READ") return assign_number(read, value);
        if (keyword == "WRITTEN") return assign_number(written, value);
        if (keyword == "DELIVERED_READ") return assign_number(out.delivered_read, value);
        if (keyword == "OVERHEAD_READ") return assign_number(out.overhead_read, value);
        if (keyword == "DELIVERED_WRITTEN") return assign_number(out.delivered_written, value);
        if (keyword == "OVERHEAD_WRITTEN") return assign_number(out.overhead_written, value);
        if (keyword == "CWND") return assign_number(out.window, value);
        if (keyword == "RTT") return assign_number(out.rtt, value);
        if (keyword == "MIN_RTT") return assign_number(out.min_rtt, value);
        if (keyword != "SS" || (value != "0" && value != "1")) return false;
        out.slow_start = value == "1";
        return true;
    });
    if (!read || !written) return {};
    out.read = *read;
    out.written = *written;
    return out;
}

std::optional<connection_bandwidth> parse_connection_bandwidth(std::string_view text) {
    connection_bandwidth out;
    std::optional<std::uint64_t> read, written;
    sort(text, out, [&](std::string_view keyword, std::string& value) {
        if (keyword == "ID") return assign_text(out.id, value);
        if (keyword == "TYPE") return assign_text(out.type, value);
        if (keyword == "READ") return assign_number(read, value);
        return keyword == "WRITTEN" && assign_number(written, value);
    });
    if (!read || !written) return {};
    out.read = *read;
    out.written = *written;
    return out;
}

std::optional<cell_statistics> parse_cell_statistics(std::string_view text) {
    cell_statistics out;
    sort(text, out, [&](std::string_view keyword, std::string& value) {
        if (keyword == "ID") return assign_text(out.id, value);
        for (auto& [name, side] : {std::pair<std::string_view, cell_statistics::direction*>{"Inbound", &out.inbound},
                                   {"Outbound", &out.outbound}}) {
            if (!keyword.starts_with(name)) continue;
            const auto what = keyword.substr(name.size());
            if (what == "Queue") return assign_text(side->queue, value);
            if (what == "Conn") return assign_text(side->connection, value);
            if (what == "Added") return assign_counts(side->added, value, ':');
            if (what == "Removed") return assign_counts(side->removed, value, ':');
            if (what == "Time") return assign_counts(side->time, value, ':');
        }
        return false;
    });
    return out;
}

std::optional<build_timeout> parse_build_timeout(std::string_view text) {
    build_timeout out;
    out.type = take_word(text);
    if (out.type.empty()) return {};
    sort(text, out, [&](std::string_view keyword, std::string& value) {
        if (keyword == "TOTAL_TIMES") return assign_number(out.total_times, value);
        if (keyword == "TIMEOUT_MS") return assign_number(out.timeout_ms, value);
        if (keyword == "XM") return assign_number(out.xm, value);
        if (keyword == "CLOSE_MS") return assign_number(out.close_ms, value);
        if (keyword == "ALPHA") return assign_number(out.alpha, value);
        if (keyword == "CUTOFF_QUANTILE") return assign_number(out.cutoff_quantile, value);
        if (keyword == "TIMEOUT_RATE") return assign_number(out.timeout_rate, value);
        return keyword == "CLOSE_RATE" && assign_number(out.close_rate, value);
    });
    return out;
}

std::optional<clients_seen> parse_clients_seen(std::string_view text) {
    clients_seen out;
    sort(text, out, [&](std::string_view keyword, std::string& value) {
        if (keyword == "TimeStarted") return assign_text(out.since, value);
        if (keyword == "CountrySummary") return assign_counts(out.countries, value, '=');
        return keyword == "IPVersions" && assign_counts(out.ip_versions, value, '=');
    });
    return out;
}

std::optional<transport_launched> parse_transport_launched(std::string_view text) {
    transport_launched out;
    out.type = take_word(text);
    out.name = take_word(text);
    out.address = take_word(text);
    const auto port = number<std::uint16_t>(take_word(text));
    if (!port) return {};
    out.port = *port;
    out.rest = parse_arguments(text);
    return out;
}

}  // namespace bento::control
