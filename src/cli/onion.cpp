// bentoctl onion: ephemeral onion services for any target, and what tor knows of them.
#include <fmt/format.h>

#include <algorithm>
#include <bento/base/file.hpp>
#include <bento/tor/descriptor.hpp>

#include "control.hpp"
#include "onion_verbs.hpp"
#include "verbs.hpp"

namespace bento::cli {
namespace {

namespace json = boost::json;

/// The file `hostname` of a service in torrc.
constexpr std::size_t hostname_limit = 256;

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> out;
    while (!text.empty()) {
        const auto line = text.substr(0, text.find('\n'));
        if (!line.empty()) out.emplace_back(line);
        text.remove_prefix(std::min(line.size() + 1, text.size()));
    }
    return out;
}

// list

/// A service that stands in tor's configuration.
struct configured {
    std::string directory;
    std::vector<std::string> ports;
    std::string onion;  // where its file may be read
};

task<std::vector<configured>> configured_services(control_session& s) {
    control::get_conf ask;
    ask.keys.emplace_back("HiddenServiceOptions");
    const auto got = co_await s.control.execute(std::move(ask), s.deadline);
    if (!got) co_return got.error();
    std::vector<configured> out;
    for (const auto& [key, value] : *got) {
        if (!value) continue;
        if (key == "HiddenServiceDir") {
            auto name = read_file(std::filesystem::path{*value} / "hostname", hostname_limit);
            out.push_back({*value, {}, name ? name->substr(0, name->find('\n')) : std::string{}});
        } else if (key == "HiddenServicePort" && !out.empty()) {
            out.back().ports.push_back(*value);
        }
    }
    co_return out;
}

task<int> list(control_session& s) {
    std::vector<std::string> keys{"onions/detached"};
    const auto got = co_await s.control.info(std::move(keys), s.deadline);
    const auto& detached = got.begin()->second;
    if (!detached) co_return detached.error();
    const auto in_torrc = co_await configured_services(s);
    if (!in_torrc) co_return in_torrc.error();
    if (s.g.json) {
        json::array out;
        for (const auto& id : lines_of(*detached))
            out.push_back(json::object{{"onion", id + ".onion"}, {"kind", "detached"}});
        for (const auto& c : *in_torrc) {
            json::object o{{"onion", nullptr}, {"kind", "torrc"}, {"directory", c.directory}};
            if (!c.onion.empty()) o["onion"] = c.onion;
            o["ports"] = json::array(c.ports.begin(), c.ports.end());
            out.push_back(std::move(o));
        }
        s.out.line(json::serialize(out));
        co_return 0;
    }
    for (const auto& id : lines_of(*detached))
        s.out.line(id + ".onion  detached");
    for (const auto& c : *in_torrc)
        s.out.line(fmt::format("{}  torrc  {}  {}", c.onion.empty() ? "(its hostname may not be read)" : c.onion,
                               c.directory, fmt::join(c.ports, ", ")));
    co_return 0;
}

// show

/// What the outer layer of a descriptor tells to everybody (rend-spec-v3 section 2.4).
struct outer_layer {
    std::string lifetime, revision;
    std::size_t size = 0;
};
outer_layer read_outer_layer(std::string_view text) {
    outer_layer out;
    out.size = text.size();
    for (const auto& line : lines_of(text)) {
        constexpr std::string_view lifetime = "descriptor-lifetime ", revision = "revision-counter ";
        if (line.starts_with(lifetime)) out.lifetime = line.substr(lifetime.size());
        if (line.starts_with(revision)) out.revision = line.substr(revision.size());
    }
    return out;
}

std::size_t count_circuits(const std::vector<control::circuit_event>& all, const std::string& id,
                           std::string_view purpose, std::string_view state) {
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const control::circuit_event& c) {
        return c.rend_query == id && c.purpose == purpose && c.hs_state == state;
    }));
}

