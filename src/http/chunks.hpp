// The chunked transfer coding (RFC 9112 section 7.1), decoded from bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bento::http {

class chunk_decoder {
  public:
    enum class outcome { need_data, data, end, malformed, too_large };

    /// Takes from the front of `in`. On `data`, `piece` is a view into it. `limit` is how much body may still come.
    outcome step(std::string_view& in, std::string_view& piece, std::uint64_t limit);

  private:
    enum class at { size_line, data, data_end, trailer };
    bool take_line(std::string_view& in);

    at at_ = at::size_line;
    std::string line_;
    std::uint64_t left_ = 0;
    std::size_t overhead_ = 0;
    std::size_t allowed_ = 0;
    bool broken_ = false;
};

}  // namespace bento::http
