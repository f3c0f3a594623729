// Requests from hostile bytes: whatever comes, it is answered or refused the same way however it is cut, and what was
// kept stays within the limits.
#include <bento/http/server_connection.hpp>
#include <cstdint>

#include "segments.hpp"

using bento::http::server_connection;

namespace {

constexpr std::uint64_t body_limit = 1000;

std::string told(const std::vector<std::string>& pieces) {
    server_connection c;
    std::string out;
    std::uint64_t body = 0;
    const auto drain = [&] {
        for (;;) {
            const auto e = c.next();
            if (std::holds_alternative<server_connection::need_data>(e)) return true;
            if (const auto* r = std::get_if<server_connection::request>(&e)) {
                out += std::string{r->head->method_text} + ' ' + std::string{r->head->path} + '?' +
                       std::string{r->head->query} + ' ' + std::string{r->head->host} + '\n';
                for (const auto& f : r->head->fields)
                    out += std::string{f.name} + ':' + std::string{f.value} + '\n';
                body = 0;
                c.limit_body(body_limit);
            } else if (const auto* b = std::get_if<server_connection::body>(&e)) {
                body += b->data.size();
                out += b->data;
                if (b->data.empty() || body > body_limit) std::abort();
            } else if (std::holds_alternative<server_connection::request_end>(e)) {
                out += "|\n";
                c.respond(200, {}, "ok");
                c.consume_output(c.output().size());
            } else if (const auto* refused = std::get_if<server_connection::refused>(&e)) {
                out += std::to_string(refused->status) + ' ' + std::string{refused->why};
                c.respond(refused->status, {}, {});
            } else {
                out += "closed";
                return false;
            }
            if (c.must_close()) return false;
        }
    };
    for (const auto& piece : pieces) {
        c.feed(piece);
        if (!drain()) return out;
    }
    c.feed_eof();
    drain();
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    bento::fuzz::check_segmentations({reinterpret_cast<const char*>(data), size}, told);
    return 0;
}
