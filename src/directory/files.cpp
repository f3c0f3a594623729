// Entries as files: the thesis' directory, one JSON file a token, as a form to move and to keep.
#include <fmt/format.h>

#include <bento/base/file.hpp>
#include <bento/directory/directory.hpp>
#include <boost/json.hpp>

namespace bento::directory {

namespace json = boost::json;

namespace {

constexpr std::size_t page_size = 256;
/// The largest entry that a directory of any configuration holds: its code, escaped.
constexpr std::size_t file_limit = std::size_t{64} << 20;

result<store::record> record_in(const std::filesystem::path& file) {
    const auto text = read_file(file, file_limit);
    if (!text) return text.error();
    boost::system::error_code failed;
    const auto v = json::parse(*text, failed);
    const auto* o = v.if_object();
    if (failed || o == nullptr) return error{entry::errc::malformed, "no JSON object"};
    if (o->contains("ended")) {
        const auto dead = entry::tombstone_from_json(*o);
        if (!dead) return dead.error();
        if (auto held = entry::verify(*dead); !held) return held.error();
        return store::record{dead->token, 0, dead->owner, dead->seq, true, json::serialize(entry::to_json(*dead))};
    }
    const auto e = entry::entry_from_json(*o);
    if (!e) return e.error();
    if (auto held = entry::verify(*e); !held) return held.error();
    store::record out{e->token, 0, {}, e->seq(), false, json::serialize(entry::to_json(*e))};
    if (e->signed_by) out.owner = e->signed_by->owner;
    return out;
}

}  // namespace

task<std::size_t> export_entries(store::directory_store& from, std::filesystem::path folder) {
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    if (failed) co_return error{store::errc::failed, folder.string(), failed.message()};
    std::size_t count = 0;
    std::optional<uuid4> after;
    for (;;) {
        const auto page = co_await from.page(after, page_size);
        if (!page) co_return page.error();
        if (page->empty()) co_return count;
        for (const auto& r : *page) {
            const auto file = folder / (r.token.str() + ".json");
            if (auto written = write_file(file, r.document + "\n", 0644); !written) co_return written.error();
            ++count;
        }
        after = page->back().token;
    }
}

task<imported> import_entries(store::directory_store& into, std::filesystem::path folder) {
    imported out;
    std::error_code failed;
    std::vector<store::record> batch;
    std::vector<std::filesystem::path> files;
    for (const auto& one : std::filesystem::directory_iterator{folder, failed})
        if (one.path().extension() == ".json") files.push_back(one.path());
    if (failed) co_return error{store::errc::failed, folder.string(), failed.message()};
    std::sort(files.begin(), files.end());
    for (std::size_t i = 0; i < files.size(); ++i) {
        auto r = record_in(files[i]);
        if (r && r->token.str() != files[i].stem().string())
            r = error{entry::errc::malformed, "it is the entry of another token than its name says"};
        if (r)
            batch.push_back(std::move(*r));
        else
            out.refused.push_back(files[i].string() + ": " + r.error().message());
        if (batch.size() < page_size && i + 1 < files.size()) continue;
        const auto size = batch.size();
        const auto taken = co_await into.import(std::exchange(batch, {}));
        if (!taken) co_return taken.error();
        out.taken += *taken;
        out.present += size - *taken;
    }
    co_return out;
}

}  // namespace bento::directory
