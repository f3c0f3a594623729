// Where an operator's commands ask the daemon: STATE/bentoctl.sock, mode 0600, JSON over HTTP. `POST /QUESTION` with an
// object is answered by an object; an error comes as it is (told_error.hpp) with status 500.
#pragma once

#include <bento/web/server.hpp>
#include <boost/json/object.hpp>

#include "state_directory.hpp"

namespace bento::host {

/// What a daemon answers to one question.
struct operation {
    std::string question;
    std::function<task<boost::json::object>(boost::json::object)> answer;
};

class control_socket {
  public:
    /// Errors are net::errc, and errc::state where the state directory's path is too long for a socket.
    static result<control_socket> open(asio::any_io_executor executor, const state_directory& state,
                                       std::vector<operation> operations);

  private:
    explicit control_socket(web::server s) : server_{std::move(s)} {}
    web::server server_;
};

}  // namespace bento::host
