#include <bento/host/daemon_client.hpp>
#include <bento/net/errc.hpp>
#include <boost/json.hpp>

#include "told_error.hpp"

namespace bento::host {

namespace json = boost::json;

daemon_client::daemon_client(const std::filesystem::path& state_directory) {
    std::error_code ignored;  // a relative path is then no endpoint
    path_ = (std::filesystem::absolute(state_directory, ignored) / socket_name).string();
    if (auto at = endpoint::parse("unix:" + path_)) at_ = *at;
}

task<json::object> daemon_client::ask(std::string question, json::object with, time_point deadline) {
    if (!at_) co_return error{errc::not_running, path_ + " is too long for a socket"};
    web::road road;
    road.host = "localhost";
    road.direct = at_;
    web::http_client http{std::move(road)};
    auto body = json::serialize(with);
    const auto answer = co_await http.post_json("/" + question, std::move(body), deadline);
    if (!answer && (answer.error().code == net::errc::refused || answer.error().code == net::errc::unreachable))
        co_return error{errc::not_running, path_};
    if (!answer) co_return answer.error();
    boost::system::error_code failed;
    auto v = json::parse(answer->body, failed);
    if (failed || !v.is_object()) co_return error{errc::malformed, path_};
    if (answer->head.status == 200) co_return std::move(v.get_object());
    auto told = error_from_json(v.get_object());
    if (!told) co_return error{errc::malformed, path_, "HTTP status " + std::to_string(answer->head.status)};
    co_return std::move(*told);
}

}  // namespace bento::host
