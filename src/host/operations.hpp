// What the daemon of a hidden Bento server answers to its operator: status, functions, registrations.
#pragma once

#include "control_socket.hpp"
#include "registrations.hpp"
#include "rotation.hpp"
#include "stored_functions.hpp"

namespace bento::host {

/// What they speak of; all of it outlives the control socket. Without an onion nothing can be registered.
struct hosted {
    stored_functions& functions;
    const state_directory& state;
    registrations* registered = nullptr;
    rotator* keys = nullptr;
    std::function<void(std::string_view)> warning;
};

/// Registers a stored function of this host.
task<entry::entry> publish(const hosted& h, uuid4 token, bool with_code, time_point deadline);
/// Deletes one, ends its runs and its registration.
result<void> remove(const hosted& h, const uuid4& token);

/// `h` must outlive them.
std::vector<operation> operations(const hosted& h);

}  // namespace bento::host
