#include <fcntl.h>
#include <sodium.h>
#include <sys/file.h>

#include <bento/base/bytes.hpp>
#include <bento/base/encoding.hpp>
#include <bento/base/errc.hpp>
#include <bento/base/file.hpp>
#include <bento/box/function_store.hpp>
#include <boost/json.hpp>
#include <cstring>

namespace bento::box {

namespace json = boost::json;

namespace {

/// The largest request that the Bento protocol takes here is 16 MiB; escaped again it is at most six times that.
constexpr std::size_t file_limit = std::size_t{100} << 20;

std::string sha256_of(std::string_view text) {
    std::array<std::uint8_t, crypto_hash_sha256_BYTES> digest{};
    const auto data = as_byte_view(text);
    ::crypto_hash_sha256(digest.data(), data.data(), data.size());
    return hex_encode(digest);
}

}  // namespace

std::string_view to_text(errc e) {
    switch (e) {
        case errc::full:
            return "there is no room for another function";
        case errc::unknown_token:
            return "no function is stored under this token";
        case errc::damaged:
            return "the stored function is damaged";
        case errc::too_many:
            return "as many functions run as may";
        case errc::storage:
            return "the store of functions cannot be used";
        case errc::taken:
            return "another function is stored under this token";
        case errc::name_too_long:
            return "the name of the function is too long";
        case errc::unknown_run:
            return "no such function runs here";
        case errc::in_use:
            return "another server has its functions there";
    }
    return "unknown error";
}

result<function_store> function_store::open(const options& o) {
    function_store out;
    out.directory_ = o.directory;
    out.max_count_ = o.functions;
    out.max_bytes_ = o.store_bytes;
    std::error_code failed;
    std::filesystem::create_directories(o.directory, failed);
    if (!failed) std::filesystem::permissions(o.directory, std::filesystem::perms::owner_all, failed);
    if (failed) return error{errc::storage, o.directory.string(), failed.message()};
    out.lock_ = net::unique_fd{::open(o.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!out.lock_ || ::flock(out.lock_.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) return error{errc::in_use, o.directory.string()};
        return error{errc::storage, o.directory.string(), std::strerror(errno)};
    }
    for (const auto& file : std::filesystem::directory_iterator{o.directory, failed}) {
        const auto& path = file.path();
        const auto token = uuid4::parse(path.filename().string().substr(0, uuid4::text_size));
        if (token && path.extension() == ".tmp") {
            std::filesystem::remove(path, failed);
        } else if (token && path == out.path_of(*token)) {
            const auto size = file.file_size(failed);
            const auto f = read(path);
            if (!f && f.error().code != errc::damaged) return f.error();
            out.keep(*token, f ? &*f : nullptr, size);
        }
        if (failed) break;
    }
    if (failed) return error{errc::storage, o.directory.string(), failed.message()};
    return out;
}

std::filesystem::path function_store::path_of(const uuid4& token) const { return directory_ / (token.str() + ".json"); }

void function_store::keep(const uuid4& token, const function* f, std::uint64_t file_size) {
    entry what{token};
    if (f != nullptr)
        what = {token, f->name, f->code.size(), sha256_of(f->code)};
    else
        what.damaged = true;
    entries_.emplace(token, stored{std::move(what), file_size});
    bytes_ += file_size;
}

result<uuid4> function_store::add(const function& f) {
    const auto token = uuid4::generate();
    if (auto added = add(token, f); !added) return added.error();
    return token;
}

result<void> function_store::add(const uuid4& token, const function& f) {
    if (const auto there = find(token)) {
        if (there->name == f.name && there->code == f.code) return {};
        return errc::taken;
    } else if (there.error().code != errc::unknown_token) {
        return errc::taken;
    }
    if (f.name.size() > name_limit) return errc::name_too_long;
    const auto text = json::serialize(json::object{{"name", f.name}, {"code", f.code}});
    if (entries_.size() >= max_count_ || bytes_ + text.size() > max_bytes_) return errc::full;
    if (auto written = write_file(path_of(token), text); !written)
        return error{errc::storage, {}, written.error().peer};
    keep(token, &f, text.size());
    return {};
}

result<function_store::function> function_store::read(const std::filesystem::path& path) {
    const auto text = read_file(path, file_limit);
    if (!text && text.error().code == base::errc::too_long) return errc::damaged;
    if (!text) return error{errc::storage, {}, text.error().peer};
    boost::system::error_code failed;
    const auto v = json::parse(*text, failed);
    const auto* object = v.if_object();
    const auto* name = object != nullptr ? object->if_contains("name") : nullptr;
    const auto* code = object != nullptr ? object->if_contains("code") : nullptr;
    if (failed || name == nullptr || code == nullptr || !name->is_string() || !code->is_string()) return errc::damaged;
    return function{std::string{name->get_string()}, std::string{code->get_string()}};
}

result<function_store::function> function_store::find(const uuid4& token) const {
    if (!entries_.contains(token)) return errc::unknown_token;
    return read(path_of(token));
}

result<function_store::entry> function_store::about(const uuid4& token) const {
    const auto found = entries_.find(token);
    if (found == entries_.end()) return errc::unknown_token;
    return found->second.what;
}

result<void> function_store::remove(const uuid4& token) {
    const auto found = entries_.find(token);
    if (found == entries_.end()) return errc::unknown_token;
    std::error_code failed;
    std::filesystem::remove(path_of(token), failed);
    if (failed) return error{errc::storage, {}, failed.message()};
    bytes_ -= found->second.file_size;
    entries_.erase(found);
    return {};
}

std::vector<function_store::entry> function_store::list() const {
    std::vector<entry> out;
    out.reserve(entries_.size());
    for (const auto& [token, s] : entries_)
        out.push_back(s.what);
    return out;
}

}  // namespace bento::box
