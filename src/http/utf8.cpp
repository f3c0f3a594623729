#include "utf8.hpp"

#include <algorithm>
#include <bento/http/problem.hpp>

namespace bento::http {
namespace {

struct second_byte {
    std::size_t size;  ///< of the whole sequence; 0 where nothing begins so
    unsigned low = 0x80;
    unsigned high = 0xbf;
};

second_byte begun_by(unsigned char first) {
    if (first >= 0xc2 && first <= 0xdf) return {2};
    if (first >= 0xe0 && first <= 0xef) return {3, first == 0xe0 ? 0xa0u : 0x80u, first == 0xed ? 0x9fu : 0xbfu};
    if (first >= 0xf0 && first <= 0xf4) return {4, first == 0xf0 ? 0x90u : 0x80u, first == 0xf4 ? 0x8fu : 0xbfu};
    return {first < 0x80 ? 1u : 0u};
}

/// Whether the bytes after the first, as far as they are there, belong to it.
bool goes_on(const second_byte& expected, std::string_view text) {
    for (std::size_t i = 1; i < std::min(expected.size, text.size()); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (i == 1 ? c < expected.low || c > expected.high : (c & 0xc0u) != 0x80) return false;
    }
    return true;
}

}  // namespace

std::size_t sequence_size(std::string_view text) {
    const auto expected = begun_by(static_cast<unsigned char>(text.front()));
    return expected.size <= text.size() && goes_on(expected, text) ? expected.size : 0;
}

bool may_become_sequence(std::string_view text) {
    const auto expected = begun_by(static_cast<unsigned char>(text.front()));
    return expected.size > text.size() && goes_on(expected, text);
}

bool check_utf8_piece(std::string& rest, std::string_view piece) {
    while (!rest.empty() && !piece.empty()) {
        rest += piece.front();
        piece.remove_prefix(1);
        if (sequence_size(rest) != 0)
            rest.clear();
        else if (!may_become_sequence(rest))
            return false;
    }
    while (!piece.empty()) {
        const auto size = sequence_size(piece);
        if (size == 0) break;
        piece.remove_prefix(size);
    }
    if (piece.empty()) return true;
    if (piece.size() > 3 || !may_become_sequence(piece)) return false;
    rest = piece;
    return true;
}

}  // namespace bento::http
