// How much of tor's bytes, and of what is meant for tor, this room keeps, and why. tor itself bounds nothing that it
// sends.
#pragma once

#include <cstddef>

namespace bento::control {

struct limits {
    /// A line: the longest known is a GETINFO value of some 100 kB. errc::line_too_long.
    std::size_t line = std::size_t{1} << 20;
    /// The data of one `+` line: a consensus has 3 MB, all router descriptors 20 MB. errc::data_too_long.
    std::size_t data = std::size_t{64} << 20;
    /// All lines of one reply with what keeping them takes, some 80 bytes each. errc::reply_too_long.
    std::size_t reply = std::size_t{128} << 20;
    /// Commands that wait for their replies. errc::too_many_pending.
    std::size_t pending = 4096;
    /// One command: tor answers a longer one with an error and closes (its MAX_COMMAND_LINE_LENGTH).
    /// errc::invalid_argument.
    std::size_t command = std::size_t{1} << 20;
    /// Commands that wait to be written, while tor does not read. errc::too_many_pending.
    std::size_t output = std::size_t{16} << 20;
    /// Events that wait for one subscriber; HS_DESC brings at most a few dozen a minute for each onion. Later ones are
    /// dropped, which is told as a gap.
    std::size_t events = 1024;
    /// The bytes of these, as tor sent them: a consensus is one event. One event alone may be larger.
    std::size_t event_bytes = std::size_t{16} << 20;
};

}  // namespace bento::control
