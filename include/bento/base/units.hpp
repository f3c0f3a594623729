// Durations (`500ms`, `90s`, `15m`, `2h`, `7d`) and sizes (`64KiB`, `1MiB`), as the command line and the configuration
// write them.
#pragma once

#include <bento/base/error.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace bento {

/// base::errc::malformed where the form is wrong or the value does not fit; a unit is required, except after 0.
result<std::chrono::milliseconds> parse_duration(std::string_view text);
/// Bytes; `B`, `KiB`, `MiB`, `GiB`, `TiB`, a plain number being bytes.
result<std::uint64_t> parse_size(std::string_view text);

/// The largest unit that loses nothing: `90s`, `15m`, `1500ms`.
std::string format_duration(std::chrono::milliseconds value);

}  // namespace bento
