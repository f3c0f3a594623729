#include "caller.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <bento/base/encoding.hpp>
#include <bento/base/errc.hpp>
#include <bento/base/file.hpp>

#include "options.hpp"

namespace bento::cli {
namespace {

/// Bridges and their like.
constexpr std::size_t torrc_limit = 1 << 20;

/// Nothing where another call has it, or where it cannot be made, which the start of a tor in it tells better.
net::unique_fd lock_directory(const std::filesystem::path& directory) {
    std::error_code ignored;
    std::filesystem::create_directories(directory, ignored);
    std::filesystem::permissions(directory, std::filesystem::perms::owner_all, ignored);
    net::unique_fd out{::open((directory / "in-use").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    if (out && ::flock(out.get(), LOCK_EX | LOCK_NB) != 0) out.reset();
    return out;
}

/// An onion that is not reached in this time is tried by another circuit, and may have moved.
constexpr std::chrono::seconds connect_limit{30};

/// Calls of different processes use different circuits: what two of them ask for is not to be linked.
net::isolation own_circuit() { return {"bentoctl-call", uuid4::generate().str()}; }

}  // namespace

tor_directory::tor_directory(std::filesystem::path usual) : path_{std::move(usual)}, lock_{lock_directory(path_)} {
    if (!lock_) path_ += "-" + std::to_string(::getpid());
}

tor_directory::~tor_directory() {
    if (lock_) return;
    std::error_code ignored;  // what is left is an empty cache
    std::filesystem::remove_all(path_, ignored);
}

void declare_where(CLI::App& options, where& w) {
    auto* onion = options.add_option("--onion", w.onion, "the onion address of the server")->type_name("ADDRESS");
    auto* server =
        add_endpoint(options, "--server", w.server, "a server that speaks the Bento protocol, on this machine");
    onion->excludes(server);
}

result<tor::client::options> tor_options(const globals& g, const config::settings& s, std::string_view folder) {
    using policy = config::settings::tor_settings::launch_policy;
    tor::client::options o;
    o.control = g.control ? g.control : s.tor.control;
    o.socks = g.socks ? g.socks : s.tor.socks;
    o.with.password_file = s.tor.password_file;
    o.own = s.tor.launch == policy::always  ? tor::client::launch::always
            : s.tor.launch == policy::never ? tor::client::launch::never
                                            : tor::client::launch::automatic;
    o.directory = g.state_directory / folder;
    if (s.tor.torrc) {
        auto lines = read_file(*s.tor.torrc, torrc_limit);
        if (!lines) return lines.error();
        o.torrc = std::move(*lines);
    }
    return o;
}

namespace {

/// tor's SOCKS port; `r` holds what was started for it.
task<endpoint> find_tor(const globals& g, const config::settings& s, terminal& out, road& r, time_point deadline) {
    auto o = tor_options(g, s, "caller-tor");
    if (!o) co_return o.error();
    r.directory = std::make_unique<tor_directory>(o->directory);
    o->directory = r.directory->path();
    r.tor = std::make_unique<tor::client>(std::move(*o), [&out](unsigned percent, std::string_view) {
        out.progress("starting a tor for this call", percent);
    });
    auto socks = co_await r.tor->socks(deadline);
    out.progress_done();
    co_return socks;
}

web::road road_to(const endpoint& socks, const onion::address& onion, const config::settings& s) {
    web::road out;
    out.socks = socks;
    out.isolation = own_circuit();
    out.host = onion.host();
    out.port = s.onion.port;
    out.connect_limit = connect_limit;
    return out;
}

result<std::unique_ptr<lookup::finder>> finder_by(const globals& g, const config::settings& s, endpoint socks) {
    lookup::finder::options o;
    for (const auto& text : s.bfd.onions) {
        auto at = lookup::address::parse(text);
        if (!at) return at.error();
        o.directories.push_back(std::move(*at));
    }
    o.known = g.state_directory / "known";
    o.max_stale = s.bfd.max_stale;
    // Another circuit for each look-up and each directory: two tokens that one caller asks for are not to be linked.
    o.road_to = [socks = std::move(socks)](const lookup::address& a) {
        return a.road(socks, {"bentoctl-lookup", uuid4::generate().str()});
    };
    return std::make_unique<lookup::finder>(std::move(o));
}

/// Where it is now.
task<web::road> moved_to(lookup::finder* finder, entry::share wanted, endpoint socks, const config::settings* s,
                         time_point deadline) {
    const auto found = co_await finder->ask(std::move(wanted), deadline);
    if (!found) co_return found.error();
    co_return road_to(socks, found->entry.onion, *s);
}

}  // namespace

result<entry::share> read_share(const std::string& argument) {
    const auto text = text_or_file(argument);
    if (!text) return text.error();
    auto out = entry::share::parse(*text);
    if (!out) return error{out.error().code, "the token: " + out.error().detail};
    return out;
}

task<road> reach(const globals& g, terminal& out, const where& w, time_point deadline) {
    road r;
    if (w.server) {
        if (!w.server->is_local())
            co_return error{base::errc::malformed, "--server is on another machine: only an onion hides you from it"};
        r.functions = client::at_server(*w.server);
        co_return std::move(r);
    }
    if (w.onion.empty()) co_return error{base::errc::malformed, "--onion or --server must say where the function is"};
    const auto address = onion::address::parse(w.onion);
    if (!address) co_return address.error();
    const auto settings = load_settings(g);
    if (!settings) co_return settings.error();
    const auto socks = co_await find_tor(g, *settings, out, r, deadline);
    if (!socks) co_return socks.error();
    r.functions = client::through_gateway(road_to(*socks, *address, *settings));
    co_return std::move(r);
}

task<road> reach_function(const globals& g, terminal& out, const where& w, entry::share wanted, bool check_code,
                          time_point deadline) {
    if (!w.onion.empty() || w.server) {
        if (check_code)
            co_return error{base::errc::malformed,
                            "--check-code compares with the directories' entry: leave --onion away"};
        co_return co_await reach(g, out, w, deadline);
    }
    road r;
    const auto settings = std::make_shared<const result<config::settings>>(load_settings(g));
    if (!*settings) co_return settings->error();
    const auto& s = **settings;
    if (s.bfd.onions.empty()) co_return lookup::errc::none_configured;
    const auto socks = co_await find_tor(g, s, out, r, deadline);
    if (!socks) co_return socks.error();
    auto finder = finder_by(g, s, *socks);
    if (!finder) co_return finder.error();
    r.finder = std::move(*finder);
    const auto found = co_await r.finder->find(wanted, deadline);
    if (!found) co_return found.error();
    for (const auto& text : found->warnings)
        out.warn(text);
    client::gateway_options o;
    o.moved = [finder = r.finder.get(), wanted, socks = *socks, settings](time_point until) {
        return moved_to(finder, wanted, socks, &**settings, until);
    };
    if (check_code) o.code_sha256 = hex_encode(found->entry.code_sha256);
    r.functions = client::through_gateway(road_to(*socks, found->entry.onion, s), std::move(o));
    co_return std::move(r);
}

task<road> reach_directories(const globals& g, terminal& out, time_point deadline) {
    road r;
    const auto settings = load_settings(g);
    if (!settings) co_return settings.error();
    if (settings->bfd.onions.empty()) co_return lookup::errc::none_configured;
    endpoint socks;
    for (const auto& text : settings->bfd.onions) {
        const auto at = lookup::address::parse(text);
        if (!at) co_return at.error();
        if (at->local || r.tor) continue;
        const auto found = co_await find_tor(g, *settings, out, r, deadline);
        if (!found) co_return found.error();
        socks = *found;
    }
    auto finder = finder_by(g, *settings, socks);
    if (!finder) co_return finder.error();
    r.finder = std::move(*finder);
    co_return std::move(r);
}

}  // namespace bento::cli
