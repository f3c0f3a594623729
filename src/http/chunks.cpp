#include "chunks.hpp"

#include <algorithm>
#include <bento/http/limits.hpp>
#include <optional>

#include "fields.hpp"

namespace bento::http {
namespace {

/// 1*HEXDIG [ BWS ";" extension ]; at most 16 digits.
std::optional<std::uint64_t> parse_size(std::string_view line) {
    std::uint64_t out = 0;
    std::size_t digits = 0;
    for (; digits < line.size(); ++digits) {
        const char c = line[digits];
        unsigned value = 0;
        if (c >= '0' && c <= '9')
            value = static_cast<unsigned>(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = static_cast<unsigned>(c - 'a') + 10;
        else if (c >= 'A' && c <= 'F')
            value = static_cast<unsigned>(c - 'A') + 10;
        else
            break;
        if (digits == 16) return {};
        out = out << 4 | value;
    }
    if (digits == 0) return {};
    const auto rest = line.substr(digits);
    if (!rest.empty() && rest.front() != ';') return {};
    if (!is_field_value(rest)) return {};
    return out;
}

}  // namespace

/// True when `line_` holds a whole line, without its CRLF.
bool chunk_decoder::take_line(std::string_view& in) {
    const auto end = in.find('\n');
    const auto part = in.substr(0, std::min(end, in.size()));
    line_ += part;
    if (end == std::string_view::npos) {
        in = {};
        // Long before this the overhead is spent, but a line without an end is spent only when it ends.
        if (overhead_ + line_.size() > max_chunk_overhead + allowed_) broken_ = true;
        return false;
    }
    in.remove_prefix(end + 1);
    if (line_.empty() || line_.back() != '\r') {
        broken_ = true;
        return false;
    }
    line_.pop_back();
    overhead_ += line_.size() + 2;
    if (overhead_ > max_chunk_overhead + allowed_ || line_.find('\r') != std::string::npos) {
        broken_ = true;
        return false;
    }
    return true;
}

chunk_decoder::outcome chunk_decoder::step(std::string_view& in, std::string_view& piece, std::uint64_t limit) {
    while (!broken_) {
        switch (at_) {
            case at::size_line: {
                if (line_.empty() && in.empty()) return outcome::need_data;
                if (!take_line(in)) break;
                const auto size = parse_size(line_);
                line_.clear();
                if (!size) return broken_ = true, outcome::malformed;
                if (*size > limit) return outcome::too_large;
                allowed_ += chunk_overhead_each;
                left_ = *size;
                at_ = left_ == 0 ? at::trailer : at::data;
                continue;
            }
            case at::data:
                if (in.empty()) return outcome::need_data;
                piece = in.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size())));
                in.remove_prefix(piece.size());
                left_ -= piece.size();
                if (left_ == 0) at_ = at::data_end;
                return outcome::data;
            case at::data_end:
                if (!take_line(in)) break;
                if (!line_.empty()) return broken_ = true, outcome::malformed;
                at_ = at::size_line;
                continue;
            case at::trailer:
                if (!take_line(in)) break;
                if (line_.empty()) return outcome::end;
                if (!parse_field(line_)) return broken_ = true, outcome::malformed;
                line_.clear();
                continue;
        }
        if (!broken_) return outcome::need_data;
    }
    return outcome::malformed;
}

}  // namespace bento::http
