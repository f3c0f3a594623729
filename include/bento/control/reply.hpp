// Replies of tor's control protocol from bytes (control-spec section 2.3).
//
//   reply = *( NNN "-" text CRLF  |  NNN "+" text CRLF data "." CRLF )  NNN " " text CRLF
//
// Lines end with CRLF and nothing else: tor echoes a bare LF of a value inside a line. Whatever is no reply ends the
// connection, since what follows it could be forged (a value that holds a CRLF of its own).
#pragma once

#include <bento/control/errc.hpp>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bento::control {

/// How much of tor's bytes is kept. tor itself sets no limit.
struct limits {
    /// A line: the longest known is a GETINFO value of some 100 kB.
    std::size_t line = std::size_t{1} << 20;
    /// The data of one `+` line: a consensus has 3 MB, all router descriptors 20 MB.
    std::size_t data = std::size_t{64} << 20;
    /// All lines of a reply.
    std::size_t reply = std::size_t{128} << 20;
    /// Commands that wait for their replies.
    std::size_t pending = 4096;
};

struct reply_line {
    int status = 0;
    std::string text;                 ///< after the status and its separator
    std::optional<std::string> data;  ///< of a `+` line: without dot-stuffing, its lines ended by LF
};

struct reply {
    std::vector<reply_line> lines;  ///< never empty; the last one is the end line

    int status() const { return lines.back().status; }
    /// The text of the end line.
    const std::string& text() const { return lines.back().text; }
    /// Every line is a 2xx.
    bool ok() const;
    bool is_event() const { return lines.front().status / 100 == 6; }
};

class framer {
  public:
    explicit framer(limits l = {}) : limits_{l} {}

    /// Errors are final: errc::malformed_reply, reply_too_long, not_a_control_port. Replies that were complete before
    /// the error can still be taken.
    result<void> feed(std::string_view bytes);
    std::optional<reply> next();
    /// True between two replies.
    bool idle() const { return partial_.empty() && lines_.empty(); }

  private:
    result<void> take_line(std::string_view line);

    limits limits_;
    std::string partial_;  // a line whose CRLF has not come
    std::vector<reply_line> lines_;
    std::size_t size_ = 0;  // of the reply so far
    bool in_data_ = false;
    std::deque<reply> complete_;
    std::optional<error> failed_;
};

}  // namespace bento::control
