#include "members.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <cstdint>

namespace bento::wire {
namespace {

namespace json = boost::json;

/// What boost::json::basic_parser reports to.
struct handler {
    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
    using error_code = json::error_code;

    std::array<std::string_view, 2> names;
    std::array<member, 2> found{};
    unsigned depth = 0;
    bool is_object = false;
    std::string key;
    member* target = nullptr;  ///< where the value that follows belongs, if it is wanted

    /// A value that is no string, perhaps in a wanted place.
    bool other() {
        if (target) *target = {};
        target = nullptr;
        return true;
    }

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_object_begin(error_code&) {
        if (depth == 0) is_object = true;
        ++depth;
        return other();
    }
    bool on_object_end(std::size_t, error_code&) {
        --depth;
        return true;
    }
    bool on_array_begin(error_code&) {
        ++depth;
        return other();
    }
    bool on_array_end(std::size_t, error_code&) {
        --depth;
        return true;
    }
    bool on_key_part(std::string_view part, std::size_t, error_code&) {
        // A key longer than the names is none of them.
        if (depth == 1 && key.size() <= 16) key += part;
        return true;
    }
    bool on_key(std::string_view part, std::size_t, error_code&) {
        if (depth != 1) return true;
        if (key.size() <= 16) key += part;
        for (std::size_t i = 0; i < names.size(); ++i)
            if (key == names[i]) {
                target = &found[i];
                *target = {true, {}};
            }
        key.clear();
        return true;
    }
    bool on_string_part(std::string_view part, std::size_t, error_code&) {
        if (target) target->text += part;
        return true;
    }
    bool on_string(std::string_view part, std::size_t, error_code&) {
        if (target) target->text += part;
        target = nullptr;
        return true;
    }
    bool on_number_part(std::string_view, error_code&) { return true; }
    bool on_int64(std::int64_t, std::string_view, error_code&) { return other(); }
    bool on_uint64(std::uint64_t, std::string_view, error_code&) { return other(); }
    bool on_double(double, std::string_view, error_code&) { return other(); }
    bool on_bool(bool, error_code&) { return other(); }
    bool on_null(error_code&) { return other(); }
    bool on_comment_part(std::string_view, error_code&) { return true; }
    bool on_comment(std::string_view, error_code&) { return true; }
};

}  // namespace

std::optional<std::array<member, 2>> find_members(std::string_view body, std::array<std::string_view, 2> names) {
    json::basic_parser<handler> parser{json::parse_options{}};
    parser.handler().names = names;
    json::error_code failed;
    const auto used = parser.write_some(false, body.data(), body.size(), failed);
    if (failed || used != body.size() || !parser.handler().is_object) return {};
    return std::move(parser.handler().found);
}

}  // namespace bento::wire
