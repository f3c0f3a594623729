// Small files, whole: read with a limit, written so that a reader sees the old content or the new, never half of it.
#pragma once

#include <bento/base/error.hpp>
#include <bento/base/secret.hpp>
#include <filesystem>
#include <string_view>

namespace bento {

/// The whole file. base::errc::not_found, not_permitted, io, or too_long where it holds more than `limit` bytes
/// (nothing is kept then).
result<std::string> read_file(const std::filesystem::path& path, std::size_t limit);
/// The same for a key or password, in a buffer that is wiped.
result<secret> read_secret_file(const std::filesystem::path& path, std::size_t limit);

/// Writes beside the target with mode `mode`, syncs, renames over it and syncs the directory: durable when it returns.
result<void> write_file(const std::filesystem::path& path, std::string_view content, unsigned mode = 0600);

}  // namespace bento
