// The part of bentoctl doctor about tor: whether one can be reached and used, and where not, why.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bento/net/child.hpp>
#include <bento/tor/client.hpp>
#include <charconv>

#include "caller.hpp"
#include "doctor.hpp"
#include "terminal.hpp"

namespace bento::cli {
namespace {

namespace fs = std::filesystem;
using state = finding::state;

/// Each question to tor; it answers within milliseconds or not at all.
constexpr std::chrono::seconds limit{10};
constexpr auto at_control = "tor control";

time_point soon() { return clock::now() + limit; }

/// Proof-of-work defences came with 0.4.8.
bool knows_proof_of_work(std::string_view version) {
    std::array<unsigned, 3> numbers{};
    for (auto& n : numbers) {
        const auto [end, failed] = std::from_chars(version.data(), version.data() + version.size(), n);
        if (failed != std::errc{}) return false;
        version.remove_prefix(static_cast<std::size_t>(end - version.data()));
        if (!version.empty()) version.remove_prefix(1);
    }
    return numbers >= std::array<unsigned, 3>{0, 4, 8};
}

/// True where the program is there.
asio::awaitable<bool> examine_program(findings& to) {
    constexpr auto check = "tor program";
    net::child::options o;
    o.program = "tor";
    o.arguments = {"--version"};
    std::string no_input;
    auto ran = co_await net::run_program(std::move(o), std::move(no_input), soon());
    if (!ran || !ran->status.ok()) {
        to.push_back({check, state::warning, "tor is not installed: none can be started", "apt install tor"});
        co_return false;
    }
    to.push_back({check, state::fine, ran->out.substr(0, ran->out.find('\n'))});
    co_return true;
}

/// What PROTOCOLINFO says about how to authenticate, before it is tried.
void examine_methods(const control::protocol_info::reply_type& info, const endpoint& at, const tor::credentials& with,
                     findings& to) {
    if (info.null) {
        if (!at.is_unix())
            to.push_back({at_control, state::warning, "every program on this machine may control this tor",
                          "CookieAuthentication 1    (in torrc)"});
        return;
    }
    const bool by_cookie = info.cookie || info.safe_cookie;
    if (!by_cookie && info.hashed_password && !with.password_file)
        to.push_back({at_control, state::wrong, "this tor wants a password",
                      "password_file = \"FILE\"    (in bentoctl.toml, [tor])"});
    if (!by_cookie || with.password_file || info.cookie_file.empty()) return;
    auto cookie = explain_access("tor cookie", info.cookie_file, access::read);
    if (cookie.is != state::fine && cookie.fix.empty())
        cookie.fix =
            "CookieAuthFile /run/tor/control.authcookie and CookieAuthFileGroupReadable 1    (in torrc; the "
            "second is ignored without the first)";
    to.push_back(std::move(cookie));
}

struct option_rule {
    const char* name;
    const char* bad;
    state is;
    const char* why;
    const char* fix;
};
constexpr option_rule rules[] = {
    {"DisableNetwork", "1", state::wrong, "tor is kept off the network", "DisableNetwork 0    (in torrc)"},
    {"PublishHidServDescriptors", "0", state::wrong, "tor publishes no onion service: nobody can find one",
     "PublishHidServDescriptors 1    (in torrc)"},
    {"HiddenServiceNonAnonymousMode", "1", state::wrong, "the onion services of this tor do not hide where they are",
     "HiddenServiceNonAnonymousMode 0 and HiddenServiceSingleHopMode 0    (in torrc)"},
    {"SafeLogging", "0", state::warning, "tor writes addresses into its log", "SafeLogging 1    (in torrc)"},
};

asio::awaitable<void> examine_options(const tor::controller& control, findings& to) {
    std::vector<control::get_conf> ask;
    for (const auto& rule : rules)
        ask.push_back({{rule.name}});
    const auto answers = co_await control.execute_all(std::move(ask), soon());
    for (std::size_t i = 0; i < std::size(rules); ++i)
        if (const auto& a = answers[i]; a && !a->empty() && a->front().second == rules[i].bad)
            to.push_back({"tor options", rules[i].is, rules[i].why, rules[i].fix});
}

asio::awaitable<void> examine_socks(const endpoint& at, findings& to) {
    constexpr auto check = "tor socks";
    auto stream = co_await net::stream::connect(at, soon());
    if (!stream) {
        to.push_back({check, state::wrong, stream.error().message(), "SocksPort 9050    (in torrc)"});
        co_return;
    }
    stream->expires_at(soon());
    constexpr std::string_view greeting{"\5\1\0", 3};
    std::array<char, 2> answer{};
    const auto sent = co_await stream->write(greeting);
    std::size_t have = 0;
    while (sent && have < answer.size()) {
        const auto n = co_await stream->read_some(std::span{answer}.subspan(have));
        if (!n) break;
        have += *n;
    }
    if (have == answer.size() && answer == std::array{'\5', '\0'})
        to.push_back({check, state::fine, at.str()});
    else
        to.push_back({check, state::wrong, at.str() + " does not speak SOCKS5", "--socks must name tor's SocksPort"});
}

/// What a tor that we may control is like.
asio::awaitable<void> examine_running(const tor::controller& control, const endpoint& at, const config::settings& s,
                                      findings& to) {
    std::vector<std::string> keys{"version", "status/bootstrap-phase", "net/listeners/socks"};
    const auto got = co_await control.info(std::move(keys), soon());
    const auto value = [&](std::string_view key) {
        const auto& v = got.find(key)->second;
        return v ? *v : std::string{};
    };
    const auto version = value("version");
    to.push_back({at_control, state::fine, at.str() + ", tor " + version});
    using policy = config::settings::onion_settings::pow_policy;
    if (s.onion.pow != policy::off && !knows_proof_of_work(version))
        to.push_back({"tor version", s.onion.pow == policy::require ? state::wrong : state::warning,
                      "this tor knows no proof-of-work defences, which came with 0.4.8",
                      "pow = \"off\"    (in bentoctl.toml, [onion]), or a newer tor"});
    co_await examine_options(control, to);
    const auto phase = control::parse_bootstrap_phase(value("status/bootstrap-phase"));
    if (phase && phase->progress < 100)
        to.push_back({"tor network", state::wrong,
                      fmt::format("not reached yet: {}%, {}{}", phase->progress, phase->summary,
                                  phase->warning.empty() ? "" : " (" + phase->warning + ")"),
                      "is this machine online? bridges go into torrc"});
    else
        to.push_back({"tor network", state::fine, "reached"});
    const auto listeners = control::parse_listeners(value("net/listeners/socks"));
    if (!listeners || listeners->empty())
        to.push_back({"tor socks", state::warning, "this tor has no SOCKS port: nothing can be called through it",
                      "SocksPort 9050    (in torrc)"});
    else if (const auto socks = endpoint::parse(listeners->front()))
        co_await examine_socks(*socks, to);
}

/// False where nobody listens there.
asio::awaitable<bool> examine_control(const endpoint& at, const tor::credentials& with, const config::settings& s,
                                      findings& to) {
    auto stream = co_await net::stream::connect(at, soon());
    if (!stream) {
        if (!at.is_unix() || stream.error().peer != "Permission denied") co_return false;
        to.push_back(explain_access(at_control, at.path, access::connect));
        co_return true;
    }
    {
        const auto asked = tor::controller::attach(std::move(*stream));
        const auto info = co_await asked.execute(control::protocol_info{}, soon());
        if (!info) {
            to.push_back({at_control, state::wrong, at.str() + ": " + info.error().message(), hint_for(info.error())});
            co_return true;
        }
        examine_methods(*info, at, with, to);
    }
    if (std::any_of(to.begin(), to.end(), [](const finding& f) {
            return f.is == state::wrong && (f.check == at_control || f.check == "tor cookie");
        }))
        co_return true;
    const auto control = co_await tor::controller::connect(at, with, soon());
    if (control)
        co_await examine_running(*control, at, s, to);
    else
        to.push_back({at_control, state::wrong, control.error().message(), hint_for(control.error())});
    co_return true;
}

/// Debian confines the system's tor: it may connect to no unix socket but those of /run/tor.
void examine_confinement(const endpoint& control, const config::settings& s, findings& to) {
    const auto& listen = s.gateway.listen;
    std::error_code absent;
    if (!listen || !listen->is_unix() || listen->path.starts_with("/run/tor/") || !control.is_unix() ||
        !control.path.starts_with("/run/tor/") || !fs::exists("/etc/apparmor.d/system_tor", absent))
        return;
    to.push_back({"gateway", state::wrong, "AppArmor keeps the system's tor from " + listen->str(),
                  "listen = \"127.0.0.1:4711\"    (in bentoctl.toml, [gateway]), or leave it out"});
}

}  // namespace

asio::awaitable<void> examine_tor(const globals& g, const config::settings& s, findings& to) {
    using policy = config::settings::tor_settings::launch_policy;
    const bool installed = co_await examine_program(to);
    const auto named = g.control ? g.control : s.tor.control;
    if (s.tor.launch == policy::always && !named) {
        if (!installed) to.back().is = state::wrong;
        co_return;
    }
    tor::credentials with;
    with.password_file = s.tor.password_file;
    const auto candidates = named ? std::vector{*named} : tor::client::usual_controls();
    for (const auto& at : candidates)
        if (co_await examine_control(at, with, s, to)) {
            examine_confinement(at, s, to);
            co_return;
        }
    if (named || s.tor.launch == policy::never)
        to.push_back({at_control, state::wrong,
                      "no tor answers at " + (named ? named->str() : candidates.front().str()),
                      "ControlPort unix:/run/tor/control and CookieAuthentication 1    (in torrc), then restart tor"});
    else if (installed)
        to.push_back({at_control, state::fine, "no tor runs here; one is started where it is needed"});
    else
        to.push_back({at_control, state::wrong, "no tor runs here, and none can be started", "apt install tor"});
}

}  // namespace bento::cli
