#include <fmt/format.h>

#include <algorithm>
#include <bento/http/server_connection.hpp>
#include <utility>

#include "chunks.hpp"
#include "fields.hpp"

namespace bento::http {
namespace {

/// A request that was read is removed from the buffer when this much has gathered, not each time.
constexpr std::size_t compact_at = 16 * 1024;

constexpr std::string_view connection_close = "Connection: close\r\n";

method method_of(std::string_view text) {
    for (const auto m : {method::get, method::head, method::post, method::put, method::delete_, method::options,
                         method::patch, method::connect, method::trace})
        if (text == to_text(m)) return m;
    return method::other;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alphanumeric(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// uri-host [ ":" port ] (RFC 9110 section 7.2): a name, or an IPv6 address in brackets. No name that is looked up has
/// the sub-delims and escapes that RFC 3986 would allow.
bool is_host(std::string_view text) {
    std::size_t end = 0;
    if (text.starts_with('[')) {
        end = text.find(']');
        if (end == std::string_view::npos || end == 1) return false;
        for (const char c : text.substr(1, end++ - 1))
            if (!is_alphanumeric(c) && c != ':' && c != '.') return false;
    } else {
        while (end < text.size() && (is_alphanumeric(text[end]) || text[end] == '.' || text[end] == '-' ||
                                     text[end] == '_' || text[end] == '~'))
            ++end;
        if (end == 0) return false;
    }
    const auto port = text.substr(end);
    constexpr std::size_t max_port_digits = 5;
    return port.empty() || (port.front() == ':' && port.size() <= 1 + max_port_digits &&
                            std::all_of(port.begin() + 1, port.end(), is_digit));
}

bool is_target(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        const auto u = static_cast<unsigned char>(c);
        return u > ' ' && u < 0x7f && c != '"' && c != '<' && c != '>' && c != '\\' && c != '^' && c != '`' &&
               c != '{' && c != '|' && c != '}' && c != '#';
    });
}

}  // namespace

struct server_connection::state {
    // What has come in, and how much of it is done with.
    std::string in;
    std::size_t used = 0;
    std::size_t line_start = 0;  // of the head line that is being read; relative to `in`
    std::size_t scanned = 0;     // up to here there is no line end after line_start
    bool eof = false;

    enum class reading { head, body, chunks, done, failed } reads = reading::head;
    std::size_t blank_lines = 0;
    std::size_t head_start = 0;
    std::vector<std::pair<std::size_t, std::size_t>> lines;  // of the head: where and how long
    std::string head_text;                                   // the head of the request that is being answered
    request_head head;                                       // views into head_text
    bool repeatable = false;                                 // it has no body, and the connection goes on behind it
    std::uint64_t body_left = 0;
    std::uint64_t body_limit = 0;
    chunk_decoder chunks;
    bool body_seen = false;

    bool chunked_out = false;
    bool discards_output = false;  // HEAD, 204, 304
    bool close = false;            // after this response
    bool ended = false;            // it has been given
    bool aborted = false;
    std::string out;
    std::shared_ptr<const std::string> shared;  // a prepared response, in place of `out`
    std::size_t written = 0;                    // of either

    std::string_view unread() const { return std::string_view{in}.substr(used); }

    event refuse(int status, std::string_view why) {
        reads = reading::failed;
        close = true;
        return refused{status, why};
    }

    event next() {
        switch (reads) {
            case reading::head:
                return read_head();
            case reading::body:
                return read_body();
            case reading::chunks:
                return read_chunks();
            case reading::done:
                return need_data{};
            case reading::failed:
                return eof ? event{closed{}} : event{need_data{}};
        }
        return need_data{};
    }

    event starved() {
        if (!eof) return need_data{};
        reads = reading::failed;
        close = true;
        return closed{};
    }

    /// A client that keeps its connection mostly asks with the very same head, and what was read of it still holds.
    bool is_same_head() const { return lines.empty() && repeatable && unread().starts_with(head_text); }

