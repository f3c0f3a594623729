// The address of a v3 onion service (rend-spec-v3 section 6): base32(public key | checksum | version).
#pragma once

#include <bento/onion/key.hpp>
#include <compare>
#include <string>
#include <string_view>

namespace bento::onion {

/// Always valid: version 3, checksum right, a public key of the prime-order group.
class address {
  public:
    /// Without ".onion".
    static constexpr std::size_t service_id_size = 56;

    static address of(const public_key& key);
    /// With or without ".onion", either case. errc::bad_address, with what is wrong: a mistyped character is found by
    /// the checksum.
    static result<address> parse(std::string_view text);

    /// 56 lower-case characters, as the control port names a service.
    const std::string& service_id() const { return service_id_; }
    /// With ".onion".
    std::string host() const { return service_id_ + ".onion"; }
    public_key key() const;

    auto operator<=>(const address&) const = default;

  private:
    explicit address(std::string service_id) : service_id_{std::move(service_id)} {}
    std::string service_id_;
};

}  // namespace bento::onion
