#include <bento/base/errc.hpp>
#include <bento/base/file.hpp>
#include <bento/box/function_store.hpp>
#include <boost/json.hpp>

namespace bento::box {

namespace json = boost::json;

namespace {

/// The largest request that the Bento protocol takes here is 16 MiB; escaped again it is at most six times that.
constexpr std::size_t file_limit = std::size_t{100} << 20;

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
    for (const auto& entry : std::filesystem::directory_iterator{o.directory, failed}) {
        if (!uuid4::parse(entry.path().stem().string())) continue;
        ++out.count_;
        out.bytes_ += entry.file_size(failed);
    }
    if (failed) return error{errc::storage, o.directory.string(), failed.message()};
    return out;
}

std::filesystem::path function_store::path_of(const uuid4& token) const { return directory_ / (token.str() + ".json"); }

result<uuid4> function_store::add(const function& f) {
    const auto text = json::serialize(json::object{{"name", f.name}, {"code", f.code}});
    if (count_ >= max_count_ || bytes_ + text.size() > max_bytes_) return errc::full;
    const auto token = uuid4::generate();
    if (auto written = write_file(path_of(token), text); !written)
        return error{errc::storage, {}, written.error().peer};
    ++count_;
    bytes_ += text.size();
    return token;
}

result<function_store::function> function_store::find(const uuid4& token) const {
    const auto text = read_file(path_of(token), file_limit);
    if (!text && text.error().code == base::errc::not_found) return errc::unknown_token;
    if (!text) return error{errc::storage, {}, text.error().peer};
    boost::system::error_code failed;
    const auto v = json::parse(*text, failed);
    const auto* object = v.if_object();
    const auto* name = object != nullptr ? object->if_contains("name") : nullptr;
    const auto* code = object != nullptr ? object->if_contains("code") : nullptr;
    if (failed || name == nullptr || code == nullptr || !name->is_string() || !code->is_string()) return errc::damaged;
    return function{std::string{name->get_string()}, std::string{code->get_string()}};
}

}  // namespace bento::box
