#include <algorithm>
#include <bento/control/reply.hpp>
#include <utility>

namespace bento::control {
namespace {

constexpr std::string_view line_end = "\r\n";
/// How an HTTP answer begins: what tor's control port says to a browser, and its SOCKS port to our commands.
constexpr std::string_view http = "HTTP/";
constexpr std::size_t status_size = 3;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_separator(char c) { return c == ' ' || c == '-' || c == '+'; }
bool is_event_status(int status) { return status / 100 == 6; }

}  // namespace

bool reply::ok() const {
    return std::all_of(lines.begin(), lines.end(), [](const reply_line& l) { return l.status / 100 == 2; });
}

result<std::optional<reply>> framer::next(std::string_view& bytes) {
    if (failed_) return *failed_;
    auto taken = take_reply(bytes);
    if (!taken) failed_ = taken.error();
    return taken;
}

result<std::optional<reply>> framer::take_reply(std::string_view& bytes) {
    while (const auto line = next_line(bytes)) {
        const auto ended = take_line(*line);
        partial_.clear();
        if (!ended) return ended.error();
        if (!*ended) continue;
        size_ = 0;
        return reply{std::exchange(lines_, {})};
    }
    if (partial_.empty()) return std::optional<reply>{};
    if (auto fine = check_start(partial_, false); !fine) return fine.error();
    if (auto fine = check_length(partial_, false); !fine) return fine.error();
    return std::optional<reply>{};
}

/// Whole lines are taken from where they lie; only one that is cut is copied, and no byte is searched twice.
std::optional<std::string_view> framer::next_line(std::string_view& bytes) {
    if (bytes.empty()) return {};
    if (partial_.ends_with('\r') && bytes.starts_with('\n')) {
        bytes.remove_prefix(1);
        return std::string_view{partial_}.substr(0, partial_.size() - 1);
    }
    const auto end = bytes.find(line_end);
    const auto piece = bytes.substr(0, end);
    const bool whole = end != std::string_view::npos;
    bytes.remove_prefix(whole ? end + line_end.size() : bytes.size());
    if (whole && partial_.empty()) return piece;
    partial_ += piece;
    if (!whole) return {};
    return partial_;
}

result<void> framer::check_start(std::string_view start, bool whole) const {
    if (in_data_) return {};
    if (fresh_) {
        if (start.starts_with(http)) return errc::not_a_control_port;
        if (!whole && http.starts_with(start)) return {};
    }
    const auto digits = start.substr(0, status_size);
    const bool right = std::all_of(digits.begin(), digits.end(), is_digit) && !digits.starts_with('0') &&
                       (start.size() <= status_size || is_separator(start[status_size]));
    if (!right || (whole && start.size() <= status_size))
        return error{errc::malformed_reply, "a line begins with no status code"};
    return {};
}

result<void> framer::check_length(std::string_view line, bool whole) const {
    // A CR at the end of a piece may belong to the line's end.
    if (!whole && line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() > limits_.line) return errc::line_too_long;
    return {};
}

result<bool> framer::take_line(std::string_view line) {
    if (auto fine = check_start(line, true); !fine) return fine.error();
    if (auto fine = check_length(line, true); !fine) return fine.error();
    if (in_data_) {
        if (auto taken = take_data(line); !taken) return taken.error();
        return false;
    }
    fresh_ = false;
    size_ += line.size() + sizeof(reply_line);
    if (size_ > limits_.reply) return errc::reply_too_long;
    const int status = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    if (!lines_.empty() && is_event_status(lines_.front().status) != is_event_status(status))
        return error{errc::malformed_reply, "an event inside an answer"};
    auto& added = lines_.emplace_back();
    added.status = status;
    added.text = line.substr(status_size + 1);
    const char separator = line[status_size];
    if (separator == '+') {
        added.data.emplace();
        in_data_ = true;
    }
    return separator == ' ';
}

result<void> framer::take_data(std::string_view line) {
    if (line == ".") {
        in_data_ = false;
        return {};
    }
    if (line.starts_with('.')) line.remove_prefix(1);
    auto& data = *lines_.back().data;
    if (data.size() + line.size() >= limits_.data) return errc::data_too_long;
    size_ += line.size() + 1;
    if (size_ > limits_.reply) return errc::reply_too_long;
    data += line;
    data += '\n';
    return {};
}

}  // namespace bento::control
