// bentoctl directory: a Bento Function Directory, and its entries as files.
#include <bento/base/errc.hpp>
#include <bento/directory/directory.hpp>
#include <bento/host/directory.hpp>
#include <boost/json.hpp>

#include "caller.hpp"
#include "daemon.hpp"
#include "options.hpp"
#include "run.hpp"
#include "verbs.hpp"

namespace bento::cli {
namespace {

struct directory_options {
    bool no_onion = false;
    std::optional<endpoint> listen;
    std::string name;
};

result<config::settings> settings_of(const globals& g, const directory_options& o) {
    auto s = load_settings(g);
    if (s && o.listen) s->directory.listen = o.listen;
    if (s && s->directory.listen && !s->directory.listen->is_local())
        return error{config::errc::malformed, "the directory listens on this machine only"};
    return s;
}

task<int> serve_directory(const globals& g, const directory_options& o) {
    terminal out{g};
    auto s = settings_of(g, o);
    if (!s) co_return s.error();
    auto tor = tor_options(g, *s, "tor");
    if (!tor) co_return tor.error();
    host::directory_options options;
    options.state_directory = g.state_directory;
    options.settings = std::move(*s);
    options.tor = std::move(*tor);
    options.no_onion = o.no_onion;
    options.start_limit = g.timeout;
    if (!o.name.empty()) options.name = o.name;
    auto tell = told_on(out, g);
    tell.reconfigured = after_hangup([&] { return settings_of(g, o); });
    const auto ended = co_await host::run_directory(std::move(options), std::move(tell));
    if (!ended) co_return ended.error();
    co_return 0;
}

/// The store of the configuration; `must_exist`: it is not made.
result<std::unique_ptr<store::directory_store>> open_store(const globals& g, bool must_exist) {
    auto s = load_settings(g);
    if (!s) return s.error();
    host::options o;
    o.state_directory = g.state_directory;
    o.settings = std::move(*s);
    const auto path = host::directory_database(o);
    std::error_code failed;
    if (must_exist && !std::filesystem::exists(path, failed)) return error{base::errc::not_found, path.string()};
    std::filesystem::create_directories(path.parent_path(), failed);  // what fails here, opening tells
    return store::open_sqlite(path.string());
}

task<int> export_all(const globals& g, const std::filesystem::path& folder) {
    auto from = open_store(g, true);
    if (!from) co_return from.error();
    const auto count = co_await directory::export_entries(**from, folder);
    if (!count) co_return count.error();
    terminal out{g};
    if (g.json)
        out.line(boost::json::serialize(boost::json::object{{"entries", *count}}));
    else
        out.say(std::to_string(*count) + " entries written to " + folder.string());
    co_return 0;
}

task<int> import_all(const globals& g, const std::filesystem::path& folder) {
    auto into = open_store(g, false);
    if (!into) co_return into.error();
    const auto done = co_await directory::import_entries(**into, folder);
    if (!done) co_return done.error();
    terminal out{g};
    for (const auto& file : done->refused)
        out.warn(file);
    if (g.json)
        out.line(boost::json::serialize(boost::json::object{
            {"taken", done->taken}, {"present", done->present}, {"refused", boost::json::value_from(done->refused)}}));
    else
        out.say(std::to_string(done->taken) + " entries taken, " + std::to_string(done->present) + " were there");
    if (!done->refused.empty())
        co_return error{entry::errc::bad_signature, std::to_string(done->refused.size()) + " files were refused"};
    co_return 0;
}

using verb = task<int> (*)(const globals&, const std::filesystem::path&);
template <verb Verb>
runner declare_files(CLI::App& options) {
    auto folder = std::make_shared<std::filesystem::path>();
    options.add_option("DIR", *folder, "the folder of files, TOKEN.json each")->required();
    return [folder](const globals& g) { return run([&] { return Verb(g, *folder); }); };
}

}  // namespace

runner declare_directory(CLI::App& options) {
    auto o = std::make_shared<directory_options>();
    auto* no_onion = options.add_flag("--no-onion", o->no_onion, "listen only, without tor");
    add_endpoint(options, "--listen", o->listen, "where to listen (default: a socket of its own)");
    options.add_option("--name", o->name, "the host name it is published under by others (with --no-onion)")
        ->type_name("HOST")
        ->needs(no_onion);
    const auto chosen = std::make_shared<runner>();
    add_verb(options, chosen, "export", "write the entries, a JSON file a token", declare_files<export_all>);
    add_verb(options, chosen, "import", "take entries from such files", declare_files<import_all>);
    return [o, chosen](const globals& g) {
        if (*chosen) return (*chosen)(g);
        return run([&] { return serve_directory(g, *o); }, kind::daemon);
    };
}

}  // namespace bento::cli
