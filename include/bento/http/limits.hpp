// How much of a peer's bytes this room keeps and how long a peer may take, each with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace bento::http {

/// What RFC 9112 section 3 recommends as a least; over it 414.
inline constexpr std::size_t max_request_line = 8 * 1024;
/// Request line and fields together; a browser sends 1 to 2 KiB. Over it 431.
inline constexpr std::size_t max_head = 16 * 1024;
inline constexpr std::size_t max_fields = 100;
/// Empty lines before a request line, which RFC 9112 section 2.2 asks a server to ignore.
inline constexpr std::size_t max_blank_lines = 4;
/// Chunk sizes, extensions and trailers carry nothing for us: what they cost is bounded, for the whole body 16 KiB and
/// 16 bytes a chunk.
inline constexpr std::size_t max_chunk_overhead = 16 * 1024;
inline constexpr std::size_t chunk_overhead_each = 16;
/// Of a body that a refused request carries, read so that the connection can go on; over it the connection closes.
inline constexpr std::uint64_t max_discarded_body = 64 * 1024;
/// Pipelined bytes that wait while a response is being made; then reading stops.
inline constexpr std::size_t max_pipelined = 64 * 1024;

/// How long a peer may take. A circuit of Tor stalls for seconds now and then, hence three times the usual.
struct deadlines {
    std::chrono::seconds head{30};  ///< from its first byte to its last
    /// A body: this long and one second more for each KiB of it.
    std::chrono::seconds body{30};
    std::chrono::seconds idle{90};   ///< between two requests
    std::chrono::seconds write{90};  ///< for a piece of a response to be taken
    std::chrono::seconds lingering{
        2};  ///< reading what comes after an error, so that the answer is not lost to a reset
};

}  // namespace bento::http
