// One Bento Function Directory, seen from outside: by a caller who looks up, and by a server that registers.
#pragma once

#include <bento/entry/choice.hpp>
#include <bento/lookup/errc.hpp>
#include <bento/web/http_client.hpp>
#include <span>

namespace bento::lookup {

/// Where a directory is: an onion, or a socket of this machine for one that runs without.
struct address {
    /// What its users call it, and what passwords, accounts and claims are made for: an onion's host name, or the
    /// authority that stands in the Host field.
    std::string name;
    std::uint16_t port = 80;        ///< of the onion
    std::optional<endpoint> local;  ///< unset: `name` is an onion

    /// `ADDRESS.onion`, `ADDRESS.onion:PORT`, or an endpoint of this machine. errc::bad_address.
    static result<address> parse(std::string_view text);
    /// As parse() reads it.
    std::string str() const;
    /// The way there, by tor's SOCKS port unless it is on this machine.
    web::road road(const endpoint& socks, net::isolation isolation) const;

    bool operator==(const address&) const = default;
};

/// Why a directory does not do what it was asked.
struct refusal {
    errc why;
    std::optional<uuid4> token;  ///< which of the entries, where it is one
    std::string words;           ///< the directory's
    std::optional<std::chrono::seconds> retry_after;

    error as_error() const;
};

/// One connection, which is kept. Errors are net::errc, web::errc and errc::not_a_directory; what the directory refuses
/// is a value.
class directory {
  public:
    /// Bytes of entries in one request, well below the 4 MiB that a directory takes.
    static constexpr std::size_t batch_bytes = std::size_t{3} << 20;
    static constexpr std::size_t batch_entries = 1000;

    directory(address where, web::road by) : where_{std::move(where)}, http_{std::move(by)} {}

    const address& where() const { return where_; }
    /// What it says of the token; only its form is checked.
    asio::awaitable<entry::answer> find(uuid4 token, time_point deadline);

    /// One request, one transaction there: all of the entries or none. They are signed already, by keys of `owner`.
    /// With their code where they carry it.
    task<std::optional<refusal>> add(const entry::owner_secret& owner, std::span<const entry::entry> entries,
                                     time_point deadline);
    /// Their code stays as it was registered and is not sent.
    task<std::optional<refusal>> replace(const entry::owner_secret& owner, std::span<const entry::entry> entries,
                                         time_point deadline);
    task<std::optional<refusal>> end(const entry::owner_secret& owner, std::span<const entry::tombstone> tombstones,
                                     time_point deadline);

    void close() { http_.close(); }

  private:
    /// `entries` is a JSON array's inside.
    task<std::optional<refusal>> send(std::string_view path, const entry::owner_secret& owner, std::string entries,
                                      time_point deadline);
    task<web::http_client::response> get(const uuid4& token, time_point deadline);

    address where_;
    web::http_client http_;
};

}  // namespace bento::lookup
