// UTF-8 (Unicode, table 3-7), for text that arrives whole and for text in pieces.
#pragma once

#include <string>
#include <string_view>

namespace bento::http {

/// The size of the well-formed sequence at the front; 0 where there is none. `text` is not empty.
std::size_t sequence_size(std::string_view text);
/// Whether `text`, of up to 3 bytes, may become a well-formed sequence with more bytes.
bool may_become_sequence(std::string_view text);
/// Checks the next piece of a text; `rest` keeps a sequence that has not ended. False where it is no UTF-8.
bool check_utf8_piece(std::string& rest, std::string_view piece);

}  // namespace bento::http
