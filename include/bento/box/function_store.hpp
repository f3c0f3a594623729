// The stored functions: one JSON file a token, `{"name","code"}`, mode 0600, and what they are in memory.
#pragma once

#include <bento/base/error.hpp>
#include <bento/base/uuid4.hpp>
#include <bento/box/options.hpp>
#include <bento/net/child.hpp>
#include <map>
#include <vector>

namespace bento::box {

enum class errc {
    full = 1,       ///< no room for another function, or its code
    unknown_token,  ///< no function is stored under it
    damaged,        ///< a file of the store is not what we wrote
    too_many,       ///< as many functions run as may
    storage,        ///< the store cannot be read or written
    taken,          ///< another function is stored under this token
    name_too_long,  ///< over function_store::name_limit
    unknown_run,    ///< nothing runs, or is remembered, under this id
    in_use,         ///< another server has its functions there
};
std::string_view to_text(errc e);

/// The one owner of its directory while it exists, which it holds locked: it counts and lists from memory.
class function_store {
  public:
    /// Of a function's name, bytes: it is shown in lists and directories, and is kept in memory.
    static constexpr std::size_t name_limit = 1024;

    struct function {
        std::string name;
        std::string code;
    };
    /// A stored function without its code.
    struct entry {
        uuid4 token;
        std::string name;
        std::uint64_t code_size = 0;
        std::string code_sha256;  ///< lower-case hexadecimal
        bool damaged = false;     ///< the file is not what we wrote: nothing above is known but the token
    };

    /// Makes the directory, mode 0700, and reads what is in it; a write that a crash cut short is cleaned up. Errors:
    /// errc::storage; errc::in_use while another store, of this process or any other, has it.
    static result<function_store> open(const options& o);

    /// Under a new token. errc::full, name_too_long, storage.
    result<uuid4> add(const function& f);
    /// Under a token that somebody else made. errc::taken where it holds another function; the same one again is fine.
    result<void> add(const uuid4& token, const function& f);
    /// errc::unknown_token, damaged, storage.
    result<function> find(const uuid4& token) const;
    /// errc::unknown_token.
    result<entry> about(const uuid4& token) const;
    /// errc::unknown_token, storage.
    result<void> remove(const uuid4& token);
    /// By token.
    std::vector<entry> list() const;
    std::size_t size() const { return entries_.size(); }
    /// Of the files, bytes.
    std::uint64_t used_bytes() const { return bytes_; }

  private:
    struct stored {
        entry what;
        std::uint64_t file_size = 0;
    };
    std::filesystem::path path_of(const uuid4& token) const;
    static result<function> read(const std::filesystem::path& path);
    void keep(const uuid4& token, const function* f, std::uint64_t file_size);

    std::filesystem::path directory_;
    net::unique_fd lock_;
    std::size_t max_count_ = 0;
    std::uint64_t max_bytes_ = 0, bytes_ = 0;
    std::map<uuid4, stored> entries_;
};

}  // namespace bento::box
BENTO_ERRC(box);
