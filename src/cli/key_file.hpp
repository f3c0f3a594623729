// Where a key is that a person names.
#pragma once

#include <filesystem>

namespace bento::cli {

/// A directory stands for the key in it, as tor's HiddenServiceDir.
std::filesystem::path key_file(const std::filesystem::path& named);

}  // namespace bento::cli
