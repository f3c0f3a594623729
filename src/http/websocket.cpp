#include <nettle/sha1.h>

#include <algorithm>
#include <bento/base/encoding.hpp>
#include <bento/http/problem.hpp>
#include <bento/http/websocket.hpp>

#include "fields.hpp"
#include "utf8.hpp"

namespace bento::http::websocket {
namespace {

/// Section 1.3: what both sides append to the key.
constexpr std::string_view accept_salt = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::size_t key_size = 16;
/// What was read is removed from the buffer when this much has gathered, not each time.
constexpr std::size_t compact_at = 16 * 1024;
constexpr std::uint8_t last_bit = 0x80, reserved_bits = 0x70, opcode_bits = 0x0f, masked_bit = 0x80, length_bits = 0x7f;
constexpr std::uint8_t length_16 = 126, length_64 = 127;

bool is_control(opcode type) { return static_cast<std::uint8_t>(type) >= 8; }
bool is_known(std::uint8_t type) { return type <= 2 || (type >= 8 && type <= 10); }

/// What may stand in a Close (section 7.4): those defined and not reserved for the machine, and the free ranges.
bool may_be_sent(unsigned code) {
    return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
           (code >= 3000 && code <= 4999);
}

std::size_t count(const std::vector<field>& fields, std::string_view name) {
    return static_cast<std::size_t>(
        std::count_if(fields.begin(), fields.end(), [&](const field& f) { return same_text(f.name, name); }));
}
bool any_has_token(const std::vector<field>& fields, std::string_view name, std::string_view token) {
    return std::any_of(fields.begin(), fields.end(),
                       [&](const field& f) { return same_text(f.name, name) && has_token(f.value, token); });
}

}  // namespace

std::string accept_key(std::string_view key) {
    const auto text = std::string{key} + std::string{accept_salt};
    sha1_ctx context;
    sha1_init(&context);
    sha1_update(&context, text.size(), as_byte_view(text).data());
    std::array<std::uint8_t, SHA1_DIGEST_SIZE> digest{};
    sha1_digest(&context, digest.size(), digest.data());
    return base64_encode(digest);
}

std::optional<refusal> check_handshake(const request_head& head) {
    if (!any_has_token(head.fields, "Upgrade", "websocket")) return refusal{426, "this path speaks WebSocket"};
    if (head.minor == 0) return refusal{400, "WebSocket begins with HTTP/1.1"};
    if (!any_has_token(head.fields, "Connection", "upgrade")) return refusal{400, "Connection does not name Upgrade"};
    if (count(head.fields, "Sec-WebSocket-Version") != 1 || find(head.fields, "Sec-WebSocket-Version") != version)
        return refusal{426, "version 13 of WebSocket is spoken here"};
    const auto key = find(head.fields, "Sec-WebSocket-Key");
    const auto bytes = key ? base64_decode(*key) : std::nullopt;
    if (count(head.fields, "Sec-WebSocket-Key") != 1 || !bytes || bytes->size() != key_size)
        return refusal{400, "a malformed Sec-WebSocket-Key"};
    if (head.has_body) return refusal{400, "a body before WebSocket"};
    const auto origin = find(head.fields, "Origin");
    if (origin && *origin != "http://" + std::string{head.host} && *origin != "https://" + std::string{head.host})
        return refusal{403, "a page of another origin may not speak here"};
    return {};
}

void append_frame(std::string& out, opcode type, bool last, std::string_view payload, std::optional<mask> with) {
    out += static_cast<char>((last ? last_bit : 0) | static_cast<std::uint8_t>(type));
    const auto masked = static_cast<std::uint8_t>(with ? masked_bit : 0);
    const std::uint64_t size = payload.size();
    const auto append_length = [&](std::uint8_t mark, int bytes) {
        out += static_cast<char>(masked | mark);
        for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
            out += static_cast<char>(size >> shift);
    };
    if (size < length_16)
        append_length(static_cast<std::uint8_t>(size), 0);
    else if (size <= 0xffff)
        append_length(length_16, 2);
    else
        append_length(length_64, 8);
    if (!with) {
        out += payload;
        return;
    }
    for (const auto b : *with)
        out += static_cast<char>(b);
    for (std::size_t i = 0; i < payload.size(); ++i)
        out += static_cast<char>(payload[i] ^ static_cast<char>((*with)[i % 4]));
}

std::string close_payload(close_code code, std::string_view reason) {
    if (code == close_code::no_status) return {};
    const auto number = static_cast<std::uint16_t>(code);
    std::string out{static_cast<char>(number >> 8), static_cast<char>(number)};
    while (!reason.empty()) {
        const auto size = sequence_size(reason);
        if (size == 0 || out.size() + size > max_control) break;
        out += reason.substr(0, size);
        reason.remove_prefix(size);
    }
    return out;
}

void receiver::feed(std::string_view bytes) {
    if (ended_) return;
    if (used_ == in_.size() || used_ >= compact_at) {
        in_.erase(0, used_);
        used_ = 0;
    }
    in_ += bytes;
}

receiver::event receiver::fail(close_code code, std::string_view why) {
    ended_ = true;
    return broken{code, why};
}

void receiver::unmask(std::size_t size) {
    if (sender_ == from::server) return;
    for (std::size_t i = 0; i < size; ++i)
        in_[used_ + i] = static_cast<char>(in_[used_ + i] ^ static_cast<char>(mask_[mask_at_++ % 4]));
}

std::optional<receiver::event> receiver::read_header() {
    const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(in_[used_ + i]); };
    const auto there = in_.size() - used_;
    // What can never become a frame is refused at its first bytes.
    if (there < 1) return need_data{};
    if ((at(0) & reserved_bits) != 0) return fail(close_code::protocol_error, "a reserved bit is set");
    const std::uint8_t type = at(0) & opcode_bits;
    if (!is_known(type)) return fail(close_code::protocol_error, "an unknown kind of frame");
    const auto is = static_cast<opcode>(type);
    const bool last = (at(0) & last_bit) != 0;
    if (is_control(is) && !last) return fail(close_code::protocol_error, "a control frame in pieces");
    if (!is_control(is) && (is == opcode::continuation) != in_message_)
        return fail(close_code::protocol_error, "a frame that is not in turn");
    if (there < 2) return need_data{};
    const bool masked = (at(1) & masked_bit) != 0;
    if (masked != (sender_ == from::client))
        return fail(close_code::protocol_error, masked ? "a masked frame of a server" : "a frame without a mask");
    std::uint64_t size = at(1) & length_bits;
    if (is_control(is) && size > max_control) return fail(close_code::protocol_error, "a control frame is too long");
    const std::size_t length_bytes = size == length_16 ? 2 : size == length_64 ? 8 : 0;
    const auto header = 2 + length_bytes + (masked ? mask_.size() : 0);
    if (there < header) return need_data{};
    if (length_bytes > 0) {
        size = 0;
        for (std::size_t i = 0; i < length_bytes; ++i)
            size = size << 8 | at(2 + i);
        if (size < length_16 || (length_bytes == 8 && size <= 0xffff) || size >> 63 != 0)
            return fail(close_code::protocol_error, "a length that is not minimal");
    }
    if (!is_control(is)) {
        if (is != opcode::continuation) message_size_ = 0;
        if (size > limit_ - message_size_) return fail(close_code::too_big, "the message is too large");
        message_size_ += size;
        if (is != opcode::continuation) is_text_ = is == opcode::text;
        in_message_ = true;
    }
    if (masked)
        for (std::size_t i = 0; i < mask_.size(); ++i)
            mask_[i] = at(2 + length_bytes + i);
    mask_at_ = 0;
    type_ = is;
    last_ = last;
    left_ = size;
    used_ += header;
    in_frame_ = true;
    return {};
}

