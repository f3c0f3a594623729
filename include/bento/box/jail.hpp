// The helper before bubblewrap: this program, started again, makes what bubblewrap 0.8 lacks and becomes it.
#pragma once

#include <string_view>

namespace bento::box {

/// The first argument that makes a program that calls jail_main() the helper.
inline constexpr std::string_view jail_argument = "--jail";

/// In this order: enters the control groups whose files it was given; steps back behind other programs; leaves root for
/// a user who is nobody else, where it is root; enters a user, mount and time namespace of its
/// own, clocks moved; mounts a tmpfs with a size and a number of inodes over /tmp; sets the limits; executes bwrap.
/// Never returns on success. Says on stderr what failed and returns 125.
int jail_main(int argc, char** argv);

}  // namespace bento::box
