#include <algorithm>
#include <bento/wire/frame.hpp>
#include <bento/wire/limits.hpp>
#include <stdexcept>

namespace bento::wire {
namespace {

void append_length(std::string& out, std::size_t length) {
    if (length > 0xffffffffU) throw std::length_error{"a Bento frame holds less than 4 GiB"};
    for (const int shift : {24, 16, 8, 0})
        out += static_cast<char>((length >> shift) & 0xff);
}

std::uint32_t length_at(const std::uint8_t* at) {
    return std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 | at[3];
}

}  // namespace

std::string encode_request(type t, std::string_view body) {
    std::string out;
    out.reserve(5 + body.size());
    out += static_cast<char>(byte_of(t));
    append_length(out, body.size());
    out += body;
    return out;
}

std::string encode_response(std::uint8_t request_type, bool refused, std::string_view body) {
    std::string out;
    out.reserve(6 + body.size());
    out += static_cast<char>(request_type);
    out += refused ? '\1' : '\0';
    append_length(out, body.size());
    out += body;
    return out;
}

std::string encode_message_header(type t, const uuid4& id, std::size_t size) {
    if (size > max_message_data) throw std::length_error{"a Bento frame holds less than 4 GiB"};
    std::string out;
    out += static_cast<char>(byte_of(t));
    append_length(out, uuid4::text_size + size);
    out += id.text();
    return out;
}

std::string encode_message(type t, const uuid4& id, std::string_view data) {
    auto out = encode_message_header(t, id, data.size());
    out += data;
    return out;
}

void frame_reader::feed(std::string_view bytes) {
    if (!left_.empty()) throw std::logic_error{"fed before what was fed is consumed"};
    left_ = bytes;
}

std::size_t frame_reader::header_size() const {
    if (peer_ == from::client || is_function_message(header_[0])) return 5;
    return 6;
}

frame_reader::event frame_reader::next(std::size_t most) {
    if (state_ == state::body) {
        if (body_left_ == 0) {
            state_ = state::header;
            return end{};
        }
        if (left_.empty()) return need_data{};
        const auto part = left_.substr(0, std::min<std::size_t>(most, body_left_));
        left_.remove_prefix(part.size());
        body_left_ -= static_cast<std::uint32_t>(part.size());
        return data{part};
    }
    // The first byte decides how many there are.
    while (have_ == 0 || have_ < header_size()) {
        if (left_.empty()) return need_data{};
        header_[have_++] = static_cast<std::uint8_t>(left_.front());
        left_.remove_prefix(1);
    }
    const auto size = header_size();
    have_ = 0;
    state_ = state::body;
    body_left_ = length_at(header_.data() + size - 4);
    return begin{header_[0], size == 6 ? header_[1] : std::uint8_t{0}, body_left_};
}

}  // namespace bento::wire
