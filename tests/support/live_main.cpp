// The main of the live tests: Catch2's, and the sandbox's helper, since the box starts its own program as that.
#include <bento/box/jail.hpp>
#include <csignal>
#include <string_view>

#define CATCH_CONFIG_RUNNER
#include "test.hpp"

int main(int argc, char** argv) {
    if (argc > 1 && std::string_view{argv[1]} == bento::box::jail_argument) return bento::box::jail_main(argc, argv);
    std::signal(SIGPIPE, SIG_IGN);
    return Catch::Session().run(argc, argv);
}
