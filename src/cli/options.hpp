// Options that several commands share, and how their values are checked.
#pragma once

#include "command.hpp"

namespace bento::cli {

void declare_globals(CLI::App& app, globals& g);

/// Binds an option to a duration or an endpoint; a wrong value is a usage error that says what was expected.
CLI::Option* add_duration(CLI::App& app, const std::string& names, std::chrono::milliseconds& into,
                          const std::string& help);
CLI::Option* add_endpoint(CLI::App& app, const std::string& names, std::optional<endpoint>& into,
                          const std::string& help);

/// The text itself, or, for `@FILE`, the content of FILE without its last line end: what must not stand in argv.
result<std::string> text_or_file(const std::string& argument);

/// The file that was named, or the first of the usual ones that exists.
std::optional<std::filesystem::path> configuration_file(const globals& g);
/// The configuration that was named, or the first of the usual ones that exists, or the defaults; with what the
/// options of every command say instead.
result<config::settings> load_settings(const globals& g);

}  // namespace bento::cli