    event read_head() {
        if (is_same_head()) {
            used += head_text.size();
            return begin_body({});
        }
        for (;;) {
            const auto end = in.find('\n', scanned);
            const bool first = lines.empty();
            const auto size = (end == std::string::npos ? in.size() : end + 1) - line_start;
            if (first && size > max_request_line + 2) return refuse(414, "the request line is too long");
            if (!first && (end == std::string::npos ? in.size() : end + 1) - head_start > max_head)
                return refuse(431, "the head is too large");
            if (end == std::string::npos) {
                scanned = in.size();
                return starved();
            }
            if (end == line_start || in[end - 1] != '\r') return refuse(400, "a line that does not end with CRLF");
            const auto start = std::exchange(line_start, end + 1);
            scanned = line_start;
            const auto length = end - 1 - start;
            if (length == 0 && first) {
                if (++blank_lines > max_blank_lines) return refuse(400, "too many empty lines");
                used = head_start = line_start;
                continue;
            }
            if (length > 0) {
                if (lines.size() > max_fields) return refuse(431, "too many fields");
                lines.emplace_back(start, length);
                // What can never become a request is refused at once, not after fields that may never come.
                if (first)
                    if (const auto wrong = check_request_line(std::string_view{in}.substr(start, length));
                        wrong.status != 0)
                        return refuse(wrong.status, wrong.why);
                continue;
            }
            return take_head();
        }
    }

    struct fault {
        int status = 0;
        std::string_view why;
    };

    static fault check_request_line(std::string_view line) {
        const auto first = line.find(' ');
        const auto last = line.rfind(' ');
        if (first == std::string_view::npos) return {400, "a malformed request line"};
        const auto version = line.substr(last + 1);
        if (!is_token(line.substr(0, first))) return {400, "a malformed method"};
        if (version.size() != 8 || !version.starts_with("HTTP/") || version[6] != '.' || version[5] < '0' ||
            version[5] > '9' || version[7] < '0' || version[7] > '9')
            return {400, "a malformed request line"};
        if (version[5] != '1') return {505, "only HTTP/1.1 is spoken here"};
        if (first == last || !is_target(line.substr(first + 1, last - first - 1))) return {400, "a malformed target"};
        return {};
    }

    event take_head() {
        head_text.assign(in, head_start, line_start - head_start);
        const std::string_view text = head_text;
        const auto line = [&](std::size_t i) { return text.substr(lines[i].first - head_start, lines[i].second); };
        head = {};
        const auto request_line = line(0);
        const auto first = request_line.find(' ');
        const auto last = request_line.rfind(' ');
        head.method_text = request_line.substr(0, first);
        head.method = method_of(head.method_text);
        head.minor = request_line.back() == '0' ? 0 : 1;
        auto target = request_line.substr(first + 1, last - first - 1);
        head.fields.reserve(lines.size());
        for (std::size_t i = 1; i < lines.size(); ++i) {
            const auto f = parse_field(line(i));
            if (!f) return refuse(400, "a malformed field");
            head.fields.push_back(*f);
        }
        used = line_start;

        std::size_t hosts = 0;
        for (const auto& f : head.fields)
            if (same_text(f.name, "Host")) {
                ++hosts;
                head.host = f.value;
            }
        if (hosts > 1 || (hosts == 0 && head.minor == 1)) return refuse(400, "exactly one Host is needed");
        if (hosts == 1 && !is_host(head.host)) return refuse(400, "a malformed Host");
        if (head.method == method::connect || head.method == method::trace)
            return refuse(501, "this method is not known here");
        if (target.front() != '/' && target != "*") {
            // The absolute form (RFC 9112 section 3.2.2): its authority goes before Host.
            const auto authority = target.find("://");
            if (authority == std::string_view::npos || !same_text(target.substr(0, authority), "http"))
                return refuse(400, "a malformed target");
            target.remove_prefix(authority + 3);
            const auto end = std::min(target.find_first_of("/?"), target.size());
            head.host = target.substr(0, end);
            if (!is_host(head.host)) return refuse(400, "a malformed target");
            target.remove_prefix(end);
            if (target.empty() || target.front() == '?') {
                head.path = "/";
                head.query = target.empty() ? target : target.substr(1);
                target = {};
            }
        }
        if (target == "*" && head.method != method::options) return refuse(400, "a malformed target");
        if (!target.empty()) {
            const auto mark = std::min(target.find('?'), target.size());
            head.path = target.substr(0, mark);
            head.query = target.substr(std::min(mark + 1, target.size()));
        }

        const auto length = framing_of(head.fields, head.minor);
        if (length.refused != 0) return refuse(length.refused, length.why);
        head.content_length = length.length;
        head.has_body = length.chunked || length.length.value_or(0) > 0;
        close = head.minor == 0;
        for (const auto& f : head.fields) {
            if (same_text(f.name, "Connection") && has_token(f.value, "close")) close = true;
            if (same_text(f.name, "Expect")) {
                if (!same_text(f.value, "100-continue")) return refuse(417, "no expectation but 100-continue is met");
                head.expects_continue = head.minor == 1 && head.has_body;
            }
        }
        repeatable = !head.has_body && !close;
        return begin_body(length);
    }

