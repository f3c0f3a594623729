#include <algorithm>
#include <bento/control/reply.hpp>

namespace bento::control {

std::string_view to_text(errc e) {
    switch (e) {
        case errc::disconnected:
            return "the connection to tor has ended";
        case errc::malformed_reply:
            return "tor's answer is not of the control protocol";
        case errc::reply_too_long:
            return "tor's answer is too long";
        case errc::not_a_control_port:
            return "this is not a control port";
        case errc::timed_out:
            return "tor did not answer in time";
        case errc::too_many_pending:
            return "more commands wait for tor than allowed";
        case errc::invalid_argument:
            return "not sent to tor";
        case errc::unexpected_reply:
            return "tor's answer is not the one to this command";
        case errc::unrecognized:
            return "tor does not know this";
        case errc::rejected:
            return "tor refused";
        case errc::authentication_required:
            return "tor asks for authentication";
        case errc::authentication_failed:
            return "tor refused the authentication";
        case errc::onion_collision:
            return "tor has this onion service already";
        case errc::no_such_onion:
            return "tor has no such onion service on this connection";
        case errc::password_needed:
            return "tor asks for a password";
        case errc::cookie_unusable:
            return "tor's authentication cookie cannot be used";
        case errc::impostor:
            return "what answers is not the tor that wrote the cookie";
        case errc::no_method:
            return "tor offers no known way to authenticate";
    }
    return "unknown error";
}

bool reply::ok() const {
    return std::all_of(lines.begin(), lines.end(), [](const reply_line& l) { return l.status / 100 == 2; });
}

result<void> framer::feed(std::string_view bytes) {
    if (failed_) return *failed_;
    const auto fail = [this](error e) -> result<void> {
        failed_ = std::move(e);
        return *failed_;
    };
    while (!bytes.empty()) {
        // Whole lines are taken from where they lie; only one that is cut is copied.
        std::string_view line;
        std::size_t used = 0;
        if (partial_.empty()) {
            const auto end = bytes.find("\r\n");
            if (end == std::string_view::npos) {
                partial_ = bytes;
                used = bytes.size();
            } else {
                line = bytes.substr(0, end);
                used = end + 2;
            }
        } else {
            // A CR that ended the last piece may find its LF now.
            const bool split = partial_.back() == '\r' && bytes.front() == '\n';
            const auto end = split ? 0 : bytes.find("\r\n");
            if (end == std::string_view::npos) {
                partial_ += bytes;
                used = bytes.size();
            } else {
                partial_ += bytes.substr(0, end);
                if (split) partial_.pop_back();
                line = partial_;
                used = split ? 1 : end + 2;
            }
        }
        const bool whole = line.data() != nullptr;
        if ((whole ? line.size() : partial_.size()) > limits_.line) return fail({errc::reply_too_long, "a line"});
        if (!whole && lines_.empty() && !in_data_ && complete_.empty() && partial_.starts_with("HTTP/"))
            return fail(errc::not_a_control_port);
        if (whole) {
            if (auto taken = take_line(line); !taken) return fail(taken.error());
            partial_.clear();
        }
        bytes.remove_prefix(used);
    }
    return {};
}

result<void> framer::take_line(std::string_view line) {
    size_ += line.size() + 2;
    if (size_ > limits_.reply) return error{errc::reply_too_long, "a reply"};
    if (in_data_) {
        auto& data = *lines_.back().data;
        if (line == ".") {
            in_data_ = false;
            return {};
        }
        if (line.starts_with('.')) line.remove_prefix(1);
        if (data.size() + line.size() > limits_.data) return error{errc::reply_too_long, "a data block"};
        data.append(line);
        data += '\n';
        return {};
    }
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    if (line.starts_with("HTTP/")) return error{errc::not_a_control_port};
    if (line.size() < 4 || !digit(line[0]) || !digit(line[1]) || !digit(line[2])) return error{errc::malformed_reply};
    const int status = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    const char separator = line[3];
    if (status < 100 || (separator != ' ' && separator != '-' && separator != '+')) return error{errc::malformed_reply};
    // Events and answers never share a reply.
    if (!lines_.empty() && (lines_.front().status / 100 == 6) != (status / 100 == 6))
        return error{errc::malformed_reply};
    lines_.push_back({status, std::string{line.substr(4)}, std::nullopt});
    if (separator == '+') {
        lines_.back().data.emplace();
        in_data_ = true;
    }
    if (separator == ' ') {
        complete_.push_back({std::move(lines_)});
        lines_.clear();
        size_ = 0;
    }
    return {};
}

std::optional<reply> framer::next() {
    if (complete_.empty()) return {};
    auto out = std::move(complete_.front());
    complete_.pop_front();
    return out;
}

}  // namespace bento::control