receiver::event receiver::read_control() {
    if (in_.size() - used_ < left_) return need_data{};
    const auto size = static_cast<std::size_t>(left_);
    unmask(size);
    const auto payload = std::string_view{in_}.substr(used_, size);
    used_ += size;
    in_frame_ = false;
    if (type_ == opcode::ping) return ping{payload};
    if (type_ == opcode::pong) return pong{};
    if (payload.empty()) {
        ended_ = true;
        return closed{close_code::no_status, {}};
    }
    const auto byte = [&](std::size_t i) { return unsigned{static_cast<unsigned char>(payload[i])}; };
    if (payload.size() == 1 || !may_be_sent(byte(0) << 8 | byte(1)))
        return fail(close_code::protocol_error, "a malformed code of a close");
    if (!is_utf8(payload.substr(2))) return fail(close_code::invalid_text, "a reason that is not UTF-8");
    ended_ = true;
    return closed{static_cast<close_code>(byte(0) << 8 | byte(1)), payload.substr(2)};
}

receiver::event receiver::read_data() {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, in_.size() - used_));
    if (size == 0 && left_ > 0) return need_data{};
    unmask(size);
    const auto piece = std::string_view{in_}.substr(used_, size);
    used_ += size;
    left_ -= size;
    if (is_text_ && !check_utf8_piece(character_, piece))
        return fail(close_code::invalid_text, "a text that is not UTF-8");
    const bool ends = left_ == 0 && last_;
    if (left_ == 0) in_frame_ = false;
    if (ends) {
        in_message_ = false;
        if (!character_.empty()) return fail(close_code::invalid_text, "a text that is not UTF-8");
    }
    return data{is_text_, piece, ends};
}

receiver::event receiver::next() {
    if (ended_) return need_data{};
    if (!in_frame_)
        if (auto e = read_header()) return *e;
    return is_control(type_) ? read_control() : read_data();
}

}  // namespace bento::http::websocket
