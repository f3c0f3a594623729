#include <fmt/format.h>

#include <algorithm>
#include <bento/http/client_connection.hpp>
#include <stdexcept>
#include <utility>

#include "chunks.hpp"
#include "fields.hpp"

namespace bento::http {
namespace {

/// Interim responses before the final one; a server sends one or two.
constexpr unsigned max_interim = 16;

}  // namespace

std::string_view response_head::find(std::string_view name) const {
    for (const auto& [key, value] : fields)
        if (same_text(key, name)) return value;
    return {};
}

std::string encode_request(method m, std::string_view host, std::string_view target, std::span<const field> fields,
                           std::string_view body) {
    std::string out;
    auto to = std::back_inserter(out);
    if (!is_field_value(target) || !is_field_value(host))
        throw std::logic_error{"a target that would break the request"};
    fmt::format_to(to, "{} {} HTTP/1.1\r\nHost: {}\r\n", to_text(m), target, host);
    for (const auto& f : fields) {
        if (!is_token(f.name) || !is_field_value(f.value))
            throw std::logic_error{"a field that would break the request"};
        fmt::format_to(to, "{}: {}\r\n", f.name, f.value);
    }
    if (!body.empty() || m == method::post) fmt::format_to(to, "Content-Length: {}\r\n", body.size());
    out += "\r\n";
    out += body;
    return out;
}

struct client_connection::state {
    std::string in;
    std::size_t used = 0;
    std::size_t line_start = 0, scanned = 0;
    std::vector<std::pair<std::size_t, std::size_t>> lines;
    bool eof = false;
    method asked = method::get;
    bool may_switch = false;
    unsigned interim = 0;
    enum class reading { nothing, head, length, chunks, until_eof, done, cut, failed } reads = reading::nothing;
    std::uint64_t left = 0;
    chunk_decoder chunks;
    bool keep = false;
    std::string_view why;

    event fail(std::string_view reason) {
        reads = reading::failed;
        why = reason;
        return broken{reason};
    }
    event starved() {
        if (!eof) return need_data{};
        reads = reading::cut;
        return cut{};
    }

    event read_head() {
        for (;;) {
            const auto end = in.find('\n', scanned);
            if ((end == std::string::npos ? in.size() : end + 1) - used > max_head)
                return fail("the response's head is too large");
            if (end == std::string::npos) {
                scanned = in.size();
                return starved();
            }
            if (end == line_start || in[end - 1] != '\r') return fail("a line that does not end with CRLF");
            const auto start = std::exchange(line_start, end + 1);
            scanned = line_start;
            const auto length = end - 1 - start;
            if (length > 0 || lines.empty()) {
                if (lines.size() > max_fields) return fail("too many fields");
                lines.emplace_back(start, length);
                if (lines.size() == 1 && !status_of(std::string_view{in}.substr(start, length)))
                    return fail("what answers is no HTTP/1.1");
                continue;
            }
            auto head = take_head();
            used = line_start;
            lines.clear();
            if (const auto* r = std::get_if<response_head>(&head);
                r != nullptr && r->status / 100 == 1 && r->status != 101) {
                if (++interim > max_interim) return fail("too many interim responses");
                reads = reading::head;
                continue;
            }
            return head;
        }
    }

    static std::optional<int> status_of(std::string_view line) {
        const auto digit = [](char c) { return c >= '0' && c <= '9'; };
        if (line.size() < 12 || !line.starts_with("HTTP/1.") || !digit(line[7]) || line[8] != ' ' || !digit(line[9]) ||
            !digit(line[10]) || !digit(line[11]) || (line.size() > 12 && line[12] != ' ') || !is_field_value(line))
            return {};
        const int status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
        return status >= 100 && status < 600 ? std::optional{status} : std::nullopt;
    }

