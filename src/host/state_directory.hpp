// The state directory: its lock and its onion keys.
//
//   STATE/lock                     held by the one server that runs on it
//   STATE/onions/SERVICE_ID        a key in tor's own format, mode 0600
//   STATE/rotation.json            which of them is the current one (rotation::journal)
//   STATE/functions/TOKEN.json     the box's store
//   STATE/owner                    the owner secret, mode 0600
//   STATE/registrations.json       what is registered where
//   STATE/bentoctl.sock            where the operator's commands ask
//   STATE/directory*.db            a directory's entries, and its passwords
//   STATE/*.sock                   sockets of a server that runs
//   STATE/tor                      the data directory of a tor of our own
#pragma once

#include <bento/host/daemon.hpp>
#include <bento/net/child.hpp>
#include <bento/onion/address.hpp>
#include <chrono>
#include <map>

namespace bento::host {

struct key_file {
    onion::secret_key key;
    std::chrono::sys_seconds written;
};

class state_directory {
  public:
    /// errc::in_use, or errc::state with what cannot be done.
    static result<state_directory> open(const std::filesystem::path& path);

    /// The key of a daemon that has one onion: the one that is there, or a new one.
    result<onion::secret_key> onion_key() const;
    /// The key of one that is there.
    result<onion::secret_key> key_of(const onion::address& address) const;
    /// The keys of its onions. What a crash left of one half written is removed. errc::state for one that is not the
    /// key of its name.
    result<std::map<onion::address, key_file>> onion_keys() const;
    /// A path for a unix socket; nothing where it would be too long for one.
    std::optional<endpoint> socket(std::string_view name) const;
    std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

  private:
    std::filesystem::path path_;
    net::unique_fd lock_;
};

}  // namespace bento::host
