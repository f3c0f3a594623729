// How much of a peer's bytes this room keeps, and why. A length in the Bento protocol can name 4 GiB; nothing is
// reserved for it in advance.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bento::wire {

/// A server keeps the whole body of one request or input a connection, never more. What is over the limit is refused
/// at its header and read past without being kept.
struct server_limits {
    /// The body of a Store or an Execute: 10 MB of code or call still fit, escaped as JSON.
    std::size_t request = std::size_t{16} << 20;
    /// The body of an Open: an id has 36 bytes, and what is no id is sent back once in the refusal.
    std::size_t open = std::size_t{4} << 10;
    /// The data of an Input: it goes to the function as one message, so it must be whole.
    std::size_t input = std::size_t{16} << 20;
};

/// A server's words (a refusal, what is said of a function) are one line; the rest of a longer one is dropped.
inline constexpr std::size_t max_words = std::size_t{4} << 10;
/// The text of a function's error is `str(exception)`: a page at most; the rest is dropped, the event says so.
inline constexpr std::size_t max_error_text = std::size_t{64} << 10;
/// Requests a client has sent and not seen answered, an unbroken run of inputs counting as one. Opens and closes are
/// not answered at all, so this bounds what is remembered of them.
inline constexpr std::size_t max_unanswered = 1024;
/// What a function message can carry: the length on the wire is 32 bits and counts the id.
inline constexpr std::uint32_t max_message_data = 0xffffffffU - 36;

/// A call is one line typed or built by a route; over a gateway its body ends at 1 MiB anyway.
inline constexpr std::size_t max_call_size = std::size_t{1} << 20;
/// Brackets within brackets, the call's own included: Python itself stops at 200, and our parser recurses.
inline constexpr unsigned max_call_depth = 64;
/// CPython refuses decimal integers with more digits (sys.set_int_max_str_digits), since reading them is quadratic.
inline constexpr std::size_t max_int_digits = 4300;

}  // namespace bento::wire