    event take_head() {
        const std::string_view text = in;
        const auto line = [&](std::size_t i) { return text.substr(lines[i].first, lines[i].second); };
        response_head head;
        head.status = *status_of(line(0));
        head.minor = line(0)[7] == '0' ? 0 : 1;
        std::vector<field> fields;
        for (std::size_t i = 1; i < lines.size(); ++i) {
            const auto f = parse_field(line(i));
            if (!f) return fail("a malformed field");
            fields.push_back(*f);
            head.fields.emplace_back(f->name, f->value);
        }
        if (head.status == 101) {
            if (!may_switch) return fail("a switch of protocols that was not asked for");
            reads = reading::done;
            keep = false;
            return head;
        }
        if (head.status / 100 == 1) return head;
        const auto length = framing_of(fields, head.minor);
        if (length.refused != 0) return fail(length.why);
        keep = head.minor == 1;
        for (const auto& f : fields)
            if (same_text(f.name, "Connection") && has_token(f.value, "close")) keep = false;
        chunks = {};
        if (asked == method::head || head.status == 204 || head.status == 304) {
            reads = reading::length;
            left = 0;
        } else if (length.chunked) {
            reads = reading::chunks;
        } else if (length.length) {
            reads = reading::length;
            left = *length.length;
        } else {
            reads = reading::until_eof;
            keep = false;
        }
        return head;
    }

    std::string_view unread() const { return std::string_view{in}.substr(used); }

    event next() {
        switch (reads) {
            case reading::nothing:
            case reading::done:
                // A server that speaks unasked is not to be trusted with another request.
                if (!unread().empty()) keep = false;
                return need_data{};
            case reading::head:
                return read_head();
            case reading::length: {
                if (left == 0) return reads = reading::done, response_end{};
                const auto data =
                    unread().substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left, in.size())));
                if (data.empty()) return starved();
                used += data.size();
                left -= data.size();
                return body{data};
            }
            case reading::chunks: {
                auto rest = unread();
                std::string_view piece;
                const auto got = chunks.step(rest, piece, std::uint64_t{1} << 62);
                used = in.size() - rest.size();
                if (got == chunk_decoder::outcome::data) return body{piece};
                if (got == chunk_decoder::outcome::end) return reads = reading::done, response_end{};
                if (got == chunk_decoder::outcome::need_data) return starved();
                return fail("a malformed chunk");
            }
            case reading::until_eof: {
                const auto data = unread();
                used += data.size();
                if (!data.empty()) return body{data};
                if (eof) return reads = reading::done, response_end{};
                return need_data{};
            }
            case reading::cut:
                return cut{};
            case reading::failed:
                return broken{why};
        }
        return need_data{};
    }

    void feed(std::string_view bytes) {
        // Within a head the lines' places are kept; behind it nothing refers to the buffer.
        if (lines.empty() && line_start <= used) {
            in.erase(0, used);
            used = line_start = scanned = 0;
        }
        in.append(bytes);
    }
};

client_connection::client_connection() : state_{std::make_unique<state>()} {}
client_connection::client_connection(client_connection&&) noexcept = default;
client_connection& client_connection::operator=(client_connection&&) noexcept = default;
client_connection::~client_connection() = default;

void client_connection::expect_response(method m) {
    auto& s = *state_;
    s.asked = m;
    s.may_switch = false;
    s.interim = 0;
    s.reads = state::reading::head;
    s.lines.clear();
    s.line_start = s.scanned = s.used;
}
void client_connection::expect_switch() {
    expect_response(method::get);
    state_->may_switch = true;
}
std::string client_connection::take_rest() {
    auto& s = *state_;
    auto out = s.in.substr(s.used);
    s.used = s.in.size();
    return out;
}
void client_connection::feed(std::string_view bytes) { state_->feed(bytes); }
void client_connection::feed_eof() { state_->eof = true; }
client_connection::event client_connection::next() { return state_->next(); }
bool client_connection::reusable() const {
    const auto& s = *state_;
    return s.reads == state::reading::nothing ||
           (s.reads == state::reading::done && s.keep && !s.eof && s.unread().empty());
}

}  // namespace bento::http
