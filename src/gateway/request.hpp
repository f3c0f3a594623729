// The JSON bodies of requests, checked once into owning values.
#pragma once

#include <bento/base/error.hpp>
#include <bento/base/uuid4.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace bento::gateway {

/// A body that is wrong, as it is answered.
struct refusal {
    int status;  ///< 400 where it is no JSON object, 422 where a member is wrong
    std::string detail;
};
template <class T>
using checked = boost::system::result<T, refusal>;

struct store_request {
    std::string name;
    std::string code;
};

struct call_request {
    enum class collect { first, all, stream };
    uuid4 token;
    std::string call;
    collect mode = collect::first;
    bool detach = false;
    std::optional<double> seconds;          ///< collect for so long
    std::optional<std::uint64_t> messages;  ///< collect so many
};

/// `{"name","code"}`, or the thesis' `{"0","1"}`.
checked<store_request> parse_store(std::string_view body);
/// `{"token","call"}` with "mode", "seconds", "messages" or "detach", or the thesis' `{"0","1"}`. With `literal`, the
/// call is `name(literals...)`.
checked<call_request> parse_call_request(std::string_view body, bool literal);

}  // namespace bento::gateway

namespace boost::system {
[[noreturn]] inline void throw_exception_from_error(const bento::gateway::refusal& r, const boost::source_location&) {
    throw std::runtime_error{r.detail};
}
}  // namespace boost::system
