// Registration, re-registration and its end: who may change what, and the order in which that is found out.
#pragma once

#include <bento/net/workers.hpp>

#include "attempts.hpp"
#include "request.hpp"

namespace bento::directory {

class registrar {
  public:
    /// Both must outlive it.
    registrar(const options& o, store::directory_store& store);

    /// The answer's JSON, or the refusal. `host` is what the request calls us.
    asio::awaitable<checked<std::string>> handle(action what, std::string body, std::string host);

  private:
    /// What is registered under the tokens of a request, checked against what is wished.
    asio::awaitable<checked<std::vector<store::record>>> find_all(action what, const request& r);

    const options& options_;
    store::directory_store& store_;
    attempts attempts_;
    /// Of no password, but as dear to check as any: who asks for an account that is not there learns nothing from the
    /// time that takes.
    std::string nobodys_hash_;
    net::workers workers_;
};

}  // namespace bento::directory
