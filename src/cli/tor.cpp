// bentoctl tor: the control port at a terminal.
#include <fmt/format.h>

#include <algorithm>
#include <bento/base/errc.hpp>
#include <bento/base/file.hpp>

#include "control.hpp"
#include "input.hpp"
#include "tor_verbs.hpp"
#include "verbs.hpp"

namespace bento::cli {
namespace {

namespace json = boost::json;

/// A torrc is smaller.
constexpr std::size_t torrc_limit = 1 << 20;

// info

std::string text_of(const std::map<std::string, result<std::string>, std::less<>>& from, std::string_view key) {
    const auto found = from.find(key);
    return found != from.end() && found->second ? *found->second : std::string{};
}

std::string bytes(std::string_view digits) {
    double value = 0;
    for (const char c : digits)
        value = value * 10 + (c - '0');
    constexpr std::string_view units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    std::size_t unit = 0;
    for (; value >= 1024 && unit + 1 < std::size(units); ++unit)
        value /= 1024;
    return unit == 0 ? fmt::format("{:.0f} B", value) : fmt::format("{:.1f} {}", value, units[unit]);
}

task<int> show_info(control_session& s) {
    std::vector<std::string> keys{
        "version",        "status/bootstrap-phase", "network-liveness",    "dormant",
        "uptime",         "circuit-status",         "stream-status",       "orconn-status",
        "traffic/read",   "traffic/written",        "net/listeners/socks", "net/listeners/control",
        "onions/current", "onions/detached",        "config-file",         "process/pid"};
    const auto got = co_await s.control.info(keys, s.deadline);
    if (const auto& version = got.at("version"); !version) co_return version.error();
    const auto text = [&](std::string_view key) { return text_of(got, key); };
    const auto phase = control::parse_bootstrap_phase(text("status/bootstrap-phase"));
    const auto circuits = control::parse_circuits(text("circuit-status"));
    const auto built = std::count_if(circuits.begin(), circuits.end(),
                                     [](const auto& c) { return c.status == control::circuit_status::built; });
    const auto streams = control::parse_streams(text("stream-status"));
    const auto connections = control::parse_or_connections(text("orconn-status"));
    const auto listeners = [&](std::string_view key) {
        auto read = control::parse_listeners(text(key));
        return read ? std::move(*read) : std::vector<std::string>{};
    };
    const auto socks = listeners("net/listeners/socks");
    const auto controls = listeners("net/listeners/control");
    const auto detached = text("onions/detached");
    const auto onions = static_cast<std::size_t>(std::count(detached.begin(), detached.end(), '\n')) +
                        (detached.empty() || detached.ends_with('\n') ? 0U : 1U);
    if (s.g.json) {
        json::value bootstrap;
        if (phase) bootstrap = json::object{{"progress", phase->progress}, {"summary", phase->summary}};
        s.out.line(
            json::serialize(json::object{{"version", text("version")},
                                         {"bootstrap", bootstrap},
                                         {"network", text("network-liveness")},
                                         {"dormant", text("dormant") == "1"},
                                         {"uptime_seconds", std::strtoull(text("uptime").c_str(), nullptr, 10)},
                                         {"circuits", json::object{{"built", built}, {"all", circuits.size()}}},
                                         {"streams", streams.size()},
                                         {"connections", connections.size()},
                                         {"read", std::strtoull(text("traffic/read").c_str(), nullptr, 10)},
                                         {"written", std::strtoull(text("traffic/written").c_str(), nullptr, 10)},
                                         {"socks", json::array(socks.begin(), socks.end())},
                                         {"control", json::array(controls.begin(), controls.end())},
                                         {"detached_onions", onions},
                                         {"config_file", text("config-file")},
                                         {"pid", std::strtoull(text("process/pid").c_str(), nullptr, 10)}}));
        co_return 0;
    }
    const auto row = [&](std::string_view name, const std::string& value) {
        if (!value.empty()) s.out.line(fmt::format("{:<12}{}", name, value));
    };
    row("version", text("version"));
    if (phase) {
        row("bootstrap", fmt::format("{}% {}", phase->progress, phase->summary));
        row("warning", phase->warning);
    }
    row("network", text("network-liveness") + (text("dormant") == "1" ? ", dormant" : ""));
    row("uptime", text("uptime").empty() ? "" : text("uptime") + " s");
    row("circuits", fmt::format("{} built of {}", built, circuits.size()));
    row("streams", std::to_string(streams.size()));
    row("relays", fmt::format("connected to {}", connections.size()));
    row("traffic", fmt::format("{} read, {} written", bytes(text("traffic/read")), bytes(text("traffic/written"))));
    row("socks", fmt::format("{}", fmt::join(socks, " ")));
    row("control", fmt::format("{}", fmt::join(controls, " ")));
    row("onions", fmt::format("{} detached", onions));
    row("config", text("config-file"));
    row("pid", text("process/pid"));
    co_return 0;
}

runner declare_info(CLI::App&) {
    return [](const globals& g) { return with_control(g, show_info); };
}

// get

task<int> get(control_session& s, std::vector<std::string> keys) {
    const auto got = co_await s.control.info(keys, s.deadline);
    std::optional<error> failed;
    json::object object;
    for (const auto& key : keys) {
        const auto& value = got.find(key)->second;
        if (!value) {
            s.out.fail(error{value.error().code, key, value.error().peer});
            if (!failed) failed = value.error();
        } else if (s.g.json) {
            object[key] = *value;
        } else if (keys.size() == 1) {
            s.out.data(*value);
            if (!value->ends_with('\n')) s.out.data("\n");
        } else {
            s.out.line(key + "=" + (value->find('\n') != std::string::npos ? "\n" : "") + *value);
        }
    }
    if (s.g.json) s.out.line(json::serialize(object));
    if (failed && failed->code == control::errc::disconnected) co_return *failed;
    co_return failed ? 5 : 0;
}

runner declare_get(CLI::App& options) {
    auto keys = std::make_shared<std::vector<std::string>>();
    options.add_option("KEY", *keys, "as version, circuit-status, net/listeners/socks; info/names lists them")
        ->required();
    return [keys](const globals& g) { return with_control(g, [keys](control_session& s) { return get(s, *keys); }); };
}

// conf

struct conf_options {
    std::vector<std::string> options;
    bool reset = false;
    bool save = false;
    std::string load;
};
using option_value = std::pair<std::string, std::optional<std::string>>;

task<int> show_conf(control_session& s, std::vector<std::string> names) {
    control::get_conf ask;
    ask.keys = std::move(names);
    const auto got = co_await s.control.execute(std::move(ask), s.deadline);
    if (!got) co_return got.error();
    if (s.g.json) {
        json::object out;
        for (const auto& [key, value] : *got) {
            auto& list = out[key].is_array() ? out[key].get_array() : out[key].emplace_array();
            if (value) list.emplace_back(*value);
        }
        s.out.line(json::serialize(out));
        co_return 0;
    }
    for (const auto& [key, value] : *got)
        s.out.line(value ? key + " " + *value : key);
    co_return 0;
}

task<control::done> change(control_session& s, std::vector<option_value> options, bool reset) {
    if (reset) {
        control::reset_conf c{std::move(options)};
        co_return co_await s.control.execute(std::move(c), s.deadline);
    }
    control::set_conf c{std::move(options)};
    co_return co_await s.control.execute(std::move(c), s.deadline);
}

task<int> conf(control_session& s, const conf_options& o) {
    if (!o.load.empty()) {
        auto text = read_file(o.load, torrc_limit);
        if (!text) co_return text.error();
        control::load_conf whole{std::move(*text)};
        const auto loaded = co_await s.control.execute(std::move(whole), s.deadline);
        if (!loaded) co_return loaded.error();
    }
    std::vector<option_value> set;
    std::vector<std::string> show;
    for (const auto& one : o.options) {
        const auto equals = one.find('=');
        if (equals != std::string::npos)
            set.emplace_back(one.substr(0, equals), one.substr(equals + 1));
        else if (o.reset)
            set.emplace_back(one, std::nullopt);
        else
            show.push_back(one);
    }
    if (!set.empty() && !show.empty())
        co_return error{base::errc::malformed, show.front() + ": an option is shown or set, not both at once"};
    if (!set.empty()) {
        const auto changed = co_await change(s, std::move(set), o.reset);
        if (!changed) co_return changed.error();
    }
    if (o.save) {
        const auto saved = co_await s.control.execute(control::save_conf{}, s.deadline);
        if (!saved) co_return saved.error();
    }
    if (!show.empty()) co_return co_await show_conf(s, std::move(show));
    if (!o.options.empty() || o.save || !o.load.empty()) co_return 0;
    std::vector<std::string> all{"config-text"};
    co_return co_await get(s, std::move(all));
}

runner declare_conf(CLI::App& options) {
    auto o = std::make_shared<conf_options>();
    options.add_option("OPTION", o->options,
                       "an option to show, or OPTION=VALUE to set; none: all that are not default");
    options.add_flag("--reset", o->reset, "set the options to their defaults");
    options.add_option("--load", o->load, "take this torrc in place of the whole configuration")->type_name("FILE");
    options.add_flag("--save", o->save, "write the configuration to tor's torrc");
    return [o](const globals& g) { return with_control(g, [o](control_session& s) { return conf(s, *o); }); };
}

// signal

task<int> send_signal(control_session& s, std::string name) {
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    control::signal c{std::move(name)};
    const auto sent = co_await s.control.execute(std::move(c), s.deadline);
    if (!sent) co_return sent.error();
    co_return 0;
}

runner declare_signal(CLI::App& options) {
    auto name = std::make_shared<std::string>();
    options.add_option("NAME", *name, "RELOAD, NEWNYM, CLEARDNSCACHE, HEARTBEAT, DORMANT, ACTIVE, SHUTDOWN, HALT, ...")
        ->required();
    return [name](const globals& g) {
        return with_control(g, [name](control_session& s) { return send_signal(s, *name); });
    };
}

// raw

task<int> send_raw(control_session& s, std::string line) {
    control::raw command{std::move(line)};
    if (command.line.starts_with('+')) {
        line_input data{co_await asio::this_coro::executor};
        for (;;) {
            const auto one = co_await data.next();
            if (!one && one.error().code == base::errc::not_found) break;
            if (!one) co_return one.error();
            command.data += *one + '\n';
        }
    }
    const auto answer = co_await s.control.execute(std::move(command), s.deadline);
    if (!answer) co_return answer.error();
    print_reply(s.out, *answer, s.g.json);
    if (answer->ok()) co_return 0;
    const auto code = control::refusal(*answer).code;
    co_return code == control::errc::unrecognized ? 5 : 4;
}

runner declare_raw(CLI::App& options) {
    auto words = std::make_shared<std::vector<std::string>>();
    options
        .add_option("COMMAND", *words, "sent as it is, its words joined by a space; with + its data is standard input")
        ->required();
    return [words](const globals& g) {
        return with_control(
            g, [words](control_session& s) { return send_raw(s, fmt::format("{}", fmt::join(*words, " "))); });
    };
}

}  // namespace

void print_reply(const terminal& out, const control::reply& r, bool as_json) {
    if (as_json) {
        json::array lines;
        for (const auto& l : r.lines) {
            json::object o{{"status", l.status}, {"text", l.text}};
            if (l.data) o["data"] = *l.data;
            lines.push_back(std::move(o));
        }
        return out.line(json::serialize(lines));
    }
    for (std::size_t i = 0; i < r.lines.size(); ++i) {
        const auto& l = r.lines[i];
        out.line(fmt::format("{}{}{}", l.status, l.data ? '+' : i + 1 < r.lines.size() ? '-' : ' ', l.text));
        if (l.data) out.data(*l.data + ".\n");
    }
}

runner declare_tor(CLI::App& options) {
    const auto chosen = std::make_shared<runner>();
    add_verb(options, chosen, "info", "version, bootstrap, circuits, traffic", declare_info);
    add_verb(options, chosen, "get", "values of GETINFO", declare_get);
    add_verb(options, chosen, "conf", "show, set, reset, load and save options", declare_conf);
    add_verb(options, chosen, "signal", "send a signal", declare_signal);
    add_verb(options, chosen, "events", "follow events, typed", declare_tor_events);
    add_verb(options, chosen, "circuits", "the circuits", declare_tor_circuits);
    add_verb(options, chosen, "streams", "the streams", declare_tor_streams);
    add_verb(options, chosen, "raw", "send one line, print what tor says", declare_raw);
    add_verb(options, chosen, "prompt", "speak with tor, with history and completion", declare_tor_prompt);
    return run_chosen(options, chosen);
}

}  // namespace bento::cli
