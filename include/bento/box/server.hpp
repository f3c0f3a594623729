// The Bento server: stores functions and runs each call in a sandbox of its own, over the Bento protocol.
#pragma once

#include <bento/box/function_store.hpp>
#include <bento/box/instance.hpp>
#include <bento/net/listener.hpp>
#include <memory>

namespace bento::box {

/// Destroyed, it ends every function and every connection.
class server {
  public:
    /// Finds Python, makes the filter and proves with one empty run that a sandbox can be made. Errors: sandbox::errc,
    /// errc::storage.
    static task<server> start(options o);

    server() = default;
    server(server&&) noexcept;
    server& operator=(server&&) noexcept;
    ~server();

    /// Serves the Bento protocol on it from now on; may be called for several.
    void serve(net::listener on);
    /// Functions that run now.
    std::size_t running() const;
    std::size_t stored() const;

  private:
    struct state;
    std::shared_ptr<state> state_;
};

}  // namespace bento::box
