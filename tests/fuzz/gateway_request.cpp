// Bodies of requests, and the calls in them: what passes the literal grammar is built again from what was read.
#include <bento/wire/call.hpp>
#include <cstdint>
#include <string_view>

#include "gateway/request.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view body{reinterpret_cast<const char*>(data), size};
    const auto store = bento::gateway::parse_store(body);
    if (!store && store.error().status != 400 && store.error().status != 422) __builtin_trap();
    const auto call = bento::gateway::parse_call_request(body, {true, true});
    if (!call && call.error().status != 400 && call.error().status != 422) __builtin_trap();
    if (call && call->token && !bento::wire::parse_call(call->call)) __builtin_trap();
    const auto input = bento::gateway::parse_input(body);
    if (!input && input.error().status != 400 && input.error().status != 422) __builtin_trap();
    return 0;
}
