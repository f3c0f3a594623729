#include "caller.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

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

/// Calls of different processes use different circuits: what two of them ask for is not to be linked.
net::isolation own_circuit() { return {"bentoctl-call", uuid4::generate().str()}; }

}  // namespace

road::~road() {
    if (!temporary || directory.empty()) return;
    functions.reset();
    tor.reset();
    std::error_code ignored;  // what is left is an empty cache
    std::filesystem::remove_all(directory, ignored);
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
    auto settings = load_settings(g);
    if (!settings) co_return settings.error();
    auto o = tor_options(g, *settings, "caller-tor");
    if (!o) co_return o.error();
    r.directory = o->directory;
    r.lock = lock_directory(r.directory);
    if (!r.lock) {
        r.temporary = true;
        r.directory += "-" + std::to_string(::getpid());
        o->directory = r.directory;
    }
    r.tor = std::make_unique<tor::client>(std::move(*o), [&out](unsigned percent, std::string_view) {
        out.progress("starting a tor for this call", percent);
    });
    auto socks = co_await r.tor->socks(deadline);
    out.progress_done();
    if (!socks) co_return socks.error();
    web::road to;
    to.socks = *socks;
    to.isolation = own_circuit();
    to.host = address->host();
    to.port = settings->onion.port;
    r.functions = client::through_gateway(std::move(to));
    co_return std::move(r);
}

}  // namespace bento::cli
