#include <bento/web/exchange.hpp>
#include <vector>

namespace bento::web {
namespace {

constexpr http::field not_stored{"Cache-Control", "no-store"};

}  // namespace

task<void> exchange::flush() {
    while (!connection_.output().empty()) {
        const auto out = connection_.output();
        peer_.expires_after(limits_.write);
        auto written = co_await peer_.write(out);
        if (!written) co_return written.error();
        connection_.consume_output(out.size());
    }
    co_return result<void>{};
}

result<void> exchange::respond(int status, std::span<const http::field> fields, std::string_view body) {
    begun_ = true;
    connection_.respond(status, fields, body);
    return {};
}

result<void> exchange::respond(const http::prepared_response& all) {
    begun_ = true;
    connection_.respond(all);
    return {};
}

result<void> exchange::content(int status, std::string_view type, std::string_view body) {
    const http::field fields[] = {{"Content-Type", type}, not_stored};
    return respond(status, fields, body);
}

result<void> exchange::problem(int status, std::string_view type, std::string_view detail,
                               std::span<const http::field> more, std::string_view members) {
    std::vector<http::field> fields{{"Content-Type", http::problem_type}, not_stored};
    fields.insert(fields.end(), more.begin(), more.end());
    return respond(status, fields, http::problem(type, status, detail, members));
}

void exchange::begin(int status, std::string_view content_type, std::optional<std::uint64_t> length,
                     std::span<const http::field> more) {
    begun_ = true;
    std::vector<http::field> fields{{"Content-Type", content_type}, not_stored};
    fields.insert(fields.end(), more.begin(), more.end());
    connection_.begin(status, fields, length);
}

task<std::string> exchange::switch_protocols(std::span<const http::field> fields) {
    begun_ = true;
    connection_.switch_protocols(fields);
    if (auto sent = co_await flush(); !sent) co_return sent.error();
    co_return connection_.take_rest();
}

task<void> exchange::send(std::string_view data) {
    connection_.send(data);
    co_return co_await flush();
}

task<void> exchange::finish() {
    connection_.finish();
    co_return co_await flush();
}

}  // namespace bento::web
