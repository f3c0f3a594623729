#include <algorithm>
#include <bento/control/reply.hpp>

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

result<void> framer::feed(std::string_view bytes) {
    if (failed_) return *failed_;
    auto fed = consume(bytes);
    if (!fed) failed_ = fed.error();
    return fed;
}

result<void> framer::consume(std::string_view bytes) {
    while (!bytes.empty()) {
        // Whole lines are taken from where they lie; only one that is cut is copied, and no byte is searched twice.
        if (partial_.empty()) {
            const auto end = bytes.find(line_end);
            if (end == std::string_view::npos) {
                partial_ = bytes;
                bytes = {};
            } else {
                if (auto taken = take_line(bytes.substr(0, end)); !taken) return taken;
                bytes.remove_prefix(end + line_end.size());
            }
        } else if (partial_.back() == '\r' && bytes.front() == '\n') {
            partial_.pop_back();
            if (auto taken = take_line(partial_); !taken) return taken;
            partial_.clear();
            bytes.remove_prefix(1);
        } else {
            const auto end = bytes.find(line_end);
            partial_ += bytes.substr(0, end);
            if (end == std::string_view::npos) {
                bytes = {};
            } else {
                if (auto taken = take_line(partial_); !taken) return taken;
                partial_.clear();
                bytes.remove_prefix(end + line_end.size());
            }
        }
    }
    if (partial_.empty()) return {};
    if (auto fine = check_start(partial_, false); !fine) return fine;
    return check_length(partial_, false);
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

result<void> framer::take_line(std::string_view line) {
    if (auto fine = check_start(line, true); !fine) return fine;
    if (auto fine = check_length(line, true); !fine) return fine;
    if (in_data_) return take_data(line);
    fresh_ = false;
    size_ += line.size() + sizeof(reply_line);
    if (size_ > limits_.reply) return errc::reply_too_long;
    const int status = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    if (!lines_.empty() && is_event_status(lines_.front().status) != is_event_status(status))
        return error{errc::malformed_reply, "an event inside an answer"};
    auto& added = lines_.emplace_back();
    added.status = status;
    added.text = line.substr(status_size + 1);
    switch (line[status_size]) {
        case '+':
            added.data.emplace();
            in_data_ = true;
            break;
        case ' ':
            complete_.push_back({std::move(lines_)});
            lines_.clear();
            size_ = 0;
            break;
    }
    return {};
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

std::optional<reply> framer::next() {
    if (complete_.empty()) return {};
    auto out = std::move(complete_.front());
    complete_.pop_front();
    return out;
}

}  // namespace bento::control
