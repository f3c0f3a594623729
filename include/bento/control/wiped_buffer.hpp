// Bytes on their way to tor: appended at the end, taken from the front, and wiped wherever they have been.
#pragma once

#include <bento/base/secret.hpp>
#include <string_view>

namespace bento::control {

class wiped_buffer {
  public:
    /// An empty buffer keeps no more than this for the next command.
    static constexpr std::size_t kept = std::size_t{64} << 10;

    wiped_buffer& append(std::string_view text);
    /// Valid until the next append() or consume().
    std::string_view text() const { return storage_.text().substr(begin_, end_ - begin_); }
    std::size_t size() const { return end_ - begin_; }
    bool empty() const { return begin_ == end_; }
    /// Wipes the first `size` bytes, at most all.
    void consume(std::size_t size);
    void clear() { consume(size()); }

  private:
    secret storage_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace bento::control
