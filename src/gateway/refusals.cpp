#include "refusals.hpp"

#include <fmt/format.h>

#include <bento/client/errc.hpp>
#include <bento/gateway/errc.hpp>
#include <bento/net/errc.hpp>
#include <bento/wire/errc.hpp>

namespace bento::gateway {
namespace {

struct row {
    boost::system::error_code code;
    int status;
    std::string_view type;
    /// Empty: the words of the code, and the peer's where it has any.
    std::string_view detail = {};
};

const row table[] = {
    {client::errc::unknown_token, 404, "unknown-token", "no function is stored under this token"},
    {client::errc::refused, 503, "refused"},
    {client::errc::forbidden, 403, "not-authorised"},
    {net::errc::timed_out, 504, "timed-out", "the function did not end in time"},
    {wire::errc::too_large, 413, "too-large", "the function server takes less"},
    {wire::errc::not_utf8, 422, "invalid-request"},
    {errc::unknown_function, 404, "unknown-function"},
    {errc::output_gone, 410, "output-gone"},
    {errc::busy, 503, "busy"},
    {errc::request_differs, 409, "request-differs"},
    {errc::code_mismatch, 409, "code-mismatch"},
    {errc::not_authorised, 403, "not-authorised"},
    {errc::cannot_end, 501, "cannot-end"},
    {errc::cannot_delete, 501, "cannot-delete"},
    {errc::cannot_tell, 501, "cannot-tell"},
    {errc::not_reading, 409, "not-reading"},
};
constexpr std::string_view no_server = "the function server does not answer";
const row server_gone{{}, 502, "no-server", no_server};
const row directory_gone{{}, 502, "no-directory"};

/// A client that is to come again is told when.
constexpr http::field later[] = {{"Retry-After", "5"}};

const row& row_of(const error& e, asked whom) {
    for (const auto& r : table)
        if (r.code == e.code) return r;
    return whom == asked::directory ? directory_gone : server_gone;
}

std::string id_member(const std::optional<uuid4>& id) {
    return id ? fmt::format("\"function_id\":\"{}\"", id->text()) : std::string{};
}

std::string detail_of(const row& r, const error& e) {
    if (!r.detail.empty()) return std::string{r.detail};
    return e.peer.empty() ? e.code.message() : e.peer;
}

}  // namespace

result<void> tell(web::exchange& to, const error& e, const std::optional<uuid4>& id, asked whom) {
    const auto& r = row_of(e, whom);
    return to.problem(r.status, r.type, detail_of(r, e),
                      r.status == 503 ? std::span{later} : std::span<const http::field>{}, id_member(id));
}

std::string problem_of(const error& e) {
    const auto& r = row_of(e, asked::function_server);
    return http::problem(r.type, r.status, detail_of(r, e));
}

result<void> tell(web::exchange& to, const refusal& r) { return to.problem(r.status, "invalid-request", r.detail); }

result<void> tell_failure(web::exchange& to, std::string_view words, const std::optional<uuid4>& id) {
    return to.problem(500, "function-error", words, {}, id_member(id));
}

std::string_view words_of(const error& e) {
    const auto& r = row_of(e, asked::function_server);
    return r.detail.empty() ? std::string_view{"failed"} : r.detail;
}

}  // namespace bento::gateway
