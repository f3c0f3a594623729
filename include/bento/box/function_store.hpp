// The stored functions: one JSON file a token, `{"name","code"}`, mode 0600.
#pragma once

#include <bento/base/error.hpp>
#include <bento/base/uuid4.hpp>
#include <bento/box/options.hpp>

namespace bento::box {

enum class errc {
    full = 1,       ///< no room for another function, or its code
    unknown_token,  ///< no function is stored under it
    damaged,        ///< a file of the store is not what we wrote
    too_many,       ///< as many functions run as may
    storage,        ///< the store cannot be read or written
};
std::string_view to_text(errc e);

class function_store {
  public:
    struct function {
        std::string name;
        std::string code;
    };

    /// Makes the directory, mode 0700, and counts what is in it.
    static result<function_store> open(const options& o);

    result<uuid4> add(const function& f);
    result<function> find(const uuid4& token) const;
    std::size_t size() const { return count_; }

  private:
    std::filesystem::path path_of(const uuid4& token) const;
    std::filesystem::path directory_;
    std::size_t max_count_ = 0, count_ = 0;
    std::uint64_t max_bytes_ = 0, bytes_ = 0;
};

}  // namespace bento::box
BENTO_ERRC(box);
