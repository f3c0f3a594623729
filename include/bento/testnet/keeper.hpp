// A private network that outlives the command that started it: a process of its own keeps it, and is asked and ended
// over DIR/testnet.sock.
#pragma once

#include <bento/testnet/network.hpp>
#include <vector>

namespace bento::testnet {

/// Where the network of a directory is, and how it is.
struct description {
    std::filesystem::path directory;
    access client, host;
    std::size_t running = 0;  ///< processes of it that run
    std::size_t of = 0;

    /// One line; from_json gives errc::start_failed for what is none of ours.
    std::string to_json() const;
    static result<description> from_json(std::string_view text);
};

/// Starts a network in a process of its own, which stays. Cancelled, or with an error, nothing is left behind.
task<description> keep(options o, std::function<void(progress)> tell, time_point deadline);
/// errc::not_running where no network runs in the directory.
task<description> ask(const std::filesystem::path& directory, time_point deadline);
/// Returns when every process has ended and every file is gone.
task<void> end(const std::filesystem::path& directory, time_point deadline);

}  // namespace bento::testnet
