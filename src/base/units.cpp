#include <array>
#include <bento/base/errc.hpp>
#include <bento/base/units.hpp>
#include <charconv>
#include <utility>

namespace bento {
namespace {

using unit = std::pair<std::string_view, std::uint64_t>;

constexpr std::array<unit, 5> duration_units{
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
constexpr std::array<unit, 5> size_units{
    {{"B", 1}, {"KiB", 1ull << 10}, {"MiB", 1ull << 20}, {"GiB", 1ull << 30}, {"TiB", 1ull << 40}}};

template <std::size_t n>
result<std::uint64_t> parse(std::string_view text, const std::array<unit, n>& units, bool unit_needed,
                            std::string_view form) {
    const auto wrong = [&] { return error{base::errc::malformed, std::string{text} + ": " + std::string{form}}; };
    std::uint64_t number = 0;
    const auto [rest, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (code != std::errc{}) return wrong();
    const std::string_view suffix{rest, static_cast<std::size_t>(text.data() + text.size() - rest)};
    if (suffix.empty() && (!unit_needed || number == 0)) return number;
    for (const auto& [name, factor] : units) {
        if (suffix != name) continue;
        if (number > static_cast<std::uint64_t>(INT64_MAX) / factor) return wrong();
        return number * factor;
    }
    return wrong();
}

}  // namespace

result<std::chrono::milliseconds> parse_duration(std::string_view text) {
    auto value = parse(text, duration_units, true, "a duration is a number and ms, s, m, h or d, such as 90s");
    if (!value) return value.error();
    return std::chrono::milliseconds{static_cast<std::int64_t>(*value)};
}

result<std::uint64_t> parse_size(std::string_view text) {
    return parse(text, size_units, false, "a size is a number and B, KiB, MiB, GiB or TiB, such as 64KiB");
}

std::string format_duration(std::chrono::milliseconds value) {
    const auto count = static_cast<std::uint64_t>(value.count());
    auto best = duration_units.front();
    for (const auto& candidate : duration_units)
        if (count != 0 && count % candidate.second == 0) best = candidate;
    return count == 0 ? "0s" : std::to_string(count / best.second) + std::string{best.first};
}

}  // namespace bento
