// Randomness as an input: who needs it takes a random_source, so that a test can give its own.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

namespace bento {

/// Fills the span with random bytes.
using random_source = std::function<void(std::span<std::uint8_t>)>;

/// The kernel's CSPRNG (getrandom, by libsodium). Aborts the program where there is none.
const random_source& system_random();

}  // namespace bento
