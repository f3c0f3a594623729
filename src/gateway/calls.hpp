// The paths that run functions, each a coroutine from a checked request to its response.
#pragma once

#include <bento/gateway/gateway.hpp>
#include <bento/web/exchange.hpp>

#include "request.hpp"

namespace bento::gateway {

task<void> answer_store(const options& o, web::exchange& to, store_request request);
task<void> answer_exec(const options& o, web::exchange& to, call_request request);
task<void> answer_open(const options& o, web::exchange& to, call_request request);

}  // namespace bento::gateway
