// A stream cut in every way that matters: whole, in two at every byte, and byte by byte. A parser must not notice.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bento::test {

/// Calls `body` with the pieces of `stream`, once for each segmentation. Pieces are copies at new addresses, so that a
/// view into an earlier piece is seen by the address sanitizer.
template <class Body>
void for_each_segmentation(std::string_view stream, Body body) {
    body(std::vector<std::string>{std::string{stream}});
    for (std::size_t cut = 1; cut < stream.size(); ++cut)
        body(std::vector<std::string>{std::string{stream.substr(0, cut)}, std::string{stream.substr(cut)}});
    std::vector<std::string> bytes;
    for (const auto c : stream)
        bytes.emplace_back(1, c);
    body(std::move(bytes));
}

/// A frame built by hand, so that the encoder under test does not check itself.
inline std::string frame(int type, std::string_view body) {
    const auto n = body.size();
    std::string out{static_cast<char>(type)};
    for (const int shift : {24, 16, 8, 0})
        out += static_cast<char>((n >> shift) & 0xff);
    return out += body;
}
/// A response of the reference server.
inline std::string response(int type, int status, std::string_view body) {
    auto out = frame(type, body);
    out.insert(1, 1, static_cast<char>(status));
    return out;
}

}  // namespace bento::test
