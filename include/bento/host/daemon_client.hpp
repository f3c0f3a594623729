// Asks the daemon that runs on a state directory, over its socket STATE/bentoctl.sock.
#pragma once

#include <bento/host/errc.hpp>
#include <bento/web/http_client.hpp>
#include <boost/json/object.hpp>
#include <filesystem>

namespace bento::host {

/// The socket's name in a state directory.
inline constexpr std::string_view socket_name = "bentoctl.sock";

class daemon_client {
  public:
    explicit daemon_client(const std::filesystem::path& state_directory);

    /// What it answers to this question, such as `status` or `register`. An error that the daemon met comes back as
    /// what it was; errc::not_running where nobody answers, malformed.
    task<boost::json::object> ask(std::string question, boost::json::object with, time_point deadline);

  private:
    std::string path_;
    std::optional<endpoint> at_;
};

}  // namespace bento::host
