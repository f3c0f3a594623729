// What an onion serves: HTTP requests onto a Bento server (bentoctl-serve(1) tells the paths and bodies).
#pragma once

#include <bento/http/limits.hpp>
#include <bento/net/listener.hpp>
#include <memory>

namespace bento::gateway {

struct options {
    endpoint server;  ///< where the Bento protocol is spoken
    bool store = true;
    bool exec = true;
    bool open = true;
    /// Only `name(literals...)`; otherwise any Python expression.
    bool literal_calls = true;
    std::uint64_t max_body = 1 << 20;
    /// For one call of a function, from request to answer.
    std::chrono::milliseconds deadline = std::chrono::minutes{5};
    http::deadlines http;
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
    std::unique_ptr<state> state_;
};

}  // namespace bento::gateway
