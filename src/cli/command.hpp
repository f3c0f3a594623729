// What a subcommand is. The table of all of them is in commands.cpp; each has a file of its own.
#pragma once

#include <CLI/CLI.hpp>
#include <bento/base/endpoint.hpp>
#include <bento/base/error.hpp>
#include <bento/config/settings.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace bento::cli {

/// The options that every command takes (bentoctl(1)).
struct globals {
    std::optional<std::filesystem::path> config_file;
    std::filesystem::path state_directory;
    std::optional<endpoint> control;
    std::optional<endpoint> socks;
    std::vector<std::string> directories;  ///< instead of the configuration's
    std::chrono::milliseconds timeout = std::chrono::minutes{2};
    bool json = false;
    bool quiet = false;
    int verbosity = 0;
    enum class colour { automatic, always, never } use_colour = colour::automatic;
};

/// Does the work; returns the exit status where that is not plain success.
using runner = std::function<result<int>(const globals&)>;

struct command {
    const char* name;
    const char* summary;
    /// Adds the command's own options; what they are bound to lives in the runner.
    runner (*declare)(CLI::App& options);
};

/// All of them, in the order of the help.
std::span<const command> commands();

runner declare_serve(CLI::App& options);
runner declare_box(CLI::App& options);
runner declare_directory(CLI::App& options);
runner declare_store(CLI::App& options);
runner declare_exec(CLI::App& options);
runner declare_open(CLI::App& options);
runner declare_ps(CLI::App& options);
runner declare_attach(CLI::App& options);
runner declare_close(CLI::App& options);
runner declare_functions(CLI::App& options);
runner declare_register(CLI::App& options);
runner declare_reregister(CLI::App& options);
runner declare_unregister(CLI::App& options);
runner declare_lookup(CLI::App& options);
runner declare_rotate(CLI::App& options);
runner declare_status(CLI::App& options);
runner declare_onion(CLI::App& options);
runner declare_key(CLI::App& options);
runner declare_tor(CLI::App& options);
runner declare_config(CLI::App& options);
runner declare_doctor(CLI::App& options);
runner declare_testnet(CLI::App& options);
runner declare_demo(CLI::App& options);

}  // namespace bento::cli
