// Frames of the Bento protocol (the public reference implementation of SIGCOMM 2021): big-endian, no magic, no version.
//
//   request           type u8, length u32, body                       client to server
//   response          type u8, status u8, length u32, body            server to client, in the order of the requests
//   function message  type u8, length u32 = 36 + n, id, n data bytes  both ways
//
// A server reads headers of 5 bytes only. A client must tell two kinds apart: a response has 6 bytes, a function
// message 5. What a server may answer decides it: responses repeat the type of a request (0x00 to 0x03, or 0x07 for an
// input that came too late), function messages are 0x04 to 0x06. A client that sends no other types never loses step.
#pragma once

#include <array>
#include <bento/base/uuid4.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace bento::wire {

enum class type : std::uint8_t {
    store = 0x00,    ///< request: JSON {"name", "code"}; response: a token
    execute = 0x01,  ///< request: JSON {"call", "token"}; response: a function id
    open = 0x02,     ///< request: a function id; a response only where it fails
    close = 0x03,    ///< request: a function id; never a response where a function is open
    notice = 0x04,   ///< the server's word on the open function ("FunctionErr" in the reference)
    error = 0x05,    ///< the text of a function's exception, may be empty
    output = 0x06,   ///< one message of a function
    input = 0x07,    ///< one message for a function
};

constexpr std::uint8_t byte_of(type t) { return static_cast<std::uint8_t>(t); }
/// 0x04 to 0x06: from a server, these have the header of a function message; every other type that of a response.
constexpr bool is_function_message(std::uint8_t type_byte) {
    return type_byte >= byte_of(type::notice) && type_byte <= byte_of(type::output);
}

/// The words of the reference server, which its clients may compare.
namespace words {
inline constexpr std::string_view invalid_request = "invalid request";
inline constexpr std::string_view invalid_token = "invalid token";
inline constexpr std::string_view no_instance = "no instance exists with id: ";  ///< and the id
inline constexpr std::string_view function_dead = "function dead";
inline constexpr std::string_view invalid_message = "invalid msg type";
}  // namespace words

/// Whole frames. std::length_error where the length does not fit its 32 bits: callers have limits far below.
std::string encode_request(type t, std::string_view body);
std::string encode_response(std::uint8_t request_type, bool refused, std::string_view body);
std::string encode_message(type t, const uuid4& id, std::string_view data);
/// The 41 bytes before `size` bytes of data, which the caller sends itself, in pieces as they come, nothing in between.
std::string encode_message_header(type t, const uuid4& id, std::size_t size);

/// Splits a stream into frames without keeping bodies: a frame of 4 GiB needs no memory.
class frame_reader {
  public:
    enum class from { client, server };

    struct need_data {};  ///< all that was fed is consumed
    struct begin {
        std::uint8_t type = 0;
        std::uint8_t status = 0;   ///< of a response: 0 done, 1 refused; else 0
        std::uint32_t length = 0;  ///< of the body, a function message's id included
    };
    struct data {
        std::string_view bytes;  ///< never empty; into what was fed
    };
    struct end {};
    using event = std::variant<need_data, begin, data, end>;

    explicit frame_reader(from peer) : peer_{peer} {}

    /// Lends `bytes`, which must stay where they are until next() returns need_data; not to be called before that.
    void feed(std::string_view bytes);
    /// Pieces of data have at most `most` bytes, so that a reader can stop between two fields of a body.
    event next(std::size_t most = std::string_view::npos);
    /// True where a stream may end.
    bool between_frames() const { return state_ == state::header && have_ == 0 && left_.empty(); }

  private:
    enum class state { header, body };
    std::size_t header_size() const;

    from peer_;
    state state_ = state::header;
    std::array<std::uint8_t, 6> header_{};
    std::size_t have_ = 0;
    std::uint32_t body_left_ = 0;
    std::string_view left_;
};

}  // namespace bento::wire