    event begin_body(const framing& of) {
        chunks = {};
        body_seen = false;
        body_left = of.length.value_or(0);
        body_limit = max_discarded_body;
        reads = of.chunked ? reading::chunks : reading::body;
        return request{&head};
    }

    event end_of_body() {
        reads = reading::done;
        return request_end{};
    }

    event read_body() {
        if (body_left == 0) return end_of_body();
        if (body_left > body_limit) return refuse(413, "the body is too large");
        const auto data = unread().substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(body_left, in.size())));
        if (data.empty()) return starved();
        body_seen = true;
        used += data.size();
        body_left -= data.size();
        body_limit -= data.size();
        return body{data};
    }

    event read_chunks() {
        auto rest = unread();
        std::string_view piece;
        const auto got = chunks.step(rest, piece, body_limit);
        used = in.size() - rest.size();
        switch (got) {
            case chunk_decoder::outcome::need_data:
                return starved();
            case chunk_decoder::outcome::data:
                body_seen = true;
                body_limit -= piece.size();
                return body{piece};
            case chunk_decoder::outcome::end:
                return end_of_body();
            case chunk_decoder::outcome::too_large:
                return refuse(413, "the body is too large");
            case chunk_decoder::outcome::malformed:
                return refuse(400, "a malformed chunk");
        }
        return need_data{};
    }

    void feed(std::string_view bytes) {
        if (used == in.size() || used >= compact_at) {
            in.erase(0, used);
            line_start -= std::min(line_start, used);
            scanned -= std::min(scanned, used);
            head_start -= std::min(head_start, used);
            for (auto& [at, size] : lines)
                at -= std::min(at, used);
            used = 0;
        }
        in.append(bytes);
    }

    /// The response is complete: the next request may be read.
    void turn() {
        discards_output = false;
        if (reads != reading::done) close = true;  // the rest of its body would be taken for a request
        if (close) {
            ended = true;
            return;
        }
        reads = reading::head;
        lines.clear();
        blank_lines = 0;
        head_start = line_start = scanned = used;
    }

    /// Before anything is added to what is waiting: it would stand before a response that is sent from where it lies.
    std::string& output_to_add_to() {
        if (shared) {
            out.assign(*shared, written);
            written = 0;
            shared.reset();
        }
        return out;
    }

    /// What waits to be written.
    std::string_view output() const { return std::string_view{shared ? *shared : out}.substr(written); }

    /// The rest of a body that was not read would be taken for a request.
    bool ends_connection() const { return close || reads != reading::done; }

    void write_head(int status, std::span<const field> fields, std::optional<std::uint64_t> length, bool in_pieces) {
        append_status_and_fields(output_to_add_to(), status, fields);
        const bool bodiless = status == 204 || status == 304 || status / 100 == 1;
        chunked_out = in_pieces && !length && head.minor == 1 && !bodiless;
        if (chunked_out)
            out += "Transfer-Encoding: chunked\r\n";
        else if (length && !bodiless)
            append_content_length(out, *length);
        else if (!bodiless)
            close = true;
        if (ends_connection()) out += connection_close;
        out += "\r\n";
        discards_output = bodiless || head.method == method::head;
    }
};

