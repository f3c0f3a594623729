#include <algorithm>
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
Number number(std::string_view text) {
    Number out = 0;
    std::from_chars(text.data(), text.data() + text.size(), out);
    return out;
}

hs_desc_action action_of(std::string_view text) {
    using enum hs_desc_action;
    if (text == "UPLOAD") return upload;
    if (text == "UPLOADED") return uploaded;
    if (text == "FAILED") return failed;
    if (text == "REQUESTED") return requested;
    if (text == "RECEIVED") return received;
    if (text == "CREATED") return created;
    if (text == "IGNORE") return ignored;
    return unknown;
}

hs_desc parse_hs_desc(std::string_view text) {
    hs_desc out;
    out.action_text = take_word(text);
    out.action = action_of(out.action_text);
    out.address = take_word(text);
    out.auth_type = take_word(text);
    out.hs_dir = relay_name::parse(take_word(text));
    bool first = true;
    for (auto& a : parse_arguments(text)) {
        if (a.keyword.empty() && std::exchange(first, false))
            out.descriptor_id = std::move(a.value);
        else if (a.keyword == "REASON")
            out.reason = std::move(a.value);
        else if (a.keyword == "HSDIR_INDEX")
            out.hs_dir_index = std::move(a.value);
        else
            out.rest.push_back(std::move(a));
    }
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

configuration_changed parse_configuration(const reply& r) {
    configuration_changed out;
    for (std::size_t i = 1; i < r.lines.size(); ++i) {
        const auto& text = r.lines[i].text;
        if (i + 1 == r.lines.size() && text == "OK") break;
        const auto equals = text.find('=');
        if (equals == std::string::npos)
            out.options.emplace_back(text, std::nullopt);
        else
            out.options.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    return out;
}

std::optional<bootstrap_phase> phase_of(const std::vector<argument>& arguments) {
    const auto progress = find(arguments, "PROGRESS");
    if (progress.empty()) return {};
    return bootstrap_phase{number<unsigned>(progress), std::string{find(arguments, "TAG")},
                           std::string{find(arguments, "SUMMARY")}, std::string{find(arguments, "WARNING")}};
}

bool is_log(std::string_view name) {
    return name == "DEBUG" || name == "INFO" || name == "NOTICE" || name == "WARN" || name == "ERR";
}

struct name_of {
    std::string_view operator()(const hs_desc&) const { return "HS_DESC"; }
    std::string_view operator()(const hs_desc_content&) const { return "HS_DESC_CONTENT"; }
    std::string_view operator()(const status_event& e) const { return e.type; }
    std::string_view operator()(const bandwidth&) const { return "BW"; }
    std::string_view operator()(const signal_received&) const { return "SIGNAL"; }
    std::string_view operator()(const configuration_changed&) const { return "CONF_CHANGED"; }
    std::string_view operator()(const log_message& e) const { return e.severity; }
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
    std::string_view text = r.lines.front().text;
    const std::string name{take_word(text)};
    if (name == "HS_DESC") return parse_hs_desc(text);
    if (name == "HS_DESC_CONTENT") return parse_hs_desc_content(text, r);
    if (name == "STATUS_CLIENT" || name == "STATUS_GENERAL" || name == "STATUS_SERVER") {
        status_event out{name};
        out.severity = take_word(text);
        out.action = take_word(text);
        out.arguments = parse_arguments(text);
        return out;
    }
    if (name == "BW") {
        const auto read = number<std::uint64_t>(take_word(text));
        return bandwidth{read, number<std::uint64_t>(take_word(text))};
    }
    if (name == "SIGNAL") return signal_received{std::string{take_word(text)}};
    if (name == "CONF_CHANGED") return parse_configuration(r);
    if (is_log(name)) return log_message{name, r.lines.front().data ? *r.lines.front().data : std::string{text}};
    return other_event{name, parse_arguments(text), r};
}

std::string_view event_name(const event& e) { return std::visit(name_of{}, e); }

}  // namespace bento::control
