#include "options.hpp"

#include <stdlib.h>

#include <bento/base/file.hpp>
#include <bento/base/units.hpp>

namespace bento::cli {
namespace {

/// The most a token, a function id or a call in a file may hold.
constexpr std::size_t argument_file_limit = 1 << 20;

std::filesystem::path default_state_directory() {
    if (const char* state = ::getenv("XDG_STATE_HOME"); state != nullptr && *state == '/')
        return std::filesystem::path{state} / "bentoctl";
    if (const char* home = ::getenv("HOME"); home != nullptr && *home == '/')
        return std::filesystem::path{home} / ".local/state/bentoctl";
    return "/var/lib/bentoctl";
}

template <class Into, class Parse>
CLI::Option* add_parsed(CLI::App& app, const std::string& names, Into& into, const std::string& help, Parse parse,
                        const char* type) {
    return app
        .add_option_function<std::string>(
            names,
            [&into, parse, names](const std::string& text) {
                auto parsed = parse(text);
                if (!parsed) throw CLI::ValidationError{names, parsed.error().message()};
                into = std::move(*parsed);
            },
            help)
        ->type_name(type);
}

}  // namespace

CLI::Option* add_duration(CLI::App& app, const std::string& names, std::chrono::milliseconds& into,
                          const std::string& help) {
    return add_parsed(app, names, into, help, parse_duration, "DURATION");
}
CLI::Option* add_endpoint(CLI::App& app, const std::string& names, std::optional<endpoint>& into,
                          const std::string& help) {
    return add_parsed(app, names, into, help, endpoint::parse, "ENDPOINT");
}

void declare_globals(CLI::App& app, globals& g) {
    g.state_directory = default_state_directory();
    app.set_help_flag("-h,--help", "this help");
    app.set_version_flag("--version", "bentoctl " BENTO_VERSION, "the version");
    app.require_subcommand(1);
    app.fallthrough();
    app.option_defaults()->group("Options of every command");
    app.add_option("-c,--config", g.config_file, "configuration (default: none is needed)")->type_name("FILE");
    app.add_option("--state-dir", g.state_directory, "keys, functions and journal")->type_name("DIR");
    add_endpoint(app, "--control", g.control, "tor's control port (default: looked for, else a tor of our own)");
    add_endpoint(app, "--socks", g.socks, "tor's SOCKS port");
    app.add_option("--directory", g.directories, "a directory, instead of the configured ones; repeatable")
        ->type_name("ONION")
        ->allow_extra_args(false);
    add_duration(app, "--timeout", g.timeout, "give up after this long (default 2m)");
    app.add_flag("--json", g.json, "one JSON value on stdout");
    app.add_flag("-q,--quiet", g.quiet, "no progress, only warnings and errors");
    app.add_flag("-v,--verbose", g.verbosity, "say more");
    app.add_option_function<std::string>(
           "--color",
           [&g](const std::string& when) {
               g.use_colour = when == "always"  ? globals::colour::always
                              : when == "never" ? globals::colour::never
                                                : globals::colour::automatic;
           },
           "always, never or auto")
        ->check(CLI::IsMember({"always", "never", "auto"}))
        ->type_name("WHEN");
    app.option_defaults()->group("Options");
}

std::optional<std::filesystem::path> configuration_file(const globals& g) {
    if (g.config_file) return g.config_file;
    std::vector<std::filesystem::path> usual;
    if (const char* xdg = ::getenv("XDG_CONFIG_HOME"); xdg != nullptr && *xdg == '/')
        usual.emplace_back(std::filesystem::path{xdg} / "bentoctl/config.toml");
    else if (const char* home = ::getenv("HOME"); home != nullptr && *home == '/')
        usual.emplace_back(std::filesystem::path{home} / ".config/bentoctl/config.toml");
    usual.emplace_back("/etc/bentoctl/config.toml");
    for (const auto& file : usual) {
        std::error_code absent;
        if (std::filesystem::exists(file, absent)) return file;
    }
    return {};
}

result<config::settings> load_settings(const globals& g) {
    const auto file = configuration_file(g);
    auto s = file ? config::load(*file) : config::settings{};
    if (s && !g.directories.empty()) s->bfd.onions = g.directories;
    return s;
}

result<std::string> text_or_file(const std::string& argument) {
    if (argument.empty() || argument.front() != '@') return argument;
    auto text = read_file(argument.substr(1), argument_file_limit);
    if (text && text->ends_with('\n')) text->pop_back();
    return text;
}

}  // namespace bento::cli
