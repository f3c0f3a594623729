#include <bento/control/event.hpp>

#include "control/network_event.hpp"
#include "control/words.hpp"

namespace bento::control {
namespace {

constexpr std::array hs_desc_actions{
    named<hs_desc_action>{"UPLOAD", hs_desc_action::upload},
    named<hs_desc_action>{"UPLOADED", hs_desc_action::uploaded},
    named<hs_desc_action>{"FAILED", hs_desc_action::failed},
    named<hs_desc_action>{"REQUESTED", hs_desc_action::requested},
    named<hs_desc_action>{"RECEIVED", hs_desc_action::received},
    named<hs_desc_action>{"CREATED", hs_desc_action::created},
    named<hs_desc_action>{"IGNORE", hs_desc_action::ignored},
};
constexpr std::array circuit_statuses{
    named<circuit_status>{"LAUNCHED", circuit_status::launched},
    named<circuit_status>{"BUILT", circuit_status::built},
    named<circuit_status>{"GUARD_WAIT", circuit_status::guard_wait},
    named<circuit_status>{"EXTENDED", circuit_status::extended},
    named<circuit_status>{"FAILED", circuit_status::failed},
    named<circuit_status>{"CLOSED", circuit_status::closed},
};
constexpr std::array stream_statuses{
    named<stream_status>{"NEW", stream_status::created},
    named<stream_status>{"NEWRESOLVE", stream_status::create_resolve},
    named<stream_status>{"REMAP", stream_status::remap},
    named<stream_status>{"SENTCONNECT", stream_status::sent_connect},
    named<stream_status>{"SENTRESOLVE", stream_status::sent_resolve},
    named<stream_status>{"SUCCEEDED", stream_status::succeeded},
    named<stream_status>{"FAILED", stream_status::failed},
    named<stream_status>{"CLOSED", stream_status::closed},
    named<stream_status>{"DETACHED", stream_status::detached},
    named<stream_status>{"CONTROLLER_WAIT", stream_status::controller_wait},
    named<stream_status>{"XOFF_SENT", stream_status::xoff_sent},
    named<stream_status>{"XOFF_RECV", stream_status::xoff_received},
    named<stream_status>{"XON_SENT", stream_status::xon_sent},
    named<stream_status>{"XON_RECV", stream_status::xon_received},
};

/// The keywords of HS_DESC that have a member of their own.
bool assign(hs_desc& out, std::string_view keyword, std::string_view value) {
    if (keyword == "HSDIR_INDEX")
        out.hs_dir_index = value;
    else if (keyword == "REASON")
        out.reason = value;
    else if (keyword == "REPLICA")
        return (out.replica = number<std::uint32_t>(value)).has_value();
    else
        return false;
    return true;
}

hs_desc parse_hs_desc(std::string_view text) {
    hs_desc out;
    out.action_text = take_word(text);
    out.action = look_up(hs_desc_actions, out.action_text);
    out.address = take_word(text);
    out.auth_type = take_word(text);
    out.hs_dir = relay_name::parse(take_word(text));
    // UPLOADED has no descriptor id, and then no keyword may be taken for one.
    if (text.substr(0, text.find(' ')).find('=') == std::string_view::npos) out.descriptor_id = take_word(text);
    // HS_DESC comes in floods: plain arguments are read in place, and only what is quoted or foreign goes the long way.
    while (!text.empty()) {
        auto rest = text;
        const auto word = take_word(rest);
        const auto equals = std::min(word.find('='), word.size() - 1);
        const auto value = word.substr(equals + 1);
        if (value.starts_with('"') || !assign(out, word.substr(0, equals), value)) break;
        text = rest;
    }
    for (auto& a : parse_arguments(text))
        if (!assign(out, a.keyword, a.value)) out.rest.push_back(std::move(a));
    return out;
}

hs_desc_content parse_hs_desc_content(std::string_view text, const reply& r) {
    hs_desc_content out;
    out.address = take_word(text);
    out.descriptor_id = take_word(text);
    out.hs_dir = relay_name::parse(take_word(text));
    out.rest = parse_arguments(text);
    out.descriptor = r.lines.front().data.value_or("");
    return out;
}

status_event parse_status(std::string_view name, std::string_view text) {
    status_event out{.type = std::string{name}};
    out.severity = take_word(text);
    out.action = take_word(text);
    out.arguments = parse_arguments(text);
    return out;
}

/// What follows a circuit's id and status; `old` takes the keywords that CIRC_MINOR adds.
void parse_circuit_rest(std::string_view text, circuit_event& out, circuit_changed* old = nullptr) {
    // `$FP~nick,$FP~nick`; older tors write `$FP=nick`, which is no keyword. A circuit that was just launched has none.
    const auto first = text.substr(0, text.find(' '));
    if (first.starts_with('$') || first.find('=') == std::string_view::npos)
        split(take_word(text), ',', [&](std::string_view hop) { out.path.push_back(relay_name::parse(hop)); });
    static constexpr std::array<std::pair<std::string_view, std::string circuit_event::*>, 8> members{{
        {"PURPOSE", &circuit_event::purpose},
        {"HS_STATE", &circuit_event::hs_state},
        {"REND_QUERY", &circuit_event::rend_query},
        {"TIME_CREATED", &circuit_event::time_created},
        {"REASON", &circuit_event::reason},
        {"REMOTE_REASON", &circuit_event::remote_reason},
        {"SOCKS_USERNAME", &circuit_event::socks_username},
        {"SOCKS_PASSWORD", &circuit_event::socks_password},
    }};
    sort(text, members, out);
    std::erase_if(out.rest, [&](argument& a) {
        if (a.keyword == "BUILD_FLAGS")
            split(a.value, ',', [&](std::string_view flag) { out.build_flags.emplace_back(flag); });
        else if (old != nullptr && a.keyword == "OLD_PURPOSE")
            old->old_purpose = std::move(a.value);
        else if (old != nullptr && a.keyword == "OLD_HS_STATE")
            old->old_hs_state = std::move(a.value);
        else if (old != nullptr && a.keyword == "OLD_TIME_CREATED")
            old->old_time_created = std::move(a.value);
        else
            return false;
        return true;
    });
}

circuit_event parse_circuit(std::string_view text) {
    circuit_event out;
    out.id = take_word(text);
    out.status_text = take_word(text);
    out.status = look_up(circuit_statuses, out.status_text);
    parse_circuit_rest(text, out);
    return out;
}

circuit_changed parse_circuit_changed(std::string_view text) {
    circuit_changed out;
    out.circuit.id = take_word(text);
    out.change = take_word(text);
    parse_circuit_rest(text, out.circuit, &out);
    return out;
}

stream_event parse_stream(std::string_view text) {
    stream_event out;
    out.id = take_word(text);
    out.status_text = take_word(text);
    out.status = look_up(stream_statuses, out.status_text);
    out.circuit_id = take_word(text);
    out.target = take_word(text);
    static constexpr std::array<std::pair<std::string_view, std::string stream_event::*>, 7> members{{
        {"REASON", &stream_event::reason},
        {"REMOTE_REASON", &stream_event::remote_reason},
        {"SOURCE", &stream_event::source},
        {"SOURCE_ADDR", &stream_event::source_addr},
        {"PURPOSE", &stream_event::purpose},
        {"SOCKS_USERNAME", &stream_event::socks_username},
        {"SOCKS_PASSWORD", &stream_event::socks_password},
    }};
    sort(text, members, out);
    return out;
}

configuration_changed parse_configuration(const reply& r) {
    configuration_changed out;
    // The first line is the event's name, the last one an OK.
    for (std::size_t i = 1; i + 1 < r.lines.size(); ++i) {
        const std::string_view text = r.lines[i].text;
        const auto equals = text.find('=');
        if (equals == std::string_view::npos)
            out.options.emplace_back(text, std::nullopt);
        else
            out.options.emplace_back(text.substr(0, equals), config_value(text.substr(equals + 1)));
    }
    return out;
}

std::optional<bootstrap_phase> phase_of(const std::vector<argument>& arguments) {
    const auto progress = number<unsigned>(find(arguments, "PROGRESS"));
    if (!progress) return {};
    return bootstrap_phase{*progress, std::string{find(arguments, "TAG")}, std::string{find(arguments, "SUMMARY")},
                           std::string{find(arguments, "WARNING")}};
}

/// What does not have the form we know is told as it came.
other_event other(std::string_view name, std::string_view text, const reply& r) {
    return {std::string{name}, parse_arguments(text), r};
}

/// One word and nothing else.
std::optional<signal_received> parse_signal(std::string_view text) {
    if (text.empty() || text.find(' ') != std::string_view::npos) return {};
    return signal_received{std::string{text}};
}

std::optional<network_liveness> parse_liveness(std::string_view text) {
    const auto word = take_word(text);
    if (word != "UP" && word != "DOWN") return {};
    return network_liveness{word == "UP", parse_arguments(text)};
}

std::optional<bandwidth> parse_bandwidth(std::string_view text) {
    const auto read = number<std::uint64_t>(take_word(text));
    const auto written = number<std::uint64_t>(take_word(text));
    if (!read || !written) return {};
    return bandwidth{*read, *written, parse_arguments(text)};
}

template <class Event>
std::optional<Event> parse_relays(const reply& r) {
    auto relays = parse_router_statuses(r.lines.front().data.value_or(""));
    if (!relays || !r.lines.front().data) return {};
    return Event{std::move(*relays)};
}

/// Its result is what parse_event() returns: an event is moved once, into it.
using parser = result<event> (*)(std::string_view name, std::string_view text, const reply& r);

template <class Event>
result<event> known_or_other(std::optional<Event> parsed, std::string_view name, std::string_view text,
                             const reply& r) {
    if (!parsed) return other(name, text, r);
    return std::move(*parsed);
}

/// Of a function that needs the text alone.
template <auto Parse>
result<event> of_text(std::string_view name, std::string_view text, const reply& r) {
    if constexpr (requires { Parse(text).has_value(); })
        return known_or_other(Parse(text), name, text, r);
    else
        return Parse(text);
}

result<event> of_status(std::string_view name, std::string_view text, const reply&) { return parse_status(name, text); }
result<event> of_log(std::string_view name, std::string_view text, const reply& r) {
    const auto& data = r.lines.front().data;
    return log_message{std::string{name}, data ? *data : std::string{text}};
}
template <class Event>
result<event> of_relays(std::string_view name, std::string_view text, const reply& r) {
    return known_or_other(parse_relays<Event>(r), name, text, r);
}
result<event> of_descriptor(std::string_view, std::string_view text, const reply& r) {
    return parse_hs_desc_content(text, r);
}
result<event> of_configuration(std::string_view, std::string_view, const reply& r) { return parse_configuration(r); }
descriptor_changed parse_descriptor_changed(std::string_view text) { return {parse_arguments(text)}; }

/// The frequent ones first.
constexpr named<parser> parsers[] = {
    {"HS_DESC", of_text<parse_hs_desc>},
    {"CIRC", of_text<parse_circuit>},
    {"STREAM", of_text<parse_stream>},
    {"BW", of_text<parse_bandwidth>},
    {"DEBUG", of_log},
    {"INFO", of_log},
    {"NOTICE", of_log},
    {"WARN", of_log},
    {"ERR", of_log},
    {"CIRC_BW", of_text<parse_circuit_bandwidth>},
    {"STREAM_BW", of_text<parse_stream_bandwidth>},
    {"CONN_BW", of_text<parse_connection_bandwidth>},
    {"CELL_STATS", of_text<parse_cell_statistics>},
    {"CIRC_MINOR", of_text<parse_circuit_changed>},
    {"ORCONN", of_text<parse_or_connection>},
    {"HS_DESC_CONTENT", of_descriptor},
    {"STATUS_CLIENT", of_status},
    {"STATUS_GENERAL", of_status},
    {"STATUS_SERVER", of_status},
    {"ADDRMAP", of_text<parse_address_mapped>},
    {"GUARD", of_text<parse_guard_changed>},
    {"NEWDESC", of_text<parse_new_descriptors>},
    {"DESCCHANGED", of_text<parse_descriptor_changed>},
    {"NS", of_relays<relays_changed>},
    {"NEWCONSENSUS", of_relays<new_consensus>},
    {"BUILDTIMEOUT_SET", of_text<parse_build_timeout>},
    {"CLIENTS_SEEN", of_text<parse_clients_seen>},
    {"TRANSPORT_LAUNCHED", of_text<parse_transport_launched>},
    {"SIGNAL", of_text<parse_signal>},
    {"CONF_CHANGED", of_configuration},
    {"NETWORK_LIVENESS", of_text<parse_liveness>},
};

struct name_of {
    std::string_view operator()(const hs_desc&) const { return "HS_DESC"; }
    std::string_view operator()(const hs_desc_content&) const { return "HS_DESC_CONTENT"; }
    std::string_view operator()(const status_event& e) const { return e.type; }
    std::string_view operator()(const circuit_event&) const { return "CIRC"; }
    std::string_view operator()(const circuit_changed&) const { return "CIRC_MINOR"; }
    std::string_view operator()(const stream_event&) const { return "STREAM"; }
    std::string_view operator()(const or_connection&) const { return "ORCONN"; }
    std::string_view operator()(const bandwidth&) const { return "BW"; }
    std::string_view operator()(const stream_bandwidth&) const { return "STREAM_BW"; }
    std::string_view operator()(const circuit_bandwidth&) const { return "CIRC_BW"; }
    std::string_view operator()(const connection_bandwidth&) const { return "CONN_BW"; }
    std::string_view operator()(const cell_statistics&) const { return "CELL_STATS"; }
    std::string_view operator()(const build_timeout&) const { return "BUILDTIMEOUT_SET"; }
    std::string_view operator()(const guard_changed&) const { return "GUARD"; }
    std::string_view operator()(const new_descriptors&) const { return "NEWDESC"; }
    std::string_view operator()(const descriptor_changed&) const { return "DESCCHANGED"; }
    std::string_view operator()(const relays_changed&) const { return "NS"; }
    std::string_view operator()(const new_consensus&) const { return "NEWCONSENSUS"; }
    std::string_view operator()(const address_mapped&) const { return "ADDRMAP"; }
    std::string_view operator()(const clients_seen&) const { return "CLIENTS_SEEN"; }
    std::string_view operator()(const transport_launched&) const { return "TRANSPORT_LAUNCHED"; }
    std::string_view operator()(const signal_received&) const { return "SIGNAL"; }
    std::string_view operator()(const configuration_changed&) const { return "CONF_CHANGED"; }
    std::string_view operator()(const log_message& e) const { return e.severity; }
    std::string_view operator()(const network_liveness&) const { return "NETWORK_LIVENESS"; }
    std::string_view operator()(const other_event& e) const { return e.name; }
};

/// One of each line.
template <class Value>
std::vector<Value> parse_lines(std::string_view value, auto&& parse) {
    std::vector<Value> out;
    split(value, '\n', [&](std::string_view line) {
        if (!line.empty()) out.push_back(parse(line));
    });
    return out;
}

}  // namespace

std::optional<bootstrap_phase> bootstrap_phase_of(const status_event& e) {
    if (e.action != "BOOTSTRAP") return {};
    return phase_of(e.arguments);
}

std::optional<bootstrap_phase> parse_bootstrap_phase(std::string_view value) {
    return phase_of(parse_arguments(value));
}

result<event> parse_event(const reply& r) {
    if (!r.is_event()) return error{errc::unexpected_reply, "not an event"};
    std::string_view text = r.lines.front().text;
    const auto name = take_word(text);
    for (const auto& known : parsers)
        if (known.name == name) return known.value(name, text, r);
    return other(name, text, r);
}

std::string_view event_name(const event& e) { return std::visit(name_of{}, e); }

std::vector<circuit_event> parse_circuits(std::string_view value) {
    return parse_lines<circuit_event>(value, parse_circuit);
}
std::vector<stream_event> parse_streams(std::string_view value) {
    return parse_lines<stream_event>(value, parse_stream);
}
std::vector<or_connection> parse_or_connections(std::string_view value) {
    return parse_lines<or_connection>(value, [](std::string_view line) {
        return parse_or_connection(line).value_or(or_connection{.target = std::string{line}});
    });
}

}  // namespace bento::control
