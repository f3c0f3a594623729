#include <sodium.h>

#include <algorithm>
#include <bento/control/wiped_buffer.hpp>

namespace bento::control {

wiped_buffer& wiped_buffer::append(std::string_view text) {
    if (storage_.size() - end_ < text.size()) {
        secret larger{std::max<std::size_t>({2 * size(), size() + text.size(), 128})};
        const auto live = this->text();
        std::copy(live.begin(), live.end(), larger.writable().begin());
        end_ = live.size();
        begin_ = 0;
        storage_ = std::move(larger);
    }
    std::copy(text.begin(), text.end(), storage_.writable().begin() + static_cast<std::ptrdiff_t>(end_));
    end_ += text.size();
    return *this;
}

void wiped_buffer::consume(std::size_t size) {
    size = std::min(size, this->size());
    if (size > 0) sodium_memzero(storage_.writable().data() + begin_, size);
    begin_ += size;
    if (!empty()) return;
    begin_ = end_ = 0;
    if (storage_.size() > kept) storage_ = {};
}

}  // namespace bento::control
