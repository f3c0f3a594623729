// A whole response that is the same for everybody: checked and put together once, and sent from where it lies.
#pragma once

#include <bento/http/message.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace bento::http {

/// Copies share their bytes. Its status is one that has a body (not 1xx, 204 or 304).
class prepared_response {
  public:
    /// As server_connection::respond(): std::logic_error for a field with control characters.
    prepared_response(int status, std::span<const field> fields, std::string_view body);

    /// To a client that keeps the connection.
    const std::shared_ptr<const std::string>& whole() const { return whole_; }
    /// Without the empty line that ends it, so that a field may follow.
    std::string_view head() const { return std::string_view{*whole_}.substr(0, head_); }
    std::string_view body() const { return std::string_view{*whole_}.substr(head_ + 2); }

  private:
    std::shared_ptr<const std::string> whole_;
    std::size_t head_ = 0;  // bytes
};

}  // namespace bento::http
