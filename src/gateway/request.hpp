// The JSON bodies of requests, checked once into owning values.
#pragma once

#include <bento/base/error.hpp>
#include <bento/base/uuid4.hpp>
#include <bento/gateway/custom_route.hpp>
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
    std::optional<std::string> credential;
};

struct call_request {
    enum class collect { first, all, stream };
    /// What to run; unset where a running function is read on.
    std::optional<uuid4> token;
    std::string call;
    std::optional<uuid4> function_id;
    collect mode = collect::first;
    bool detach = false;
    std::optional<double> seconds;           ///< collect for so long
    std::optional<std::uint64_t> messages;   ///< collect so many
    std::optional<std::uint64_t> after;      ///< messages of the function that the client has
    std::optional<uuid4> request_id;         ///< the same again is the same run
    std::optional<std::string> code_sha256;  ///< what the client expects to run, 64 hexadecimal digits
};

struct input_request {
    uuid4 function_id;
    std::string data;
};

struct owner_request {
    uuid4 token;
    uuid4 owner_token;
};

/// Whether a call is to be `name(literals...)`, and whether a running function may be named in its place.
struct call_rules {
    bool literal = true;
    bool running = false;
};

/// `{"name","code"}`, or the thesis' `{"0","1"}`; "credential" where the operator asks for one.
checked<store_request> parse_store(std::string_view body);
/// `{"token","call"}`, or the thesis' `{"0","1"}`, or `{"function_id"}`; the other members of call_request beside them.
checked<call_request> parse_call_request(std::string_view body, call_rules rules);
/// `{"function_id"}` with "data", or with "data_base64".
checked<input_request> parse_input(std::string_view body);
/// `{"function_id"}`.
checked<uuid4> parse_function_id(std::string_view body);
/// `{"token","owner_token"}`.
checked<owner_request> parse_owner(std::string_view body);
/// The call that a custom route makes of a body with its arguments, or of none.
checked<call_request> custom_call(const custom_route& route, std::string_view body);

}  // namespace bento::gateway

namespace boost::system {
[[noreturn]] inline void throw_exception_from_error(const bento::gateway::refusal& r, const boost::source_location&) {
    throw std::runtime_error{r.detail};
}
}  // namespace boost::system
