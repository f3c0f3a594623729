// Rotations of a server's onion, as those who ask for one see them.
#pragma once

#include <bento/config/settings.hpp>
#include <bento/rotation/machine.hpp>

namespace bento::host {

/// Why a rotation waits.
struct rotation_trouble {
    std::string sentence;               ///< for a person
    std::chrono::milliseconds again{};  ///< until the next attempt
};

/// How a rotation ended.
struct rotation_outcome {
    onion::address before;
    onion::address now;
    std::size_t tokens = 0;
    std::vector<std::string> behind;  ///< directories that do not know of it yet
    std::string sentence;             ///< why, where there are such
};

rotation::policy rotation_policy(const config::settings& s);

/// What a rotation does, a sentence a step.
std::vector<std::string> rotation_steps(const rotation::journal& j, const rotation::request& r,
                                        const rotation::policy& p, std::optional<std::size_t> tokens,
                                        std::size_t directories);

/// The journal of a state directory on which no server runs. errc::in_use where one does; rotation::errc::no_onion,
/// corrupted; errc::state.
result<rotation::journal> read_rotation(const std::filesystem::path& state_directory, const rotation::policy& p);
/// The same, and writes the request into it: the next server does it as it starts. What rotation::ask says.
result<void> leave_request(const std::filesystem::path& state_directory, const rotation::request& r,
                           const rotation::policy& p);

}  // namespace bento::host
