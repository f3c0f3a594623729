// One connection to a Bento server: wire::client over a stream.
#pragma once

#include <bento/client/errc.hpp>
#include <bento/net/stream.hpp>
#include <bento/wire/client_state.hpp>
#include <memory>

namespace bento::client {

/// Deadlines are the stream's: see expires_at(). After an error other than a refusal the connection is of no use.
class bento_connection {
  public:
    static task<bento_connection> connect(endpoint to, time_point deadline);
    bento_connection() = default;
    explicit bento_connection(net::stream connected);

    /// errc::refused with the server's words.
    task<uuid4> store(std::string_view name, std::string_view code);
    /// The id of the function that now runs. errc::unknown_token, or errc::refused with the server's words.
    task<uuid4> execute(std::string_view call, const uuid4& token);
    /// Sent, not answered: the first event of next() tells whether it succeeded.
    task<void> open(const uuid4& id);
    task<void> input(const uuid4& id, std::string_view data);
    /// The function goes on without us.
    task<void> close(const uuid4& id);
    /// The next message of the open function, never need_data. Views are good until the next call.
    task<wire::client::event> next();

    /// Connected, and ready for another request as far as has been read.
    bool idle() const { return stream_.is_open() && machine_->idle(); }

    void expires_at(time_point deadline) { stream_.expires_at(deadline); }
    net::stream& stream() { return stream_; }

  private:
    task<void> send(result<std::string> encoded);

    net::stream stream_;
    std::unique_ptr<wire::client> machine_;
    std::unique_ptr<char[]> buffer_;
};

}  // namespace bento::client
