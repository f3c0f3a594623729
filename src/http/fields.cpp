#include "fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace bento::http {
namespace {

constexpr std::array<bool, 256> token_characters = [] {
    std::array<bool, 256> out{};
    for (unsigned c = '0'; c <= '9'; ++c)
        out[c] = true;
    for (unsigned c = 'A'; c <= 'Z'; ++c)
        out[c] = true;
    for (unsigned c = 'a'; c <= 'z'; ++c)
        out[c] = true;
    for (const char c : {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~'})
        out[static_cast<unsigned char>(c)] = true;
    return out;
}();

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
        text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
        text.remove_suffix(1);
    return text;
}

}  // namespace

bool same_text(std::string_view a, std::string_view b) {
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

std::optional<std::string_view> find(const std::vector<field>& fields, std::string_view name) {
    for (const auto& f : fields)
        if (same_text(f.name, name)) return f.value;
    return {};
}

bool is_token(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(),
                                        [](char c) { return token_characters[static_cast<unsigned char>(c)]; });
}

bool is_field_value(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        const auto u = static_cast<unsigned char>(c);
        return u == '\t' || (u >= ' ' && u != 0x7f);
    });
}

std::optional<field> parse_field(std::string_view line) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return {};
    const field out{line.substr(0, colon), trimmed(line.substr(colon + 1))};
    if (!is_token(out.name) || !is_field_value(out.value)) return {};
    return out;
}

bool has_token(std::string_view list, std::string_view token) {
    while (!list.empty()) {
        const auto comma = std::min(list.find(','), list.size());
        if (same_text(trimmed(list.substr(0, comma)), token)) return true;
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return false;
}

std::optional<std::uint64_t> parse_length(std::string_view text) {
    constexpr std::size_t max_digits = 19;  // any of that many fits 64 bits
    if (text.empty() || !std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) return {};
    text.remove_prefix(std::min(text.find_first_not_of('0'), text.size()));
    if (text.size() > max_digits) return {};
    std::uint64_t out = 0;
    for (const char c : text)
        out = out * 10 + static_cast<std::uint64_t>(c - '0');
    return out;
}

framing framing_of(const std::vector<field>& fields, unsigned minor) {
    framing out;
    std::size_t lengths = 0, codings = 0;
    std::string_view length, coding;
    for (const auto& f : fields) {
        if (same_text(f.name, "Content-Length")) {
            ++lengths;
            length = f.value;
        } else if (same_text(f.name, "Transfer-Encoding")) {
            ++codings;
            coding = f.value;
        }
    }
    const auto refuse = [&](int status, std::string_view why) {
        out.refused = status;
        out.why = why;
        return out;
    };
    if (codings > 0 && minor == 0) return refuse(400, "Transfer-Encoding is not of HTTP/1.0");
    if (codings > 0 && lengths > 0) return refuse(400, "both Transfer-Encoding and Content-Length");
    if (codings > 1) return refuse(400, "more than one Transfer-Encoding");
    if (codings == 1 && !same_text(coding, "chunked")) {
        if (is_token(coding)) return refuse(501, "no transfer coding but chunked is known here");
        return refuse(400, "a malformed Transfer-Encoding");
    }
    if (lengths > 1) return refuse(400, "more than one Content-Length");
    if (lengths == 1) {
        out.length = parse_length(length);
        if (!out.length) return refuse(400, "a malformed Content-Length");
    }
    out.chunked = codings == 1;
    return out;
}

void append_status_and_fields(std::string& out, int status, std::span<const field> fields) {
    out.append("HTTP/1.1 ").append(fmt::format_int(status).c_str()).append(" ").append(reason_phrase(status));
    out += "\r\n";
    for (const auto& f : fields) {
        if (!is_token(f.name) || !is_field_value(f.value))
            throw std::logic_error{"a field that would break the response"};
        out.append(f.name).append(": ").append(f.value).append("\r\n");
    }
}

void append_content_length(std::string& out, std::uint64_t length) {
    out.append("Content-Length: ").append(fmt::format_int(length).c_str()).append("\r\n");
}

bool is_json_or_untyped(const std::vector<field>& fields) {
    std::size_t types = 0;
    bool json = true;
    for (const auto& f : fields) {
        if (!same_text(f.name, "Content-Type")) continue;
        ++types;
        json = same_text(trimmed(f.value.substr(0, f.value.find(';'))), "application/json");
    }
    return types == 0 || (types == 1 && json);
}

std::string_view to_text(method m) {
    switch (m) {
        case method::get:
            return "GET";
        case method::head:
            return "HEAD";
        case method::post:
            return "POST";
        case method::put:
            return "PUT";
        case method::delete_:
            return "DELETE";
        case method::options:
            return "OPTIONS";
        case method::patch:
            return "PATCH";
        case method::connect:
            return "CONNECT";
        case method::trace:
            return "TRACE";
        case method::other:
            break;
    }
    return "";
}

std::string_view reason_phrase(int status) {
    switch (status) {
        case 100:
            return "Continue";
        case 101:
            return "Switching Protocols";
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 410:
            return "Gone";
        case 411:
            return "Length Required";
        case 413:
            return "Content Too Large";
        case 414:
            return "URI Too Long";
        case 415:
            return "Unsupported Media Type";
        case 417:
            return "Expectation Failed";
        case 422:
            return "Unprocessable Content";
        case 426:
            return "Upgrade Required";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        case 505:
            return "HTTP Version Not Supported";
        default:
            return "Unknown";
    }
}

}  // namespace bento::http
