// Standard input as messages: a line each, without its end.
#pragma once

#include <bento/net/asio.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <optional>
#include <string>

namespace bento::cli {

/// Whether somebody may want to say something there: not where it is closed, /dev/null, or a terminal that another job
/// has.
bool has_input();

class line_input {
  public:
    explicit line_input(asio::any_io_executor executor);
    /// The next line; the last may have no end. base::errc::not_found at the end of the input, io, too_long.
    task<std::string> next();

  private:
    /// A pipe or a terminal; a regular file or /dev/null can always be read.
    std::optional<asio::posix::stream_descriptor> waits_;
    std::string buffer_;
    std::size_t scanned_ = 0;
    bool ended_ = false;
};

}  // namespace bento::cli