server_connection::server_connection() : state_{std::make_unique<state>()} {}
server_connection::server_connection(server_connection&&) noexcept = default;
server_connection& server_connection::operator=(server_connection&&) noexcept = default;
server_connection::~server_connection() = default;

void server_connection::feed(std::string_view bytes) {
    if (state_->reads != state::reading::failed) state_->feed(bytes);
}
void server_connection::feed_eof() { state_->eof = true; }
server_connection::event server_connection::next() { return state_->next(); }

bool server_connection::wants_input() const { return !state_->eof && state_->in.size() - state_->used < max_pipelined; }
bool server_connection::idle() const {
    return state_->reads == state::reading::head && state_->lines.empty() && state_->unread().empty();
}
void server_connection::limit_body(std::uint64_t size) { state_->body_limit = size; }

void server_connection::send_continue() {
    if (state_->head.expects_continue && !state_->body_seen && state_->unread().empty())
        state_->output_to_add_to() += "HTTP/1.1 100 Continue\r\n\r\n";
}

void server_connection::respond(int status, std::span<const field> fields, std::string_view content) {
    auto& s = *state_;
    s.write_head(status, fields, content.size(), false);
    if (!s.discards_output) s.out += content;
    s.turn();
}

void server_connection::respond(const prepared_response& all) {
    auto& s = *state_;
    const bool without_body = s.head.method == method::head;
    if (!without_body && !s.ends_connection() && s.output().empty()) {
        s.shared = all.whole();
    } else {
        auto& out = s.output_to_add_to();
        out += all.head();
        if (s.ends_connection()) out += connection_close;
        out += "\r\n";
        if (!without_body) out += all.body();
    }
    s.turn();
}

void server_connection::begin(int status, std::span<const field> fields, std::optional<std::uint64_t> length) {
    auto& s = *state_;
    s.write_head(status, fields, length, true);
}

void server_connection::send(std::string_view data) {
    auto& s = *state_;
    if (s.discards_output || data.empty()) return;
    if (s.chunked_out) fmt::format_to(std::back_inserter(s.out), "{:x}\r\n", data.size());
    s.out += data;
    if (s.chunked_out) s.out += "\r\n";
}

void server_connection::finish() {
    auto& s = *state_;
    if (s.chunked_out && !s.discards_output) s.out += "0\r\n\r\n";
    s.turn();
}

void server_connection::abort() { state_->close = state_->ended = state_->aborted = true; }
void server_connection::close_after_response() { state_->close = true; }

void server_connection::switch_protocols(std::span<const field> fields) {
    auto& s = *state_;
    append_status_and_fields(s.output_to_add_to(), 101, fields);
    s.out += "\r\n";
    s.close = s.ended = true;
}
std::string server_connection::take_rest() {
    auto& s = *state_;
    auto out = s.in.substr(s.used);
    s.used = s.in.size();
    return out;
}

std::string_view server_connection::output() const { return state_->output(); }
void server_connection::consume_output(std::size_t size) {
    auto& s = *state_;
    s.written += size;
    if (!s.output().empty()) return;
    s.shared.reset();
    s.out.clear();
    s.written = 0;
}

bool server_connection::must_close() const { return state_->ended || (state_->eof && idle()); }
bool server_connection::wants_lingering() const {
    return state_->ended && !state_->eof && !state_->aborted && state_->reads != state::reading::done;
}

}  // namespace bento::http
