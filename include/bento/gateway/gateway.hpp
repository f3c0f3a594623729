// What an onion serves: HTTP requests onto a Bento server (bentoctl-serve(1) tells the paths and bodies).
#pragma once

#include <bento/base/uuid4.hpp>
#include <bento/gateway/custom_route.hpp>
#include <bento/http/limits.hpp>
#include <bento/net/listener.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace bento::gateway {

struct options {
    endpoint server;  ///< where the Bento protocol is spoken

    // Paths that are offered. delete and register need their hook as well.
    bool store = true;
    bool exec = true;
    bool open = true;
    bool input = true;
    bool close = true;
    bool delete_ = true;
    bool register_ = true;
    bool session = true;
    std::vector<custom_route> routes;

    enum class storers { anyone, credential, operator_ } store_who = storers::anyone;
    /// Of storers::credential: whether it is the right one, compared in constant time.
    std::function<bool(std::string_view credential)> is_credential;
    /// Only `name(literals...)`; otherwise any Python expression.
    bool literal_calls = true;
    std::uint64_t max_body = 1 << 20;
    /// For one call of a function, from request to answer; a stream and a session last as long as the function.
    std::chrono::milliseconds deadline = std::chrono::minutes{5};
    /// A running function that nobody reads ends after this.
    std::chrono::milliseconds ttl = std::chrono::hours{1};
    /// A connection to the function server that is not needed any more waits so long for the next call.
    std::chrono::milliseconds server_idle = std::chrono::seconds{10};
    /// Functions that run at a time, that are started at a time, and that one connection has started.
    std::size_t functions = 1024;
    std::size_t starting = 32;
    std::size_t functions_per_connection = 64;
    /// What the function server allows, as the members of a JSON object; part of `GET /policy`.
    std::string policy;
    /// The same for a person, a sentence each.
    std::vector<std::string> policy_lines;
    /// The function server drops what nobody has read when a function ends, so it is read ahead of the clients.
    bool reads_ahead = false;
    http::deadlines http;

    // What the host knows and does. Each may be unset: then the path or the member is not offered. What only the
    // function server's owner can do (remove, end, code_sha256_of) is answered with 501 where it is unset.
    std::function<uuid4(const uuid4& token)> owner_token_of;
    /// Registers a function in the directory; the entry as JSON.
    std::function<task<std::string>(uuid4 token)> publish;
    std::function<task<void>(uuid4 token)> remove;
    /// Ends a function for good; false where it does not run. Unset: this function server cannot.
    std::function<bool(const uuid4& id)> end;
    std::function<std::optional<std::string>(const uuid4& token)> code_sha256_of;
    /// After a client has stored a function.
    std::function<void(const uuid4& token, const std::string& name, const std::string& code)> stored;

    bool offers_close() const { return close && end; }
    bool offers_delete() const { return delete_ && owner_token_of && remove; }
    bool offers_register() const { return register_ && owner_token_of && publish; }
    /// The functions run in our own sandbox.
    bool is_embedded() const { return !policy.empty(); }
};

/// Serves until destroyed, which ends every connection.
class gateway {
  public:
    /// Outputs that are gathered before the answer (`"mode":"all"`); a call that gives more is to be streamed.
    static constexpr std::size_t gathered_limit = std::size_t{16} << 20;

    explicit gateway(options o);
    gateway(gateway&&) noexcept;
    gateway& operator=(gateway&&) noexcept;
    ~gateway();

    void serve(net::listener on);
    /// From the next request on.
    void configure(options o);

  private:
    struct state;
    std::shared_ptr<state> state_;
};

}  // namespace bento::gateway
