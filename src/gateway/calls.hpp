// The paths that run functions, each a coroutine from a request to its response.
#pragma once

#include <bento/gateway/gateway.hpp>
#include <bento/web/exchange.hpp>

#include "runs.hpp"

namespace bento::gateway {

/// What every path works with: the options of the moment that its request came, and what runs.
struct context {
    std::shared_ptr<const options> with;
    std::shared_ptr<runs> all;
};

task<void> answer_exec(context c, web::exchange& to);
task<void> answer_open(context c, web::exchange& to);
task<void> answer_input(context c, web::exchange& to);
result<void> answer_close(const context& c, web::exchange& to);
/// A path of the operator's. The function ends with it.
task<void> answer_custom(context c, const custom_route& route, web::exchange& to);
/// WebSocket: one function's input and output, both ways.
task<void> answer_session(context c, web::exchange& to);

/// The run that a request is about, and where it reads on. Errors as in the table.
struct attached {
    std::shared_ptr<run> of;
    uuid4 id;
    std::uint64_t place;
};
task<attached> attach(const context& c, web::exchange& to, const call_request& request, time_point deadline);
time_point deadline_of(const options& o, const call_request& request);

/// `{"data":...}` without the braces, or `"data_base64":...` where it is not UTF-8.
std::string output_member(std::string_view data);

}  // namespace bento::gateway
