#include "known.hpp"

#include <bento/base/encoding.hpp>
#include <bento/base/errc.hpp>
#include <bento/base/file.hpp>
#include <bento/lookup/errc.hpp>
#include <boost/json.hpp>

namespace bento::lookup {

namespace json = boost::json;

namespace {

/// An entry without its code, and 200 bytes.
constexpr std::size_t file_limit = 64 * 1024;

std::filesystem::path path_of(const std::filesystem::path& folder, const uuid4& token) {
    return folder / (token.str() + ".json");
}

template <std::size_t Size>
bool read_hex(const json::value& v, std::array<std::uint8_t, Size>& into) {
    const auto raw = v.is_string() ? hex_decode(std::string_view{v.get_string()}) : std::nullopt;
    if (!raw || raw->size() != Size) return false;
    std::copy(raw->begin(), raw->end(), into.begin());
    return true;
}

/// Nothing where it is not what we wrote.
std::optional<known_entry> parse(std::string_view text, const uuid4& token) {
    boost::system::error_code failed;
    const auto v = json::parse(text, failed);
    const auto* o = v.if_object();
    if (failed || o == nullptr) return {};
    for (const auto* name : {"asked", "document", "entry", "owner", "seq"})
        if (!o->contains(name)) return {};
    if (!o->at("entry").is_object()) return {};
    auto last = entry::entry_from_json(o->at("entry").get_object());
    boost::system::error_code no_time, no_seq;
    const auto asked = o->at("asked").to_number<std::int64_t>(no_time);
    const auto seq = o->at("seq").to_number<std::uint64_t>(no_seq);
    if (!last || last->token != token || no_time || no_seq) return {};
    known_entry out{{}, std::move(*last), std::chrono::sys_seconds{std::chrono::seconds{asked}}};
    out.pin.seq = seq;
    if (!read_hex(o->at("document"), out.pin.document)) return {};
    if (!o->at("owner").is_null() && !read_hex(o->at("owner"), out.pin.owner.emplace())) return {};
    return out;
}

}  // namespace

result<std::optional<known_entry>> load_known(const std::filesystem::path& folder, const uuid4& token) {
    const auto path = path_of(folder, token);
    const auto text = read_file(path, file_limit);
    if (!text && text.error().code == base::errc::not_found) return std::optional<known_entry>{};
    if (!text) return text.error();
    auto out = parse(*text, token);
    if (!out) return error{errc::damaged, path.string()};
    return out;
}

result<void> save_known(const std::filesystem::path& folder, const known_entry& k) {
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    if (!failed) std::filesystem::permissions(folder, std::filesystem::perms::owner_all, failed);
    if (failed) return error{base::errc::io, folder.string(), failed.message()};
    const auto there = load_known(folder, k.last.token);
    if (there && *there && (*there)->pin.owner == k.pin.owner && (*there)->pin.seq > k.pin.seq) return {};
    json::object o{{"asked", k.asked.time_since_epoch().count()},
                   {"document", hex_encode(k.pin.document)},
                   {"entry", entry::to_json(k.last, false)},
                   {"owner", nullptr},
                   {"seq", k.pin.seq}};
    if (k.pin.owner) o["owner"] = hex_encode(*k.pin.owner);
    return write_file(path_of(folder, k.last.token), json::serialize(o) + "\n");
}

}  // namespace bento::lookup
