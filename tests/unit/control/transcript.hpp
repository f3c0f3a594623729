// A transcript of tor's side of a control connection, told as text, however its bytes are cut.
#pragma once

#include <bento/control/reply.hpp>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "test.hpp"

namespace bento::test {

/// `250-a=b` as `250|a=b;`, data behind a second bar, a reply a line.
inline std::string told(const control::reply& r) {
    std::string out;
    for (const auto& l : r.lines)
        out += std::to_string(l.status) + "|" + l.text + (l.data ? "|" + *l.data : "") + ";";
    return out;
}

/// Calls `body` with the pieces of `stream`: whole, in two at every byte, and byte by byte. Pieces are copies, so that
/// a view into an earlier piece is seen by the address sanitizer.
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

/// The replies, a line each, then `idle`, `partial`, or the error.
inline std::string framed(const std::vector<std::string>& pieces, control::limits l = {}) {
    std::string out;
    control::framer f{l};
    for (std::string_view piece : pieces)
        for (;;) {
            const auto r = f.next(piece);
            if (!r) return out + "error " + r.error().message();
            if (!*r) break;
            out += told(**r) + "\n";
        }
    return out + (f.idle() ? "idle" : "partial");
}

/// The same, having checked that no cut changes it.
inline std::string framed(std::string_view stream, control::limits l = {}) {
    const auto whole = framed(std::vector<std::string>{std::string{stream}}, l);
    for_each_segmentation(stream, [&](const std::vector<std::string>& pieces) {
        const auto cut = framed(pieces, l);
        if (cut != whole) FAIL("cut after " << pieces.front().size() << ": " << cut << "\nwhole: " << whole);
    });
    return whole;
}

inline std::vector<control::reply> replies_of(std::string_view stream) {
    control::framer f;
    std::vector<control::reply> out;
    while (auto r = f.next(stream).value())
        out.push_back(std::move(*r));
    if (!f.idle()) throw std::runtime_error{"the transcript ends inside a reply"};
    return out;
}

/// The bytes of each reply of a stream, for reply_of().
inline std::vector<std::string> bytes_of_replies(std::string_view stream) {
    control::framer f;
    std::vector<std::string> out;
    for (auto rest = stream; f.next(rest).value(); stream = rest)
        out.emplace_back(stream.substr(0, stream.size() - rest.size()));
    return out;
}

/// The one reply of a stream, having checked that no cut changes it.
inline control::reply reply_of(std::string_view stream) {
    framed(stream);
    auto all = replies_of(stream);
    if (all.size() != 1) throw std::runtime_error{"not one reply"};
    return std::move(all.front());
}

/// What a tor 0.4.9.11 answered, captured on loopback.
inline std::string captured(const std::string& name) {
    std::ifstream in{std::string{BENTO_TEST_DATA "/control/"} + name + ".txt", std::ios::binary};
    if (!in) throw std::runtime_error{"no capture " + name};
    return {std::istreambuf_iterator<char>{in}, {}};
}

/// The bytes of a command, or "refused: why".
template <class Command>
std::string encoded(const Command& command) {
    const auto bytes = command.encode();
    return bytes ? std::string{bytes->text()} : "refused: " + bytes.error().detail;
}

/// The message of the error that a command makes of a reply.
template <class Command>
std::string failure_of(const Command& command, std::string_view stream) {
    const auto parsed = command.parse(reply_of(stream));
    return parsed ? "a value" : parsed.error().message();
}

}  // namespace bento::test
