#include "registration_journal.hpp"

#include <bento/base/encoding.hpp>
#include <bento/base/errc.hpp>
#include <bento/base/file.hpp>
#include <boost/json.hpp>

namespace bento::host {

namespace json = boost::json;

namespace {

/// 100,000 functions at 16 directories.
constexpr std::size_t file_limit = std::size_t{256} << 20;
constexpr std::uint64_t form = 1;

json::object to_json(const registration& r) {
    json::object at;
    for (const auto& [directory, there] : r.at) {
        json::object one;
        if (there.acknowledged) one["acknowledged"] = *there.acknowledged;
        if (!there.refused.empty()) one["refused"] = there.refused;
        at[directory] = std::move(one);
    }
    return {{"name", r.name},
            {"code_sha256", hex_encode(r.code_sha256)},
            {"with_code", r.with_code},
            {"onion", r.onion.host()},
            {"seq", r.seq},
            {"not_after", entry::to_text(r.not_after)},
            {"ask_first", r.ask_first},
            {"ended", r.ended},
            {"directories", std::move(at)}};
}

/// Throws what boost::json throws where a member is missing or of another type.
registration from_json(const json::object& o) {
    const auto text = [&](std::string_view name) { return json::value_to<std::string>(o.at(name)); };
    const auto digest = hex_decode(text("code_sha256"));
    auto onion = onion::address::parse(text("onion"));
    auto day = entry::parse_day(text("not_after"));
    if (!digest || digest->size() != 32 || !onion || !day) throw std::invalid_argument{"a member"};
    registration out{text("name"), {}, o.at("with_code").as_bool(), std::move(*onion)};
    std::copy(digest->begin(), digest->end(), out.code_sha256.begin());
    out.seq = o.at("seq").to_number<std::uint64_t>();
    out.not_after = *day;
    out.ask_first = o.at("ask_first").as_bool();
    out.ended = o.at("ended").as_bool();
    for (const auto& [directory, v] : o.at("directories").as_object()) {
        auto& there = out.at[std::string{directory}];
        const auto& one = v.as_object();
        if (one.contains("acknowledged")) there.acknowledged = one.at("acknowledged").to_number<std::uint64_t>();
        if (one.contains("refused")) there.refused = json::value_to<std::string>(one.at("refused"));
    }
    return out;
}

}  // namespace

lacking lacking_at(const registration_journal& journal, const std::string& directory) {
    lacking out;
    for (const auto& [token, r] : journal) {
        const auto found = r.at.find(directory);
        const auto there = found != r.at.end() ? found->second : registration::at_directory{};
        if (!there.refused.empty()) continue;
        if (!there.acknowledged) {
            // What was never there needs no end there.
            if (!r.ended) out.add.push_back(token);
        } else if (*there.acknowledged < r.seq) {
            (r.ended ? out.end : out.replace).push_back(token);
        }
    }
    return out;
}

result<registration_journal> load_journal(const std::filesystem::path& file) {
    const auto text = read_file(file, file_limit);
    if (!text && text.error().code == base::errc::not_found) return registration_journal{};
    if (!text) return text.error();
    try {
        const auto v = json::parse(*text);
        if (v.at("form").to_number<std::uint64_t>() != form)
            return error{errc::state, file.string() + " was written by another version of bentoctl"};
        registration_journal out;
        for (const auto& [token, r] : v.at("functions").as_object()) {
            const auto parsed = uuid4::parse(token);
            if (!parsed) return error{errc::state, file.string() + " is damaged"};
            out.emplace(*parsed, from_json(r.as_object()));
        }
        return out;
    } catch (const std::exception&) {
        return error{errc::state, file.string() + " is damaged"};
    }
}

result<void> save_journal(const std::filesystem::path& file, const registration_journal& journal) {
    json::object functions;
    for (const auto& [token, r] : journal)
        functions[token.text()] = to_json(r);
    return write_file(file, json::serialize(json::object{{"form", form}, {"functions", std::move(functions)}}) + "\n");
}

}  // namespace bento::host