task<int> show(control_session& s, std::string text) {
    const auto address = onion::address::parse(text);
    if (!address) co_return address.error();
    const auto& id = address->service_id();
    const auto own = "hs/service/desc/id/" + id, cached = "hs/client/desc/id/" + id;
    std::vector<std::string> keys{"onions/detached", "circuit-status", own, cached};
    const auto got = co_await s.control.info(std::move(keys), s.deadline);
    const auto value = [&](const std::string& key) {
        const auto& v = got.find(key)->second;
        return v ? *v : std::string{};  // what tor does not have is not told
    };
    if (const auto& first = got.find("circuit-status")->second; !first) co_return first.error();
    const auto circuits = control::parse_circuits(value("circuit-status"));
    const bool detached = value("onions/detached").find(id) != std::string::npos;
    const auto published = value(own), fetched = value(cached);
    const auto intro = count_circuits(circuits, id, "HS_SERVICE_INTRO", "HSSI_ESTABLISHED");
    const auto rendezvous = count_circuits(circuits, id, "HS_SERVICE_REND", "HSSR_JOINED");
    const bool here = detached || !published.empty() || intro > 0;
    if (!here && fetched.empty())
        co_return error{control::errc::no_such_onion, "this tor neither hosts it nor has fetched its descriptor"};
    const auto layer = read_outer_layer(published.empty() ? fetched : published);
    if (s.g.json) {
        json::object o{{"onion", address->host()},     {"hosted", here},           {"detached", detached},
                       {"introduction_points", intro}, {"rendezvous", rendezvous}, {"descriptor", nullptr}};
        if (layer.size > 0)
            o["descriptor"] =
                json::object{{"lifetime_seconds", 60 * std::strtoull(layer.lifetime.c_str(), nullptr, 10)},
                             {"revision", std::strtoull(layer.revision.c_str(), nullptr, 10)},
                             {"size", layer.size}};
        s.out.line(json::serialize(o));
        co_return 0;
    }
    const auto row = [&](std::string_view name, const std::string& what) {
        s.out.line(fmt::format("{:<14}{}", name, what));
    };
    row("onion", address->host());
    row("hosted", here ? detached ? "by this tor, detached" : "by this tor" : "elsewhere; its descriptor was fetched");
    if (here) {
        row("introductions", fmt::format("{} points established", intro));
        row("rendezvous", fmt::format("{} callers", rendezvous));
    }
    if (layer.size > 0)
        row("descriptor",
            fmt::format("revision {}, {} bytes, valid for {} minutes", layer.revision, layer.size, layer.lifetime));
    else
        row("descriptor", "none yet");
    co_return 0;
}

runner declare_show(CLI::App& options) {
    auto address = std::make_shared<std::string>();
    options.add_option("ADDRESS", *address, "of a service that this tor hosts, or has called")->required();
    return [address](const globals& g) {
        return with_control(g, [address](control_session& s) { return show(s, *address); });
    };
}

// del

task<int> del(control_session& s, std::string text) {
    const auto address = onion::address::parse(text);
    if (!address) co_return address.error();
    control::del_onion c;
    c.service_id = address->service_id();
    const auto gone = co_await s.control.execute(std::move(c), s.deadline);
    if (!gone) co_return gone.error();
    co_return 0;
}

runner declare_del(CLI::App& options) {
    auto address = std::make_shared<std::string>();
    options.add_option("ADDRESS", *address, "of a detached service")->required();
    return [address](const globals& g) {
        return with_control(g, [address](control_session& s) { return del(s, *address); });
    };
}

// fetch

struct fetch_options {
    std::string address;
    std::vector<std::string> hs_dirs;
};
task<int> fetch(control_session& s, const fetch_options& o) {
    const auto address = onion::address::parse(o.address);
    if (!address) co_return address.error();
    const auto got = co_await tor::fetch_descriptor(s.control, *address, o.hs_dirs, s.deadline);
    if (!got) co_return got.error();
    if (!s.g.json) {
        s.out.data(got->text);
        co_return 0;
    }
    s.out.line(json::serialize(json::object{{"onion", address->host()},
                                            {"hs_dir", got->hs_dir.fingerprint},
                                            {"descriptor_id", got->descriptor_id},
                                            {"descriptor", got->text}}));
    co_return 0;
}

runner declare_fetch(CLI::App& options) {
    auto o = std::make_shared<fetch_options>();
    options.add_option("ADDRESS", o->address, "of any onion service")->required();
    options.add_option("--hsdir", o->hs_dirs, "ask this HSDir, and others so named (default: tor chooses)")
        ->type_name("FINGERPRINT");
    return [o](const globals& g) { return with_control(g, [o](control_session& s) { return fetch(s, *o); }); };
}

}  // namespace

runner declare_onion(CLI::App& options) {
    const auto chosen = std::make_shared<runner>();
    add_verb(options, chosen, "list", "those that this tor keeps: detached ones and its configuration's",
             [](CLI::App&) -> runner { return [](const globals& g) { return with_control(g, list); }; });
    add_verb(options, chosen, "add", "publish what listens on this machine", declare_onion_add);
    add_verb(options, chosen, "show", "what this tor knows of one", declare_show);
    add_verb(options, chosen, "del", "end a detached one", declare_del);
    add_verb(options, chosen, "fetch", "its descriptor, as its callers fetch it", declare_fetch);
    return run_chosen(options, chosen);
}

}  // namespace bento::cli
