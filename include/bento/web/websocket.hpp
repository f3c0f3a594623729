// One WebSocket (RFC 6455) to an onion service through tor or to a socket of this machine, seen from the client.
#pragma once

#include <bento/http/websocket.hpp>
#include <bento/web/http_client.hpp>

namespace bento::web {

/// One coroutine reads, one writes. Errors are net::errc; errc::malformed; errc::refused with the status and the body
/// of an answer that is no switch of protocols.
class websocket {
  public:
    /// Of one message of the server's; a piece of it is given as it comes.
    static constexpr std::uint64_t message_limit = std::uint64_t{4} << 30;

    struct piece {
        bool text = false;
        bool last = true;
        std::string_view bytes;  ///< until the next call of next()
    };

    static task<websocket> connect(road by, std::string target, time_point deadline);
    websocket() = default;

    task<void> send(http::websocket::opcode type, std::string_view message);
    /// The next piece of a message; net::errc::closed where the server has said goodbye. Pings are answered here,
    /// before the next message is sent or read.
    task<piece> next();
    /// Says goodbye.
    task<void> close();
    void expires_at(time_point deadline) { stream_.expires_at(deadline); }

  private:
    task<void> flush();

    net::stream stream_;
    std::unique_ptr<http::websocket::receiver> receiver_;
    std::unique_ptr<char[]> buffer_;
    std::string out_;
    bool writes_ = false;
};

}  // namespace bento::web
