#include <algorithm>
#include <array>
#include <bento/control/event.hpp>
#include <charconv>

namespace bento::control {
namespace {

std::string_view take_word(std::string_view& text) {
    const auto end = std::min(text.find(' '), text.size());
    const auto word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return word;
}

template <class Number>
std::optional<Number> number(std::string_view text) {
    Number out = 0;
    const auto end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, out);
    if (read.ec != std::errc{} || read.ptr != end) return {};
    return out;
}

template <class Value>
struct named {
    std::string_view name;
    Value value;
};

template <class Value, std::size_t Size>
Value look_up(const std::array<named<Value>, Size>& table, std::string_view name) {
    const auto found = std::find_if(table.begin(), table.end(), [name](const auto& n) { return n.name == name; });
    return found == table.end() ? Value::unknown : found->value;
}

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

/// Moves the value of each keyword that the event knows to its member; the others go to `rest`.
template <class Event, std::size_t Size>
void sort(std::string_view text, const std::array<std::pair<std::string_view, std::string Event::*>, Size>& members,
          Event& out) {
    for (auto& a : parse_arguments(text)) {
        const auto found = std::find_if(members.begin(), members.end(),
                                        [&](const auto& m) { return !a.keyword.empty() && m.first == a.keyword; });
        if (found == members.end())
            out.rest.push_back(std::move(a));
        else
            out.*(found->second) = std::move(a.value);
    }
}

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

circuit_event parse_circuit(std::string_view text) {
    circuit_event out;
    out.id = take_word(text);
    out.status_text = take_word(text);
    out.status = look_up(circuit_statuses, out.status_text);
    // `$FP~nick,$FP~nick`; older tors write `$FP=nick`, which is no keyword. A circuit that was just launched has none.
    const auto first = text.substr(0, text.find(' '));
    if (first.starts_with('$') || first.find('=') == std::string_view::npos) {
        auto path = take_word(text);
        while (!path.empty()) {
            const auto hop = path.substr(0, path.find(','));
            out.path.push_back(relay_name::parse(hop));
            path.remove_prefix(std::min(hop.size() + 1, path.size()));
        }
    }
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
    const auto found =
        std::find_if(out.rest.begin(), out.rest.end(), [](const argument& a) { return a.keyword == "BUILD_FLAGS"; });
    if (found == out.rest.end()) return out;
    for (std::string_view left = found->value; !left.empty();) {
        const auto flag = left.substr(0, left.find(','));
        out.build_flags.emplace_back(flag);
        left.remove_prefix(std::min(flag.size() + 1, left.size()));
    }
    out.rest.erase(found);
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

bool is_log(std::string_view name) {
    return name == "DEBUG" || name == "INFO" || name == "NOTICE" || name == "WARN" || name == "ERR";
}

other_event parse_other(std::string_view name, std::string_view text, const reply& r) {
    return {std::string{name}, parse_arguments(text), r};
}

struct name_of {
    std::string_view operator()(const hs_desc&) const { return "HS_DESC"; }
    std::string_view operator()(const hs_desc_content&) const { return "HS_DESC_CONTENT"; }
    std::string_view operator()(const status_event& e) const { return e.type; }
    std::string_view operator()(const circuit_event&) const { return "CIRC"; }
    std::string_view operator()(const stream_event&) const { return "STREAM"; }
    std::string_view operator()(const bandwidth&) const { return "BW"; }
    std::string_view operator()(const signal_received&) const { return "SIGNAL"; }
    std::string_view operator()(const configuration_changed&) const { return "CONF_CHANGED"; }
    std::string_view operator()(const log_message& e) const { return e.severity; }
    std::string_view operator()(const network_liveness&) const { return "NETWORK_LIVENESS"; }
    std::string_view operator()(const other_event& e) const { return e.name; }
};

}  // namespace

relay_name relay_name::parse(std::string_view text) {
    relay_name out;
    if (!text.starts_with('$')) {
        if (text != "UNKNOWN") out.nickname = text;
        return out;
    }
    text.remove_prefix(1);
    const auto end = std::min(text.find_first_of("~="), text.size());
    out.fingerprint = text.substr(0, end);
    out.nickname = text.substr(std::min(end + 1, text.size()));
    return out;
}

std::optional<bootstrap_phase> bootstrap_phase_of(const status_event& e) {
    if (e.action != "BOOTSTRAP") return {};
    return phase_of(e.arguments);
}

std::optional<bootstrap_phase> parse_bootstrap_phase(std::string_view value) {
    return phase_of(parse_arguments(value));
}

result<event> parse_event(const reply& r) {
    if (!r.is_event()) return error{errc::unexpected_reply, "not an event"};
    const auto& first = r.lines.front();
    std::string_view text = first.text;
    const auto name = take_word(text);
    if (name == "HS_DESC") return parse_hs_desc(text);
    if (name == "HS_DESC_CONTENT") return parse_hs_desc_content(text, r);
    if (name == "STATUS_CLIENT" || name == "STATUS_GENERAL" || name == "STATUS_SERVER") return parse_status(name, text);
    if (name == "CIRC") return parse_circuit(text);
    if (name == "STREAM") return parse_stream(text);
    if (name == "CONF_CHANGED") return parse_configuration(r);
    if (is_log(name)) return log_message{std::string{name}, first.data ? *first.data : std::string{text}};
    // What does not have the form we know is told as it came.
    auto rest = text;
    const auto word = take_word(rest);
    if (name == "SIGNAL" && !word.empty() && rest.empty()) return signal_received{std::string{word}};
    if (name == "NETWORK_LIVENESS" && (word == "UP" || word == "DOWN")) return network_liveness{word == "UP"};
    if (name == "BW") {
        const auto read = number<std::uint64_t>(word);
        const auto written = number<std::uint64_t>(take_word(rest));
        if (read && written) return bandwidth{*read, *written};
    }
    return parse_other(name, text, r);
}

std::string_view event_name(const event& e) { return std::visit(name_of{}, e); }

}  // namespace bento::control
