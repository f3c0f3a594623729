// The functions of this host, wherever they run: in the embedded box, which owns its store, or at an external Bento
// server, of which what passed through the gateway is kept here.
#pragma once

#include <bento/box/server.hpp>
#include <bento/config/settings.hpp>

#include "state_directory.hpp"

namespace bento::host {

class stored_functions {
  public:
    /// With the embedded box, or beside the server that the configuration names. Errors: sandbox::errc, box::errc,
    /// net::errc.
    static task<stored_functions> start(const config::settings& s, const state_directory& state, std::string helper);

    /// Where the Bento protocol is spoken.
    const endpoint& server() const { return at_; }
    /// Nothing where an external server runs the functions.
    box::server* box() { return box_ ? &*box_ : nullptr; }
    const box::server* box() const { return box_ ? &*box_ : nullptr; }
    /// What the box was started with: a configuration that is read again does not change it.
    const config::settings::box_settings& limits() const { return limits_; }
    box::function_store& store() { return box_ ? box_->functions() : *kept_; }
    const box::function_store& store() const { return box_ ? box_->functions() : *kept_; }
    result<std::string> code_of(const uuid4& token) const;

  private:
    std::optional<box::server> box_;
    std::optional<box::function_store> kept_;
    endpoint at_;
    config::settings::box_settings limits_;
};

}  // namespace bento::host
