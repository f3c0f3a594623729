// Where a function is and how it is reached: what store, exec and open share.
#pragma once

#include <bento/client/functions.hpp>
#include <bento/lookup/finder.hpp>
#include <bento/onion/address.hpp>
#include <bento/tor/client.hpp>
#include <memory>

#include "command.hpp"
#include "terminal.hpp"

namespace bento::cli {

struct where {
    std::string onion;
    std::optional<endpoint> server;
};
void declare_where(CLI::App& options, where& w);

/// TOKEN or TOKEN#FINGERPRINT, or @FILE with one.
result<entry::share> read_share(const std::string& argument);

/// The directory of a tor that is started for one command: kept between commands, for its guards and what it knows of
/// the network; a second command at the same time has one of its own, which goes with it.
class tor_directory {
  public:
    /// `usual`, or one beside it.
    explicit tor_directory(std::filesystem::path usual);
    tor_directory(const tor_directory&) = delete;
    tor_directory& operator=(const tor_directory&) = delete;
    ~tor_directory();

    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
    net::unique_fd lock_;
};

/// The server, and the tor that leads to it, for as long as this lives.
struct road {
    std::unique_ptr<tor_directory> directory;  // goes last
    std::unique_ptr<tor::client> tor;
    std::unique_ptr<lookup::finder> finder;
    std::unique_ptr<client::functions> functions;
};
/// Finds a tor, or starts one for the call. base::errc::malformed where neither --onion nor --server is given.
task<road> reach(const globals& g, terminal& out, const where& w, time_point deadline);

/// To the function of this token: where the options say, or where the directories do, and then to where it has moved
/// when it is not there any more. With `check_code` it runs only if its code is the entry's.
task<road> reach_function(const globals& g, terminal& out, const where& w, entry::share wanted, bool check_code,
                          time_point deadline);

/// A tor where a directory is an onion, and who asks them all.
task<road> reach_directories(const globals& g, terminal& out, time_point deadline);

/// The caller's or operator's tor, by options and configuration.
result<tor::client::options> tor_options(const globals& g, const config::settings& s, std::string_view folder);

}  // namespace bento::cli
