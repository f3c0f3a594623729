// A Bento Function Directory as a daemon: its database, its HTTP, and the onion it is reached by.
#pragma once

#include <bento/host/daemon.hpp>
#include <bento/store/directory_store.hpp>

namespace bento::host {

struct directory_options : options {
    /// What its users call it where somebody else publishes it, a torrc or Onionbalance; unset: what it listens on. An
    /// onion of its own is its name.
    std::optional<std::string> name;
};

/// The database that the configuration names, or the one in the state directory.
std::filesystem::path directory_database(const options& o);

/// Runs until cancelled. Errors are those of the start: errc, store::errc, tor::errc, control::errc, net::errc.
task<void> run_directory(directory_options o, observer tell);

}  // namespace bento::host
