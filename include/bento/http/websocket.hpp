// The WebSocket protocol (RFC 6455), both sides: the handshake's fields, frames from bytes and to bytes.
//
// Strict: a client's frames are masked and a server's are not, no reserved bit is set, control frames are whole and
// short, lengths are minimal, text is UTF-8. No extension and no subprotocol is spoken.
#pragma once

#include <array>
#include <bento/http/message.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace bento::http::websocket {

inline constexpr std::string_view version = "13";
/// What a Ping, a Pong or a Close may carry (section 5.5).
inline constexpr std::size_t max_control = 125;

/// Sec-WebSocket-Accept for a Sec-WebSocket-Key (section 4.2.2).
std::string accept_key(std::string_view key);

struct refusal {
    int status;            ///< 400, 403 or 426, which wants `Upgrade` and `Sec-WebSocket-Version` fields
    std::string_view why;  ///< static
};
/// What is wrong with a client's opening handshake (section 4.2.1); nothing where the protocol may be switched. A page
/// of another origin is refused: a browser would let any page speak through it.
std::optional<refusal> check_handshake(const request_head& head);

/// Section 7.4.1.
enum class close_code : std::uint16_t {
    normal = 1000,
    going_away = 1001,
    protocol_error = 1002,
    unsupported = 1003,
    no_status = 1005,  ///< never sent: a Close without a code
    invalid_text = 1007,
    policy = 1008,
    too_big = 1009,
    internal = 1011,
};

enum class opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };
/// Random for each frame of a client, so that what it says cannot be chosen by who wrote the content (section 5.3).
using mask = std::array<std::uint8_t, 4>;

/// Appends one frame. Without a mask it is a server's. A message in pieces is begun by its type, `last` false, and goes
/// on with continuations.
void append_frame(std::string& out, opcode type, bool last, std::string_view payload, std::optional<mask> with = {});
/// The payload of a Close. `reason` is cut to what fits, at a character's border.
std::string close_payload(close_code code, std::string_view reason = {});

class receiver {
  public:
    enum class from { client, server };

    struct need_data {};
    /// A piece of a message; the control frames below may come between two. May be empty.
    struct data {
        bool text;
        std::string_view bytes;  ///< until the next feed() or next()
        bool last;               ///< the message ends with it
    };
    struct ping {
        std::string_view payload;  ///< to be sent back in a Pong
    };
    struct pong {};
    /// The peer is done: what comes after it does not count.
    struct closed {
        close_code code;
        std::string_view reason;
    };
    /// Final: say `code` and close.
    struct broken {
        close_code code;
        std::string_view why;  ///< static
    };
    using event = std::variant<need_data, data, ping, pong, closed, broken>;

    /// `limit`: of one message, over it `broken` with too_big, told at the header that passes it.
    receiver(from sender, std::uint64_t limit) : sender_{sender}, limit_{limit} {}

    void feed(std::string_view bytes);
    event next();

  private:
    event fail(close_code code, std::string_view why);
    std::optional<event> read_header();
    event read_control();
    event read_data();
    void unmask(std::size_t size);

    from sender_;
    std::uint64_t limit_;
    std::string in_;
    std::size_t used_ = 0;

    bool in_frame_ = false;
    bool ended_ = false;
    opcode type_ = opcode::binary;
    bool last_ = true;
    std::uint64_t left_ = 0;  ///< of the frame
    mask mask_{};
    std::size_t mask_at_ = 0;

    bool in_message_ = false;
    bool is_text_ = false;
    std::uint64_t message_size_ = 0;
    std::string character_;  ///< a UTF-8 sequence that has not ended
};

}  // namespace bento::http::websocket
