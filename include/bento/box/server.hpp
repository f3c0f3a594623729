// The Bento server: stores functions and runs each call in a sandbox of its own, over the Bento protocol.
#pragma once

#include <bento/box/function_store.hpp>
#include <bento/box/instance.hpp>
#include <bento/net/listener.hpp>
#include <memory>

namespace bento::box {

class house;

/// One call of a function, running or remembered.
struct run {
    uuid4 id;
    uuid4 token;
    clock::duration age{};
    bool ended = false;
    bool open = false;         ///< somebody has it open
    std::uint64_t unread = 0;  ///< bytes that it has sent and nobody has taken
};

/// Destroyed, it ends every function and every connection.
class server {
  public:
    /// Finds Python, makes the filter and proves with one empty run that a sandbox can be made. Errors: sandbox::errc,
    /// errc::storage.
    static task<server> start(options o);

    /// What a server that started now would find, without one: errors as start() has them, degraded() otherwise.
    static task<std::vector<std::string>> examine(options o);

    server() = default;
    server(server&&) noexcept;
    server& operator=(server&&) noexcept;
    ~server();

    /// Serves the Bento protocol on it from now on; may be called for several.
    void serve(net::listener on);
    /// Functions that run now.
    std::size_t running() const;
    std::size_t stored() const;
    /// Running ones and those that have ended with something unread, the oldest first.
    std::vector<run> runs() const;
    /// Ends a function for good: what it has not told yet is dropped, and nobody can open it any more. Who has it open
    /// reads an error and its end. errc::unknown_run.
    result<void> kill(const uuid4& id);

    /// The stored functions, while this server lives; its own store is the only one that may use the directory.
    function_store& functions();
    const function_store& functions() const;
    /// Deletes a stored function and ends its runs. errc::unknown_token, storage.
    result<void> remove(const uuid4& token);

    /// What the sandbox cannot hold on this machine, a clause each: without control groups some limits are each
    /// process's own. Empty where nothing is missing; otherwise it is `degraded`, and status and doctor say so.
    std::vector<std::string> degraded() const;

  private:
    std::shared_ptr<house> house_;
    std::vector<net::listener> listeners_;
};

}  // namespace bento::box
