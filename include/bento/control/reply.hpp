// Replies of tor's control protocol from bytes (control-spec section 2.3).
//
//   reply = *( NNN "-" text CRLF  |  NNN "+" text CRLF data "." CRLF )  NNN " " text CRLF
//
// Lines end with CRLF and nothing else: tor echoes a bare LF of a value inside a line. Whatever is no reply ends the
// connection, since what follows it could be forged (a value that holds a CRLF of its own).
#pragma once

#include <bento/control/errc.hpp>
#include <bento/control/limits.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bento::control {

struct reply_line {
    int status = 0;                   ///< 100 to 999
    std::string text;                 ///< after the status and its separator
    std::optional<std::string> data;  ///< of a `+` line: without dot-stuffing, each of its lines ended by LF
};

struct reply {
    std::vector<reply_line> lines;  ///< never empty; the last one is the end line

    int status() const { return lines.back().status; }
    /// The text of the end line.
    const std::string& text() const { return lines.back().text; }
    /// Every line is a 2xx.
    bool ok() const;
    bool is_event() const { return lines.front().status / 100 == 6; }
    /// Bytes of text and data.
    std::size_t size() const {
        std::size_t out = 0;
        for (const auto& l : lines)
            out += l.text.size() + (l.data ? l.data->size() : 0);
        return out;
    }
};

class framer {
  public:
    explicit framer(limits l = {}) : limits_{l} {}

    /// Takes the bytes up to the end of one reply from the front of `bytes`, or all where they hold no end of one, and
    /// then gives nothing. Errors are final: errc::malformed_reply, line_too_long, data_too_long, reply_too_long,
    /// not_a_control_port. How the bytes are cut changes nothing; a wrong line is told at its first wrong byte.
    result<std::optional<reply>> next(std::string_view& bytes);
    /// True between two replies.
    bool idle() const { return partial_.empty() && lines_.empty(); }

  private:
    result<std::optional<reply>> take_reply(std::string_view& bytes);
    std::optional<std::string_view> next_line(std::string_view& bytes);
    /// True where it is the reply's last.
    result<bool> take_line(std::string_view line);
    result<void> take_data(std::string_view line);
    result<void> check_start(std::string_view start, bool whole) const;
    result<void> check_length(std::string_view line, bool whole) const;

    limits limits_;
    std::string partial_;  // a line whose CRLF has not come
    std::vector<reply_line> lines_;
    std::size_t size_ = 0;  // of the reply so far
    bool in_data_ = false;
    bool fresh_ = true;  // no line has come yet
    std::optional<error> failed_;
};

}  // namespace bento::control
