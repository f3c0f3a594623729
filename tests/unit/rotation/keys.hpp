// Onions by number, and moments.
#pragma once

#include <bento/rotation/machine.hpp>

#include "test.hpp"

namespace bento::test {

inline onion::address onion_number(std::uint8_t number) {
    std::array<std::uint8_t, 32> seed{};
    seed[0] = number;
    return onion::address::of(onion::secret_key::from_seed(seed).public_key());
}
inline rotation::wall_time at(std::int64_t seconds) { return rotation::wall_time{std::chrono::seconds{seconds}}; }

}  // namespace bento::test
