// A parser must not notice how its bytes arrive: the invariant of every fuzz body here.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace bento::fuzz {

/// The input's bytes whole, byte by byte, and cut where its first byte says: `told(pieces)` must tell the same.
template <class Told>
void check_segmentations(std::string_view input, Told told) {
    if (input.empty()) return;
    const auto step = std::size_t{1} + static_cast<unsigned char>(input.front());
    input.remove_prefix(1);
    const auto cut = [&](std::size_t size) {
        std::vector<std::string> out;
        for (std::size_t at = 0; at < input.size(); at += size)
            out.emplace_back(input.substr(at, size));
        return out;
    };
    const std::string expected = told({std::string{input}});
    for (const auto size : {std::size_t{1}, step}) {
        const std::string got = told(cut(size));
        if (got == expected) continue;
        std::fprintf(stderr, "in pieces of %zu:\n%s\nwhole:\n%s\n", size, got.c_str(), expected.c_str());
        std::abort();
    }
}

}  // namespace bento::fuzz
